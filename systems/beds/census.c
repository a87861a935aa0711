/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/census.h"
#include "clinical/london.h"

enum { SITREP_SNAPSHOT_HOUR = 8, SITREP_DUE_HOUR = 11, SITREP_AMEND_DAYS = 14 };

/* Main specialty codes of the NHS Data Dictionary that make a ward other than general and acute. */
enum beds_sector beds_sector_of(str specialty, bool critical)
{
    static const struct { const char *code; enum beds_sector sector; } rows[] = {
        { "501", BEDS_MATERNITY }, { "560", BEDS_MATERNITY }, { "610", BEDS_MATERNITY },
        { "710", BEDS_MENTAL }, { "711", BEDS_MENTAL }, { "712", BEDS_MENTAL },
        { "713", BEDS_MENTAL }, { "715", BEDS_MENTAL }, { "700", BEDS_LEARNING },
        { "192", BEDS_CRITICAL }, { "424", BEDS_OUTSIDE },
    };
    for (size_t i = 0; !critical && i < COUNT(rows); i++)
        if (str_eq(specialty, str_of(rows[i].code)))
            return rows[i].sector;
    return critical ? BEDS_CRITICAL : BEDS_GENERAL_ACUTE;
}

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

/* In any of its spells. */
static bool was_open(const struct beds_hospital *hospital, uint32_t bed, int64_t at_ms)
{
    for (uint32_t i = bed;; i = hospital->places[i].again) {
        const struct beds_place *place = &hospital->places[i];
        if (holds(place->open_from_ms, place->open_to_ms, at_ms))
            return true;
        if (place->again == 0)
            return false;
    }
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

bool beds_is_in_at_midnight(const struct beds_hospital *hospital, const struct beds_span *span,
                            enum beds_sector sector, int64_t day)
{
    return place_in(hospital, span, sector) && is_in(span, london_midnight(day + 1));
}

size_t beds_span_days(const struct beds_span *span, int64_t from_day, int64_t to_day)
{
    return span->on_leave || span->day_case
               ? 0 : (size_t)midnights(span->from_ms, span->to_ms, from_day, to_day);
}

/* ---- the daily situation report ---- */

static int64_t snapshot_ms(int64_t day)
{
    return london_at(day, SITREP_SNAPSHOT_HOUR, 0);
}

static bool is_counted(const struct beds_hospital *hospital, const struct beds_span *span)
{
    return !span->day_case && (place_in(hospital, span, BEDS_GENERAL_ACUTE) ||
                               place_in(hospital, span, BEDS_CRITICAL));
}

/* A stay is admitted once, in its first bed, and discharged once, from its last; the day before the
 * one of reporting, 00:00:00 to 23:59:59. */
static bool is_admission(const struct beds_hospital *hospital, const struct beds_span *span,
                         int64_t day)
{
    return is_counted(hospital, span) && span->from_ms == span->admitted_ms && !span->on_leave &&
           holds(london_midnight(day - 1), london_midnight(day), span->admitted_ms);
}

static bool is_discharge(const struct beds_hospital *hospital, const struct beds_span *span,
                         int64_t day)
{
    return is_counted(hospital, span) && span->to_ms == span->left_ms &&
           span->left_ms != BEDS_STILL_IN &&
           holds(london_midnight(day - 1), london_midnight(day), span->left_ms);
}

static bool is_general(const struct beds_hospital *hospital, const struct beds_span *span,
                       int64_t day, bool paediatric)
{
    const struct beds_place *place = place_in(hospital, span, BEDS_GENERAL_ACUTE);
    return place && place->paediatric == paediatric && is_in(span, snapshot_ms(day));
}

static bool is_adult(const struct beds_hospital *hospital, const struct beds_span *span,
                     int64_t day)
{
    return is_general(hospital, span, day, false);
}

static bool is_child(const struct beds_hospital *hospital, const struct beds_span *span,
                     int64_t day)
{
    return is_general(hospital, span, day, true);
}

static bool is_critical(const struct beds_hospital *hospital, const struct beds_span *span,
                        int64_t day)
{
    return place_in(hospital, span, BEDS_CRITICAL) && is_in(span, snapshot_ms(day));
}

static bool is_long(const struct beds_hospital *hospital, const struct beds_span *span, int64_t day,
                    int64_t days)
{
    return (is_adult(hospital, span, day) || is_child(hospital, span, day)) &&
           beds_stay_days(london_day(span->admitted_ms), day) >= days;
}

#define LONG(days)                                                                                 \
    static bool is_long_##days(const struct beds_hospital *hospital, const struct beds_span *span, \
                               int64_t day)                                                        \
    {                                                                                              \
        return is_long(hospital, span, day, days);                                                 \
    }
LONG(7)
LONG(14)
LONG(21)

#define GET(name, value)                                                                           \
    static size_t name(const struct beds_sitrep *row)                                              \
    {                                                                                              \
        return row->value;                                                                         \
    }
GET(adult_core, adult.core_open)
GET(adult_escalation, adult.escalation_open)
GET(adult_occupied, adult.occupied)
GET(child_core, child.core_open)
GET(child_escalation, child.escalation_open)
GET(child_occupied, child.occupied)
GET(critical_open, critical.available)
GET(critical_occupied, critical.occupied)
GET(admissions, admissions)
GET(discharges, discharges)
GET(days_7, long_stays.days_7)
GET(days_14, long_stays.days_14)
GET(days_21, long_stays.days_21)

/* clang-format off: one row a number, in the order of the return. */
const struct beds_field beds_fields[] = {
    { "adult_core_open", "Adult general and acute, core beds open", adult_core, NULL },
    { "adult_escalation_open", "Adult general and acute, escalation beds open", adult_escalation,
      NULL },
    { "adult_occupied", "Adult general and acute, occupied", adult_occupied, is_adult },
    { "child_core_open", "Paediatric general and acute, core beds open", child_core, NULL },
    { "child_escalation_open", "Paediatric general and acute, escalation beds open",
      child_escalation, NULL },
    { "child_occupied", "Paediatric general and acute, occupied", child_occupied, is_child },
    { "critical_open", "Critical care, open", critical_open, NULL },
    { "critical_occupied", "Critical care, occupied", critical_occupied, is_critical },
    { "admissions", "Admitted the day before", admissions, is_admission },
    { "discharges", "Discharged the day before", discharges, is_discharge },
    { "stays_7_days", "In for 7 days or more", days_7, is_long_7 },
    { "stays_14_days", "In for 14 days or more", days_14, is_long_14 },
    { "stays_21_days", "In for 21 days or more", days_21, is_long_21 },
};
/* clang-format on */
const size_t beds_fields_count = COUNT(beds_fields);

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

struct beds_sitrep beds_sitrep(const struct beds_hospital *hospital, int64_t day)
{
    struct beds_sitrep row = { .day = day };
    int64_t at_ms = snapshot_ms(day), from_ms = london_midnight(day - 1);
    for (size_t i = 0; i < hospital->places_count; i++)
        count_open(&row, &hospital->places[i], at_ms);
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        if (span->to_ms < from_ms || span->from_ms > at_ms) /* most of a year's spans */
            continue;
        bool adult = is_adult(hospital, span, day), child = is_child(hospital, span, day);
        bool critical = is_critical(hospital, span, day);
        row.adult.occupied += adult;
        row.child.occupied += child;
        row.critical.occupied += critical;
        row.critical.available += critical && !was_open(hospital, span->bed, at_ms);
        row.admissions += is_admission(hospital, span, day);
        row.discharges += is_discharge(hospital, span, day);
        if (adult || child)
            beds_long_add(&row.long_stays, beds_stay_days(london_day(span->admitted_ms), day));
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
