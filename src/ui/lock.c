/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/lock.h"
#include "auth/entrance.h"
#include "auth/gate.h"
#include "auth/session_list.h"
#include "auth/sign_in_metrics.h"
#include "auth/sign_in_note.h"
#include "base/clock.h"
#include "http/text.h"
#include "json/json.h"
#include "store/store.h"
#include "ui/browse.h"
#include "ui/live.h"
#include "ui/sign_in.h"
#include "ui_lock.html.h"

/* With TLS the browser itself holds it to this host, as it does the session's. */
static const char *place_name(const struct http_request *request)
{
    return str_starts(request->base_url, S("https:")) ? "__Host-frontline_place="
                                                      : "frontline_place=";
}

enum { BODY_MAX_BYTES = 4096, URL_MAX_BYTES = 16 * 1024, WHOLE_MAX_MS = 600000 };

static struct people *people_of(struct http_request *request)
{
    return gate_people(request->gate_self);
}

static str place_cookie(const struct http_request *request)
{
    str rest = http_header(request, "Cookie"), part, name = str_of(place_name(request));
    while (str_next(&rest, ';', &part))
        if (str_starts(str_trim(part), name))
            return str_slice(str_trim(part), name.n, part.n);
    return (str){ 0 };
}

static str channel_of(struct ctx *cx, str id)
{
    return arena_printf(cx->arena, "workstation/%.*s", STR_ARG(id));
}

/* The screens of a workstation look again whether they are open. */
static void tell(struct http_request *request, str id)
{
    struct ctx *cx = request->cx;
    if (id.n)
        live_publish_reload(request->live, channel_of(cx, id), cx->now_ms);
}

err lock_workstation(struct http_request *request, struct workstation *out)
{
    str cookie = place_cookie(request);
    if (!str_given(cookie))
        return ctx_fail(request->cx, ERR_LOGIN, (str){ 0 }, S("this is no shared workstation"));
    return workstation_find(request->cx, people_of(request), cookie, out);
}

static void forget_issues(struct ctx *cx)
{
    cx->issues.kept = cx->issues.count = 0;
}

err lock_begin(struct http_request *request, str user, str method, str *cookie)
{
    struct workstation here;
    struct session_start start = { .user = user, .method = method, .place = S("") };
    if (lock_workstation(request, &here) == ERR_OK)
        start.place = here.id;
    else
        forget_issues(request->cx);
    TRY(sign_in_note(request, user, arena_cstr(request->cx->arena, method), true));
    TRY(session_begin_at(request->cx, people_of(request), &start, cookie));
    return start.place.n ? ERR_OK
                         : session_came_from(request->cx, people_of(request), *cookie,
                                             http_address(request),
                                             http_header(request, "User-Agent"));
}

err lock_take(struct http_request *request, struct http_response *response, str next)
{
    struct ctx *cx = request->cx;
    struct workstation here;
    int64_t begun_ns = clock_monotonic_ns();
    str cookie, held;
    TRY(lock_workstation(request, &here));
    TRY(workstation_take(cx, people_of(request), here.id, &cookie, &held));
    TRY(sign_in_cookie(request, response, cookie, ""));
    sign_in_metrics_server(SIGN_IN_BY_BADGE, clock_monotonic_ns() - begun_ns);
    if (!held.n)
        return sign_in_go(response, next);
    struct buf url = buf_make(cx->arena, URL_MAX_BYTES);
    buf_add(&url, S("/workstation/resume?next="));
    http_encode(&url, next);
    return sign_in_go(response, buf_str(&url));
}

/* ---- taking a workstation ---- */

static err show_claim(struct http_request *request, struct http_response *response, str fault)
{
    struct workstation here = { .name = S("") };
    if (lock_workstation(request, &here) != ERR_OK)
        forget_issues(request->cx);
    struct lock_claim claim = {
        .page = ui_page_for(request, S("Shared workstation")),
        .name = here.name,
        .fault = fault,
        .id = { .name = "id", .label = "Workstation", .required = true,
                .hint = "As the administrator named it, such as ward-3-desk" },
        .code = { .name = "code", .label = "Registration code", .type = "password",
                  .required = true, .hint = "It works once" },
    };
    claim.page.as_of = (str){ 0 };
    struct buf out = ui_page_buf(request);
    lock_claim_draw(&out, &claim);
    return ui_page_send(request, response, &out);
}

static err get_claim(struct http_request *request, struct http_response *response)
{
    return show_claim(request, response, (str){ 0 });
}

static err post_claim(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    str cookie;
    TRY(gate_same_origin(request));
    err taken = workstation_claim(cx, people_of(request), str_trim(sign_in_field(request, "id")),
                                  str_trim(sign_in_field(request, "code")), &cookie);
    if (taken == ERR_LOGIN) {
        response->status = err_http_status(taken);
        return show_claim(request, response, cx->issues.list[cx->issues.kept - 1].text);
    }
    TRY(taken);
    bool tls = str_starts(request->base_url, S("https:"));
    http_put_header(response, S("Set-Cookie"),
                    arena_printf(cx->arena, "%s%.*s; Path=/; HttpOnly; SameSite=Lax; "
                                 "Max-Age=31536000%s", place_name(request), STR_ARG(cookie),
                                 tls ? "; Secure" : ""));
    return sign_in_go(response, S("/sign-in"));
}

/* ---- what its screens ask ---- */

static err get_events(struct http_request *request, struct http_response *response)
{
    struct workstation here;
    TRY(lock_workstation(request, &here));
    return live_open(request->live, channel_of(request->cx, here.id), request, response);
}

static err get_state(struct http_request *request, struct http_response *response)
{
    struct session session;
    TRY(gate_session(request, &session));
    response->content_type = S("application/json");
    response->body = S("{\"open\":true}");
    http_put_header(response, S("Cache-Control"), S("no-store"));
    return ERR_OK;
}

static err post_lock(struct http_request *request, struct http_response *response)
{
    struct session session;
    TRY(gate_same_origin(request));
    if (gate_session(request, &session) == ERR_OK) {
        TRY(session_lock(request->cx, people_of(request), gate_cookie(request)));
        tell(request, session.place);
    } else {
        forget_issues(request->cx); /* locked already: what was asked for holds */
    }
    return sign_in_go(response, S("/sign-in"));
}

static err read_json(struct http_request *request, struct json *out)
{
    if (request->body.n > BODY_MAX_BYTES)
        return ctx_fail(request->cx, ERR_LIMIT, (str){ 0 }, S("that is too long"));
    return json_parse(request->cx, request->body, out);
}

static err post_held(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct session session;
    struct json body;
    TRY(gate_same_origin(request));
    TRY(gate_session(request, &session));
    TRY(read_json(request, &body));
    str patient = json_string(cx->arena, json_get(body, S("patient")));
    if (patient.n > PEOPLE_NAME_MAX)
        return ctx_fail(cx, ERR_INVALID, S("patient"), S("is the id of a patient"));
    TRY(session_hold(cx, people_of(request), gate_cookie(request), patient));
    response->status = 204;
    return ERR_OK;
}

/* What a person's browser measured, from the gesture to the page it stands on. */
static err post_timing(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct session session;
    struct json body;
    int64_t took_ms = 0;
    TRY(gate_same_origin(request));
    TRY(gate_session(request, &session));
    TRY(read_json(request, &body));
    str method = json_string(cx->arena, json_get(body, S("method")));
    str number = json_string(cx->arena, json_get(body, S("ms")));
    if (!str_to_i64(number, &took_ms) || took_ms < 0 || took_ms > WHOLE_MAX_MS ||
        sign_in_method_find(method) == SIGN_IN_METHODS)
        return ctx_fail(cx, ERR_INVALID, S("ms"), S("is no time a sign-in takes"));
    sign_in_metrics_whole(sign_in_method_find(method), took_ms);
    response->status = 204;
    return ERR_OK;
}

/* ---- is it still this patient ---- */

static err get_resume(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct session session;
    struct store_version version;
    struct json patient;
    str next = sign_in_next(http_query_value(cx->arena, request->query, S("next")));
    TRY(gate_session(request, &session));
    /* By the request's own filter: who may no longer open this patient goes on without. */
    if (!session.held.n || store_read(cx, request->store, fhir_resource_find(S("Patient")),
                                      session.held, &version) != ERR_OK) {
        forget_issues(cx);
        return sign_in_go(response, next);
    }
    TRY(json_parse(cx, version.body, &patient));
    struct lock_resume resume = {
        .page = ui_page_for(request, S("Still this patient?")),
        .cx = cx,
        .patient = ui_patient_of(cx, patient),
        .next = next,
    };
    struct buf out = ui_page_buf(request);
    lock_resume_draw(&out, &resume);
    return ui_page_send(request, response, &out);
}

/* ---- the reader ---- */

static err read_tap(struct http_request *request, struct tap_ask *out)
{
    static const struct { const char *word; enum tap_event event; } events[] = {
        { "in", TAP_IN }, { "out", TAP_OUT }, { "tap", TAP_EITHER },
    };
    struct ctx *cx = request->cx;
    struct json body;
    str header = http_header(request, "Authorization");
    if (!str_starts(header, S("Bearer ")))
        return ctx_fail(cx, ERR_LOGIN, (str){ 0 }, S("a reader sends its own bearer token"));
    TRY(read_json(request, &body));
    str badge = json_string(cx->arena, json_get(body, S("badge")));
    str word = json_string(cx->arena, json_get(body, S("event")));
    *out = (struct tap_ask){ .reader = str_trim(str_slice(header, 7, header.n)),
                             .badge = str_given(badge) ? badge : S(""),
                             .grace_ms = gate_entrance(request->gate_self)->badge_grace_ms };
    for (size_t i = 0; i < COUNT(events); i++)
        if (str_eq(word, str_of(events[i].word))) {
            out->event = events[i].event;
            return ERR_OK;
        }
    return ctx_fail(cx, ERR_INVALID, S("event"), S("is in, out or tap"));
}

static err post_tap(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct tap_ask ask;
    struct tap_result result;
    TRY(read_tap(request, &ask));
    err tapped = workstation_tap(cx, people_of(request), &ask, &result);
    if (result.opened || result.locked) /* also when refused: whoever was there is locked */
        tell(request, result.at.id);
    tell(request, result.left);
    if (tapped == ERR_LOGIN || tapped == ERR_FORBIDDEN || result.opened)
        TRY(sign_in_note(request, result.user, "badge", tapped == ERR_OK));
    TRY(tapped);
    response->content_type = S("application/json");
    response->body = result.opened ? S("{\"result\":\"open\"}") : S("{\"result\":\"locked\"}");
    return ERR_OK;
}

const struct route lock_routes[] = {
    { "GET", "/workstation", "open", get_claim, "The page that makes a browser a workstation", 0 },
    { "POST", "/workstation", "open", post_claim, "Register with the administrator's code", 0 },
    { "GET", "/workstation/events", "open", get_events, "Tells its screens to look again", 0 },
    { "GET", "/workstation/state", "open", get_state, "200 while the session is open", 0 },
    { "POST", "/workstation/lock", "open", post_lock, "Lock now", 0 },
    { "POST", "/workstation/held", "open", post_held, "Which patient is on the screen", 0 },
    { "GET", "/workstation/resume", "signed-in", get_resume, "Is it still this patient?", 0 },
    { "POST", "/auth/tap", "open", post_tap, "A badge was tapped: for reader agents", 0 },
    { "POST", "/auth/timing", "open", post_timing, "How long a sign-in took its person", 0 },
    { 0 },
};
