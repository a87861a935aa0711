/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/def.h"
#include "fhir/xml.h"
#include "fhir/xml_tree.h"
#include "json/write.h"

/*
 * Each element's children are gathered by name, since JSON has what repeats in one array, and what
 * is said about primitives in a second one beside it.
 */
struct place {
    const struct place *up;
    const struct fhir_element *element;
    size_t index;
};
struct reader {
    struct ctx *cx;
    struct json_writer w;
    str root;                  /* the resource's type */
    const struct place *place; /* of the element being read; NULL: the root */
};
struct group {
    const struct fhir_element *element;
    struct xml_element *first, *last;
};

static err object(struct reader *r, const struct xml_element *xml, uint16_t type);

/* "Patient.name[0].given[1]" */
static str path_of(struct reader *r, const struct place *place)
{
    if (!place)
        return r->root;
    str up = path_of(r, place->up), name = place->element->name;
    return place->element->max != 1
               ? arena_printf(r->cx->arena, "%.*s.%.*s[%zu]", STR_ARG(up), STR_ARG(name),
                              place->index)
               : arena_printf(r->cx->arena, "%.*s.%.*s", STR_ARG(up), STR_ARG(name));
}

static err refuse(struct reader *r, const struct xml_element *xml, uint16_t type, const char *why,
                  str what)
{
    return ctx_failf(r->cx, ERR_INVALID, path_of(r, r->place),
                     "XML line %d: %.*s has %s \"%.*s\"", xml->line,
                     STR_ARG(fhir_types[type].name), why, STR_ARG(what));
}

static bool is_resource(uint16_t type)
{
    return fhir_types[type].kind == FHIR_RESOURCE;
}

/* Text where a value should be is refused; a stray character between elements, as UK Core's own
 * files have, is dropped with a warning. */
static err stray_text(struct reader *r, const struct xml_element *xml, uint16_t type)
{
    str text = arena_printf(r->cx->arena,
                            "XML line %d: text within \"%.*s\" has no meaning; a value is "
                            "an attribute", xml->text_line, STR_ARG(xml->name));
    if (!xml->first && (!xml->attributes_count || is_resource(type)))
        return ctx_fail(r->cx, ERR_INVALID, path_of(r, r->place), text);
    issues_note(&r->cx->issues, (struct issue){ ERR_INVALID, ISSUE_WARNING, NULL,
                                                path_of(r, r->place), text });
    return ERR_OK;
}

/* What may stand as an attribute: a primitive's value, an element's id, an extension's url. */
static err check_attributes(struct reader *r, const struct xml_element *xml, uint16_t type)
{
    bool primitive = fhir_types[type].kind == FHIR_PRIMITIVE;
    bool extension = str_eq(fhir_types[type].name, S("Extension"));
    for (size_t i = 0; i < xml->attributes_count; i++) {
        str name = xml->attributes[i].name;
        if (str_eq(name, S("xmlns")) || str_find_char(name, ':') != STR_NONE)
            continue;
        if (!(str_eq(name, S("id")) && !is_resource(type)) &&
            !(str_eq(name, S("value")) && primitive) && !(str_eq(name, S("url")) && extension))
            return refuse(r, xml, type, "no attribute", name);
    }
    return xml->text_line ? stray_text(r, xml, type) : ERR_OK;
}

static bool digits(str text, size_t *at)
{
    size_t from = *at;
    while (*at < text.n && text.p[*at] >= '0' && text.p[*at] <= '9')
        ++*at;
    return *at > from;
}

/* JSON's own grammar for numbers; anything else is left for the validator, as a string. */
static bool is_number(str text)
{
    size_t i = text.n && text.p[0] == '-', from = i;
    if (!digits(text, &i) || (text.p[from] == '0' && i > from + 1))
        return false;
    if (i < text.n && text.p[i] == '.' && (i++, !digits(text, &i)))
        return false;
    if (i < text.n && (text.p[i] | 0x20) == 'e') {
        i++;
        if (i < text.n && (text.p[i] == '+' || text.p[i] == '-'))
            i++;
        if (!digits(text, &i))
            return false;
    }
    return i == text.n;
}

static void put_value(struct reader *r, uint16_t type, str value)
{
    bool raw = false;
    switch (fhir_types[type].primitive) {
    case FHIR_BOOLEAN: raw = str_eq(value, S("true")) || str_eq(value, S("false")); break;
    case FHIR_INTEGER:
    case FHIR_POSITIVE_INT:
    case FHIR_UNSIGNED_INT:
    case FHIR_DECIMAL: raw = is_number(value); break;
    default: break;
    }
    if (!str_given(value))
        json_raw(&r->w, S("null"));
    else if (raw)
        json_raw(&r->w, value);
    else
        json_str(&r->w, value);
}

/* Drops "prefix:" from the tags of a narrative and declares its namespace on the first. */
static str without_prefix(struct arena *arena, const struct xml_element *xml)
{
    struct buf buf = buf_make(arena, SIZE_MAX);
    str rest = xml->source;
    for (bool first = true; rest.n; first = false) {
        size_t mark = str_find_char(rest, '<');
        mark = mark == STR_NONE ? rest.n : mark + 1;
        mark += mark < rest.n && rest.p[mark] == '/';
        buf_add(&buf, str_slice(rest, 0, mark));
        rest = str_slice(rest, mark, rest.n);
        if (str_starts(rest, xml->prefix) && rest.n > xml->prefix.n &&
            rest.p[xml->prefix.n] == ':')
            rest = str_slice(rest, xml->prefix.n + 1, rest.n);
        if (first) {
            buf_add(&buf, xml->name);
            buf_add(&buf, S(" xmlns=\"http://www.w3.org/1999/xhtml\""));
            rest = str_slice(rest, xml->name.n, rest.n);
        }
    }
    return buf_str(&buf);
}

/* XML reads a line's end as one line feed, however it was written. */
static str with_line_feeds(struct arena *arena, str text)
{
    if (str_find_char(text, '\r') == STR_NONE)
        return text;
    char *out = arena_alloc(arena, text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\r')
            out[n++] = text.p[i];
        else if (i + 1 == text.n || text.p[i + 1] != '\n')
            out[n++] = '\n';
    return (str){ out, n };
}

static err narrative(struct reader *r, const struct xml_element *xml, uint16_t type)
{
    if (!str_eq(xml->space, XML_XHTML) || !str_eq(xml->name, S("div")))
        return refuse(r, xml, type, "a narrative that must be a div of XHTML's namespace, not",
                      xml->name);
    str text = xml->source;
    if (xml->prefix.n || !str_starts(text, S("<div")))
        text = without_prefix(r->cx->arena, xml);
    json_str(&r->w, with_line_feeds(r->cx->arena, text));
    return ERR_OK;
}

static bool has_more(const struct xml_element *xml)
{
    return xml->first || str_given(xml_attribute(xml, S("id")));
}

/* The values, then beside them what is said about them: ids and extensions. */
static err primitives(struct reader *r, const struct group *group)
{
    const struct fhir_element *element = group->element;
    bool many = element->max != 1, values = false, more = false;
    struct place here = { r->place, element, 0 };
    r->place = &here;
    for (struct xml_element *at = group->first; at; at = at->twin) {
        TRY(check_attributes(r, at, element->type));
        here.index++;
        values = values || str_given(xml_attribute(at, S("value")));
        more = more || has_more(at);
    }
    if (values) {
        json_key_str(&r->w, element->json_name);
        if (many)
            json_open(&r->w, '[');
        for (struct xml_element *at = group->first; at; at = at->twin)
            put_value(r, element->type, xml_attribute(at, S("value")));
        if (many)
            json_close(&r->w, ']');
    }
    r->place = here.up;
    if (values && !more)
        return ERR_OK;
    json_key_str(&r->w, arena_printf(r->cx->arena, "_%.*s", STR_ARG(element->json_name)));
    if (many)
        json_open(&r->w, '[');
    r->place = &here;
    here.index = 0;
    for (struct xml_element *at = group->first; at; at = at->twin, here.index++) {
        if (many && !has_more(at))
            json_raw(&r->w, S("null"));
        else
            TRY(object(r, at, element->type));
    }
    if (many)
        json_close(&r->w, ']');
    r->place = here.up;
    return ERR_OK;
}

/* Where any resource may stand, the element holds one of that resource's name. */
static err resource_within(struct reader *r, const struct xml_element *xml, uint16_t type)
{
    TRY(check_attributes(r, xml, type));
    const struct xml_element *inner = xml->first;
    uint16_t inner_type = inner ? fhir_type_find(inner->name) : FHIR_NONE;
    if (!inner || inner->next || inner_type == FHIR_NONE || !is_resource(inner_type))
        return ctx_failf(r->cx, ERR_INVALID, path_of(r, r->place),
                         "XML line %d: \"%.*s\" must hold exactly one resource", xml->line,
                         STR_ARG(xml->name));
    return object(r, inner, inner_type);
}

static err one(struct reader *r, const struct xml_element *xml, const struct fhir_element *element)
{
    const struct fhir_type *type = &fhir_types[element->type];
    if (type->primitive == FHIR_XHTML)
        return narrative(r, xml, element->type);
    if (type->kind == FHIR_RESOURCE && type->is_abstract)
        return resource_within(r, xml, element->type);
    return object(r, xml, element->type);
}

static err several(struct reader *r, const struct group *group)
{
    const struct fhir_element *element = group->element;
    bool many = element->max != 1;
    if (!many && group->first->twin)
        return ctx_failf(r->cx, ERR_INVALID, path_of(r, r->place),
                         "XML line %d: \"%.*s\" may stand only once here",
                         group->first->twin->line, STR_ARG(group->first->name));
    enum fhir_primitive primitive = fhir_types[element->type].primitive;
    if (primitive != FHIR_NOT_PRIMITIVE && primitive != FHIR_XHTML)
        return primitives(r, group);
    json_key_str(&r->w, element->json_name);
    if (many)
        json_open(&r->w, '[');
    struct place here = { r->place, element, 0 };
    r->place = &here;
    for (struct xml_element *at = group->first; at; at = at->twin) {
        TRY(one(r, at, element));
        here.index++;
    }
    r->place = here.up;
    if (many)
        json_close(&r->w, ']');
    return ERR_OK;
}

static err gather(struct reader *r, const struct xml_element *xml, uint16_t type,
                  struct group *groups, size_t *count)
{
    const struct fhir_type *shape = &fhir_types[type];
    uint16_t *place = arena_array(r->cx->arena, shape->elements_count, sizeof *place);
    for (struct xml_element *at = xml->first; at; at = at->next) {
        const struct fhir_element *element = fhir_element_find(type, at->name);
        bool attribute = element && !is_resource(type) && str_eq(at->name, S("id"));
        if (!element || attribute)
            return refuse(r, at, type, "no element", at->name);
        if (!str_eq(at->space, XML_FHIR) && fhir_types[element->type].primitive != FHIR_XHTML)
            return refuse(r, at, type, "an element that is not in FHIR's namespace:", at->name);
        uint16_t *known = &place[element - shape->elements];
        at->twin = NULL;
        if (!*known) {
            groups[(*count)++] = (struct group){ element, at, at };
            *known = (uint16_t)*count;
        } else {
            struct group *group = &groups[*known - 1];
            group->last->twin = at;
            group->last = at;
        }
    }
    return ERR_OK;
}

static err object(struct reader *r, const struct xml_element *xml, uint16_t type)
{
    struct group *groups =
        arena_array(r->cx->arena, fhir_types[type].elements_count, sizeof *groups);
    size_t count = 0;
    TRY(check_attributes(r, xml, type));
    TRY(gather(r, xml, type, groups, &count));
    json_open(&r->w, '{');
    if (is_resource(type))
        json_put_str(&r->w, "resourceType", fhir_types[type].name);
    else
        json_put_str(&r->w, "id", xml_attribute(xml, S("id")));
    if (fhir_types[type].kind != FHIR_PRIMITIVE)
        json_put_str(&r->w, "url", xml_attribute(xml, S("url")));
    for (size_t i = 0; i < count; i++)
        TRY(several(r, &groups[i]));
    json_close(&r->w, '}');
    return ERR_OK;
}

err fhir_xml_read(struct ctx *cx, str xml, struct json *out)
{
    struct xml_tree *tree;
    TRY(xml_tree_parse(cx, xml, &tree));
    uint16_t type = fhir_type_find(tree->root->name);
    if (!str_eq(tree->root->space, XML_FHIR))
        return ctx_fail(cx, ERR_INVALID, S(""),
                        S("XML: the root element must be in the namespace http://hl7.org/fhir"));
    if (type == FHIR_NONE || !is_resource(type) || fhir_types[type].is_abstract)
        return ctx_failf(cx, ERR_INVALID, S(""), "XML: \"%.*s\" is not a resource type of FHIR R4",
                         STR_ARG(tree->root->name));
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    struct reader r = { cx, json_writer(&buf), fhir_types[type].name, NULL };
    TRY(object(&r, tree->root, type));
    xml_tree_free(tree);
    return json_parse(cx, buf_str(&buf), out);
}
