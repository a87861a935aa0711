/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/sign_in.h"
#include "auth/launch.h"
#include "assets.h"
#include "auth/entrance.h"
#include "auth/gate.h"
#include "auth/passkey.h"
#include "auth/secret.h"
#include "auth/sign_in_note.h"
#include "http/text.h"
#include "ui/lock.h"
#include "ui_sign_in.html.h"

enum { URL_MAX_BYTES = 16 * 1024 };

str sign_in_field(struct http_request *request, const char *name)
{
    return http_query_value(request->cx->arena, request->body, str_of(name));
}

/* Only a path of ours: "//host" and "/\host" lead elsewhere. */
str sign_in_next(str next)
{
    bool ours = next.n && next.p[0] == '/' &&
                !(next.n > 1 && (next.p[1] == '/' || next.p[1] == '\\'));
    return ours && str_find_char(next, '\n') == STR_NONE && str_find_char(next, '\r') == STR_NONE
               ? next
               : S("/");
}

err sign_in_go(struct http_response *response, str location)
{
    response->status = 303;
    http_put_header(response, S("Location"), location);
    http_put_header(response, S("Cache-Control"), S("no-store"));
    return ERR_OK;
}

/* ---- signing in ---- */

static err demo_accounts(struct http_request *request, struct sign_in_form *form)
{
    struct ctx *cx = request->cx;
    struct people_user *users;
    size_t count;
    form->demo_code = gate_demo_code(request->gate_self);
    if (!form->demo_code.n)
        return ERR_OK;
    TRY(people_list(cx, gate_people(request->gate_self), &users, &count));
    struct sign_in_account *accounts = arena_array(cx->arena, count + 1, sizeof *accounts);
    for (size_t r = 0; r < roles_count; r++) /* in the order of the roles, not of names */
        for (size_t i = 0; i < count; i++)
            if (str_eq(users[i].role, str_of(roles[r].name)) && !users[i].disabled)
                accounts[form->accounts_count++] = (struct sign_in_account){
                    users[i].name, users[i].display, str_of(roles[r].title) };
    form->accounts = accounts;
    return ERR_OK;
}

/* The same page by the machine's own name: browsers keep passkeys by name, not by number. */
static str localhost_of(const struct http_request *request)
{
    str numbers = S("http://127.0.0.1");
    if (!str_starts(request->base_url, numbers))
        return S("");
    str port = str_slice(request->base_url, numbers.n, request->base_url.n);
    return arena_printf(request->cx->arena, "http://localhost%.*s%.*s%s%.*s", STR_ARG(port),
                        STR_ARG(request->path), request->query.n ? "?" : "",
                        STR_ARG(request->query));
}

/* On a shared workstation: its name, and who has it locked. */
static err show_workstation(struct http_request *request, struct sign_in_form *form)
{
    struct workstation here;
    struct workstation_sitter sitter;
    form->workstation = form->sitter = S("");
    size_t kept = request->cx->issues.kept, count = request->cx->issues.count;
    if (lock_workstation(request, &here) != ERR_OK) {
        request->cx->issues.kept = kept;
        request->cx->issues.count = count;
        return ERR_OK;
    }
    TRY(workstation_sitter(request->cx, gate_people(request->gate_self), here.id, &sitter));
    form->workstation = here.name;
    form->sitter = sitter.locked ? sitter.display : S("");
    return ERR_OK;
}

static str provider_name(const struct provider *provider)
{
    return provider ? provider_options(provider)->name : S("");
}

err sign_in_show(struct http_request *request, struct http_response *response, str next,
                 str fault)
{
    struct sign_in_form form = {
        .page = ui_page_for(request, S("Sign in")),
        .name = { .name = "name", .label = "Your name here", .required = true,
                  .hint = "As the administrator gave it to you, such as a.khan" },
        .code = { .name = "code", .label = "One-time code", .type = "password", .required = true,
                  .hint = "From the administrator; it works once" },
        .next = next,
        .fault = fault,
    };
    static const char *const islands[] = { ASSET_LOCK_JS, ASSET_PASSKEY_JS };
    struct passkey_site site;
    TRY(show_workstation(request, &form));
    form.passkeys = entrance_site(gate_entrance(request->gate_self), request, &site);
    form.localhost = form.passkeys ? S("") : localhost_of(request);
    form.staff_provider = provider_name(gate_entrance(request->gate_self)->staff);
    form.patient_provider = provider_name(gate_entrance(request->gate_self)->patients);
    form.page.as_of = (str){ 0 };
    form.page.nav_count = 0;
    form.page.islands = islands;
    form.page.islands_count = COUNT(islands);
    TRY(demo_accounts(request, &form));
    struct buf out = ui_page_buf(request);
    sign_in_page(&out, &form);
    return ui_page_send(request, response, &out);
}

static err get_sign_in(struct http_request *request, struct http_response *response)
{
    str next = sign_in_next(http_query_value(request->cx->arena, request->query, S("next")));
    if (lock_take(request, response, next) == ERR_OK)
        return ERR_OK;
    request->cx->issues.kept = request->cx->issues.count = 0;
    return sign_in_show(request, response, next, (str){ 0 });
}

err sign_in_cookie(struct http_request *request, struct http_response *response, str cookie,
                   const char *more)
{
    bool tls = str_starts(request->base_url, S("https:"));
    str value = arena_printf(request->cx->arena, "%s%.*s; Path=/; HttpOnly; SameSite=Lax%s%s",
                             gate_cookie_name(request), STR_ARG(cookie), tls ? "; Secure" : "",
                             more);
    http_put_header(response, S("Set-Cookie"), value);
    return ERR_OK;
}

err sign_in_form_of(struct http_request *request, const struct session *session)
{
    if (secret_same(sign_in_field(request, "csrf"), session->csrf))
        return ERR_OK;
    return ctx_fail(request->cx, ERR_FORBIDDEN, (str){ 0 },
                    S("this form is from another sign-in; go back, reload and try again"));
}

static err begin(struct http_request *request, str name, str code, str *cookie)
{
    struct people *people = gate_people(request->gate_self);
    str demo = gate_demo_code(request->gate_self);
    struct people_user user;
    if (demo.n && secret_same(demo, code) &&
        people_find(request->cx, people, name, &user) == ERR_OK)
        return lock_begin(request, name, S("demo"), cookie);
    TRY(session_use_code(request->cx, people, name, code, http_address(request)));
    return lock_begin(request, name, S("code"), cookie);
}

/* Who came with a one-time code and has no passkey yet is led to enrol one. */
static str after_code(struct http_request *request, str name, str next)
{
    struct passkey_site site;
    struct passkey *keys;
    size_t count = 0, live = 0;
    bool demo = gate_demo_code(request->gate_self).n > 0;
    if (demo || !entrance_site(gate_entrance(request->gate_self), request, &site) ||
        passkey_list(request->cx, gate_people(request->gate_self), name, &keys, &count) != ERR_OK)
        return next;
    for (size_t i = 0; i < count; i++)
        live += keys[i].ended_ms == 0;
    if (live)
        return next;
    struct buf url = buf_make(request->cx->arena, URL_MAX_BYTES * 3);
    buf_add(&url, S("/account?next="));
    http_encode(&url, next);
    return buf_str(&url);
}

static err post_sign_in(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    str cookie, next = sign_in_next(sign_in_field(request, "next"));
    str name = sign_in_field(request, "name"), code = sign_in_field(request, "code");
    err failed = begin(request, name, code, &cookie);
    if (failed == ERR_LOGIN || failed == ERR_BUSY) {
        TRY(sign_in_note(request, str_given(name) ? name : S(""), "code", false));
        response->status = err_http_status(failed);
        return sign_in_show(request, response, next, cx->issues.list[cx->issues.kept - 1].text);
    }
    TRY(failed);
    TRY(sign_in_cookie(request, response, cookie, ""));
    return sign_in_go(response, after_code(request, name, next));
}

static err post_sign_out(struct http_request *request, struct http_response *response)
{
    str cookie = gate_cookie(request);
    if (str_given(cookie))
        TRY(session_end(request->cx, gate_people(request->gate_self), cookie));
    TRY(sign_in_cookie(request, response, S(""), "; Max-Age=0"));
    return sign_in_go(response, S("/sign-in"));
}

/* ---- what an app may do ---- */

static const struct {
    unsigned action;
    const char *word;
} action_words[] = {
    { SCOPE_READ, "look at" }, { SCOPE_SEARCH, "search" }, { SCOPE_CREATE, "add" },
    { SCOPE_UPDATE, "change" }, { SCOPE_DELETE, "remove" },
};

/* "category=http://...|vital-signs,laboratory" as ", only where category is vital-signs or
 * laboratory". The system says nothing to a person. */
static void narrow_words(struct arena *arena, str query, struct buf *buf)
{
    struct http_param param;
    for (const char *and = ", only where"; http_next_param(&query, &param); and = " and") {
        str values, value;
        if (!http_decode(arena, param.value, true, &values))
            values = param.value;
        buf_printf(buf, "%s %.*s is", and, STR_ARG(param.name));
        for (const char *or = ""; str_next(&values, ',', &value); or = " or") {
            size_t bar = str_find_char(value, '|');
            value = bar == STR_NONE ? value : str_slice(value, bar + 1, value.n);
            buf_printf(buf, "%s %.*s", or, STR_ARG(value));
        }
    }
}

static str rule_words(struct arena *arena, const struct scope_rule *rule)
{
    struct buf buf = buf_make(arena, URL_MAX_BYTES);
    for (size_t i = 0; i < COUNT(action_words); i++)
        if (rule->actions & action_words[i].action)
            buf_printf(&buf, "%s%s", buf.n ? ", " : "", action_words[i].word);
    str type = rule->resource == FHIR_NONE ? S("everything in the record")
                                           : fhir_resource_name(rule->resource);
    buf_printf(&buf, ": %.*s", STR_ARG(type));
    if (rule->query.n)
        narrow_words(arena, rule->query, &buf);
    char *text = buf.p;
    text[0] = (char)(text[0] - 'a' + 'A');
    return buf_str(&buf);
}

size_t sign_in_words(struct arena *arena, const struct scope_set *set, struct sign_in_scope *out)
{
    size_t count = 0;
    for (size_t i = 0; i < set->rules_count && count < SIGN_IN_SCOPES_MAX; i++)
        out[count++].what = rule_words(arena, &set->rules[i]);
    if (set->fhir_user || set->profile)
        out[count++].what = S("Know who you are");
    return count;
}

/* What was wrong with the patient or the stay that was given. */
struct consent_fault {
    str patient, encounter;
};

static err find_launch(struct http_request *request, const struct oauth_ask *ask,
                       const struct session *session, struct launch *out)
{
    struct launch expected = { .client = ask->client.id, .user = session->user.name };
    *out = (struct launch){ 0 };
    return ask->launch.n ? launch_read(request, ask->launch, &expected, out) : ERR_OK;
}

/* "https://app.example:8443" of a URL; not given when it holds what a policy could misread. */
static str origin_of(str url)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-.:[]";
    size_t start = str_find(url, S("://"));
    size_t end = start == STR_NONE ? url.n : start + 3;
    for (; end < url.n && url.p[end] != '/' && url.p[end] != '?'; end++)
        if (!strchr(fine, url.p[end]))
            return (str){ 0 };
    return start == STR_NONE ? (str){ 0 } : str_slice(url, 0, end);
}

/* The answer goes to our own page, which sends the browser on to the app: browsers hold the
 * policy's form-action against that address, too. */
static void allow_form_to(struct arena *arena, struct http_response *response, str redirect)
{
    static const char ours[] = "form-action 'self'";
    str origin = origin_of(redirect);
    for (size_t i = 0; i < response->headers_count && origin.n; i++) {
        str value = response->headers[i].value;
        size_t at = str_find(value, S(ours));
        if (at == STR_NONE)
            continue;
        at += sizeof ours - 1;
        response->headers[i].value = arena_printf(arena, "%.*s %.*s%.*s",
                                                  STR_ARG(str_slice(value, 0, at)),
                                                  STR_ARG(origin),
                                                  STR_ARG(str_slice(value, at, value.n)));
    }
}

static err show_consent(struct http_request *request, struct http_response *response,
                        const struct oauth_ask *ask, const struct session *session,
                        struct consent_fault fault)
{
    struct ctx *cx = request->cx;
    struct launch launch;
    TRY(find_launch(request, ask, session, &launch));
    struct sign_in_scope *scopes = arena_array(cx->arena, SIGN_IN_SCOPES_MAX + 1, sizeof *scopes);
    bool own = str_starts(session->user.who, S("Patient/"));
    struct sign_in_consent consent = {
        .page = ui_page_for(request, S("Allow this app?")),
        .app = ask->client.name.n ? ask->client.name : ask->client.id,
        .query = request->method == HTTP_POST ? sign_in_field(request, "ask") : request->query,
        .csrf = session->csrf,
        .scopes = scopes,
        .scopes_count = sign_in_words(cx->arena, &ask->scopes, scopes),
        .asks_patient = (ask->scopes.launch_patient || ask->scopes.launch_encounter) && !own &&
                        !launch.patient.n,
        .asks_encounter = ask->scopes.launch_encounter && !launch.encounter.n,
        .launched = launch.patient.n ? arena_printf(cx->arena, "Patient/%.*s",
                                                    STR_ARG(launch.patient)) : S(""),
        .keeps_access = ask->scopes.offline,
        .patient = { .name = "patient", .label = "For which patient", .required = true,
                     .hint = "The patient's id in the record", .error = fault.patient },
        .encounter = { .name = "encounter", .label = "For which stay or visit", .required = true,
                       .hint = "The encounter's id in the record", .error = fault.encounter },
    };
    struct buf out = ui_page_buf(request);
    sign_in_consent_page(&out, &consent);
    TRY(ui_page_send(request, response, &out));
    allow_form_to(cx->arena, response, ask->redirect);
    return ERR_OK;
}

static err to_sign_in(struct http_request *request, struct http_response *response)
{
    struct buf next = buf_make(request->cx->arena, URL_MAX_BYTES);
    struct buf url = buf_make(request->cx->arena, URL_MAX_BYTES * 3);
    buf_add(&next, request->path);
    buf_char(&next, '?');
    buf_add(&next, request->query);
    buf_add(&url, S("/sign-in?next="));
    http_encode(&url, buf_str(&next));
    request->cx->issues.kept = request->cx->issues.count = 0;
    if (next.full || url.full)
        return ctx_fail(request->cx, ERR_LIMIT, (str){ 0 },
                        S("the app asks with too long an address; its maker must shorten it"));
    return sign_in_go(response, buf_str(&url));
}

static err get_authorize(struct http_request *request, struct http_response *response)
{
    struct oauth_ask ask;
    struct session session;
    TRY(oauth_read_ask(request, request->query, &ask));
    if (ask.error)
        return sign_in_go(response, oauth_deny(request, &ask, ask.error, ask.why));
    bool known = gate_session(request, &session) == ERR_OK;
    if (ask.silent) /* consent is asked each time, so there is always something to ask */
        return sign_in_go(response, oauth_deny(request, &ask, known ? "consent_required"
                                                                    : "login_required", S("")));
    if (!known)
        return to_sign_in(request, response);
    return show_consent(request, response, &ask, &session, (struct consent_fault){ 0 });
}

/* The patient the app is launched on: the person's own, or the one named in the form. */
static str patient_of(struct http_request *request, const struct session *session)
{
    str who = session->user.who;
    if (str_starts(who, S("Patient/")))
        return str_slice(who, 8, who.n);
    return str_trim(sign_in_field(request, "patient"));
}

/* The patient and stay the tokens are for: those on screen at the launch, else those named. */
static void set_context(struct http_request *request, const struct oauth_ask *ask,
                        const struct session *session, const struct launch *launch,
                        struct grant *grant, struct consent_fault *fault)
{
    struct ctx *cx = request->cx;
    bool wants_patient = ask->scopes.launch_patient || launch->id.n > 0;
    grant->context = launch->context;
    grant->encounter = launch->encounter;
    grant->patient = launch->patient.n ? launch->patient
                   : wants_patient || ask->scopes.launch_encounter ? patient_of(request, session)
                                                                   : (str){ 0 };
    size_t kept = cx->issues.kept, count = cx->issues.count;
    if (grant->patient.n || wants_patient)
        if (gate_may_open(request, session, grant->patient) != ERR_OK)
            fault->patient = S("This is no patient you may open: check the id");
    if (ask->scopes.launch_encounter && !grant->encounter.n) {
        grant->encounter = str_trim(sign_in_field(request, "encounter"));
        if (launch_check_encounter(request, session, grant->patient, grant->encounter) != ERR_OK)
            fault->encounter = S("This is no stay of the patient that you may see: check the id");
    }
    cx->issues.kept = kept;
    cx->issues.count = count;
}

static err allow(struct http_request *request, struct http_response *response,
                 const struct oauth_ask *ask, const struct session *session)
{
    struct grant grant = {
        .client = ask->client.id,
        .user = session->user.name,
        .scopes = ask->scope_text,
        .nonce = ask->nonce,
        .redirect = ask->redirect,
        .challenge = ask->challenge,
    };
    struct launch launch;
    struct consent_fault fault = { 0 };
    TRY(find_launch(request, ask, session, &launch));
    set_context(request, ask, session, &launch, &grant, &fault);
    if (fault.patient.n || fault.encounter.n)
        return show_consent(request, response, ask, session, fault);
    if (launch.id.n)
        TRY(launch_use(request, &launch));
    str location;
    TRY(oauth_allow(request, ask, &grant, &location));
    return sign_in_go(response, location);
}

/* SMART's authorize-post: the app's parameters in a form. The browser sends no cookie along with
 * another site's form; going on by GET, it does. */
static err ask_by_post(struct http_request *request, struct http_response *response)
{
    str url = arena_printf(request->cx->arena, "/auth/authorize?%.*s", STR_ARG(request->body));
    bool fits = request->body.n < URL_MAX_BYTES;
    for (size_t i = 0; i < request->body.n && fits; i++)
        fits = request->body.p[i] > ' ' && request->body.p[i] < 0x7f;
    if (!fits)
        return ctx_fail(request->cx, ERR_INVALID, (str){ 0 },
                        S("the app's form is not one; its maker must mend it"));
    return sign_in_go(response, url);
}

static err post_authorize(struct http_request *request, struct http_response *response)
{
    struct oauth_ask ask;
    struct session session;
    if (!str_given(sign_in_field(request, "ask")) && sign_in_field(request, "client_id").n)
        return ask_by_post(request, response);
    TRY(oauth_read_ask(request, sign_in_field(request, "ask"), &ask));
    if (ask.error)
        return sign_in_go(response, oauth_deny(request, &ask, ask.error, ask.why));
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    if (!str_eq(sign_in_field(request, "answer"), S("allow")))
        return sign_in_go(response, oauth_deny(request, &ask, "access_denied",
                                               S("the person said no")));
    return allow(request, response, &ask, &session);
}

const struct route sign_in_routes[] = {
    { "GET", "/sign-in", "open", get_sign_in, "The page that lets a person in", 0 },
    { "POST", "/sign-in", "open", post_sign_in, "Begin a session with a one-time code", 0 },
    { "POST", "/sign-out", "open", post_sign_out, "End the session", 0 },
    { "GET", "/auth/authorize", "open", get_authorize, "Ask a person what an app may do", 0 },
    { "POST", "/auth/authorize", "open", post_authorize, "Their answer", 0 },
    { 0 },
};
