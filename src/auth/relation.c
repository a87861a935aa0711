/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/relation.h"
#include "base/buf.h"
#include "base/clock.h"
#include "fhir/datetime.h"
#include "store/search.h"

/* Which resources tie a person to a patient: by where they work, by who they are, by the service
 * or by the practice they work for; each only where R4 lets such a one stand. The patient is the
 * one in whose compartment it is. */
enum tie_by { BY_AREA, BY_PERSON, BY_SERVICE, BY_PRACTICE };
static const struct {
    const char *type, *query;
    enum tie_by by;
} ties[] = {
    { "Encounter", "status=arrived,triaged,in-progress,onleave&location=", BY_AREA },
    { "Encounter", "status=arrived,triaged,in-progress,onleave&participant=", BY_PERSON },
    { "ServiceRequest", "status=active&performer=", BY_PERSON },
    { "Appointment", "status=proposed,pending,booked,arrived,checked-in&actor=", BY_PERSON },
    { "CareTeam", "status=active&participant=", BY_PERSON },
    { "EpisodeOfCare", "status=active,onhold&care-manager=", BY_PERSON },
    { "Task", "status=requested,received,accepted,ready,in-progress,on-hold&owner=", BY_PERSON },
    { "Patient", "general-practitioner=", BY_PERSON },
    { "Patient", "general-practitioner=", BY_PRACTICE },
    { "ServiceRequest", "status=active&performer=", BY_SERVICE },
    { "Task", "status=requested,received,accepted,ready,in-progress,on-hold&owner=", BY_SERVICE },
};

enum { LOCATIONS_MAX = 2000, DEPTH_MAX = 4, ROLES_MAX = 50, TEAMS_BYTES = 16384,
       SHIFTS_MAX = 50 };

struct found {
    int64_t *pids;
    size_t count, cap;
};

static err add_pid(struct ctx *cx, struct found *found, int64_t pid)
{
    if (found->count == RELATION_MAX)
        return ctx_fail(cx, ERR_LIMIT, (str){ 0 },
                        S("this person's areas hold too many patients; give them smaller areas"));
    found->pids = arena_grow(cx->arena, found->pids, found->count, &found->cap,
                             sizeof *found->pids);
    found->pids[found->count++] = pid;
    return ERR_OK;
}

static err follow(struct ctx *cx, struct store *store, size_t tie, str value, struct found *found)
{
    uint16_t type = fhir_resource_find(str_of(ties[tie].type));
    str query = arena_printf(cx->arena, "%s%.*s", ties[tie].query, STR_ARG(value));
    struct search_rids hits = {
        .rids = arena_array(cx->arena, RELATION_MAX, sizeof *hits.rids), .max = RELATION_MAX,
    };
    TRY(search_condition(cx, store, type, query, &hits));
    uint16_t patient = fhir_resource_find(S("Patient"));
    for (size_t i = 0; i < hits.count; i++) {
        struct store_version version;
        TRY(store_read_rid(cx, store, hits.rids[i], &version));
        if (store_rid_resource(version.pid) == patient)
            TRY(add_pid(cx, found, version.pid));
    }
    return ERR_OK;
}

/* The Locations inside `area`, itself first: "Location/w3,Location/w3-bay1,...". */
static err inside(struct ctx *cx, struct store *store, str area, int depth, struct buf *out)
{
    if (out->n)
        buf_char(out, ',');
    buf_add(out, S("Location/"));
    buf_add(out, area);
    struct search_rids hits = {
        .rids = arena_array(cx->arena, LOCATIONS_MAX, sizeof *hits.rids), .max = LOCATIONS_MAX,
    };
    str query = arena_printf(cx->arena, "partof=Location/%.*s", STR_ARG(area));
    TRY(search_condition(cx, store, fhir_resource_find(S("Location")), query, &hits));
    for (size_t i = 0; i < hits.count && depth < DEPTH_MAX; i++) {
        struct store_version version;
        TRY(store_read_rid(cx, store, hits.rids[i], &version));
        TRY(inside(cx, store, version.id, depth + 1, out));
    }
    return ERR_OK;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static size_t without_repeats(int64_t *pids, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || pids[kept - 1] != pids[i])
            pids[kept++] = pids[i];
    return kept;
}

static err gather(struct ctx *cx, struct store *store, str value, enum tie_by by,
                  struct found *found)
{
    for (size_t tie = 0; tie < COUNT(ties) && value.n; tie++)
        if (ties[tie].by == by)
            TRY(follow(cx, store, tie, value, found));
    return ERR_OK;
}

static err add_reference(struct ctx *cx, struct json reference, struct buf *out)
{
    str text = json_string(cx->arena, json_get(reference, S("reference")));
    if (!str_given(text) || str_find_char(text, ' ') != STR_NONE)
        return ERR_OK;
    buf_char(out, ' ');
    buf_add(out, text);
    return ERR_OK;
}

/* The practices and services of one PractitionerRole. A whole trust is no team: everybody's
 * patients would be everybody's. */
static err add_teams(struct ctx *cx, const struct store_version *version, struct buf *teams,
                     struct buf *organisations)
{
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    TRY(add_reference(cx, json_get(body, S("organization")), organisations));
    for (struct json_walk w = json_walk(json_get(body, S("healthcareService"))); json_next(&w);)
        TRY(add_reference(cx, w.value, teams));
    return ERR_OK;
}

static err find_teams(struct ctx *cx, struct store *store, str who, struct relation_team *out)
{
    int64_t rids[ROLES_MAX];
    struct search_rids hits = { .rids = rids, .max = ROLES_MAX };
    struct buf teams = buf_make(cx->arena, TEAMS_BYTES);
    struct buf organisations = buf_make(cx->arena, TEAMS_BYTES);
    if (!str_starts(who, S("Practitioner/")))
        return ERR_OK;
    str query = arena_printf(cx->arena, "active:not=false&practitioner=%.*s", STR_ARG(who));
    TRY(search_condition(cx, store, fhir_resource_find(S("PractitionerRole")), query, &hits));
    for (size_t i = 0; i < hits.count; i++) {
        struct store_version version;
        TRY(store_read_rid(cx, store, hits.rids[i], &version));
        TRY(add_teams(cx, &version, &teams, &organisations));
    }
    out->services = str_trim(buf_str(&teams));
    out->organisations = str_trim(buf_str(&organisations));
    return ERR_OK;
}

/* A practice's staff look after those registered with it; a service's those referred to it. */
static err gather_teams(struct ctx *cx, struct store *store, const struct relation_team *team,
                        struct found *found)
{
    str services = team->services, practices = team->organisations, word;
    while (str_next(&services, ' ', &word))
        TRY(gather(cx, store, word, BY_SERVICE, found));
    while (str_next(&practices, ' ', &word))
        TRY(gather(cx, store, word, BY_PRACTICE, found));
    return ERR_OK;
}

static err gather_areas(struct ctx *cx, struct store *store, str areas, struct found *found)
{
    struct buf places = buf_make(cx->arena, LOCATIONS_MAX * 80);
    str area;
    while (str_next(&areas, ' ', &area))
        if (area.n)
            TRY(inside(cx, store, area, 0, &places));
    return gather(cx, store, buf_str(&places), BY_AREA, found);
}

/* The wards of those shifts of the rota that the person is on now, as words. A shift is a
 * Schedule with the Practitioner and the ward among its actors, from start to before its end. */
static err add_shift(struct ctx *cx, const struct store_version *version, struct buf *wards)
{
    struct json body;
    struct datetime start, end;
    TRY(json_parse(cx, version->body, &body));
    struct json period = json_get(body, S("planningHorizon"));
    str from = json_string(cx->arena, json_get(period, S("start")));
    str to = json_string(cx->arena, json_get(period, S("end")));
    if (!str_given(from) || !str_given(to) || json_is(json_get(body, S("active")), JSON_FALSE) ||
        !datetime_parse(from, DATETIME_AS_DATE_TIME, &start) || cx->now_ms < start.low_ms ||
        !datetime_parse(to, DATETIME_AS_DATE_TIME, &end) || cx->now_ms >= end.low_ms)
        return ERR_OK;
    for (struct json_walk w = json_walk(json_get(body, S("actor"))); json_next(&w);) {
        str place = json_string(cx->arena, json_get(w.value, S("reference")));
        if (!str_given(place) || !str_starts(place, S("Location/")))
            continue;
        buf_char(wards, ' ');
        buf_add(wards, str_slice(place, 9, place.n));
    }
    return ERR_OK;
}

static err find_shifts(struct ctx *cx, struct store *store, str who, str *out)
{
    char now[CLOCK_TEXT];
    int64_t rids[SHIFTS_MAX];
    struct search_rids hits = { .rids = rids, .max = SHIFTS_MAX };
    struct buf wards = buf_make(cx->arena, TEAMS_BYTES);
    *out = S("");
    if (!str_starts(who, S("Practitioner/")))
        return ERR_OK;
    clock_write(cx->now_ms, now);
    str query = arena_printf(cx->arena, "service-category=" RELATION_ROTA "&actor=%.*s&"
                             "date=ge%.*s&date=le%.*s", STR_ARG(who), CLOCK_TEXT, now,
                             CLOCK_TEXT, now);
    TRY(search_condition(cx, store, fhir_resource_find(S("Schedule")), query, &hits));
    for (size_t i = 0; i < hits.count; i++) {
        struct store_version version;
        TRY(store_read_rid(cx, store, hits.rids[i], &version));
        TRY(add_shift(cx, &version, &wards));
    }
    *out = str_trim(buf_str(&wards));
    return ERR_OK;
}

bool relation_is_shift(struct json schedule)
{
    for (struct json_walk w = json_walk(json_get(schedule, S("serviceCategory"))); json_next(&w);)
        for (struct json_walk c = json_walk(json_get(w.value, S("coding"))); json_next(&c);)
            if (json_string_is(json_get(c.value, S("code")), S(RELATION_ROTA)))
                return true;
    return false;
}

static err gather_all(struct ctx *cx, struct store *store, const struct people_user *user,
                      struct relation_team *team, struct found *found)
{
    str wards;
    TRY(find_shifts(cx, store, user->who, &wards));
    TRY(gather_areas(cx, store, wards, found));
    TRY(gather_areas(cx, store, user->areas, found));
    TRY(gather(cx, store, user->who, BY_PERSON, found));
    TRY(find_teams(cx, store, user->who, team));
    return gather_teams(cx, store, team, found);
}

err relation_patients(struct ctx *cx, struct store *store, const struct people_user *user,
                      struct relation_found *out)
{
    const struct store_access *before = cx->access;
    struct found found = { 0 };
    struct relation_team team = { S(""), S("") };
    cx->access = NULL; /* the program asks, to find out what the person may ask */
    err result = gather_all(cx, store, user, &team, &found);
    cx->access = before;
    TRY(result);
    if (found.count)
        qsort(found.pids, found.count, sizeof *found.pids, by_value);
    *out = (struct relation_found){ found.pids, without_repeats(found.pids, found.count), team };
    return ERR_OK;
}

err relation_teams(struct ctx *cx, struct store *store, str who, struct relation_team *out)
{
    const struct store_access *before = cx->access;
    *out = (struct relation_team){ S(""), S("") };
    cx->access = NULL;
    err result = find_teams(cx, store, who, out);
    cx->access = before;
    return result;
}

struct why {
    struct ctx *cx;
    struct store *store;
    int64_t pid;
    bool on_shift;      /* the areas are those of a shift */
    struct relation_reasons *out;
};

/* Does this tie, by this value, lead to the patient? */
static err try_tie(struct why *why, size_t tie, str value)
{
    static const char *const words[] = {
        [BY_AREA] = "on a ward or area of theirs", [BY_PERSON] = "with the person",
        [BY_SERVICE] = "with their service", [BY_PRACTICE] = "with their practice",
    };
    const char *how = why->on_shift ? "on the ward of their shift" : words[ties[tie].by];
    struct found found = { 0 };
    struct relation_reasons *out = why->out;
    TRY(follow(why->cx, why->store, tie, value, &found));
    for (size_t i = 0; i < found.count; i++)
        if (found.pids[i] == why->pid && out->count < RELATION_REASONS_MAX) {
            out->list[out->count++] = arena_printf(why->cx->arena, "%s %s", ties[tie].type, how);
            return ERR_OK;
        }
    return ERR_OK;
}

static err try_ties(struct why *why, enum tie_by by, str value)
{
    for (size_t tie = 0; tie < COUNT(ties) && value.n; tie++)
        if (ties[tie].by == by)
            TRY(try_tie(why, tie, value));
    return ERR_OK;
}

static err try_areas(struct why *why, str areas)
{
    struct buf places = buf_make(why->cx->arena, LOCATIONS_MAX * 80);
    str word;
    while (str_next(&areas, ' ', &word))
        if (word.n)
            TRY(inside(why->cx, why->store, word, 0, &places));
    return try_ties(why, BY_AREA, buf_str(&places));
}

static err find_why(struct why *why, const struct people_user *user)
{
    struct ctx *cx = why->cx;
    struct relation_team team = { S(""), S("") };
    str rest, word;
    TRY(find_shifts(cx, why->store, user->who, &rest));
    why->on_shift = true;
    TRY(try_areas(why, rest));
    why->on_shift = false;
    TRY(try_areas(why, user->areas));
    TRY(try_ties(why, BY_PERSON, user->who));
    TRY(find_teams(cx, why->store, user->who, &team));
    for (rest = team.services; str_next(&rest, ' ', &word);)
        TRY(try_ties(why, BY_SERVICE, word));
    for (rest = team.organisations; str_next(&rest, ' ', &word);)
        TRY(try_ties(why, BY_PRACTICE, word));
    return ERR_OK;
}

err relation_why(struct ctx *cx, struct store *store, const struct people_user *user, int64_t pid,
                 struct relation_reasons *out)
{
    const struct store_access *before = cx->access;
    struct why why = { cx, store, pid, false, out };
    out->count = 0;
    cx->access = NULL;
    err result = find_why(&why, user);
    cx->access = before;
    return result;
}
