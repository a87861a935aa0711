/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/snapshot_in.h"
#include "fhir/def_tables.h"
#include <zlib.h>

static const char core[] = "http://hl7.org/fhir/StructureDefinition/";

struct build {
    struct ctx *cx;
    const struct snapshot_source *source;
    struct snapshot_node *root;
    str url;
    int depth;
    size_t *nodes; /* of all bases together */
};

/* ---- R4's own ---- */

str snapshot_of_core(struct ctx *cx, str type)
{
    for (uint32_t i = 0; i < fhir_core_rows_count; i++) {
        const struct fhir_core_row *row = &fhir_core_rows[i];
        if (!str_eq(row->name, type))
            continue;
        char *text = arena_alloc(cx->arena, row->plain_bytes);
        uLongf bytes = row->plain_bytes;
        bool whole = uncompress((Bytef *)text, &bytes, (const Bytef *)fhir_texts + row->from,
                                row->bytes) == Z_OK;
        return whole ? (str){ text, bytes } : (str){ 0 };
    }
    return (str){ 0 };
}

/* ---- the tree ---- */

struct json snapshot_said(const struct snapshot_node *node, const char *member)
{
    for (size_t i = node->count; i > 0; i--) {
        struct json value = json_get(node->layers[i - 1].said, str_of(member));
        if (value.doc)
            return value;
    }
    return (struct json){ 0 };
}

static str text_of(struct build *b, struct json object, const char *member)
{
    return json_string(b->cx->arena, json_get(object, str_of(member)));
}

static void add_layer(struct build *b, struct snapshot_node *node, struct snapshot_layer layer)
{
    node->layers = arena_grow(b->cx->arena, node->layers, node->count, &node->cap, sizeof layer);
    node->layers[node->count++] = layer;
}

static err new_node(struct build *b, struct snapshot_node **out)
{
    if (++*b->nodes > SNAPSHOT_ELEMENTS_MAX)
        return ctx_failf(b->cx, ERR_LIMIT, S("StructureDefinition.differential"),
                         "a snapshot may have %d elements", SNAPSHOT_ELEMENTS_MAX);
    *out = arena_zero(b->cx->arena, sizeof **out);
    return ERR_OK;
}

static void append(struct snapshot_node **list, struct snapshot_node *node)
{
    while (*list)
        list = &(*list)->next;
    *list = node;
}

static struct snapshot_node *child_named(struct snapshot_node *node, str name)
{
    struct snapshot_node *at = node->children;
    while (at && !str_eq(at->name, name))
        at = at->next;
    return at;
}

static struct snapshot_node *slice_named(struct snapshot_node *node, str slice)
{
    struct snapshot_node *at = node->slices;
    while (at && !str_eq(at->slice, slice))
        at = at->next;
    return at;
}

static err copy_list(struct build *b, const struct snapshot_node *list,
                     struct snapshot_node **out);

static err copy_node(struct build *b, const struct snapshot_node *node, bool slices,
                     struct snapshot_node **out)
{
    TRY(new_node(b, out));
    struct snapshot_node *copy = *out;
    *copy = *node;
    copy->next = copy->children = copy->slices = NULL;
    copy->layers = NULL;
    copy->count = copy->cap = 0;
    for (size_t i = 0; i < node->count; i++)
        add_layer(b, copy, node->layers[i]);
    TRY(copy_list(b, node->children, &copy->children));
    return slices ? copy_list(b, node->slices, &copy->slices) : ERR_OK;
}

static err copy_list(struct build *b, const struct snapshot_node *list,
                     struct snapshot_node **out)
{
    for (; list; list = list->next, out = &(*out)->next)
        TRY(copy_node(b, list, true, out));
    return ERR_OK;
}

static void split(str segment, str *name, str *slice)
{
    *slice = segment;
    str_next(slice, ':', name);
}

/* Puts an element of a snapshot at its place; its parents came before it. */
static err plant(struct build *b, struct snapshot_node *root, struct json element)
{
    str id = text_of(b, element, "id"), segment, name, slice;
    struct snapshot_node *node = root;
    str_next(&id, '.', &segment);
    while (str_next(&id, '.', &segment)) {
        split(segment, &name, &slice);
        struct snapshot_node *child = child_named(node, name);
        if (!child) {
            TRY(new_node(b, &child));
            child->name = name;
            append(&node->children, child);
        }
        struct snapshot_node *part = str_given(slice) ? slice_named(child, slice) : child;
        if (!part) {
            TRY(new_node(b, &part));
            part->name = name;
            part->slice = slice;
            append(&child->slices, part);
        }
        node = part;
    }
    add_layer(b, node, (struct snapshot_layer){ element, { 0 } });
    return ERR_OK;
}

static err plant_all(struct build *b, struct json elements, struct snapshot_node **out)
{
    TRY(new_node(b, out));
    for (struct json_walk w = json_walk(elements); json_next(&w);)
        TRY(plant(b, *out, w.value));
    return ERR_OK;
}

/* ---- bases ---- */

static err lay(struct build *b, struct json definition);

static err tree_of_core(struct build *b, str type, struct snapshot_node **out)
{
    struct json elements;
    str text = snapshot_of_core(b->cx, type);
    if (!str_given(text))
        return ctx_failf(b->cx, ERR_RULE, S("StructureDefinition.differential"),
                         "%.*s has no elements to constrain", STR_ARG(type));
    TRY(json_parse(b->cx, text, &elements));
    return plant_all(b, elements, out);
}

static err tree_of(struct build *b, str canonical, struct snapshot_node **out)
{
    struct json definition;
    str text, url = str_slice(canonical, 0, str_find_char(canonical, '|'));
    if (str_starts(url, str_of(core)) &&
        fhir_type_find(str_slice(url, sizeof core - 1, url.n)) != FHIR_NONE)
        return tree_of_core(b, str_slice(url, sizeof core - 1, url.n), out);
    if (b->depth == PROFILE_DEPTH_MAX)
        return ctx_failf(b->cx, ERR_LIMIT, S("StructureDefinition.baseDefinition"), "%.*s is built "
                         "on itself, or on more than %d others", STR_ARG(url), PROFILE_DEPTH_MAX);
    err got = b->source->find(b->cx, b->source, canonical, &text);
    if (got == ERR_NOT_FOUND)
        return ctx_failf(b->cx, ERR_RULE, S("StructureDefinition.baseDefinition"), "this server "
                         "has no StructureDefinition %.*s: post it, or add its package",
                         STR_ARG(url));
    TRY(got);
    TRY(json_parse(b->cx, text, &definition));
    struct build inner = { .cx = b->cx, .source = b->source, .depth = b->depth + 1,
                           .nodes = b->nodes };
    TRY(lay(&inner, definition));
    *out = inner.root;
    return ERR_OK;
}

/* ---- a step down ---- */

static struct snapshot_node *find_place(struct build *b, str id)
{
    struct snapshot_node *node = b->root;
    str segment, name, slice;
    str_next(&id, '.', &segment);
    while (node && str_next(&id, '.', &segment)) {
        split(segment, &name, &slice);
        node = child_named(node, name);
        node = node && str_given(slice) ? slice_named(node, slice) : node;
    }
    return node;
}

static err expand(struct build *b, struct snapshot_node *node, str id)
{
    str reference = json_string(b->cx->arena, snapshot_said(node, "contentReference"));
    struct json types = snapshot_said(node, "type"), type = json_at(types, 0);
    struct json profiles = json_get(type, S("profile"));
    struct snapshot_node *other = NULL;
    if (reference.n) {
        size_t mark = str_find_char(reference, '#');
        other = find_place(b, str_slice(reference, mark == STR_NONE ? 0 : mark + 1, reference.n));
        return other ? copy_list(b, other->children, &node->children) : ERR_OK;
    }
    if (json_count(types) > 1 && !str_given(node->type_code))
        return ctx_failf(b->cx, ERR_RULE, S("StructureDefinition.differential"), "\"%.*s\" has "
                         "several types: make a slice of one before going into it", STR_ARG(id));
    str code = str_given(node->type_code) ? node->type_code : text_of(b, type, "code");
    if (!code.n)
        return ERR_OK;
    if (json_count(profiles) == 1 && !str_given(node->type_code))
        TRY(tree_of(b, json_string(b->cx->arena, json_at(profiles, 0)), &other));
    else
        TRY(tree_of_core(b, code, &other));
    node->children = other->children;
    return ERR_OK;
}

/* The type a choice's slice or short name stands for: Quantity of valueQuantity. */
static str choice_type(struct build *b, const struct snapshot_node *choice, str name)
{
    str stem = str_slice(choice->name, 0, choice->name.n - 3);
    if (!str_ends(choice->name, S("[x]")) || !str_starts(name, stem) || name.n == stem.n)
        return (str){ 0 };
    str rest = str_slice(name, stem.n, name.n);
    for (struct json_walk w = json_walk(snapshot_said(choice, "type")); json_next(&w);) {
        str code = text_of(b, w.value, "code");
        if (code.n == rest.n && (code.p[0] | 0x20) == (rest.p[0] | 0x20) &&
            memcmp(code.p + 1, rest.p + 1, code.n - 1) == 0)
            return code;
    }
    return (str){ 0 };
}

static err cut_slice(struct build *b, struct snapshot_node *element, str slice,
                     struct snapshot_node **out)
{
    size_t slash = slice.n;
    while (slash > 0 && slice.p[slash - 1] != '/')
        slash--;
    struct snapshot_node *from = slash ? slice_named(element, str_slice(slice, 0, slash - 1))
                                       : element;
    TRY(copy_node(b, from ? from : element, false, out));
    struct snapshot_node *made = *out;
    made->slice = slice;
    made->cut = true;
    made->own = made->count;
    made->slicing = NULL;
    made->type_code = choice_type(b, element, slice);
    append(&element->slices, made);
    if (!snapshot_said(element, "slicing").doc && !element->slicing)
        element->slicing =
            str_ends(element->name, S("xtension")) /* extension, modifierExtension */
                ? "{\"discriminator\":[{\"type\":\"value\",\"path\":\"url\"}],\"ordered\":false,"
                  "\"rules\":\"open\"}"
            : str_ends(element->name, S("[x]"))
                ? "{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"ordered\":false,"
                  "\"rules\":\"open\"}" : NULL;
    return ERR_OK;
}

/* valueQuantity stands for value[x]:valueQuantity, and leaves value[x] that type alone. */
static void narrow(struct snapshot_node *choice, str code, str slice)
{
    bool first = !choice->slices && !snapshot_said(choice, "slicing").doc;
    if (first)
        choice->slicing = "{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],"
                          "\"ordered\":false,\"rules\":\"closed\"}";
    if (first)
        choice->type_code = code;
    else if (choice->slices && !slice_named(choice, slice))
        choice->type_code = (str){ 0 };
}

static err step(struct build *b, struct snapshot_node **node, str segment, str id)
{
    str name, slice;
    split(segment, &name, &slice);
    struct snapshot_node *child = child_named(*node, name);
    if (!child && !(*node)->children) {
        TRY(expand(b, *node, id));
        child = child_named(*node, name);
    }
    for (struct snapshot_node *at = (*node)->children; !child && at; at = at->next)
        if (str_given(choice_type(b, at, name))) { /* valueQuantity, for value[x]:valueQuantity */
            child = at;
            slice = name;
            narrow(at, choice_type(b, at, name), name);
        }
    if (!child)
        return ctx_failf(b->cx, ERR_RULE, S("StructureDefinition.differential"),
                         "\"%.*s\": the base has no element \"%.*s\" there", STR_ARG(id),
                         STR_ARG(name));
    *node = child;
    if (!str_given(slice))
        return ERR_OK;
    *node = slice_named(child, slice);
    return *node ? ERR_OK : cut_slice(b, child, slice, node);
}

/* An id made from path and sliceName where there is none: slices of parents are not known then. */
static str id_of(struct build *b, struct json element)
{
    str id = text_of(b, element, "id"), slice = text_of(b, element, "sliceName");
    if (id.n)
        return id;
    id = text_of(b, element, "path");
    return slice.n ? arena_printf(b->cx->arena, "%.*s:%.*s", STR_ARG(id), STR_ARG(slice)) : id;
}

static err lay_element(struct build *b, struct json element)
{
    str id = id_of(b, element), rest = id, segment;
    struct snapshot_node *node = b->root;
    str_next(&rest, '.', &segment);
    while (str_next(&rest, '.', &segment))
        TRY(step(b, &node, segment, id));
    add_layer(b, node, (struct snapshot_layer){ element, b->url });
    return ERR_OK;
}

/* The base's tree with the definition's differential on it; a snapshot alone as it is. */
static err lay(struct build *b, struct json definition)
{
    struct json elements = json_get(json_get(definition, S("differential")), S("element"));
    struct json ready = json_get(json_get(definition, S("snapshot")), S("element"));
    str base = text_of(b, definition, "baseDefinition");
    b->url = text_of(b, definition, "url");
    if (!json_count(elements) && json_count(ready))
        return plant_all(b, ready, &b->root);
    if (!base.n)
        return ctx_fail(b->cx, ERR_RULE, S("StructureDefinition.baseDefinition"),
                        S("a snapshot needs a base to begin from"));
    TRY(tree_of(b, base, &b->root));
    for (struct json_walk w = json_walk(elements); json_next(&w);)
        TRY(lay_element(b, w.value));
    return ERR_OK;
}

err snapshot_make(struct ctx *cx, const struct snapshot_source *source, struct json definition,
                  str *out)
{
    size_t nodes = 0;
    struct build b = { .cx = cx, .source = source, .nodes = &nodes };
    struct buf buf = buf_make(cx->arena, (size_t)256 << 20);
    struct json_writer w = json_writer(&buf);
    TRY(lay(&b, definition));
    b.root->name = text_of(&b, definition, "type");
    json_open(&w, '{');
    for (struct json_walk m = json_walk(definition); json_next(&m);) {
        str key = json_string(cx->arena, m.key);
        if (str_eq(key, S("snapshot")) || str_eq(key, S("differential")))
            continue;
        json_key_str(&w, key);
        json_raw(&w, json_text(m.value));
    }
    json_key(&w, "snapshot");
    json_open(&w, '{');
    json_key(&w, "element");
    json_open(&w, '[');
    snapshot_write(cx, &w, b.root);
    json_close(&w, ']');
    json_close(&w, '}');
    struct json differential = json_get(definition, S("differential"));
    if (differential.doc)
        json_put_raw(&w, "differential", json_text(differential));
    json_close(&w, '}');
    *out = buf_str(&buf);
    return ERR_OK;
}
