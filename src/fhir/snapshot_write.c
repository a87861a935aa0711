/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/snapshot_in.h"
#include "base/map.h"

/*
 * An element's layers as one ElementDefinition: what is said last holds; what can be said more than
 * once is gathered. Members stand in the specification's order.
 */
struct out {
    struct ctx *cx;
    struct json_writer *w;
};
typedef void put(struct out *o, const struct snapshot_node *node, const char *member);

static struct json own_or_said(const struct snapshot_node *node, const char *member)
{
    for (size_t i = node->count; node->cut && i > 0; i--) {
        struct json value = json_get(node->layers[i - 1].said, str_of(member));
        if (value.doc && i > node->own)
            return value;
    }
    return node->cut ? (struct json){ 0 } : snapshot_said(node, member);
}

static void put_last(struct out *o, const struct snapshot_node *node, const char *member)
{
    struct json value = snapshot_said(node, member);
    if (value.doc)
        json_put_raw(o->w, member, json_text(value));
}

/* Where a slice is cut, nothing is required until it is said of the slice itself. */
static void put_min(struct out *o, const struct snapshot_node *node, const char *member)
{
    struct json value = own_or_said(node, member);
    json_put_raw(o->w, member, value.doc ? json_text(value) : S("0"));
}

static void put_slicing(struct out *o, const struct snapshot_node *node, const char *member)
{
    struct json value = own_or_said(node, member);
    if (value.doc)
        json_put_raw(o->w, member, json_text(value));
    else if (node->slicing)
        json_put_raw(o->w, member, str_of(node->slicing));
}

static void put_type(struct out *o, const struct snapshot_node *node, const char *member)
{
    struct json types = snapshot_said(node, member);
    bool said = node->cut && own_or_said(node, member).doc;
    if (!types.doc || !str_given(node->type_code) || said) {
        put_last(o, node, member);
        return;
    }
    json_key(o->w, member);
    json_open(o->w, '[');
    for (struct json_walk w = json_walk(types); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), node->type_code))
            json_raw(o->w, json_text(w.value));
    json_close(o->w, ']');
}

static void put_base(struct out *o, const struct snapshot_node *node, const char *member)
{
    for (size_t i = 0; i < node->count; i++) {
        struct json base = json_get(node->layers[i].said, str_of(member));
        if (base.doc) {
            json_put_raw(o->w, member, json_text(base));
            return;
        }
    }
}

/* An element whose children are here needs no reference to where they are. */
static void put_reference(struct out *o, const struct snapshot_node *node, const char *member)
{
    if (!node->children)
        put_last(o, node, member);
}

/* A new invariant says whose it is. */
static void put_constraint(struct out *o, struct json constraint, str url)
{
    if (!url.n || json_get(constraint, S("source")).doc) {
        json_raw(o->w, json_text(constraint));
        return;
    }
    json_open(o->w, '{');
    for (struct json_walk w = json_walk(constraint); json_next(&w);) {
        json_key_str(o->w, json_string(o->cx->arena, w.key));
        json_raw(o->w, json_text(w.value));
    }
    json_put_str(o->w, "source", url);
    json_close(o->w, '}');
}

/* The same key, or the same text, is there once: as it is said last. */
static str identity(struct out *o, struct json item)
{
    str key = json_string(o->cx->arena, json_get(item, S("key")));
    return key.n ? key : json_text(item);
}

static bool comes_again(struct out *o, const struct snapshot_node *node, const char *member,
                        size_t layer, str what)
{
    for (size_t i = layer + 1; i < node->count; i++)
        for (struct json_walk w = json_walk(json_get(node->layers[i].said, str_of(member)));
             json_next(&w);)
            if (str_eq(identity(o, w.value), what))
                return true;
    return false;
}

static void put_gathered(struct out *o, const struct snapshot_node *node, const char *member)
{
    bool any = false;
    for (size_t i = 0; i < node->count; i++)
        for (struct json_walk w = json_walk(json_get(node->layers[i].said, str_of(member)));
             json_next(&w);) {
            if (comes_again(o, node, member, i, identity(o, w.value)))
                continue;
            if (!any) {
                json_key(o->w, member);
                json_open(o->w, '[');
            }
            any = true;
            bool rule = json_get(w.value, S("key")).doc != NULL;
            if (rule)
                put_constraint(o, w.value, node->layers[i].url);
            else
                json_raw(o->w, json_text(w.value));
        }
    if (any)
        json_close(o->w, ']');
}

/* fixedX, patternX, defaultValueX ...: the member's name tells the type, so one alone holds. */
static void put_typed(struct out *o, const struct snapshot_node *node, const char *stem)
{
    for (size_t i = node->count; i > 0; i--)
        for (struct json_walk w = json_walk(node->layers[i - 1].said); json_next(&w);) {
            str key = json_string(o->cx->arena, w.key);
            if (!str_starts(key, str_of(stem)))
                continue;
            json_key_str(o->w, key);
            json_raw(o->w, json_text(w.value));
            return;
        }
}

/* clang-format off */
static const struct { const char *member; put *put; } members[] = {
    { "extension", put_last },       { "representation", put_last },
    { "sliceIsConstraining", put_last }, { "label", put_last }, { "code", put_gathered },
    { "slicing", put_slicing },      { "short", put_last },     { "definition", put_last },
    { "comment", put_last },         { "requirements", put_last }, { "alias", put_gathered },
    { "min", put_min },              { "max", put_last },       { "base", put_base },
    { "contentReference", put_reference }, { "type", put_type }, { "defaultValue", put_typed },
    { "meaningWhenMissing", put_last }, { "orderMeaning", put_last }, { "fixed", put_typed },
    { "pattern", put_typed },        { "example", put_last },   { "minValue", put_typed },
    { "maxValue", put_typed },       { "maxLength", put_last }, { "condition", put_gathered },
    { "constraint", put_gathered },  { "mustSupport", put_last }, { "isModifier", put_last },
    { "isModifierReason", put_last }, { "isSummary", put_last }, { "binding", put_last },
    { "mapping", put_gathered },
};
/* clang-format on */

static void write_element(struct out *o, const struct snapshot_node *node, str id, str path)
{
    json_open(o->w, '{');
    json_put_str(o->w, "id", id);
    json_put_str(o->w, "path", path);
    if (str_given(node->slice))
        json_put_str(o->w, "sliceName", node->slice);
    for (size_t i = 0; i < COUNT(members); i++)
        members[i].put(o, node, members[i].member);
    json_close(o->w, '}');
}

static void write_node(struct out *o, const struct snapshot_node *node, str id, str path)
{
    struct arena *arena = o->cx->arena;
    write_element(o, node, id, path);
    for (const struct snapshot_node *c = node->children; c; c = c->next) {
        str inner = arena_printf(arena, "%.*s.%.*s", STR_ARG(id), STR_ARG(c->name));
        str place = arena_printf(arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(c->name));
        write_node(o, c, inner, place);
        for (const struct snapshot_node *s = c->slices; s; s = s->next)
            write_node(o, s, arena_printf(arena, "%.*s:%.*s", STR_ARG(inner), STR_ARG(s->slice)),
                       place);
    }
}

void snapshot_write(struct ctx *cx, struct json_writer *w, const struct snapshot_node *root)
{
    struct out out = { cx, w };
    write_node(&out, root, root->name, root->name);
}
