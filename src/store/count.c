/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search_run.h"
#include "store/compile.h"

/*
 * How many answers there are. Exactly: all are counted. _total=estimate: the first ones are
 * counted; when there are more, SAMPLES resources, spread over the type, are asked, and the share
 * of those that answer is taken of all.
 */
enum { COUNTED_MOST = 1000, LOOKED_MOST = 4000, SAMPLES = 500 };

static const struct stmt count_sql[] = {
    { "last of a type", "SELECT max(rid) FROM ident WHERE rid < ?1",
      "SEARCH ident USING INTEGER PRIMARY KEY" },
    { 0 },
};

/* A single posting whose rows are resources can be counted where it lies. */
static bool counts_itself(const struct ctx *cx, const struct plan *plan)
{
    if (plan->clauses_count != 1 || plan->hidden_count || !plan->driver ||
        (cx->access && (!cx->access->any_patient || cx->access->dissents_count ||
                        access_narrowed(cx->access, plan->query->resource))))
        return false;
    const struct clause *clause = plan->driver;
    const struct posting *posting = clause->postings;
    if (clause->count != 1 || !clause->exact || clause->dated)
        return false;
    return posting->kind == POSTING_TOK || posting->kind == POSTING_REF ||
           (posting->kind == POSTING_NUM && plan->layout->slots[posting->slot].single);
}

/* Is the driver so large that reading it is no estimate? */
static err is_large(struct ctx *cx, struct plan *plan, bool *out)
{
    int64_t rows = 0, one;
    *out = false;
    for (size_t i = 0; plan->driver && i < plan->driver->count && !*out; i++) {
        TRY(posting_estimate(cx, &plan->driver->postings[i], LOOKED_MOST, &one));
        rows += one;
        *out = rows > LOOKED_MOST;
    }
    return ERR_OK;
}

/* Counts up to `most`; *more: there may be others. */
static err count_hits(struct ctx *cx, struct search *search, struct plan *plan, int64_t most,
                      bool *more, int64_t *out)
{
    struct stream stream;
    TRY(plan_stream(cx, plan, NULL, &stream));
    for (int64_t looked = 0; !*more; looked++) {
        struct hit hit;
        bool any, accepted;
        TRY(stream_next(cx, &stream, &hit, &any));
        if (!any)
            return ERR_OK;
        TRY(plan_accepts(cx, search->store, plan, &hit, &accepted));
        *out += accepted;
        *more = most != INT64_MAX && (*out > most || looked > LOOKED_MOST);
    }
    return ERR_OK;
}

static err last_number(struct ctx *cx, uint16_t resource, int64_t *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, count_sql, 0);
    bool row;
    db_bind_int(stmt, 1, store_rid((uint16_t)(resource + 1), 0));
    TRY(db_step(cx, stmt, &row));
    int64_t rid = row && !db_is_null(stmt, 0) ? db_int(stmt, 0) : 0;
    *out = rid > store_rid(resource, 0) ? rid - store_rid(resource, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

/* The share of a sample that answers, of all there are. At least what was counted already. */
static err estimate(struct ctx *cx, struct search *search, struct plan *plan, int64_t *out)
{
    int64_t last, there = 0, answers = 0, *live;
    uint16_t resource = plan->query->resource;
    plan->driver = NULL;
    plan->dated_driver = false;
    TRY(last_number(cx, resource, &last));
    live = arena_array(cx->arena, fhir_resources_count, sizeof *live);
    TRY(store_counts(cx, search->store, live));
    int64_t step = last / SAMPLES + 1;
    for (int64_t i = 0; i * step < last; i++) { /* not in step with what came in step */
        int64_t number = i * step + 1 + (int64_t)((uint64_t)i * 2654435761u >> 7) % step;
        struct posting one = { .kind = POSTING_RID, .value = store_rid(resource, number) };
        struct hits hits = { 0 };
        bool accepted;
        TRY(posting_collect(cx, &one, &hits));
        if (!hits.count)
            continue;
        TRY(plan_accepts(cx, search->store, plan, &hits.list[0], &accepted));
        there++;
        answers += accepted;
    }
    int64_t guess = there ? live[resource] * answers / there : 0;
    *out = guess > *out ? guess : *out;
    search->page->estimated = true;
    return ctx_late(cx);
}

static err count_type(struct ctx *cx, struct search *search, uint16_t resource, int64_t *out)
{
    struct query query;
    struct plan plan;
    *out = 0;
    TRY(search_query(cx, search, resource, &query));
    query.sorts_count = 0;
    TRY(plan_make(cx, search->store, search->from.layout, &query, &plan));
    if (plan.nothing)
        return ERR_OK;
    bool rough = search->query.total == SEARCH_TOTAL_ESTIMATE, too_many = false;
    if (rough)
        TRY(is_large(cx, &plan, &too_many));
    if (!too_many && counts_itself(cx, &plan))
        return posting_count(cx, &plan.driver->postings[0], out);
    plan_whole(&plan);
    if (!too_many)
        TRY(count_hits(cx, search, &plan, rough ? COUNTED_MOST : INT64_MAX, &too_many, out));
    return too_many ? estimate(cx, search, &plan, out) : ERR_OK;
}

err search_count(struct ctx *cx, struct search *search, int64_t *out)
{
    bool plain = search->query.criteria_count == 0 && !search->request->compartment.n &&
                 !cx->access;
    int64_t *live = NULL;
    if (plain) {
        live = arena_array(cx->arena, fhir_resources_count, sizeof *live);
        TRY(store_counts(cx, search->store, live));
    }
    *out = 0;
    if (search->query.contained != CONTAINED_FALSE)
        TRY(search_count_contained(cx, search, out));
    for (size_t i = 0; i < search->types_count && search->query.contained != CONTAINED_TRUE; i++) {
        int64_t one;
        if (plain)
            one = live[search->types[i]];
        else
            TRY(count_type(cx, search, search->types[i], &one));
        *out += one;
    }
    return ERR_OK;
}

