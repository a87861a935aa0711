/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/validate_in.h"
#include "base/buf.h"
#include "fhir/primitive.h"
#include <stdarg.h>

enum { PATH_MAX_BYTES = 4096, CHOICES_MAX = 16, ORDER_MAX = 256 };

/* What an object has shown so far. */
struct seen {
    uint64_t orders[ORDER_MAX / 64];
    uint16_t required_count;
    const struct fhir_element *choices[CHOICES_MAX]; /* the member each choice was given by */
    size_t choices_count;
};

static void check_object(struct validate *v, const struct validate_place *place, struct json object,
                         uint16_t type);
static void check_resource(struct validate *v, const struct validate_place *place,
                           struct json value);

/* ---- Places ---- */

static void write_place(struct buf *out, const struct validate_place *place)
{
    if (place->up) {
        write_place(out, place->up);
        buf_char(out, '.');
    }
    const struct fhir_element *e = place->element;
    bool choice = e && e->choice;
    buf_add(out, choice ? e->name : place->name);
    if (place->index != VALIDATE_NO_INDEX)
        buf_printf(out, "[%zu]", place->index);
    if (choice) {
        str type = fhir_types[e->type].name;
        buf_printf(out, ".ofType(%.*s)", STR_ARG(type));
    }
}

str validate_path(struct arena *arena, const struct validate_place *place)
{
    struct buf out = buf_make(arena, PATH_MAX_BYTES);
    write_place(&out, place);
    return buf_str(&out);
}

void validate_fault(struct validate *v, const struct validate_place *place, const char *code,
                    const char *format, ...)
{
    v->faults++;
    if (v->cx->issues.kept >= ISSUES_MAX) {
        v->cx->issues.count++;
        return;
    }
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    issues_note(&v->cx->issues, (struct issue){
        .kind = ERR_RULE, .severity = ISSUE_ERROR, .code = code,
        .path = validate_path(v->cx->arena, place),
        .text = arena_copy(v->cx->arena, str_of(text)) });
}

static struct validate_place step(const struct validate_place *up, str name,
                                  const struct fhir_element *element)
{
    return (struct validate_place){ up, name, element, VALIDATE_NO_INDEX };
}

/* ---- Values ---- */

static void check_primitive(struct validate *v, const struct validate_place *place,
                            const struct fhir_element *element, struct json value)
{
    const char *fault =
        primitive_fault(v->cx->arena, fhir_types[element->type].primitive, value);
    if (fault) {
        str text = str_slice(json_text(value), 0, 100);
        validate_fault(v, place, "value", "%.*s %s", STR_ARG(text), fault);
    } else if (element->binding != FHIR_NONE) {
        validate_binding(v, place, element, value);
    }
}

static bool is_type(const struct fhir_element *element, str name)
{
    return str_eq(fhir_types[element->type].name, name);
}

static void check_complex(struct validate *v, const struct validate_place *place,
                          const struct fhir_element *element, struct json value)
{
    const struct fhir_type *type = &fhir_types[element->type];
    if (!json_is(value, JSON_OBJECT)) {
        validate_fault(v, place, "structure", "must be an object: a %.*s", STR_ARG(type->name));
        return;
    }
    if (type->kind == FHIR_RESOURCE) {
        check_resource(v, place, value);
        return;
    }
    check_object(v, place, value, element->type);
    if (element->binding != FHIR_NONE)
        validate_binding(v, place, element, value);
    if (element->is_simple && json_get(value, S("comparator")).doc)
        validate_fault(v, place, "structure", "must not have a comparator (SimpleQuantity)");
    if (is_type(element, S("Reference")))
        validate_check_reference(v, place, element, value);
}

static void check_value(struct validate *v, const struct validate_place *place,
                        const struct fhir_element *element, struct json value)
{
    if (fhir_types[element->type].kind == FHIR_PRIMITIVE)
        check_primitive(v, place, element, value);
    else
        check_complex(v, place, element, value);
}

/* ---- Members ---- */

/* The other half of a primitive: value of "_name", or of "name" as seen from the twin. */
static struct json twin_of(struct json object, str name)
{
    char key[128];
    if (name.n + 1 > sizeof key)
        return (struct json){ 0 };
    key[0] = '_';
    memcpy(key + 1, name.p, name.n);
    return json_get(object, (str){ key, name.n + 1 });
}

static void check_items(struct validate *v, struct validate_place *place,
                        const struct fhir_element *element, struct json array, struct json twin)
{
    size_t count = json_count(array), index = 0;
    if (count == 0)
        validate_fault(v, place, "structure", "must not be an empty array: leave it out");
    if (element->max != FHIR_MANY && count > element->max)
        validate_fault(v, place, "structure", "has %zu items, at most %u are allowed", count,
                       element->max);
    if (json_is(twin, JSON_ARRAY) && json_count(twin) != count)
        validate_fault(v, place, "structure",
                       "has %zu items but its twin with the underscore has %zu", count,
                       json_count(twin));
    struct json_walk twins = json_walk(twin);
    for (struct json_walk w = json_walk(array); json_next(&w); index++) {
        bool extended = json_next(&twins) && json_is(twins.value, JSON_OBJECT);
        place->index = index;
        if (!json_is(w.value, JSON_NULL))
            check_value(v, place, element, w.value);
        else if (!extended)
            validate_fault(v, place, "structure",
                           "must not be null, but where its twin with the underscore has "
                           "extensions");
    }
}

static void check_member(struct validate *v, const struct validate_place *up,
                         const struct fhir_element *element, struct json object, struct json value)
{
    struct validate_place place = step(up, element->json_name, element);
    bool many = element->max > 1;
    if (many && json_is(value, JSON_ARRAY)) {
        bool primitive = fhir_types[element->type].kind == FHIR_PRIMITIVE;
        check_items(v, &place, element, value,
                    primitive ? twin_of(object, element->json_name) : (struct json){ 0 });
    } else if (many) {
        validate_fault(v, &place, "structure", "must be an array: put it in [ ]");
    } else if (json_is(value, JSON_ARRAY)) {
        validate_fault(v, &place, "structure", "must not be an array: it occurs at most once");
    } else if (json_is(value, JSON_NULL)) {
        validate_fault(v, &place, "structure", "must not be null: leave it out");
    } else {
        check_value(v, &place, element, value);
    }
}

static void check_twin_item(struct validate *v, const struct validate_place *place,
                            const struct fhir_element *element, struct json value)
{
    if (json_is(value, JSON_OBJECT))
        check_object(v, place, value, element->type);
    else
        validate_fault(v, place, "structure",
                       "must be an object with the id and extensions of a primitive");
}

/* "_birthDate": { "extension": [...] }; for arrays, as long as the array and null where there is
 * nothing to say. */
static void check_twin(struct validate *v, const struct validate_place *up,
                       const struct fhir_element *element, struct json object, struct json value)
{
    struct validate_place place = step(up, element->json_name, element);
    if (element->max <= 1) {
        check_twin_item(v, &place, element, value);
        return;
    }
    if (!json_is(value, JSON_ARRAY) || json_count(value) == 0) {
        validate_fault(v, &place, "structure", "its twin with the underscore must be an array");
        return;
    }
    struct json_walk values = json_walk(json_get(object, element->json_name));
    size_t index = 0;
    for (struct json_walk w = json_walk(value); json_next(&w); index++) {
        bool has_value = json_next(&values);
        place.index = index;
        if (!json_is(w.value, JSON_NULL))
            check_twin_item(v, &place, element, w.value);
        else if (!has_value)
            validate_fault(v, &place, "structure", "has neither value nor extension");
    }
}

/* ---- Objects ---- */

static void note_seen(struct validate *v, const struct validate_place *up, struct seen *seen,
                      const struct fhir_element *element)
{
    uint64_t bit = (uint64_t)1 << (element->order % 64);
    uint64_t *word = &seen->orders[element->order / 64 % COUNT(seen->orders)];
    bool again = *word & bit;
    *word |= bit;
    seen->required_count = (uint16_t)(seen->required_count + (!again && element->min > 0));
    if (!element->choice)
        return;
    for (size_t i = 0; again && i < seen->choices_count; i++) {
        const struct fhir_element *first = seen->choices[i];
        if (first->choice != element->choice || first == element)
            continue;
        struct validate_place place = step(up, element->name, NULL);
        validate_fault(v, &place, "structure", "is given twice, as %.*s and as %.*s: keep one",
                       STR_ARG(first->json_name), STR_ARG(element->json_name));
        return;
    }
    if (!again && seen->choices_count < CHOICES_MAX)
        seen->choices[seen->choices_count++] = element;
}

static void report_missing(struct validate *v, const struct validate_place *up, uint16_t type,
                           const struct seen *seen)
{
    uint64_t reported[COUNT(seen->orders)] = { 0 };
    for (uint16_t i = 0; i < fhir_types[type].elements_count; i++) {
        const struct fhir_element *e = &fhir_types[type].elements[i];
        size_t word = e->order / 64 % COUNT(seen->orders);
        uint64_t bit = (uint64_t)1 << (e->order % 64);
        if (e->min == 0 || (seen->orders[word] & bit) || (reported[word] & bit))
            continue;
        reported[word] |= bit;
        struct validate_place place = step(up, e->name, NULL);
        validate_fault(v, &place, "required", "is required and missing");
    }
}

static void report_unknown(struct validate *v, const struct validate_place *up, str key,
                           uint16_t type)
{
    struct validate_place place = step(up, key, NULL);
    str name = fhir_types[type].name;
    validate_fault(v, &place, "structure", "FHIR R4 has no element %.*s in %.*s",
                   STR_ARG(key), STR_ARG(name));
}

/* One member of an object, its key already unescaped. */
static void take_member(struct validate *v, const struct validate_place *place, struct json object,
                        uint16_t type, struct seen *seen, const struct json_walk *w)
{
    str key = json_string(v->cx->arena, w->key);
    const struct fhir_element *element = fhir_element_find(type, key);
    if (element) {
        note_seen(v, place, seen, element);
        check_member(v, place, element, object, w->value);
        return;
    }
    if (str_eq(key, S("resourceType")) && fhir_types[type].kind == FHIR_RESOURCE)
        return;
    element = key.n > 1 && key.p[0] == '_' ? fhir_element_find(type, str_slice(key, 1, key.n))
                                            : NULL;
    if (!element || fhir_types[element->type].kind != FHIR_PRIMITIVE) {
        report_unknown(v, place, key, type);
        return;
    }
    note_seen(v, place, seen, element);
    check_twin(v, place, element, object, w->value);
}

static void check_object(struct validate *v, const struct validate_place *place, struct json object,
                         uint16_t type)
{
    struct seen seen = { 0 };
    if (json_count(object) == 0)
        validate_fault(v, place, "structure", "must not be empty: leave it out");
    for (struct json_walk w = json_walk(object); json_next(&w);)
        take_member(v, place, object, type, &seen, &w);
    if (seen.required_count < fhir_types[type].required_count)
        report_missing(v, place, type, &seen);
}

/* ---- Resources ---- */

/* FHIR_NONE, with a fault, when the value names no concrete resource type. */
static uint16_t type_of(struct validate *v, const struct validate_place *place, struct json value)
{
    struct json name = json_get(value, S("resourceType"));
    str text = json_string(v->cx->arena, name);
    uint16_t resource = json_is(name, JSON_STRING) ? fhir_resource_find(text) : FHIR_NONE;
    if (resource != FHIR_NONE)
        return fhir_resources[resource];
    if (json_is(name, JSON_STRING))
        validate_fault(v, place, "structure", "\"%.*s\" is not a resource type of FHIR R4",
                       STR_ARG(str_slice(text, 0, 100)));
    else
        validate_fault(v, place, "structure", "must be a resource: resourceType is missing");
    return FHIR_NONE;
}

static void check_contained(struct validate *v, const struct validate_place *place,
                            struct json value)
{
    if (v->inside_contained)
        validate_fault(v, place, "structure", "a contained resource must not contain others");
    if (!json_get(value, S("id")).doc)
        validate_fault(v, place, "required", "a contained resource needs an id to be referred to");
    bool before = v->inside_contained;
    v->inside_contained = true;
    uint16_t type = type_of(v, place, value);
    if (type != FHIR_NONE)
        check_object(v, place, value, type);
    v->inside_contained = before;
}

/* A resource within another: contained, or an entry that stands for itself. */
static void check_resource(struct validate *v, const struct validate_place *place,
                           struct json value)
{
    if (str_eq(place->name, S("contained"))) {
        check_contained(v, place, value);
        return;
    }
    uint16_t type = type_of(v, place, value);
    struct validate inner = { .cx = v->cx, .container = value };
    if (type != FHIR_NONE)
        check_object(&inner, place, value, type);
    v->faults += inner.faults;
}

err validate_resource_as(struct ctx *cx, struct json resource, uint16_t type)
{
    struct validate v = { .cx = cx, .container = resource };
    struct validate_place root = { .name = S("Resource"), .index = VALIDATE_NO_INDEX };
    if (!json_is(resource, JSON_OBJECT))
        return ctx_fail(cx, ERR_INVALID, S(""), S("a resource must be a JSON object"));
    uint16_t actual = type_of(&v, &root, resource);
    if (actual == FHIR_NONE)
        return ERR_INVALID;
    root.name = fhir_types[actual].name;
    if (type != FHIR_NONE && type != actual)
        return ctx_failf(cx, ERR_INVALID, root.name, "resourceType is %.*s, expected %.*s",
                         STR_ARG(root.name), STR_ARG(fhir_types[type].name));
    check_object(&v, &root, resource, actual);
    return v.faults ? ERR_RULE : ERR_OK;
}

err validate_resource(struct ctx *cx, struct json resource)
{
    return validate_resource_as(cx, resource, FHIR_NONE);
}
