/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "db/db.h"
#include "store/store.h"

/*
 * due: what is to be done at or after an instant, kept in the record: timers, and the outbox of
 * what leaves the program. Survives a restart.
 *
 * Shapes   an item has a kind (who does it) and a key, unique within the kind: putting it again
 *          moves it. Items of one kind and target are done one after the other in the order they
 *          were put; an empty target stands for itself. Done once or, after a crash between the
 *          effect and the noting, more than once: what must not be repeated carries the key.
 * Errors   a failed item is tried again after 1 s, 2 s, 4 s ... up to 1 h, and parked after
 *          `attempts_max`; a parked one holds up only its own target, and is shown.
 * Units    due_ms in UTC milliseconds.
 * Limits   DUE_KINDS_MAX kinds; one thread does them, oldest first. Kinds that wait for another
 *          machine are done on DUE_LANES threads of their own, one item of a target at a time; what
 *          failed before gets half of them at most, so that a dead receiver holds up nobody.
 */
enum { DUE_KINDS_MAX = 32, DUE_ATTEMPTS = 20, DUE_LANES = 16 };
struct due_item {
    str kind, key, target, body;
    int64_t due_ms, failures;
};
struct due_kind {
    const char *name;
    int attempts_max; /* 0: DUE_ATTEMPTS */
    err (*run)(struct ctx *cx, struct store *store, const struct due_item *item, void *self);
    void *self;
    bool away;        /* may have to wait for another machine */
    err parks_on;     /* a failure of this kind is parked at once; ERR_OK: none is */
};
/* On the writer's connection (store_write, commit_part): in the transaction of its cause. */
err due_put(struct ctx *cx, struct db *db, const struct due_item *item) MUST_USE;
/* Puts it unless it is there already; then only its body is replaced: it stays due when it was,
 * with the failures it had. While it is done, a new body has it done once more. */
err due_add(struct ctx *cx, struct db *db, const struct due_item *item) MUST_USE;
err due_drop(struct ctx *cx, struct db *db, str kind, str key) MUST_USE; /* absent: nothing */
err due_drop_target(struct ctx *cx, struct db *db, str kind, str target) MUST_USE;
/* Makes the table; for those who put before due_start. */
err due_schema(struct ctx *cx, struct store *store) MUST_USE;

struct due;
err due_start(struct ctx *cx, struct store *store, const struct due_kind *const *kinds,
              struct due **out) MUST_USE;
void due_stop(struct due *due);
void due_wake(struct due *due); /* something was put that is due at once */
/* All that is parked of a kind. */
err due_retry(struct ctx *cx, struct due *due, str kind) MUST_USE;

/* How it stands with one item; *found false: it was done, or never put. */
struct due_state {
    int64_t due_ms, failures;
    bool parked;
    str error;       /* of the last failure */
};
err due_find(struct ctx *cx, struct store *store, str kind, str key, struct due_state *out,
             bool *found) MUST_USE;

struct due_count {
    str kind;
    int64_t waiting, failing, parked;
};
err due_counts(struct ctx *cx, struct store *store, struct due_count **out,
               size_t *count) MUST_USE;
