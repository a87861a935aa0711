/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/search_run.h"

/*
 * sort_key: what a resource is sorted by, its own or, through references, another's.
 *
 * Shapes   of several values a resource sorts by its lowest, or its highest when descending; one
 *          without any comes last either way. A chained sort takes them of all it refers to.
 * Missing  what the asker may not see, or is not there, gives no key.
 * Memory   in cx's arena.
 */
struct sort_key {
    bool given;
    int64_t number; /* instants in ms, numbers as ordered bits */
    str text;
};
int sort_key_compare(const struct sort_key *a, const struct sort_key *b, bool descending);

/* Resources in rid order; a later page sees them as they were when the search began. */
struct sort_set {
    const int64_t *rids;
    size_t count;
    struct index_rows *rows;    /* few: of each; no rows when it is not there */
    struct snapshot *snapshots; /* by resource type */
    bool linked;                /* reached by references: one made since is not there yet */
};
err sort_set_read(struct ctx *cx, struct search *search, struct sort_set *set) MUST_USE;
/* One key a resource of the set: keys has room for them, cleared. */
err sort_keys(struct ctx *cx, struct search *search, const struct query_sort *sort,
              const struct sort_set *set, struct sort_key *keys) MUST_USE;
/* The key the rows of one resource give it. */
struct sort_key sort_key_of(const struct layout_param *param, const struct index_rows *rows,
                            bool descending);
/* Up to so many have their keys read from their bodies, more from the index. Tests lower it. */
extern size_t sort_by_rows_most;
extern const struct stmt sort_sql[];
