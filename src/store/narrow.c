/* SPDX-License-Identifier: Apache-2.0 */
#include "store/narrow.h"
#include "store/plan.h"
#include "store/search.h"

static err check_criterion(struct ctx *cx, const struct query_criterion *criterion)
{
    bool own = criterion->what == QUERY_PARAM && criterion->modifier != MOD_IDENTIFIER;
    if (own)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, S("scope"), "a scope may be narrowed by what a resource "
                     "itself says, such as category=...; %.*s looks elsewhere",
                     STR_ARG(criterion->shown));
}

err narrow_parse(struct ctx *cx, struct store *store, uint16_t resource, str text,
                 struct access_narrow *out)
{
    struct search_request request = { .resource = resource, .query = text };
    struct query_source from = { .layout = store_layout(store), .request = &request,
                                 .store = store, .condition = true };
    struct query *query = arena_zero(cx->arena, sizeof *query);
    TRY(query_parse(cx, &from, resource, text, query));
    if (!query->criteria_count)
        return ctx_fail(cx, ERR_INVALID, S("scope"),
                        S("a scope with a ? needs a search parameter with a value"));
    for (size_t i = 0; i < query->criteria_count; i++)
        TRY(check_criterion(cx, &query->criteria[i]));
    *out = (struct access_narrow){ resource, text, query };
    return ERR_OK;
}

static err answers(struct ctx *cx, struct store *store, const struct query *query,
                   struct json body, bool *out)
{
    *out = true;
    for (size_t i = 0; i < query->criteria_count && *out; i++)
        TRY(plan_verify(cx, store_layout(store), &query->criteria[i], body, out));
    return ERR_OK;
}

err narrow_accepts(struct ctx *cx, struct store *store, const struct store_access *access,
                   uint16_t resource, struct json body, bool *out)
{
    bool narrowed = false;
    *out = false;
    for (size_t i = 0; i < access->narrows_count && !*out; i++) {
        if (access->narrows[i].resource != resource)
            continue;
        narrowed = true;
        TRY(answers(cx, store, access->narrows[i].query, body, out));
    }
    *out = *out || !narrowed;
    return ERR_OK;
}
