/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"

/*
 * Links asked of one hit at a time: cheap when the inner query has many answers, since then few
 * hits must be looked at before a page is full, however large the record is.
 */
static err hit_of(struct ctx *cx, int64_t rid, struct hits *out)
{
    struct posting one = { .kind = POSTING_RID, .value = rid };
    return posting_collect(cx, &one, out);
}

static err inner_accepts(struct ctx *cx, struct store *store, struct plan *inner, int64_t rid,
                         bool *out)
{
    struct hits found = { 0 };
    *out = false;
    if (store_rid_resource(rid) != inner->query->resource)
        return ERR_OK;
    TRY(hit_of(cx, rid, &found));
    return found.count ? plan_accepts(cx, store, inner, &found.list[0], out) : ERR_OK;
}

/* By the patient when the reference leads there: no body is read. */
static err patient_accepts(struct ctx *cx, struct store *store, struct clause *clause,
                           const struct hit *hit, bool *known, bool *out)
{
    const struct layout_param *param = clause->criterion->param;
    *known = false;
    if (store_rid_resource(hit->pid) != clause->inner->query->resource || hit->pid == hit->rid)
        return ERR_OK;
    for (uint16_t s = 0; s < param->slots_count && !*known; s++) {
        struct posting posting = { .kind = POSTING_REF, .slot = param->slots[s].slot,
                                   .value = hit->pid };
        TRY(posting_probe(cx, &posting, hit, known));
    }
    return *known ? inner_accepts(cx, store, clause->inner, hit->pid, out) : ERR_OK;
}

static bool reads(const struct layout_param *param, const struct index_row *row)
{
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].slot == row->slot)
            return true;
    return false;
}

static err chain_accepts(struct ctx *cx, struct store *store, const struct index_layout *layout,
                         struct clause *clause, const struct hit *hit, bool *out)
{
    struct index_rows rows;
    bool found;
    TRY(patient_accepts(cx, store, clause, hit, &found, out));
    if (found && *out)
        return ERR_OK;
    TRY(plan_rows(cx, store, layout, hit->rid, &rows, &found));
    for (size_t i = 0; found && i < rows.count && !*out; i++) {
        const struct index_row *row = &rows.rows[i];
        int64_t rid;
        if (row->table != INDEX_REF || !reads(clause->criterion->param, row) ||
            row->target != clause->inner->query->resource)
            continue;
        TRY(compile_rid(cx, row->target, row->text, &rid));
        if (rid)
            TRY(inner_accepts(cx, store, clause->inner, rid, out));
    }
    return ERR_OK;
}

/* Everything of the inner type that refers to the hit, until one answers. */
static err has_accepts(struct ctx *cx, struct store *store, struct clause *clause,
                       const struct hit *hit, bool *out)
{
    const struct layout_param *param = clause->criterion->param;
    for (uint16_t s = 0; s < param->slots_count && !*out; s++) {
        struct posting posting = { .kind = POSTING_REF, .slot = param->slots[s].slot,
                                   .value = hit->rid };
        struct stream stream = stream_of_posting(&posting, ORDER_AT, NULL);
        for (bool any = true; any && !*out;) {
            struct hit found;
            TRY(stream_next(cx, &stream, &found, &any));
            if (any)
                TRY(plan_accepts(cx, store, clause->inner, &found, out));
        }
    }
    return ERR_OK;
}

err link_accepts(struct ctx *cx, struct store *store, const struct index_layout *layout,
                 struct clause *clause, const struct hit *hit, bool *out)
{
    *out = false;
    if (clause->criterion->what == QUERY_HAS)
        return has_accepts(cx, store, clause, hit, out);
    return chain_accepts(cx, store, layout, clause, hit, out);
}
