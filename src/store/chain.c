/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"

/*
 * Criteria that reach into other resources are answered from inside out: the inner query's
 * resources first, then those that refer to them, or that they refer to.
 */
enum { CHAIN_MOST = 1000000 };
size_t chain_listed_most = 1000;

err compile_matches(const struct compile *on, const struct query *query, size_t most,
                    struct hits *out)
{
    struct plan plan;
    struct stream stream;
    TRY(plan_make(on->cx, on->store, on->layout, query, &plan));
    if (plan.nothing)
        return ERR_OK;
    plan_whole(&plan);
    TRY(plan_stream(on->cx, &plan, NULL, &stream));
    for (;;) {
        struct hit hit;
        bool any, accepted;
        TRY(stream_next(on->cx, &stream, &hit, &any));
        if (!any)
            break;
        TRY(plan_accepts(on->cx, on->store, &plan, &hit, &accepted));
        if (!accepted)
            continue;
        if (out->count == most)
            return ctx_failf(on->cx, ERR_LIMIT, (str){ 0 },
                             "a chain reaches more than %zu resources: narrow it", most);
        hits_add(on->cx, out, hit);
    }
    hits_sort(out, ORDER_RID);
    return ERR_OK;
}

/*
 * The inner query's resources when they are few. When they are many the plan is kept instead, with
 * no driver, and is asked about what each hit of the outer query is linked to.
 */
static err list_or_keep(const struct compile *on, const struct query *query, struct hits *out,
                        struct plan **kept)
{
    struct stream stream;
    struct plan *plan = arena_alloc(on->cx->arena, sizeof *plan);
    *kept = NULL;
    TRY(plan_make(on->cx, on->store, on->layout, query, plan));
    if (plan->nothing)
        return ERR_OK;
    plan_whole(plan);
    TRY(plan_stream(on->cx, plan, NULL, &stream));
    for (bool any = true; any;) {
        struct hit hit;
        bool accepted;
        TRY(stream_next(on->cx, &stream, &hit, &any));
        if (any)
            TRY(plan_accepts(on->cx, on->store, plan, &hit, &accepted));
        if (any && accepted)
            hits_add(on->cx, out, hit);
        if (out->count <= chain_listed_most)
            continue;
        plan->driver = NULL;
        plan->dated_driver = false;
        *kept = plan;
        return ERR_OK;
    }
    hits_sort(out, ORDER_RID);
    return ERR_OK;
}

err compile_chain(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    const struct layout_param *param = criterion->param;
    clause->opaque = true;
    for (size_t i = 0; i < criterion->inner_count; i++) {
        struct hits inner = { 0 };
        const struct query *query = criterion->inner[i];
        if (criterion->inner_count == 1)
            TRY(list_or_keep(on, query, &inner, &clause->inner));
        else
            TRY(compile_matches(on, query, CHAIN_MOST, &inner));
        if (clause->inner) {
            clause->verify_only = true;
            return ERR_OK;
        }
        for (uint16_t s = 0; s < param->slots_count; s++) {
            uint16_t target = param->slots[s].target;
            if (target != FHIR_NONE && target != query->resource)
                continue;
            for (size_t h = 0; h < inner.count; h++)
                clause_add(on->cx, clause, (struct posting){ .kind = POSTING_REF,
                                                             .slot = param->slots[s].slot,
                                                             .value = inner.list[h].rid });
        }
    }
    return ERR_OK;
}

err compile_list(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    clause->opaque = true;
    for (size_t v = 0; v < criterion->values_count; v++) {
        str id = criterion->values[v].text;
        struct json body;
        bool found = false;
        int64_t rid;
        if (str_starts(id, S("$")))
            return ctx_failf(on->cx, ERR_RULE, criterion->shown,
                             "the list \"%.*s\" is not kept here; name a List resource's id",
                             STR_ARG(id));
        TRY(compile_rid(on->cx, fhir_resource_find(S("List")), id, &rid));
        if (rid)
            TRY(plan_body(on->cx, on->store, rid, &body, &found));
        for (struct json_walk w = json_walk(found ? json_get(body, S("entry"))
                                                  : (struct json){ 0 }); json_next(&w);) {
            struct index_reference item;
            str text = json_string(on->cx->arena,
                                   json_get(json_get(w.value, S("item")), S("reference")));
            if (json_is(json_get(w.value, S("deleted")), JSON_TRUE) ||
                !index_reference(on->layout, text, &item) || item.target != on->query->resource)
                continue;
            TRY(compile_rid(on->cx, item.target, item.id, &rid));
            if (rid)
                clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID, .value = rid });
        }
    }
    return ERR_OK;
}

static bool reads_slot(const struct layout_param *param, uint16_t slot)
{
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].slot == slot)
            return true;
    return false;
}

/* The resource's patient is what it refers to: known without its body. */
static err refers_to_patient(const struct compile *on, const struct layout_param *param,
                             const struct hit *hit, bool *out)
{
    *out = false;
    for (uint16_t i = 0; i < param->slots_count && !*out; i++) {
        struct posting posting = { .kind = POSTING_REF, .slot = param->slots[i].slot,
                                   .value = hit->pid };
        TRY(posting_probe(on->cx, &posting, hit, out));
    }
    return ERR_OK;
}

/* Adds what the resource refers to by the parameter, if it is of the asked type. */
static err add_referred(const struct compile *on, const struct layout_param *param, int64_t rid,
                        struct clause *clause)
{
    struct index_rows rows;
    bool found;
    TRY(plan_rows(on->cx, on->store, on->layout, rid, &rows, &found));
    for (size_t i = 0; found && i < rows.count; i++) {
        const struct index_row *row = &rows.rows[i];
        int64_t target;
        if (row->table != INDEX_REF || row->target != on->query->resource ||
            !reads_slot(param, row->slot))
            continue;
        TRY(compile_rid(on->cx, row->target, row->text, &target));
        if (target)
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID, .value = target });
    }
    return ERR_OK;
}

err compile_has(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    struct hits inner = { 0 };
    clause->opaque = true;
    TRY(list_or_keep(on, criterion->inner[0], &inner, &clause->inner));
    clause->verify_only = clause->inner != NULL;
    if (clause->inner)
        return ERR_OK;
    bool patient = str_eq(fhir_resource_name(on->query->resource), S("Patient"));
    struct hits known = { 0 };
    for (size_t i = 0; i < inner.count; i++) {
        const struct hit *hit = &inner.list[i];
        bool same = patient && known.count && known.list[known.count - 1].rid == hit->pid;
        if (same)
            continue;
        bool direct = false;
        if (patient)
            TRY(refers_to_patient(on, criterion->param, hit, &direct));
        if (direct)
            hits_add(on->cx, &known, (struct hit){ 0, hit->pid, 0 });
        else
            TRY(add_referred(on, criterion->param, hit->rid, clause));
    }
    hits_sort(&known, ORDER_RID);
    for (size_t i = 0; i < known.count; i++)
        clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID,
                                                     .value = known.list[i].rid });
    return ERR_OK;
}
