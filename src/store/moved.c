/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"
#include "store/search_run.h"
#include <stdlib.h>

/*
 * Answers that stood elsewhere in the order when the search began are put where they stood, so that
 * a resource which changes between two pages is neither dropped nor repeated.
 */

/* Is it an answer now, by all its criteria? */
static err is_answer(struct ctx *cx, struct search *search, struct plan plan, int64_t rid,
                     bool *out)
{
    struct posting one = { .kind = POSTING_RID, .value = rid };
    struct hits found = { 0 };
    plan.driver = NULL;
    plan.dated_driver = false;
    TRY(posting_collect(cx, &one, &found));
    *out = found.count > 0;
    if (!*out)
        return ERR_OK;
    return plan_accepts(cx, search->store, &plan, &found.list[0], out);
}

static int compare_places(enum hit_order order, const struct place *a, const struct place *b)
{
    return order == ORDER_INDEX ? index_key_compare(&a->key, &b->key)
                                : hit_compare(order, &a->hit, &b->hit);
}

static int compare_moved(const void *a, const void *b, void *order)
{
    return compare_places(*(const enum hit_order *)order, a, b);
}

/* Where it stood; *any false: it was not in the driver's range. */
static err place_then(struct ctx *cx, const struct plan *plan, const struct snapshot_was *was,
                      struct place *out, bool *any)
{
    *out = (struct place){ .hit = { .at = was->rows.at, .rid = was->rid } };
    *any = true;
    if (plan->order != ORDER_INDEX)
        return ERR_OK;
    return plan_first_key(cx, plan, &was->rows, was->rid, &out->key, any);
}

err moved_find(struct ctx *cx, struct search *search, struct plan *plan,
               const struct place *after, struct moved *out)
{
    uint16_t resource = plan->query->resource;
    *out = (struct moved){ .plan = plan };
    if (plan->order == ORDER_RID || !after)
        return ERR_OK;
    TRY(snapshot_since(cx, search->store, resource, search->began_seq, &out->snapshot));
    out->list = arena_array(cx->arena, out->snapshot.count + 1, sizeof *out->list);
    for (size_t i = 0; i < out->snapshot.count; i++) {
        const struct snapshot_was *was = &out->snapshot.list[i];
        struct place then;
        bool accepted;
        TRY(place_then(cx, plan, was, &then, &accepted));
        accepted = accepted && compare_places(plan->order, &then, after) > 0;
        if (accepted)
            TRY(is_answer(cx, search, *plan, was->rid, &accepted));
        if (accepted)
            out->list[out->count++] = then;
    }
    if (out->count)
        qsort_r(out->list, out->count, sizeof *out->list, compare_moved, &plan->order);
    return ERR_OK;
}

err moved_next(struct ctx *cx, struct search *search, struct moved *moved, struct place *out,
               bool *any)
{
    struct plan *plan = moved->plan;
    struct stream *stream = moved->stream;
    for (bool accepted = false; !accepted;) {
        TRY(stream_next(cx, stream, &out->hit, any));
        if (!*any)
            return ERR_OK;
        if (snapshot_find(&moved->snapshot, out->hit.rid))
            continue;
        TRY(plan_accepts(cx, search->store, plan, &out->hit, &accepted));
        if (accepted)
            TRY(plan_is_first(cx, search->store, plan, &stream->given, &accepted));
    }
    out->key = stream->given;
    return ERR_OK;
}

bool moved_is_before(const struct moved *moved, const struct place *place)
{
    return moved->next < moved->count &&
           (!place || compare_places(moved->plan->order, &moved->list[moved->next], place) < 0);
}
