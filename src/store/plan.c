/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"
#include "store/compile.h"
#include "store/access.h"
#include "store/own.h"
#include "store/state.h"

enum { CHUNK_OF_MANY = 2, PROBES_SMALL = 4 };
/* Measured: what a probe and a body cost, in rows of an index read one after the other. */
enum { ROWS_OF_PROBE = 8, ROWS_OF_BODY = 150, ROWS_OF_SLOT = 100000 };
struct plan_limits plan_limits = { .probes = 16, .texts = 64, .first_try = 40 * ROWS_OF_BODY,
                                   .few = PLAN_ESTIMATE_MOST };
enum { DAY_END };
static const struct stmt plan_sql[] = {
    [DAY_END] = { "end of a clinical period",
        "SELECT hi FROM day WHERE slot=?1 AND span IN (0,1,2,3,4) AND lo=?2 AND rid=?3",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND lo=? AND rid=?)" },
    { 0 },
};

static err estimate(struct ctx *cx, struct clause *clause)
{
    clause->estimate = 0;
    clause->estimated = true;
    for (size_t i = 0; i < clause->count && clause->estimate <= PLAN_ESTIMATE_MOST; i++) {
        int64_t rows;
        TRY(posting_estimate(cx, &clause->postings[i], PLAN_ESTIMATE_MOST, &rows));
        clause->estimate += rows;
    }
    return ERR_OK;
}

static bool can_drive(const struct clause *clause)
{
    return !clause->negate && clause->count > 0;
}

/* Cheap to read in order beats cheap to collect; among equals the rarer one. */
static int64_t cost_of(const struct clause *clause)
{
    int64_t rows = clause->estimate;
    if (!clause->exact)
        rows *= 20;
    if (!clause->ordered)
        rows = rows > PLAN_ESTIMATE_MOST ? rows * 1000 : rows * 2;
    return rows;
}

static err choose_driver(struct ctx *cx, struct plan *plan)
{
    size_t candidates = 0;
    for (size_t i = 0; i < plan->clauses_count; i++)
        candidates += can_drive(&plan->clauses[i]);
    for (size_t i = 0; i < plan->clauses_count; i++) {
        struct clause *clause = &plan->clauses[i];
        if (!can_drive(clause))
            continue;
        if (candidates > 1 || clause->by_seq)
            TRY(estimate(cx, clause));
        if (clause->by_seq && clause->estimate > PLAN_ESTIMATE_MOST)
            continue; /* nearly all of them: better asked of each than read first */
        if (!plan->driver || cost_of(clause) < cost_of(plan->driver))
            plan->driver = clause;
    }
    return ERR_OK;
}

err plan_is_small(struct ctx *cx, struct plan *plan, bool *out)
{
    if (plan->driver && !plan->driver->estimated)
        TRY(estimate(cx, plan->driver));
    *out = plan->driver && plan->driver->estimate <= plan_limits.few;
    return ERR_OK;
}

static err add_label(const struct compile *on, const struct access_label *label, uint16_t slot,
                     struct clause *tokens)
{
    struct query_value value = { .has_system = true, .system = label->system,
                                 .code = label->code };
    struct cids cids = { 0 };
    TRY(compile_cids(on->cx, &on->layout->slots[slot], &value, &cids));
    for (size_t c = 0; c < cids.count; c++)
        clause_add(on->cx, tokens, (struct posting){ .kind = POSTING_TOK, .slot = slot,
                                                     .value = cids.list[c] });
    return ERR_OK;
}

/* Labelled resources the asker must not see are left out of every answer and count. */
static err add_hidden(const struct compile *on, struct plan *plan)
{
    const struct store_access *access = on->cx->access;
    const struct layout_param *param = layout_param(on->layout, plan->query->resource,
                                                    S("_security"));
    if (!access || !access->hidden_count || !param || !param->slots_count)
        return ERR_OK;
    struct clause tokens = { 0 };
    for (int lifts = 0; lifts < 2; lifts++) {
        for (size_t i = 0; i < access->hidden_count; i++)
            if (access->hidden[i].lifts == (lifts == 1))
                TRY(add_label(on, &access->hidden[i], param->slots[0].slot, &tokens));
        if (!lifts)
            plan->hidden_firm = tokens.count;
    }
    plan->hidden = tokens.postings;
    plan->hidden_count = tokens.count;
    return ERR_OK;
}

static bool is_implied(const struct plan *plan, const struct clause *clause)
{
    for (size_t i = 0; i < plan->clauses_count; i++)
        if (plan->clauses[i].implies == clause->criterion)
            return true;
    return false;
}

static bool is_positive(const struct clause *clause)
{
    return !clause->negate && !clause->by_seq && (!clause->verify_only || clause->inner);
}

/* The order follows from the query alone, never from estimates: a later page must find it again. */
static void choose_order(struct plan *plan)
{
    const struct query *query = plan->query;
    const struct layout_type *type = &plan->layout->types[query->resource];
    bool any = false;
    for (size_t i = 0; i < plan->clauses_count; i++)
        any = any || is_positive(&plan->clauses[i]);
    bool by_at = query->sorts_count > 0 && type->at_param &&
                 query->sorts[0].param == type->at_param;
    plan->order = any ? ORDER_AT : ORDER_RID;
    if (by_at)
        plan->order = query->sorts[0].descending ? ORDER_AT_DESC : ORDER_AT;
}

/* A number or a date alone is read where its rows stand: any order would do, this one is there. */
static void choose_index_order(struct plan *plan)
{
    struct clause *only = NULL;
    size_t positive = 0;
    for (size_t i = 0; i < plan->clauses_count; i++)
        if (is_positive(&plan->clauses[i])) {
            only = &plan->clauses[i];
            positive++;
        }
    if (positive != 1 || plan->query->sorts_count || only->dated || !only->exact || !only->count)
        return;
    for (size_t i = 0; i < only->count; i++) {
        const struct posting *posting = &only->postings[i], *first = &only->postings[0];
        if (posting->kind != POSTING_NUM &&
            (posting->kind != POSTING_DAY || only->criterion->values_count > 1))
            return; /* dates of several values overlap, and would be met twice */
        plan->repeats = plan->repeats || posting->slot != first->slot ||
                        posting->value != first->value ||
                        !plan->layout->slots[posting->slot].single;
    }
    only->count = posting_sort(only->postings, only->count);
    plan->order = ORDER_INDEX;
    plan->driver = only;
}

void plan_whole(struct plan *plan)
{
    plan->whole = true;
    if (plan->order == ORDER_INDEX)
        plan->order = ORDER_RID;
}

static bool at_is_single(const struct plan *plan)
{
    const struct layout_type *type = &plan->layout->types[plan->query->resource];
    for (uint16_t i = 0; i < type->at_slots_count; i++)
        if (!plan->layout->slots[type->at_slots[i]].single)
            return false;
    return type->at_slots_count > 0;
}

err plan_make(struct ctx *cx, struct store *store, const struct index_layout *layout,
              const struct query *query, struct plan *out)
{
    *out = (struct plan){ .query = query, .layout = layout, .at_min = INT64_MIN,
                          .at_max = INT64_MAX };
    struct compile on = { cx, store, layout, query };
    out->nothing = !access_type(cx->access, query->resource);
    out->clauses = arena_array(cx->arena, query->criteria_count, sizeof *out->clauses);
    for (size_t i = 0; i < query->criteria_count && !out->nothing; i++) {
        struct clause *clause = &out->clauses[out->clauses_count++];
        TRY(compile_clause(&on, &query->criteria[i], clause));
        TRY(plan_bound_dates(cx, out, clause));
        out->nothing = clause->count == 0 && !clause->negate && !clause->verify_only;
    }
    if (out->nothing)
        return ERR_OK;
    choose_order(out);
    for (size_t i = 0; i < out->clauses_count; i++)
        if (is_implied(out, &out->clauses[i]))
            out->clauses[i--] = out->clauses[--out->clauses_count];
    choose_index_order(out);
    if (out->order != ORDER_INDEX)
        TRY(choose_driver(cx, out));
    out->dated_driver = out->order != ORDER_RID && out->order != ORDER_INDEX && at_is_single(out) &&
                        (!out->driver || out->driver->dated);
    return add_hidden(&on, out);
}

static err collect(struct ctx *cx, const struct plan *plan, struct clause *clause)
{
    if (clause->collected)
        return ERR_OK;
    for (size_t i = 0; i < clause->count; i++)
        TRY(posting_collect(cx, &clause->postings[i], &clause->set));
    hits_sort(&clause->set, plan->order);
    clause->collected = true;
    return ERR_OK;
}

/* Marks the clause's resources if it takes no more than so many rows. */
static err try_marks(struct ctx *cx, struct store *store, const struct plan *plan,
                     struct clause *clause, int64_t rows)
{
    uint16_t resource = plan->query->resource;
    int64_t end = store_rid(resource, 0);
    if (!clause->marks.bits) {
        TRY(store_rids_end(cx, store, resource, &end));
        clause->marks = marks_make(cx->arena, store_rid(resource, 0), end);
    }
    for (size_t i = 0; i < clause->count && rows >= 0; i++)
        TRY(posting_mark(cx, &clause->postings[i], &clause->marks, &rows));
    clause->collected = rows >= 0;
    return ctx_late(cx);
}

err plan_stream(struct ctx *cx, const struct plan *plan, const struct place *place,
                struct stream *out)
{
    struct clause *driver = plan->driver;
    const struct hit *after = place ? &place->hit : NULL;
    if (plan->order == ORDER_INDEX) {
        *out = stream_of_index(driver->postings, driver->count, place ? &place->key : NULL);
        return ERR_OK;
    }
    if (plan->dated_driver) {
        plan_stream_dates(cx, plan, after, out);
        return ERR_OK;
    }
    bool undated = plan->layout->types[plan->query->resource].at_slots_count == 0;
    if (!driver && (plan->order == ORDER_RID || undated)) { /* undated: both orders are one */
        *out = stream_of_type(plan->query->resource, after);
        return ERR_OK;
    }
    if (!driver) { /* sorted by a date a resource may have several of */
        struct stream all = stream_of_type(plan->query->resource, NULL);
        struct hits hits = { 0 };
        for (bool any = true; any;) {
            struct hit hit;
            TRY(stream_next(cx, &all, &hit, &any));
            if (any)
                hits_add(cx, &hits, hit);
        }
        hits_sort(&hits, plan->order);
        *out = stream_of_hits(hits, plan->order, after);
        return ERR_OK;
    }
    bool many = driver->count > PLAN_MANY;
    if (!driver->ordered || plan->order == ORDER_RID || (plan->whole && many)) {
        TRY(collect(cx, plan, driver));
        *out = stream_of_hits(driver->set, plan->order, after);
        return ERR_OK;
    }
    struct stream *parts = arena_array(cx->arena, driver->count, sizeof *parts);
    for (size_t i = 0; i < driver->count; i++) {
        parts[i] = stream_of_posting(&driver->postings[i], plan->order, after);
        parts[i].at_min = plan->at_min;
        parts[i].at_max = plan->at_max;
        if (many)
            parts[i].chunk = CHUNK_OF_MANY;
    }
    bool alone = driver->count == 1 && driver->postings[0].kind != POSTING_ONE;
    *out = alone ? parts[0] : stream_of_merge(parts, driver->count, plan->order);
    return ERR_OK;
}

err plan_body(struct ctx *cx, struct store *store, int64_t rid, struct json *out, bool *found)
{
    struct store_version version;
    size_t issues = cx->issues.count;
    err bad = store_read_rid(cx, store, rid, &version);
    *found = bad == ERR_OK;
    if (bad == ERR_NOT_FOUND || bad == ERR_GONE) {
        cx->issues.count = cx->issues.kept = issues;
        return ERR_OK;
    }
    TRY(bad);
    return json_parse(cx, version.body, out);
}

err plan_rows(struct ctx *cx, struct store *store, const struct index_layout *layout, int64_t rid,
              struct index_rows *out, bool *found)
{
    struct json body;
    TRY(plan_body(cx, store, rid, &body, found));
    if (!*found)
        return ERR_OK;
    return index_extract(cx, layout, store_rid_resource(rid), body, out);
}

static err words_accept(struct ctx *cx, const struct query_criterion *criterion,
                        struct json body, bool *out)
{
    struct words words;
    TRY(words_of(cx, body, &words));
    *out = false;
    for (size_t v = 0; v < criterion->values_count && !*out; v++)
        *out = words_answer(criterion->values[v].words, &words, criterion->what == QUERY_CONTENT);
    return ERR_OK;
}

err plan_verify(struct ctx *cx, const struct index_layout *layout,
                const struct query_criterion *criterion, struct json body, bool *out)
{
    struct index_rows rows;
    if (criterion->what == QUERY_NEAR)
        return plan_near(cx, criterion, body, out);
    if (criterion->what == QUERY_TEXT || criterion->what == QUERY_CONTENT)
        return words_accept(cx, criterion, body, out);
    if (criterion->param->kind == FHIR_SEARCH_COMPOSITE && criterion->param->own)
        return own_composite_matches(cx, layout, criterion, body, out);
    if (criterion->param->path) {
        TRY(index_slow(cx, layout, criterion->param, body, &rows));
        *out = match_rows(layout, criterion, &rows, cx->now_ms);
        return ERR_OK;
    }
    if (criterion->param->kind == FHIR_SEARCH_COMPOSITE && criterion->modifier != MOD_MISSING)
        return plan_composite(cx, layout, criterion, body, out);
    TRY(index_extract(cx, layout, criterion->param->resource, body, &rows));
    for (size_t i = 0; criterion->modifier == MOD_TEXT_ADVANCED && i < rows.count; i++) {
        rows.rows[i].human = words_fold(cx->arena, rows.rows[i].human);
        rows.rows[i].by = words_fold(cx->arena, rows.rows[i].by);
    }
    *out = match_rows(layout, criterion, &rows, cx->now_ms);
    return ERR_OK;
}

/* The row's end, for a period: its precision does not tell. */
static err period_end(struct ctx *cx, const struct plan *plan, const struct hit *hit, int64_t *hi)
{
    const struct layout_type *type = &plan->layout->types[plan->query->resource];
    *hi = DAY_MAX;
    for (uint16_t s = 0; s < type->at_slots_count; s++) {
        struct db_stmt *stmt = db_use(cx, cx->db, plan_sql, DAY_END);
        bool row;
        db_bind_int(stmt, 1, type->at_slots[s]);
        db_bind_int(stmt, 2, hit->at);
        db_bind_int(stmt, 3, hit->rid);
        TRY(db_step(cx, stmt, &row));
        if (row)
            *hi = db_int(stmt, 0);
        db_reset(stmt);
        if (row)
            return ERR_OK;
    }
    return ERR_OK;
}

static err date_accepts(struct ctx *cx, const struct plan *plan, const struct clause *clause,
                        const struct hit *hit, bool *out)
{
    int64_t hi;
    *out = false;
    if (hit->at == AT_NONE)
        return ERR_OK;
    if (index_at_precision(hit->at) == AT_OTHER)
        TRY(period_end(cx, plan, hit, &hi));
    else
        hi = index_at_hi(hit->at);
    const struct query_criterion *criterion = clause->criterion;
    for (size_t v = 0; v < criterion->values_count && !*out; v++)
        *out = span_matches(criterion->values[v].prefix, criterion->values[v].span,
                            index_at_lo(hit->at), hi, cx->now_ms);
    return ERR_OK;
}

static err rows_accept(struct ctx *cx, struct store *store, const struct plan *plan,
                       const struct clause *clause, const struct hit *hit, bool *out)
{
    struct arena_mark mark = arena_mark(cx->arena);
    struct json body;
    bool found;
    *out = false;
    TRY(plan_body(cx, store, hit->rid, &body, &found));
    if (found)
        TRY(plan_verify(cx, plan->layout, clause->criterion, body, out));
    if (*out && clause->implies) /* its postings would say so, its own rows do not */
        TRY(plan_verify(cx, plan->layout, clause->implies, body, out));
    arena_rewind(cx->arena, mark);
    return ERR_OK;
}

/* A few postings are cheaper to probe than anything else, and many cheaper than to collect unless
 * they hold little. */
static bool is_probed(const struct clause *clause, bool small)
{
    if (clause->collected)
        return false;
    if (clause->by_seq)
        return true;
    size_t most = small && plan_limits.probes > PROBES_SMALL ? PROBES_SMALL : plan_limits.probes;
    return clause->ordered && clause->count <= most;
}

/*
 * A few hits are asked of the index, or verified by their bodies. Each time that has come to cost
 * four times as much, as many rows of the index are read as would have cost the same; once they are
 * all the clause has, they are the set.
 */
static err spend(struct ctx *cx, struct store *store, const struct plan *plan,
                 struct clause *clause, int64_t rows)
{
    if (!clause->next_try)
        clause->next_try = plan_limits.first_try;
    clause->spent += rows;
    if (clause->spent < clause->next_try)
        return ERR_OK;
    clause->next_try = clause->spent * 4;
    bool slot = clause->count && clause->postings[0].kind == POSTING_SLOT;
    int64_t least = slot ? ROWS_OF_SLOT : 0; /* :missing, which few answer or nearly all */
    return try_marks(cx, store, plan, clause, clause->spent > least ? clause->spent : least);
}

static err probe_all(struct ctx *cx, const struct clause *clause, const struct hit *hit, bool *out)
{
    bool in = false;
    for (size_t i = 0; i < clause->count && !in; i++)
        TRY(posting_probe(cx, &clause->postings[i], hit, &in));
    *out = in != clause->negate;
    return ERR_OK;
}

/* By what lies in the index or in the body, whichever is cheaper. */
static err set_accepts(struct ctx *cx, struct store *store, const struct plan *plan,
                       struct clause *clause, const struct hit *hit, bool *out)
{
    bool small = clause->estimated && clause->estimate <= PLAN_ESTIMATE_MOST;
    bool probed = is_probed(clause, small);
    if (!clause->collected && !clause->by_seq && (probed || !(clause->opaque || small)))
        TRY(spend(cx, store, plan, clause,
                  probed ? ROWS_OF_PROBE * (int64_t)clause->count : ROWS_OF_BODY));
    if (!clause->collected && probed)
        return probe_all(cx, clause, hit, out);
    if (!clause->collected && !clause->opaque && !small)
        return rows_accept(cx, store, plan, clause, hit, out);
    TRY(collect(cx, plan, clause));
    bool has = clause->marks.bits ? marks_have(&clause->marks, hit->rid)
                                  : hits_have(&clause->set, plan->order, hit);
    *out = has != clause->negate;
    return ERR_OK;
}

static err clause_accepts(struct ctx *cx, struct store *store, struct plan *plan,
                          struct clause *clause, const struct hit *hit, bool *out)
{
    bool known = false;
    if (clause->inner)
        return link_accepts(cx, store, plan->layout, clause, hit, out);
    if (clause->dated)
        return date_accepts(cx, plan, clause, hit, out);
    if (!clause->exact)
        return rows_accept(cx, store, plan, clause, hit, out);
    if (clause->listed.count)
        TRY(link_listed(cx, plan->layout, clause, hit, &known, out));
    return known ? ERR_OK : set_accepts(cx, store, plan, clause, hit, out);
}

/* Reading it is what tells: a body that may not be seen is not found. */
static err narrow_hit(struct ctx *cx, struct store *store, const struct hit *hit, bool *out)
{
    struct arena_mark mark = arena_mark(cx->arena);
    struct json body;
    TRY(plan_body(cx, store, hit->rid, &body, out));
    arena_rewind(cx->arena, mark);
    return ERR_OK;
}

err plan_accepts(struct ctx *cx, struct store *store, struct plan *plan, const struct hit *hit,
                 bool *out)
{
    *out = access_patient(cx->access, hit->rid, hit->pid);
    size_t hiding = plan->hidden_count;
    if (hiding > plan->hidden_firm && access_lifts(cx->access, hit->pid))
        hiding = plan->hidden_firm;
    for (size_t i = 0; i < hiding && *out; i++) {
        bool hidden;
        TRY(posting_probe(cx, &plan->hidden[i], hit, &hidden));
        *out = !hidden;
    }
    for (size_t i = 0; i < plan->clauses_count && *out; i++) {
        struct clause *clause = &plan->clauses[i];
        if (clause == plan->driver && clause->exact && !(clause->dated && plan->dated_driver))
            continue;
        TRY(clause_accepts(cx, store, plan, clause, hit, out));
    }
    if (*out && access_narrowed(cx->access, plan->query->resource))
        TRY(narrow_hit(cx, store, hit, out));
    return ERR_OK;
}
