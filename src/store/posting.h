/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/query.h"

/*
 * posting: one range of one index table, and the hits it holds.
 *
 * Shapes   a hit is a resource with its clinical date and patient. Hits come in one order: by
 *          clinical date then rid, undated last, or the same backwards; or by rid alone.
 *          Tokens, references, single texts and clinical dates are read in that order a chunk at a
 *          time, so no statement stays open; other ranges are collected and sorted.
 * Memory   in cx's arena.
 */
struct hit {
    int64_t at, rid, pid;
};
struct hits {
    struct hit *list;
    size_t count, cap;
};
/* INDEX: as the rows of a number or date range stand; sets beside it are sorted by rid. */
enum hit_order { ORDER_AT, ORDER_AT_DESC, ORDER_RID, ORDER_INDEX };
int hit_compare(enum hit_order order, const struct hit *a, const struct hit *b);
void hits_add(struct ctx *cx, struct hits *hits, struct hit hit);
void hits_sort(struct hits *hits, enum hit_order order); /* and leaves one of each rid */
bool hits_have(const struct hits *hits, enum hit_order order, const struct hit *hit);

enum posting_kind {
    POSTING_TOK, POSTING_REF,   /* value: cid or target */
    POSTING_ONE,                /* the one folded text `from` */
    POSTING_TXT, POSTING_DAY, POSTING_NUM,
    POSTING_SLOT,               /* every row of the slot; REF: of targets of type `value` if >= 0 */
    POSTING_RID,                /* the one resource `value` */
    POSTING_WORDS,              /* of type `value`, whose words answer `from`: FTS5's language */
    POSTING_SEQ                 /* of type `value`, last changed at seq lo_min to lo_max */
};
struct posting {
    enum posting_kind kind;
    uint8_t table, span;
    uint16_t slot;
    int64_t value, unit;        /* NUM: by and unit */
    double least, most;         /* NUM: inclusive */
    str from, to;               /* TXT: folded in [from, to); to not given: the slot's end */
    str exact, contains;        /* ONE, TXT: of those only */
    int64_t lo_min, lo_max;     /* DAY: at-keys of lo, inclusive */
    enum query_prefix prefix;   /* DAY: how `asked` compares with [lo, hi] */
    struct value_span asked;
};
extern const struct stmt posting_sql[];

/* True for those read in hit order a chunk at a time. */
static inline bool posting_ordered(const struct posting *posting)
{
    return posting->kind == POSTING_TOK || posting->kind == POSTING_REF ||
           posting->kind == POSTING_ONE;
}
/* Of a row of its range: does what the range alone does not say hold, too? */
bool posting_row_counts(struct ctx *cx, const struct posting *posting, struct db_stmt *stmt);
/* Resources of one type, a bit each. */
struct marks {
    int64_t first; /* the rid of bit 0 */
    uint64_t *bits;
    size_t count;  /* bits */
};
struct marks marks_make(struct arena *arena, int64_t first, int64_t end);
bool marks_have(const struct marks *marks, int64_t rid);
/* Marks its resources; *left is how many rows may still be read for it, below 0 after one more. */
err posting_mark(struct ctx *cx, const struct posting *posting, struct marks *out,
                 int64_t *left) MUST_USE;
/* Adds all its hits, unsorted, a resource perhaps several times. */
err posting_collect(struct ctx *cx, const struct posting *posting, struct hits *out) MUST_USE;
/* Rows, counted up to `most` + 1. */
err posting_estimate(struct ctx *cx, const struct posting *posting, int64_t most,
                     int64_t *out) MUST_USE;
/* All its rows; only where a row is a resource. */
err posting_count(struct ctx *cx, const struct posting *posting, int64_t *out) MUST_USE;
/* Is the hit in an ordered posting? */
err posting_probe(struct ctx *cx, const struct posting *posting, const struct hit *hit,
                  bool *out) MUST_USE;

/* Where a row stands in num or day, so that a page can go on after it. DAY: by is the span class,
 * unit the at-key of lo, at the end. */
struct index_key {
    uint16_t slot;
    int64_t by, unit, at, rid;
    double value;
};
int index_key_compare(const struct index_key *a, const struct index_key *b);
/* Puts number and date ranges into the order of their rows, and joins numbers' that overlap; how
 * many are left. */
size_t posting_sort(struct posting *postings, size_t count);

/* A stream of hits in one order, from the hit after `after` (NULL: the first). */
struct stream {
    enum hit_order order;
    enum { STREAM_HITS, STREAM_POSTING, STREAM_DAYS, STREAM_TYPE, STREAM_MERGE,
           STREAM_INDEX } kind;
    struct posting posting;
    uint16_t resource;          /* TYPE */
    struct hits buffer;
    size_t next, chunk;
    struct hit last;
    bool started, undated, ended;
    int64_t at_min, at_max;     /* only clinical dates within: at-keys */
    struct stream *parts;       /* MERGE: first a heap by their next hits, then the rest */
    size_t parts_count, heap_count;
    bool heaped;
    const struct posting *postings; /* INDEX: sorted */
    size_t postings_count, postings_at;
    struct index_key *keys;     /* INDEX: one a hit of the buffer */
    size_t keys_cap;
    struct index_key key, given; /* INDEX: of the row last read, of the hit last given out */
    bool inside;                /* INDEX: `key` is within postings_at */
};
struct stream stream_of_hits(struct hits hits, enum hit_order order, const struct hit *after);
struct stream stream_of_posting(const struct posting *posting, enum hit_order order,
                                const struct hit *after);
struct stream stream_of_type(uint16_t resource, const struct hit *after); /* by rid */
struct stream stream_of_merge(struct stream *parts, size_t count, enum hit_order order);
struct stream stream_of_index(const struct posting *postings, size_t count,
                              const struct index_key *after);
/* The next hit; *any false at the end. Streams of several postings may repeat a hit. */
err stream_next(struct ctx *cx, struct stream *stream, struct hit *out, bool *any) MUST_USE;

err stream_refill_index(struct ctx *cx, struct stream *stream) MUST_USE; /* stream.c's */

/* Does [lo, hi] answer to the prefix and the asked span? */
bool span_matches(enum query_prefix prefix, struct value_span asked, int64_t lo, int64_t hi,
                  int64_t now_ms);
