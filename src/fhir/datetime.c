/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/datetime.h"
#include "base/clock.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000 };

/* Takes exactly `count` digits off the front. */
static bool take_digits(str *text, size_t count, int *out)
{
    int value = 0;
    if (text->n < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(text->p[i] - '0');
        if (digit > 9)
            return false;
        value = value * 10 + (int)digit;
    }
    *text = str_slice(*text, count, text->n);
    *out = value;
    return true;
}

static bool take_char(str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = str_slice(*text, 1, text->n);
    return true;
}

/* After the '.': at least one digit; *out_step is how many ms the last written digit stands for. */
static bool take_fraction(str *text, int *out_ms, int *out_step)
{
    int ms = 0, unit = 1000, digit;
    if (!take_digits(text, 1, &digit))
        return false;
    do {
        unit /= 10;
        ms += digit * unit;
        *out_step = unit > 0 ? unit : 1;
    } while (take_digits(text, 1, &digit));
    *out_ms = ms;
    return true;
}

/* Z or +hh:mm up to 14:00. */
static bool take_zone(str *text, int *out_min)
{
    if (take_char(text, 'Z')) {
        *out_min = 0;
        return true;
    }
    bool west = text->n && text->p[0] == '-';
    int hours, minutes;
    if (!take_char(text, west ? '-' : '+') || !take_digits(text, 2, &hours) ||
        !take_char(text, ':') || !take_digits(text, 2, &minutes))
        return false;
    if (minutes > 59 || hours * 60 + minutes > 14 * 60)
        return false;
    *out_min = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* hh:mm[:ss[.f]] into civil; *step_ms is the length of what was named. */
static bool take_time(str *text, struct clock_civil *civil, enum datetime_precision *precision,
                      int *step_ms)
{
    if (!take_digits(text, 2, &civil->hour) || !take_char(text, ':') ||
        !take_digits(text, 2, &civil->minute) || civil->hour > 23 || civil->minute > 59)
        return false;
    *precision = DATETIME_MINUTE;
    *step_ms = MINUTE_MS;
    if (!take_char(text, ':'))
        return true;
    if (!take_digits(text, 2, &civil->second) || civil->second > 60)
        return false;
    if (civil->second == 60)
        civil->second = 59;
    *precision = DATETIME_SECOND;
    *step_ms = 1000;
    if (!take_char(text, '.'))
        return true;
    *precision = DATETIME_MS;
    return take_fraction(text, &civil->ms, step_ms);
}

/* YYYY[-MM[-DD]]; stops where the text stops being one. */
static bool take_date(str *text, struct clock_civil *civil, enum datetime_precision *precision)
{
    if (!take_digits(text, 4, &civil->year) || civil->year == 0)
        return false;
    *precision = DATETIME_YEAR;
    if (!take_char(text, '-'))
        return true;
    if (!take_digits(text, 2, &civil->month) || civil->month < 1 || civil->month > 12)
        return false;
    *precision = DATETIME_MONTH;
    if (!take_char(text, '-'))
        return true;
    *precision = DATETIME_DAY;
    return take_digits(text, 2, &civil->day) && civil->day >= 1 &&
           civil->day <= clock_month_days(civil->year, civil->month);
}

/* The last millisecond of the year, month or day that begins with `civil`. */
static int64_t end_of(struct clock_civil civil, enum datetime_precision precision)
{
    if (precision == DATETIME_YEAR)
        civil.month = 12;
    if (precision <= DATETIME_MONTH)
        civil.day = clock_month_days(civil.year, civil.month);
    return clock_from_civil(civil) + DAY_MS - 1;
}

static bool form_allows(enum datetime_form form, const struct datetime *read)
{
    bool day_or_less = read->precision <= DATETIME_DAY;
    switch (form) {
    case DATETIME_AS_DATE: return day_or_less;
    case DATETIME_AS_DATE_TIME:
        return day_or_less || (read->precision >= DATETIME_SECOND && read->has_zone);
    case DATETIME_AS_INSTANT: return read->precision >= DATETIME_SECOND && read->has_zone;
    case DATETIME_AS_SEARCH: return true;
    }
    return false;
}

bool datetime_parse(str text, enum datetime_form form, struct datetime *out)
{
    struct clock_civil civil = { .month = 1, .day = 1 };
    struct datetime read = { 0 };
    int step_ms = 0;
    if (!take_date(&text, &civil, &read.precision))
        return false;
    if (read.precision == DATETIME_DAY && take_char(&text, 'T')) {
        if (!take_time(&text, &civil, &read.precision, &step_ms))
            return false;
        read.has_zone = text.n > 0;
        if (read.has_zone && !take_zone(&text, &read.zone_min))
            return false;
    }
    if (text.n > 0 || !form_allows(form, &read))
        return false;
    int64_t shift = (int64_t)read.zone_min * MINUTE_MS;
    read.low_ms = clock_from_civil(civil) - shift;
    read.high_ms = step_ms ? read.low_ms + step_ms - 1 : end_of(civil, read.precision);
    *out = read;
    return true;
}

bool datetime_parse_time(str text, int64_t *out_ms, enum datetime_precision *out_precision)
{
    struct clock_civil civil = { 0 };
    enum datetime_precision precision;
    int step_ms;
    if (!take_time(&text, &civil, &precision, &step_ms) || text.n > 0 ||
        precision < DATETIME_SECOND)
        return false;
    int64_t minutes = civil.hour * 60 + civil.minute;
    *out_ms = minutes * MINUTE_MS + civil.second * 1000 + civil.ms;
    *out_precision = precision;
    return true;
}
