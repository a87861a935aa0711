/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/patch.h"
#include "fhir/def.h"
#include "fhir/patch_spot.h"
#include "fhir/path.h"

struct patcher {
    struct ctx *cx;
    struct json resource;   /* as the operations before this one left it */
    struct json_edit *root;
    struct json operation;  /* its parts */
    str type, path;
    size_t number;          /* counted from 1 */
};

static err refuse(struct patcher *p, err kind, const char *why)
{
    return ctx_failf(p->cx, kind, S(""), "FHIRPath Patch operation %zu (%.*s %.*s): %s", p->number,
                     STR_ARG(p->type), STR_ARG(p->path), why);
}

/* ---- reading an operation ---- */

static struct json part_named(struct json parameter, str name)
{
    for (struct json_walk w = json_walk(json_get(parameter, S("part"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("name")), name))
            return w.value;
    return (struct json){ 0 };
}

static str text_of(struct patcher *p, str name, str key)
{
    return json_string(p->cx->arena, json_get(part_named(p->operation, name), key));
}

static err position_of(struct patcher *p, str name, size_t *out)
{
    uint64_t value;
    if (!str_to_u64(text_of(p, name, S("valueInteger")), &value) || value > INT32_MAX)
        return ctx_failf(p->cx, ERR_INVALID, S(""),
                         "FHIRPath Patch operation %zu (%.*s %.*s): \"%.*s\" must be given, as a "
                         "valueInteger from 0", p->number, STR_ARG(p->type), STR_ARG(p->path),
                         STR_ARG(name));
    *out = (size_t)value;
    return ERR_OK;
}

/* The element a name means within a type, the type of a choice taken from the value given. */
static const struct fhir_element *element_named(struct patcher *p, uint16_t type, str name,
                                                str type_suffix)
{
    const struct fhir_element *element = fhir_element_find(type, name);
    if (element || !type_suffix.n)
        return element;
    str full = arena_printf(p->cx->arena, "%.*s%.*s", STR_ARG(name), STR_ARG(type_suffix));
    return fhir_element_find(type, full);
}

static struct patch_value plain_value(struct patcher *p, struct json part)
{
    struct patch_value value = { 0 };
    for (struct json_walk w = json_walk(part); json_next(&w);) {
        str key = json_string(p->cx->arena, w.key);
        if (str_starts(key, S("value"))) {
            value.value = json_edit_make(p->cx->arena, w.value);
            value.type_suffix = str_slice(key, 5, key.n);
        } else if (str_starts(key, S("_value"))) {
            value.more = json_edit_make(p->cx->arena, w.value);
            value.type_suffix = str_slice(key, 6, key.n);
        } else if (str_eq(key, S("resource"))) {
            value.value = json_edit_make(p->cx->arena, w.value);
        }
    }
    return value;
}

static err put_into(struct patcher *p, struct json_edit *object, uint16_t type, str name,
                    struct patch_value value);

/* A value is given as value[x] or resource, or piece by piece for a type without a name. */
static err value_in(struct patcher *p, struct json part, uint16_t type, int depth,
                    struct patch_value *out)
{
    struct json pieces = json_get(part, S("part"));
    *out = plain_value(p, part);
    if (out->value || out->more)
        return ERR_OK;
    if (!pieces.doc)
        return refuse(p, ERR_INVALID, "a value must be given");
    if (depth == 32)
        return refuse(p, ERR_LIMIT, "the value is nested too deep");
    out->value = patch_object(p->cx->arena);
    for (struct json_walk w = json_walk(pieces); json_next(&w);) {
        str name = json_string(p->cx->arena, json_get(w.value, S("name")));
        struct patch_value value = plain_value(p, w.value);
        const struct fhir_element *element = element_named(p, type, name, value.type_suffix);
        if (!element)
            return refuse(p, ERR_RULE, "the value has a part that its type does not have");
        TRY(value_in(p, w.value, element->type, depth + 1, &value));
        TRY(put_into(p, out->value, type, name, value));
    }
    return ERR_OK;
}

/* ---- finding places ---- */

static err evaluate(struct patcher *p, str expression, struct path_result *out)
{
    const struct path *path;
    TRY(path_compile(p->cx, expression, &path));
    return path_eval_on(p->cx, path, p->resource, out);
}

static bool spot_of(struct patcher *p, const struct path_item *item, struct patch_spot *out)
{
    if (item->kind != PATH_NODE)
        return false;
    struct json node = json_is(item->node, JSON_ABSENT) ? item->extra : item->node;
    return patch_spot_find(p->cx->arena, p->root, node, out);
}

/* The one element the path leads to; items.count 0 is for the caller to judge. */
static err single(struct patcher *p, struct path_result *items, struct patch_spot *spot)
{
    TRY(evaluate(p, p->path, items));
    if (items->count > 1)
        return refuse(p, ERR_RULE, "the path leads to several elements");
    if (items->count == 1 && !spot_of(p, &items->items[0], spot))
        return refuse(p, ERR_RULE, "the path must lead to an element of the resource");
    return ERR_OK;
}

/* Splits "Patient.name.given" before its last step; false when that is not a plain name. */
static bool split(str path, str *head, str *name)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '.' && path.p[at - 1] != ')' && path.p[at - 1] != '\'')
        at--;
    if (at < 2 || path.p[at - 1] != '.' || at == path.n)
        return false;
    *head = str_slice(path, 0, at - 1);
    *name = str_trim(str_slice(path, at, path.n));
    return true;
}

/* A list with nothing in it cannot be found by its items: its owner is looked for instead. */
static err empty_list(struct patcher *p, struct patch_spot *out)
{
    struct path_result items;
    struct patch_spot owner;
    str head, name;
    if (!split(p->path, &head, &name))
        return refuse(p, ERR_RULE, "there is no such list");
    TRY(evaluate(p, head, &items));
    if (items.count != 1 || !spot_of(p, &items.items[0], &owner))
        return refuse(p, ERR_RULE, "there is no such list");
    const struct fhir_element *element = fhir_element_find(items.items[0].type, name);
    if (!element || element->max == 1 || fhir_types[items.items[0].type].kind == FHIR_PRIMITIVE)
        return refuse(p, ERR_RULE, "the path must lead to a list");
    struct json_edit *object = owner.parent ? patch_spot_get(&owner) : p->root;
    json_edit_open(p->cx->arena, object);
    if (object->array) {
        object = object->slots[owner.index].value;
        json_edit_open(p->cx->arena, object);
    }
    *out = (struct patch_spot){ object, name, 0 };
    return ERR_OK;
}

static err list(struct patcher *p, struct patch_spot *out)
{
    struct path_result items;
    TRY(evaluate(p, p->path, &items));
    if (items.count == 0)
        return empty_list(p, out);
    for (size_t i = 0; i < items.count; i++) {
        struct patch_spot spot;
        if (!spot_of(p, &items.items[i], &spot) || spot.index == STR_NONE)
            return refuse(p, ERR_RULE, "the path must lead to a list");
        if (i > 0 && (spot.parent != out->parent || !str_eq(spot.name, out->name)))
            return refuse(p, ERR_RULE, "the path leads to several lists");
        *out = spot;
    }
    return ERR_OK;
}

/* ---- the operations ---- */

static bool is_taken(const struct json_edit *object, uint16_t type,
                     const struct fhir_element *element)
{
    for (size_t i = 0; i < object->count; i++) {
        str key = object->slots[i].key;
        bool more = str_starts(key, S("_"));
        const struct fhir_element *other = fhir_element_find(type, str_slice(key, more, key.n));
        if (other == element || (other && element->choice && other->choice == element->choice))
            return true;
    }
    return false;
}

static err put_into(struct patcher *p, struct json_edit *object, uint16_t type, str name,
                    struct patch_value value)
{
    const struct fhir_element *element = element_named(p, type, name, value.type_suffix);
    if (!element)
        return refuse(p, ERR_RULE, "the element has no child of this name");
    struct patch_spot spot = { object, element->json_name, STR_NONE };
    if (element->max != 1) {
        spot.index = patch_spot_count(&spot);
        patch_spot_insert(p->cx->arena, spot, value);
        return ERR_OK;
    }
    if (is_taken(object, type, element))
        return refuse(p, ERR_RULE, "the element is there already and does not repeat");
    patch_spot_set(p->cx->arena, spot, value);
    return ERR_OK;
}

/* The object an item's children are in: for a primitive the one beside its value. */
static struct json_edit *object_of(struct patcher *p, const struct path_item *item,
                                   struct patch_spot spot)
{
    if (!spot.parent)
        return p->root;
    if (fhir_types[item->type].kind == FHIR_PRIMITIVE)
        return patch_spot_more(p->cx->arena, spot);
    struct json_edit *object = patch_spot_get(&spot);
    if (spot.index != STR_NONE)
        object = object->slots[spot.index].value;
    return object;
}

static err add(struct patcher *p)
{
    struct path_result items;
    struct patch_spot spot;
    struct patch_value value;
    TRY(single(p, &items, &spot));
    if (items.count == 0)
        return refuse(p, ERR_RULE, "there is nothing at this path to add to");
    uint16_t type = items.items[0].type;
    struct json part = part_named(p->operation, S("value"));
    str name = text_of(p, S("name"), S("valueString"));
    if (!name.n)
        return refuse(p, ERR_INVALID, "\"name\" must be given, as a valueString");
    const struct fhir_element *element =
        element_named(p, type, name, plain_value(p, part).type_suffix);
    if (!element)
        return refuse(p, ERR_RULE, "the element has no child of this name");
    TRY(value_in(p, part, element->type, 0, &value));
    struct json_edit *object = object_of(p, &items.items[0], spot);
    json_edit_open(p->cx->arena, object);
    return put_into(p, object, type, name, value);
}

/* The element a spot is of, by the type of its owner: for values without a named type. */
static uint16_t type_at(struct patcher *p)
{
    struct path_result items;
    str head, name;
    if (!split(p->path, &head, &name) || evaluate(p, head, &items) || items.count == 0)
        return FHIR_NONE;
    const struct fhir_element *element = fhir_element_find(items.items[0].type, name);
    return element ? element->type : FHIR_NONE;
}

static err insert(struct patcher *p)
{
    struct patch_spot spot;
    struct patch_value value;
    size_t index;
    TRY(position_of(p, S("index"), &index));
    TRY(list(p, &spot));
    if (index > patch_spot_count(&spot))
        return refuse(p, ERR_RULE, "the index is past the end of the list");
    TRY(value_in(p, part_named(p->operation, S("value")), type_at(p), 0, &value));
    spot.index = index;
    patch_spot_insert(p->cx->arena, spot, value);
    return ERR_OK;
}

static err delete(struct patcher *p)
{
    struct path_result items;
    struct patch_spot spot;
    struct patch_value gone;
    TRY(single(p, &items, &spot));
    if (items.count == 0)
        return ERR_OK; /* deleting what is not there is no fault */
    if (!spot.parent)
        return refuse(p, ERR_RULE, "the resource itself cannot be deleted by a patch");
    patch_spot_remove(p->cx->arena, spot, &gone);
    return ERR_OK;
}

/* "deceasedBoolean" becomes "deceasedDateTime" when the value given is a dateTime. */
static str name_for(struct patcher *p, str name, str type_suffix)
{
    for (size_t at = name.n; at-- > 1 && type_suffix.n;) {
        uint16_t type = fhir_type_find(str_slice(name, at, name.n));
        char first = name.p[at];
        bool capital = first >= 'A' && first <= 'Z';
        char *lower = memcpy(arena_alloc(p->cx->arena, name.n), name.p, name.n);
        lower[at] = capital ? (char)(first + 32) : first;
        if (type == FHIR_NONE)
            type = fhir_type_find((str){ lower + at, name.n - at });
        if (capital && type != FHIR_NONE)
            return arena_printf(p->cx->arena, "%.*s%.*s", (int)at, name.p, STR_ARG(type_suffix));
    }
    return name;
}

static err replace(struct patcher *p)
{
    struct path_result items;
    struct patch_spot spot;
    struct patch_value value, gone;
    TRY(single(p, &items, &spot));
    if (items.count == 0)
        return refuse(p, ERR_RULE, "there is nothing at this path to replace");
    if (!spot.parent)
        return refuse(p, ERR_RULE, "the resource itself cannot be replaced by a patch");
    TRY(value_in(p, part_named(p->operation, S("value")), items.items[0].type, 0, &value));
    bool choice = !str_eq(spot.name, items.items[0].name) && items.items[0].name.n > 0;
    if (choice && spot.index == STR_NONE) {
        patch_spot_remove(p->cx->arena, spot, &gone);
        spot.name = name_for(p, spot.name, value.type_suffix);
    }
    patch_spot_set(p->cx->arena, spot, value);
    return ERR_OK;
}

static err move(struct patcher *p)
{
    struct patch_spot spot;
    struct patch_value value;
    size_t source = 0, destination = 0;
    TRY(position_of(p, S("source"), &source));
    TRY(position_of(p, S("destination"), &destination));
    TRY(list(p, &spot));
    if (source >= patch_spot_count(&spot) || destination >= patch_spot_count(&spot))
        return refuse(p, ERR_RULE, "source or destination is past the end of the list");
    spot.index = source;
    patch_spot_remove(p->cx->arena, spot, &value);
    spot.index = destination;
    patch_spot_insert(p->cx->arena, spot, value);
    return ERR_OK;
}

static const struct {
    const char *type;
    err (*apply)(struct patcher *p);
} operations[] = {
    { "add", add }, { "insert", insert }, { "delete", delete },
    { "replace", replace }, { "move", move },
};

static err apply(struct patcher *p)
{
    p->type = text_of(p, S("type"), S("valueCode"));
    p->path = text_of(p, S("path"), S("valueString"));
    if (!p->type.n)
        return refuse(p, ERR_INVALID, "\"type\" must be given, as a valueCode");
    if (!p->path.n)
        return refuse(p, ERR_INVALID, "\"path\" must be given, as a valueString");
    p->root = json_edit_make(p->cx->arena, p->resource);
    json_edit_open(p->cx->arena, p->root);
    for (size_t i = 0; i < COUNT(operations); i++)
        if (str_eq(p->type, str_of(operations[i].type))) {
            TRY(operations[i].apply(p));
            patch_prune(p->root);
            return json_edit_done(p->cx, p->root, &p->resource);
        }
    return refuse(p, ERR_INVALID, "the type must be add, insert, delete, replace or move");
}

err fhir_patch(struct ctx *cx, struct json resource, struct json parameters, struct json *out)
{
    struct patcher p = { .cx = cx, .resource = resource };
    struct json list = json_get(parameters, S("parameter"));
    if (!json_string_is(json_get(parameters, S("resourceType")), S("Parameters")))
        return ctx_fail(cx, ERR_INVALID, S(""),
                        S("a FHIRPath Patch must be a Parameters resource"));
    if (json_count(list) > FHIR_PATCH_OPS_MAX)
        return ctx_failf(cx, ERR_LIMIT, S(""), "a FHIRPath Patch may have at most %d operations",
                         FHIR_PATCH_OPS_MAX);
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        p.operation = w.value;
        p.number++;
        if (!json_string_is(json_get(w.value, S("name")), S("operation")))
            return ctx_failf(cx, ERR_INVALID, S("Parameters.parameter.name"),
                             "FHIRPath Patch parameter %zu must have the name \"operation\"",
                             p.number);
        TRY(apply(&p));
    }
    *out = p.resource;
    return ERR_OK;
}
