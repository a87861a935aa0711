/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/gate.h"
#include "auth/audit_log.h"
#include "base/clock.h"
#include <pthread.h>

enum { CACHE_PLACES = 64, CACHE_MEMORY_BYTES = 1 << 20, COOKIE_BYTES = 43 };


/* The patients of one person, as last looked up. */
struct relation {
    struct arena arena;
    str who, areas;
    int64_t *pids;
    size_t count;
    int64_t read_at_ms; /* monotonic; 0: free */
};
struct gate {
    struct gate_options options;
    pthread_mutex_t lock; /* over relations */
    struct relation relations[CACHE_PLACES];
    struct commit_part part;
};

/* clang-format off */
static const struct { const char *permission; enum decide_act act; } fhir_acts[] = {
    { "fhir.read",   DECIDE_READ },   { "fhir.search", DECIDE_SEARCH },
    { "fhir.create", DECIDE_CREATE }, { "fhir.update", DECIDE_UPDATE },
    { "fhir.delete", DECIDE_DELETE }, { "fhir.patch",  DECIDE_UPDATE },
    { "fhir.history", DECIDE_READ },  { "fhir.operation", DECIDE_READ },
    { "fhir.bundle", DECIDE_READ },   /* each entry's write passes the part below */
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

static err by_token(struct ctx *cx, struct gate *gate, str bearer, struct user *out)
{
    struct people_grant grant;
    TRY(people_token_find(cx, gate->options.people, bearer, &grant));
    struct scope_set *scopes = arena_alloc(cx->arena, sizeof *scopes);
    *scopes = grant.scopes;
    bool of_app = grant.level == SCOPE_SYSTEM;
    *out = (struct user){
        .person = grant.user,
        .client = grant.client,
        .asker = { role_find(of_app ? S("service") : grant.user.role), scopes, grant.level },
    };
    if (grant.patient.n) { /* an app launched on one patient sees that patient alone */
        out->asker.role = role_find(S("patient"));
        out->person.who = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(grant.patient));
    }
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

static err by_cookie(struct http_request *request, struct gate *gate, str cookie,
                     struct user *out)
{
    struct ctx *cx = request->cx;
    struct session session;
    TRY(gate_same_origin(request));
    TRY(session_find(cx, gate->options.people, cookie, &session));
    *out = (struct user){
        .person = session.user,
        .csrf = session.csrf,
        .asker = { .role = role_find(session.user.role) },
    };
    return ERR_OK;
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

/* ---- whose patients ---- */

static err own_patient(struct ctx *cx, struct gate *gate, struct user *user)
{
    int64_t *pid = arena_alloc(cx->arena, sizeof *pid);
    if (!str_starts(user->person.who, S("Patient/")))
        return ERR_OK;
    str id = str_slice(user->person.who, 8, user->person.who.n);
    struct store_version version;
    struct arena_mark mark = arena_mark(cx->arena);
    err found = store_read(cx, gate->options.store, fhir_resource_find(S("Patient")), id, &version);
    arena_rewind(cx->arena, mark);
    if (found != ERR_OK)
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("the patient of this sign-in is not in the record"));
    *pid = version.rid;
    user->pids = pid;
    user->pids_count = 1;
    return ERR_OK;
}

static err refill(struct ctx *cx, struct gate *gate, struct relation *relation,
                  const struct people_user *person)
{
    int64_t *pids;
    size_t count;
    TRY(relation_patients(cx, gate->options.store, person, &pids, &count));
    arena_reset(&relation->arena);
    relation->who = arena_copy(&relation->arena, person->who);
    relation->areas = arena_copy(&relation->arena, person->areas);
    relation->pids = arena_array(&relation->arena, count + 1, sizeof *pids);
    if (count)
        memcpy(relation->pids, pids, count * sizeof *pids);
    relation->count = count;
    relation->read_at_ms = clock_monotonic_ms();
    return ERR_OK;
}

static err related_locked(struct ctx *cx, struct gate *gate, struct user *user)
{
    const struct people_user *person = &user->person;
    uint64_t hash = str_hash(person->who) ^ str_hash(person->areas);
    struct relation *relation = &gate->relations[hash % CACHE_PLACES];
    bool same = str_eq(relation->who, person->who) && str_eq(relation->areas, person->areas);
    bool fresh = relation->read_at_ms &&
                 clock_monotonic_ms() - relation->read_at_ms < GATE_RELATION_MS;
    if (!same || !fresh)
        TRY(refill(cx, gate, relation, person));
    int64_t *pids = arena_array(cx->arena, relation->count + 1, sizeof *pids);
    memcpy(pids, relation->pids, relation->count * sizeof *pids);
    user->pids = pids;
    user->pids_count = relation->count;
    return ERR_OK;
}

static err related_patients(struct ctx *cx, struct gate *gate, struct user *user)
{
    pthread_mutex_lock(&gate->lock);
    err result = related_locked(cx, gate, user);
    pthread_mutex_unlock(&gate->lock);
    return result;
}

static err find_patients(struct ctx *cx, struct gate *gate, struct user *user)
{
    enum role_reach reach = user->asker.role->reach;
    if (reach == ROLE_OWN)
        return own_patient(cx, gate, user);
    return reach == ROLE_RELATED ? related_patients(cx, gate, user) : ERR_OK;
}

/* ---- may they ---- */

/* The resource type in the path, FHIR_NONE when it names none. */
static uint16_t type_of(const struct http_request *request)
{
    for (size_t i = 0; i < HTTP_CAPTURES_MAX && str_given(request->captures[i]); i++) {
        uint16_t resource = fhir_resource_find(request->captures[i]);
        if (resource != FHIR_NONE)
            return resource;
    }
    return FHIR_NONE;
}

static err refuse(struct ctx *cx, enum decide_rule rule)
{
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 }, str_of(decide_rule_text(rule)));
}

static err check_fhir(struct http_request *request, const struct user *user, enum decide_act act)
{
    struct ctx *cx = request->cx;
    uint16_t resource = type_of(request);
    struct store_access *access = arena_alloc(cx->arena, sizeof *access);
    enum decide_act seeing = act == DECIDE_SEARCH ? DECIDE_SEARCH : DECIDE_READ;
    *access = decide_filter(cx->arena, &user->asker, seeing, user->pids, user->pids_count);
    cx->access = access;
    if (resource == FHIR_NONE)
        return ERR_OK;
    struct decide_thing thing = { .resource = resource };
    struct decide_answer answer = decide(&user->asker, act, &thing);
    return answer.allowed ? ERR_OK : refuse(cx, answer.rule);
}

static err check_permission(struct http_request *request, const struct user *user)
{
    str permission = str_of(request->route->permission);
    for (size_t i = 0; i < COUNT(fhir_acts); i++)
        if (str_eq(permission, str_of(fhir_acts[i].permission)))
            return check_fhir(request, user, fhir_acts[i].act);
    struct store_access *access = arena_alloc(request->cx->arena, sizeof *access);
    *access = decide_filter(request->cx->arena, &user->asker, DECIDE_READ, user->pids,
                            user->pids_count);
    request->cx->access = access;
    return role_permits(user->asker.role, permission) ? ERR_OK
                                                      : refuse(request->cx, DECIDE_NO_TYPE);
}

/* Reads and refusals; a write that is allowed is audited with the resource in hand. */
static err note(struct http_request *request, struct gate *gate, const struct user *user,
                bool refused)
{
    struct ctx *cx = request->cx;
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    bool posts_search = str_ends(request->path, S("/_search"));
    if (!refused && !reads && !posts_search)
        return ERR_OK;
    bool search = request->query.n || posts_search || type_of(request) == FHIR_NONE;
    str path = str_starts(request->path, S("/fhir/")) ? str_slice(request->path, 6, request->path.n)
                                                      : request->path;
    struct audit_entry entry = {
        .at_ms = cx->now_ms,
        .who = audit_who(cx->arena, user),
        .role = str_of(user->asker.role->name),
        .act = search ? AUDIT_SEARCH : AUDIT_READ,
        .what = search ? arena_printf(cx->arena, "%.*s?%.*s", STR_ARG(path),
                                      STR_ARG(request->query))
                       : path,
        .refused = refused,
        .request_id = cx->request_id,
    };
    return audit_note(cx, gate->options.audit, &entry);
}

err gate_check(struct http_request *request, struct http_response *response)
{
    struct gate *gate = request->gate_self;
    struct ctx *cx = request->cx;
    if (gate->options.open_to_all || strcmp(request->route->permission, "open") == 0)
        return ERR_OK;
    struct user *user = arena_zero(cx->arena, sizeof *user);
    err known = find_user(request, gate, user);
    if (known == ERR_LOGIN)
        http_put_header(response, S("WWW-Authenticate"), S("Bearer realm=\"frontline\""));
    TRY(known);
    TRY(find_patients(cx, gate, user));
    cx->user = user;
    err allowed = check_permission(request, user);
    TRY(note(request, gate, user, allowed != ERR_OK));
    return allowed;
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

err gate_may_open(struct http_request *request, const struct session *session, str patient)
{
    struct gate *gate = request->gate_self;
    struct ctx *cx = request->cx;
    struct store_version version;
    struct user user = { .person = session->user,
                         .asker = { .role = role_find(session->user.role) } };
    TRY(find_patients(cx, gate, &user));
    struct store_access access = decide_filter(cx->arena, &user.asker, DECIDE_READ, user.pids,
                                               user.pids_count);
    cx->access = &access;
    err found = store_read(cx, gate->options.store, fhir_resource_find(S("Patient")), patient,
                           &version);
    cx->access = NULL;
    return found;
}

/* ---- writes, with the resource in hand ---- */

static bool holds_pid(const struct user *user, int64_t pid)
{
    for (size_t i = 0; i < user->pids_count; i++)
        if (user->pids[i] == pid)
            return true;
    return false;
}

static enum decide_act act_of(const struct commit_change *change)
{
    bool had = json_kind(change->before) != JSON_ABSENT;
    bool has = json_kind(change->after) != JSON_ABSENT;
    return !has ? DECIDE_DELETE : had ? DECIDE_UPDATE : DECIDE_CREATE;
}

/* A new patient has no relationships yet: who may create one may create anyone. */
static bool is_new_patient(const struct commit_change *change, enum decide_act act)
{
    return act == DECIDE_CREATE && change->pid == change->rid &&
           change->op->resource == fhir_resource_find(S("Patient"));
}

static err check_write(struct ctx *cx, const struct commit_part *part,
                       const struct commit_change *change, void **prepared)
{
    (void)part;
    const struct user *user = cx->user;
    *prepared = NULL;
    if (!user)
        return ERR_OK;
    enum decide_act act = act_of(change);
    bool linked = holds_pid(user, change->pid);
    bool is_patient = change->op->resource == fhir_resource_find(S("Patient"));
    struct decide_thing thing = {
        .resource = change->op->resource,
        .in_compartment = (change->pid != change->rid || is_patient) &&
                          !is_new_patient(change, act),
        .own = linked,
        .related = linked,
        .labels = decide_labels(change->before) | decide_labels(change->after),
    };
    struct decide_answer answer = decide(&user->asker, act, &thing);
    return answer.allowed ? ERR_OK : refuse(cx, answer.rule);
}

struct gate *gate_make(struct ctx *cx, const struct gate_options *options)
{
    struct gate *gate = arena_zero(cx->arena, sizeof *gate);
    gate->options = *options;
    gate->part = (struct commit_part){ .name = "gate", .self = gate, .prepare = check_write,
                                       .write = audit_write_change };
    pthread_mutex_init(&gate->lock, NULL);
    for (size_t i = 0; i < CACHE_PLACES; i++)
        gate->relations[i].arena = arena_make(CACHE_MEMORY_BYTES);
    return gate;
}

struct oauth *gate_oauth(struct gate *gate)
{
    return gate->options.oauth;
}

const struct entrance *gate_entrance(struct gate *gate)
{
    return gate->options.entrance;
}

struct people *gate_people(struct gate *gate)
{
    return gate->options.people;
}

void gate_close(struct gate *gate)
{
    for (size_t i = 0; i < CACHE_PLACES; i++)
        arena_free(&gate->relations[i].arena);
}

const struct commit_part *gate_part(struct gate *gate)
{
    return &gate->part;
}
