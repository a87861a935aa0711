/* SPDX-License-Identifier: Apache-2.0 */
#include "store/plan.h"
#include "store/compile.h"
#include "store/access.h"

enum { DAY_END, DAY_ANY };
static const struct stmt plan_sql[] = {
    [DAY_END] = { "end of a clinical period",
        "SELECT hi FROM day WHERE slot=?1 AND span IN (0,1,2,3,4) AND lo=?2 AND rid=?3",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND lo=? AND rid=?)" },
    [DAY_ANY] = { "is there a date so long", "SELECT 1 FROM day WHERE slot=?1 AND span=?2 LIMIT 1",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=?)" },
    { 0 },
};

/* The longest a clinical date of the type can last, by the span classes that have any. */
static err longest_ms(struct ctx *cx, const struct layout_type *type, int64_t *out)
{
    for (int class = 4; class >= 0; class--)
        for (uint16_t s = 0; s < type->at_slots_count; s++) {
            struct db_stmt *stmt = db_use(cx, cx->db, plan_sql, DAY_ANY);
            bool row;
            db_bind_int(stmt, 1, type->at_slots[s]);
            db_bind_int(stmt, 2, class);
            TRY(db_step(cx, stmt, &row));
            db_reset(stmt);
            *out = value_class_ms(class);
            if (row)
                return ERR_OK;
        }
    return ERR_OK;
}

/* Clinical dates the driver need not go beyond, when one dated criterion has one value. */
static err bound_dates(struct ctx *cx, struct plan *plan, const struct clause *clause)
{
    const struct query_criterion *criterion = clause->criterion;
    if (!clause->dated || criterion->values_count != 1 || criterion->modifier != MOD_NONE)
        return ERR_OK;
    const struct query_value *value = &criterion->values[0];
    int64_t least = INT64_MIN, most = INT64_MAX, longest = INT64_MAX;
    if (value->prefix == PREFIX_GE || value->prefix == PREFIX_GT)
        TRY(longest_ms(cx, &plan->layout->types[plan->query->resource], &longest));
    switch (value->prefix) {
    case PREFIX_EQ: least = value->span.lo * 8, most = value->span.hi * 8 + 7; break;
    case PREFIX_SA: least = (value->span.hi + 1) * 8; break;
    case PREFIX_LT:
    case PREFIX_EB: most = value->span.lo * 8 - 1; break;
    case PREFIX_LE: most = value->span.hi * 8 + 7; break;
    case PREFIX_GE: /* what began before may end within, if it lasts long enough */
    case PREFIX_GT:
        if (longest != INT64_MAX)
            least = (value->span.lo - longest) * 8;
        break;
    case PREFIX_NE:
    case PREFIX_AP: break;
    }
    plan->at_min = least > plan->at_min ? least : plan->at_min;
    plan->at_max = most < plan->at_max ? most : plan->at_max;
    return ERR_OK;
}

static err estimate(struct ctx *cx, struct clause *clause)
{
    clause->estimate = 0;
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
        TRY(bound_dates(cx, out, clause));
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

/* Every resource of the type by clinical date: its slots' span classes merged, then the rest. */
static void stream_by_date(struct ctx *cx, const struct plan *plan, const struct hit *after,
                           struct stream *out)
{
    const struct layout_type *type = &plan->layout->types[plan->query->resource];
    size_t count = 0;
    struct stream *parts = arena_array(cx->arena, (size_t)type->at_slots_count * 5 + 1,
                                       sizeof *parts);
    for (uint16_t s = 0; s < type->at_slots_count; s++)
        for (uint8_t class = 0; class <= 4; class++) {
            struct posting posting = { .kind = POSTING_DAY, .slot = type->at_slots[s],
                                       .span = class, .prefix = PREFIX_GE,
                                       .asked = { .lo = DAY_MIN } };
            parts[count] = stream_of_posting(&posting, plan->order, after);
            parts[count].at_min = plan->at_min;
            parts[count++].at_max = plan->at_max;
        }
    if (!plan->driver) { /* no criterion on the date: the undated are answers, too */
        bool within = after && after->at == AT_NONE;
        parts[count] = stream_of_type(plan->query->resource, within ? after : NULL);
        parts[count].order = plan->order;
        parts[count++].undated = true;
    }
    *out = stream_of_merge(parts, count, plan->order);
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
        stream_by_date(cx, plan, after, out);
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
    if (!driver->ordered || plan->order == ORDER_RID) {
        TRY(collect(cx, plan, driver));
        *out = stream_of_hits(driver->set, plan->order, after);
        return ERR_OK;
    }
    struct stream *parts = arena_array(cx->arena, driver->count, sizeof *parts);
    for (size_t i = 0; i < driver->count; i++) {
        parts[i] = stream_of_posting(&driver->postings[i], plan->order, after);
        parts[i].at_min = plan->at_min;
        parts[i].at_max = plan->at_max;
    }
    *out = driver->count == 1 ? parts[0] : stream_of_merge(parts, driver->count, plan->order);
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

/* Few hits are verified by their rows; when they turn out to be many, the set is collected. */
static err clause_accepts(struct ctx *cx, struct store *store, struct plan *plan,
                          struct clause *clause, const struct hit *hit, bool *out)
{
    bool in = false;
    if (clause->inner)
        return link_accepts(cx, store, plan->layout, clause, hit, out);
    if (clause->dated)
        return date_accepts(cx, plan, clause, hit, out);
    if (!clause->exact)
        return rows_accept(cx, store, plan, clause, hit, out);
    if ((clause->ordered || clause->by_seq) && !clause->collected) {
        for (size_t i = 0; i < clause->count && !in; i++)
            TRY(posting_probe(cx, &clause->postings[i], hit, &in));
        *out = in != clause->negate;
        return ERR_OK;
    }
    if (!clause->opaque && !clause->collected && clause->verified++ < PLAN_VERIFY_MOST)
        return rows_accept(cx, store, plan, clause, hit, out);
    TRY(collect(cx, plan, clause));
    *out = hits_have(&clause->set, plan->order, hit) != clause->negate;
    return ERR_OK;
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
