/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/audit.h"

/*
 * audit_log: brings the entries of a running server into the chain.
 *
 * Shapes   writes go through audit_log_part, in their own transaction. Reads and refusals are noted
 *          and written by a thread in groups, AUDIT_FLUSH_MS after the first.
 * Errors   audit_note: ERR_IO while the last group could not be written, ERR_BUSY when
 *          AUDIT_QUEUE_MAX wait. The caller then refuses the request: no audit, no access.
 * Memory   program; audit_log_stop writes what waits and joins the thread.
 */
struct audit_log;

err audit_log_start(struct ctx *cx, struct store *store, struct audit_log **out) MUST_USE;
void audit_log_stop(struct audit_log *log);
err audit_note(struct ctx *cx, struct audit_log *log, const struct audit_entry *entry) MUST_USE;

/* The `write` of a commit part: one entry for each changed resource, by cx->user. */
err audit_write_change(struct ctx *cx, const struct commit_part *part, struct db *db,
                       const struct commit_change *change, void *prepared);
/* The name an entry gives the asker: the user, or the app that has none. */
str audit_who(struct arena *arena, const struct user *user);
