/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"
#include "store/search.h"

/* Chains, _has, lists and _filter look beyond the resource: they are asked of the record. */
static bool looks_beyond(const struct query_criterion *criterion)
{
    return criterion->what == QUERY_CHAIN || criterion->what == QUERY_HAS ||
           criterion->what == QUERY_LIST || criterion->what == QUERY_FILTER;
}

static bool id_matches(const struct query_criterion *criterion, str id)
{
    bool found = false;
    if (criterion->modifier == MOD_MISSING)
        return !criterion->missing;
    for (size_t v = 0; v < criterion->values_count && !found; v++)
        found = str_eq(criterion->values[v].text, id);
    return found != (criterion->modifier == MOD_NOT);
}

static bool updated_matches(const struct query_criterion *criterion, int64_t at_ms, int64_t now_ms)
{
    bool found = false;
    if (criterion->modifier == MOD_MISSING)
        return !criterion->missing;
    for (size_t v = 0; v < criterion->values_count && !found; v++)
        found = span_matches(criterion->values[v].prefix, criterion->values[v].span, at_ms, at_ms,
                             now_ms);
    return found;
}

static err one_matches(struct ctx *cx, const struct index_layout *layout,
                       const struct search_body *on, const struct query_criterion *criterion,
                       bool *out)
{
    if (criterion->what == QUERY_ID) {
        *out = id_matches(criterion, on->id);
        return ERR_OK;
    }
    if (criterion->what == QUERY_UPDATED) {
        *out = updated_matches(criterion, on->at_ms, cx->now_ms);
        return ERR_OK;
    }
    return plan_verify(cx, layout, criterion, on->body, out);
}

static void ask_also(struct buf *condition, const struct query_criterion *criterion)
{
    buf_char(condition, '&');
    query_encode(condition, criterion->shown);
    buf_char(condition, '=');
    query_encode(condition, criterion->raw);
}

static err parse(struct ctx *cx, struct store *store, const struct search_body *on, str query,
                 struct query *out)
{
    struct search_request request = { .resource = on->resource, .query = query };
    struct query_source from = { .layout = store_layout(store), .request = &request,
                                 .store = store, .condition = true };
    return query_parse(cx, &from, on->resource, query, out);
}

err search_body_check(struct ctx *cx, struct store *store, uint16_t resource, str query)
{
    struct query parsed;
    struct search_body on = { .resource = resource };
    TRY(store_reader(cx, store));
    return parse(cx, store, &on, query, &parsed);
}

err search_body_matches(struct ctx *cx, struct store *store, const struct search_body *on,
                        str query, bool *out)
{
    struct query parsed;
    struct buf condition = buf_make(cx->arena, QUERY_BYTES_MAX);
    bool beyond = false;
    TRY(store_reader(cx, store));
    TRY(parse(cx, store, on, query, &parsed));
    buf_add(&condition, S("_id="));
    query_encode(&condition, on->id);
    for (size_t i = 0; i < parsed.criteria_count; i++) {
        bool yes = true;
        beyond = beyond || looks_beyond(&parsed.criteria[i]);
        if (looks_beyond(&parsed.criteria[i]))
            ask_also(&condition, &parsed.criteria[i]);
        else
            TRY(one_matches(cx, store_layout(store), on, &parsed.criteria[i], &yes));
        *out = yes;
        if (!yes)
            return ERR_OK;
    }
    *out = true;
    if (!beyond)
        return ERR_OK;
    int64_t rid;
    struct search_rids found = { .rids = &rid, .max = 1 };
    TRY(search_condition(cx, store, on->resource, buf_str(&condition), &found));
    *out = found.count == 1;
    return ERR_OK;
}
