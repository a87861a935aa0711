/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/gate.h"
#include "auth/audit_log.h"
#include "auth/proxy.h"
#include "auth/secret.h"
#include "auth/step_up.h"
#include "auth/tries.h"
#include "auth/upstream.h"
#include "http/text.h"
#include <sodium.h>
#include <stdatomic.h>

enum { COOKIE_BYTES = 43 };

struct gate {
    struct gate_options options;
    struct standings *standings;
    struct tries *tries, *strangers;
    struct commit_part part;
    struct store_watch watch;
    unsigned char delays[crypto_shorthash_KEYBYTES]; /* of this run: which address waits how long */
    _Atomic bool consents_written; /* by the group the writer has in hand */
};

/* clang-format off */
static const struct { const char *permission; enum decide_act act; } fhir_acts[] = {
    { "fhir.read",   DECIDE_READ },   { "fhir.search", DECIDE_SEARCH },
    { "fhir.create", DECIDE_CREATE }, { "fhir.update", DECIDE_UPDATE },
    { "fhir.delete", DECIDE_DELETE }, { "fhir.patch",  DECIDE_UPDATE },
    { "fhir.history", DECIDE_READ },  { "fhir.operation", DECIDE_READ },
    { "fhir.batch", DECIDE_READ },    /* each entry's write passes gate_write.c */
    { "fhir.export", DECIDE_SEARCH },
};
/* clang-format on */

/* ---- who asks ---- */

static err no_credentials(struct ctx *cx)
{
    return ctx_fail(cx, ERR_LOGIN, (str){ 0 },
                    S("sign in first: send \"Authorization: Bearer TOKEN\"; an operator here gets "
                      "one with: frontline token --data DIR --scope 'system/*.rs'"));
}

/* With TLS the browser itself holds the cookie to this host and path by its prefix. */
const char *gate_cookie_name(const struct http_request *request)
{
    return str_starts(request->base_url, S("https:")) ? "__Host-frontline=" : "frontline_session=";
}

str gate_cookie(const struct http_request *request)
{
    str name = str_of(gate_cookie_name(request));
    str rest = http_header(request, "Cookie"), part;
    while (str_next(&rest, ';', &part)) {
        part = str_trim(part);
        if (str_starts(part, name) && part.n == name.n + COOKIE_BYTES)
            return str_slice(part, name.n, part.n);
    }
    return (str){ 0 };
}

static struct user user_of(struct ctx *cx, const struct people_grant *grant, str hash)
{
    struct scope_set *scopes = arena_alloc(cx->arena, sizeof *scopes);
    *scopes = grant->scopes;
    bool of_app = grant->level == SCOPE_SYSTEM;
    struct user user = {
        .person = grant->user,
        .client = grant->client,
        .token = hash,
        .asker = { role_find(of_app ? S("service") : grant->user.role), scopes, grant->level },
        .proved_ms = grant->issued_ms,
        .self = grant->user.who,
    };
    if (grant->patient.n) { /* an app launched on one patient sees that patient alone */
        user.asker.role = role_find(S("patient"));
        user.person.who = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(grant->patient));
    }
    return user;
}

static err by_token(struct ctx *cx, struct gate *gate, str bearer, struct user *out)
{
    struct people_grant grant;
    TRY(people_token_find(cx, gate->options.people, bearer, &grant));
    *out = user_of(cx, &grant, secret_hash(cx->arena, bearer));
    return ERR_OK;
}

/* A browser sends the cookie along whoever wrote the form; it also says whose page that was. */
err gate_same_origin(const struct http_request *request)
{
    bool changes = request->method != HTTP_GET && request->method != HTTP_HEAD;
    if (!changes || str_eq(http_header(request, "Origin"), request->base_url))
        return ERR_OK;
    return ctx_fail(request->cx, ERR_FORBIDDEN, (str){ 0 },
                    S("this change did not come from one of our own pages; reload and try again"));
}

/* Somebody else's record in place of their own, as far as the consent goes; the consent is read at
 * each request, and a session whose consent was taken away ends. */
static err act_for(struct ctx *cx, struct gate *gate, str cookie, const struct session *session,
                   struct user *out)
{
    struct people *people = gate->options.people;
    struct proxy proxy;
    str nhs_number;
    TRY(upstream_nhs_number(cx, people, session->user.name, &nhs_number));
    if (proxy_find(cx, gate->options.store, nhs_number, session->acting, &proxy) != ERR_OK) {
        TRY(session_end(cx, people, cookie, "/sign-out: may not act for the patient any more"));
        return ctx_fail(cx, ERR_LOGIN, (str){ 0 },
                        S("you may not act for this person any more; sign in again"));
    }
    struct scope_set *scopes = arena_alloc(cx->arena, sizeof *scopes);
    TRY(scope_parse(cx, proxy.scopes, scopes));
    out->asker = (struct decide_asker){ role_find(S("proxy")), scopes, SCOPE_PATIENT };
    out->behalf = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(proxy.patient));
    return ERR_OK;
}

/* A page says for whom it was drawn (keys.ts). One left open while somebody else signed in on the
 * same browser, or what its outbox still holds, is not written under the newcomer's name. */
static err check_person(struct http_request *request, const struct session *session)
{
    struct ctx *cx = request->cx;
    str as = http_query_value(cx->arena, request->query, S("signed_in_as"));
    if (request->method == HTTP_GET || !as.n || str_eq(as, session->user.name))
        return ERR_OK;
    return ctx_failf(cx, ERR_PRECONDITION, (str){ 0 }, "nothing was written: this page was opened "
                     "by %.*s, and %.*s is signed in here now; sign in again, or open the page "
                     "anew",
                     STR_ARG(as), STR_ARG(session->user.name));
}

static struct user user_at(const struct session *session)
{
    return (struct user){
        .person = session->user,
        .csrf = session->csrf,
        .asker = { .role = role_find(session->user.role) },
        .proved_ms = session->stepped_up_ms,
        .self = session->user.who,
        .zone = session->zone,
    };
}

static err by_cookie(struct http_request *request, struct gate *gate, str cookie,
                     struct user *out)
{
    struct ctx *cx = request->cx;
    struct session session;
    TRY(gate_same_origin(request));
    TRY(session_find(cx, gate->options.people, cookie, &session));
    TRY(check_person(request, &session));
    *out = user_at(&session);
    return session.acting.n ? act_for(cx, gate, cookie, &session, out) : ERR_OK;
}

static err find_user(struct http_request *request, struct gate *gate, struct user *out)
{
    struct ctx *cx = request->cx;
    str header = http_header(request, "Authorization"), cookie = gate_cookie(request);
    if (header.n > 7 && str_eq_nocase(str_slice(header, 0, 7), S("Bearer ")))
        TRY(by_token(cx, gate, str_trim(str_slice(header, 7, header.n)), out));
    else if (str_given(cookie))
        TRY(by_cookie(request, gate, cookie, out));
    else
        return no_credentials(cx);
    if (!out->asker.role)
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("your role is not one this server knows; ask the administrator"));
    return ERR_OK;
}

/* ---- may they ---- */

/* The resource type in the path, FHIR_NONE when it names none. */
static uint16_t type_of(const struct http_request *request)
{
    str rest = request->path, part;
    if (str_starts(rest, S("/fhir/")))
        rest = str_slice(rest, 6, rest.n);
    else if (str_starts(rest, S("/browse/")))
        rest = str_slice(rest, 8, rest.n);
    else
        return FHIR_NONE;
    return str_next(&rest, '/', &part) ? fhir_resource_find(part) : FHIR_NONE;
}

/* An app at a system's own pages: they are not of one type, so its scopes must be for all. */
static bool scopes_cover_pages(const struct http_request *request, const struct user *user)
{
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    unsigned actions = SCOPE_READ | SCOPE_SEARCH;
    if (!reads)
        actions |= SCOPE_CREATE | SCOPE_UPDATE;
    return user->csrf.n || !user->asker.scopes || /* a session: the pages are its own */
           scope_allows(user->asker.scopes, user->asker.level, FHIR_NONE, actions);
}

static err refuse(struct ctx *cx, enum decide_rule rule)
{
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 }, str_of(decide_rule_text(rule)));
}

/* A batch and most operations both read and search: what they touch needs both. */
static bool mixes(const struct http_request *request)
{
    return str_find_char(request->path, '$') != STR_NONE ||
           strcmp(request->route->permission, "fhir.batch") == 0;
}

static void keep_both(struct store_access *access, struct store_access other)
{
    for (size_t i = 0; i < ACCESS_TYPES_WORDS; i++)
        access->types[i] &= other.types[i];
}

/* The filter of every read of this request; `seen` gathers for the audit. */
static err set_access(struct http_request *request, const struct user *user, enum decide_act act)
{
    struct ctx *cx = request->cx;
    struct gate *gate = request->gate_self;
    struct store_access *access = arena_alloc(cx->arena, sizeof *access);
    struct access_seen *seen = arena_zero(cx->arena, sizeof *seen);
    *access = decide_filter(cx->arena, &user->asker, act, &user->patients);
    if (mixes(request))
        keep_both(access, decide_filter(cx->arena, &user->asker, DECIDE_SEARCH, &user->patients));
    TRY(gate_narrows(cx, gate->options.store, &user->asker, act, access));
    seen->arena = cx->arena;
    access->seen = seen;
    cx->access = access;
    return ERR_OK;
}

static err check_fhir(struct http_request *request, const struct user *user, enum decide_act act)
{
    uint16_t resource = type_of(request);
    TRY(set_access(request, user, act == DECIDE_SEARCH ? DECIDE_SEARCH : DECIDE_READ));
    if (resource == FHIR_NONE)
        return ERR_OK;
    struct decide_thing thing = { .resource = resource };
    struct decide_answer answer = decide(&user->asker, act, &thing);
    return answer.allowed ? ERR_OK : refuse(request->cx, answer.rule);
}

/* Data in bulk leave the house: a duty of few, and a proof that it is they. */
static err check_export(struct http_request *request, const struct user *user)
{
    if (!role_permits(user->asker.role, S("export.bulk")))
        return refuse(request->cx, DECIDE_NO_TYPE);
    return user->person.name.n ? gate_step_up(request, "export") : ERR_OK;
}

static err check_permission(struct http_request *request, struct user *user)
{
    str permission = str_of(request->route->permission);
    for (size_t i = 0; i < COUNT(fhir_acts); i++)
        if (str_eq(permission, str_of(fhir_acts[i].permission))) {
            TRY(check_fhir(request, user, fhir_acts[i].act));
            return str_eq(permission, S("fhir.export")) ? check_export(request, user) : ERR_OK;
        }
    TRY(set_access(request, user, DECIDE_READ));
    bool permitted = str_eq(permission, S("signed-in")) ||
                     role_permits(user->asker.role, permission);
    if (permitted && !scopes_cover_pages(request, user))
        return refuse(request->cx, DECIDE_NO_SCOPE);
    user->by_system = permitted;
    return permitted ? ERR_OK : refuse(request->cx, DECIDE_NO_TYPE);
}

err gate_step_up(struct http_request *request, const char *act)
{
    const struct user *user = request->cx->user;
    if (!user || step_up_is_fresh(act, user->proved_ms, request->cx->now_ms))
        return ERR_OK;
    return step_up_refuse(request->cx, act);
}

/* RFC 9470: an app learns from the header that the person has to sign in again. */
static void put_challenge(struct http_request *request, struct http_response *response, err kind)
{
    const struct user *user = request->cx->user;
    if (kind == ERR_LOGIN)
        http_put_header(response, S("WWW-Authenticate"), S("Bearer realm=\"frontline\""));
    else if (kind == ERR_FORBIDDEN && user && user->asker.scopes &&
             !step_up_is_fresh("export", user->proved_ms, request->cx->now_ms) &&
             str_eq(str_of(request->route->permission), S("fhir.export")))
        http_put_header(response, S("WWW-Authenticate"),
                        S("Bearer error=\"insufficient_user_authentication\", max_age=300"));
}

/* An address that guesses. Only those without good credentials come here. */
static err hold_up(struct http_request *request, struct http_response *response)
{
    response->status = 429;
    request->cx->issues.kept = request->cx->issues.count = 0;
    http_put_header(response, S("Retry-After"), S("60"));
    return ctx_fail(request->cx, ERR_BUSY, (str){ 0 },
                    S("too many tokens from this address were no good; wait a minute"));
}

/* Who shows none claims nothing, and guesses nothing. */
bool gate_shows_credentials(const struct http_request *request)
{
    return str_given(http_header(request, "Authorization")) || str_given(gate_cookie(request));
}

static bool is_over(struct http_request *request, struct gate *gate)
{
    return tries_over(gate->tries, http_address(request), request->cx->now_ms);
}

/* Whose patients count: the person's own, or of whom they act for. */
static err find_standing(struct ctx *cx, struct gate *gate, struct user *user)
{
    struct people_user person = user->person;
    if (user->behalf.n)
        person.who = user->behalf;
    return standing_find(cx, gate->standings, &person, user->asker.role, &user->patients);
}

/* Nobody signs in: everything is answered but what is about who did. */
static err check_open_to_all(struct http_request *request)
{
    if (!(request->route->flags & ROUTE_PERSON))
        return ERR_OK;
    return ctx_fail(request->cx, ERR_RULE, (str){ 0 },
                    S("this server runs without sign-in (--open), so nobody is known to it; start "
                      "it without --open to use this page"));
}

err gate_check(struct http_request *request, struct http_response *response)
{
    struct gate *gate = request->gate_self;
    struct ctx *cx = request->cx;
    bool open = strcmp(request->route->permission, "open") == 0;
    if (gate->options.open_to_all)
        return check_open_to_all(request);
    if (open && request->method == HTTP_POST && str_starts(request->path, S("/auth/")) &&
        is_over(request, gate))
        return hold_up(request, response);
    if (open)
        return ERR_OK;
    struct user *user = arena_zero(cx->arena, sizeof *user);
    err result = find_user(request, gate, user);
    if (result == ERR_LOGIN && gate_shows_credentials(request) && is_over(request, gate))
        return hold_up(request, response);
    if (result == ERR_OK) {
        user->address = http_address(request);
        cx->user = user;
        result = find_standing(cx, gate, user);
    }
    if (result == ERR_OK)
        result = check_permission(request, user);
    put_challenge(request, response, result);
    return result;
}

err gate_look_as(struct http_request *request, const struct session *session)
{
    struct ctx *cx = request->cx;
    struct user *user = arena_zero(cx->arena, sizeof *user);
    *user = user_at(session);
    if (!user->asker.role)
        return refuse(cx, DECIDE_NO_TYPE);
    user->address = http_address(request);
    TRY(find_standing(cx, request->gate_self, user));
    TRY(set_access(request, user, DECIDE_READ));
    cx->user = user;
    return ERR_OK;
}

/* ---- who asked, when they are not there ---- */

/* "user NAME" or "token HASH NAME CLIENT"; empty: nobody signs in. */
str gate_keep(struct arena *arena, const struct user *user)
{
    if (!user)
        return S("");
    if (!user->token.n)
        return arena_printf(arena, "user %.*s", STR_ARG(user->person.name));
    return arena_printf(arena, "token %.*s %.*s %.*s",
                        STR_ARG(secret_base64url(arena, user->token)),
                        STR_ARG(user->person.name), STR_ARG(user->client));
}

static err kept_user(struct ctx *cx, struct gate *gate, str kept, struct user *out)
{
    str word, hash;
    struct people_grant grant;
    str_next(&kept, ' ', &word);
    if (str_eq(word, S("token"))) {
        str_next(&kept, ' ', &word);
        if (!secret_from_base64url(cx->arena, word, &hash) || hash.n != SECRET_HASH_BYTES)
            return no_credentials(cx);
        TRY(people_token_kept(cx, gate->options.people, hash, &grant));
        *out = user_of(cx, &grant, hash);
        return ERR_OK;
    }
    struct people_user person;
    TRY(people_find(cx, gate->options.people, kept, &person));
    if (person.disabled)
        return no_credentials(cx);
    *out = (struct user){ .person = person, .asker = { .role = role_find(person.role) },
                          .self = person.who };
    return ERR_OK;
}

err gate_kept(struct ctx *cx, struct gate *gate, str kept, struct user *out,
              const struct store_access **access)
{
    struct user user = { 0 };
    *access = NULL;
    if (!kept.n) {
        *out = user;
        return gate->options.open_to_all ? ERR_OK : no_credentials(cx);
    }
    err known = kept_user(cx, gate, kept, &user);
    if (known)
        return known == ERR_NOT_FOUND ? no_credentials(cx) : known;
    if (!user.asker.role)
        return refuse(cx, DECIDE_NO_TYPE);
    TRY(standing_find(cx, gate->standings, &user.person, user.asker.role, &user.patients));
    struct store_access *may = arena_alloc(cx->arena, sizeof *may);
    *may = decide_filter(cx->arena, &user.asker, DECIDE_READ, &user.patients);
    may->seen = arena_zero(cx->arena, sizeof *may->seen);
    may->seen->arena = cx->arena;
    TRY(gate_narrows(cx, gate->options.store, &user.asker, DECIDE_READ, may));
    *access = may;
    *out = user;
    return ERR_OK;
}

bool gate_is_kept(const struct user *user, str kept)
{
    str word, hash = { 0 }, name = { 0 };
    char memory[256];
    if (!user)
        return true;
    str_next(&kept, ' ', &word);
    if (!word.n)
        return false;
    if (str_eq(word, S("token")))
        str_next(&kept, ' ', &hash);
    str_next(&kept, ' ', &name);
    if (!str_eq(user->person.name, name) || !str_eq(user->client, kept))
        return false;
    if (name.n || !str_eq(user->client, S("operator")))
        return true;
    struct arena arena = arena_in(memory, sizeof memory, 65536); /* the operator hands out many */
    bool same = str_eq(secret_base64url(&arena, user->token), hash);
    arena_free(&arena);
    return same;
}

str gate_demo_code(struct gate *gate)
{
    return gate->options.demo_code;
}

err gate_session(struct http_request *request, struct session *out)
{
    struct gate *gate = request->gate_self;
    str cookie = gate_cookie(request);
    if (!str_given(cookie))
        return no_credentials(request->cx);
    return session_find(request->cx, gate->options.people, cookie, out);
}

err gate_may_read(struct http_request *request, const struct session *session, uint16_t resource,
                  str id, struct store_version *version)
{
    struct gate *gate = request->gate_self;
    struct ctx *cx = request->cx;
    struct decide_patients patients;
    struct decide_asker asker = { .role = role_find(session->user.role) };
    TRY(standing_find(cx, gate->standings, &session->user, asker.role, &patients));
    struct store_access access = decide_filter(cx->arena, &asker, DECIDE_READ, &patients);
    const struct store_access *before = cx->access;
    cx->access = &access;
    err found = store_read(cx, gate->options.store, resource, id, version);
    cx->access = before;
    return found;
}

err gate_may_open(struct http_request *request, const struct session *session, str patient)
{
    struct store_version version;
    return gate_may_read(request, session, fhir_resource_find(S("Patient")), patient, &version);
}

/* A consent that is on disk holds for the next request. */
static void changed(const struct store_watch *watch, int64_t seq)
{
    struct gate *gate = watch->self;
    (void)seq;
    if (atomic_exchange(&gate->consents_written, false))
        standings_forget_consents(gate->standings);
}

struct gate *gate_make(struct ctx *cx, const struct gate_options *options)
{
    struct gate *gate = arena_zero(cx->arena, sizeof *gate);
    gate->options = *options;
    randombytes_buf(gate->delays, sizeof gate->delays);
    gate->tries = tries_make(cx->arena, options->refusals_per_minute);
    gate->strangers = tries_make(cx->arena, GATE_STRANGERS_PER_MINUTE);
    gate->standings = standings_make(cx, options->store);
    gate->part = (struct commit_part){ .name = "gate", .self = gate, .ask = gate_ask_write,
                                       .prepare = gate_check_write, .write = gate_write };
    gate->watch = (struct store_watch){ changed, gate };
    if (!options->open_to_all)
        store_watch(options->store, &gate->watch);
    return gate;
}

/* Caches that are warmer or colder tell by a microsecond or two even so. That is drowned: each
 * address has a delay of its own, the same at each asking, so that asking again tells no more. */
int64_t gate_nothing_after_us(const struct gate *gate, const struct http_request *request)
{
    const str parts[] = { request->path, request->query, request->body };
    int64_t least = gate->options.nothing_after_us;
    uint64_t sum = 0, one;
    for (size_t i = 0; least && i < COUNT(parts); i++) {
        crypto_shorthash((unsigned char *)&one, (const unsigned char *)parts[i].p, parts[i].n,
                         gate->delays);
        sum = sum * 31 + one;
    }
    return least + (int64_t)(sum % (uint64_t)(least / 2 + 1));
}

struct oauth *gate_oauth(struct gate *gate)
{
    return gate->options.oauth;
}

const struct entrance *gate_entrance(struct gate *gate)
{
    return gate->options.entrance;
}

struct tries *gate_strangers(struct gate *gate)
{
    return gate->strangers;
}

struct people *gate_people(struct gate *gate)
{
    return gate->options.people;
}

void gate_consent_written(struct gate *gate)
{
    atomic_store(&gate->consents_written, true);
}

struct store *gate_store(struct gate *gate)
{
    return gate->options.store;
}

struct standings *gate_standings(struct gate *gate)
{
    return gate->standings;
}

struct tries *gate_tries(struct gate *gate)
{
    return gate->tries;
}

struct audit_log *gate_audit(struct gate *gate)
{
    return gate->options.audit;
}

void gate_close(struct gate *gate)
{
    standings_close(gate->standings);
}

const struct commit_part *gate_part(struct gate *gate)
{
    return &gate->part;
}
