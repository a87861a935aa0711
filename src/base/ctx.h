/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/issues.h"

/*
 * ctx: what one request or job works with. Clock and randomness are inputs, so tests repeat.
 *
 * Memory   everything allocated from `arena` lives until the request ends. What is not memory (a
 *          statement, file, transaction, lock) is registered with ctx_defer and released in reverse.
 * Limits   a ctx belongs to one thread at a time; handing it to the writer hands over all of it.
 */
struct db;
struct user;
struct store_access;
struct ctx_deferred;
struct random;

struct ctx {
    struct arena *arena;
    struct issues issues;
    struct db *db;            /* this thread's read connection; NULL where none is needed */
    const struct user *user;  /* who asks; NULL before sign-in */
    const struct store_access *access; /* what may be seen; NULL: everything (store/access.h) */
    int64_t now_ms;           /* UTC, milliseconds since 1970; fixed for the whole request */
    struct random *random;
    struct ctx_deferred *deferred;
    str request_id;           /* appears in the log and in X-Request-Id */
    int64_t deadline_ms;      /* monotonic; 0: none. Long loops call ctx_late */
};

struct ctx ctx_make(struct arena *arena);

/* Adds an issue and returns `kind`. `text` is a sentence saying what to do about it. */
err ctx_fail(struct ctx *cx, err kind, str path, str text);
err ctx_failf(struct ctx *cx, err kind, str path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void ctx_defer(struct ctx *cx, void (*release)(void *thing), void *thing);
/* Runs the newest of them with this function now, and forgets it. */
void ctx_undefer(struct ctx *cx, void (*release)(void *thing));
void ctx_release(struct ctx *cx); /* runs the deferred releases, last first */

/* ERR_BUSY with an issue once the deadline has passed. */
err ctx_late(struct ctx *cx) MUST_USE;
