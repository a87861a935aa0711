/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/allowed.h"
#include "auth/gate.h"
#include "auth/session_list.h"
#include "http/text.h"
#include "ui/account.h"
#include "ui/sign_in.h"

/* Where a person is signed in, and which apps they allowed: shown on /account, ended from there. */

static struct people *people_of(struct http_request *request)
{
    return gate_people(request->gate_self);
}

/* ---- in words ---- */

/* The first that is found in what a browser calls itself; many claim to be others, later in it. */
static const struct {
    const char *mark, *name;
} browsers[] = {
    { "Edg", "Edge" }, { "OPR/", "Opera" }, { "SamsungBrowser", "Samsung Internet" },
    { "FxiOS", "Firefox" }, { "Firefox/", "Firefox" }, { "CriOS", "Chrome" },
    { "Chrome/", "Chrome" }, { "Safari/", "Safari" },
}, systems[] = {
    { "iPhone", "iPhone" }, { "iPad", "iPad" }, { "Android", "Android" }, { "CrOS", "Chromebook" },
    { "Windows", "Windows" }, { "Mac OS X", "Mac" }, { "Linux", "Linux" },
};

str account_device_words(struct arena *arena, str agent)
{
    const char *browser = "A browser", *system = NULL;
    for (size_t i = COUNT(browsers); i > 0; i--)
        if (str_find(agent, str_of(browsers[i - 1].mark)) != STR_NONE)
            browser = browsers[i - 1].name;
    for (size_t i = COUNT(systems); i > 0; i--)
        if (str_find(agent, str_of(systems[i - 1].mark)) != STR_NONE)
            system = systems[i - 1].name;
    return arena_printf(arena, "%s%s%s", browser, system ? " on " : "", system ? system : "");
}

static const struct {
    const char *method, *words;
} methods[] = {
    { "passkey", "By passkey" }, { "code", "By one-time code" },
    { "openid", "By a login provider" }, { "demo", "By the demonstration's code" },
};

static str method_words(str method)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_eq(method, str_of(methods[i].method)))
            return str_of(methods[i].words);
    return S("Signed in");
}

static struct account_sign_in sign_in_of(struct ctx *cx, const struct session_row *row)
{
    bool near = !row->place.n && row->address.n;
    return (struct account_sign_in){
        .id = row->id,
        .where = row->place.n ? row->place : account_device_words(cx->arena, row->agent),
        .words = arena_printf(cx->arena, "%.*s%s%.*s, %.*s. Last used: %.*s.%s",
                              STR_ARG(method_words(row->method)), near ? " from " : "",
                              STR_ARG(near ? row->address : S("")),
                              STR_ARG(ui_time(cx, row->begun_ms)),
                              STR_ARG(ui_time(cx, row->seen_ms)),
                              row->locked ? " The screen is locked." : ""),
        .here = row->here,
    };
}

static err app_of(struct ctx *cx, const struct allowed_app *row, struct account_app *out)
{
    struct scope_set scopes;
    struct sign_in_scope *words = arena_array(cx->arena, SIGN_IN_SCOPES_MAX + 1, sizeof *words);
    TRY(scope_parse(cx, row->scopes, &scopes));
    *out = (struct account_app){
        .id = row->id,
        .name = row->name.n ? row->name : row->client,
        .scopes = words,
        .scopes_count = sign_in_words(cx->arena, &scopes, words),
        .words = arena_printf(cx->arena, "Allowed %.*s%s%.*s. It ends %.*s%s",
                              STR_ARG(ui_time(cx, row->since_ms)),
                              row->patient.n ? " for Patient/" : "", STR_ARG(row->patient),
                              STR_ARG(ui_time(cx, row->until_ms)),
                              row->keeps ? ", also when you are signed out." : "."),
    };
    return ERR_OK;
}

err account_read(struct http_request *request, const struct session *session,
                 struct account_page *out)
{
    struct ctx *cx = request->cx;
    struct session_row *rows;
    struct allowed_app *apps;
    TRY(session_list(cx, people_of(request), session, gate_cookie(request), &rows,
                     &out->sign_ins_count));
    TRY(allowed_list(cx, people_of(request), session->user.name, &apps, &out->apps_count));
    struct account_sign_in *sign_ins = arena_array(cx->arena, out->sign_ins_count + 1,
                                                   sizeof *sign_ins);
    struct account_app *drawn = arena_array(cx->arena, out->apps_count + 1, sizeof *drawn);
    for (size_t i = 0; i < out->sign_ins_count; i++)
        sign_ins[i] = sign_in_of(cx, &rows[i]);
    for (size_t i = 0; i < out->apps_count; i++)
        TRY(app_of(cx, &apps[i], &drawn[i]));
    out->sign_ins = sign_ins;
    out->apps = drawn;
    return ERR_OK;
}

/* ---- what was done, on the page that comes after it ---- */

static const struct {
    const char *word, *text;
} done[] = {
    { "session", "That sign-in has ended. What was open there shows nothing any more." },
    { "others", "All your other sign-ins have ended." },
    { "app", "The app may do nothing in your name any more." },
};

str account_done(struct http_request *request)
{
    str word = http_query_value(request->cx->arena, request->query, S("done"));
    for (size_t i = 0; i < COUNT(done); i++)
        if (str_eq(word, str_of(done[i].word)))
            return str_of(done[i].text);
    return S("");
}

/* ---- ending ---- */

/* Whoever sits at a screen that was left open must not end its owner's other ones. */
static err owner(struct http_request *request, bool fresh, struct session *session)
{
    TRY(gate_session(request, session));
    TRY(sign_in_form_of(request, session));
    return fresh ? account_need_fresh(request->cx, session) : ERR_OK;
}

static str given(struct http_request *request, const char *name)
{
    str text = sign_in_field(request, name);
    return str_given(text) ? text : S("");
}

err account_end_session(struct http_request *request, struct http_response *response)
{
    struct session session;
    TRY(owner(request, true, &session));
    TRY(session_end_own(request->cx, people_of(request), session.user.name,
                        given(request, "session")));
    return sign_in_go(response, S("/account?done=session"));
}

err account_end_others(struct http_request *request, struct http_response *response)
{
    struct session session;
    TRY(owner(request, true, &session));
    TRY(session_end_others(request->cx, people_of(request), session.user.name,
                           gate_cookie(request)));
    return sign_in_go(response, S("/account?done=others"));
}

err account_end_app(struct http_request *request, struct http_response *response)
{
    struct session session;
    TRY(owner(request, false, &session));
    TRY(allowed_end(request->cx, people_of(request), session.user.name, given(request, "app")));
    return sign_in_go(response, S("/account?done=app"));
}
