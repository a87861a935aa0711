/* SPDX-License-Identifier: Apache-2.0 */
#include "json/keys.h"
#include "json/chars.h"

static str raw(const struct json_doc *doc, uint32_t node)
{
    return (str){ doc->text.p + doc->nodes[node].start, doc->nodes[node].length };
}

bool json_keys_equal(struct json a, struct json b)
{
    bool a_escaped = json_node(a)->escaped, b_escaped = json_node(b)->escaped;
    if (!b_escaped)
        return json_string_is(a, raw(b.doc, b.at));
    if (!a_escaped)
        return json_string_is(b, raw(a.doc, a.at));
    str x = raw(a.doc, a.at), y = raw(b.doc, b.at);
    size_t i = 0, j = 0;
    while (i < x.n && j < y.n) {
        char from[4] = { x.p[i] }, to[4] = { y.p[j] };
        size_t m = 1, n = 1;
        i += x.p[i] == '\\' ? json_unescape_one(x.p + i, from, &m) : 1;
        j += y.p[j] == '\\' ? json_unescape_one(y.p + j, to, &n) : 1;
        /* A raw character and its escape have as many bytes: read the rest of the raw one. */
        for (; m < n && i < x.n; m++)
            from[m] = x.p[i++];
        for (; n < m && j < y.n; n++)
            to[n] = y.p[j++];
        if (m != n || memcmp(from, to, m) != 0)
            return false;
    }
    return i == x.n && j == y.n;
}

/* Cheap and good enough for a mask: length, first and last four bytes. */
static uint64_t key_bit(str key)
{
    uint32_t head = 0, tail = 0;
    if (key.n >= 4) {
        memcpy(&head, key.p, 4);
        memcpy(&tail, key.p + key.n - 4, 4);
    } else {
        for (size_t i = 0; i < key.n; i++)
            head = head << 8 | (unsigned char)key.p[i];
    }
    uint64_t mixed = ((uint64_t)tail << 32 | head) ^ (uint64_t)key.n << 29;
    return (uint64_t)1 << (mixed * 0x9E3779B97F4A7C15 >> 58);
}

static bool seen_before(const struct json_keys *keys, const struct json_doc *doc, uint32_t key)
{
    for (uint32_t at = keys->first; at < key; at = doc->nodes[at + 1].next)
        if (json_keys_equal((struct json){ doc, at }, (struct json){ doc, key }))
            return true;
    return false;
}

bool json_keys_add(struct json_keys *keys, const struct json_doc *doc, uint32_t key)
{
    if (++keys->count > JSON_KEYS_FEW)
        return true; /* json_keys_end looks at all of them */
    if (doc->nodes[key].escaped) {
        keys->seen = UINT64_MAX; /* from here on every key is compared */
    } else {
        uint64_t bit = key_bit(raw(doc, key));
        if (!(keys->seen & bit)) {
            keys->seen |= bit;
            return true;
        }
    }
    return !seen_before(keys, doc, key);
}

static int by_key(const void *a, const void *b)
{
    const struct json_member *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static struct json_member *sorted(struct arena *arena, const struct json_doc *doc, uint32_t first,
                                  size_t count)
{
    struct json_member *members = arena_array(arena, count, sizeof *members);
    uint32_t at = first;
    for (size_t i = 0; i < count; i++, at = doc->nodes[at + 1].next)
        members[i] = (struct json_member){ json_string(arena, (struct json){ doc, at }), at };
    qsort(members, count, sizeof *members, by_key);
    return members;
}

struct json_member *json_keys_sorted(struct arena *arena, struct json object, size_t *count)
{
    *count = json_count(object);
    return sorted(arena, object.doc, object.at + 1, *count);
}

uint32_t json_keys_end(const struct json_keys *keys, struct json_doc *doc, struct arena *arena)
{
    if (keys->count <= JSON_KEYS_FEW)
        return 0;
    struct arena_mark mark = arena_mark(arena);
    struct json_member *members = sorted(arena, doc, keys->first, keys->count);
    uint32_t twice = 0;
    for (size_t i = 1; i < keys->count; i++)
        if (str_eq(members[i].key, members[i - 1].key) && (!twice || members[i].at < twice))
            twice = members[i].at;
    arena_rewind(arena, mark);
    return twice;
}
