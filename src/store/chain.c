/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"
#include "store/state.h"
#include <math.h>

/*
 * Criteria that reach into other resources are answered from inside out: the inner query's
 * resources first, then those that refer to them, or that they refer to.
 */
enum { CHAIN_MOST = 1000000, READ_MOST = 20000, LISTED_LEAST = 500, ASKED_MOST = 100,
       REFERRED_FEW = 16, ROWS_LOOKED = 64 };
size_t chain_listed_most = PLAN_STREAMS_MOST;

/*
 * Listing costs something for each inner answer; asking, for each resource looked at until a page
 * is full, which are fewer the more answers there are: both are equal at the root of what there is
 * to ask times a factor. Measured: following an answer's reference to its own patient 1.5 us, by
 * the index of references 3 us, by its body 25 us; asking 3 us by a reference, 15 to 40 us by what
 * refers to a resource.
 */
enum { FACTOR_CHAIN = 60, FACTOR_PATIENT = 500, FACTOR_BODY = 30 };
static size_t listed_most(const struct compile *on, uint16_t resource, int factor)
{
    double live = (double)atomic_load(&on->store->live[resource]);
    size_t most = (size_t)sqrt(live * factor);
    most = most > LISTED_LEAST ? most : LISTED_LEAST;
    return most < chain_listed_most ? most : chain_listed_most;
}

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
        out->most = out->most < ASKED_MOST ? out->most : ASKED_MOST;
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

/* Too many to be read in order: are they too many to read at all? Judged by the first few. */
static err too_many_rows(const struct compile *on, const struct clause *clause, bool *out)
{
    int64_t rows = 0, one;
    size_t looked = ROWS_LOOKED;
    if (clause->count <= PLAN_STREAMS_MOST)
        return ERR_OK;
    for (size_t i = 0; i < looked; i++) {
        TRY(posting_estimate(on->cx, &clause->postings[i], PLAN_ESTIMATE_MOST, &one));
        rows += one;
    }
    *out = rows / (int64_t)looked * (int64_t)clause->count > READ_MOST;
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
        uint16_t linked = criterion->inner[0]->resource;
        struct listing listing = { .most = listed_most(on, linked, FACTOR_CHAIN) };
        TRY(list_or_keep(on, criterion->inner[0], &listing));
        if (!listing.many) {
            clause->listed = listing.hits;
            clause->listed_patients = str_eq(fhir_resource_name(linked), S("Patient"));
            add_references(on, clause, criterion->inner[0]->resource, &listing.hits);
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

static bool refers(const struct compile *on, const struct layout_param *param,
                   const struct index_row *row)
{
    return row->table == INDEX_REF && row->target == on->query->resource &&
           reads_slot(param, row->slot);
}

/* Adds what the resource refers to by the parameter, if it is of the asked type. */
static err add_referred(const struct compile *on, const struct layout_param *param, int64_t rid,
                        struct hits *out)
{
    struct arena_mark mark = arena_mark(on->cx->arena);
    struct index_rows rows;
    int64_t few[REFERRED_FEW];
    size_t count = 0;
    bool found;
    TRY(plan_rows(on->cx, on->store, on->layout, rid, &rows, &found));
    for (size_t i = 0; found && i < rows.count; i++) {
        int64_t target;
        if (!refers(on, param, &rows.rows[i]))
            continue;
        TRY(compile_rid(on->cx, rows.rows[i].target, rows.rows[i].text, &target));
        if (target && count < REFERRED_FEW)
            few[count] = target;
        else if (target)
            hits_add(on->cx, out, (struct hit){ .rid = target });
        count += target != 0;
    }
    if (count <= REFERRED_FEW) /* all fit: the body's memory is given back first */
        arena_rewind(on->cx->arena, mark);
    for (size_t i = 0; i < count && i < REFERRED_FEW; i++)
        hits_add(on->cx, out, (struct hit){ .rid = few[i] });
    return ERR_OK;
}

err compile_has(const struct compile *on, struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    bool patient = str_eq(fhir_resource_name(on->query->resource), S("Patient"));
    /* What refers to its own patient says so in its hit; others have their bodies read. */
    uint16_t asked = on->query->resource;
    struct listing listing = {
        .most = listed_most(on, asked, patient ? FACTOR_PATIENT : FACTOR_BODY) };
    clause->opaque = true;
    TRY(list_or_keep(on, criterion->inner[0], &listing));
    clause->inner = listing.many ? listing.plan : NULL;
    clause->verify_only = listing.many;
    if (clause->inner)
        return ERR_OK;
    struct hits found = { 0 };
    for (size_t i = 0; i < listing.hits.count; i++) {
        const struct hit *hit = &listing.hits.list[i];
        bool direct = false;
        if (patient)
            TRY(refers_to_patient(on, criterion->param, hit, &direct));
        if (direct)
            hits_add(on->cx, &found, (struct hit){ .rid = hit->pid });
        else
            TRY(add_referred(on, criterion->param, hit->rid, &found));
    }
    hits_sort(&found, ORDER_RID);
    for (size_t i = 0; i < found.count; i++)
        clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID,
                                                     .value = found.list[i].rid });
    return ERR_OK;
}
