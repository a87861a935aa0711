/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/shape.h"
#include "fhir/def.h"

struct shape {
    struct json_writer writer;
    enum search_summary summary;
    str elements;
};

static const char subsetted[] =
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\",\"code\":"
    "\"SUBSETTED\"}";

/* "Patient.name" in a list means the same as "name". */
static bool is_listed(str list, str name, str type)
{
    str item;
    while (str_next(&list, ',', &item)) {
        item = str_trim(item);
        if (item.n > type.n + 1 && str_starts(item, type) && item.p[type.n] == '.')
            item = str_slice(item, type.n + 1, item.n);
        if (str_eq(item, name))
            return true;
    }
    return false;
}

static bool stays(const struct shape *shape, const struct fhir_element *element, str type)
{
    switch (shape->summary) {
    case SEARCH_SUMMARY_TRUE:
        return element->is_summary;
    case SEARCH_SUMMARY_TEXT:
        return element->min > 0 || str_eq(element->name, S("text"));
    case SEARCH_SUMMARY_DATA:
        return !str_eq(element->name, S("text"));
    default:
        return element->min > 0 || element->is_modifier ||
               is_listed(shape->elements, element->name, type) ||
               is_listed(shape->elements, element->json_name, type);
    }
}

static void write_summary(struct shape *shape, struct json value, uint16_t type);

static void write_value(struct shape *shape, struct json value, uint16_t type)
{
    if (json_is(value, JSON_ARRAY)) {
        json_open(&shape->writer, '[');
        for (struct json_walk w = json_walk(value); json_next(&w);)
            write_value(shape, w.value, type);
        json_close(&shape->writer, ']');
    } else if (json_is(value, JSON_OBJECT)) {
        write_summary(shape, value, type);
    } else {
        json_raw(&shape->writer, json_text(value));
    }
}

/* Below the top only _summary=true cuts: a datatype's own elements are marked as well. */
static void write_summary(struct shape *shape, struct json value, uint16_t type)
{
    struct json named = json_get(value, S("resourceType"));
    if (json_is(named, JSON_STRING))
        type = fhir_type_find(str_slice(json_text(named), 1, json_text(named).n - 1));
    json_open(&shape->writer, '{');
    for (struct json_walk w = json_walk(value); json_next(&w);) {
        str key = str_slice(json_text(w.key), 1, json_text(w.key).n - 1);
        bool twin = key.n && key.p[0] == '_';
        str name = twin ? str_slice(key, 1, key.n) : key;
        const struct fhir_element *element =
            type == FHIR_NONE ? NULL : fhir_element_find(type, name);
        bool keep = str_eq(key, S("resourceType")) || str_eq(key, S("id")) ||
                    (element && element->is_summary);
        if (!keep)
            continue;
        json_key_str(&shape->writer, key);
        if (element && !twin)
            write_value(shape, w.value, element->type);
        else
            json_raw(&shape->writer, json_text(w.value));
    }
    json_close(&shape->writer, '}');
}

static void write_meta(struct shape *shape, struct json meta)
{
    struct json_writer *w = &shape->writer;
    bool tagged = false;
    json_key(w, "meta");
    json_open(w, '{');
    for (struct json_walk walk = json_walk(meta); json_next(&walk);) {
        bool is_tag = json_string_is(walk.key, S("tag")) && json_is(walk.value, JSON_ARRAY);
        json_raw(w, json_text(walk.key));
        buf_char(w->buf, ':');
        w->comma = false;
        if (!is_tag) {
            json_raw(w, json_text(walk.value));
            continue;
        }
        tagged = true;
        json_open(w, '[');
        for (struct json_walk tags = json_walk(walk.value); json_next(&tags);)
            json_raw(w, json_text(tags.value));
        json_raw(w, str_of(subsetted));
        json_close(w, ']');
    }
    if (!tagged) {
        json_key(w, "tag");
        json_open(w, '[');
        json_raw(w, str_of(subsetted));
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void write_member(struct shape *shape, struct json_walk *w, uint16_t type)
{
    str key = str_slice(json_text(w->key), 1, json_text(w->key).n - 1);
    bool twin = key.n && key.p[0] == '_', fixed = str_eq(key, S("resourceType")) ||
                                                  str_eq(key, S("id"));
    const struct fhir_element *element =
        fhir_element_find(type, twin ? str_slice(key, 1, key.n) : key);
    if (!fixed && (!element || !stays(shape, element, fhir_types[type].name)))
        return;
    json_key_str(&shape->writer, key);
    if (shape->summary == SEARCH_SUMMARY_TRUE && element && !twin)
        write_value(shape, w->value, element->type);
    else
        json_raw(&shape->writer, json_text(w->value));
}

void shape_write(struct buf *out, struct json resource, enum search_summary summary, str elements)
{
    struct shape shape = { json_writer(out), summary, elements };
    struct json named = json_get(resource, S("resourceType"));
    str name = str_slice(json_text(named), 1, json_text(named).n - 1);
    uint16_t type = json_is(named, JSON_STRING) ? fhir_type_find(name) : FHIR_NONE;
    if (type == FHIR_NONE) {
        buf_add(out, json_text(resource));
        return;
    }
    bool has_meta = json_is(json_get(resource, S("meta")), JSON_OBJECT);
    json_open(&shape.writer, '{');
    for (struct json_walk w = json_walk(resource); json_next(&w);) {
        if (json_string_is(w.key, S("meta")))
            write_meta(&shape, w.value);
        else
            write_member(&shape, &w, type);
    }
    if (!has_meta)
        write_meta(&shape, (struct json){ 0 });
    json_close(&shape.writer, '}');
}
