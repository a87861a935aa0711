/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "json/json.h"

/*
 * json_edit: a JSON value that can be changed, for patches. Only what is on the way to a change is
 * unfolded into slots; everything else stays a cursor into the document it came from.
 *
 * Errors   ERR_LIMIT when a value is nested deeper than JSON_DEPTH_MAX; these functions recurse.
 * Memory   the arena given; a value may stand in one place only: json_edit_copy for a second.
 */
struct json_edit {
    struct json source; /* as long as it is not open; absent: null */
    bool open, array;
    struct json_edit_slot {
        str key, key_text; /* of a member: unescaped, and as written with its quotes */
        struct json_edit *value;
    } *slots;
    size_t count, cap;
};

struct json_edit *json_edit_make(struct arena *arena, struct json value);
void json_edit_open(struct arena *arena, struct json_edit *value); /* nothing to do for a scalar */
bool json_edit_is_container(const struct json_edit *value);
/* Position of a member in an opened object; STR_NONE when there is none. */
size_t json_edit_find(const struct json_edit *object, str key);
void json_edit_insert(struct arena *arena, struct json_edit *container, size_t at, str key,
                      struct json_edit *value);
void json_edit_remove(struct json_edit *container, size_t at);
err json_edit_copy(struct ctx *cx, const struct json_edit *value, struct json_edit **out) MUST_USE;
err json_edit_same(struct ctx *cx, struct json_edit *value, struct json other, bool *out) MUST_USE;
/* Minified text, parsed again: the changed document. */
err json_edit_done(struct ctx *cx, const struct json_edit *value, struct json *out) MUST_USE;
