/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/bulk.h"
#include "json/json.h"
#include <pthread.h>

/* bulk_work: what the files of bulk share. Private to bulk. */
struct bulk {
    struct store *store;
    struct audit_log *audit;
    str folder;               /* DATA/bulk */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    _Atomic bool closing, cancel; /* cancel: the running job is not wanted any more */
    char running[40];             /* its id, under the lock; empty: none */
    _Atomic int64_t done, total;
};
str bulk_spec_write(struct ctx *cx, const struct bulk_spec *spec);
err bulk_spec_read(struct ctx *cx, str text, struct bulk_spec *out) MUST_USE;
str bulk_folder(struct ctx *cx, const struct bulk *bulk, str id);
/* Does the work of one job; *output as in bulk_report. ERR_BUSY: stopped, not failed. */
err bulk_run_export(struct ctx *cx, struct bulk *bulk, str id, const struct bulk_spec *spec,
                    str *output) MUST_USE;
/* Writes DATA/bulk/ID/deleted.ndjson: what was deleted since spec->since_ms and is not there now, a
 * transaction Bundle of DELETE entries a line. *count 0: no file. bulk_deleted.c. */
err bulk_write_deleted(struct ctx *cx, struct bulk *bulk, str id, const uint64_t *types,
                       int64_t since_ms, int64_t *count) MUST_USE;
/* bulk_note.c: whose data an export holds, in entries of the audit: noted before its files are
 * there to be fetched. One after a restart notes those of the files it had still to write. */
struct bulk_told {
    struct bulk *bulk;
    const struct bulk_spec *spec;
    struct arena *arena;
    uint64_t *marks;          /* a bit a patient */
    size_t marks_count;
    struct access_seen seen;
};
err bulk_note(struct ctx *cx, struct bulk_told *told, int64_t pid) MUST_USE;
err bulk_note_end(struct ctx *cx, struct bulk_told *told) MUST_USE;
err bulk_run_import(struct ctx *cx, struct bulk *bulk, str id, const struct bulk_spec *spec,
                    str *output) MUST_USE;
