/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"

/* ---- elements of a type, by the name FHIRPath uses ---- */

const struct fhir_element *path_element_named(uint16_t type, str name)
{
    const struct fhir_element *element = fhir_element_find(type, name);
    if (element && str_eq(element->name, name))
        return element;
    /* A choice: its rows ("valueQuantity") stand together after "value" in the sorted table. */
    const struct fhir_type *t = &fhir_types[type];
    uint16_t low = 0, high = t->elements_count;
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        if (str_cmp(t->elements[middle].json_name, name) < 0)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    for (; low < t->elements_count && str_starts(t->elements[low].json_name, name); low++)
        if (str_eq(t->elements[low].name, name))
            return &t->elements[low];
    return NULL;
}

/* The element a step means on this type, from the step's hint where the type is the one seen
 * last. */
static const struct fhir_element *element_of(struct path_code *code, uint16_t type)
{
    uint32_t seen = atomic_load_explicit(&code->seen, memory_order_relaxed);
    if (seen == 0 || seen >> 16 != type) {
        const struct fhir_element *found = path_element_named(type, code->name);
        uint32_t at = found ? (uint32_t)(found - fhir_types[type].elements) + 1 : 0xffff;
        seen = (uint32_t)type << 16 | at;
        atomic_store_explicit(&code->seen, seen, memory_order_relaxed);
    }
    return (seen & 0xffff) == 0xffff ? NULL : &fhir_types[type].elements[(seen & 0xffff) - 1];
}

uint16_t path_resource_type(struct json node)
{
    struct json name = json_get(node, S("resourceType"));
    if (!json_is(name, JSON_STRING))
        return FHIR_NONE;
    const struct json_node *text = json_node(name);
    return fhir_type_find((str){ name.doc->text.p + text->start, text->length });
}

struct path_item path_item_of(struct json node, uint16_t type)
{
    uint16_t own = path_resource_type(node);
    return (struct path_item){ .kind = PATH_NODE, .type = own != FHIR_NONE ? own : type,
                               .node = node, .name = S("") };
}

/* ---- walking an object on the tape ---- */

struct members {
    const struct json_doc *doc;
    uint32_t at, end;
};

static struct members members_of(struct json object)
{
    if (!json_is(object, JSON_OBJECT))
        return (struct members){ 0 };
    return (struct members){ object.doc, object.at + 1, json_node(object)->next };
}

static bool next_member(struct members *w, str *key, struct json *value)
{
    if (w->at >= w->end)
        return false;
    const struct json_node *node = &w->doc->nodes[w->at];
    *key = (str){ w->doc->text.p + node->start, node->length };
    *value = (struct json){ w->doc, w->at + 1 };
    w->at = w->doc->nodes[w->at + 1].next;
    return true;
}

static bool is_key(str key, str name)
{
    return key.n == name.n && memcmp(key.p, name.p, name.n) == 0;
}

static bool is_twin(str key, str name)
{
    return key.n == name.n + 1 && key.p[0] == '_' && memcmp(key.p + 1, name.p, name.n) == 0;
}

/* ---- pushing what was found ---- */

static uint16_t type_of_value(uint16_t type, struct json value)
{
    if (type == FHIR_NONE || fhir_types[type].kind != FHIR_RESOURCE)
        return type;
    uint16_t own = path_resource_type(value);
    return own == FHIR_NONE ? type : own;
}

static err push_node(struct path_machine *m, uint16_t type, str name, struct json value,
                     struct json extra)
{
    if (json_is(value, JSON_NULL))
        value = (struct json){ 0 };
    if (!json_is(extra, JSON_OBJECT))
        extra = (struct json){ 0 };
    if (!value.doc && !extra.doc)
        return ERR_OK;
    if (m->top == m->cap)
        return path_push(m, (struct path_item){ .kind = PATH_NODE, .name = name, .node = value,
                                                .type = type_of_value(type, value),
                                                .extra = extra });
    struct path_item *item = &m->stack[m->top++];
    item->kind = PATH_NODE;
    item->type = type_of_value(type, value);
    item->node = value;
    item->extra = extra;
    item->name = name;
    item->calendar = false;
    item->text = item->unit = (str){ 0 };
    return ERR_OK;
}

/* An array's items one by one, each with its twin of the same place. */
static err push_values(struct path_machine *m, uint16_t type, str name, struct json value,
                       struct json extra)
{
    bool many = json_is(value, JSON_ARRAY);
    if (!many && !json_is(extra, JSON_ARRAY))
        return push_node(m, type, name, value, extra);
    struct json_walk values = json_walk(many ? value : (struct json){ 0 });
    struct json_walk extras = json_walk(json_is(extra, JSON_ARRAY) ? extra : (struct json){ 0 });
    for (;;) {
        bool has_value = json_next(&values), has_extra = json_next(&extras);
        if (!has_value && !has_extra)
            return ERR_OK;
        TRY(path_step(m, 1));
        TRY(push_node(m, type, name, has_value ? values.value : (struct json){ 0 },
                      has_extra ? extras.value : (struct json){ 0 }));
    }
}

/* ---- one name ---- */

static err push_simple(struct path_machine *m, struct json object, str name, uint16_t type)
{
    struct members w = members_of(object);
    struct json value, found = { 0 }, twin = { 0 };
    bool primitive = type == FHIR_NONE || fhir_types[type].kind == FHIR_PRIMITIVE;
    str key;
    while (next_member(&w, &key, &value)) {
        if (is_key(key, name)) {
            found = value;
            if (!primitive)
                break;
        } else if (primitive && type != FHIR_NONE && is_twin(key, name)) {
            twin = value;
        }
    }
    return found.doc || twin.doc ? push_values(m, type, name, found, twin) : ERR_OK;
}

static err push_choice(struct path_machine *m, struct json object, str name, uint16_t type)
{
    struct members w = members_of(object);
    struct json value, found = { 0 }, twin = { 0 };
    const struct fhir_element *element = NULL;
    str key;
    while (next_member(&w, &key, &value)) {
        bool is_extra = key.n && key.p[0] == '_';
        str bare = is_extra ? str_slice(key, 1, key.n) : key;
        if (bare.n <= name.n || memcmp(bare.p, name.p, name.n) != 0)
            continue;
        const struct fhir_element *one = fhir_element_find(type, bare);
        if (!one || !str_eq(one->name, name))
            continue;
        element = one;
        *(is_extra ? &twin : &found) = value;
    }
    return element ? push_values(m, element->type, name, found, twin) : ERR_OK;
}

static err push_type_info(struct path_machine *m, const struct path_item *item, str name)
{
    if (str_eq(name, S("namespace")))
        return path_push_text(m, PATH_STRING, item->text);
    return str_eq(name, S("name")) ? path_push_text(m, PATH_STRING, item->unit) : ERR_OK;
}

static err push_primitive_value(struct path_machine *m, const struct path_item *item)
{
    struct path_item value;
    return path_value(m->cx, item, &value) ? path_push(m, value) : ERR_OK;
}

err path_push_children(struct path_machine *m, const struct path_item *item, struct path_code *code)
{
    if (item->kind == PATH_TYPE)
        return push_type_info(m, item, code->name);
    if (item->kind != PATH_NODE)
        return ERR_OK;
    if (item->type == FHIR_NONE)
        return push_simple(m, item->node, code->name, FHIR_NONE);
    bool primitive = fhir_types[item->type].kind == FHIR_PRIMITIVE;
    if (primitive && str_eq(code->name, S("value")))
        return push_primitive_value(m, item);
    const struct fhir_element *element = element_of(code, item->type);
    if (!element)
        return ERR_OK;
    struct json object = primitive ? item->extra : item->node;
    if (element->choice)
        return push_choice(m, object, element->name, item->type);
    return push_simple(m, object, element->json_name, element->type);
}

/* ---- all children ---- */

static err push_member(struct path_machine *m, uint16_t type, str key, struct json value,
                       struct json object)
{
    bool is_extra = key.n && key.p[0] == '_';
    str bare = is_extra ? str_slice(key, 1, key.n) : key;
    struct json other = { 0 };
    if (type == FHIR_NONE)
        return push_values(m, FHIR_NONE, key, value, other);
    const struct fhir_element *element = fhir_element_find(type, bare);
    if (!element)
        return ERR_OK;
    if (is_extra) { /* pushed with its value, unless it stands alone */
        if (json_get(object, bare).doc)
            return ERR_OK;
        return push_values(m, element->type, element->name, other, value);
    }
    if (fhir_types[element->type].kind == FHIR_PRIMITIVE) {
        char twin[128];
        if (key.n < sizeof twin - 1) {
            twin[0] = '_';
            memcpy(twin + 1, key.p, key.n);
            other = json_get(object, (str){ twin, key.n + 1 });
        }
    }
    return push_values(m, element->type, element->name, value, other);
}

err path_push_all_children(struct path_machine *m, const struct path_item *item)
{
    if (item->kind != PATH_NODE)
        return ERR_OK;
    bool primitive = item->type != FHIR_NONE && fhir_types[item->type].kind == FHIR_PRIMITIVE;
    struct json object = primitive ? item->extra : item->node, value;
    struct members w = members_of(object);
    str key;
    while (next_member(&w, &key, &value)) {
        TRY(path_step(m, 1));
        TRY(push_member(m, item->type, key, value, object));
    }
    return ERR_OK;
}

/* ---- types ---- */

bool path_item_is(const struct path_item *item, const struct path_type_name *type, bool exact)
{
    if (item->kind != PATH_NODE)
        return type->system == (int)item->kind;
    if (item->type == FHIR_NONE) {
        struct path_item value;
        if (type->fhir != FHIR_NONE && path_resource_type(item->node) == type->fhir)
            return true;
        return type->system >= 0 && path_value(NULL, item, &value) &&
               (int)value.kind == type->system;
    }
    if (type->fhir == FHIR_NONE)
        return false;
    if (exact && fhir_types[item->type].kind == FHIR_PRIMITIVE)
        return item->type == type->fhir;
    return fhir_type_is(item->type, type->fhir);
}
