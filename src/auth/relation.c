/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/relation.h"
#include "base/buf.h"
#include "store/search.h"

/* Which resources tie a person to a patient: a search, and the elements that name the patient. */
static const struct {
    const char *type, *query, *patient;
    bool by_area; /* the query's value is an area's Location, else the person */
} ties[] = {
    { "Encounter", "status=in-progress&location=", "subject", true },
    { "Encounter", "status=in-progress&participant=", "subject", false },
    { "ServiceRequest", "status=active&performer=", "subject", false },
    { "CareTeam", "status=active&participant=", "subject", false },
    { "Patient", "general-practitioner=", NULL, false },
};

enum { LOCATIONS_MAX = 2000, DEPTH_MAX = 4 };

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

/* The Patient a tie names; nothing is added when it names none. */
static err add_named(struct ctx *cx, struct store *store, const struct store_version *version,
                     const char *element, struct found *found)
{
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    struct json reference = json_get(json_get(body, str_of(element)), S("reference"));
    str text = json_string(cx->arena, reference);
    if (!str_starts(text, S("Patient/")))
        return ERR_OK;
    int64_t pid;
    struct search_rids patient = { .rids = &pid, .max = 1 };
    str query = arena_printf(cx->arena, "_id=%.*s", STR_ARG(str_slice(text, 8, text.n)));
    TRY(search_condition(cx, store, fhir_resource_find(S("Patient")), query, &patient));
    return patient.count ? add_pid(cx, found, pid) : ERR_OK;
}

static err follow(struct ctx *cx, struct store *store, size_t tie, str value, struct found *found)
{
    uint16_t type = fhir_resource_find(str_of(ties[tie].type));
    str query = arena_printf(cx->arena, "%s%.*s", ties[tie].query, STR_ARG(value));
    struct search_rids hits = {
        .rids = arena_array(cx->arena, RELATION_MAX, sizeof *hits.rids), .max = RELATION_MAX,
    };
    TRY(search_condition(cx, store, type, query, &hits));
    for (size_t i = 0; i < hits.count; i++) {
        if (!ties[tie].patient) {
            TRY(add_pid(cx, found, hits.rids[i]));
            continue;
        }
        struct store_version version;
        TRY(store_read_rid(cx, store, hits.rids[i], &version));
        TRY(add_named(cx, store, &version, ties[tie].patient, found));
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

static err gather(struct ctx *cx, struct store *store, str value, bool by_area,
                  struct found *found)
{
    for (size_t tie = 0; tie < COUNT(ties) && value.n; tie++)
        if (ties[tie].by_area == by_area)
            TRY(follow(cx, store, tie, value, found));
    return ERR_OK;
}

err relation_patients(struct ctx *cx, struct store *store, const struct people_user *user,
                      int64_t **pids, size_t *count)
{
    const struct store_access *before = cx->access;
    struct found found = { 0 };
    struct buf places = buf_make(cx->arena, LOCATIONS_MAX * 80);
    str areas = user->areas, area;
    err result = ERR_OK;
    cx->access = NULL; /* the program asks, to find out what the person may ask */
    while (result == ERR_OK && str_next(&areas, ' ', &area))
        if (area.n)
            result = inside(cx, store, area, 0, &places);
    if (result == ERR_OK)
        result = gather(cx, store, buf_str(&places), true, &found);
    if (result == ERR_OK)
        result = gather(cx, store, user->who, false, &found);
    cx->access = before;
    TRY(result);
    if (found.count)
        qsort(found.pids, found.count, sizeof *found.pids, by_value);
    *pids = found.pids;
    *count = without_repeats(found.pids, found.count);
    return ERR_OK;
}
