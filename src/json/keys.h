/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"

/*
 * json_keys: notices a key that an object has twice, comparing after escapes are resolved.
 *
 * Shapes   the first JSON_KEYS_FEW keys are compared as they come, most of them not at all thanks
 *          to a mask of what was seen; a larger object is sorted once at its end, so that no
 *          object, however hostile its keys, costs more than n log n.
 */
enum { JSON_KEYS_FEW = 32 };
struct json_keys {
    uint64_t seen;   /* one of 64 bits a key, by hash */
    uint32_t first;  /* node of the first key */
    uint32_t count;
};
/* `key` is the newest node of doc; false: it is there already. */
bool json_keys_add(struct json_keys *keys, const struct json_doc *doc, uint32_t key);
/* After the last member: the node of a repeated key, 0 for none. */
uint32_t json_keys_end(const struct json_keys *keys, struct json_doc *doc, struct arena *arena);

/* Two keys (or strings) as their readers see them. */
bool json_keys_equal(struct json a, struct json b);

/* The members of `object` sorted by key, in the arena; the number of them in *count. */
struct json_member {
    str key;
    uint32_t at; /* node of the key */
};
struct json_member *json_keys_sorted(struct arena *arena, struct json object, size_t *count);
