/* SPDX-License-Identifier: Apache-2.0 */
#include "json/patch.h"
#include "json/edit.h"

struct patcher {
    struct ctx *cx;
    struct json_edit *root;
    struct json op;      /* the operation at work */
    size_t number;       /* counted from 1 */
};

static err refuse(struct patcher *p, err kind, str pointer, const char *why)
{
    str op = json_string(p->cx->arena, json_get(p->op, S("op")));
    return ctx_failf(p->cx, kind, S(""), "JSON Patch operation %zu (%.*s \"%.*s\"): %s", p->number,
                     STR_ARG(op), STR_ARG(pointer), why);
}

/* Where a pointer leads: the container and the last token, or the whole document. */
struct place {
    struct json_edit *parent; /* opened; NULL: the whole document */
    str token, pointer;
    size_t at;                /* slot; STR_NONE when nothing is there yet */
};

static bool array_index(str token, size_t *out)
{
    uint64_t index;
    if (!str_to_u64(token, &index) || (token.n > 1 && token.p[0] == '0'))
        return false;
    *out = (size_t)index;
    return true;
}

static size_t slot_of(const struct json_edit *container, str token)
{
    size_t at;
    if (!container->array)
        return json_edit_find(container, token);
    return array_index(token, &at) && at < container->count ? at : STR_NONE;
}

static err locate(struct patcher *p, str pointer, struct place *out)
{
    struct place place = { .pointer = pointer, .at = STR_NONE };
    struct json_edit *here = p->root;
    int depth = 0;
    for (str token; json_pointer_next(p->cx->arena, &pointer, &token); depth++) {
        if (!str_given(token))
            return refuse(p, ERR_INVALID, place.pointer,
                          "a JSON pointer begins with a slash and has 0 or 1 after each tilde");
        if (depth == JSON_DEPTH_MAX)
            return refuse(p, ERR_LIMIT, S("..."), "the pointer is too deep");
        if (!here || !json_edit_is_container(here))
            return refuse(p, ERR_RULE, place.pointer, "there is nothing on the way to this path");
        json_edit_open(p->cx->arena, here);
        place.parent = here;
        place.token = token;
        place.at = slot_of(here, token);
        here = place.at == STR_NONE ? NULL : here->slots[place.at].value;
    }
    *out = place;
    return ERR_OK;
}

/* Like locate, for what must be there already. */
static err locate_value(struct patcher *p, str pointer, struct place *place, struct json_edit **out)
{
    TRY(locate(p, pointer, place));
    if (place->parent && place->at == STR_NONE)
        return refuse(p, ERR_RULE, pointer, "there is nothing at this path");
    *out = place->parent ? place->parent->slots[place->at].value : p->root;
    return ERR_OK;
}

static err member_text(struct patcher *p, const char *name, str *out)
{
    struct json v = json_get(p->op, str_of(name));
    if (!json_is(v, JSON_STRING))
        return ctx_failf(p->cx, ERR_INVALID, S(""),
                         "JSON Patch operation %zu: \"%s\" must be given, as a string", p->number,
                         name);
    *out = json_string(p->cx->arena, v);
    return ERR_OK;
}

static err value_of(struct patcher *p, str pointer, struct json *out)
{
    *out = json_get(p->op, S("value"));
    return json_is(*out, JSON_ABSENT) ? refuse(p, ERR_INVALID, pointer, "\"value\" must be given")
                                      : ERR_OK;
}

static err put(struct patcher *p, str pointer, struct json_edit *value)
{
    struct place place;
    TRY(locate(p, pointer, &place));
    struct arena *arena = p->cx->arena;
    if (!place.parent) {
        p->root = value;
        return ERR_OK;
    }
    size_t at = place.parent->count;
    if (!place.parent->array && place.at != STR_NONE) {
        place.parent->slots[place.at].value = value;
        return ERR_OK;
    }
    if (place.parent->array && !str_eq(place.token, S("-")) &&
        (!array_index(place.token, &at) || at > place.parent->count))
        return refuse(p, ERR_RULE, pointer, "the array has no such position");
    json_edit_insert(arena, place.parent, at, place.token, value);
    return ERR_OK;
}

static err add(struct patcher *p, str pointer)
{
    struct json value;
    TRY(value_of(p, pointer, &value));
    return put(p, pointer, json_edit_make(p->cx->arena, value));
}

static err take(struct patcher *p, str pointer, struct json_edit **out)
{
    struct place place;
    TRY(locate_value(p, pointer, &place, out));
    if (!place.parent)
        return refuse(p, ERR_RULE, pointer, "the whole document cannot be taken away");
    json_edit_remove(place.parent, place.at);
    return ERR_OK;
}

static err remove_value(struct patcher *p, str pointer)
{
    struct json_edit *gone;
    return take(p, pointer, &gone);
}

static err replace(struct patcher *p, str pointer)
{
    struct place place;
    struct json_edit *before;
    struct json value;
    TRY(value_of(p, pointer, &value));
    TRY(locate_value(p, pointer, &place, &before));
    struct json_edit *after = json_edit_make(p->cx->arena, value);
    if (place.parent)
        place.parent->slots[place.at].value = after;
    else
        p->root = after;
    return ERR_OK;
}

static err move(struct patcher *p, str pointer)
{
    struct place place;
    struct json_edit *value = NULL;
    str from;
    TRY(member_text(p, "from", &from));
    TRY(locate_value(p, from, &place, &value));
    if (str_eq(from, pointer))
        return ERR_OK;
    if (str_starts(pointer, from) && (pointer.p[from.n] == '/' || from.n == 0))
        return refuse(p, ERR_RULE, pointer, "a value cannot be moved into itself");
    TRY(take(p, from, &value));
    return put(p, pointer, value);
}

static err copy(struct patcher *p, str pointer)
{
    struct place place;
    struct json_edit *value = NULL, *twin;
    str from;
    TRY(member_text(p, "from", &from));
    TRY(locate_value(p, from, &place, &value));
    TRY(json_edit_copy(p->cx, value, &twin));
    return put(p, pointer, twin);
}

static err test(struct patcher *p, str pointer)
{
    struct place place;
    struct json_edit *value = NULL;
    struct json expected;
    bool same = false;
    TRY(value_of(p, pointer, &expected));
    TRY(locate_value(p, pointer, &place, &value));
    TRY(json_edit_same(p->cx, value, expected, &same));
    return same ? ERR_OK : refuse(p, ERR_RULE, pointer, "the value is not the one tested for");
}

static const struct {
    const char *name;
    err (*apply)(struct patcher *p, str pointer);
} operations[] = {
    { "add", add },   { "remove", remove_value }, { "replace", replace },
    { "move", move }, { "copy", copy },           { "test", test },
};

static err apply(struct patcher *p)
{
    str op, path;
    if (!json_is(p->op, JSON_OBJECT))
        return ctx_failf(p->cx, ERR_INVALID, S(""), "JSON Patch operation %zu must be an object",
                         p->number);
    TRY(member_text(p, "op", &op));
    TRY(member_text(p, "path", &path));
    for (size_t i = 0; i < COUNT(operations); i++)
        if (str_eq(op, str_of(operations[i].name)))
            return operations[i].apply(p, path);
    return refuse(p, ERR_INVALID, path,
                  "the operation must be add, remove, replace, move, copy or test");
}

err json_patch(struct ctx *cx, struct json document, struct json patch, struct json *out)
{
    struct patcher p = { .cx = cx, .root = json_edit_make(cx->arena, document) };
    if (!json_is(patch, JSON_ARRAY))
        return ctx_fail(cx, ERR_INVALID, S(""), S("a JSON Patch must be an array of operations"));
    if (json_count(patch) > JSON_PATCH_OPS_MAX)
        return ctx_failf(cx, ERR_LIMIT, S(""), "a JSON Patch may have at most %d operations",
                         JSON_PATCH_OPS_MAX);
    for (struct json_walk w = json_walk(patch); json_next(&w);) {
        p.op = w.value;
        p.number++;
        TRY(apply(&p));
    }
    return json_edit_done(cx, p.root, out);
}
