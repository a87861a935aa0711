/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"

/*
 * Criteria that reach into other resources are answered from inside out: the inner query's
 * resources first, then those that refer to them, or that they refer to.
 */
enum { CHAIN_MOST = 1000000, HAS_PATIENT = 20, HAS_OTHER = 4, READ_MOST = 20000 };
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
                             "more than %zu resources would have to be gathered for this: narrow "
                             "the search", most);
        hits_add(on->cx, out, hit);
    }
    hits_sort(out, ORDER_RID);
    return ERR_OK;
}

/*
 * The inner query's resources when they are few. When they are many the plan is kept instead, with
 * no driver, and is asked about what each hit of the outer query is linked to.
 */
struct listing {
    size_t most;
    struct hits hits;
    struct plan *plan; /* to be asked instead, with no driver */
    bool many;
};
/* Is a link to be asked of each of its hits? Then listing them costs more than an index. */
static bool asks_links(const struct plan *plan)
{
    for (size_t i = 0; i < plan->clauses_count; i++)
        if (plan->clauses[i].inner)
            return true;
    return false;
}

static err list_or_keep(const struct compile *on, const struct query *query, struct listing *out)
{
    struct stream stream;
    struct plan *plan = arena_alloc(on->cx->arena, sizeof *plan);
    out->plan = plan;
    TRY(plan_make(on->cx, on->store, on->layout, query, plan));
    if (plan->nothing)
        return ERR_OK;
    plan_whole(plan);
    if (asks_links(plan))
        out->most = out->most < chain_listed_most ? out->most : chain_listed_most;
    TRY(plan_stream(on->cx, plan, NULL, &stream));
    for (bool any = true; any && !out->many;) {
        struct hit hit;
        bool accepted;
        TRY(stream_next(on->cx, &stream, &hit, &any));
        if (any)
            TRY(plan_accepts(on->cx, on->store, plan, &hit, &accepted));
        if (any && accepted)
            hits_add(on->cx, &out->hits, hit);
        out->many = out->hits.count > out->most;
    }
    plan->driver = NULL;
    plan->dated_driver = false;
    hits_sort(&out->hits, ORDER_RID);
    return ERR_OK;
}

/* Would the references to all of these be too many to read? Judged by the first few. */
static err too_many_rows(const struct compile *on, const struct clause *clause, bool *out)
{
    int64_t rows = 0, one;
    size_t looked = clause->count < PLAN_STREAMS_MOST ? clause->count : PLAN_STREAMS_MOST;
    for (size_t i = 0; i < looked; i++) {
        TRY(posting_estimate(on->cx, &clause->postings[i], PLAN_ESTIMATE_MOST, &one));
        rows += one;
    }
    *out = looked < clause->count &&
           rows / (int64_t)looked * (int64_t)clause->count > READ_MOST;
    return ERR_OK;
}

/* The references to what an inner query found. */
static void add_references(const struct compile *on, struct clause *clause, uint16_t resource,
                           const struct hits *hits)
{
    const struct layout_param *param = clause->criterion->param;
    for (uint16_t s = 0; s < param->slots_count; s++) {
        uint16_t target = param->slots[s].target;
        for (size_t h = 0; (target == FHIR_NONE || target == resource) && h < hits->count; h++)
            clause_add(on->cx, clause, (struct posting){ .kind = POSTING_REF,
                                                         .slot = param->slots[s].slot,
                                                         .value = hits->list[h].rid });
    }
}

err compile_chain(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    clause->opaque = true;
    if (criterion->inner_count == 1) {
        struct listing listing = { .most = chain_listed_most };
        TRY(list_or_keep(on, criterion->inner[0], &listing));
        if (!listing.many) {
            add_references(on, clause, criterion->inner[0]->resource, &listing.hits);
            if (clause->count)
                TRY(too_many_rows(on, clause, &listing.many));
        }
        clause->inner = listing.many ? listing.plan : NULL;
        clause->verify_only = listing.many;
        clause->count = listing.many ? 0 : clause->count;
        return ERR_OK;
    }
    for (size_t i = 0; i < criterion->inner_count; i++) {
        struct hits inner = { 0 };
        TRY(compile_matches(on, criterion->inner[i], CHAIN_MOST, &inner));
        add_references(on, clause, criterion->inner[i]->resource, &inner);
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
    bool patient = str_eq(fhir_resource_name(on->query->resource), S("Patient"));
    /* What refers to its own patient says so in its hit; others have their bodies read. */
    struct listing listing = { .most = chain_listed_most * (patient ? HAS_PATIENT : HAS_OTHER) };
    clause->opaque = true;
    TRY(list_or_keep(on, criterion->inner[0], &listing));
    clause->inner = listing.many ? listing.plan : NULL;
    clause->verify_only = listing.many;
    if (clause->inner)
        return ERR_OK;
    const struct hits inner = listing.hits;
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
