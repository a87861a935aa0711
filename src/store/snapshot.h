/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/plan.h"

/*
 * snapshot: what a resource was when a search began. A later page puts what changed meanwhile where
 * it stood then, so that no resource is dropped or repeated because it moved in the order.
 *
 * Limits   SNAPSHOT_MOST changed resources of a type; beyond, they stand where they are now.
 */
enum { SNAPSHOT_MOST = 1000 };
struct snapshot_was {
    int64_t rid, seq;       /* seq: of the version that was current then */
    struct index_rows rows; /* of that version */
};
struct snapshot {
    struct snapshot_was *list; /* by rid; only those that existed then */
    size_t count;
    int64_t *born;             /* by rid: those made, or made again, since then */
    size_t born_count;
};
/* The log's end, as this reader sees it. */
err snapshot_last(struct ctx *cx, int64_t *seq) MUST_USE;
/* Resources of the type that existed at `seq` and have changed since. */
err snapshot_since(struct ctx *cx, struct store *store, uint16_t resource, int64_t seq,
                   struct snapshot *out) MUST_USE;
const struct snapshot_was *snapshot_find(const struct snapshot *snapshot, int64_t rid);
bool snapshot_born(const struct snapshot *snapshot, int64_t rid);
