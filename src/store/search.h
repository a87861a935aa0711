/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"

/*
 * search: FHIR search over the index tables.
 *
 * Source   hl7.org/fhir/R4/search.html.
 * Shapes   a query is parsed against the definitions, planned, and run one page at a time; pages
 *          are keyset cursors that never expire.
 * Errors   ERR_INVALID names the unknown or misspelt parameter, modifier, prefix or sort key
 *          (lenient: a warning in `warnings` and the parameter is left out); ERR_LIMIT too costly,
 *          before it runs.
 */
enum search_mode { SEARCH_MATCH, SEARCH_INCLUDE, SEARCH_OUTCOME };
enum search_total { SEARCH_TOTAL_NONE, SEARCH_TOTAL_ESTIMATE, SEARCH_TOTAL_ACCURATE };
enum search_summary { SEARCH_FULL, SEARCH_SUMMARY_TRUE, SEARCH_SUMMARY_TEXT, SEARCH_SUMMARY_DATA,
                      SEARCH_SUMMARY_COUNT };

struct search_request {
    uint16_t resource;          /* FHIR_NONE: the whole system (_type narrows it) */
    str query;                  /* as sent, percent-encoded, without '?' */
    str compartment, compartment_id; /* "Patient", "123"; not given: none */
    bool lenient;
    size_t count_default, count_max;
};
struct search_entry {
    enum search_mode mode;
    struct store_version version;
    str contained, contained_id; /* the answer is this resource within; not given: the whole */
};
struct search_page {
    struct search_entry *entries;
    size_t entries_count;
    bool has_total, estimated;   /* estimated: total is a guess, and a note says so */
    int64_t total;
    enum search_summary summary;
    str elements;                /* _elements as sent */
    str self_query, next_query;  /* next not given: last page */
    struct issues warnings;
};
err search_run(struct ctx *cx, struct store *store, const struct search_request *request,
               struct search_page *out) MUST_USE;

/* The rids that match a condition, at most `max`: for conditional operations. Control parameters
 * are refused. Works on any connection, the writer's too (it sees its own uncommitted rows). */
struct search_rids {
    int64_t *rids; /* room for max */
    size_t max, count;
};
err search_condition(struct ctx *cx, struct store *store, uint16_t resource, str query,
                     struct search_rids *out) MUST_USE;

/* One resource in hand, any version of it, held to a query: what a search would say, had the record
 * this version. Chains, _has, _list and _filter are asked of the record as it is now. */
struct search_body {
    uint16_t resource;
    str id;
    int64_t at_ms;      /* _lastUpdated */
    struct json body;
};
err search_body_matches(struct ctx *cx, struct store *store, const struct search_body *on,
                        str query, bool *out) MUST_USE;
/* Only whether the query could be asked; ERR_INVALID. */
err search_body_check(struct ctx *cx, struct store *store, uint16_t resource, str query) MUST_USE;
