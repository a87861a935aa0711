/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/cbor.h"

/* The argument after the first byte; the shortest form alone is taken. */
static bool read_argument(str *rest, unsigned small, uint64_t *out)
{
    static const uint64_t least[] = { 24, 1u << 8, 1u << 16, (uint64_t)1 << 32 };
    if (small < 24) {
        *out = small;
        return true;
    }
    if (small > 27)
        return false; /* reserved, or a length not told beforehand */
    size_t bytes = (size_t)1 << (small - 24);
    uint64_t value = 0;
    if (rest->n < bytes)
        return false;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)rest->p[i];
    *rest = str_slice(*rest, bytes, rest->n);
    *out = value;
    return value >= least[small - 24];
}

bool cbor_read(str *rest, struct cbor_head *out)
{
    str after = *rest;
    if (after.n == 0)
        return false;
    unsigned first = (unsigned char)after.p[0];
    struct cbor_head head = { .major = (enum cbor_major)(first >> 5) };
    after = str_slice(after, 1, after.n);
    if (!read_argument(&after, first & 31, &head.value))
        return false;
    if (head.major == CBOR_BYTES || head.major == CBOR_TEXT) {
        if (head.value > after.n)
            return false;
        head.content = str_slice(after, 0, (size_t)head.value);
        after = str_slice(after, (size_t)head.value, after.n);
    }
    *rest = after;
    *out = head;
    return true;
}

static bool skip(str *rest, int depth)
{
    struct cbor_head head;
    if (depth > CBOR_DEPTH_MAX || !cbor_read(rest, &head))
        return false;
    uint64_t inside = head.major == CBOR_ARRAY ? head.value
                      : head.major == CBOR_TAG ? 1
                                               : 0;
    if (head.major == CBOR_MAP) {
        if (head.value > rest->n)
            return false;
        inside = head.value * 2;
    }
    for (uint64_t i = 0; i < inside; i++)
        if (!skip(rest, depth + 1))
            return false;
    return true;
}

bool cbor_item(str *rest, str *out)
{
    str before = *rest;
    if (!skip(rest, 0))
        return false;
    *out = str_slice(before, 0, before.n - rest->n);
    return true;
}

bool cbor_member(str map, str key, str *out)
{
    struct cbor_head head, name;
    str rest = map, value, found = { 0 };
    if (!cbor_read(&rest, &head) || head.major != CBOR_MAP)
        return false;
    for (uint64_t i = 0; i < head.value; i++) {
        if (!cbor_read(&rest, &name) || name.major != CBOR_TEXT || !cbor_item(&rest, &value))
            return false;
        if (!str_eq(name.content, key))
            continue;
        if (str_given(found))
            return false; /* twice */
        found = value;
    }
    if (rest.n || !str_given(found))
        return false;
    *out = found;
    return true;
}
