/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "fhir/decimal.h"

/*
 * path_date: FHIRPath's dates, date-times and times, each known to some precision only.
 *
 * Source   FHIRPath 2.0.0 sections 4.1.5 to 4.1.7, 6.1, 6.2 and 6.6.7.
 * Shapes   a time of day uses hour to nano alone; a date-time without zone has has_zone false.
 * Missing  components finer than `precision` are zero (month and day: one).
 */
enum path_date_kind { PATH_DATE_ONLY, PATH_DATE_AND_TIME, PATH_TIME_ONLY };
enum path_precision {
    PATH_NO_PRECISION, PATH_YEAR, PATH_MONTH, PATH_DAY, PATH_HOUR, PATH_MINUTE, PATH_SECOND,
    PATH_FRACTION
};
struct path_date {
    enum path_date_kind kind;
    enum path_precision precision;
    int year, month, day, hour, minute, second, nano;
    int fraction_digits;
    bool has_zone;
    int zone_minutes;
};

/* "2015", "2015-02-04T14:34:28.123+10:00", "14:34"; a date-time may also be a date, with or without
 * a final T. Impossible days and hours are refused. */
bool path_date_parse(str text, enum path_date_kind kind, struct path_date *out);
str path_date_write(struct arena *arena, const struct path_date *d);

/* False: the answer is not known (one is less precise, or only one has a zone). */
bool path_date_cmp(const struct path_date *a, const struct path_date *b, int *out);
/* Equal in every component and in precision, for equivalence. */
bool path_date_same(const struct path_date *a, const struct path_date *b);

/* Adds `count` (its fraction dropped) of a unit: calendar word, or UCUM's code of a fixed
 * length. */
enum path_date_sum { PATH_DATE_SUM, PATH_DATE_OVERFLOW, PATH_DATE_WRONG_UNIT };
enum path_date_sum path_date_add(struct path_date *d, struct decimal count, str unit);

/* Digits of precision as the specification counts them: 4, 6, 8; with time 10 to 17; time 2 to
 * 9. */
int path_date_digits(const struct path_date *d);
/* The first or last moment the value can mean, at this many digits; false: no such precision. */
bool path_date_boundary(struct path_date *d, bool high, int digits);

/* "days", "day", "d": PATH_DAY. PATH_NO_PRECISION when it is no calendar word. */
enum path_precision path_calendar_word(str unit, bool *week, bool *milli);
