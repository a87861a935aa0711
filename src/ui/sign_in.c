/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/sign_in.h"
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

/* Only a path of ours: "//host" and "/\host" lead elsewhere, and so do both with a tab in between,
 * which browsers leave out. */
str sign_in_next(str next)
{
    bool ours = str_starts(next, S("/")) && !str_starts(next, S("//")) &&
                str_find_char(next, '\\') == STR_NONE;
    for (size_t i = 0; ours && i < next.n; i++)
        ours = (unsigned char)next.p[i] > ' ' && next.p[i] != 0x7f;
    return ours ? next : S("/");
}

err sign_in_own_form(const struct http_request *request)
{
    return http_header(request, "Origin").n ? gate_same_origin(request) : ERR_OK;
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
    TRY(sign_in_own_form(request));
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
    TRY(sign_in_own_form(request));
    str cookie = gate_cookie(request);
    if (str_given(cookie))
        TRY(session_end(request->cx, gate_people(request->gate_self), cookie,
                        "/sign-out: by its person"));
    TRY(sign_in_cookie(request, response, S(""), "; Max-Age=0"));
    return sign_in_go(response, S("/sign-in"));
}

const struct route sign_in_routes[] = {
    { "GET", "/sign-in", "open", get_sign_in, "The page that lets a person in", 0 },
    { "POST", "/sign-in", "open", post_sign_in, "Begin a session with a one-time code", 0 },
    { "POST", "/sign-out", "open", post_sign_out, "End the session", 0 },
    { 0 },
};
