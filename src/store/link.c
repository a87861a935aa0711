/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"

/*
 * Links asked of one hit at a time: cheap when the inner query has many answers, since then few
 * hits must be looked at before a page is full, however large the record is.
 */
static err inner_accepts(struct ctx *cx, struct store *store, struct plan *inner, int64_t rid,
                         bool *out)
{
    struct posting one = { .kind = POSTING_RID, .value = rid };
    struct hit hit;
    struct hits found = { .list = &hit, .cap = 1 };
    *out = false;
    if (store_rid_resource(rid) != inner->query->resource)
        return ERR_OK;
    TRY(posting_collect(cx, &one, &found));
    return found.count ? plan_accepts(cx, store, inner, &hit, out) : ERR_OK;
}

/* Does the reference lead to the hit's patient? `alone`: and nowhere else. No body is read. */
static err leads_to_patient(struct ctx *cx, const struct index_layout *layout,
                            const struct layout_param *param, const struct hit *hit, bool *out,
                            bool *alone)
{
    *out = false;
    *alone = param->slots_count == 1 && layout->slots[param->slots[0].slot].single;
    for (uint16_t s = 0; s < param->slots_count && !*out && hit->pid != hit->rid; s++) {
        struct posting posting = { .kind = POSTING_REF, .slot = param->slots[s].slot,
                                   .value = hit->pid };
        TRY(posting_probe(cx, &posting, hit, out));
    }
    return ERR_OK;
}

/* Is the patient a hit belongs to the only one its reference may lead to? The patient is taken from
 * the first of the type's references that leads to one. */
static bool only_patient(const struct index_layout *layout, const struct layout_param *param,
                         const struct hit *hit)
{
    const struct layout_type *type = &layout->types[store_rid_resource(hit->rid)];
    return param->slots_count == 1 && layout->slots[param->slots[0].slot].single &&
           type->patient_slots_count > 0 && type->patient_slots[0] == param->slots[0].slot;
}

err link_listed(struct ctx *cx, const struct index_layout *layout, const struct clause *clause,
                const struct hit *hit, bool *known, bool *out)
{
    const struct layout_param *param = clause->criterion->param;
    const struct hit patient = { .rid = hit->pid };
    bool listed = hits_have(&clause->listed, ORDER_RID, &patient), leads, alone;
    *out = false;
    *known = !listed && clause->listed_patients && only_patient(layout, param, hit);
    if (*known)
        return ERR_OK;
    TRY(leads_to_patient(cx, layout, param, hit, &leads, &alone));
    *out = leads && listed;
    *known = leads && (alone || *out);
    return ERR_OK;
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
    bool found, leads, alone;
    TRY(leads_to_patient(cx, layout, clause->criterion->param, hit, &leads, &alone));
    if (leads)
        TRY(inner_accepts(cx, store, clause->inner, hit->pid, out));
    if (leads && (alone || *out))
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
        stream.buffer = (struct hits){ .list = clause->set.list, .cap = clause->set.cap };
        for (bool any = true; any && !*out;) {
            struct hit found;
            TRY(stream_next(cx, &stream, &found, &any));
            if (any)
                TRY(plan_accepts(cx, store, clause->inner, &found, out));
        }
        clause->set = stream.buffer; /* its memory serves the next hit */
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
