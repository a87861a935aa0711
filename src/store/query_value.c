/* SPDX-License-Identifier: Apache-2.0 */
#include "store/own.h"
#include "store/query.h"

static err malformed(struct ctx *cx, const struct query_criterion *criterion, str value,
                     const char *wanted)
{
    return ctx_failf(cx, ERR_INVALID, criterion->shown, "\"%.*s\" is not %s", STR_ARG(value),
                     wanted);
}

/* Two letters before the number or date; none: eq. */
static enum query_prefix take_prefix(str *text)
{
    static const char names[][3] = { "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_starts(*text, (str){ names[i], 2 })) {
            *text = str_slice(*text, 2, text->n);
            return (enum query_prefix)i;
        }
    return PREFIX_EQ;
}

/* "code", "system|code", "|code", "system|"; of-type: "system|type|value". */
static err read_token(struct ctx *cx, const struct query_criterion *criterion, str text,
                      struct query_value *out)
{
    str rest = text, first, second;
    query_split(&rest, '|', &first);
    if (criterion->modifier == MOD_OF_TYPE) {
        str third;
        if (!query_split(&rest, '|', &second) || !query_split(&rest, '|', &third) || !third.n ||
            !second.n)
            return malformed(cx, criterion, text, "system|type|value, as :of-type takes");
        out->system = query_unescape(cx->arena, first);
        out->code = query_unescape(cx->arena, second);
        out->type_value = query_unescape(cx->arena, third);
        out->has_system = true;
        return ERR_OK;
    }
    out->has_system = rest.p != NULL;
    if (!out->has_system) {
        out->code = query_unescape(cx->arena, first);
        return ERR_OK;
    }
    out->system = query_unescape(cx->arena, first);
    out->code = query_unescape(cx->arena, rest);
    if (!out->system.n && !out->code.n)
        return malformed(cx, criterion, text, "a token: write code, system|code or system|");
    return ERR_OK;
}

static bool allows(const struct query_criterion *criterion, uint16_t target)
{
    const uint16_t *types;
    uint16_t count = layout_targets(criterion->param, &types);
    for (uint16_t i = 0; i < count; i++)
        if (layout_target(types[i]) == target)
            return true;
    return count == 0;
}

static err read_reference(struct ctx *cx, const struct query_source *from,
                          const struct query_criterion *criterion, str text,
                          struct query_value *out)
{
    if (criterion->modifier == MOD_IDENTIFIER)
        return read_token(cx, criterion, text, out);
    text = query_unescape(cx->arena, text);
    out->text = text;
    if (str_find_char(text, '/') == STR_NONE && !str_starts(text, S("urn:"))) {
        out->any_type = criterion->modifier != MOD_TYPE;
        out->reference = (struct index_reference){ criterion->type, text, { 0 } };
        return ERR_OK;
    }
    if (!index_reference(from->layout, text, &out->reference))
        return malformed(cx, criterion, text, "a reference: write id, Type/id or a URL");
    uint16_t target = out->reference.target;
    if (criterion->modifier == MOD_TYPE && target != criterion->type)
        return malformed(cx, criterion, text, "a reference to the type the modifier names");
    if (target != INDEX_ELSEWHERE && !allows(criterion, target))
        return malformed(cx, criterion, text, "of a type this parameter refers to");
    return ERR_OK;
}

static err read_date(struct ctx *cx, const struct query_criterion *criterion, str text,
                     struct query_value *out)
{
    str rest = text;
    out->prefix = take_prefix(&rest);
    if (!value_date(rest, &out->span))
        return malformed(cx, criterion, text, "a date: write YYYY, YYYY-MM, YYYY-MM-DD or "
                                              "YYYY-MM-DDThh:mm:ss+zz:zz, after a prefix if any");
    return ERR_OK;
}

static err read_number(struct ctx *cx, const struct query_criterion *criterion, str text,
                       struct query_value *out)
{
    str rest = text, number;
    out->prefix = take_prefix(&rest);
    bool quantity = criterion->param->kind == FHIR_SEARCH_QUANTITY;
    query_split(&rest, '|', &number);
    if (!value_number(number, &out->number) || (rest.p && !quantity))
        return malformed(cx, criterion, text,
                         quantity ? "a quantity: write number, number|system|code or number||unit"
                                  : "a number");
    if (!rest.p)
        return ERR_OK;
    str system = { 0 };
    query_split(&rest, '|', &system);
    if (!rest.p)
        return malformed(cx, criterion, text, "a quantity: after the number, |system|code");
    out->has_system = system.n > 0;
    out->system = query_unescape(cx->arena, system);
    out->code = query_unescape(cx->arena, rest);
    return ERR_OK;
}

static const struct layout_param *component_param(const struct query_source *from,
                                                  uint16_t resource,
                                                  const struct fhir_component *component)
{
    const struct layout_type *type = &from->layout->types[resource];
    for (uint16_t i = 0; i < type->params_count; i++)
        if (type->params[i].def && str_eq(type->params[i].def->url, component->definition_url))
            return &type->params[i];
    return NULL;
}

static size_t parts_count(const struct layout_param *param)
{
    return param->own ? param->own->composite->count : param->def->components_count;
}

static err read_composite(struct ctx *cx, const struct query_source *from,
                          const struct query_criterion *criterion, str text,
                          struct query_value *out)
{
    const struct layout_param *param = criterion->param;
    size_t count = parts_count(param);
    out->parts = arena_array(cx->arena, count, sizeof *out->parts);
    str rest = text, part;
    for (size_t i = 0; i < count; i++) {
        struct query_criterion inner = *criterion;
        inner.param = param->own ? &param->own->composite->parts[i].param
                                 : component_param(from, param->resource,
                                                   &param->def->components[i]);
        if (!query_split(&rest, '$', &part) || !part.n || !inner.param)
            return ctx_failf(cx, ERR_INVALID, criterion->shown,
                             "\"%.*s\" needs %zu values with '$' between them", STR_ARG(text),
                             count);
        TRY(query_value(cx, from, &inner, part, &out->parts[i]));
        out->parts[i].param = inner.param;
    }
    if (rest.p)
        return ctx_failf(cx, ERR_INVALID, criterion->shown, "\"%.*s\" has more than %zu values",
                         STR_ARG(text), count);
    return ERR_OK;
}

err query_value(struct ctx *cx, const struct query_source *from,
                const struct query_criterion *criterion, str text, struct query_value *out)
{
    if (criterion->what == QUERY_UPDATED)
        return read_date(cx, criterion, text, out);
    if (criterion->what != QUERY_PARAM) {
        out->text = query_unescape(cx->arena, text);
        return criterion->what == QUERY_NEAR ? query_near_check(cx, criterion->shown, out->text)
                                             : ERR_OK;
    }
    bool words = criterion->modifier == MOD_TEXT || criterion->modifier == MOD_CODE_TEXT;
    switch (words ? FHIR_SEARCH_STRING : criterion->param->kind) {
    case FHIR_SEARCH_TOKEN: return read_token(cx, criterion, text, out);
    case FHIR_SEARCH_REFERENCE: return read_reference(cx, from, criterion, text, out);
    case FHIR_SEARCH_DATE: return read_date(cx, criterion, text, out);
    case FHIR_SEARCH_NUMBER:
    case FHIR_SEARCH_QUANTITY: return read_number(cx, criterion, text, out);
    case FHIR_SEARCH_COMPOSITE: return read_composite(cx, from, criterion, text, out);
    case FHIR_SEARCH_STRING:
    case FHIR_SEARCH_URI:
    case FHIR_SEARCH_SPECIAL: break;
    }
    out->text = value_cut(query_unescape(cx->arena, text));
    out->folded = criterion->param && criterion->param->kind == FHIR_SEARCH_URI
                      ? out->text
                      : value_fold(cx->arena, out->text);
    return ERR_OK;
}
