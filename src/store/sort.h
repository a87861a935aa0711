/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/sort_key.h"

/* sort: the answers of a sorted search while they are put in order; of sort.c and sort_walk.c. */
struct sort_entry {
    int64_t at, rid;
    struct sort_key *keys; /* one a sort */
};
struct sorting {
    struct ctx *cx;
    struct search *search;
    const struct query_sort *sorts;
    size_t sorts_count;
    bool as_rows;               /* equal keys stand as the rows of the index do, not by rid */
    struct sort_entry *entries; /* by rid while the keys are found; walked: the page and one more */
    size_t count;
};
int sort_compare(const void *left, const void *right, void *sorting);
/* Does the index stand in the order asked for? */
bool sort_walks(const struct sorting *sorting);
/* The page after `after` (NULL: the first) read where the index stands in order. *walked false: it
 * does not, or few of its rows are answers; nothing was found. */
err sort_walk(struct sorting *sorting, const struct sort_entry *after, bool *walked) MUST_USE;
extern const struct stmt walk_sql[];
/* Rows looked at before a walk is given up; tests change it. */
extern size_t sort_walk_most;
