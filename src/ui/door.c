/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/door.h"
#include "auth/entrance.h"
#include "auth/gate.h"
#include "auth/proxy.h"
#include "auth/sign_in_note.h"
#include "http/text.h"
#include "ui/lock.h"
#include "ui/sign_in.h"

#define TRIP_COOKIE "frontline_trip="
#define STEP_UP "step-up"

static struct people *people_of(struct http_request *request)
{
    return gate_people(request->gate_self);
}

static str param(struct http_request *request, const char *name)
{
    str text = http_query_value(request->cx->arena, request->query, str_of(name));
    return str_given(text) ? text : S("");
}

static err no_such_door(struct ctx *cx)
{
    return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                    S("this server was not set up with such a sign-in; use another way in"));
}

static str back_of(struct http_request *request, const struct provider *provider)
{
    return arena_printf(request->cx->arena, "%.*s/sign-in/%.*s/back",
                        STR_ARG(request->base_url), STR_ARG(provider_options(provider)->door));
}

static str trip_cookie(const struct http_request *request)
{
    str rest = http_header(request, "Cookie"), part;
    while (str_next(&rest, ';', &part))
        if (str_starts(str_trim(part), S(TRIP_COOKIE)))
            return str_slice(str_trim(part), sizeof TRIP_COOKIE - 1, part.n);
    return S("");
}

static err leave(struct http_request *request, struct http_response *response,
                 struct provider *provider, struct provider_leave *away)
{
    struct ctx *cx = request->cx;
    str location;
    away->next = sign_in_next(param(request, "next"));
    away->redirect = back_of(request, provider);
    away->browser = provider_browser(cx);
    err gone = provider_begin(cx, people_of(request), provider, away, &location);
    if (gone == ERR_BUSY || gone == ERR_INVALID) {
        response->status = err_http_status(ERR_BUSY);
        return sign_in_show(request, response, away->next,
                            cx->issues.list[cx->issues.kept - 1].text);
    }
    TRY(gone);
    bool tls = str_starts(request->base_url, S("https:"));
    http_put_header(response, S("Set-Cookie"),
                    arena_printf(cx->arena, TRIP_COOKIE "%.*s; Path=/sign-in; HttpOnly; "
                                 "SameSite=Lax; Max-Age=600%s", STR_ARG(away->browser),
                                 tls ? "; Secure" : ""));
    return sign_in_go(response, location);
}

static err get_staff(struct http_request *request, struct http_response *response)
{
    const struct entrance *entrance = gate_entrance(request->gate_self);
    bool step_up = param(request, "step-up").n > 0;
    struct provider_leave away = {
        .wanted = step_up ? S(STEP_UP) : S("sign-in"),
        .acr_values = str_of(national_acr(step_up ? entrance->rules.step_up_level
                                                  : entrance->rules.level)),
        .max_age_s = step_up ? UPSTREAM_FRESH_S : UPSTREAM_SHIFT_S,
        .login_again = step_up,
    };
    return entrance->staff ? leave(request, response, entrance->staff, &away)
                           : no_such_door(request->cx);
}

static err get_patients(struct http_request *request, struct http_response *response)
{
    const struct entrance *entrance = gate_entrance(request->gate_self);
    str asked = param(request, "level");
    const struct patient_level *level = patient_level_find(asked.n ? asked : S("P9"));
    if (!entrance->patients)
        return no_such_door(request->cx);
    if (!level)
        return ctx_fail(request->cx, ERR_INVALID, S("level"), S("is P0, P5 or P9"));
    bool step_up = param(request, "step-up").n > 0;
    struct provider_leave away = {
        .wanted = step_up ? arena_printf(request->cx->arena, STEP_UP " %s", level->name)
                          : str_of(level->name),
        .vtr = str_of(level->vtr),
        .acr_values = S(""),
        .max_age_s = step_up ? UPSTREAM_FRESH_S : 0,
        .login_again = step_up,
    };
    return leave(request, response, entrance->patients, &away);
}

/* ---- back again ---- */

static err staff_user(struct http_request *request, const struct provider_person *person,
                      str *user)
{
    const struct entrance *entrance = gate_entrance(request->gate_self);
    return upstream_staff(request->cx, people_of(request), request->store, &entrance->rules,
                          person, user);
}

/* One account a level, so that a claimed identity never borrows what a verified one opened. */
static err patient_user(struct http_request *request, const struct provider_person *person,
                        str *user)
{
    struct ctx *cx = request->cx;
    const struct entrance *entrance = gate_entrance(request->gate_self);
    struct patient_match match;
    struct proxy proxies[PROXIES_MAX];
    size_t proxies_count = 0;
    struct provider_person asked = *person;
    if (str_starts(person->wanted, S(STEP_UP " "))) {
        asked.wanted = str_slice(person->wanted, sizeof STEP_UP, person->wanted.n);
        TRY(provider_check_age(cx, person, UPSTREAM_FRESH_S));
    }
    TRY(patient_login_match(cx, request->store, &asked, &match));
    if (!match.level->role)
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("with an email address and a phone alone there is no account here: prove "
                          "your identity with your login provider, then sign in again"));
    TRY(proxy_list(cx, request->store, match.nhs_number, proxies, &proxies_count));
    bool unknown = match.level->reads_record && !match.who.n;
    if (unknown && proxies_count == 0)
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("we hold no record with your verified NHS number; ask us to check it"));
    struct upstream_link link = {
        .issuer = provider_options(entrance->patients)->issuer,
        .sub = arena_printf(cx->arena, "%.*s %s", STR_ARG(person->sub), match.level->name),
        .nhs_number = match.nhs_number,
    };
    struct people_user account = { .display = match.name, .who = match.who,
                                   .role = unknown ? S("proxy") : str_of(match.level->role) };
    TRY(upstream_account(cx, people_of(request), &link, &account));
    *user = account.name;
    return ERR_OK;
}

typedef err who_is(struct http_request *request, const struct provider_person *person, str *user);

static err enter(struct http_request *request, struct http_response *response,
                 const struct provider_person *person, str user)
{
    struct ctx *cx = request->cx;
    str cookie;
    if (str_starts(person->wanted, S(STEP_UP))) {
        TRY(session_step_up(cx, people_of(request), gate_cookie(request), user));
        TRY(sign_in_note_again(request, user, "openid", true));
        return sign_in_go(response, person->next);
    }
    TRY(lock_begin(request, user, S("openid"), &cookie));
    TRY(sign_in_cookie(request, response, cookie, ""));
    return sign_in_go(response, person->next);
}

static err come_back(struct http_request *request, struct http_response *response,
                     struct provider *provider, who_is *find)
{
    struct ctx *cx = request->cx;
    if (!provider)
        return no_such_door(cx);
    struct provider_person person = { .next = S("/") };
    struct provider_back back = { .query = request->query, .browser = trip_cookie(request),
                                  .redirect = back_of(request, provider) };
    str user;
    err done = provider_finish(cx, people_of(request), provider, &back, &person);
    if (done == ERR_OK)
        done = find(request, &person, &user);
    if (done == ERR_OK)
        done = enter(request, response, &person, user);
    if (done == ERR_OK || done == ERR_IO || done == ERR_BUG)
        return done;
    TRY(sign_in_note(request, S(""), "openid", false));
    response->status = err_http_status(done == ERR_INVALID ? ERR_LOGIN : done);
    return sign_in_show(request, response, person.next,
                        cx->issues.list[cx->issues.kept - 1].text);
}

static err get_staff_back(struct http_request *request, struct http_response *response)
{
    return come_back(request, response, gate_entrance(request->gate_self)->staff, staff_user);
}

static err get_patients_back(struct http_request *request, struct http_response *response)
{
    return come_back(request, response, gate_entrance(request->gate_self)->patients,
                     patient_user);
}

const struct route door_routes[] = {
    { "GET", "/sign-in/staff", "open", get_staff, "Leave for the staff's provider", ROUTE_SLOW },
    { "GET", "/sign-in/staff/back", "open", get_staff_back, "And come back", ROUTE_SLOW },
    { "GET", "/sign-in/patients", "open", get_patients, "Leave for the patients' provider",
      ROUTE_SLOW },
    { "GET", "/sign-in/patients/back", "open", get_patients_back, "And come back", ROUTE_SLOW },
    { 0 },
};
