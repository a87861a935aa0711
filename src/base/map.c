/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

struct map map_make(struct arena *arena)
{
    return (struct map){ .arena = arena };
}

/* The key's entry, or the free place where it belongs. */
static struct map_entry *place_of(struct map_entry *entries, size_t cap, str key, uint64_t hash)
{
    size_t at = hash & (cap - 1);
    while (entries[at].key.p && !(entries[at].hash == hash && str_eq(entries[at].key, key)))
        at = (at + 1) & (cap - 1);
    return &entries[at];
}

static void make_room(struct map *map)
{
    if ((map->count + 1) * 4 <= map->cap * 3)
        return;
    size_t cap = map->cap ? map->cap * 2 : 16;
    struct map_entry *entries = arena_array(map->arena, cap, sizeof *entries);
    for (size_t i = 0; i < map->cap; i++)
        if (map->entries[i].key.p)
            *place_of(entries, cap, map->entries[i].key, map->entries[i].hash) = map->entries[i];
    map->entries = entries;
    map->cap = cap;
}

bool map_get(const struct map *map, str key, uint64_t *out)
{
    if (!map->cap)
        return false;
    const struct map_entry *entry = place_of(map->entries, map->cap, key, str_hash(key));
    if (!entry->key.p)
        return false;
    *out = entry->value;
    return true;
}

bool map_add(struct map *map, str key, uint64_t value, uint64_t *out)
{
    make_room(map);
    uint64_t hash = str_hash(key);
    struct map_entry *entry = place_of(map->entries, map->cap, key, hash);
    if (entry->key.p) {
        if (out)
            *out = entry->value;
        return false;
    }
    *entry = (struct map_entry){ { key.p ? key.p : "", key.n }, hash, value };
    map->count++;
    return true;
}

void map_set(struct map *map, str key, uint64_t value)
{
    if (!map_add(map, key, value, NULL))
        place_of(map->entries, map->cap, key, str_hash(key))->value = value;
}
