/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/audit.h"

/*
 * audit_log: brings the entries of a running server into the chain, and its head out of the house.
 *
 * Shapes   writes go through audit_write_change, in their own transaction. Reads and refusals are
 *          noted in a journal beside the record as their answer is ready: only then it goes. The
 *          journal outlives the program, whatever ends it; it is on disk with the chain, into
 *          which a thread brings its entries AUDIT_FLUSH_MS after the first. With wait_for_disk
 *          an answer waits for the journal's fdatasync as well: audit_note gives a ticket, which
 *          audit_settle settles, once for all of a loop's turn. Two groups, each with its
 *          journal, take turns; the chain's transaction keeps the number of the last group taken,
 *          and a start takes what a crash left in the journals, each once. The head is appended to
 *          a file and sent to syslog every publish_minutes in which the chain grew, and at the end.
 * Errors   audit_note and audit_settle: ERR_IO while journal or chain could not be written;
 *          ERR_BUSY when AUDIT_QUEUE_MAX wait. The caller then refuses the request: no audit, no
 *          access. What failed is kept and tried again. A head that cannot be published is logged.
 * Memory   program; audit_log_stop writes what waits and joins the thread.
 */
struct audit_log;
struct audit_log_options {
    struct store *store;
    str folder;              /* of the journals */
    bool wait_for_disk;
    str publish_file;        /* empty: none */
    bool publish_syslog;
    str syslog_socket;       /* "/dev/log" */
    int64_t publish_minutes;
};

err audit_log_start(struct ctx *cx, const struct audit_log_options *options,
                    struct audit_log **out) MUST_USE;
void audit_log_stop(struct audit_log *log);
/* *ticket: what is to be settled before anything goes out; 0: nothing is. */
err audit_note(struct ctx *cx, struct audit_log *log, const struct audit_entry *entry,
               uint64_t *ticket) MUST_USE;
/* The same for all the patients that were seen: as many entries as hold them. Empties the list. */
struct access_seen;
err audit_note_seen(struct ctx *cx, struct audit_log *log, struct audit_entry *entry,
                   struct access_seen *seen, uint64_t *ticket) MUST_USE;
/* Returns when it is on disk: the caller syncs it, and all that was noted by then, or waits for
 * another who does. */
err audit_settle(struct ctx *cx, struct audit_log *log, uint64_t ticket) MUST_USE;
/* Writes what waits now and returns when it is on disk: before the chain is read. */
err audit_flush(struct ctx *cx, struct audit_log *log) MUST_USE;

/* The `write` of a commit part: one entry for each changed resource, by cx->user; by what wrote it,
 * a feed or a timer, when nobody is signed in behind it. */
err audit_write_change(struct ctx *cx, const struct commit_part *part, struct db *db,
                       const struct commit_change *change, void *prepared);
/* The name an entry gives the asker: the user, or the app that has none. */
str audit_who(struct arena *arena, const struct user *user);
/* Who, in what role, through what, for whom and why: of the user; the rest is the caller's. */
struct audit_entry audit_entry_of(struct ctx *cx, const struct user *user);

/* audit_publish.c: appends "INSTANT N HASH" to the file, and says it to syslog. */
err audit_publish(struct ctx *cx, const struct audit_log_options *options,
                  const struct audit_head *head) MUST_USE;
/* The heads of such a file, against a chain that audit_verify found whole. *count: how many. */
err audit_publish_check(struct ctx *cx, struct db *db, str file_text, size_t *count) MUST_USE;
