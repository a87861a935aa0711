/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include <string.h>

str str_of(const char *c_text)
{
    return c_text ? (str){ c_text, strlen(c_text) } : (str){ 0 };
}

bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(str a, str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int str_cmp(str a, str b)
{
    size_t shared = a.n < b.n ? a.n : b.n;
    int order = shared ? memcmp(a.p, b.p, shared) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_ends(str s, str suffix)
{
    return s.n >= suffix.n && str_eq(str_slice(s, s.n - suffix.n, s.n), suffix);
}

str str_slice(str s, size_t from, size_t to)
{
    to = to > s.n ? s.n : to;
    from = from > to ? to : from;
    return s.p ? (str){ s.p + from, to - from } : (str){ 0 };
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

str str_trim(str s)
{
    while (s.n && is_space(s.p[0]))
        s = (str){ s.p + 1, s.n - 1 };
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t str_find(str s, str what)
{
    if (what.n == 0)
        return 0;
    const char *at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
    return at ? (size_t)(at - s.p) : STR_NONE;
}

size_t str_find_char(str s, char what)
{
    const char *at = s.n ? memchr(s.p, what, s.n) : NULL;
    return at ? (size_t)(at - s.p) : STR_NONE;
}

bool str_next(str *s, char mark, str *head)
{
    if (!s->p)
        return false;
    size_t at = str_find_char(*s, mark);
    *head = str_slice(*s, 0, at);
    *s = at == STR_NONE ? (str){ 0 } : (str){ s->p + at + 1, s->n - at - 1 };
    return true;
}

bool str_to_u64(str s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool str_to_i64(str s, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t size;
    if (!str_to_u64(str_slice(s, negative, s.n), &size) || size > (uint64_t)INT64_MAX)
        return false;
    *out = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

uint64_t str_hash(str s)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ s.n, word;
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        memcpy(&word, s.p + i, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    word = 0;
    if (i < s.n)
        memcpy(&word, s.p + i, s.n - i);
    h = (h ^ word) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 29);
}
