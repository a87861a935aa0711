/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/audit.h"

/*
 * audit_find: entries of the chain, newest first, for those who look after access.
 *
 * Shapes   filters are joined by AND; those not given let everything through. By patient the blocks
 *          come from audit_of, else the chain is read backwards.
 * Missing  entries of the last AUDIT_FLUSH_MS may not be on disk yet: audit_flush first.
 * Errors   ERR_BUSY when the request's time is over: ask for a shorter period, or one patient.
 * Limits   AUDIT_LOOK_MAX entries are looked at for one page; `more` then tells to go on after
 *          the last `n` looked at.
 * Memory   cx's arena; it needs a read connection (store_reader).
 */
enum { AUDIT_LOOK_MAX = 500000 };
struct audit_query {
    int64_t pid;               /* 0: any */
    str who, person, role, what, purpose; /* not given: any; `what` is the start of it */
    int64_t from_ms, until_ms; /* 0: any */
    int act, outcome;          /* -1: any */
    char action;               /* FHIR's C, R, U, D or E; 0: any */
    int64_t before_n;          /* 0: from the newest */
    size_t count;
};
struct audit_found {
    int64_t n;
    struct audit_entry entry;
};
struct audit_page {
    struct audit_found *list;
    size_t count;
    bool more;
    int64_t next_n;            /* before_n of the next page */
};
err audit_find(struct ctx *cx, const struct audit_query *query, struct audit_page *out) MUST_USE;
err audit_find_one(struct ctx *cx, int64_t n, struct audit_found *out) MUST_USE;
err audit_count(struct ctx *cx, const struct audit_query *query, int64_t *out) MUST_USE;

extern const struct stmt audit_find_sql[]; /* for the test of plans */
