/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"
#include <stdarg.h>

enum { TEXT_MAX = 1200 };

/* ---- Saying what is wrong ---- */

static str whose(struct profile_check *c)
{
    return c->profile ? arena_printf(c->cx->arena, " (profile %.*s)", STR_ARG(c->profile->url))
                      : S("");
}

static struct issue make_issue(struct profile_check *c, const struct validate_place *place,
                               const char *format, va_list args)
{
    char text[TEXT_MAX];
    vsnprintf(text, sizeof text, format, args);
    str profile = whose(c);
    return (struct issue){
        .kind = ERR_RULE,
        .path = validate_path(c->cx->arena, place),
        .text = arena_printf(c->cx->arena, "%s%.*s", text, STR_ARG(profile)) };
}

void profile_fault(struct profile_check *c, const struct validate_place *place, const char *code,
                   const char *format, ...)
{
    c->faults++;
    if (c->quiet)
        return;
    va_list args;
    va_start(args, format);
    struct issue issue = make_issue(c, place, format, args);
    va_end(args);
    issue.severity = ISSUE_ERROR;
    issue.code = code;
    issues_note(&c->cx->issues, issue);
}

void profile_warn(struct profile_check *c, const struct validate_place *place,
                  enum issue_severity severity, const char *format, ...)
{
    bool note = severity == ISSUE_INFORMATION;
    if (c->quiet)
        return;
    if (c->warnings_count >= PROFILE_WARNINGS_MAX ||
        (note && c->notes_count >= PROFILE_NOTES_MAX)) {
        c->left_out++;
        return;
    }
    va_list args;
    va_start(args, format);
    struct issue issue = make_issue(c, place, format, args);
    va_end(args);
    issue.severity = severity;
    issue.code = "informational";
    for (size_t i = 0; i < c->warnings_count; i++)
        if (str_eq(c->warnings[i].text, issue.text) && str_eq(c->warnings[i].path, issue.path))
            return;
    c->notes_count += note;
    c->warnings[c->warnings_count++] = issue;
}

/* ---- Going down ---- */

struct profile_item profile_item_of(struct json value, uint16_t type)
{
    return (struct profile_item){ .value = value, .type = type, .index = VALIDATE_NO_INDEX };
}

struct validate_place profile_place(const struct validate_place *up,
                                    const struct profile_item *item, str name)
{
    return (struct validate_place){ up, item->element ? item->element->json_name : name,
                                    item->element, item->index };
}

uint16_t profile_core_type(str url)
{
    str core = S("http://hl7.org/fhir/StructureDefinition/");
    url = profile_without_version(url);
    return str_starts(url, core) ? fhir_type_find(str_slice(url, core.n, url.n)) : FHIR_NONE;
}

uint16_t profile_type_of(struct profile_check *c, struct json resource)
{
    str name = json_string(c->cx->arena, json_get(resource, S("resourceType")));
    uint16_t found = str_given(name) ? fhir_resource_find(name) : FHIR_NONE;
    return found == FHIR_NONE ? FHIR_NONE : fhir_resources[found];
}

static struct json get_twin(struct json object, const struct fhir_element *element)
{
    char key[128];
    size_t n = element->json_name.n;
    if (fhir_types[element->type].kind != FHIR_PRIMITIVE || n + 1 > sizeof key)
        return (struct json){ 0 };
    key[0] = '_';
    memcpy(key + 1, element->json_name.p, n);
    return json_get(object, (str){ key, n + 1 });
}

struct gathered {
    struct profile_items items;
    size_t cap;
};

static void add_item(struct profile_check *c, struct gathered *g, struct profile_item item)
{
    if (fhir_types[item.type].kind == FHIR_RESOURCE) {
        item.type = profile_type_of(c, item.value);
        if (item.type == FHIR_NONE)
            return;
    }
    g->items.list = arena_grow(c->cx->arena, g->items.list, g->items.count, &g->cap,
                               sizeof *g->items.list);
    g->items.list[g->items.count++] = item;
}

/* Null within an array stands for a value that only the twin has. */
static struct json without_null(struct json value)
{
    return json_is(value, JSON_NULL) ? (struct json){ 0 } : value;
}

static void add_items(struct profile_check *c, struct gathered *g,
                      const struct fhir_element *element, struct json value, struct json twin)
{
    struct profile_item item = { .element = element, .type = element->type };
    if (!json_is(value, JSON_ARRAY) && !json_is(twin, JSON_ARRAY)) {
        item.value = value;
        item.twin = twin;
        item.index = VALIDATE_NO_INDEX;
        add_item(c, g, item);
        return;
    }
    struct json_walk values = json_walk(value), twins = json_walk(twin);
    for (size_t i = 0;; i++) {
        bool has_value = value.doc && json_next(&values);
        bool has_twin = twin.doc && json_next(&twins);
        if (!has_value && !has_twin)
            return;
        item.value = has_value ? without_null(values.value) : (struct json){ 0 };
        item.twin = has_twin ? without_null(twins.value) : (struct json){ 0 };
        item.index = i;
        add_item(c, g, item);
    }
}

static void gather_choice(struct profile_check *c, struct gathered *g, struct json object,
                          uint16_t type, str name)
{
    for (struct json_walk w = json_walk(object); json_next(&w);) {
        str key = json_string(c->cx->arena, w.key);
        bool twin = key.n && key.p[0] == '_';
        const struct fhir_element *element =
            fhir_element_find(type, twin ? str_slice(key, 1, key.n) : key);
        if (!element || !element->choice || !str_eq(element->name, name))
            continue;
        struct json value = json_get(object, element->json_name);
        if (twin && value.doc)
            continue; /* taken with the value */
        add_items(c, g, element, value, get_twin(object, element));
    }
}

struct profile_items profile_children(struct profile_check *c, const struct profile_item *item,
                                      str name)
{
    struct gathered g = { 0 };
    bool primitive = fhir_types[item->type].kind == FHIR_PRIMITIVE;
    struct json object = primitive ? item->twin : item->value;
    if (!json_is(object, JSON_OBJECT))
        return g.items;
    const struct fhir_element *element = fhir_element_find(item->type, name);
    if (!element) {
        gather_choice(c, &g, object, item->type, name);
        return g.items;
    }
    struct json value = json_get(object, element->json_name), twin = get_twin(object, element);
    if (value.doc || twin.doc)
        add_items(c, &g, element, value, twin);
    return g.items;
}

/* ---- References ---- */

static struct json find_contained(struct json resource, str id)
{
    for (struct json_walk w = json_walk(json_get(resource, S("contained"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("id")), id))
            return w.value;
    return (struct json){ 0 };
}

/* An entry whose fullUrl is the reference, or ends in it when that is relative. */
static struct json find_entry(struct profile_check *c, str reference)
{
    str relative = arena_printf(c->cx->arena, "/%.*s", STR_ARG(reference));
    for (struct json_walk w = json_walk(json_get(c->bundle, S("entry"))); json_next(&w);) {
        str full = json_string(c->cx->arena, json_get(w.value, S("fullUrl")));
        if (str_given(full) && (str_eq(full, reference) || str_ends(full, relative)))
            return json_get(w.value, S("resource"));
    }
    return (struct json){ 0 };
}

struct json profile_resolve(struct profile_check *c, str reference)
{
    if (reference.n && reference.p[0] == '#')
        return reference.n > 1 ? find_contained(c->root, str_slice(reference, 1, reference.n))
                               : c->root;
    struct json found = c->bundle.doc ? find_entry(c, reference) : (struct json){ 0 };
    if (!found.doc && c->host && c->host->resolve)
        found = c->host->resolve(c->cx, c->host, reference);
    return found;
}
