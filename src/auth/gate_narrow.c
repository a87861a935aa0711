/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/gate.h"
#include "store/narrow.h"

/* Scopes with a query, as the store's narrows: what is granted in part. */

struct narrowing {
    struct store *store;
    const struct decide_asker *asker;
    enum decide_act act;
    struct access_narrow *list;
    size_t count, cap;
};

/* What the scopes grant of one type. A query that is not one for the type grants nothing of it. */
static err add_type(struct ctx *cx, struct narrowing *n, uint16_t resource)
{
    const struct scope_rule **rules, wanted = { n->asker->level, resource,
                                                decide_scope_action(n->act), S("") };
    size_t count = scope_queries(cx->arena, n->asker->scopes, &wanted, &rules);
    size_t kept = cx->issues.kept, issues = cx->issues.count, before = n->count;
    for (size_t i = 0; i < count; i++) {
        n->list = arena_grow(cx->arena, n->list, n->count, &n->cap, sizeof *n->list);
        if (narrow_parse(cx, n->store, resource, rules[i]->query, &n->list[n->count]) == ERR_OK)
            n->count++;
    }
    cx->issues.kept = kept;
    cx->issues.count = issues;
    return n->count > before ? ERR_OK : ERR_INVALID;
}

static bool has_queries(const struct decide_asker *asker)
{
    for (size_t i = 0; asker->scopes && i < asker->scopes->rules_count; i++)
        if (asker->scopes->rules[i].query.n)
            return true;
    return false;
}

err gate_narrows(struct ctx *cx, struct store *store, const struct decide_asker *asker,
                 enum decide_act act, struct store_access *access)
{
    struct narrowing n = { .store = store, .asker = asker, .act = act };
    for (uint16_t r = 0; r < fhir_resources_count && has_queries(asker); r++)
        if (access_type(access, r) && decide_is_narrowed(asker, act, r) &&
            add_type(cx, &n, r) != ERR_OK)
            access->types[r / 64] &= ~((uint64_t)1 << (r % 64));
    access->narrows = n.list;
    access->narrows_count = n.count;
    return ERR_OK;
}

err gate_outside_scope(struct ctx *cx, struct store *store, const struct gate_act *act,
                       struct json body, bool *out)
{
    struct narrowing n = { .store = store, .asker = act->asker, .act = act->act };
    bool inside = false;
    *out = false;
    if (!decide_is_narrowed(act->asker, act->act, act->resource))
        return ERR_OK;
    if (add_type(cx, &n, act->resource) == ERR_OK) {
        struct store_access part = { .narrows = n.list, .narrows_count = n.count };
        TRY(narrow_accepts(cx, store, &part, act->resource, body, &inside));
    }
    *out = !inside;
    return ERR_OK;
}

err gate_check_scopes(struct ctx *cx, struct store *store, const struct scope_set *scopes)
{
    for (size_t i = 0; i < scopes->rules_count; i++) {
        const struct scope_rule *rule = &scopes->rules[i];
        struct access_narrow narrow;
        if (!rule->query.n)
            continue;
        if (rule->resource == FHIR_NONE)
            return ctx_failf(cx, ERR_INVALID, S("scope"), "a scope for every type cannot be "
                             "narrowed by ?%.*s: name the type", STR_ARG(rule->query));
        TRY(narrow_parse(cx, store, rule->resource, rule->query, &narrow));
    }
    return ERR_OK;
}
