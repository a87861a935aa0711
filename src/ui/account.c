/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/account.h"
#include "assets.h"
#include "auth/entrance.h"
#include "auth/gate.h"
#include "auth/secret.h"
#include "auth/sign_in_metrics.h"
#include "auth/sign_in_note.h"
#include "base/clock.h"
#include "http/text.h"
#include "json/write.h"
#include "ui/lock.h"
#include "ui_account.html.h"

enum { JSON_MAX_BYTES = 64 * 1024 };

static const struct {
    const char *word;
    enum passkey_purpose purpose;
} purposes[] = {
    { "sign-in", PASSKEY_SIGN_IN }, { "step-up", PASSKEY_STEP_UP }, { "enrol", PASSKEY_ENROL },
};

static struct people *people_of(struct http_request *request)
{
    return gate_people(request->gate_self);
}

static err site_of(struct http_request *request, struct passkey_site *out)
{
    if (entrance_site(gate_entrance(request->gate_self), request, out))
        return ERR_OK;
    return ctx_fail(request->cx, ERR_RULE, S("auth.rp_id"),
                    S("passkeys cannot be used at this address; on this machine open it as "
                      "localhost, elsewhere the administrator sets auth.rp_id"));
}

static err answer_json(struct http_request *request, struct http_response *response,
                       const struct buf *text)
{
    (void)request;
    response->content_type = S("application/json");
    response->body = buf_str(text);
    http_put_header(response, S("Cache-Control"), S("no-store"));
    return ERR_OK;
}

static err answer_next(struct http_request *request, struct http_response *response, str next)
{
    struct buf text = buf_make(request->cx->arena, JSON_MAX_BYTES);
    struct json_writer w = json_writer(&text);
    json_open(&w, '{');
    json_put_str(&w, "next", sign_in_next(next));
    json_close(&w, '}');
    return answer_json(request, response, &text);
}

/* The body as JSON, from one of our own pages. */
static err read_body(struct http_request *request, struct json *out)
{
    TRY(gate_same_origin(request));
    if (request->body.n > JSON_MAX_BYTES)
        return ctx_fail(request->cx, ERR_LIMIT, (str){ 0 }, S("that is too long for a passkey"));
    return json_parse(request->cx, request->body, out);
}

static str word_of(struct ctx *cx, struct json body, const char *name)
{
    str text = json_string(cx->arena, json_get(body, str_of(name)));
    return str_given(text) ? text : S("");
}

static err bytes_of(struct ctx *cx, struct json body, const char *name, str *out)
{
    if (secret_from_base64url(cx->arena, word_of(cx, body, name), out))
        return ERR_OK;
    return ctx_fail(cx, ERR_INVALID, str_of(name), S("is not base64url"));
}

err account_need_fresh(struct ctx *cx, const struct session *session)
{
    if (session_is_fresh(session, cx->now_ms))
        return ERR_OK;
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                    S("show first that it is still you: open /step-up, then come back"));
}

/* ---- what the browser is asked ---- */

static void put_kinds(struct json_writer *w)
{
    static const char kinds[] =
        "[{\"type\":\"public-key\",\"alg\":-7},{\"type\":\"public-key\",\"alg\":-8},"
        "{\"type\":\"public-key\",\"alg\":-257}]";
    json_put_raw(w, "pubKeyCredParams", str_of(kinds));
    json_put_raw(w, "authenticatorSelection",
                 S("{\"residentKey\":\"required\",\"requireResidentKey\":true,"
                   "\"userVerification\":\"required\"}"));
}

static void put_known(struct ctx *cx, struct json_writer *w, const struct passkey *keys,
                      size_t count)
{
    json_key(w, "excludeCredentials");
    json_open(w, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(w, '{');
        json_put_str(w, "type", S("public-key"));
        json_put_str(w, "id", account_key_id(cx, &keys[i]));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static err put_enrolment(struct http_request *request, const struct session *session,
                         const struct passkey_site *site, struct json_writer *w)
{
    struct ctx *cx = request->cx;
    const struct people_user *user = &session->user;
    struct passkey *keys;
    size_t count;
    str handle;
    TRY(passkey_list(cx, people_of(request), user->name, &keys, &count));
    TRY(passkey_handle(cx, people_of(request), user->name, &handle));
    json_key(w, "rp");
    json_open(w, '{');
    json_put_str(w, "id", site->rp_id);
    json_put_str(w, "name", S("Frontline"));
    json_close(w, '}');
    json_key(w, "user");
    json_open(w, '{');
    json_put_str(w, "id", secret_base64url(cx->arena, handle));
    json_put_str(w, "name", user->name);
    json_put_str(w, "displayName", user->display);
    json_close(w, '}');
    put_kinds(w);
    put_known(cx, w, keys, count);
    bool direct = str_eq(gate_entrance(request->gate_self)->attestation, S("direct"));
    json_put_str(w, "attestation", direct ? S("direct") : S("none"));
    return ERR_OK;
}

static err find_purpose(struct ctx *cx, struct json body, enum passkey_purpose *out)
{
    str word = word_of(cx, body, "purpose");
    for (size_t i = 0; i < COUNT(purposes); i++)
        if (str_eq(word, str_of(purposes[i].word))) {
            *out = purposes[i].purpose;
            return ERR_OK;
        }
    return ctx_fail(cx, ERR_INVALID, S("purpose"), S("is sign-in, step-up or enrol"));
}

static err post_challenge(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct json body;
    struct passkey_site site;
    struct session session = { .user.name = S("") };
    enum passkey_purpose purpose = PASSKEY_SIGN_IN;
    str challenge;
    TRY(read_body(request, &body));
    TRY(find_purpose(cx, body, &purpose));
    TRY(site_of(request, &site));
    if (purpose != PASSKEY_SIGN_IN)
        TRY(gate_session(request, &session));
    if (purpose == PASSKEY_ENROL)
        TRY(account_need_fresh(cx, &session));
    TRY(passkey_challenge(cx, people_of(request), purpose, session.user.name, &challenge));
    struct buf text = buf_make(cx->arena, JSON_MAX_BYTES);
    struct json_writer w = json_writer(&text);
    json_open(&w, '{');
    json_put_str(&w, "challenge", challenge);
    json_put_u64(&w, "timeout", PASSKEY_CEREMONY_MS);
    if (purpose == PASSKEY_ENROL) {
        TRY(put_enrolment(request, &session, &site, &w));
    } else {
        json_put_str(&w, "rpId", site.rp_id);
        json_put_str(&w, "userVerification", S("required"));
    }
    json_close(&w, '}');
    return answer_json(request, response, &text);
}

/* ---- what it answers ---- */

static err read_proof(struct ctx *cx, struct json body, struct passkey_proof *out)
{
    TRY(bytes_of(cx, body, "id", &out->id));
    TRY(bytes_of(cx, body, "clientDataJSON", &out->client_data));
    TRY(bytes_of(cx, body, "authenticatorData", &out->auth_data));
    TRY(bytes_of(cx, body, "signature", &out->signature));
    return bytes_of(cx, body, "userHandle", &out->handle);
}

static err prove(struct http_request *request, enum passkey_purpose purpose, struct json *body,
                 str *user)
{
    struct passkey_site site;
    struct passkey_proof proof;
    TRY(read_body(request, body));
    TRY(site_of(request, &site));
    TRY(read_proof(request->cx, *body, &proof));
    return passkey_prove(request->cx, people_of(request), &site, purpose, &proof, user);
}

static err post_passkey_sign_in(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct json body;
    str user, cookie;
    int64_t begun_ns = clock_monotonic_ns();
    err proved = prove(request, PASSKEY_SIGN_IN, &body, &user);
    if (proved == ERR_LOGIN)
        TRY(sign_in_note(request, S(""), "passkey", false));
    TRY(proved);
    TRY(lock_begin(request, user, S("passkey"), &cookie));
    TRY(sign_in_cookie(request, response, cookie, ""));
    sign_in_metrics_server(SIGN_IN_BY_PASSKEY, clock_monotonic_ns() - begun_ns);
    return answer_next(request, response, word_of(cx, body, "next"));
}

static err post_passkey_step_up(struct http_request *request, struct http_response *response)
{
    struct json body;
    struct session session;
    str user;
    TRY(gate_session(request, &session));
    err proved = prove(request, PASSKEY_STEP_UP, &body, &user);
    if (proved == ERR_OK)
        proved = session_step_up(request->cx, people_of(request), gate_cookie(request), user);
    if (proved == ERR_OK || proved == ERR_LOGIN || proved == ERR_FORBIDDEN)
        TRY(sign_in_note_again(request, session.user.name, "passkey", proved == ERR_OK));
    TRY(proved);
    return answer_next(request, response, word_of(request->cx, body, "next"));
}

static err post_enrol(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct json body;
    struct passkey_site site;
    struct session session;
    TRY(read_body(request, &body));
    TRY(gate_session(request, &session));
    TRY(account_need_fresh(cx, &session));
    TRY(site_of(request, &site));
    struct passkey_ask ask = { .user = session.user.name,
                               .name = str_trim(word_of(cx, body, "name")) };
    TRY(bytes_of(cx, body, "clientDataJSON", &ask.client_data));
    TRY(bytes_of(cx, body, "attestationObject", &ask.attestation));
    err enrolled = passkey_enrol(cx, people_of(request), &site, &ask);
    if (enrolled == ERR_LOGIN || enrolled == ERR_FORBIDDEN || enrolled == ERR_INVALID)
        TRY(sign_in_note_enrol(request, session.user.name));
    TRY(enrolled);
    return answer_next(request, response, word_of(cx, body, "next"));
}

/* ---- pages ---- */

str account_key_id(struct ctx *cx, const struct passkey *key)
{
    return secret_base64url(cx->arena, key->id);
}

str account_key_words(struct ctx *cx, const struct passkey *key)
{
    str used = key->used_ms ? ui_time(cx, key->used_ms) : S("never");
    bool may_sync = key->flags & PASSKEY_MAY_SYNC;
    return arena_printf(cx->arena, "Added %.*s. Last used: %.*s. %s.",
                        STR_ARG(ui_time(cx, key->added_ms)), STR_ARG(used),
                        may_sync ? "May be copied between the owner's devices"
                                 : "Stays on one device");
}

/* A page for the person signed in; anybody else is led to sign in and back. */
static err signed_in(struct http_request *request, struct http_response *response,
                     struct session *session, bool *away)
{
    *away = gate_session(request, session) != ERR_OK;
    if (!*away)
        return ERR_OK;
    struct buf url = buf_make(request->cx->arena, JSON_MAX_BYTES);
    buf_add(&url, S("/sign-in?next="));
    http_encode(&url, request->path);
    request->cx->issues.kept = request->cx->issues.count = 0;
    return sign_in_go(response, buf_str(&url));
}

static str next_of(struct http_request *request)
{
    return sign_in_next(http_query_value(request->cx->arena, request->query, S("next")));
}

static err get_account(struct http_request *request, struct http_response *response)
{
    static const char *const islands[] = { ASSET_PASSKEY_JS };
    struct ctx *cx = request->cx;
    struct session session;
    struct passkey_site site;
    struct passkey *keys = NULL;
    bool away;
    TRY(signed_in(request, response, &session, &away));
    if (away)
        return ERR_OK;
    struct account_page account = {
        .page = ui_page_for(request, S("Your sign-ins, passkeys and apps")),
        .csrf = session.csrf,
        .next = http_query_value(cx->arena, request->query, S("next")).n ? next_of(request)
                                                                         : S("/account"),
        .who = session.user.display,
        .fresh = session_is_fresh(&session, cx->now_ms),
        .passkeys = entrance_site(gate_entrance(request->gate_self), request, &site),
        .name = { .name = "key-name", .label = "What you call it", .value = S("My key"),
                  .hint = "Such as: blue key on my lanyard" },
    };
    TRY(passkey_list(cx, people_of(request), session.user.name, &keys, &account.list_count));
    TRY(account_read(request, &session, &account));
    account.list = keys;
    account.done = account_done(request);
    account.page.user = session.user.display;
    ui_page_nav_of(cx, role_find(session.user.role), &account.page);
    account.page.zone = session.zone;
    account.page.as_of = (str){ 0 };
    account.page.islands = islands;
    account.page.islands_count = COUNT(islands);
    struct buf out = ui_page_buf(request);
    account_draw(&out, cx, &account);
    return ui_page_send(request, response, &out);
}

static err post_remove(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct session session;
    str id;
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    TRY(account_need_fresh(cx, &session));
    if (!secret_from_base64url(cx->arena, sign_in_field(request, "key"), &id))
        return ctx_fail(cx, ERR_INVALID, S("key"), S("is not a key of yours"));
    TRY(passkey_end(cx, people_of(request), session.user.name, id, S("by its owner")));
    return sign_in_go(response, S("/account"));
}

/* Who came by a provider can be asked there again. */
static void set_provider(struct http_request *request, const struct session *session,
                         struct account_step_up *ask)
{
    const struct entrance *entrance = gate_entrance(request->gate_self);
    const struct role *role = role_find(session->user.role);
    bool patient = role && role_permits(role, S("app.home"));
    const struct provider *provider = patient ? entrance->patients : entrance->staff;
    ask->provider = provider && str_eq(session->method, S("openid"))
                        ? provider_options(provider)->name : S("");
    ask->provider_href = patient ? "/sign-in/patients" : "/sign-in/staff";
}

static err show_step_up(struct http_request *request, struct http_response *response,
                        const struct session *session, str fault)
{
    static const char *const islands[] = { ASSET_PASSKEY_JS };
    struct passkey_site site;
    bool posted = request->method == HTTP_POST;
    struct account_step_up ask = {
        .page = ui_page_for(request, S("Show that it is you")),
        .next = posted ? sign_in_next(sign_in_field(request, "next")) : next_of(request),
        .csrf = session->csrf,
        .fault = fault,
        .passkeys = entrance_site(gate_entrance(request->gate_self), request, &site),
        .code = { .name = "code", .label = "One-time code", .type = "password", .required = true,
                  .hint = "From the administrator; it works once" },
    };
    set_provider(request, session, &ask);
    ask.page.user = session->user.display;
    ui_page_nav_of(request->cx, role_find(session->user.role), &ask.page);
    ask.page.zone = session->zone;
    ask.page.as_of = (str){ 0 };
    ask.page.islands = islands;
    ask.page.islands_count = ask.passkeys ? COUNT(islands) : 0;
    struct buf out = ui_page_buf(request);
    account_step_up_draw(&out, &ask);
    return ui_page_send(request, response, &out);
}

static err get_step_up(struct http_request *request, struct http_response *response)
{
    struct session session;
    bool away;
    TRY(signed_in(request, response, &session, &away));
    return away ? ERR_OK : show_step_up(request, response, &session, (str){ 0 });
}

static err post_step_up(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct session session;
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    str code = sign_in_field(request, "code"), demo = gate_demo_code(request->gate_self);
    err proved = demo.n && secret_same(code, demo)
                     ? ERR_OK
                     : session_use_code(cx, people_of(request), session.user.name, code,
                                        http_address(request));
    if (proved == ERR_OK || proved == ERR_LOGIN || proved == ERR_BUSY)
        TRY(sign_in_note_again(request, session.user.name, "code", proved == ERR_OK));
    if (proved == ERR_LOGIN || proved == ERR_BUSY) {
        response->status = err_http_status(proved);
        return show_step_up(request, response, &session,
                            cx->issues.list[cx->issues.kept - 1].text);
    }
    TRY(proved);
    TRY(session_step_up(cx, people_of(request), gate_cookie(request), session.user.name));
    return sign_in_go(response, sign_in_next(sign_in_field(request, "next")));
}

const struct route account_routes[] = {
    { "GET", "/account", "open", get_account, "A person's own sign-ins, passkeys and apps", 0 },
    { "POST", "/account/remove", "open", post_remove, "Remove one of them", 0 },
    { "POST", "/account/sessions/end", "open", account_end_session, "End a sign-in of one's own",
      0 },
    { "POST", "/account/sessions/end-others", "open", account_end_others,
      "End all but the one that asks", 0 },
    { "POST", "/account/apps/end", "open", account_end_app, "End what an app was allowed", 0 },
    { "GET", "/step-up", "open", get_step_up, "Ask for a fresh proof of who is there", 0 },
    { "POST", "/step-up", "open", post_step_up, "Give it by a one-time code", 0 },
    { "POST", "/auth/passkey/challenge", "open", post_challenge, "Begin a passkey ceremony", 0 },
    { "POST", "/auth/passkey/sign-in", "open", post_passkey_sign_in,
      "Begin a session with a passkey", 0 },
    { "POST", "/auth/passkey/step-up", "open", post_passkey_step_up,
      "A fresh proof with a passkey", 0 },
    { "POST", "/auth/passkey/enrol", "open", post_enrol, "Add a passkey to one's own account", 0 },
    { 0 },
};
