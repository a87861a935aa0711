/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "db/db.h"
#include "fhir/def.h"
#include "store/words.h"

/*
 * index: what a resource is found by. Turns a body into rows of the index tables, and writes the
 * difference between the rows of its old and its new version.
 *
 * Source   the R4 search parameters (fhir_params); src/store/README.md has the tables.
 * Shapes   a slot is one path of one type that yields rows of one table ("Observation.code" ->
 *          tok); a search parameter is a list of slots, so parameters share rows. The layout knows
 *          the slots of every type. index_extract runs on the request thread and leaves codes,
 *          units and references as text; index_resolve (writer thread) turns them into numbers
 *          through an interner; index_apply writes a whole group's rows in key order.
 * Units    `at` is the clinical date as an at-key: the lowest instant in ms times 8, plus its
 *          precision (enum index_at). It sorts by instant, and tells the highest instant of all but
 *          periods. AT_NONE sorts lowest. lo and hi in UTC ms, both inclusive.
 * Missing  a dateTime without zone is read as UTC. An open period reaches to DAY_MIN or DAY_MAX.
 * Memory   a layout lives in the arena it was built in and is read-only: thread-safe. Rows live in
 *          cx's arena and point into the body.
 * Limits   INDEX_ROWS_MAX rows a resource; further values are not indexed. Texts are cut at
 *          INDEX_TEXT_MAX bytes.
 */
enum { INDEX_ROWS_MAX = 20000, INDEX_TEXT_MAX = 500 };
enum { INDEX_ELSEWHERE = 255 }; /* the resource number of an ident that is a URL elsewhere */
#define AT_NONE INT64_MIN
#define DAY_MIN (-62135596800000LL) /* 0001-01-01T00:00:00.000Z */
#define DAY_MAX 253402300799999LL   /* 9999-12-31T23:59:59.999Z */

enum index_at { AT_MS = 1, AT_SECOND, AT_MINUTE, AT_DAY, AT_MONTH, AT_YEAR, AT_OTHER };
static inline int64_t index_at_lo(int64_t at) { return at >> 3; }
static inline enum index_at index_at_precision(int64_t at) { return (enum index_at)(at & 7); }
int64_t index_at_hi(int64_t at); /* highest instant; not for AT_OTHER and AT_NONE */

enum index_table { INDEX_TOK, INDEX_REF, INDEX_TXT, INDEX_DAY, INDEX_NUM, INDEX_TABLES };

/* One row. Which fields count depends on the slot's table; the last four are set by index_resolve.
 * */
struct index_row {
    uint16_t slot;
    uint8_t table;
    uint8_t span;        /* day: span class 0 to 4 */
    uint16_t target;     /* ref: resource type, INDEX_ELSEWHERE for a URL */
    str system, text;    /* tok: system and code; ref: text is the id or URL; txt: system is the
                            folded text, text the exact one; num: unit's system and code */
    str human;           /* num: unit as written for people; ref: version asked for;
                            tok: folded display */
    str by_system, by;   /* num: the code its element is about; not given: none; tok: by is the
                            folded text of its concept, or both are an identifier's type */
    int64_t lo, hi;      /* day */
    double number;       /* num */
    int64_t value;       /* tok: cid; ref: target rid; num: by's cid, 0: none */
    int64_t unit;        /* num: uid, 0: no unit; day: enum index_at of lo */
};
/* A concept without a coding has a token of its words alone: system INDEX_WORDS, code the folded
 * text. That a code goes by some words is kept as a code, too: system INDEX_WORDS and its cid. */
#define INDEX_WORDS "\x1f"
static inline bool index_is_words(str system)
{
    return system.n > 0 && system.p[0] == INDEX_WORDS[0];
}

/* What the table's `lo` holds: an at-key, so that a clinical date's rows stand in `at` order. */
static inline int64_t index_day_key(const struct index_row *row)
{
    return row->lo * 8 + row->unit;
}
struct index_rows {
    struct index_row *rows;
    size_t count, cap;
    int64_t at;                  /* at-key or AT_NONE */
    str patient;                 /* id of the patient whose compartment this is in, if any */
    struct words words;          /* set by the caller with words_of; not given: none */
    int64_t rid, pid;            /* set by the writer before index_apply */
    bool resolved;
};

struct index_layout;
/* Builds the layout from the definitions and the numbering kept in meta ("index_layout"). Reads
 * only. db may be NULL: a fresh numbering. *changed: some slot is not in the numbering that db
 * knows, so it must be saved, and a store that holds resources must be indexed again. The layout
 * lives in `arena`. */
err index_layout_build(struct ctx *cx, struct arena *arena, struct db *db,
                       struct index_layout **out, bool *changed) MUST_USE;
err index_layout_save(struct ctx *cx, struct db *db, const struct index_layout *layout) MUST_USE;
/* "http://host/fhir": references under it are local. Set once, before the layout is shared. */
void index_layout_set_base(struct index_layout *layout, str base_url);

/* CREATE TABLE for tok, ref, txt, day, num, unit and words: for db_exec on an empty store. */
extern const char index_schema[];
extern const struct stmt index_sql[];

err index_extract(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                  struct json body, struct index_rows *out) MUST_USE;

/* Does its clinical date overlap a span? A body without one: true, for it cannot be said to be
 * outside. */
struct index_span {
    int64_t from_ms, to_ms; /* both inclusive */
};
bool index_is_within(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                     struct json body, struct index_span span);

/* Texts to numbers, minted when new. The store implements it over its cache and ident/code/unit. */
struct index_interner {
    err (*code)(struct ctx *cx, const struct index_interner *in, str system, str code,
                int64_t *cid);
    err (*ident)(struct ctx *cx, const struct index_interner *in, uint16_t resource, str id,
                 int64_t *rid);
    err (*unit)(struct ctx *cx, const struct index_interner *in, str system, str code, str human,
                int64_t *uid);
    void *self;
};
err index_resolve(struct ctx *cx, const struct index_interner *in,
                  struct index_rows *rows) MUST_USE;

/* One resource's change: before NULL for a create, after NULL for a delete. Both resolved. */
struct index_change {
    struct index_rows *before, *after;
};
/* Writes the differences of a whole group, sorted by key table by table. */
err index_apply(struct ctx *cx, struct db *db, struct index_change *changes,
                size_t count) MUST_USE;
