/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/london.h"
#include "store/search.h"
#include "systems/beds/figures.h"
#include "systems/beds/picture_read.h"
#include "systems/beds/scratch.h"

/* Reads the stays of a stretch of days out of the record, as spans of beds. */
enum { PAGE = 500, LEARN_WEEKS = 12 };

struct reading {
    const struct beds_picture *picture;
    struct beds_past *past;
    struct arena *arena; /* what is kept; bodies lie in the page's own memory */
    struct beds_span *spans;
    size_t spans_count, spans_cap, stays_cap;
};

static struct beds_place place_of(const struct beds_spot *spot)
{
    bool bed = strcmp(spot->kind, "bd") == 0;
    return (struct beds_place){
        .sector = spot->attributes & BEDS_A_CRITICAL ? BEDS_CRITICAL : BEDS_GENERAL_ACUTE,
        .paediatric = spot->attributes & BEDS_A_PAEDIATRIC,
        .escalation = spot->attributes & BEDS_A_ESCALATION,
        .open_from_ms = bed ? 0 : BEDS_STILL_IN, /* what is no bed is never open */
        .open_to_ms = spot->v2 == 'C' ? spot->since_ms : BEDS_STILL_IN,
    };
}

static void add_span(struct ctx *cx, struct reading *reading, struct json place,
                     struct beds_span span)
{
    str bed = beds_read_reference(cx, json_get(place, S("location")), "Location");
    struct json period = json_get(place, S("period"));
    int32_t spot = str_given(bed) ? beds_find_spot(reading->picture, bed) : BEDS_NONE;
    struct json status = json_get(place, S("status"));
    if (spot == BEDS_NONE || json_string_is(status, S("planned")) ||
        json_string_is(status, S("reserved")))
        return;
    span.bed = (uint32_t)spot;
    span.from_ms = beds_read_instant(cx, json_get(period, S("start")));
    span.to_ms = beds_read_instant(cx, json_get(period, S("end")));
    span.from_ms = span.from_ms ? span.from_ms : span.admitted_ms;
    span.to_ms = span.to_ms ? span.to_ms : span.left_ms;
    reading->spans = arena_grow(reading->arena, reading->spans, reading->spans_count,
                                &reading->spans_cap, sizeof *reading->spans);
    reading->spans[reading->spans_count++] = span;
}

static err add_stay(struct ctx *cx, struct reading *reading, const struct store_version *version)
{
    struct json body;
    TRY(json_parse(cx, version->body, &body));
    struct json period = json_get(body, S("period"));
    struct json status = json_get(body, S("status"));
    int64_t left_ms = beds_read_instant(cx, json_get(period, S("end")));
    if (json_string_is(status, S("cancelled")) || json_string_is(status, S("entered-in-error")))
        return ERR_OK;
    struct beds_past *past = reading->past;
    struct beds_span span = {
        .stay = (uint32_t)past->stays_count,
        .admitted_ms = beds_read_instant(cx, json_get(period, S("start"))),
        .left_ms = left_ms ? left_ms : BEDS_STILL_IN,
        .on_leave = json_string_is(status, S("onleave")),
    };
    past->stays = arena_grow(reading->arena, past->stays, past->stays_count, &reading->stays_cap,
                             sizeof *past->stays);
    past->stays[past->stays_count++] = arena_copy(reading->arena, version->id);
    for (struct json_walk w = json_walk(json_get(body, S("location"))); json_next(&w);)
        add_span(cx, reading, w.value, span);
    return ERR_OK;
}

static err read_page(struct ctx *cx, struct store *store, struct reading *reading,
                     struct search_request *request)
{
    struct search_page page = { 0 };
    TRY(search_run(cx, store, request, &page));
    for (size_t i = 0; i < page.entries_count; i++)
        TRY(add_stay(cx, reading, &page.entries[i].version));
    request->query = page.next_query;
    return ERR_OK;
}

err beds_past_read(struct ctx *cx, struct store *store, const struct beds_picture *picture,
                   int64_t from_day, struct beds_past *out)
{
    struct reading reading = { .picture = picture, .past = out, .arena = cx->arena };
    struct beds_scratch *scratch = beds_scratch_begin(cx);
    char day[LONDON_TEXT];
    *out = (struct beds_past){ 0 };
    struct beds_place *places = arena_array(cx->arena, picture->spots_count + 1, sizeof *places);
    for (size_t i = 0; i < picture->spots_count; i++)
        places[i] = place_of(&picture->spots[i]);
    london_write(london_midnight(from_day), day);
    struct search_request request = {
        .resource = fhir_resource_find(S("Encounter")), .count_default = PAGE, .count_max = PAGE,
        .query = arena_printf(cx->arena, "class=IMP&date=ge%.10s&_sort=date", day) };
    while (str_given(request.query)) {
        TRY(beds_scratch_fail(scratch, read_page(&scratch->cx, store, &reading, &request)));
        if (str_given(request.query))
            request.query = arena_copy(cx->arena, request.query);
        beds_scratch_reset(scratch);
    }
    out->hospital = (struct beds_hospital){ places, picture->spots_count, reading.spans,
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
