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
    bool whole;             /* the page holds all matches */
    struct place last;      /* of the page's last match */
    int64_t began_seq;      /* the log's end when the first page was read */
    str next;               /* cursor of the next page; not given: none */
};
/* The request's query for one type, with its compartment. */
err search_query(struct ctx *cx, const struct search *search, uint16_t resource,
                 struct query *out) MUST_USE;
err search_add_entry(struct ctx *cx, struct search *search, enum search_mode mode,
                     int64_t rid) MUST_USE;
/* Sorted by something else than the order of the index. */
bool search_is_sorted(const struct search *search);
err search_sort(struct ctx *cx, struct search *search) MUST_USE;
/* Adds what the matches on the page refer to, or are referred to by. */
err search_include(struct ctx *cx, struct search *search) MUST_USE;
