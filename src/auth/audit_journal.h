/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/ctx.h"

/*
 * audit_journal: a file that holds entries of the audit from before their answer until they stand
 * in the chain. It is written as memory: an entry costs a copy, and outlives the program.
 *
 * Shapes   pieces one after another, a line each, numbered with the group they belong to
 *          and with a checksum. A group begins at the front of the file, over what the chain has
 *          taken: reading ends at the first piece that is torn or of another group.
 * Missing  no file, or an empty one: serial 0, no texts.
 * Errors   ERR_IO: it cannot be made or read. audit_journal_add: false when there is no room, what
 *          was added before stays; or when the file was removed, cut or cannot be written to under
 *          us (`lost`: then all of the group is lost in it; audit_journal_remake makes it anew and
 *          empty). A fault of the memory behind it is caught: the signal ends no server.
 * Memory   the caller's, as is `path`; audit_journal_close closes the file.
 * Limits   written over and over, its blocks allocated before they are written. One thread at a
 *          time adds; another may sync.
 * Hazards  H-010 access that nobody can trace; H-225 a trace lost in a crash.
 */
struct audit_journal {
    const char *path;
    int fd;
    char *base;      /* the file as memory */
    int64_t size;    /* of both */
    uint64_t serial; /* of the group that is being written */
    int64_t at;      /* where its next piece goes */
    bool lost;       /* what was added to it may not be there */
};
err audit_journal_open(struct ctx *cx, str path, struct audit_journal *out) MUST_USE;
void audit_journal_close(struct audit_journal *journal);
/* The lines in the file, each with its end. */
err audit_journal_read(struct ctx *cx, const struct audit_journal *journal, uint64_t *serial,
                       str *texts) MUST_USE;
void audit_journal_begin(struct audit_journal *journal, uint64_t serial);
/* True: the line is in the file. It is lost when the machine itself fails, not the program. */
bool audit_journal_add(struct audit_journal *journal, str line) MUST_USE;
/* An empty one in its place, for the same group. */
bool audit_journal_remake(struct audit_journal *journal) MUST_USE;
/* True: what was added is on disk. */
bool audit_journal_sync(const struct audit_journal *journal) MUST_USE;
