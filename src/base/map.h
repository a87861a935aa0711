/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"

/*
 * map: finds a number by a text, in an arena.
 *
 * Memory   keys are not copied: they must outlive the map. Limits: not thread-safe for writing.
 */
struct map_entry {
    str key;
    uint64_t hash, value;
};
struct map {
    struct arena *arena;
    struct map_entry *entries; /* open addressing; key.p NULL marks a free place */
    size_t count, cap;
};

struct map map_make(struct arena *arena);
bool map_get(const struct map *map, str key, uint64_t *out); /* false: absent, *out untouched */
void map_set(struct map *map, str key, uint64_t value);      /* adds or replaces */
/* True when the key was new; false when it was there (its value is put in *out, if given). */
bool map_add(struct map *map, str key, uint64_t value, uint64_t *out);
