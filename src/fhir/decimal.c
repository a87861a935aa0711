/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/decimal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef decimal_digits digits;

static digits power_of_ten(int n)
{
    digits p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static int digits_count(digits d)
{
    int n = 0;
    for (; d > UINT64_MAX; d /= 10)
        n++;
    for (uint64_t small = (uint64_t)d; small; small /= 10)
        n++;
    return n;
}

/* Drops the last `count` digits, half away from zero. */
static digits rounded(digits d, int count)
{
    if (count <= 0)
        return d;
    if (count > DECIMAL_DIGITS_MAX)
        return 0;
    digits unit = power_of_ten(count), rest = d % unit;
    return d / unit + (rest >= unit - rest ? 1 : 0);
}

struct decimal decimal_of(int64_t value)
{
    bool negative = value < 0;
    uint64_t size = negative ? 0 - (uint64_t)value : (uint64_t)value;
    return (struct decimal){ .digits = size, .negative = negative };
}

/* Reads digits and point; digits past the 38th behind the point are dropped (rounded). */
static bool parse_digits(str text, size_t *at, struct decimal *d)
{
    bool seen = false, point = false;
    int round_up = -1;
    for (; *at < text.n; ++*at) {
        char c = text.p[*at];
        if (c == '.' && !point && seen) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        seen = true;
        if (digits_count(d->digits) < DECIMAL_DIGITS_MAX && d->scale < DECIMAL_DIGITS_MAX) {
            d->digits = d->digits * 10u + (unsigned)(c - '0');
            d->scale += point;
        } else if (!point) {
            return false;
        } else if (round_up < 0) {
            round_up = c >= '5';
        }
    }
    d->digits += round_up == 1;
    return seen && text.p[*at - 1] != '.';
}

static bool apply_exponent(struct decimal *d, int64_t exponent)
{
    for (; exponent > 0 && d->scale > 0; exponent--)
        d->scale--;
    for (; exponent < 0 && d->scale < DECIMAL_DIGITS_MAX; exponent++)
        d->scale++;
    if (exponent < 0) {
        d->digits = rounded(d->digits, exponent < -DECIMAL_DIGITS_MAX ? DECIMAL_DIGITS_MAX + 1
                                                                      : (int)-exponent);
        return true;
    }
    for (; exponent > 0 && d->digits; exponent--) {
        if (digits_count(d->digits) >= DECIMAL_DIGITS_MAX)
            return false;
        d->digits *= 10;
    }
    return true;
}

bool decimal_parse(str text, struct decimal *out)
{
    struct decimal d = { 0 };
    size_t at = 0;
    if (at < text.n && (text.p[at] == '-' || text.p[at] == '+'))
        d.negative = text.p[at++] == '-';
    if (!parse_digits(text, &at, &d))
        return false;
    if (at < text.n && (text.p[at] == 'e' || text.p[at] == 'E')) {
        int64_t exponent = 0;
        str rest = str_slice(text, at + 1, text.n);
        if (rest.n && rest.p[0] == '+')
            rest = str_slice(rest, 1, rest.n);
        if (rest.n > 6 || !str_to_i64(rest, &exponent) || !apply_exponent(&d, exponent))
            return false;
        at = text.n;
    }
    if (at != text.n)
        return false;
    *out = d;
    return true;
}

str decimal_write(struct arena *arena, struct decimal d)
{
    char *p = arena_alloc(arena, DECIMAL_DIGITS_MAX * 2 + 4);
    char *end = p + DECIMAL_DIGITS_MAX * 2 + 4, *at = end;
    int left = d.scale;
    do {
        *--at = (char)('0' + (int)(d.digits % 10));
        d.digits /= 10;
        if (--left == 0)
            *--at = '.';
    } while (d.digits || left >= 0);
    if (d.negative)
        *--at = '-';
    return (str){ at, (size_t)(end - at) };
}

bool decimal_to_i64(struct decimal d, int64_t *out)
{
    d = decimal_strip(d);
    if (d.scale || d.digits > (digits)INT64_MAX)
        return false;
    *out = d.negative ? -(int64_t)d.digits : (int64_t)d.digits;
    return true;
}

double decimal_to_double(struct decimal d)
{
    long double value = (long double)d.digits / powl(10.0L, (long double)d.scale);
    return (double)(d.negative ? -value : value);
}

bool decimal_of_double(double value, struct decimal *out)
{
    char text[64];
    if (!isfinite(value))
        return false;
    snprintf(text, sizeof text, "%.15g", value);
    return decimal_parse(str_of(text), out);
}

static int cmp_digits(digits a, digits b)
{
    return a < b ? -1 : a > b;
}

int decimal_cmp(struct decimal a, struct decimal b)
{
    if (a.digits == 0 && b.digits == 0)
        return 0;
    if (a.digits == 0 || b.digits == 0 || a.negative != b.negative) {
        bool less = a.digits == 0 ? !b.negative : a.negative;
        return less ? -1 : 1;
    }
    if (a.scale == b.scale)
        return a.negative ? cmp_digits(b.digits, a.digits) : cmp_digits(a.digits, b.digits);
    digits a_unit = power_of_ten(a.scale), b_unit = power_of_ten(b.scale);
    int whole = cmp_digits(a.digits / a_unit, b.digits / b_unit);
    if (whole == 0) {
        int scale = a.scale > b.scale ? a.scale : b.scale;
        whole = cmp_digits(a.digits % a_unit * power_of_ten(scale - a.scale),
                           b.digits % b_unit * power_of_ten(scale - b.scale));
    }
    return a.negative ? -whole : whole;
}

/* Brings both to one scale, giving up digits behind the point where 38 do not hold them. */
static void align(struct decimal *a, struct decimal *b)
{
    if (a->scale > b->scale) {
        align(b, a);
        return;
    }
    while (a->scale < b->scale && digits_count(a->digits) < DECIMAL_DIGITS_MAX) {
        a->digits *= 10;
        a->scale++;
    }
    b->digits = rounded(b->digits, b->scale - a->scale);
    b->scale = a->scale;
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *out)
{
    align(&a, &b);
    struct decimal sum = { .scale = a.scale, .negative = a.negative };
    if (a.negative == b.negative) {
        sum.digits = a.digits + b.digits; /* two of 38 digits fit in 128 bits */
    } else if (a.digits >= b.digits) {
        sum.digits = a.digits - b.digits;
        sum.negative = sum.digits && a.negative;
    } else {
        sum.digits = b.digits - a.digits;
        sum.negative = b.negative;
    }
    if (digits_count(sum.digits) > DECIMAL_DIGITS_MAX) {
        if (sum.scale == 0)
            return false;
        sum.digits = rounded(sum.digits, 1);
        sum.scale--;
    }
    *out = sum;
    return true;
}

bool decimal_sub(struct decimal a, struct decimal b, struct decimal *out)
{
    b.negative = !b.negative;
    return decimal_add(a, b, out);
}

bool decimal_mul(struct decimal a, struct decimal b, struct decimal *out)
{
    while (digits_count(a.digits) + digits_count(b.digits) > DECIMAL_DIGITS_MAX ||
           a.scale + b.scale > DECIMAL_DIGITS_MAX) {
        struct decimal *finer = a.scale > b.scale ? &a : &b;
        if (finer->scale == 0)
            return false;
        finer->digits = rounded(finer->digits, 1);
        finer->scale--;
    }
    *out = (struct decimal){ .digits = a.digits * b.digits, .scale = a.scale + b.scale,
                             .negative = a.negative != b.negative };
    return true;
}

bool decimal_div(struct decimal a, struct decimal b, struct decimal *out)
{
    if (b.digits == 0)
        return false;
    digits quotient = a.digits / b.digits, rest = a.digits % b.digits;
    int scale = a.scale - b.scale;
    /* Long division, a digit at a time; `rest` times ten always fits unless b has all 38 digits. */
    while (rest && digits_count(quotient) < DECIMAL_DIVIDE_DIGITS && scale < DECIMAL_DIGITS_MAX) {
        if (digits_count(b.digits) >= DECIMAL_DIGITS_MAX) {
            b.digits = rounded(b.digits, 1);
            rest = rounded(rest, 1);
        }
        rest *= 10;
        quotient = quotient * 10 + rest / b.digits;
        rest %= b.digits;
        scale++;
    }
    quotient += rest >= b.digits - rest && rest ? 1 : 0;
    while (scale < 0) {
        if (digits_count(quotient) >= DECIMAL_DIGITS_MAX)
            return false;
        quotient *= 10;
        scale++;
    }
    *out = decimal_strip((struct decimal){ .digits = quotient, .scale = scale,
                                           .negative = quotient && a.negative != b.negative });
    return true;
}

bool decimal_mod(struct decimal a, struct decimal b, struct decimal *out)
{
    if (b.digits == 0)
        return false;
    struct decimal x = a, y = b;
    align(&x, &y);
    if (y.digits == 0)
        return false;
    *out = (struct decimal){ .digits = x.digits % y.digits, .scale = x.scale,
                             .negative = a.negative };
    return true;
}

bool decimal_power(struct decimal base, int64_t exponent, struct decimal *out)
{
    struct decimal result = decimal_of(1);
    for (; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) && !decimal_mul(result, base, &result))
            return false;
        if (exponent > 1 && !decimal_mul(base, base, &base))
            return false;
    }
    *out = result;
    return true;
}

struct decimal decimal_truncate(struct decimal d, int places)
{
    while (d.scale > places) {
        d.digits /= 10;
        d.scale--;
    }
    while (d.scale < places && digits_count(d.digits) < DECIMAL_DIGITS_MAX) {
        d.digits *= 10;
        d.scale++;
    }
    return d;
}

struct decimal decimal_floor(struct decimal d)
{
    struct decimal whole = decimal_truncate(d, 0);
    if (d.negative && decimal_cmp(whole, d) != 0)
        whole.digits++;
    whole.negative = whole.negative && whole.digits;
    return whole;
}

struct decimal decimal_ceiling(struct decimal d)
{
    struct decimal whole = decimal_truncate(d, 0);
    if (!d.negative && decimal_cmp(whole, d) != 0)
        whole.digits++;
    whole.negative = whole.negative && whole.digits;
    return whole;
}

bool decimal_round(struct decimal d, int places, struct decimal *out)
{
    if (places < 0 || places > DECIMAL_DIGITS_MAX)
        return false;
    if (d.scale > places) {
        d.digits = rounded(d.digits, d.scale - places);
        d.scale = places;
    }
    d.negative = d.negative && d.digits;
    *out = d;
    return true;
}

struct decimal decimal_strip(struct decimal d)
{
    while (d.scale > 0 && d.digits % 10 == 0) {
        d.digits /= 10;
        d.scale--;
    }
    return d;
}

bool decimal_boundary(struct decimal d, bool outward, int places, struct decimal *out)
{
    if (d.scale >= DECIMAL_DIGITS_MAX || digits_count(d.digits) >= DECIMAL_DIGITS_MAX)
        return false;
    struct decimal half = { .digits = 5, .scale = d.scale + 1 };
    struct decimal size = d, edge;
    size.negative = false;
    if (!(outward ? decimal_add(size, half, &edge) : decimal_sub(size, half, &edge)))
        return false;
    if (outward && edge.scale > places) {
        edge.digits = rounded(edge.digits, edge.scale - places);
        edge.scale = places;
    }
    edge = decimal_truncate(edge, places);
    if (edge.scale != places)
        return false;
    edge.negative = d.negative != edge.negative;
    *out = edge;
    return true;
}
