/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"
#include "json/keys.h"

/* A number as digits without zeros at either end, times ten to the exponent. */
struct decimal {
    const char *first, *last; /* the digits that count, both included; a point may lie between */
    int64_t exponent;         /* of the last digit; saturated far outside any sense */
    bool negative;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t read_exponent(str text)
{
    const int64_t far = INT64_MAX / 4;
    bool negative = text.n && text.p[0] == '-';
    int64_t value = 0;
    for (size_t i = 0; i < text.n; i++)
        if (is_digit(text.p[i]))
            value = value > far / 10 ? far : value * 10 + (text.p[i] - '0');
    return negative ? -value : value;
}

/* first is NULL for zero, whatever its sign and exponent. */
static struct decimal decimal(str text)
{
    struct decimal d = { .negative = text.p[0] == '-' };
    const char *end = text.p + text.n, *mark = text.p, *point = NULL;
    for (; mark < end && (*mark | 0x20) != 'e'; mark++) {
        if (*mark == '.')
            point = mark;
        if (*mark >= '1' && *mark <= '9') {
            d.first = d.first ? d.first : mark;
            d.last = mark;
        }
    }
    if (!d.first)
        return (struct decimal){ 0 };
    if (mark < end)
        d.exponent = read_exponent((str){ mark + 1, (size_t)(end - mark - 1) });
    if (!point)
        point = mark;
    d.exponent += d.last < point ? point - d.last - 1 : point - d.last;
    return d;
}

static bool same_number(str x, str y)
{
    struct decimal a = decimal(x), b = decimal(y);
    if (!a.first || !b.first)
        return a.first == b.first;
    if (a.negative != b.negative || a.exponent != b.exponent)
        return false;
    const char *p = a.first, *q = b.first;
    for (; p <= a.last && q <= b.last; p++, q++) {
        p += *p == '.';
        q += *q == '.';
        if (*p != *q)
            return false;
    }
    return p > a.last && q > b.last;
}

static bool same_array(struct json a, struct json b, bool exact)
{
    struct json_walk x = json_walk(a), y = json_walk(b);
    for (;;) {
        bool more = json_next(&x);
        if (more != json_next(&y))
            return false;
        if (!more)
            return true;
        if (!json_same(x.value, y.value, exact))
            return false;
    }
}

/* Large objects are sorted in memory of their own, so that hostile ones stay cheap. */
static bool same_sorted(struct json a, struct json b, bool exact)
{
    struct arena arena = arena_make(SIZE_MAX);
    size_t m, n;
    struct json_member *x = json_keys_sorted(&arena, a, &m);
    struct json_member *y = json_keys_sorted(&arena, b, &n);
    bool same = m == n;
    for (size_t i = 0; same && i < m; i++)
        same = str_eq(x[i].key, y[i].key) && json_same((struct json){ a.doc, x[i].at + 1 },
                                                       (struct json){ b.doc, y[i].at + 1 }, exact);
    arena_free(&arena);
    return same;
}

static struct json find(struct json object, struct json key)
{
    for (struct json_walk w = json_walk(object); json_next(&w);)
        if (json_keys_equal(w.key, key))
            return w.value;
    return (struct json){ 0 };
}

static bool same_object(struct json a, struct json b, bool exact)
{
    size_t count = json_count(a);
    if (count != json_count(b))
        return false;
    if (count > JSON_KEYS_FEW)
        return same_sorted(a, b, exact);
    struct json_walk x = json_walk(a), y = json_walk(b);
    while (json_next(&x) && json_next(&y)) {
        struct json other = json_keys_equal(x.key, y.key) ? y.value : find(b, x.key);
        if (!json_same(x.value, other, exact))
            return false;
    }
    return true;
}

static bool same_string(struct json a, struct json b)
{
    return json_keys_equal(a, b);
}

bool json_same(struct json a, struct json b, bool exact)
{
    if (json_kind(a) != json_kind(b))
        return false;
    switch (json_kind(a)) {
    case JSON_NUMBER:
        return exact ? str_eq(json_text(a), json_text(b)) : same_number(json_text(a), json_text(b));
    case JSON_STRING: return same_string(a, b);
    case JSON_ARRAY: return same_array(a, b, exact);
    case JSON_OBJECT: return same_object(a, b, exact);
    default: return true;
    }
}
