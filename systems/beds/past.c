/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/london.h"
#include "systems/beds/figures.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/sql.h"

/* Reads the stays of a stretch of days out of the kept views, as spans of beds. */
enum { LEARN_WEEKS = 12, LEAVES_MAX = 32 };

struct reading {
    struct ctx *cx;
    const struct beds_picture *picture;
    struct beds_past *past;
    struct beds_place *places;
    struct beds_span *spans;
    size_t places_count, places_cap, spans_count, spans_cap, stays_cap;
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
        past->stays[past->stays_count++] = arena_copy(reading->cx->arena,
                                                      db_text(row, 1));
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

/* ---- forecasts tried on the past ---- */

struct who_is_in {
    int *hours; /* so far */
    size_t count;
};

static int hours_between(int64_t from_ms, int64_t to_ms)
{
    int64_t hours = (to_ms - from_ms) / 3600000;
    return hours > BEDS_STAY_HOURS ? BEDS_STAY_HOURS : (int)hours;
}

/* What was known at an instant: the stays that began in the weeks before it, and who was in. A stay
 * is counted by its first span, so that moves do not count as arrivals. */
static void know(const struct beds_hospital *hospital, int64_t at_ms, struct arena *arena,
                 struct beds_history *history, struct who_is_in *in)
{
    struct beds_known *known = arena_array(arena, hospital->spans_count + 1, sizeof *known);
    int64_t from_ms = at_ms - (int64_t)LEARN_WEEKS * 7 * LONDON_DAY_MS, first_ms = at_ms;
    size_t count = 0;
    in->hours = arena_array(arena, hospital->spans_count + 1, sizeof *in->hours);
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        bool ended = span->left_ms <= at_ms;
        if (span->from_ms != span->admitted_ms || span->admitted_ms > at_ms)
            continue;
        int hours = hours_between(span->admitted_ms, ended ? span->left_ms : at_ms);
        if (!ended)
            in->hours[in->count++] = hours;
        if (span->admitted_ms < from_ms)
            continue;
        int hour = london_civil(span->admitted_ms).hour;
        first_ms = span->admitted_ms < first_ms ? span->admitted_ms : first_ms;
        known[count++] = (struct beds_known){
            hours, london_weekday(london_day(span->admitted_ms)) * 24 + hour, ended };
    }
    double weeks = (double)(at_ms - first_ms) / (7.0 * LONDON_DAY_MS);
    beds_history_make(known, count, weeks > 0.1 ? weeks : 0.1, history);
}

static size_t in_at(const struct beds_hospital *hospital, int64_t at_ms)
{
    return beds_count_at(hospital, BEDS_GENERAL_ACUTE, at_ms).occupied +
           beds_count_at(hospital, BEDS_CRITICAL, at_ms).occupied;
}

void beds_forecast_at(const struct beds_hospital *hospital, int64_t at_ms, int ahead_hours,
                      struct arena *arena, struct beds_outlook *out)
{
    struct beds_history *history = arena_alloc(arena, sizeof *history);
    struct who_is_in in = { 0 };
    know(hospital, at_ms, arena, history, &in);
    int week_hour = london_weekday(london_day(at_ms)) * 24 + london_civil(at_ms).hour;
    beds_forecast(history, in.hours, in.count, week_hour, ahead_hours, out);
}

void beds_try_forecasts(const struct beds_hospital *hospital, int64_t now_ms, int ahead_hours,
                        struct arena *arena, struct beds_trial *out)
{
    struct beds_outlook *outlook = arena_alloc(arena, sizeof *outlook);
    *out = (struct beds_trial){ 0 };
    for (int day = 1; day <= BEDS_TRIALS; day++) {
        int64_t target_ms = now_ms - (int64_t)(day - 1) * LONDON_DAY_MS;
        double last_four[4];
        size_t happened = in_at(hospital, target_ms);
        for (int week = 1; week <= 4; week++)
            last_four[week - 1] =
                (double)in_at(hospital, target_ms - (int64_t)week * 7 * LONDON_DAY_MS);
        beds_forecast_at(hospital, target_ms - (int64_t)ahead_hours * 3600000, ahead_hours, arena,
                         outlook);
        double naive = beds_same_weekday_mean(last_four, 4) - (double)happened;
        out->crps += beds_crps(outlook, happened);
        out->naive += naive < 0 ? -naive : naive;
        out->pit += beds_pit(outlook, happened);
        out->within_80 += happened >= beds_outlook_quantile(outlook, 0.1) &&
                          happened <= beds_outlook_quantile(outlook, 0.9);
        out->count++;
    }
    out->skill = beds_skill(out->crps, out->naive);
    out->crps /= (double)out->count;
    out->naive /= (double)out->count;
    out->pit /= (double)out->count;
}
