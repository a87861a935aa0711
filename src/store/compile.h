/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/plan.h"

/* compile: one criterion to the postings that hold its answers. Unknown codes and ids have none. */
struct compile {
    struct ctx *cx;
    struct store *store;
    const struct index_layout *layout;
    const struct query *query;
};
err compile_clause(const struct compile *on, const struct query_criterion *criterion,
                   struct clause *out) MUST_USE;

/* The cids of a token; a system without code, and a code without system, may have many. */
struct cids {
    int64_t *list;
    size_t count, cap;
};
err compile_cids(struct ctx *cx, const struct layout_slot *slot, const struct query_value *value,
                 struct cids *out) MUST_USE;
err compile_rid(struct ctx *cx, uint16_t resource, str id, int64_t *rid) MUST_USE; /* 0: unknown */
/* A code criterion beside a quantity's that says what its numbers may be about. NULL: none. */
const struct query_criterion *compile_code_beside(const struct index_layout *layout,
                                                  const struct query *query, uint16_t slot);
/* The rids a query matches, at most `most`; ERR_LIMIT when there are more. Sorted. */
err compile_matches(const struct compile *on, const struct query *query, size_t most,
                    struct hits *out) MUST_USE;
err compile_chain(const struct compile *on, struct clause *clause) MUST_USE;
/* Up to so many inner answers are listed; beyond, links are asked of each hit. Tests change it. */
extern size_t chain_listed_most;
/* _list: what the List names. _filter: its sets joined. */
err compile_list(const struct compile *on, struct clause *clause) MUST_USE;
err compile_filter(const struct compile *on, struct clause *clause) MUST_USE;
err compile_has(const struct compile *on, struct clause *clause) MUST_USE;
void clause_add(struct ctx *cx, struct clause *clause, struct posting posting);
extern const struct stmt compile_sql[];
