/* SPDX-License-Identifier: Apache-2.0 */
#include "store/value.h"
#include "base/clock.h"
#include <stdlib.h>
#include <utf8proc.h>

#define DAY_MS 86400000LL

/* Reads exactly `digits` digits at *at. */
static bool take_digits(str text, size_t *at, size_t digits, int *out)
{
    if (text.n < *at + digits)
        return false;
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text.p[*at + i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += digits;
    *out = value;
    return true;
}

static bool take_char(str text, size_t *at, char what)
{
    if (*at >= text.n || text.p[*at] != what)
        return false;
    ++*at;
    return true;
}

/* "Z", "+01:00" or nothing; a '+' that a form decoder made a space is accepted. */
static bool take_zone(str text, size_t *at, int *minutes)
{
    int hour = 0, minute = 0;
    *minutes = 0;
    if (*at == text.n)
        return true;
    if (take_char(text, at, 'Z'))
        return *at == text.n;
    int sign = take_char(text, at, '-') ? -1 : 1;
    if (sign == 1 && !take_char(text, at, '+') && !take_char(text, at, ' '))
        return false;
    if (!take_digits(text, at, 2, &hour) || !take_char(text, at, ':') ||
        !take_digits(text, at, 2, &minute) || hour > 14 || minute > 59)
        return false;
    *minutes = sign * (hour * 60 + minute);
    return *at == text.n;
}

/* Fractions of a second: ms are kept, further digits are dropped. */
static bool take_fraction(str text, size_t *at, int *ms)
{
    int scale = 100, digits = 0;
    *ms = 0;
    for (; *at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9'; ++*at, digits++) {
        *ms += (text.p[*at] - '0') * scale;
        scale /= 10;
    }
    return digits > 0;
}

static bool take_time(str text, size_t at, struct clock_civil day, struct value_span *out)
{
    struct clock_civil c = day;
    enum index_at precision = AT_MINUTE;
    int zone = 0;
    if (!take_digits(text, &at, 2, &c.hour) || !take_char(text, &at, ':') ||
        !take_digits(text, &at, 2, &c.minute) || c.hour > 24 || c.minute > 59)
        return false;
    if (take_char(text, &at, ':')) {
        precision = AT_SECOND;
        if (!take_digits(text, &at, 2, &c.second) || c.second > 60)
            return false;
        c.second = c.second > 59 ? 59 : c.second;
        if (take_char(text, &at, '.')) {
            precision = AT_MS;
            if (!take_fraction(text, &at, &c.ms))
                return false;
        }
    }
    if (!take_zone(text, &at, &zone))
        return false;
    int64_t lo = clock_from_civil(c) - (int64_t)zone * 60000;
    int64_t width = precision == AT_MS ? 1 : precision == AT_SECOND ? 1000 : 60000;
    *out = (struct value_span){ lo, lo + width - 1, precision };
    return true;
}

bool value_date(str text, struct value_span *out)
{
    size_t at = 0;
    struct clock_civil c = { .month = 1, .day = 1 };
    if (!take_digits(text, &at, 4, &c.year) || c.year < 1)
        return false;
    if (at == text.n) {
        int64_t lo = clock_from_civil(c);
        c.month = 12, c.day = 31;
        *out = (struct value_span){ lo, clock_from_civil(c) + DAY_MS - 1, AT_YEAR };
        return true;
    }
    if (!take_char(text, &at, '-') || !take_digits(text, &at, 2, &c.month) || c.month < 1 ||
        c.month > 12)
        return false;
    int days = clock_month_days(c.year, c.month);
    if (at == text.n) {
        int64_t lo = clock_from_civil(c);
        *out = (struct value_span){ lo, lo + days * DAY_MS - 1, AT_MONTH };
        return true;
    }
    if (!take_char(text, &at, '-') || !take_digits(text, &at, 2, &c.day) || c.day < 1 ||
        c.day > days)
        return false;
    if (at == text.n) {
        int64_t lo = clock_from_civil(c);
        *out = (struct value_span){ lo, lo + DAY_MS - 1, AT_DAY };
        return true;
    }
    return take_char(text, &at, 'T') && take_time(text, at, c, out);
}

int64_t value_at(struct value_span span)
{
    return span.lo * 8 + (int64_t)span.precision;
}

int64_t index_at_hi(int64_t at)
{
    int64_t lo = index_at_lo(at);
    switch (index_at_precision(at)) {
    case AT_MS: return lo;
    case AT_SECOND: return lo + 999;
    case AT_MINUTE: return lo + 59999;
    case AT_DAY: return lo + DAY_MS - 1;
    case AT_MONTH: {
        struct clock_civil c = clock_to_civil(lo);
        return lo + clock_month_days(c.year, c.month) * DAY_MS - 1;
    }
    case AT_YEAR: {
        struct clock_civil c = clock_to_civil(lo);
        return lo + (clock_month_days(c.year, 2) == 29 ? 366 : 365) * DAY_MS - 1;
    }
    case AT_OTHER: break;
    }
    return DAY_MAX;
}

static const int64_t class_ms[] = { DAY_MS, 32 * DAY_MS, 400 * DAY_MS, 14610 * DAY_MS, INT64_MAX };

int value_span_class(int64_t lo, int64_t hi)
{
    int class = 0;
    while (hi - lo >= class_ms[class])
        class++;
    return class;
}

int64_t value_class_ms(int span_class)
{
    return class_ms[span_class];
}

/* The decimal's digits with `tail` ('5' half a unit of the last place) written after them, as a
 * double nearest to that decimal: so the index and the bounds round alike. */
static double with_half(const char *digits, size_t count, bool negative, bool up, long exponent)
{
    char text[80];
    size_t n = 0;
    unsigned carry = 0;
    char scaled[64];
    memcpy(scaled, digits, count);
    scaled[count] = '5';
    if (!up) { /* digits*10 - 5 is (digits-1)*10 + 5 */
        size_t i = count;
        carry = 1;
        while (carry && i > 0) {
            carry = scaled[i - 1] == '0';
            scaled[i - 1] = (char)(carry ? '9' : scaled[i - 1] - 1);
            i--;
        }
        if (carry) { /* below zero: -5 in the next place */
            memset(scaled, '0', count);
            negative = !negative;
        }
    }
    if (negative)
        text[n++] = '-';
    memcpy(text + n, scaled, count + 1);
    n += count + 1;
    snprintf(text + n, sizeof text - n, "e%ld", exponent - 1);
    return strtod(text, NULL);
}

/* Splits [-+]digits[.digits][e[+-]digits] into its digits and the exponent of the last one. */
static bool take_decimal(str text, char digits[40], size_t *count, bool *negative, long *exponent)
{
    size_t at = 0;
    bool any = false, point = false;
    *count = 0;
    *exponent = 0;
    *negative = take_char(text, &at, '-');
    if (!*negative)
        take_char(text, &at, '+');
    for (; at < text.n && ((text.p[at] >= '0' && text.p[at] <= '9') || text.p[at] == '.'); at++) {
        if (text.p[at] == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        any = true;
        if (*count < 36)
            digits[(*count)++] = text.p[at], *exponent -= point;
        else
            *exponent += !point;
    }
    if (!any || text.p[at - 1] == '.')
        return false;
    if (at == text.n)
        return true;
    int sign = 1;
    uint64_t e = 0;
    if (text.p[at] != 'e' && text.p[at] != 'E')
        return false;
    at++;
    if (take_char(text, &at, '-'))
        sign = -1;
    else
        take_char(text, &at, '+');
    if (!str_to_u64(str_slice(text, at, text.n), &e) || e > 400)
        return false;
    *exponent += sign * (long)e;
    return true;
}

bool value_number(str text, struct value_number *out)
{
    char digits[40], plain[64];
    size_t count;
    bool negative;
    long exponent;
    if (text.n == 0 || text.n > 200 || !take_decimal(text, digits, &count, &negative, &exponent))
        return false;
    snprintf(plain, sizeof plain, "%s%.*se%ld", negative ? "-" : "", (int)count, digits, exponent);
    double lo = with_half(digits, count, negative, negative, exponent);
    double hi = with_half(digits, count, negative, !negative, exponent);
    *out = (struct value_number){ strtod(plain, NULL), lo, hi };
    return true;
}

str value_cut(str text)
{
    if (text.n <= INDEX_TEXT_MAX)
        return text;
    size_t n = INDEX_TEXT_MAX;
    while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    return (str){ text.p, n };
}

/* Runs of white space become one space; those at the ends go. In place. */
static str collapse(char *p, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        bool space = p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r');
        if (!space)
            p[to++] = p[i];
        else if (to > 0 && p[to - 1] != ' ')
            p[to++] = ' ';
    }
    while (to > 0 && p[to - 1] == ' ')
        to--;
    return (str){ p, to };
}

/* Full folding by Unicode's tables; the caller has seen a byte past ASCII. */
static str fold_unicode(struct arena *arena, str text)
{
    enum { ROOM = 4 * INDEX_TEXT_MAX };
    utf8proc_int32_t points[ROOM + 1];
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                  UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE;
    utf8proc_ssize_t count = utf8proc_decompose((const utf8proc_uint8_t *)text.p,
                                                (utf8proc_ssize_t)text.n, points, ROOM, how);
    if (count < 0 || count > ROOM)
        return text;
    utf8proc_ssize_t bytes = utf8proc_reencode(points, count, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (bytes < 0)
        return text;
    str folded = arena_copy(arena, (str){ (const char *)points, (size_t)bytes });
    return collapse((char *)(uintptr_t)folded.p, folded.n);
}

str value_fold(struct arena *arena, str text)
{
    text = value_cut(text);
    bool same = true, ascii = true;
    for (size_t i = 0; i < text.n && ascii; i++) {
        char c = text.p[i];
        ascii = (unsigned char)c < 0x80;
        bool lone_space = c == ' ' && i > 0 && i + 1 < text.n && text.p[i + 1] != ' ';
        same = same && !(c >= 'A' && c <= 'Z') && (c > ' ' || lone_space);
    }
    if (!ascii)
        return value_cut(fold_unicode(arena, text));
    if (same)
        return text;
    char *p = arena_alloc(arena, text.n + 1);
    for (size_t i = 0; i < text.n; i++)
        p[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + 32 : text.p[i]);
    return collapse(p, text.n);
}
