/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/discharge.h"

/*
 * beds_census: how full the hospital was: midnight census, bed days, and the rows of the returns.
 *
 * Source   NHS England, Urgent and Emergency Care daily situation report, process and definitions
 *          (activity of the day before, beds as at 08:00 on the day of reporting); KH03 (bed days
 *          at midnight by sector; critical care and well babies left out). Midnight wording
 *          unconfirmed.
 * For      general and acute overnight beds; day cases, maternity, mental health, home leave and
 *          virtual wards are left out.
 * Units    instants in UTC milliseconds; days by the London calendar, so that the nights of 23 and
 *          25 hours count once.
 * Missing  ended_ms BEDS_STILL_IN: still there. A bed open for part of a day counts as it was at
 *          the instant asked about.
 * Errors   none. Limits: the caller's arrays. Memory: pure.
 */
#define BEDS_STILL_IN INT64_MAX

enum beds_sector {
    BEDS_GENERAL_ACUTE, BEDS_CRITICAL, BEDS_MATERNITY, BEDS_MENTAL, BEDS_LEARNING, BEDS_SECTORS,
    BEDS_OUTSIDE = BEDS_SECTORS /* of no return: cots of well babies */
};
/* By the main specialty of the ward; a bed of critical care is so by its own attribute. */
enum beds_sector beds_sector_of(str specialty, bool critical);

/* One piece of a stay in one bed, or away from it. A stay that moves has several; `stay` is the
 * same in all. */
struct beds_span {
    uint32_t bed, stay;
    int64_t from_ms, to_ms;         /* of this bed; to BEDS_STILL_IN: still in it */
    int64_t admitted_ms, left_ms;   /* of the whole stay */
    bool on_leave, day_case;
};
/* What a bed is, and a spell when it was open. The first row of a bed has the index spans use; one
 * that was closed meanwhile has a further row for each later spell, chained by `again`. */
struct beds_place {
    enum beds_sector sector;
    bool paediatric, escalation;
    int64_t open_from_ms, open_to_ms;
    uint32_t again; /* index of the next spell of the same bed; 0: none */
};
struct beds_hospital {
    const struct beds_place *places;
    size_t places_count;
    const struct beds_span *spans;
    size_t spans_count;
};
struct beds_count {
    size_t available, occupied;
};
/* At one instant, beds open and beds held, in a sector. */
struct beds_count beds_count_at(const struct beds_hospital *hospital, enum beds_sector sector,
                                int64_t at_ms);
/* KH03: the sum over the midnights that end the days [from_day, to_day). */
struct beds_count beds_bed_days(const struct beds_hospital *hospital, enum beds_sector sector,
                                int64_t from_day, int64_t to_day);

/* Whether a span is counted at the midnight that ends a day. */
bool beds_is_in_at_midnight(const struct beds_hospital *hospital, const struct beds_span *span,
                            enum beds_sector sector, int64_t day);
/* Of one span, in days [from_day, to_day). */
size_t beds_span_days(const struct beds_span *span, int64_t from_day, int64_t to_day);

/* The daily situation report of reporting day `day`. Critical care beds that are occupied count as
 * open though nobody funds or staffs them; other closed ones do not. */
struct beds_sitrep {
    int64_t day;
    struct beds_part {
        size_t core_open, escalation_open, occupied;
    } adult, child;                 /* general and acute, 08:00 on the day */
    struct beds_count critical;
    size_t admissions, discharges;  /* the day before, 00:00:00 to 23:59:59 */
    struct beds_long long_stays;    /* in at 08:00 */
};
/* One number of the row, and its name in the return: for lists, amendments, drill-down. */
struct beds_field {
    const char *code, *text;
    size_t (*get)(const struct beds_sitrep *row);
    /* Whether a span is counted in it on that day; NULL: it counts beds, not people. */
    bool (*counts)(const struct beds_hospital *hospital, const struct beds_span *span, int64_t day);
};
extern const struct beds_field beds_fields[];
extern const size_t beds_fields_count;

struct beds_sitrep beds_sitrep(const struct beds_hospital *hospital, int64_t day);
/* Whether the row of this day may still be amended (14 days), and when it is due (11:00). */
bool beds_sitrep_is_open(int64_t day, int64_t now_ms);
int64_t beds_sitrep_due_ms(int64_t day);
