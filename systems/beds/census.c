/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/census.h"
#include "clinical/london.h"

enum { SITREP_SNAPSHOT_HOUR = 8, SITREP_DUE_HOUR = 11, SITREP_AMEND_DAYS = 14 };

static bool holds(int64_t from_ms, int64_t to_ms, int64_t at_ms)
{
    return from_ms <= at_ms && at_ms < to_ms;
}

/* Counted as an inpatient in a bed at this instant. */
static bool is_in(const struct beds_span *span, int64_t at_ms)
{
    return holds(span->from_ms, span->to_ms, at_ms) && !span->on_leave && !span->day_case;
}

/* The bed of a span when it is of this sector; NULL: of another, or not known. */
static const struct beds_place *place_in(const struct beds_hospital *hospital,
                                         const struct beds_span *span, enum beds_sector sector)
{
    if (span->bed >= hospital->places_count)
        return NULL;
    const struct beds_place *place = &hospital->places[span->bed];
    return place->sector == sector ? place : NULL;
}

struct beds_count beds_count_at(const struct beds_hospital *hospital, enum beds_sector sector,
                                int64_t at_ms)
{
    struct beds_count count = { 0 };
    for (size_t i = 0; i < hospital->places_count; i++) {
        const struct beds_place *place = &hospital->places[i];
        count.available += place->sector == sector &&
                           holds(place->open_from_ms, place->open_to_ms, at_ms);
    }
    for (size_t i = 0; i < hospital->spans_count; i++)
        count.occupied += place_in(hospital, &hospital->spans[i], sector) &&
                          is_in(&hospital->spans[i], at_ms);
    return count;
}

/*
 * How many of the days [from, to) end with a midnight in [from_ms, to_ms). Day d ends with
 * london_midnight(d + 1), so the first such day is that of the millisecond before from_ms.
 */
static int64_t midnights(int64_t from_ms, int64_t to_ms, int64_t from_day, int64_t to_day)
{
    int64_t first = london_day(from_ms - 1);
    int64_t after = to_ms == BEDS_STILL_IN ? to_day : london_day(to_ms - 1);
    first = first < from_day ? from_day : first;
    after = after > to_day ? to_day : after;
    return after > first ? after - first : 0;
}

struct beds_count beds_bed_days(const struct beds_hospital *hospital, enum beds_sector sector,
                                int64_t from_day, int64_t to_day)
{
    struct beds_count count = { 0 };
    for (size_t i = 0; i < hospital->places_count; i++) {
        const struct beds_place *place = &hospital->places[i];
        if (place->sector == sector)
            count.available += (size_t)midnights(place->open_from_ms, place->open_to_ms, from_day,
                                                 to_day);
    }
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        if (place_in(hospital, span, sector) && !span->on_leave && !span->day_case)
            count.occupied += (size_t)midnights(span->from_ms, span->to_ms, from_day, to_day);
    }
    return count;
}

static void count_open(struct beds_sitrep *row, const struct beds_place *place, int64_t at_ms)
{
    if (!holds(place->open_from_ms, place->open_to_ms, at_ms))
        return;
    struct beds_part *part = place->paediatric ? &row->child : &row->adult;
    if (place->sector == BEDS_GENERAL_ACUTE)
        *(place->escalation ? &part->escalation_open : &part->core_open) += 1;
    else if (place->sector == BEDS_CRITICAL)
        row->critical.available++;
}

static void count_span(struct beds_sitrep *row, const struct beds_place *place,
                       const struct beds_span *span, int64_t at_ms)
{
    if (!is_in(span, at_ms))
        return;
    if (place->sector == BEDS_CRITICAL)
        row->critical.occupied++;
    if (place->sector != BEDS_GENERAL_ACUTE)
        return;
    (place->paediatric ? &row->child : &row->adult)->occupied++;
    beds_long_add(&row->long_stays,
                  beds_stay_days(london_day(span->admitted_ms), london_day(at_ms)));
}

struct beds_sitrep beds_sitrep(const struct beds_hospital *hospital, int64_t day)
{
    struct beds_sitrep row = { .day = day };
    int64_t at_ms = london_at(day, SITREP_SNAPSHOT_HOUR, 0);
    int64_t from_ms = london_midnight(day - 1), to_ms = london_midnight(day);
    for (size_t i = 0; i < hospital->places_count; i++)
        count_open(&row, &hospital->places[i], at_ms);
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        if (span->day_case || (!place_in(hospital, span, BEDS_GENERAL_ACUTE) &&
                               !place_in(hospital, span, BEDS_CRITICAL)))
            continue;
        count_span(&row, &hospital->places[span->bed], span, at_ms);
        /* A stay is admitted once, in its first bed, and discharged once, from its last. */
        row.admissions += span->from_ms == span->admitted_ms && !span->on_leave &&
                          holds(from_ms, to_ms, span->admitted_ms);
        row.discharges += span->to_ms == span->left_ms && span->left_ms != BEDS_STILL_IN &&
                          holds(from_ms, to_ms, span->left_ms);
    }
    return row;
}

bool beds_sitrep_is_open(int64_t day, int64_t now_ms)
{
    return london_day(now_ms) >= day && london_day(now_ms) <= day + SITREP_AMEND_DAYS;
}

int64_t beds_sitrep_due_ms(int64_t day)
{
    return london_at(day, SITREP_DUE_HOUR, 0);
}
