/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include "store/claim.h"
#include "store/version.h"

/*
 * prepare: all of a commit that can be done before it has its place in the log. Private.
 *
 * Shapes   targets found (ids minted, conditions tried), references resolved, bodies written, index
 *          rows, claims and parts computed, bodies packed: on the request thread, against a
 *          snapshot. What the result depends on is kept, so that the writer can prove it
 *          (prove.c), and have it prepared again on its own connection when something changed
 *          meanwhile.
 * Memory   everything in the ctx's arena.
 */
struct condition { /* a search that was tried, and its answer */
    uint16_t resource;
    str query;
    size_t count; /* 0, 1, or 2 for several */
    int64_t rid;  /* when count is 1 */
};
struct prepared_op {
    struct commit_op *op;
    str given_id, minted_id;
    bool skip; /* nothing to write */
    struct version_row before;
    struct json before_json, after_json; /* as stored */
    struct store_body body;
    struct packed packed;
    struct index_rows before_rows, after_rows;
    struct claims *before_claims, *after_claims; /* NULL: none */
    void *parts[COMMIT_PARTS_MAX];
};
struct prepared {
    struct prepared *next; /* in the writer's queue */
    struct store *store;
    struct ctx *cx;
    struct commit *commit; /* NULL: a piece of work (store_write) */
    err (*work)(struct ctx *cx, struct db *db, void *self);
    void *self, *waiter;
    void (*finished)(struct prepared *prepared);
    err error;
    size_t issues_kept; /* when it was queued */
    struct prepared_op *ops;
    struct condition *conditions;
    size_t conditions_count, conditions_cap;
    struct map names; /* full_url to position in ops */
    int64_t snapshot_seq, own_generation;
    bool changes;     /* something is to be written */
};
struct prepared *prepared_make(struct ctx *cx, struct store *store, struct commit *commit);
/* On cx's own connection, or one borrowed when it has none. May be called again. */
err prepare(struct prepared *p, int64_t snapshot_seq) MUST_USE;

/* references.c: what body_write asks of each reference of the op at `index`. */
struct reference_asker {
    struct prepared *prepared;
    size_t index;
};
err reference_replace(struct ctx *cx, void *self, str reference, bool versioned,
                      str *out) MUST_USE;
err references_learn(struct prepared *p) MUST_USE; /* full urls of the ops; two alike are refused */

/* Tries a condition, once for each different one, and keeps it to be proved. */
err condition_try(struct prepared *p, uint16_t resource, str query,
                  struct condition *out) MUST_USE;
err prepared_need_db(struct prepared *p) MUST_USE;
