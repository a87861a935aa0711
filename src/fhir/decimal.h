/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/*
 * decimal: exact decimal numbers of up to 38 significant digits, with their precision: 1.10 is not
 * 1.1 when written, though equal when compared.
 *
 * Units    value = digits / 10^scale.
 * Errors   functions return false where the result cannot be represented (more than 38 digits
 *          before the point, division by zero); *out is then untouched. Digits behind the point
 *          that do not fit are rounded half away from zero.
 * Memory   plain values; only decimal_write allocates. Thread-safe.
 */
__extension__ typedef unsigned __int128 decimal_digits;
enum { DECIMAL_DIGITS_MAX = 38, DECIMAL_DIVIDE_DIGITS = 28 };

struct decimal {
    decimal_digits digits;
    int scale;     /* 0 to 38 */
    bool negative; /* may be true for zero: -0.0 keeps its sign when written */
};

struct decimal decimal_of(int64_t value);
/* JSON's number syntax plus a leading '+' and leading zeros; exponents are resolved. */
bool decimal_parse(str text, struct decimal *out);
str decimal_write(struct arena *arena, struct decimal d);
bool decimal_to_i64(struct decimal d, int64_t *out); /* false: has a fraction, or too large */
double decimal_to_double(struct decimal d);
/* Rounded to 15 significant digits. */
bool decimal_of_double(double value, struct decimal *out);

int decimal_cmp(struct decimal a, struct decimal b);
bool decimal_add(struct decimal a, struct decimal b, struct decimal *out);
bool decimal_sub(struct decimal a, struct decimal b, struct decimal *out);
bool decimal_mul(struct decimal a, struct decimal b, struct decimal *out);
/* Exact where 28 significant digits suffice, else rounded to that many. */
bool decimal_div(struct decimal a, struct decimal b, struct decimal *out);
bool decimal_mod(struct decimal a, struct decimal b, struct decimal *out); /* sign of a */
bool decimal_power(struct decimal base, int64_t exponent, struct decimal *out); /* exponent >= 0 */

/* The integer towards zero, down and up; places may exceed the scale (zeros are added). */
struct decimal decimal_truncate(struct decimal d, int places);
struct decimal decimal_floor(struct decimal d);
struct decimal decimal_ceiling(struct decimal d);
bool decimal_round(struct decimal d, int places, struct decimal *out);
/* Without trailing zeros behind the point. */
struct decimal decimal_strip(struct decimal d);
/* What the written precision leaves open: |d| plus or minus half a unit of its last place.
 * `outward` is away from zero. Rounded to `places`, towards zero when inward. False: does not
 * fit. */
bool decimal_boundary(struct decimal d, bool outward, int places, struct decimal *out);
