/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/edit.h"

/*
 * patch_spot: a place in a resource that is being changed, with both halves of a primitive: its
 * value under "name" and what is said about it under "_name".
 */
struct patch_spot {
    struct json_edit *parent; /* the object that has the element; NULL: the resource itself */
    str name;                 /* JSON name, without '_' */
    size_t index;             /* in an array; STR_NONE when it is not in one */
};
struct patch_value {
    struct json_edit *value, *more; /* NULL: nothing in this half */
    str type_suffix;                /* "Quantity" of valueQuantity; not given for made objects */
};

/* The spot of a node of the document `root` was made from; false when it is not in it. */
bool patch_spot_find(struct arena *arena, struct json_edit *root, struct json node,
                     struct patch_spot *out);
struct json_edit *patch_spot_get(const struct patch_spot *spot); /* the value, or its array */
size_t patch_spot_count(const struct patch_spot *spot);          /* items of the spot's array */
struct json_edit *patch_object(struct arena *arena);             /* a new one, empty */

void patch_spot_set(struct arena *arena, struct patch_spot spot, struct patch_value value);
void patch_spot_insert(struct arena *arena, struct patch_spot spot, struct patch_value value);
void patch_spot_remove(struct arena *arena, struct patch_spot spot, struct patch_value *taken);
/* The object that holds what is said about a primitive, made when there is none. */
struct json_edit *patch_spot_more(struct arena *arena, struct patch_spot spot);
/* Takes away containers that hold nothing any more. */
void patch_prune(struct json_edit *value);
