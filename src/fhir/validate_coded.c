/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/validate_in.h"

/* Codes and references: the values whose meaning lies elsewhere. */

/* How a value set is named to a reader: the last part of its url. */
static str set_name(const struct fhir_value_set *set)
{
    size_t at = set->url.n;
    while (at > 0 && set->url.p[at - 1] != '/')
        at--;
    return str_slice(set->url, at, set->url.n);
}

/* A coding without system is held against the codes alone. */
static bool coding_is_in(struct validate *v, uint16_t set, struct json coding)
{
    str code = json_string(v->cx->arena, json_get(coding, S("code")));
    str system = json_string(v->cx->arena, json_get(coding, S("system")));
    if (!str_given(code))
        return false;
    return str_given(system) ? fhir_value_set_has_coding(set, system, code)
                             : fhir_value_set_has(set, code);
}

static bool concept_is_in(struct validate *v, uint16_t set, struct json concept)
{
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        if (coding_is_in(v, set, w.value))
            return true;
    return false;
}

static bool has_only_extensions(struct json value)
{
    for (struct json_walk w = json_walk(value); json_next(&w);)
        if (!json_string_is(w.key, S("extension")) && !json_string_is(w.key, S("id")))
            return false;
    return true;
}

void validate_binding(struct validate *v, const struct validate_place *place,
                      const struct fhir_element *element, struct json value)
{
    const struct fhir_value_set *set = &fhir_value_sets[element->binding];
    if (set->codes_count == 0)
        return; /* of a system R4 does not carry: profile_validate says so as a warning */
    if (json_is(value, JSON_STRING)) {
        str code = json_string(v->cx->arena, value);
        if (!fhir_value_set_has(element->binding, code))
            validate_fault(v, place, "code-invalid", "\"%.*s\" is not one of the codes of %.*s",
                           STR_ARG(str_slice(code, 0, 100)), STR_ARG(set_name(set)));
        return;
    }
    if (!json_is(value, JSON_OBJECT) || has_only_extensions(value))
        return;
    bool concept = str_eq(fhir_types[element->type].name, S("CodeableConcept"));
    if (!(concept ? concept_is_in(v, element->binding, value)
                  : coding_is_in(v, element->binding, value)))
        validate_fault(v, place, "code-invalid",
                       "holds no code of %.*s, from which one is required", STR_ARG(set_name(set)));
}

/* ---- References ---- */

static bool is_id(str text)
{
    bool fine = text.n >= 1 && text.n <= 64;
    for (size_t i = 0; fine && i < text.n; i++) {
        char c = text.p[i];
        fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    }
    return fine;
}

/* Cuts the last part after '/' off; the whole when there is no '/'. */
static str cut_last(str *text)
{
    size_t at = text->n;
    while (at > 0 && text->p[at - 1] != '/')
        at--;
    str last = str_slice(*text, at, text->n);
    *text = str_slice(*text, 0, at ? at - 1 : 0);
    return last;
}

static bool has_scheme(str text)
{
    size_t colon = str_find_char(text, ':');
    if (colon == STR_NONE || colon == 0)
        return false;
    for (size_t i = 0; i < colon; i++) {
        char lower = (char)(text.p[i] | 0x20);
        bool letter = lower >= 'a' && lower <= 'z';
        if (!letter && (i == 0 || !(text.p[i] >= '0' && text.p[i] <= '9')) && text.p[i] != '+' &&
            text.p[i] != '-' && text.p[i] != '.')
            return false;
    }
    return true;
}

/* [base/]Type/id[/_history/version] */
static bool read_restful(str text, struct validate_reference *out)
{
    str version = { 0 };
    str rest = text, last = cut_last(&rest), before = rest;
    if (str_eq(cut_last(&before), S("_history")) && before.n) {
        version = last;
        rest = before;
        last = cut_last(&rest);
    }
    str type = cut_last(&rest);
    uint16_t resource = fhir_resource_find(type);
    if (resource == FHIR_NONE || !is_id(last) || (str_given(version) && !is_id(version)))
        return false;
    out->base = rest.n ? rest : (str){ 0 };
    out->type = type;
    out->id = last;
    out->version = version;
    out->resource = resource;
    return true;
}

bool validate_read_reference(str text, struct validate_reference *out)
{
    *out = (struct validate_reference){ .resource = FHIR_NONE };
    size_t hash = str_find_char(text, '#');
    if (hash != STR_NONE) {
        out->fragment = str_slice(text, hash + 1, text.n);
        text = str_slice(text, 0, hash);
    }
    if (text.n == 0 || text.p[0] == '/')
        return text.n == 0 && hash != STR_NONE;
    bool absolute = has_scheme(text);
    size_t query = str_find_char(text, '?');
    if (query != STR_NONE && !absolute) {
        out->type = str_slice(text, 0, query);
        out->resource = fhir_resource_find(out->type);
        out->is_conditional = true;
        return out->resource != FHIR_NONE && query + 1 < text.n;
    }
    if (absolute && !str_starts(text, S("http")))
        return true;
    return read_restful(text, out) ? absolute || !str_given(out->base) : absolute;
}

/* The contained resource a "#id" names; absent when there is none. */
static struct json find_contained(struct validate *v, str id)
{
    for (struct json_walk w = json_walk(json_get(v->container, S("contained"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("id")), id))
            return w.value;
    return (struct json){ 0 };
}

/* "Patient or Group" for a message. */
static str list_targets(struct arena *arena, const struct fhir_target_list *list)
{
    str out = S("");
    for (uint16_t i = 0; i < list->count; i++)
        out = arena_printf(arena, "%.*s%s%.*s", STR_ARG(out),
                           i == 0 ? "" : i + 1 == list->count ? " or " : ", ",
                           STR_ARG(fhir_types[list->types[i]].name));
    return out;
}

static void check_target(struct validate *v, const struct validate_place *place,
                         const struct fhir_element *element, str type_name)
{
    if (element->targets == FHIR_NONE)
        return;
    const struct fhir_target_list *list = &fhir_target_lists[element->targets];
    uint16_t type = fhir_type_find(type_name);
    for (uint16_t i = 0; i < list->count; i++)
        if (fhir_type_is(type, list->types[i]))
            return;
    validate_fault(v, place, "structure", "refers to a %.*s, but must refer to a %.*s",
                   STR_ARG(str_slice(type_name, 0, 100)),
                   STR_ARG(list_targets(v->cx->arena, list)));
}

/* "#id" must name a contained resource; "#" alone is the resource around it. */
static void check_local(struct validate *v, const struct validate_place *place,
                        const struct fhir_element *element, str id)
{
    struct json target = id.n ? find_contained(v, id) : v->container;
    if (!target.doc)
        validate_fault(v, place, "not-found", "#%.*s: there is no contained resource with that id",
                       STR_ARG(str_slice(id, 0, 64)));
    else
        check_target(v, place, element,
                     json_string(v->cx->arena, json_get(target, S("resourceType"))));
}

void validate_check_reference(struct validate *v, const struct validate_place *place,
                              const struct fhir_element *element, struct json value)
{
    struct json text_node = json_get(value, S("reference"));
    str type = json_string(v->cx->arena, json_get(value, S("type")));
    str text = json_string(v->cx->arena, text_node);
    struct validate_reference read;
    if (!json_is(text_node, JSON_STRING)) {
        if (type.n && fhir_resource_find(type) != FHIR_NONE)
            check_target(v, place, element, type);
        return;
    }
    if (!validate_read_reference(text, &read)) {
        validate_fault(v, place, "value",
                       "\"%.*s\" is not a reference: Type/id, a URL, urn:uuid:... or #id",
                       STR_ARG(str_slice(text, 0, 100)));
        return;
    }
    if (read.resource != FHIR_NONE && fhir_resource_find(type) != FHIR_NONE &&
        !str_eq(type, read.type))
        validate_fault(v, place, "value", "type says %.*s but reference leads to a %.*s",
                       STR_ARG(type), STR_ARG(read.type));
    if (text.n && text.p[0] == '#')
        check_local(v, place, element, read.fragment);
    else if (str_given(read.type))
        check_target(v, place, element, read.type);
    else if (type.n && fhir_resource_find(type) != FHIR_NONE)
        check_target(v, place, element, type);
}
