/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/access.h"
#include "store/snapshot.h"
#include "store/state.h"

/* search_run: one search while it runs, shared by search.c, sort.c and include.c. */
struct search {
    struct store *store;
    const struct search_request *request;
    struct search_page *page;
    struct query_source from;
    struct issues quiet;
    struct query query;     /* parsed for the request's type, or for none */
    uint16_t *types;        /* searched one after the other */
    size_t types_count, count, entries_cap;
    struct hits hits;       /* the page's matches */
    size_t matches_count;   /* on the page */
    bool whole;             /* the page holds all matches */
    struct place last;      /* of the page's last match */
    int64_t began_seq;      /* the log's end when the first page was read */
    str next;               /* cursor of the next page; not given: none */
};
/* count.c: all matches, on whatever page. */
err search_count(struct ctx *cx, struct search *search, int64_t *out) MUST_USE;
/* The request's query for one type, with its compartment. */
err search_query(struct ctx *cx, const struct search *search, uint16_t resource,
                 struct query *out) MUST_USE;
err search_add_entry(struct ctx *cx, struct search *search, enum search_mode mode,
                     int64_t rid) MUST_USE;
/* moved.c: answers in order, those that changed since the first page where they stood then. */
struct moved {
    struct plan *plan;
    struct stream *stream;
    struct snapshot snapshot;
    struct place *list; /* in the plan's order */
    size_t count, next;
};
err moved_find(struct ctx *cx, struct search *search, struct plan *plan,
               const struct place *after, struct moved *out) MUST_USE;
/* The stream's next answer that did not change; *any false at the end. */
err moved_next(struct ctx *cx, struct search *search, struct moved *moved, struct place *out,
               bool *any) MUST_USE;
/* Does the next one that changed stand before this one (NULL: the end)? */
bool moved_is_before(const struct moved *moved, const struct place *place);
/* Sorted by something else than the order of the index. */
bool search_is_sorted(const struct search *search);
err search_sort(struct ctx *cx, struct search *search) MUST_USE;
/* contained.c: answers that are within other resources, or those that hold them. */
err search_check_contained(struct ctx *cx, const struct search *search) MUST_USE;
bool search_is_within(const struct search *search); /* the page begins among them */
err search_contained(struct ctx *cx, struct search *search) MUST_USE;
err search_count_contained(struct ctx *cx, struct search *search, int64_t *out) MUST_USE;
/* Adds what the matches on the page refer to, or are referred to by. */
err search_include(struct ctx *cx, struct search *search) MUST_USE;
