/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"
#include "view/view.h"

/*
 * view_bulk: runs a view over many resources on several threads; the rows come out in order.
 *
 * Shapes   a source is cut into pieces; each thread takes the next piece, runs the view on its
 *          resources, and writes the rows when it is its turn.
 * Errors   the first fault in the order of the source ends the run; rows before it are written.
 *          For text it names the line.
 * Memory   each thread's own arena, emptied after every piece.
 */
struct view_sink;
struct view_piece {
    int64_t from, to; /* bytes of a text, or rids */
};
struct view_source {
    /* The next piece; false at the end. Called by one thread at a time. */
    bool (*next)(struct view_source *source, struct view_piece *out);
    /* Gives every resource of a piece to view_sink_take. */
    err (*run)(struct ctx *cx, struct view_source *source, struct view_piece piece,
               struct view_sink *sink);
    struct store *store;
    str text;
    uint16_t resource;
    int64_t at, end;  /* where the next piece begins; the end of the rids */
    int64_t since_ms; /* store: changed then or later; 0: all */
    int64_t pid;      /* store: of this patient's compartment alone; 0: all */
    const struct store_access *access; /* what the asker may see; NULL: all */
};
struct view_source view_source_of_ndjson(str text);
/* The live resources of the view's type. */
err view_source_of_store(struct ctx *cx, struct store *store, const struct view *view,
                         struct view_source *out) MUST_USE;

/* Runs the view on one resource, on the entries of a Bundle, or on the items of an array. */
err view_sink_take(struct ctx *cx, struct view_sink *sink, struct json value) MUST_USE;

struct view_bulk {
    const struct view *view;
    enum view_format format;
    int threads;
    int64_t limit;    /* rows at most; 0: all */
    bool no_head;     /* csv: without the line of names */
    err (*write)(void *self, str text); /* by one thread at a time */
    void *self;
    const _Atomic bool *cancel; /* looked at between pieces: true ends the run with ERR_BUSY */
    int64_t resources, rows; /* counted, out */
};
err view_bulk_run(struct ctx *cx, struct view_bulk *bulk, struct view_source *source) MUST_USE;
