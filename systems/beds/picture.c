/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/picture.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/sql.h"

enum { STEPS_UP_MAX = 8 }; /* bed, bay, ward, wing, site: a loop in the data ends too */

int32_t beds_find_spot(const struct beds_picture *picture, str id)
{
    uint64_t at;
    return map_get(&picture->by_spot, id, &at) ? (int32_t)at : BEDS_NONE;
}

int32_t beds_find_stay(const struct beds_picture *picture, str id)
{
    uint64_t at;
    return map_get(&picture->by_stay, id, &at) ? (int32_t)at : BEDS_NONE;
}

/* ---- places ---- */

/* Ward and site of a place are the nearest above it. */
static void place_in_building(struct beds_picture *picture, struct beds_spot *spot)
{
    int32_t at = spot->parent = beds_find_spot(picture, str_of(spot->part_of));
    spot->ward = spot->site = BEDS_NONE;
    for (int steps = 0; at != BEDS_NONE && steps < STEPS_UP_MAX; steps++) {
        const struct beds_spot *above = &picture->spots[at];
        if (spot->ward == BEDS_NONE && strcmp(above->kind, "wa") == 0)
            spot->ward = at;
        if (strcmp(above->kind, "si") == 0)
            spot->site = at;
        at = above->part_of[0] ? beds_find_spot(picture, str_of(above->part_of)) : BEDS_NONE;
    }
}

static void place_from(struct beds_picture *picture, size_t from)
{
    for (size_t i = from; i < picture->spots_count; i++)
        place_in_building(picture, &picture->spots[i]);
}

static void put_spot(struct ctx *cx, struct beds_picture *picture, const struct beds_spot *spot)
{
    if (beds_find_spot(picture, str_of(spot->id)) != BEDS_NONE)
        return;
    picture->spots = arena_grow(cx->arena, picture->spots, picture->spots_count,
                                &picture->spots_cap, sizeof *picture->spots);
    picture->spots[picture->spots_count] = *spot;
    map_set(&picture->by_spot, arena_copy(cx->arena, str_of(spot->id)), picture->spots_count++);
}

/* Every row of a statement about places; `key` binds ?1 where it is given. */
static err add_spots(struct ctx *cx, struct beds_picture *picture, enum beds_sql which, str key)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, which);
    if (key.n)
        db_bind_text(row, 1, key);
    for (bool more = true;;) {
        struct beds_spot spot;
        TRY(db_step(cx, row, &more));
        if (!more)
            return ERR_OK;
        beds_row_spot(cx, row, &spot);
        put_spot(cx, picture, &spot);
    }
}

/* The place and what it is part of, up to the site. */
static err add_up(struct ctx *cx, struct beds_picture *picture, str id)
{
    for (int steps = 0; id.n && steps < STEPS_UP_MAX; steps++) {
        if (beds_find_spot(picture, id) == BEDS_NONE)
            TRY(add_spots(cx, picture, BEDS_SQL_SPOT, id));
        int32_t at = beds_find_spot(picture, id);
        id = at == BEDS_NONE ? (str){ 0 }
                             : arena_copy(cx->arena, str_of(picture->spots[at].part_of));
    }
    return ERR_OK;
}

/* ---- stays ---- */

static void put_stay(struct ctx *cx, struct beds_picture *picture, const struct beds_stay *stay,
                     str bed)
{
    int32_t spot = beds_find_spot(picture, bed);
    if (spot == BEDS_NONE || strcmp(picture->spots[spot].kind, "bd") != 0 ||
        picture->spots[spot].stay != BEDS_NONE)
        return;
    picture->stays = arena_grow(cx->arena, picture->stays, picture->stays_count,
                                &picture->stays_cap, sizeof *picture->stays);
    struct beds_stay *put = &picture->stays[picture->stays_count];
    *put = *stay;
    put->bed = spot;
    picture->spots[spot].stay = (int32_t)picture->stays_count;
    map_add(&picture->by_stay, arena_copy(cx->arena, str_of(stay->id)), picture->stays_count, NULL);
    picture->stays_count++;
}

static err add_stays(struct ctx *cx, struct beds_picture *picture, enum beds_sql which, str key)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, which);
    if (key.n)
        db_bind_text(row, 1, key);
    for (bool more = true;;) {
        struct beds_stay stay;
        char bed[BEDS_ID_BYTES];
        TRY(db_step(cx, row, &more));
        if (!more)
            return ERR_OK;
        if (beds_row_stay(cx, row, &stay, bed))
            put_stay(cx, picture, &stay, str_of(bed));
    }
}

/* Who lies there, for the stays from `from` on. */
static err add_people(struct ctx *cx, struct beds_picture *picture, size_t from,
                      enum beds_detail detail)
{
    for (size_t i = from; i < picture->stays_count && detail >= BEDS_PEOPLE; i++) {
        struct beds_stay *stay = &picture->stays[i];
        if (!stay->patient[0])
            continue;
        TRY(beds_read_person(cx, str_of(stay->patient), stay));
        if (detail >= BEDS_SCORES)
            TRY(beds_read_score(cx, stay));
    }
    return ERR_OK;
}

/* Who holds the places from `from` on. */
static err add_holders(struct ctx *cx, struct beds_picture *picture, size_t from,
                       enum beds_detail detail)
{
    size_t first = picture->stays_count;
    for (size_t i = from; i < picture->spots_count; i++)
        if (strcmp(picture->spots[i].kind, "bd") == 0 && picture->spots[i].stay == BEDS_NONE)
            TRY(add_stays(cx, picture, BEDS_SQL_HELD_BED, str_of(picture->spots[i].id)));
    return add_people(cx, picture, first, detail);
}

/* ---- what may be asked for ---- */

err beds_picture_begin(struct ctx *cx, struct store *store, struct beds_picture **out)
{
    struct beds_picture *picture = arena_zero(cx->arena, sizeof *picture);
    bool row;
    TRY(store_reader(cx, store));
    struct db_stmt *seq = db_use(cx, cx->db, beds_sql, BEDS_SQL_SEQ);
    TRY(db_step(cx, seq, &row));
    picture->seq = db_int(seq, 0);
    db_reset(seq);
    picture->by_spot = map_make(cx->arena);
    picture->by_stay = map_make(cx->arena);
    *out = picture;
    return ERR_OK;
}

err beds_picture_whole(struct ctx *cx, struct store *store, enum beds_detail detail,
                       struct beds_picture **out)
{
    TRY(beds_picture_begin(cx, store, out));
    TRY(add_spots(cx, *out, BEDS_SQL_SPOTS, (str){ 0 }));
    place_from(*out, 0);
    TRY(add_stays(cx, *out, BEDS_SQL_HELD, (str){ 0 }));
    return add_people(cx, *out, 0, detail);
}

err beds_picture_open(struct ctx *cx, struct store *store, const struct beds_picture **out)
{
    struct beds_picture *picture;
    TRY(beds_picture_whole(cx, store, BEDS_SCORES, &picture));
    *out = picture;
    return ERR_OK;
}

/* What may hold beds of the ward: bays and rooms, not the ward's own site nor another ward. */
static bool is_within(const struct beds_spot *spot)
{
    return strcmp(spot->kind, "wa") != 0 && strcmp(spot->kind, "si") != 0 &&
           strcmp(spot->kind, "bu") != 0 && strcmp(spot->kind, "bd") != 0;
}

err beds_picture_add_ward(struct ctx *cx, struct beds_picture *picture, str ward)
{
    TRY(add_up(cx, picture, ward));
    size_t from = picture->spots_count;
    TRY(add_spots(cx, picture, BEDS_SQL_SPOTS_IN, ward));
    for (size_t i = from; i < picture->spots_count; i++)
        if (is_within(&picture->spots[i]))
            TRY(add_spots(cx, picture, BEDS_SQL_SPOTS_IN,
                          arena_copy(cx->arena, str_of(picture->spots[i].id))));
    place_from(picture, 0);
    return add_holders(cx, picture, from, BEDS_SCORES);
}

err beds_picture_add_bed(struct ctx *cx, struct beds_picture *picture, str bed)
{
    size_t from = picture->spots_count;
    if (beds_find_spot(picture, bed) != BEDS_NONE)
        return ERR_OK; /* came with its bay or its ward */
    TRY(add_up(cx, picture, bed));
    int32_t spot = beds_find_spot(picture, bed);
    if (spot == BEDS_NONE)
        return ERR_OK;
    str bay = arena_copy(cx->arena, str_of(picture->spots[spot].part_of));
    if (bay.n)
        TRY(add_spots(cx, picture, BEDS_SQL_SPOTS_IN, bay));
    place_from(picture, from);
    return add_holders(cx, picture, from, BEDS_PEOPLE);
}

/* The beds that the rows of a statement name; listed first, since reading a bed asks it again. */
static err list_beds(struct ctx *cx, enum beds_sql which, str key, int column, str **out,
                     size_t *count)
{
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, which);
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    if (key.n)
        db_bind_text(row, 1, key);
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        (*out)[(*count)++] = arena_copy(cx->arena, db_text(row, column));
    }
}

static err add_beds(struct ctx *cx, struct beds_picture *picture, enum beds_sql which, str key,
                    int column)
{
    str *beds;
    size_t count;
    TRY(list_beds(cx, which, key, column, &beds, &count));
    for (size_t i = 0; i < count; i++)
        TRY(beds_picture_add_bed(cx, picture, beds[i]));
    return ERR_OK;
}

enum { HELD_BED = 9 }; /* the column of sql.c */

err beds_picture_add_stay(struct ctx *cx, struct beds_picture *picture, str encounter)
{
    return add_beds(cx, picture, BEDS_SQL_HELD_STAY, encounter, HELD_BED);
}

err beds_picture_add_patient(struct ctx *cx, struct beds_picture *picture, str patient)
{
    return add_beds(cx, picture, BEDS_SQL_HELD_PATIENT, patient, HELD_BED);
}

err beds_free_beds(struct ctx *cx, str **out, size_t *count)
{
    return list_beds(cx, BEDS_SQL_FREE, (str){ 0 }, 0, out, count);
}

/* ---- as allocation sees it ---- */

enum beds_state beds_state_at(const struct beds_picture *picture, int32_t spot, int64_t now_ms)
{
    const struct beds_spot *bed = &picture->spots[spot];
    const struct beds_stay *stay = bed->stay == BEDS_NONE ? NULL : &picture->stays[bed->stay];
    bool reserved = stay && stay->reserved && (stay->until_ms == 0 || stay->until_ms > now_ms);
    return beds_state_of(bed->v2, stay && !stay->reserved, reserved);
}

bool beds_is_outlier(const struct beds_picture *picture, const struct beds_stay *stay)
{
    int32_t ward = picture->spots[stay->bed].ward;
    const char *specialty = ward == BEDS_NONE ? "" : picture->spots[ward].specialty;
    return !stay->reserved && stay->specialty[0] && specialty[0] &&
           strcmp(stay->specialty, specialty) != 0;
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

/* A bay or ward closed or isolated: an outbreak, or building work. */
static bool is_shut(const struct beds_picture *picture, int32_t place)
{
    char v2 = place == BEDS_NONE ? 0 : picture->spots[place].v2;
    return v2 == 'C' || v2 == 'I';
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
        .bay_closed = is_shut(picture, bed->parent) || is_shut(picture, bed->ward),
        .held_by = bed->stay == BEDS_NONE ? (str){ 0 } : str_of(picture->stays[bed->stay].id),
    };
}
