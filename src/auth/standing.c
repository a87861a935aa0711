/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/standing.h"
#include "auth/glass.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>
#include <stdatomic.h>

enum { PLACES = 256, PLACE_BYTES = 16 << 20, CONSENT_BYTES = 256 << 20,
       REFILL_BYTES = 256 << 20 };

struct place {
    struct arena arena;
    str name, who, areas, role;
    struct decide_patients patients;
    int64_t read_at_ms; /* monotonic; 0: free */
    uint64_t epoch;     /* of the standings when it was read */
};
struct standings {
    struct store *store;
    bool glass;           /* the record keeps emergency accesses */
    pthread_mutex_t lock; /* over what follows but the atomics */
    struct place places[PLACES];
    struct arena consents;
    struct dissents dissents;
    _Atomic uint64_t epoch;
    _Atomic bool consents_stale;
};

struct standings *standings_make(struct ctx *cx, struct store *store)
{
    struct standings *standings = arena_zero(cx->arena, sizeof *standings);
    standings->store = store;
    standings->glass = glass_kept(cx, store);
    pthread_mutex_init(&standings->lock, NULL);
    standings->consents = arena_make(CONSENT_BYTES);
    atomic_store(&standings->consents_stale, true);
    for (size_t i = 0; i < PLACES; i++)
        standings->places[i].arena = arena_make(PLACE_BYTES);
    return standings;
}

void standings_close(struct standings *standings)
{
    for (size_t i = 0; i < PLACES; i++)
        arena_free(&standings->places[i].arena);
    arena_free(&standings->consents);
}

void standings_forget(struct standings *standings)
{
    atomic_fetch_add(&standings->epoch, 1);
}

void standings_forget_consents(struct standings *standings)
{
    atomic_store(&standings->consents_stale, true);
    standings_forget(standings);
}

static void *keep(struct arena *arena, const void *list, size_t count, size_t bytes)
{
    char *kept = arena_array(arena, count + 1, bytes);
    if (count)
        memcpy(kept, list, count * bytes);
    return kept;
}

static struct decide_patients copy(struct arena *arena, const struct decide_patients *from)
{
    struct decide_patients to = *from;
    to.pids = keep(arena, from->pids, from->pids_count, sizeof *to.pids);
    to.lifted = keep(arena, from->lifted, from->lifted_count, sizeof *to.lifted);
    to.dissents = keep(arena, from->dissents, from->dissents_count, sizeof *to.dissents);
    return to;
}

static err own_patient(struct ctx *cx, struct store *store, const struct people_user *person,
                       struct decide_patients *out)
{
    int64_t *pid = arena_alloc(cx->arena, sizeof *pid);
    if (!str_starts(person->who, S("Patient/")))
        return ERR_OK;
    struct store_version version;
    const struct store_access *before = cx->access;
    cx->access = NULL;
    err found = store_read(cx, store, fhir_resource_find(S("Patient")),
                           str_slice(person->who, 8, person->who.n), &version);
    cx->access = before;
    if (found != ERR_OK)
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("the patient of this sign-in is not in the record"));
    *pid = version.rid;
    out->pids = pid;
    out->pids_count = 1;
    return ERR_OK;
}

/* Both ascending; so is what they give together. */
static int64_t *merge(struct arena *arena, const int64_t *a, size_t a_count, const int64_t *b,
                      size_t b_count, size_t *count)
{
    int64_t *all = arena_array(arena, a_count + b_count + 1, sizeof *all);
    size_t i = 0, j = 0;
    *count = 0;
    while (i < a_count || j < b_count) {
        bool first = j == b_count || (i < a_count && a[i] <= b[j]);
        int64_t next = first ? a[i++] : b[j++];
        if (!*count || all[*count - 1] != next)
            all[(*count)++] = next;
    }
    return all;
}

static err read_consents(struct ctx *cx, struct standings *standings)
{
    if (!atomic_exchange(&standings->consents_stale, false))
        return ERR_OK;
    arena_reset(&standings->consents);
    err loaded = dissent_load(cx, &standings->consents, standings->store, &standings->dissents);
    if (loaded != ERR_OK)
        atomic_store(&standings->consents_stale, true);
    else if (standings->dissents.widened)
        log_line(LOG_ERROR, (str){ 0 }, "consents: %zu refusals are not applied as written and "
                 "keep more than they say; write them again", standings->dissents.widened);
    return loaded;
}

static err read_staff(struct ctx *cx, struct standings *standings,
                      const struct people_user *person, const struct role *role,
                      struct decide_patients *out)
{
    struct relation_found related = { .team = { S(""), S("") } };
    int64_t *lifted = NULL;
    size_t lifted_count = 0;
    if (role->reach == ROLE_RELATED)
        TRY(relation_patients(cx, standings->store, person, &related));
    else
        TRY(relation_teams(cx, standings->store, person->who, &related.team));
    if (role->may_break_glass && person->name.n && standings->glass)
        TRY(glass_live(cx, standings->store, person->name, &lifted, &lifted_count));
    TRY(read_consents(cx, standings));
    struct dissent_asker asker = { person->who, &related.team, str_of(role->purpose) };
    struct dissent_found dissents = dissent_apply(cx, &standings->dissents, &asker, lifted,
                                                  lifted_count);
    out->pids = merge(cx->arena, related.pids, related.count, lifted, lifted_count,
                      &out->pids_count);
    out->lifted = lifted;
    out->lifted_count = lifted_count;
    out->dissents = dissents.list;
    out->dissents_count = dissents.count;
    return ERR_OK;
}

static void keep_place(struct place *place, const struct people_user *person,
                       const struct role *role, const struct decide_patients *patients)
{
    arena_reset(&place->arena);
    place->name = arena_copy(&place->arena, person->name);
    place->who = arena_copy(&place->arena, person->who);
    place->areas = arena_copy(&place->arena, person->areas);
    place->role = str_of(role->name);
    place->patients = copy(&place->arena, patients);
    place->read_at_ms = clock_monotonic_ms();
}

/* With a ctx of its own: the request may wait long for its body, and must hold no connection. */
static err refill(struct ctx *cx, struct standings *standings, struct place *place,
                  const struct people_user *person, const struct role *role)
{
    struct decide_patients patients = { 0 };
    struct arena arena = arena_make(REFILL_BYTES);
    struct ctx own = ctx_make(&arena);
    own.now_ms = cx->now_ms;
    place->read_at_ms = 0;
    place->epoch = atomic_load(&standings->epoch);
    err result = role->reach == ROLE_OWN
                     ? own_patient(&own, standings->store, person, &patients)
                     : read_staff(&own, standings, person, role, &patients);
    if (result == ERR_OK)
        keep_place(place, person, role, &patients);
    else
        ctx_fail(cx, result, (str){ 0 },
                 own.issues.kept ? arena_copy(cx->arena, own.issues.list[0].text)
                                 : S("whom you have business with cannot be read; try again"));
    ctx_release(&own);
    arena_free(&arena);
    return result;
}

static bool is_current(const struct standings *standings, const struct place *place,
                       const struct people_user *person, const struct role *role)
{
    return place->read_at_ms && place->epoch == atomic_load(&standings->epoch) &&
           str_eq(place->name, person->name) && str_eq(place->who, person->who) &&
           str_eq(place->areas, person->areas) && str_eq(place->role, str_of(role->name)) &&
           clock_monotonic_ms() - place->read_at_ms < STANDING_MS;
}

static void unlock(void *lock)
{
    pthread_mutex_unlock(lock);
}

err standing_find(struct ctx *cx, struct standings *standings, const struct people_user *person,
                  const struct role *role, struct decide_patients *out)
{
    *out = (struct decide_patients){ 0 };
    if (!person->name.n && role->reach == ROLE_EVERYONE)
        return ERR_OK; /* a service: its scopes and its contract bind it */
    uint64_t hash = str_hash(person->name) ^ str_hash(person->who) * 31 ^
                    str_hash(str_of(role->name));
    struct place *place = &standings->places[hash % PLACES];
    err result = ERR_OK;
    pthread_mutex_lock(&standings->lock);
    ctx_defer(cx, unlock, &standings->lock);
    if (!is_current(standings, place, person, role))
        result = refill(cx, standings, place, person, role);
    if (result == ERR_OK)
        *out = copy(cx->arena, &place->patients);
    ctx_undefer(cx, unlock);
    return result;
}
