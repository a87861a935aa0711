/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_date.h"
#include "base/clock.h"
#include <stdio.h>

enum { NANO = 1000000000, ZONE_EARLIEST = 14 * 60, ZONE_LATEST = -12 * 60 };

struct reader {
    str text;
    size_t at;
};

static bool take(struct reader *r, char c)
{
    if (r->at >= r->text.n || r->text.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

/* Exactly `count` digits within bounds. */
static bool number(struct reader *r, int count, int least, int most, int *out)
{
    int value = 0;
    if (r->text.n - r->at < (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = r->text.p[r->at + (size_t)i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    if (value < least || value > most)
        return false;
    r->at += (size_t)count;
    *out = value;
    return true;
}

static bool read_date(struct reader *r, struct path_date *d)
{
    if (!number(r, 4, 0, 9999, &d->year))
        return false;
    d->precision = PATH_YEAR;
    if (!take(r, '-'))
        return true;
    if (!number(r, 2, 1, 12, &d->month))
        return false;
    d->precision = PATH_MONTH;
    if (!take(r, '-'))
        return true;
    if (!number(r, 2, 1, clock_month_days(d->year, d->month), &d->day))
        return false;
    d->precision = PATH_DAY;
    return true;
}

static bool read_fraction(struct reader *r, struct path_date *d)
{
    int unit = NANO / 10;
    size_t from = r->at;
    for (; r->at < r->text.n && r->text.p[r->at] >= '0' && r->text.p[r->at] <= '9'; r->at++) {
        d->nano += (r->text.p[r->at] - '0') * unit;
        unit /= 10;
    }
    d->fraction_digits = r->at - from > 9 ? 9 : (int)(r->at - from);
    d->precision = PATH_FRACTION;
    return r->at > from;
}

static bool read_time(struct reader *r, struct path_date *d)
{
    if (!number(r, 2, 0, 23, &d->hour))
        return false;
    d->precision = PATH_HOUR;
    if (!take(r, ':'))
        return true;
    if (!number(r, 2, 0, 59, &d->minute))
        return false;
    d->precision = PATH_MINUTE;
    if (!take(r, ':'))
        return true;
    if (!number(r, 2, 0, 60, &d->second)) /* a leap second is read as 59 */
        return false;
    d->second = d->second == 60 ? 59 : d->second;
    d->precision = PATH_SECOND;
    return !take(r, '.') || read_fraction(r, d);
}

static bool read_zone(struct reader *r, struct path_date *d)
{
    int hours, minutes, sign;
    if (take(r, 'Z')) {
        d->has_zone = true;
        return true;
    }
    if (r->at == r->text.n)
        return true;
    sign = take(r, '+') ? 1 : take(r, '-') ? -1 : 0;
    if (!sign || !number(r, 2, 0, 14, &hours) || !take(r, ':') || !number(r, 2, 0, 59, &minutes))
        return false;
    d->has_zone = true;
    d->zone_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool path_date_parse(str text, enum path_date_kind kind, struct path_date *out)
{
    struct reader r = { text, 0 };
    struct path_date d = { .kind = kind, .month = 1, .day = 1 };
    if (kind == PATH_TIME_ONLY) {
        if (!read_time(&r, &d))
            return false;
    } else if (!read_date(&r, &d)) {
        return false;
    } else if (kind == PATH_DATE_AND_TIME && take(&r, 'T') && r.at < text.n) {
        if (d.precision != PATH_DAY || !read_time(&r, &d) || !read_zone(&r, &d))
            return false;
    }
    if (r.at != text.n)
        return false;
    *out = d;
    return true;
}

static void write_time(char *out, size_t size, const struct path_date *d)
{
    int n = snprintf(out, size, "%02d", d->hour);
    if (d->precision >= PATH_MINUTE)
        n += snprintf(out + n, size - (size_t)n, ":%02d", d->minute);
    if (d->precision >= PATH_SECOND)
        n += snprintf(out + n, size - (size_t)n, ":%02d", d->second);
    if (d->precision >= PATH_FRACTION) {
        char nano[16];
        snprintf(nano, sizeof nano, "%09d", d->nano);
        snprintf(out + n, size - (size_t)n, ".%.*s", d->fraction_digits, nano);
    }
}

str path_date_write(struct arena *arena, const struct path_date *d)
{
    char time[40] = "", zone[16] = "", date[40] = "";
    if (d->precision >= PATH_HOUR)
        write_time(time, sizeof time, d);
    if (d->kind == PATH_TIME_ONLY)
        return arena_copy(arena, str_of(time));
    if (d->precision == PATH_YEAR)
        snprintf(date, sizeof date, "%04d", d->year);
    else if (d->precision == PATH_MONTH)
        snprintf(date, sizeof date, "%04d-%02d", d->year, d->month);
    else
        snprintf(date, sizeof date, "%04d-%02d-%02d", d->year, d->month, d->day);
    int minutes = d->zone_minutes < 0 ? -d->zone_minutes : d->zone_minutes;
    if (d->has_zone && minutes == 0)
        snprintf(zone, sizeof zone, "Z");
    else if (d->has_zone)
        snprintf(zone, sizeof zone, "%c%02d:%02d", d->zone_minutes < 0 ? '-' : '+', minutes / 60,
                 minutes % 60);
    return arena_printf(arena, "%s%s%s%s", date, time[0] ? "T" : "", time, time[0] ? zone : "");
}

/* Seconds since 1970 in UTC, as if in zone `zone_minutes`. */
static int64_t seconds_of(const struct path_date *d, int zone_minutes)
{
    struct clock_civil civil = { d->kind == PATH_TIME_ONLY ? 1970 : d->year, d->month, d->day,
                                 d->hour, d->minute, d->second, 0 };
    return clock_from_civil(civil) / 1000 - (int64_t)zone_minutes * 60;
}

static void set_seconds(struct path_date *d, int64_t seconds)
{
    struct clock_civil civil = clock_to_civil(seconds * 1000);
    d->year = civil.year;
    d->month = civil.month;
    d->day = civil.day;
    d->hour = civil.hour;
    d->minute = civil.minute;
    d->second = civil.second;
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* Component by component until one differs or the coarser one ends. */
static bool cmp_parts(const struct path_date *a, const struct path_date *b, int *out)
{
    const int left[] = { a->year, a->month, a->day, a->hour, a->minute };
    const int right[] = { b->year, b->month, b->day, b->hour, b->minute };
    int known = a->precision < b->precision ? (int)a->precision : (int)b->precision;
    for (int i = a->kind == PATH_TIME_ONLY ? 3 : 0; i < 5 && i < known; i++)
        if (left[i] != right[i]) {
            *out = order(left[i], right[i]);
            return true;
        }
    if (known < PATH_SECOND) {
        *out = 0;
        return a->precision == b->precision;
    }
    /* Seconds and their fraction count as one precision. */
    int seconds = order(a->second, b->second);
    *out = seconds ? seconds : order(a->nano, b->nano);
    return true;
}

static bool has_time(const struct path_date *d)
{
    return d->precision >= PATH_HOUR;
}

/* One has a zone, the other not: known only if every zone gives the same answer. */
static bool cmp_zone_unknown(const struct path_date *a, const struct path_date *b, int *out)
{
    int64_t first = seconds_of(a, a->has_zone ? a->zone_minutes : ZONE_EARLIEST);
    int64_t other = seconds_of(b, b->has_zone ? b->zone_minutes : ZONE_LATEST);
    int64_t last = seconds_of(a, a->has_zone ? a->zone_minutes : ZONE_LATEST);
    int64_t least = seconds_of(b, b->has_zone ? b->zone_minutes : ZONE_EARLIEST);
    enum { COARSE = 3600 }; /* an hour may be unknown in the coarser one */
    *out = last + COARSE < least ? -1 : 1;
    return last + COARSE < least || first > other + COARSE;
}

bool path_date_cmp(const struct path_date *a, const struct path_date *b, int *out)
{
    if (!has_time(a) || !has_time(b) || (!a->has_zone && !b->has_zone))
        return cmp_parts(a, b, out);
    if (a->has_zone != b->has_zone)
        return cmp_zone_unknown(a, b, out);
    struct path_date x = *a, y = *b;
    set_seconds(&x, seconds_of(a, a->zone_minutes));
    set_seconds(&y, seconds_of(b, b->zone_minutes));
    return cmp_parts(&x, &y, out);
}

bool path_date_same(const struct path_date *a, const struct path_date *b)
{
    int order_of = 1;
    int a_precision = a->precision == PATH_FRACTION ? PATH_SECOND : (int)a->precision;
    int b_precision = b->precision == PATH_FRACTION ? PATH_SECOND : (int)b->precision;
    return a_precision == b_precision && path_date_cmp(a, b, &order_of) && order_of == 0;
}

/* clang-format off */
struct unit {
    const char *name;
    enum path_precision precision;
    bool week, milli;
};
static const struct unit calendar[] = {
    { "year", PATH_YEAR, 0, 0 },   { "years", PATH_YEAR, 0, 0 },
    { "month", PATH_MONTH, 0, 0 }, { "months", PATH_MONTH, 0, 0 },
    { "week", PATH_DAY, 1, 0 },    { "weeks", PATH_DAY, 1, 0 },
    { "day", PATH_DAY, 0, 0 },     { "days", PATH_DAY, 0, 0 },
    { "hour", PATH_HOUR, 0, 0 },   { "hours", PATH_HOUR, 0, 0 },
    { "minute", PATH_MINUTE, 0, 0 }, { "minutes", PATH_MINUTE, 0, 0 },
    { "second", PATH_SECOND, 0, 0 }, { "seconds", PATH_SECOND, 0, 0 },
    { "millisecond", PATH_FRACTION, 0, 1 }, { "milliseconds", PATH_FRACTION, 0, 1 },
};
/* UCUM's units of a fixed length. 'mo' and 'a' are averages and may not be added to a date. */
static const struct unit fixed[] = {
    { "wk", PATH_DAY, 1, 0 }, { "d", PATH_DAY, 0, 0 }, { "h", PATH_HOUR, 0, 0 },
    { "min", PATH_MINUTE, 0, 0 }, { "s", PATH_SECOND, 0, 0 }, { "ms", PATH_FRACTION, 0, 1 },
};
/* clang-format on */

enum path_precision path_calendar_word(str unit, bool *week, bool *milli)
{
    for (size_t i = 0; i < COUNT(calendar); i++)
        if (str_eq(unit, str_of(calendar[i].name))) {
            *week = calendar[i].week;
            *milli = calendar[i].milli;
            return calendar[i].precision;
        }
    return PATH_NO_PRECISION;
}

static enum path_precision unit_of(str unit, bool *week, bool *milli)
{
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (str_eq(unit, str_of(fixed[i].name))) {
            *week = fixed[i].week;
            *milli = fixed[i].milli;
            return fixed[i].precision;
        }
    return path_calendar_word(unit, week, milli);
}

static enum path_date_sum add_months(struct path_date *d, int64_t months)
{
    int64_t at = (int64_t)d->year * 12 + d->month - 1 + months;
    if (at < 12 || at >= 10000 * 12)
        return PATH_DATE_OVERFLOW;
    d->year = (int)(at / 12);
    d->month = (int)(at % 12) + 1;
    int last = clock_month_days(d->year, d->month);
    d->day = d->day > last ? last : d->day;
    return PATH_DATE_SUM;
}

static enum path_date_sum add_millis(struct path_date *d, int64_t millis)
{
    int64_t nano = d->nano + millis % 1000 * 1000000, carry = millis / 1000;
    carry += nano >= NANO ? 1 : nano < 0 ? -1 : 0;
    d->nano = (int)(nano >= NANO ? nano - NANO : nano < 0 ? nano + NANO : nano);
    int64_t seconds = seconds_of(d, 0) + carry;
    if (d->kind == PATH_TIME_ONLY)
        seconds = (seconds % 86400 + 86400) % 86400;
    else if (seconds < -62135596800 || seconds >= 253402300800) /* years 1 to 9999 */
        return PATH_DATE_OVERFLOW;
    set_seconds(d, seconds);
    if (d->precision == PATH_FRACTION && millis % 1000 && d->fraction_digits < 3)
        d->fraction_digits = 3;
    return PATH_DATE_SUM;
}

/* A coarse date takes only whole units of its own precision: @2014 + 24 months is @2016. */
static enum path_date_sum add_to_coarse(struct path_date *d, int64_t millis)
{
    int64_t days = millis / 86400000;
    switch (d->precision) {
    case PATH_YEAR:
        return add_months(d, days / 365 * 12);
    case PATH_MONTH:
        return add_months(d, days / 30);
    case PATH_DAY:
        return add_millis(d, days * 86400000);
    case PATH_HOUR:
        return add_millis(d, millis / 3600000 * 3600000);
    case PATH_MINUTE:
        return add_millis(d, millis / 60000 * 60000);
    default:
        return add_millis(d, d->precision == PATH_SECOND ? millis / 1000 * 1000 : millis);
    }
}

enum path_date_sum path_date_add(struct path_date *d, struct decimal count, str unit)
{
    static const int64_t millis_of[] = { [PATH_DAY] = 86400000, [PATH_HOUR] = 3600000,
                                         [PATH_MINUTE] = 60000, [PATH_SECOND] = 1000,
                                         [PATH_FRACTION] = 1 };
    bool week = false, milli = false;
    enum path_precision precision = unit_of(unit, &week, &milli);
    int64_t whole, millis;
    if (precision == PATH_NO_PRECISION || (d->kind == PATH_TIME_ONLY && precision < PATH_HOUR))
        return PATH_DATE_WRONG_UNIT;
    if (!decimal_to_i64(decimal_truncate(count, 0), &whole) || whole > 4000000000000 ||
        whole < -4000000000000)
        return PATH_DATE_OVERFLOW;
    if (precision == PATH_YEAR)
        return add_months(d, whole * 12);
    if (precision == PATH_MONTH)
        return add_months(d, d->precision == PATH_YEAR ? whole / 12 * 12 : whole);
    if (__builtin_mul_overflow(whole, millis_of[precision] * (week ? 7 : 1), &millis))
        return PATH_DATE_OVERFLOW;
    return add_to_coarse(d, millis);
}

static const int digits_of[] = { 0, 4, 6, 8, 10, 12, 14, 17 };

int path_date_digits(const struct path_date *d)
{
    int digits = digits_of[d->precision];
    if (d->precision == PATH_FRACTION)
        digits = 14 + d->fraction_digits;
    return d->kind == PATH_TIME_ONLY ? digits - 8 : digits;
}

static void fill_high(struct path_date *d)
{
    bool hour_only = d->precision == PATH_HOUR; /* FHIR has no such precision: read as HH:00 */
    if (d->precision < PATH_MONTH)
        d->month = 12;
    if (d->precision < PATH_DAY)
        d->day = clock_month_days(d->year, d->month);
    if (d->precision < PATH_HOUR)
        d->hour = 23;
    if (d->precision < PATH_MINUTE)
        d->minute = hour_only ? 0 : 59;
    if (d->precision < PATH_SECOND)
        d->second = 59;
    if (d->precision < PATH_FRACTION)
        d->nano = 999000000;
}

bool path_date_boundary(struct path_date *d, bool high, int digits)
{
    int wanted = d->kind == PATH_TIME_ONLY ? digits + 8 : digits;
    enum path_precision precision = PATH_NO_PRECISION;
    for (int p = PATH_YEAR; p <= PATH_FRACTION; p++)
        if (digits_of[p] == wanted)
            precision = (enum path_precision)p;
    if (precision == PATH_NO_PRECISION || (d->kind == PATH_TIME_ONLY && precision < PATH_HOUR) ||
        (d->kind == PATH_DATE_ONLY && precision > PATH_DAY))
        return false;
    if (high)
        fill_high(d);
    if (precision >= PATH_HOUR && d->kind == PATH_DATE_AND_TIME && !d->has_zone) {
        d->has_zone = true;
        d->zone_minutes = high ? ZONE_LATEST : ZONE_EARLIEST;
    }
    d->precision = precision;
    d->fraction_digits = 3;
    return true;
}
