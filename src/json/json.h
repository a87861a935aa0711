/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * json: reads JSON text into a tape of nodes that point back into it. Numbers stay text.
 *
 * Source   RFC 8259, stricter where FHIR needs it: duplicate keys, lone surrogates, invalid UTF-8,
 *          a byte-order mark and anything after the value are refused, with line and column.
 * Shapes   the tape is depth-first: an object is followed by key, value, key, value ...; an array
 *          by its items. `next` of a node is the index of the first node after all of it, so
 *          skipping is one step. struct json is a cursor (16 bytes, by value); a cursor with doc
 *          NULL is "absent" and every function accepts it.
 * Missing  json_get of an absent key, or of something not an object, is the absent cursor.
 * Memory   nodes in the arena given; strings without escapes are slices of the input, which must
 *          outlive the doc.
 * Limits   JSON_DEPTH_MAX nested levels; text under 4 GiB. Thread-safe once parsed.
 */
enum { JSON_DEPTH_MAX = 500 };
enum json_kind {
    JSON_ABSENT, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
};

struct json_node {
    uint32_t start, length; /* text within the quotes, or the number's; whole text of a container */
    uint32_t next;
    uint8_t kind;           /* enum json_kind; an object's keys are JSON_STRING */
    bool escaped;           /* the string holds backslashes: read it with json_string */
    uint16_t line_hint;     /* unused, 0 */
};
struct json_doc {
    str text;
    struct json_node *nodes;
    uint32_t count;
};
struct json {
    const struct json_doc *doc;
    uint32_t at;
};

/* ERR_INVALID names line, column and what was expected; ERR_LIMIT: too deep. */
err json_parse(struct ctx *cx, str text, struct json *out) MUST_USE;

static inline struct json_node *json_node(struct json v) { return &v.doc->nodes[v.at]; }
static inline enum json_kind json_kind(struct json v)
{
    return v.doc ? (enum json_kind)json_node(v)->kind : JSON_ABSENT;
}
static inline bool json_is(struct json v, enum json_kind kind) { return json_kind(v) == kind; }

/* The text as received: a string with its quotes, a container from bracket to bracket. */
str json_text(struct json v);
/* A string's content with escapes resolved (copied only if there are any); a number's or boolean's
 * text; { NULL, 0 } for anything else. */
str json_string(struct arena *arena, struct json v);
bool json_string_is(struct json v, str expected); /* a string equal to `expected`; no copying */

struct json json_get(struct json object, str key);
struct json json_at(struct json array, size_t index);
size_t json_count(struct json container); /* items, or members; 0 for anything else */

/* Walks a container: for (struct json_walk w = json_walk(v); json_next(&w);) w.key, w.value ... */
struct json_walk {
    struct json key, value; /* key absent in arrays */
    uint32_t at, end;
    bool object;
};
struct json_walk json_walk(struct json container);
bool json_next(struct json_walk *walk);

/* Compares by meaning: member order ignored, numbers by value (1.0 equals 1.00), or by their text
 * when `exact`. */
bool json_same(struct json a, struct json b, bool exact);

/* JSON Pointer, RFC 6901; absent when it leads nowhere, ERR_INVALID when it is malformed. */
err json_pointer(struct ctx *cx, struct json root, str pointer, struct json *out) MUST_USE;
/* Takes the next token off a pointer, unescaped: false at its end. The token is { NULL, 0 } when
 * the pointer is malformed there. */
bool json_pointer_next(struct arena *arena, str *pointer, str *token);
