/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"

/*
 * A resource with several rows in a range (two codings of its code, several components) would be
 * met several times; only at its first row is it an answer.
 */
enum { UNIT_ONE };
static const struct stmt first_sql[] = {
    [UNIT_ONE] = { "uid of a unit",
        "SELECT uid FROM unit WHERE system=?1 AND code=?2 AND human=?3",
        "SEARCH unit USING COVERING INDEX" },
    { 0 },
};

static err unit_of(struct ctx *cx, const struct index_row *row, int64_t *out)
{
    bool found;
    *out = 0;
    if (!row->text.n && !row->human.n && !row->system.n)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, cx->db, first_sql, UNIT_ONE);
    db_bind_text(stmt, 1, row->system);
    db_bind_text(stmt, 2, row->text);
    db_bind_text(stmt, 3, row->human);
    TRY(db_step(cx, stmt, &found));
    *out = found ? db_int(stmt, 0) : -1;
    db_reset(stmt);
    return ERR_OK;
}

static err by_of(struct ctx *cx, const struct index_row *row, int64_t *out)
{
    static const struct layout_slot plain = { .binding = FHIR_NONE };
    struct query_value value = { .has_system = true, .system = row->by_system, .code = row->by };
    struct cids cids = { 0 };
    *out = 0;
    if (!row->by.n)
        return ERR_OK;
    TRY(compile_cids(cx, &plain, &value, &cids));
    *out = cids.count ? cids.list[0] : -1;
    return ERR_OK;
}

static err key_of(struct ctx *cx, const struct index_row *row, const struct index_key *at,
                  struct index_key *out)
{
    *out = (struct index_key){ .slot = row->slot, .at = at->at, .rid = at->rid,
                               .value = row->number };
    if (row->table == INDEX_DAY) {
        out->by = row->span;
        out->unit = index_day_key(row);
        out->at = row->hi;
        return ERR_OK;
    }
    TRY(by_of(cx, row, &out->by));
    return unit_of(cx, row, &out->unit);
}

static bool holds(struct ctx *cx, const struct posting *p, const struct index_row *row,
                  const struct index_key *key)
{
    if (p->slot != key->slot)
        return false;
    if (p->kind == POSTING_NUM)
        return p->value == key->by && p->unit == key->unit && key->value >= p->least &&
               key->value <= p->most;
    return p->span == key->by && key->unit >= p->lo_min && key->unit <= p->lo_max &&
           span_matches(p->prefix, p->asked, row->lo, row->hi, cx->now_ms);
}

static err first_among(struct ctx *cx, const struct plan *plan, const struct index_rows *rows,
                       const struct index_key *at, bool *out)
{
    const struct clause *driver = plan->driver;
    for (size_t i = 0; i < rows->count && *out; i++) {
        const struct index_row *row = &rows->rows[i];
        struct index_key key;
        if (row->table != INDEX_NUM && row->table != INDEX_DAY)
            continue;
        TRY(key_of(cx, row, at, &key));
        if (index_key_compare(&key, at) >= 0)
            continue;
        for (size_t p = 0; p < driver->count && *out; p++)
            *out = !holds(cx, &driver->postings[p], row, &key);
    }
    return ERR_OK;
}

static bool is_about(const struct query_value *code, const struct index_row *row)
{
    return (!code->code.n || str_eq(row->by, code->code)) &&
           (!code->has_system || str_eq(row->by_system, code->system));
}

/* Is the row what the driver's criterion asks for? Asked of the criterion, not of its postings: the
 * last row of a unit or code may be gone meanwhile, and its posting with it. */
static bool is_asked(struct ctx *cx, const struct plan *plan, struct index_row *row)
{
    const struct query_criterion *criterion = plan->driver->criterion;
    const struct query_criterion *beside = compile_code_beside(plan->layout, plan->query,
                                                               row->slot);
    bool composite = criterion->param->kind == FHIR_SEARCH_COMPOSITE, about = !beside;
    for (size_t i = 0; beside && i < beside->values_count; i++)
        about = about || is_about(&beside->values[i], row);
    for (size_t v = 0; v < criterion->values_count && (about || composite); v++) {
        struct query_value *value = &criterion->values[v];
        struct query_criterion one = { .param = criterion->param, .values = value,
                                       .values_count = 1, .type = FHIR_NONE };
        const struct index_rows rows = { .rows = row, .count = 1 };
        if (composite) {
            one.param = value->parts[1].param;
            one.values = &value->parts[1];
        }
        if ((!composite || is_about(&value->parts[0], row)) &&
            match_rows(plan->layout, &one, &rows, cx->now_ms))
            return true;
    }
    return false;
}

err plan_first_key(struct ctx *cx, const struct plan *plan, const struct index_rows *rows,
                   int64_t rid, struct index_key *out, bool *any)
{
    const struct index_key base = { .at = rows->at, .rid = rid };
    *any = false;
    for (size_t i = 0; i < rows->count; i++) {
        struct index_key key;
        if (!is_asked(cx, plan, &rows->rows[i]))
            continue;
        TRY(key_of(cx, &rows->rows[i], &base, &key));
        if (!*any || index_key_compare(&key, out) < 0)
            *out = key;
        *any = true;
    }
    return ERR_OK;
}

err plan_is_first(struct ctx *cx, struct store *store, const struct plan *plan,
                  const struct index_key *key, bool *out)
{
    struct arena_mark mark = arena_mark(cx->arena);
    struct index_rows rows;
    *out = true;
    if (plan->order != ORDER_INDEX || !plan->repeats)
        return ERR_OK;
    TRY(plan_rows(cx, store, plan->layout, key->rid, &rows, out));
    if (*out)
        TRY(first_among(cx, plan, &rows, key, out));
    arena_rewind(cx->arena, mark);
    return ERR_OK;
}
