/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/patch_spot.h"

static const struct json_edit null_value = { 0 }; /* an absent source is written as null */

static bool covers(struct json v, struct json node)
{
    return v.doc == node.doc && v.at <= node.at && node.at < json_node(v)->next;
}

bool patch_spot_find(struct arena *arena, struct json_edit *root, struct json node,
                     struct patch_spot *out)
{
    struct patch_spot spot = { .index = STR_NONE };
    struct json_edit *here = root;
    if (!node.doc || !covers(root->source, node))
        return false;
    while (here->source.at != node.at) {
        json_edit_open(arena, here);
        size_t i = 0;
        while (i < here->count && !covers(here->slots[i].value->source, node))
            i++;
        if (i == here->count)
            return false;
        if (here->array)
            spot.index = i;
        else
            spot = (struct patch_spot){ here, here->slots[i].key, STR_NONE };
        here = here->slots[i].value;
    }
    if (str_starts(spot.name, S("_")))
        spot.name = str_slice(spot.name, 1, spot.name.n);
    *out = spot;
    return true;
}

static struct json_edit *member(const struct json_edit *object, str name)
{
    size_t at = json_edit_find(object, name);
    return at == STR_NONE ? NULL : object->slots[at].value;
}

static str twin_name(struct arena *arena, str name)
{
    return arena_printf(arena, "_%.*s", STR_ARG(name));
}

struct json_edit *patch_spot_get(const struct patch_spot *spot)
{
    return member(spot->parent, spot->name);
}

struct json_edit *patch_object(struct arena *arena)
{
    struct json_edit *object = arena_zero(arena, sizeof *object);
    object->open = true;
    return object;
}

static struct json_edit *null_item(struct arena *arena)
{
    struct json_edit *item = arena_alloc(arena, sizeof *item);
    *item = null_value;
    return item;
}

static void put(struct arena *arena, struct json_edit *object, str name, struct json_edit *value)
{
    size_t at = json_edit_find(object, name);
    if (value && at == STR_NONE)
        json_edit_insert(arena, object, object->count, name, value);
    else if (value)
        object->slots[at].value = value;
    else if (at != STR_NONE)
        json_edit_remove(object, at);
}

static struct json_edit *array_of(struct arena *arena, struct json_edit *object, str name,
                                  bool make)
{
    struct json_edit *array = member(object, name);
    if (!array && make) {
        array = patch_object(arena);
        array->array = true;
        json_edit_insert(arena, object, object->count, name, array);
    }
    if (array)
        json_edit_open(arena, array);
    return array;
}

size_t patch_spot_count(const struct patch_spot *spot)
{
    struct json_edit *array = patch_spot_get(spot);
    if (!array || !array->array)
        return 0;
    return array->open ? array->count : json_count(array->source);
}

static void pad(struct arena *arena, struct json_edit *array, size_t count)
{
    while (array->count < count)
        json_edit_insert(arena, array, array->count, (str){ 0 }, null_item(arena));
}

/* One half of a value into one of the two arrays, made when there is something to put in it. */
static void insert_half(struct arena *arena, struct patch_spot spot, str name,
                        struct json_edit *half, bool replace)
{
    struct json_edit *array = array_of(arena, spot.parent, name, half != NULL);
    if (!array)
        return;
    pad(arena, array, spot.index + replace);
    half = half ? half : null_item(arena);
    if (replace)
        array->slots[spot.index].value = half;
    else
        json_edit_insert(arena, array, spot.index, (str){ 0 }, half);
}

void patch_spot_insert(struct arena *arena, struct patch_spot spot, struct patch_value value)
{
    insert_half(arena, spot, spot.name, value.value, false);
    insert_half(arena, spot, twin_name(arena, spot.name), value.more, false);
}

void patch_spot_set(struct arena *arena, struct patch_spot spot, struct patch_value value)
{
    str twin = twin_name(arena, spot.name);
    if (spot.index == STR_NONE) {
        put(arena, spot.parent, spot.name, value.value);
        put(arena, spot.parent, twin, value.more);
    } else {
        insert_half(arena, spot, spot.name, value.value, true);
        insert_half(arena, spot, twin, value.more, true);
    }
}

static struct json_edit *take(struct arena *arena, struct patch_spot spot, str name)
{
    struct json_edit *array = array_of(arena, spot.parent, name, false);
    if (!array || spot.index >= array->count)
        return NULL;
    struct json_edit *value = array->slots[spot.index].value;
    json_edit_remove(array, spot.index);
    return value;
}

void patch_spot_remove(struct arena *arena, struct patch_spot spot, struct patch_value *taken)
{
    str twin = twin_name(arena, spot.name);
    if (spot.index == STR_NONE) {
        *taken = (struct patch_value){ member(spot.parent, spot.name), member(spot.parent, twin),
                                       { 0 } };
        put(arena, spot.parent, spot.name, NULL);
        put(arena, spot.parent, twin, NULL);
    } else {
        *taken = (struct patch_value){ take(arena, spot, spot.name), take(arena, spot, twin),
                                       { 0 } };
    }
}

struct json_edit *patch_spot_more(struct arena *arena, struct patch_spot spot)
{
    str twin = twin_name(arena, spot.name);
    struct json_edit *more = member(spot.parent, twin);
    if (spot.index != STR_NONE) {
        struct json_edit *array = array_of(arena, spot.parent, twin, true);
        pad(arena, array, spot.index + 1);
        more = array->slots[spot.index].value;
        if (!json_edit_is_container(more))
            more = array->slots[spot.index].value = patch_object(arena);
    } else if (!more) {
        more = patch_object(arena);
        json_edit_insert(arena, spot.parent, spot.parent->count, twin, more);
    }
    json_edit_open(arena, more);
    return more;
}

static bool is_null(const struct json_edit *value)
{
    return !value->open && (!value->source.doc || json_is(value->source, JSON_NULL));
}

static bool holds_nothing(const struct json_edit *value)
{
    if (!value->open)
        return false;
    size_t nulls = 0;
    while (value->array && nulls < value->count && is_null(value->slots[nulls].value))
        nulls++;
    return nulls == value->count;
}

void patch_prune(struct json_edit *value)
{
    for (size_t i = value->open ? value->count : 0; i-- > 0;) {
        patch_prune(value->slots[i].value);
        if (holds_nothing(value->slots[i].value))
            json_edit_remove(value, i);
    }
}
