/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "store/store.h"

/*
 * consumer: whoever reacts to the log. Has a name and a stored position, resumes where it was.
 *
 * Shapes   each consumer has a thread of its own, so that a slow or failing one holds up nobody. It
 *          is given every version after its position, in order of seq, once or (after a crash
 *          between the effect and the noting of the position) more than once: an effect that must
 *          not be repeated carries the seq as its key.
 * Errors   a version that fails is tried again after 1 s, 2 s, 4 s ... up to 5 min; after
 *          `attempts_max` tries the consumer is parked: it stands still, is shown by `frontline
 *          consumers`, and goes on when it is resumed or the program starts anew.
 * Memory   consume's ctx is emptied after each batch.
 * Limits   CONSUMERS_MAX; names are unique and never reused for something else.
 */
enum { CONSUMERS_MAX = 32, CONSUMER_ATTEMPTS = 10, CONSUMER_BATCH = 100 };
struct consumer {
    const char *name;
    const char *about;        /* one line for people */
    const char *const *types; /* ended by NULL; NULL: all */
    bool from_now;            /* a new one starts at the end of the log, else at its beginning */
    int attempts_max;         /* 0: CONSUMER_ATTEMPTS */
    err (*consume)(struct ctx *cx, struct store *store, const struct store_version *version,
                   void *self);
    void *self;
};
struct consumers;
/* `list` ends with NULL and outlives them. Makes its tables when they are not there. */
err consumers_start(struct ctx *cx, struct store *store, const struct consumer *const *list,
                    struct consumers **out) MUST_USE;
void consumers_stop(struct consumers *consumers); /* each finishes the version it is at */
/* Goes on with a parked consumer; `skip`: past the version that failed. ERR_NOT_FOUND. */
err consumers_resume(struct ctx *cx, struct consumers *consumers, str name, bool skip) MUST_USE;

/* What is stored of all consumers, also of those this program no longer has. */
struct consumer_state {
    str name, error;     /* error: of the last failure, empty when it goes well */
    int64_t seq, lag;    /* lag: versions after its position */
    int64_t failures;    /* of the version it stands at */
    bool parked;
};
err consumers_list(struct ctx *cx, struct store *store, struct consumer_state **out,
                   size_t *count) MUST_USE;
/* The same as consumers_resume where no server runs: on a store opened for writing. */
err consumer_unpark(struct ctx *cx, struct store *store, str name, bool skip) MUST_USE;
