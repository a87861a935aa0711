/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"
#include "json/chars.h"

static const struct json absent = { 0 };

static str raw(struct json v)
{
    return (str){ v.doc->text.p + json_node(v)->start, json_node(v)->length };
}

str json_text(struct json v)
{
    if (!v.doc)
        return (str){ 0 };
    str text = raw(v);
    return json_is(v, JSON_STRING) ? (str){ text.p - 1, text.n + 2 } : text;
}

str json_string(struct arena *arena, struct json v)
{
    enum json_kind kind = json_kind(v);
    if (kind < JSON_FALSE || kind > JSON_STRING)
        return (str){ 0 };
    str text = raw(v);
    if (kind != JSON_STRING || !json_node(v)->escaped)
        return text;
    char *copy = arena_alloc(arena, text.n);
    return (str){ copy, json_unescape(text, copy) };
}

static bool escaped_is(str text, str expected)
{
    size_t i = 0, matched = 0;
    while (i < text.n) {
        char one[4] = { text.p[i] };
        size_t n = 1;
        i += text.p[i] == '\\' ? json_unescape_one(text.p + i, one, &n) : 1;
        if (expected.n - matched < n || memcmp(expected.p + matched, one, n) != 0)
            return false;
        matched += n;
    }
    return matched == expected.n;
}

bool json_string_is(struct json v, str expected)
{
    if (!json_is(v, JSON_STRING))
        return false;
    str text = raw(v);
    return json_node(v)->escaped ? escaped_is(text, expected) : str_eq(text, expected);
}

struct json_walk json_walk(struct json container)
{
    enum json_kind kind = json_kind(container);
    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return (struct json_walk){ 0 };
    return (struct json_walk){ .value = { container.doc, 0 }, .at = container.at + 1,
                               .end = json_node(container)->next, .object = kind == JSON_OBJECT };
}

bool json_next(struct json_walk *walk)
{
    if (walk->at >= walk->end)
        return false;
    const struct json_doc *doc = walk->value.doc;
    if (walk->object)
        walk->key = (struct json){ doc, walk->at++ };
    walk->value = (struct json){ doc, walk->at };
    walk->at = doc->nodes[walk->at].next;
    return true;
}

struct json json_get(struct json object, str key)
{
    if (!json_is(object, JSON_OBJECT))
        return absent;
    const struct json_doc *doc = object.doc;
    uint32_t end = doc->nodes[object.at].next;
    for (uint32_t at = object.at + 1; at < end; at = doc->nodes[at + 1].next) {
        const struct json_node *node = &doc->nodes[at];
        if (node->length == key.n && !node->escaped) {
            if (key.n == 0 || memcmp(doc->text.p + node->start, key.p, key.n) == 0)
                return (struct json){ doc, at + 1 };
        } else if (node->escaped && json_string_is((struct json){ doc, at }, key)) {
            return (struct json){ doc, at + 1 };
        }
    }
    return absent;
}

struct json json_at(struct json array, size_t index)
{
    if (!json_is(array, JSON_ARRAY))
        return absent;
    for (struct json_walk w = json_walk(array); json_next(&w); index--)
        if (index == 0)
            return w.value;
    return absent;
}

size_t json_count(struct json container)
{
    size_t count = 0;
    for (struct json_walk w = json_walk(container); json_next(&w);)
        count++;
    return count;
}
