/* SPDX-License-Identifier: Apache-2.0 */
#include "json/edit.h"
#include "json/write.h"

static err too_deep(struct ctx *cx)
{
    return ctx_failf(cx, ERR_LIMIT, S(""), "the result would be nested deeper than %d levels",
                     JSON_DEPTH_MAX);
}

struct json_edit *json_edit_make(struct arena *arena, struct json value)
{
    struct json_edit *edit = arena_zero(arena, sizeof *edit);
    edit->source = value;
    edit->array = json_is(value, JSON_ARRAY);
    return edit;
}

bool json_edit_is_container(const struct json_edit *value)
{
    return value->open || value->array || json_is(value->source, JSON_OBJECT);
}

void json_edit_open(struct arena *arena, struct json_edit *value)
{
    if (value->open || !json_edit_is_container(value))
        return;
    value->cap = json_count(value->source) + 1;
    value->slots = arena_array(arena, value->cap, sizeof *value->slots);
    for (struct json_walk w = json_walk(value->source); json_next(&w);)
        value->slots[value->count++] = (struct json_edit_slot){
            json_string(arena, w.key), json_text(w.key), json_edit_make(arena, w.value)
        };
    value->open = true;
}

size_t json_edit_find(const struct json_edit *object, str key)
{
    for (size_t i = 0; i < object->count; i++)
        if (str_eq(object->slots[i].key, key))
            return i;
    return STR_NONE;
}

static str quoted(struct arena *arena, str key)
{
    struct buf buf = buf_make(arena, SIZE_MAX);
    buf_char(&buf, '"');
    json_escape(&buf, key);
    buf_char(&buf, '"');
    return buf_str(&buf);
}

void json_edit_insert(struct arena *arena, struct json_edit *container, size_t at, str key,
                      struct json_edit *value)
{
    container->slots = arena_grow(arena, container->slots, container->count, &container->cap,
                                  sizeof *container->slots);
    struct json_edit_slot *slot = container->slots + at;
    memmove(slot + 1, slot, (container->count - at) * sizeof *slot);
    container->count++;
    *slot = (struct json_edit_slot){ .value = value };
    if (!container->array) {
        slot->key = key;
        slot->key_text = quoted(arena, key);
    }
}

void json_edit_remove(struct json_edit *container, size_t at)
{
    struct json_edit_slot *slot = container->slots + at;
    memmove(slot, slot + 1, (container->count - at - 1) * sizeof *slot);
    container->count--;
}

static err copy(struct ctx *cx, const struct json_edit *value, int depth, struct json_edit **out)
{
    if (depth > JSON_DEPTH_MAX)
        return too_deep(cx);
    struct json_edit *made = arena_zero(cx->arena, sizeof *made);
    *made = *value;
    if (value->open) {
        made->cap = value->count + 1;
        made->slots = arena_array(cx->arena, made->cap, sizeof *made->slots);
        for (size_t i = 0; i < value->count; i++) {
            made->slots[i] = value->slots[i];
            TRY(copy(cx, value->slots[i].value, depth + 1, &made->slots[i].value));
        }
    }
    *out = made;
    return ERR_OK;
}

err json_edit_copy(struct ctx *cx, const struct json_edit *value, struct json_edit **out)
{
    return copy(cx, value, 0, out);
}

static err same(struct ctx *cx, struct json_edit *value, struct json other, int depth, bool *out)
{
    if (depth > JSON_DEPTH_MAX)
        return too_deep(cx);
    if (!value->open) {
        *out = json_same(value->source, other, false);
        return ERR_OK;
    }
    *out = json_kind(other) == (value->array ? JSON_ARRAY : JSON_OBJECT) &&
           json_count(other) == value->count;
    struct json_walk w = json_walk(other);
    for (size_t i = 0; *out && json_next(&w); i++) {
        size_t at = value->array ? i : json_edit_find(value, json_string(cx->arena, w.key));
        *out = at != STR_NONE;
        if (*out)
            TRY(same(cx, value->slots[at].value, w.value, depth + 1, out));
    }
    return ERR_OK;
}

err json_edit_same(struct ctx *cx, struct json_edit *value, struct json other, bool *out)
{
    return same(cx, value, other, 0, out);
}

static err write(struct ctx *cx, struct buf *buf, const struct json_edit *value, int depth)
{
    if (depth > JSON_DEPTH_MAX)
        return too_deep(cx);
    if (!value->open) {
        if (value->source.doc)
            json_minify(buf, value->source);
        else
            buf_add(buf, S("null"));
        return ERR_OK;
    }
    buf_char(buf, value->array ? '[' : '{');
    for (size_t i = 0; i < value->count; i++) {
        if (i)
            buf_char(buf, ',');
        if (!value->array) {
            buf_add(buf, value->slots[i].key_text);
            buf_char(buf, ':');
        }
        TRY(write(cx, buf, value->slots[i].value, depth + 1));
    }
    buf_char(buf, value->array ? ']' : '}');
    return ERR_OK;
}

err json_edit_done(struct ctx *cx, const struct json_edit *value, struct json *out)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    TRY(write(cx, &buf, value, 0));
    return json_parse(cx, buf_str(&buf), out);
}
