/* SPDX-License-Identifier: Apache-2.0 */
#include "store/own.h"
#include "store/plan.h"
#include "store/search.h"

/*
 * A composite of the server's own: "ELEMENTS" and, after RECORD each, "KIND" FIELD "EXPRESSION" of
 * its components, in order. One text, so that another expression is another slot.
 */
enum { RECORD = 0x1e, FIELD = 0x1f };

/* ---- From a SearchParameter ---- */

static bool standard_kind(str url, enum fhir_search_kind *out)
{
    for (uint16_t i = 0; i < fhir_params_count; i++)
        if (str_eq(fhir_params[i].url, url)) {
            *out = fhir_params[i].kind;
            return true;
        }
    return false;
}

/* The type of the active SearchParameter with this url that was posted here. */
static err posted_kind(struct ctx *cx, struct store *store, str url, str *type)
{
    struct buf query = buf_make(cx->arena, QUERY_BYTES_MAX);
    int64_t rids[1];
    struct search_rids found = { rids, COUNT(rids), 0 };
    struct json body;
    bool there = false;
    *type = (str){ 0 };
    if (!url.n)
        return ERR_OK;
    buf_add(&query, S("status=active&url="));
    query_encode(&query, url);
    TRY(search_condition(cx, store, fhir_resource_find(S("SearchParameter")), buf_str(&query),
                         &found));
    if (found.count)
        TRY(plan_body(cx, store, rids[0], &body, &there));
    if (there)
        *type = json_string(cx->arena, json_get(body, S("type")));
    return ERR_OK;
}

static err component_kind(struct ctx *cx, struct store *store, str path, str canonical,
                          enum fhir_search_kind *out)
{
    str url = str_slice(canonical, 0, str_find_char(canonical, '|')), type;
    bool known = standard_kind(url, out);
    if (!known) {
        TRY(posted_kind(cx, store, url, &type));
        known = own_kind_find(type, out);
    }
    if (known && *out != FHIR_SEARCH_COMPOSITE && *out != FHIR_SEARCH_SPECIAL)
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, arena_printf(cx->arena, "%.*s.definition", STR_ARG(path)),
                     known ? "\"%.*s\" is composite or special itself: a component is a simple "
                             "parameter"
                           : "\"%.*s\" is neither a search parameter of R4 nor an active one "
                             "posted here: post it first", STR_ARG(canonical));
}

static err read_component(struct ctx *cx, struct store *store, struct json component, size_t index,
                          struct buf *text)
{
    enum fhir_search_kind kind = FHIR_SEARCH_TOKEN;
    const struct path *path;
    str place = arena_printf(cx->arena, "SearchParameter.component[%zu]", index);
    str expression = json_string(cx->arena, json_get(component, S("expression")));
    TRY(component_kind(cx, store, place,
                       json_string(cx->arena, json_get(component, S("definition"))), &kind));
    size_t before = cx->issues.kept;
    bool good = expression.n && expression.n <= OWN_EXPRESSION_MAX &&
                str_find_char(expression, RECORD) == STR_NONE &&
                path_compile(cx, expression, &path) == ERR_OK;
    cx->issues.kept = cx->issues.count = before;
    if (!good)
        return ctx_failf(cx, ERR_RULE, arena_printf(cx->arena, "%.*s.expression", STR_ARG(place)),
                         "\"%.*s\" is no FHIRPath expression: it is evaluated on each element "
                         "the composite's own expression finds",
                         STR_ARG(str_slice(expression, 0, 200)));
    buf_char(text, RECORD);
    buf_add(text, own_kind_name(kind));
    buf_char(text, FIELD);
    buf_add(text, expression);
    return ERR_OK;
}

err own_composite_read(struct ctx *cx, struct store *store, struct json body, str *out)
{
    struct json components = json_get(body, S("component"));
    struct buf text = buf_make(cx->arena, (OWN_COMPONENTS_MAX + 1) * (OWN_EXPRESSION_MAX + 20));
    size_t count = json_count(components), index = 0;
    if (count < 2 || count > OWN_COMPONENTS_MAX)
        return ctx_failf(cx, ERR_RULE, S("SearchParameter.component"),
                         "a composite search parameter needs 2 to %d components",
                         OWN_COMPONENTS_MAX);
    buf_add(&text, json_string(cx->arena, json_get(body, S("expression"))));
    for (struct json_walk w = json_walk(components); json_next(&w);)
        TRY(read_component(cx, store, w.value, index++, &text));
    *out = buf_str(&text);
    return ERR_OK;
}

/* ---- To what is searched by ---- */

static enum fhir_search_kind part_kind(str record, str *expression)
{
    enum fhir_search_kind kind = FHIR_SEARCH_TOKEN;
    str name;
    str_next(&record, FIELD, &name);
    own_kind_find(name, &kind);
    *expression = record;
    return kind;
}

enum fhir_search_kind own_row_kind(enum fhir_search_kind kind, str expression)
{
    str elements, first, ignored;
    if (kind != FHIR_SEARCH_COMPOSITE)
        return kind;
    str_next(&expression, RECORD, &elements);
    str_next(&expression, RECORD, &first);
    return part_kind(first, &ignored);
}

static err make_part(struct ctx *cx, str record, uint16_t resource, struct own_component *out)
{
    str expression;
    enum fhir_search_kind kind = part_kind(record, &expression);
    out->slot = (struct layout_param_slot){ 0, FHIR_NONE };
    out->param = (struct layout_param){ .code = S("component"), .expression = expression,
                                        .resource = resource, .kind = kind, .slots_count = 1,
                                        .slots_cap = 1, .slots = &out->slot,
                                        .identifier_slot = FHIR_NONE };
    return path_compile(cx, expression, &out->param.path);
}

err own_composite_make(struct ctx *cx, str text, uint16_t resource, const struct path **path,
                       const struct own_composite **out)
{
    struct own_composite *made = arena_zero(cx->arena, sizeof *made);
    str elements, record;
    str_next(&text, RECORD, &elements);
    made->parts = arena_array(cx->arena, OWN_COMPONENTS_MAX, sizeof *made->parts);
    while (made->count < OWN_COMPONENTS_MAX && str_next(&text, RECORD, &record))
        TRY(make_part(cx, record, resource, &made->parts[made->count++]));
    TRY(path_compile(cx, elements, &made->elements));
    made->first = made->parts[0].param;
    made->first.path = NULL;
    str whole = arena_printf(cx->arena, "(%.*s).select(%.*s)", STR_ARG(elements),
                             STR_ARG(made->parts[0].param.expression));
    TRY(path_compile(cx, whole, path));
    *out = made;
    return ERR_OK;
}

/* ---- The last word ---- */

/* What a part finds in one element; an expression that fails there finds nothing. */
static err part_rows(struct index_walk *walk, const struct own_component *part, struct json body,
                     const struct path_item *element)
{
    struct path_run run = { .input_type = FHIR_NONE, .focus = element, .resource = body,
                            .root_resource = body, .lenient = true };
    struct path_result result;
    struct issues before = walk->cx->issues;
    err bad = path_eval(walk->cx, part->param.path, &run, &result);
    if (bad == ERR_BUSY)
        return bad;
    walk->cx->issues = before;
    for (size_t i = 0; !bad && i < result.count; i++)
        index_item(walk, part->param.kind, 0, &result.items[i]);
    return ERR_OK;
}

static bool value_answered(struct ctx *cx, const struct index_layout *layout,
                           const struct own_composite *composite, const struct query_value *value,
                           const struct index_rows *rows)
{
    for (size_t p = 0; p < composite->count; p++) {
        struct query_criterion one = { .param = &composite->parts[p].param,
                                       .values = &value->parts[p], .values_count = 1,
                                       .type = FHIR_NONE };
        if (!match_rows(layout, &one, &rows[p], cx->now_ms))
            return false;
    }
    return true;
}

err own_composite_matches(struct ctx *cx, const struct index_layout *layout,
                          const struct query_criterion *criterion, struct json body, bool *out)
{
    const struct own_composite *composite = criterion->param->own->composite;
    struct path_result elements;
    struct issues before = cx->issues;
    *out = false;
    err bad = path_eval_on(cx, composite->elements, body, &elements);
    if (bad == ERR_BUSY)
        return bad;
    cx->issues = before;
    for (size_t e = 0; !bad && e < elements.count && !*out; e++) {
        struct index_rows rows[OWN_COMPONENTS_MAX] = { 0 };
        for (size_t p = 0; p < composite->count; p++) {
            struct index_walk walk = { .cx = cx, .layout = layout, .rows = &rows[p] };
            TRY(part_rows(&walk, &composite->parts[p], body, &elements.items[e]));
        }
        for (size_t v = 0; v < criterion->values_count && !*out; v++)
            *out = value_answered(cx, layout, composite, &criterion->values[v], rows);
    }
    return ERR_OK;
}
