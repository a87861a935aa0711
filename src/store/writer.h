/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/prepare.h"

/*
 * writer: the one thread that changes the database. Private.
 *
 * Limits   everything here but writer_queue is used on the writer thread alone.
 */
struct writer {
    struct store *store;
    struct db *db;
    struct ctx cx;      /* for what concerns the whole group */
    struct arena arena; /* of that ctx: emptied before each group */
    struct interner interner;
    struct index_change *changes; /* of the group, not written yet */
    size_t changes_count, changes_cap;
    bool interned;      /* a piece of work minted codes: forget them if it is undone */
    uint16_t search_parameter; /* resource type: a change of one wakes reindex */
    bool stale;         /* after an undo: the interner is to be read again */
    err fault;          /* writing failed within this group: it must be undone */
    int64_t seq, at_ms; /* the last given out; at_ms of this group */
    int64_t type_seq[STORE_TYPES_MAX]; /* the last seq that touched a type, at most */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct prepared *head, *tail;
    size_t queued;
    bool closing, running;
    pthread_t thread;
};
err writer_start(struct ctx *cx, struct store *store, struct db *db) MUST_USE;
void writer_stop(struct store *store); /* finishes what was queued */
/* False: closing, or the queue is full; nothing was queued. */
bool writer_queue(struct store *store, struct prepared *prepared);

/* Index rows gathered so far go to the tables: before a search on this connection, and at the end.
 * */
err writer_flush(struct writer *writer) MUST_USE;

/* prove.c: what the commit was prepared on still holds, or it is prepared again; its claims are
 * free. Writes nothing. */
err writer_prove(struct writer *writer, struct prepared *p) MUST_USE;
/* apply.c: rows of a proved commit. An error leaves the transaction half done. */
err writer_apply(struct writer *writer, struct prepared *p) MUST_USE;
