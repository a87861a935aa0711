/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/london.h"
#include "systems/beds/figures.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/sql.h"

/* Reads the stays of a stretch of days out of the kept views, as spans of beds. */
enum { LEAVES_MAX = 32 };

struct reading {
    struct ctx *cx;
    const struct beds_picture *picture;
    struct beds_past *past;
    struct beds_place *places;
    struct beds_span *spans;
    size_t places_count, places_cap, spans_count, spans_cap, stays_cap, dates_cap,
        specialties_cap;
    int64_t rid; /* of the stay whose places are being read */
};

/* ---- when beds were open ---- */

static struct beds_place place_of(const struct beds_picture *picture, const struct beds_spot *spot)
{
    bool bed = strcmp(spot->kind, "bd") == 0;
    const char *specialty = spot->ward == BEDS_NONE ? "" : picture->spots[spot->ward].specialty;
    return (struct beds_place){
        .sector = beds_sector_of(str_of(specialty), spot->attributes & BEDS_A_CRITICAL),
        .paediatric = spot->attributes & BEDS_A_PAEDIATRIC,
        .escalation = spot->attributes & BEDS_A_ESCALATION,
        .open_from_ms = bed ? 0 : BEDS_STILL_IN, /* what is no bed is never open */
        .open_to_ms = BEDS_STILL_IN,
    };
}

/* The last spell of a bed ends where a closure begins, and another begins where that ends. */
static void close_place(struct reading *reading, uint32_t bed, int64_t from_ms, int64_t to_ms)
{
    uint32_t last = bed;
    while (reading->places[last].again)
        last = reading->places[last].again;
    struct beds_place again = reading->places[last];
    if (from_ms < again.open_from_ms)
        from_ms = again.open_from_ms;
    reading->places[last].open_to_ms = from_ms;
    if (to_ms == 0)
        return;
    again.open_from_ms = to_ms > from_ms ? to_ms : from_ms;
    again.again = 0;
    reading->places = arena_grow(reading->cx->arena, reading->places, reading->places_count,
                                 &reading->places_cap, sizeof *reading->places);
    reading->places[last].again = (uint32_t)reading->places_count;
    reading->places[reading->places_count++] = again;
}

static err read_places(struct reading *reading)
{
    struct ctx *cx = reading->cx;
    const struct beds_picture *picture = reading->picture;
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_CLOSURES);
    for (size_t i = 0; i < picture->spots_count; i++) {
        reading->places = arena_grow(cx->arena, reading->places, reading->places_count,
                                     &reading->places_cap, sizeof *reading->places);
        reading->places[reading->places_count++] = place_of(picture, &picture->spots[i]);
    }
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        int32_t spot = beds_find_spot(picture, db_text(row, 0));
        int64_t from_ms = beds_instant_of(db_text(row, 1));
        if (spot != BEDS_NONE && from_ms)
            close_place(reading, (uint32_t)spot, from_ms, beds_instant_of(db_text(row, 2)));
    }
    /* Closed by another program, which does not say since when: from now on. */
    for (size_t i = 0; i < picture->spots_count; i++)
        if (picture->spots[i].v2 == 'C' && reading->places[i].again == 0 &&
            reading->places[i].open_to_ms == BEDS_STILL_IN)
            reading->places[i].open_to_ms = picture->spots[i].since_ms ? picture->spots[i].since_ms
                                                                       : cx->now_ms;
    return ERR_OK;
}

/* ---- who lay where ---- */

static void put_span(struct reading *reading, struct beds_span span)
{
    if (span.from_ms >= span.to_ms)
        return;
    reading->spans = arena_grow(reading->cx->arena, reading->spans, reading->spans_count,
                                &reading->spans_cap, sizeof *reading->spans);
    reading->spans[reading->spans_count++] = span;
}

/* Spells of home leave are cut out of the span of the bed that is kept meanwhile. */
static void put_with_leaves(struct reading *reading, struct beds_span span, struct db_stmt *row)
{
    str froms = db_text(row, 5), tos = db_text(row, 6), from, to;
    int64_t leaves[LEAVES_MAX][2];
    size_t count = 0;
    while (count + 1 < LEAVES_MAX && beds_next_item(&froms, &from) && beds_next_item(&tos, &to)) {
        leaves[count][0] = beds_instant_of(from);
        leaves[count++][1] = beds_instant_of(to);
    }
    if (str_eq(db_text(row, 2), S("onleave"))) {
        int64_t since_ms = beds_instant_of(db_text(row, 7));
        leaves[count][0] = since_ms ? since_ms : span.from_ms;
        leaves[count++][1] = BEDS_STILL_IN;
    }
    for (size_t i = 0; i < count; i++) {
        struct beds_span in = span, away = span;
        int64_t from_ms = leaves[i][0] < span.from_ms ? span.from_ms : leaves[i][0];
        int64_t to_ms = leaves[i][1] > span.to_ms ? span.to_ms : leaves[i][1];
        if (from_ms >= to_ms)
            continue;
        in.to_ms = away.from_ms = from_ms;
        away.to_ms = span.from_ms = to_ms;
        away.on_leave = true;
        put_span(reading, in);
        put_span(reading, away);
    }
    put_span(reading, span);
}

/* Each date that was expected, from the day it was set: what was known when can be told later. */
static void add_dates(struct reading *reading, struct db_stmt *row)
{
    struct beds_past *past = reading->past;
    str days = db_text(row, 12), tos = db_text(row, 13), day, to;
    while (beds_next_item(&days, &day) && beds_next_item(&tos, &to)) {
        int64_t set_ms = beds_instant_of(day), edd_ms = beds_instant_of(to);
        if (!set_ms || !edd_ms)
            continue;
        past->dates = arena_grow(reading->cx->arena, past->dates, past->dates_count,
                                 &reading->dates_cap, sizeof *past->dates);
        past->dates[past->dates_count++] = (struct beds_expected){
            (uint32_t)past->stays_count - 1, london_at(set_ms / LONDON_DAY_MS, 12, 0),
            london_midnight(edd_ms / LONDON_DAY_MS) };
    }
}

/* A finished stay without an end ended when its last place did; without that either it cannot be
 * placed in time and is in no figure. */
static void add_place(struct reading *reading, struct db_stmt *row)
{
    struct beds_past *past = reading->past;
    str status = db_text(row, 2), place_status = db_text(row, 9);
    bool over = str_eq(status, S("finished"));
    int32_t spot = beds_find_spot(reading->picture, db_text(row, 8));
    if ((!over && !str_eq(status, S("in-progress")) && !str_eq(status, S("onleave"))) ||
        spot == BEDS_NONE || str_eq(place_status, S("planned")) ||
        str_eq(place_status, S("reserved")))
        return;
    struct beds_span span = { .bed = (uint32_t)spot,
                              .admitted_ms = beds_instant_of(db_text(row, 3)),
                              .left_ms = beds_instant_of(db_text(row, 4)),
                              .from_ms = beds_instant_of(db_text(row, 10)),
                              .to_ms = beds_instant_of(db_text(row, 11)) };
    span.left_ms = span.left_ms ? span.left_ms : over ? span.to_ms : BEDS_STILL_IN;
    span.from_ms = span.from_ms ? span.from_ms : span.admitted_ms;
    span.to_ms = span.to_ms ? span.to_ms : span.left_ms;
    if (span.left_ms == 0)
        return;
    if (db_int(row, 0) != reading->rid || past->stays_count == 0) {
        reading->rid = db_int(row, 0);
        past->stays = arena_grow(reading->cx->arena, past->stays, past->stays_count,
                                 &reading->stays_cap, sizeof *past->stays);
        past->stays[past->stays_count] = arena_copy(reading->cx->arena, db_text(row, 1));
        past->specialties = arena_grow(reading->cx->arena, past->specialties, past->stays_count,
                                       &reading->specialties_cap, sizeof *past->specialties);
        past->specialties[past->stays_count++] = arena_copy(reading->cx->arena, db_text(row, 14));
        add_dates(reading, row);
    }
    span.stay = (uint32_t)past->stays_count - 1;
    put_with_leaves(reading, span, row);
}

err beds_past_read(struct ctx *cx, struct store *store, const struct beds_picture *picture,
                   int64_t from_day, struct beds_past *out)
{
    struct reading reading = { .cx = cx, .picture = picture, .past = out };
    char day[LONDON_TEXT];
    *out = (struct beds_past){ 0 };
    TRY(store_reader(cx, store));
    TRY(read_places(&reading));
    /* A text in another zone may name the day before. */
    london_write(london_midnight(from_day - 1), day);
    struct db_stmt *row = db_use(cx, cx->db, beds_sql, BEDS_SQL_STAYS);
    db_bind_text(row, 1, (str){ day, 10 });
    for (bool more = true;;) {
        TRY(db_step(cx, row, &more));
        if (!more)
            break;
        add_place(&reading, row);
    }
    out->hospital = (struct beds_hospital){ reading.places, reading.places_count, reading.spans,
                                            reading.spans_count };
    return ERR_OK;
}
