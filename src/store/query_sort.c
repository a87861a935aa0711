/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"

/*
 * What answers are sorted by: parameters of the type itself, or, through references, of what it
 * refers to ("patient.family", "subject:Patient.birthdate", "encounter.location.name").
 */
static bool sortable(const struct layout_param *param, str code)
{
    if (str_eq(code, S("_id")))
        return true;
    return param && !param->path && param->kind != FHIR_SEARCH_COMPOSITE &&
           param->kind != FHIR_SEARCH_SPECIAL &&
           (param->slots_count > 0 || str_eq(code, S("_lastUpdated")));
}

/* Which types a chain has reached. */
struct reached {
    bool *types; /* by resource */
    size_t count;
};

static struct reached step_from(struct ctx *cx, const struct index_layout *layout,
                                const struct reached *from, const struct query_hop *hop)
{
    struct reached to = { arena_array(cx->arena, fhir_resources_count, sizeof(bool)), 0 };
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        const struct layout_param *param = from->types[r] ? layout_param(layout, r, hop->code)
                                                          : NULL;
        if (!param || param->path || param->kind != FHIR_SEARCH_REFERENCE)
            continue;
        size_t count;
        const uint16_t *targets = query_targets(cx->arena, param, hop->type, &count);
        for (size_t i = 0; i < count; i++) {
            to.count += !to.types[targets[i]];
            to.types[targets[i]] = true;
        }
    }
    return to;
}

/* Some type the hops lead to has the parameter, and it has an order. */
static bool leads(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                  const struct query_sort *sort)
{
    struct reached at = { arena_array(cx->arena, fhir_resources_count, sizeof(bool)), 1 };
    at.types[resource] = true;
    for (size_t i = 0; i < sort->hops_count && at.count; i++)
        at = step_from(cx, layout, &at, &sort->hops[i]);
    for (uint16_t r = 0; r < fhir_resources_count && at.count; r++)
        if (at.types[r] && sortable(layout_param(layout, r, sort->code), sort->code))
            return true;
    return false;
}

static err read_hops(struct ctx *cx, str key, struct query_sort *out)
{
    str rest = key, word;
    out->hops = arena_array(cx->arena, QUERY_DEPTH_MAX, sizeof *out->hops);
    while (str_find_char(rest, '.') != STR_NONE) {
        struct query_hop hop = { .type = FHIR_NONE };
        str_next(&rest, '.', &word);
        str_next(&word, ':', &hop.code);
        if (word.p && (hop.type = fhir_resource_find(word)) == FHIR_NONE)
            return ctx_failf(cx, ERR_INVALID, S("_sort"), "\"%.*s\" is not a resource type",
                             STR_ARG(word));
        if (out->hops_count == QUERY_DEPTH_MAX)
            return ctx_failf(cx, ERR_LIMIT, S("_sort"), "chains go at most %d steps",
                             QUERY_DEPTH_MAX);
        out->hops[out->hops_count++] = hop;
    }
    out->code = rest;
    return ERR_OK;
}

/* Fills *out; *known false: it cannot be sorted by. */
static err read_key(struct ctx *cx, const struct query_source *from, const struct query *query,
                    str key, struct query_sort *out, bool *known)
{
    bool system = query->resource == FHIR_NONE;
    *out = (struct query_sort){ .descending = str_starts(key, S("-")) };
    TRY(read_hops(cx, out->descending ? str_slice(key, 1, key.n) : key, out));
    if (out->hops_count) {
        *known = !system && leads(cx, from->layout, query->resource, out);
        return ERR_OK;
    }
    bool own = !system || (out->code.n && out->code.p[0] == '_');
    out->param = own && !str_eq(out->code, S("_id"))
                     ? layout_param(from->layout, system ? 0 : query->resource, out->code) : NULL;
    TRY(query_own(cx, from, &out->param));
    TRY(query_need_index(cx, out->param));
    *known = own && sortable(out->param, out->code);
    return ERR_OK;
}

/* What cannot be sorted by is refused by its name. */
err query_read_sort(struct ctx *cx, const struct query_source *from, struct query *query,
                    str value)
{
    str rest = value, key;
    query->sorts = arena_array(cx->arena, QUERY_SORTS_MAX, sizeof *query->sorts);
    query->sorts_count = 0;
    while (str_next(&rest, ',', &key)) {
        struct query_sort sort;
        bool known;
        TRY(read_key(cx, from, query, key, &sort, &known));
        str code = sort.descending ? str_slice(key, 1, key.n) : key;
        if (!known && !from->warnings)
            return ctx_failf(cx, ERR_INVALID, S("_sort"), "cannot sort by \"%.*s\": it is not a "
                             "search parameter of the type, or has no order", STR_ARG(code));
        if (!known) {
            issues_note(from->warnings, (struct issue){
                .kind = ERR_INVALID, .severity = ISSUE_WARNING, .path = S("_sort"),
                .text = arena_printf(cx->arena, "cannot sort by \"%.*s\"; it was left out",
                                     STR_ARG(code)) });
            continue;
        }
        if (query->sorts_count == QUERY_SORTS_MAX)
            return ctx_failf(cx, ERR_LIMIT, S("_sort"), "at most %d sort keys", QUERY_SORTS_MAX);
        query->sorts[query->sorts_count++] = sort;
    }
    return ERR_OK;
}
