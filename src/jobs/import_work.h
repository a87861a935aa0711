/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include "jobs/import.h"
#include <pthread.h>

/*
 * import_work: what the reading thread (import.c) and the working threads (import_batch.c) share.
 * Private to import.
 */
struct import_chunk { /* lives in its own arena, which goes with it from thread to thread */
    struct import_chunk *next;
    struct arena arena;
    str name;         /* of the file */
    str text;
    int64_t line;     /* of the first line */
    bool document;    /* one JSON document; else one a line */
};
struct import_queue {
    pthread_mutex_t lock;
    pthread_cond_t arrived, taken;
    struct import_chunk *head, *tail;
    int waiting, working;
    bool closing;
};
struct import {
    struct import_options options;
    struct arena arena; /* refusals and names; under the lock */
    struct import_queue queue;
    struct import_counts counts;
    struct import_refusal *refusals;
    size_t refusals_count, refusals_cap;
    struct map names;   /* urns found in the record, as "Type/id" */
    _Atomic int fault;  /* an err that ends the import */
    str fault_text;
    pthread_t threads[IMPORT_THREADS_MAX];
    int threads_count;
};
/* Does all of a chunk: parses, validates, commits, counts and notes what was refused. */
void import_chunk_run(struct import *import, struct import_chunk *chunk, struct ctx *cx);
/* What a commit asks for a urn that is not of its own bundle. */
err import_resolve(struct ctx *cx, const struct commit *commit, str urn, str *out) MUST_USE;
void import_refuse(struct import *import, str where, str what);
