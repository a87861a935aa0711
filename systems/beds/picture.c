/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/picture.h"
#include "base/map.h"
#include "clinical/london.h"
#include "store/access.h"
#include "store/search.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/scratch.h"
#include <pthread.h>

/* Further behind than this it is quicker to read the hospital anew than to follow. */
enum { FOLLOW_MAX = 20000, LOG_PAGE = 500, SEARCH_PAGE = 500, FLAGS_MAX = 100 };
enum { PICTURE_MEMORY = 1 << 30 };

static struct {
    pthread_mutex_t lock;
    struct store *store; /* whose picture this is; NULL: none yet */
    struct arena arena;
    struct beds_picture picture;
    size_t spots_cap, stays_cap;
    struct map spots, stays;
    int64_t at_seq; /* of the version being taken in */
    bool reread; /* a bed appeared: stays that named it before must be read again */
} now = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void unlock(void *lock)
{
    pthread_mutex_unlock(lock);
}

int32_t beds_find_spot(str id)
{
    uint64_t at;
    return map_get(&now.spots, id, &at) ? (int32_t)at : BEDS_NONE;
}

int32_t beds_find_stay(str id)
{
    uint64_t at;
    return map_get(&now.stays, id, &at) && now.picture.stays[at].used &&
                   str_eq(str_of(now.picture.stays[at].id), id)
               ? (int32_t)at : BEDS_NONE;
}

static void clear(struct store *store)
{
    if (now.store)
        arena_free(&now.arena);
    now.arena = arena_make(PICTURE_MEMORY);
    now.picture = (struct beds_picture){ 0 };
    now.spots_cap = now.stays_cap = 0;
    now.spots = map_make(&now.arena);
    now.stays = map_make(&now.arena);
    now.store = store;
}

static void touch(int32_t spot)
{
    if (spot != BEDS_NONE)
        now.picture.spots[spot].touched_seq = now.at_seq;
}

/* ---- places ---- */

/* Ward and site of a place are the nearest above it; a loop in the data ends after a few steps. */
static void place_in_building(struct beds_spot *spot)
{
    int32_t at = spot->parent = beds_find_spot(str_of(spot->part_of));
    spot->ward = spot->site = BEDS_NONE;
    for (int steps = 0; at != BEDS_NONE && steps < 8; steps++) {
        const struct beds_spot *above = &now.picture.spots[at];
        if (spot->ward == BEDS_NONE && strcmp(above->kind, "wa") == 0)
            spot->ward = at;
        if (strcmp(above->kind, "si") == 0)
            spot->site = at;
        at = above->part_of[0] ? beds_find_spot(str_of(above->part_of)) : BEDS_NONE;
    }
}

static void place_all(void)
{
    for (size_t i = 0; i < now.picture.spots_count; i++)
        place_in_building(&now.picture.spots[i]);
}

static struct beds_spot *take_spot(str id, bool *fresh)
{
    int32_t at = beds_find_spot(id);
    *fresh = at == BEDS_NONE;
    if (!*fresh)
        return &now.picture.spots[at];
    now.picture.spots = arena_grow(&now.arena, now.picture.spots, now.picture.spots_count,
                                   &now.spots_cap, sizeof *now.picture.spots);
    struct beds_spot *spot = &now.picture.spots[now.picture.spots_count];
    *spot = (struct beds_spot){ .stay = BEDS_NONE };
    map_set(&now.spots, arena_copy(&now.arena, id), now.picture.spots_count++);
    return spot;
}

static void put_location(struct ctx *cx, const struct store_version *version, struct json body)
{
    bool fresh;
    if (version->id.n >= BEDS_ID_BYTES)
        return;
    struct beds_spot *spot = take_spot(version->id, &fresh);
    char before = spot->v2;
    int32_t stay = spot->stay;
    beds_read_location(cx, body, spot);
    snprintf(spot->id, sizeof spot->id, "%.*s", STR_ARG(version->id));
    spot->stay = stay;
    if (spot->since_ms == 0 || before != spot->v2)
        spot->since_ms = version->at_ms;
    spot->touched_seq = now.at_seq;
    now.reread |= fresh && strcmp(spot->kind, "bd") == 0;
    if (version->method == STORE_DELETED)
        snprintf(spot->kind, sizeof spot->kind, "gone");
}

/* ---- stays ---- */

static void leave_bed(int32_t at)
{
    struct beds_stay *stay = &now.picture.stays[at];
    touch(stay->bed);
    if (stay->bed != BEDS_NONE && now.picture.spots[stay->bed].stay == at)
        now.picture.spots[stay->bed].stay = BEDS_NONE;
    stay->used = false;
    stay->bed = BEDS_NONE;
}

/* A place that a finished stay has left, or a new one. */
static int32_t take_stay(str id)
{
    uint64_t known;
    size_t at = 0;
    if (map_get(&now.stays, id, &known) &&
        str_eq(str_of(now.picture.stays[known].id), id))
        return (int32_t)known;
    while (at < now.picture.stays_count && now.picture.stays[at].used)
        at++;
    if (at == now.picture.stays_count) {
        now.picture.stays = arena_grow(&now.arena, now.picture.stays, at, &now.stays_cap,
                                       sizeof *now.picture.stays);
        now.picture.stays_count++;
    }
    now.picture.stays[at] = (struct beds_stay){ .bed = BEDS_NONE, .news2 = -1 };
    map_set(&now.stays, arena_copy(&now.arena, id), at);
    return (int32_t)at;
}

static err read_body(struct ctx *cx, const char *type, str id, struct json *out)
{
    struct store_version version;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    *out = (struct json){ 0 };
    err found = store_read(cx, now.store, fhir_resource_find(str_of(type)), id, &version);
    if (found == ERR_NOT_FOUND || found == ERR_GONE) {
        cx->issues.count = count;
        cx->issues.kept = kept;
        return ERR_OK;
    }
    TRY(found);
    return json_parse(cx, version.body, out);
}

static err take_page(struct ctx *cx, struct search_request *request,
                     err (*take)(struct ctx *cx, const struct store_version *version),
                     size_t most)
{
    struct search_page page = { 0 };
    TRY(search_run(cx, now.store, request, &page));
    for (size_t i = 0; i < page.entries_count && i < most; i++)
        TRY(take(cx, &page.entries[i].version));
    request->query = page.next_query;
    return ERR_OK;
}

static struct search_request search_for(const char *type, str query)
{
    return (struct search_request){ .resource = fhir_resource_find(str_of(type)), .query = query,
                                    .count_default = SEARCH_PAGE, .count_max = SEARCH_PAGE };
}

/* Every match, a page at a time, each in memory of its own. */
static err search_all(struct ctx *cx, const char *type, str query,
                      err (*take)(struct ctx *cx, const struct store_version *version))
{
    struct beds_scratch *scratch = beds_scratch_begin(cx);
    struct search_request request = search_for(type, query);
    while (str_given(request.query)) {
        TRY(beds_scratch_fail(scratch, take_page(&scratch->cx, &request, take, SIZE_MAX)));
        if (str_given(request.query))
            request.query = arena_copy(cx->arena, request.query);
        beds_scratch_reset(scratch);
    }
    return ERR_OK;
}

/* The first few matches. */
static err search_some(struct ctx *cx, const char *type, str query,
                       err (*take)(struct ctx *cx, const struct store_version *version),
                       size_t most)
{
    struct search_request request = search_for(type, query);
    return take_page(cx, &request, take, most);
}

static err take_news2(struct ctx *cx, const struct store_version *version)
{
    struct json body;
    str patient;
    int total;
    int64_t at_ms;
    TRY(json_parse(cx, version->body, &body));
    if (!beds_read_news2(cx, body, &patient, &total, &at_ms))
        return ERR_OK;
    for (size_t i = 0; i < now.picture.stays_count; i++) {
        struct beds_stay *stay = &now.picture.stays[i];
        if (stay->used && str_eq(str_of(stay->patient), patient) && at_ms >= stay->news2_ms &&
            at_ms >= stay->admitted_ms) {
            touch(stay->bed);
            stay->news2 = total;
            stay->news2_ms = at_ms;
        }
    }
    return ERR_OK;
}

static err put_flag(struct ctx *cx, struct json body)
{
    str patient, text;
    if (!beds_read_flag(cx, body, &patient, &text))
        return ERR_OK;
    for (size_t i = 0; i < now.picture.stays_count; i++) {
        struct beds_stay *stay = &now.picture.stays[i];
        size_t used = strlen(stay->flags);
        if (!stay->used || !str_eq(str_of(stay->patient), patient) ||
            str_find(str_of(stay->flags), text) != STR_NONE)
            continue;
        touch(stay->bed);
        snprintf(stay->flags + used, sizeof stay->flags - used, "%s%.*s", used ? "; " : "",
                 STR_ARG(text));
    }
    return ERR_OK;
}

static err take_flag(struct ctx *cx, const struct store_version *version)
{
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    return put_flag(cx, body);
}

/* What is asked once for a stay that is new to the picture. */
static err read_person(struct ctx *cx, struct beds_stay *stay)
{
    struct json patient;
    TRY(read_body(cx, "Patient", str_of(stay->patient), &patient));
    beds_read_patient(cx, patient, stay);
    str query = arena_printf(cx->arena, "patient=Patient/%s&code=" BEDS_NEWS2_CODE
                             "&_sort=-date&_count=1", stay->patient);
    TRY(search_some(cx, "Observation", query, take_news2, 1));
    query = arena_printf(cx->arena, "patient=Patient/%s", stay->patient);
    return search_some(cx, "Flag", query, take_flag, FLAGS_MAX);
}

static err put_encounter(struct ctx *cx, const struct store_version *version, struct json body)
{
    char bed[BEDS_ID_BYTES];
    struct beds_stay read = { .bed = BEDS_NONE, .news2 = -1 };
    bool holds = version->method != STORE_DELETED && version->id.n < BEDS_ID_BYTES &&
                 beds_read_encounter(cx, body, &read, bed);
    int32_t known = beds_find_stay(version->id), spot = holds ? beds_find_spot(str_of(bed)) : -1;
    if (holds && (spot == BEDS_NONE || strcmp(now.picture.spots[spot].kind, "bd") != 0))
        holds = false;
    if (!holds) {
        if (known != BEDS_NONE)
            leave_bed(known);
        return ERR_OK;
    }
    int32_t at = known == BEDS_NONE ? take_stay(version->id) : known;
    struct beds_stay *stay = &now.picture.stays[at];
    bool same_person = known != BEDS_NONE && strcmp(stay->patient, read.patient) == 0;
    if (known != BEDS_NONE)
        leave_bed(at);
    if (same_person) {
        memcpy(read.name, stay->name, sizeof read.name);
        memcpy(read.nhs, stay->nhs, sizeof read.nhs);
        memcpy(read.born, stay->born, sizeof read.born);
        memcpy(read.flags, stay->flags, sizeof read.flags);
        read.sex = stay->sex;
        read.news2 = stay->news2;
        read.news2_ms = stay->news2_ms;
    }
    *stay = read;
    snprintf(stay->id, sizeof stay->id, "%.*s", STR_ARG(version->id));
    stay->used = true;
    stay->bed = spot;
    now.picture.spots[spot].stay = at;
    touch(spot);
    return same_person || !stay->patient[0] ? ERR_OK : read_person(cx, stay);
}

static err put_patient(struct ctx *cx, const struct store_version *version, struct json body)
{
    for (size_t i = 0; i < now.picture.stays_count; i++) {
        struct beds_stay *stay = &now.picture.stays[i];
        if (!stay->used || !str_eq(str_of(stay->patient), version->id))
            continue;
        beds_read_patient(cx, body, stay);
        touch(stay->bed);
    }
    return ERR_OK;
}

/* ---- following ---- */

static err take(struct ctx *cx, const struct store_version *version)
{
    str type = fhir_resource_name(version->resource);
    struct json body = { 0 };
    bool wanted = str_eq(type, S("Location")) || str_eq(type, S("Encounter")) ||
                  str_eq(type, S("Patient")) || str_eq(type, S("Flag"));
    bool score = str_eq(type, S("Observation")) &&
                 str_find(version->body, S(BEDS_NEWS2_CODE)) != STR_NONE;
    if ((!wanted && !score) || (version->body.n == 0 && type.p[0] != 'E' && type.p[0] != 'L'))
        return ERR_OK;
    if (version->body.n)
        TRY(json_parse(cx, version->body, &body));
    if (score)
        return take_news2(cx, version);
    if (type.p[0] == 'E')
        return put_encounter(cx, version, body);
    if (type.p[0] == 'P')
        return put_patient(cx, version, body);
    if (type.p[0] == 'F')
        return put_flag(cx, body);
    put_location(cx, version, body);
    place_all();
    return ERR_OK;
}

static err take_location(struct ctx *cx, const struct store_version *version)
{
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    put_location(cx, version, body);
    return ERR_OK;
}

static err read_hospital(struct ctx *cx, struct store *store)
{
    int64_t seq = store_seq(store);
    clear(store);
    TRY(search_all(cx, "Location", S(""), take_location));
    place_all();
    TRY(search_all(cx, "Encounter",
                   S("status=planned,arrived,triaged,in-progress,onleave"), take));
    now.picture.seq = now.picture.read_seq = seq;
    now.reread = false;
    return ERR_OK;
}

static err follow(struct ctx *cx, struct store *store)
{
    for (bool more = true; more;) {
        struct store_versions page;
        TRY(store_log(cx, store, now.picture.seq, LOG_PAGE, &page));
        for (size_t i = 0; i < page.count; i++) {
            now.at_seq = page.list[i].seq;
            TRY(take(cx, &page.list[i]));
            now.picture.seq = page.list[i].seq;
        }
        more = page.count == LOG_PAGE;
    }
    return now.reread ? read_hospital(cx, store) : ERR_OK;
}

err beds_picture_open(struct ctx *cx, struct store *store, const struct beds_picture **out)
{
    const struct store_access *access = cx->access;
    pthread_mutex_lock(&now.lock);
    ctx_defer(cx, unlock, &now.lock);
    /* The picture is everybody's; what a person may see of it is decided by the route. */
    cx->access = NULL;
    err wrong = now.store != store || store_seq(store) > now.picture.seq + FOLLOW_MAX
                    ? read_hospital(cx, store) : follow(cx, store);
    if (wrong)
        now.store = NULL; /* half read: begin anew next time */
    cx->access = access;
    *out = &now.picture;
    return wrong;
}

void beds_picture_close(struct ctx *cx)
{
    ctx_undefer(cx, unlock);
}

/* ---- as allocation sees it ---- */

enum beds_state beds_state_at(const struct beds_picture *picture, int32_t spot, int64_t now_ms)
{
    const struct beds_spot *bed = &picture->spots[spot];
    const struct beds_stay *stay = bed->stay == BEDS_NONE ? NULL : &picture->stays[bed->stay];
    bool reserved = stay && stay->reserved && (stay->until_ms == 0 || stay->until_ms > now_ms);
    return beds_state_of(bed->v2, stay && !stay->reserved, reserved);
}

static enum beds_sex sex_in_bay(const struct beds_picture *picture, const struct beds_spot *bed)
{
    if (bed->attributes & BEDS_A_SIDE_ROOM)
        return BEDS_SEX_ANY;
    for (size_t i = 0; i < picture->spots_count; i++) {
        const struct beds_spot *other = &picture->spots[i];
        if (other == bed || other->parent != bed->parent || other->stay == BEDS_NONE)
            continue;
        char sex = picture->stays[other->stay].sex;
        if (sex == 'f' || sex == 'm')
            return sex == 'f' ? BEDS_FEMALE : BEDS_MALE;
    }
    return BEDS_SEX_ANY;
}

struct beds_bed beds_bed_at(const struct beds_picture *picture, int32_t spot)
{
    const struct beds_spot *bed = &picture->spots[spot];
    const struct beds_spot *ward = bed->ward == BEDS_NONE ? NULL : &picture->spots[bed->ward];
    unsigned a = bed->attributes;
    bool mixed_unit = a & (BEDS_A_CRITICAL | BEDS_A_PAEDIATRIC);
    return (struct beds_bed){
        .id = str_of(bed->id), .ward = str_of(ward ? ward->name : ""),
        .specialty = str_of(ward ? ward->specialty : ""),
        .sex = a & BEDS_A_FEMALE ? BEDS_FEMALE : a & BEDS_A_MALE ? BEDS_MALE : BEDS_SEX_ANY,
        .bay_occupants = mixed_unit ? BEDS_SEX_ANY : sex_in_bay(picture, bed),
        .side_room = a & BEDS_A_SIDE_ROOM, .negative_pressure = a & BEDS_A_PRESSURE,
        .monitored = a & BEDS_A_MONITORED, .oxygen = true, .paediatric = a & BEDS_A_PAEDIATRIC,
        .escalation = a & BEDS_A_ESCALATION, .bariatric = a & BEDS_A_BARIATRIC,
        .held_by = bed->stay == BEDS_NONE ? (str){ 0 } : str_of(picture->stays[bed->stay].id),
    };
}
