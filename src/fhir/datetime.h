/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * datetime: reads FHIR dates and times, and says what stretch of time each names.
 *
 * Source   hl7.org/fhir/R4/datatypes.html (date, dateTime, instant, time);
 *          hl7.org/fhir/R4/search.html#date for the stretch a partial date covers.
 * Units    milliseconds since 1970-01-01T00:00:00Z; both ends belong to the stretch: "2026" is
 *          2026-01-01T00:00:00.000Z to 2026-12-31T23:59:59.999Z. Years 0001 to 9999.
 *          Second 60 is read as 59; digits past the millisecond are cut off.
 * Missing  a text without zone is taken as UTC; has_zone tells.
 * Memory   pure. Thread-safe.
 */
enum datetime_precision {
    DATETIME_YEAR, DATETIME_MONTH, DATETIME_DAY, DATETIME_MINUTE, DATETIME_SECOND, DATETIME_MS
};
struct datetime {
    int64_t low_ms, high_ms;
    enum datetime_precision precision;
    bool has_zone;
    int zone_min;       /* minutes east of UTC */
};

/* What the text may look like. */
enum datetime_form {
    DATETIME_AS_DATE,      /* YYYY, YYYY-MM, YYYY-MM-DD */
    DATETIME_AS_DATE_TIME, /* that, or with hh:mm:ss[.f] and a zone */
    DATETIME_AS_INSTANT,   /* with hh:mm:ss[.f] and a zone */
    DATETIME_AS_SEARCH     /* as a dateTime, but seconds and zone may be left out */
};
/* False, *out untouched, when the text is not of the form or names a day that does not exist. */
bool datetime_parse(str text, enum datetime_form form, struct datetime *out);

/* hh:mm:ss[.f] as milliseconds since midnight. */
bool datetime_parse_time(str text, int64_t *out_ms, enum datetime_precision *out_precision);
