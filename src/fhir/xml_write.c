/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/def.h"
#include "fhir/xml.h"
#include "fhir/xml_tree.h"

/*
 * XML wants elements in the order of their definition; JSON has them in any. Each object's members
 * are sorted first, a primitive's value together with what stands about it under "_name".
 */
struct writer {
    struct ctx *cx;
    struct buf *buf;
    bool pretty;
    int depth;
};
struct part {
    const struct fhir_element *element;
    struct json value, more;
};

static err object(struct writer *w, struct json v, uint16_t type);

static err refuse(struct writer *w, uint16_t type, str what, const char *why)
{
    str path = arena_printf(w->cx->arena, "%.*s.%.*s", STR_ARG(fhir_types[type].name),
                            STR_ARG(what));
    return ctx_failf(w->cx, ERR_RULE, path, "as XML: %s %s", path.p, why);
}

static void indent(struct writer *w)
{
    if (!w->pretty)
        return;
    buf_char(w->buf, '\n');
    for (int i = 0; i < w->depth; i++)
        buf_add(w->buf, S("  "));
}

/* White space but blanks would be read back as blanks, so it is written by number. */
static str escape_of(unsigned char c)
{
    switch (c) {
    case '&': return S("&amp;");
    case '<': return S("&lt;");
    case '>': return S("&gt;");
    case '"': return S("&quot;");
    case '\t': return S("&#9;");
    case '\n': return S("&#10;");
    case '\r': return S("&#13;");
    default: return (str){ 0 };
    }
}

/* False: a character that XML 1.0 cannot hold (controls, U+FFFE, U+FFFF). */
static bool escaped(struct buf *buf, str text)
{
    size_t run = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == 0xEF && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0xBF &&
            (unsigned char)text.p[i + 2] >= 0xBE)
            return false;
        str escape = escape_of(c);
        if (!escape.p && c < 0x20)
            return false;
        if (!escape.p)
            continue;
        buf_add(buf, str_slice(text, run, i));
        buf_add(buf, escape);
        run = i + 1;
    }
    buf_add(buf, str_slice(text, run, text.n));
    return true;
}

static err attribute(struct writer *w, uint16_t type, const char *name, struct json v)
{
    if (json_is(v, JSON_ABSENT) || json_is(v, JSON_NULL))
        return ERR_OK;
    str text = json_string(w->cx->arena, v);
    if (!str_given(text))
        return refuse(w, type, str_of(name), "must be a single value");
    buf_printf(w->buf, " %s=\"", name);
    if (!escaped(w->buf, text))
        return refuse(w, type, str_of(name), "has a character that XML cannot hold");
    buf_char(w->buf, '"');
    return ERR_OK;
}

static void open_tag(struct writer *w, str name)
{
    indent(w);
    buf_char(w->buf, '<');
    buf_add(w->buf, name);
}

static void close_tag(struct writer *w, str name)
{
    indent(w);
    buf_add(w->buf, S("</"));
    buf_add(w->buf, name);
    buf_char(w->buf, '>');
}

/* The narrative goes out as it is, once it has proved to be one well-formed div. */
static err narrative(struct writer *w, struct json v, uint16_t type)
{
    str text = str_trim(json_string(w->cx->arena, v));
    struct xml_tree *tree;
    if (!json_is(v, JSON_STRING) || !str_starts(text, S("<div")) ||
        xml_tree_parse(w->cx, text, &tree))
        return refuse(w, type, S("div"), "is not one well-formed div element of XHTML");
    bool xhtml = str_eq(tree->root->space, XML_XHTML);
    bool bare = tree->root->space.n == 0;
    bool div = str_eq(tree->root->name, S("div"));
    xml_tree_free(tree);
    if (!div || (!xhtml && !bare))
        return refuse(w, type, S("div"), "is not one well-formed div element of XHTML");
    indent(w);
    buf_add(w->buf, S("<div"));
    if (bare)
        buf_add(w->buf, S(" xmlns=\"http://www.w3.org/1999/xhtml\""));
    buf_add(w->buf, str_slice(text, 4, text.n));
    return ERR_OK;
}

static err primitive(struct writer *w, const struct part *part, struct json value, struct json more)
{
    const struct fhir_element *element = part->element;
    if (!json_is(more, JSON_ABSENT) && !json_is(more, JSON_NULL) && !json_is(more, JSON_OBJECT))
        return refuse(w, element->type, element->json_name, "has a \"_\" twin that is no object");
    open_tag(w, element->json_name);
    TRY(attribute(w, element->type, "id", json_get(more, S("id"))));
    TRY(attribute(w, element->type, "value", value));
    if (!json_get(more, S("extension")).doc) {
        buf_add(w->buf, S("/>"));
        return ERR_OK;
    }
    buf_char(w->buf, '>');
    w->depth++;
    TRY(object(w, more, element->type));
    w->depth--;
    close_tag(w, element->json_name);
    return ERR_OK;
}

static err resource(struct writer *w, struct json v, str space)
{
    str name = json_string(w->cx->arena, json_get(v, S("resourceType")));
    uint16_t type = fhir_type_find(name);
    if (type == FHIR_NONE || fhir_types[type].kind != FHIR_RESOURCE)
        return ctx_failf(w->cx, ERR_RULE, S(""),
                         "as XML: \"%.*s\" is not a resource type of FHIR R4", STR_ARG(name));
    open_tag(w, name);
    buf_add(w->buf, space);
    buf_char(w->buf, '>');
    w->depth++;
    TRY(object(w, v, type));
    w->depth--;
    close_tag(w, name);
    return ERR_OK;
}

static bool has_content(struct json v)
{
    for (struct json_walk walk = json_walk(v); json_next(&walk);)
        if (!json_string_is(walk.key, S("id")) && !json_string_is(walk.key, S("url")))
            return true;
    return false;
}

static err complex(struct writer *w, const struct fhir_element *element, struct json v)
{
    const struct fhir_type *type = &fhir_types[element->type];
    if (!json_is(v, JSON_OBJECT))
        return refuse(w, element->type, element->json_name, "must be an object");
    bool any = type->kind == FHIR_RESOURCE;
    bool extension = str_eq(type->name, S("Extension"));
    open_tag(w, element->json_name);
    if (!any)
        TRY(attribute(w, element->type, "id", json_get(v, S("id"))));
    if (extension)
        TRY(attribute(w, element->type, "url", json_get(v, S("url"))));
    if (!any && !has_content(v) && (extension || !json_get(v, S("url")).doc)) {
        buf_add(w->buf, S("/>"));
        return ERR_OK;
    }
    buf_char(w->buf, '>');
    w->depth++;
    TRY(any ? resource(w, v, S("")) : object(w, v, element->type));
    w->depth--;
    close_tag(w, element->json_name);
    return ERR_OK;
}

static err item(struct writer *w, const struct part *part, struct json value, struct json more)
{
    const struct fhir_type *type = &fhir_types[part->element->type];
    if (type->primitive == FHIR_XHTML)
        return narrative(w, value, part->element->type);
    if (type->kind == FHIR_PRIMITIVE)
        return primitive(w, part, value, more);
    return complex(w, part->element, value);
}

static err element(struct writer *w, const struct part *part)
{
    if (!json_is(part->value, JSON_ARRAY) && !json_is(part->more, JSON_ARRAY))
        return item(w, part, part->value, part->more);
    struct json_walk values = json_walk(part->value), more = json_walk(part->more);
    for (;;) {
        bool has_value = json_next(&values), has_more = json_next(&more);
        if (!has_value && !has_more)
            return ERR_OK;
        struct json none = { 0 };
        TRY(item(w, part, has_value ? values.value : none, has_more ? more.value : none));
    }
}

/* Attributes have been written with the tag; a resource's id is an element. */
static bool is_attribute(uint16_t type, str key)
{
    if (fhir_types[type].kind == FHIR_RESOURCE)
        return str_eq(key, S("resourceType"));
    return str_eq(key, S("id")) ||
           (str_eq(key, S("url")) && str_eq(fhir_types[type].name, S("Extension")));
}

static struct part *part_of(struct part *parts, size_t *count, const struct fhir_element *element)
{
    size_t at = *count;
    for (size_t i = 0; i < *count; i++)
        if (parts[i].element == element)
            return &parts[i];
    while (at > 0 && parts[at - 1].element->order > element->order) {
        parts[at] = parts[at - 1];
        at--;
    }
    parts[at] = (struct part){ .element = element };
    ++*count;
    return &parts[at];
}

static err object(struct writer *w, struct json v, uint16_t type)
{
    struct part *parts = arena_array(w->cx->arena, fhir_types[type].elements_count, sizeof *parts);
    size_t count = 0;
    for (struct json_walk walk = json_walk(v); json_next(&walk);) {
        str key = json_string(w->cx->arena, walk.key);
        bool more = key.n > 0 && key.p[0] == '_';
        if (is_attribute(type, key))
            continue;
        const struct fhir_element *found = fhir_element_find(type, str_slice(key, more, key.n));
        if (!found)
            return refuse(w, type, key, "is not an element of FHIR R4");
        struct part *part = part_of(parts, &count, found);
        *(more ? &part->more : &part->value) = walk.value;
    }
    for (size_t i = 0; i < count; i++)
        TRY(element(w, &parts[i]));
    return ERR_OK;
}

err fhir_xml_write(struct ctx *cx, struct json v, bool pretty, struct buf *out)
{
    struct writer w = { .cx = cx, .buf = out, .pretty = pretty };
    buf_add(out, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    TRY(resource(&w, v, S(" xmlns=\"http://hl7.org/fhir\"")));
    return out->full ? ctx_fail(cx, ERR_LIMIT, S(""), S("the answer is too large as XML")) : ERR_OK;
}
