/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/decimal.h"

enum { DECIMAL_DIGITS_MAX = 64, DECIMAL_EXPONENT_MAX = 30 };

/* Digits without sign or point; the value is digits * 10^scale. */
struct parts {
    char digits[DECIMAL_DIGITS_MAX];
    int count, scale;
    bool negative;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_exponent(str text, size_t at, int *scale)
{
    str rest = str_slice(text, at, text.n);
    bool negative = rest.n > 0 && rest.p[0] == '-';
    if (rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+'))
        rest = str_slice(rest, 1, rest.n);
    uint64_t value;
    if (!str_to_u64(rest, &value) || value > DECIMAL_EXPONENT_MAX)
        return false;
    *scale += negative ? -(int)value : (int)value;
    return true;
}

static bool split(str text, struct parts *out)
{
    size_t i = text.n > 0 && text.p[0] == '-';
    bool point = false, digit_last = false;
    out->negative = i == 1;
    for (; i < text.n && (is_digit(text.p[i]) || (text.p[i] == '.' && digit_last)); i++) {
        digit_last = is_digit(text.p[i]);
        if (!digit_last && point)
            return false;
        if (digit_last && out->count == DECIMAL_DIGITS_MAX)
            return false;
        if (digit_last) {
            out->digits[out->count++] = text.p[i];
            out->scale -= point;
        }
        point |= !digit_last;
    }
    if (!digit_last)
        return false;
    if (i < text.n && (text.p[i] == 'e' || text.p[i] == 'E'))
        return read_exponent(text, i + 1, &out->scale);
    return i == text.n;
}

bool decimal_scaled(str text, int decimals, int64_t *out)
{
    struct parts parts = { 0 };
    if (!split(text, &parts))
        return false;
    int kept = parts.count + parts.scale + decimals; /* digits that make the whole number */
    int64_t value = 0;
    for (int i = 0; i < kept; i++) {
        int digit = i < parts.count ? parts.digits[i] - '0' : 0;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    if (kept >= 0 && kept < parts.count && parts.digits[kept] >= '5' &&
        __builtin_add_overflow(value, 1, &value))
        return false;
    *out = parts.negative ? -value : value;
    return true;
}

bool decimal_is_exact(str text, int decimals)
{
    struct parts parts = { 0 };
    if (!split(text, &parts))
        return false;
    int kept = parts.count + parts.scale + decimals;
    for (int i = kept < 0 ? 0 : kept; i < parts.count; i++)
        if (parts.digits[i] != '0')
            return false;
    return true;
}
