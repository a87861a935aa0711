/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "store/commit.h"

/*
 * import: takes resources from files into the record, the same way whatever their shape.
 *
 * Source   hl7.org/fhir/R4/bundle.html, http.html#transaction; NDJSON of the Bulk Data guide.
 * Shapes   a file holds one resource or Bundle, or one a line (NDJSON, found by its first line);
 *          plain or packed by gzip or zstd. A transaction is one commit, all or nothing; every
 *          other resource stands for itself. Resources are validated as those of the REST API are.
 *          A resource keeps its id. One without takes that of its fullUrl (urn:uuid), or one
 *          computed from its content, and a POST of what is there already leaves it, so that a
 *          second import of the same files changes nothing.
 * Errors   what is refused is noted with file and line and does not stop the rest; ERR_IO does.
 * Memory   chunks of about IMPORT_CHUNK_BYTES, IMPORT_THREADS_MAX of them at a time; a single JSON
 *          document is held whole.
 * Limits   a document of IMPORT_DOCUMENT_MAX bytes; IMPORT_REFUSALS_MAX refusals are kept, all
 *          counted.
 */
#define IMPORT_DOCUMENT_MAX ((size_t)1 << 30)
enum { IMPORT_CHUNK_BYTES = 1 << 20, IMPORT_THREADS_MAX = 16, IMPORT_REFUSALS_MAX = 10000 };

struct import_counts {
    int64_t read, created, updated, unchanged, deleted, refused; /* resources */
    int64_t bytes; /* of the files as they lie on disk */
};
struct import_refusal {
    str where, what; /* "ward.ndjson:17 Patient/x", "the reason" */
};
struct import_report {
    struct import_counts counts;
    const struct import_refusal *refusals;
    size_t refusals_count;
};
struct import;
struct import_options {
    struct store *store;
    int threads;       /* 0: as suits the machine */
    str who;           /* for the log */
    /* Now and then, on the reading thread; false: stop. May be NULL. */
    bool (*progress)(void *self, const struct import_counts *counts);
    void *self;
};
err import_start(struct ctx *cx, const struct import_options *options,
                 struct import **out) MUST_USE;
/* One file, "-" for standard input. Returns when it is read, not yet when it is all written. */
err import_file(struct ctx *cx, struct import *import, str path) MUST_USE;
/* Waits until all that was read is written or refused. */
void import_wait(struct import *import);
/* Notes a file that import_file could not read as refused. */
void import_refuse_file(struct import *import, str path, const struct issues *why);
/* Waits, and ends the threads. The report lives in cx's arena and is complete also on error: what
 * ended the import early. */
err import_finish(struct ctx *cx, struct import *import, struct import_report *out) MUST_USE;
