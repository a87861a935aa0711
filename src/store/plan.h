/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/match.h"

/*
 * plan: a query's criteria as ranges of the index, each with what it costs, and which drives.
 *
 * Shapes   a clause is one criterion: the union of its postings, or all but them. One clause drives
 *          and is read in order; the others are asked about each of its hits: a probe of a token or
 *          reference, a look at the clinical date, a search in a collected set, or, where none of
 *          these says enough, the resource's own rows taken from its body.
 */
struct clause {
    const struct query_criterion *criterion;
    struct posting *postings;
    size_t count, cap;
    bool negate;        /* all but the postings' resources */
    bool ordered;       /* postings are tokens, references or texts, not too many: read in order */
    bool exact;         /* the postings say it all; else each hit is verified */
    bool by_seq;        /* _lastUpdated: stretches of the log, that can be probed */
    bool verify_only;   /* no posting helps: every resource is looked at */
    bool dated;         /* tells by the clinical date alone, for all but periods */
    bool opaque;        /* a resource's own rows cannot tell */
    bool collected;
    const struct query_criterion *implies; /* what matches this matches that, too */
    struct plan *inner; /* chain or _has over too many to list: asked of each hit */
    int64_t spent;      /* on asking about hits one by one, in rows of an index */
    int64_t next_try;   /* when as much: can its rows be read instead? */
    int64_t estimate;   /* rows, up to PLAN_ESTIMATE_MOST + 1 */
    bool estimated;
    struct hits listed; /* a chain's inner answers, by rid */
    bool listed_patients;
    struct hits set;    /* collected: sorted in the plan's order; or, of many, */
    struct marks marks;
};
enum { PLAN_STREAMS_MOST = 4000, PLAN_MANY = 64, PLAN_ESTIMATE_MOST = 2000 };
/* Where one way of answering ends and another begins, with the same answers; tests move them. */
struct plan_limits {
    size_t probes;       /* postings asked of each hit, before their rows are read instead */
    size_t texts;        /* different texts of a range, before it is read as one */
    int64_t first_try;   /* spent on hits one by one, before the rows are tried instead */
    int64_t few;         /* rows that are gathered and sorted, before an index is walked */
};
extern struct plan_limits plan_limits;

struct plan {
    const struct query *query;
    const struct index_layout *layout;
    struct clause *clauses;
    size_t clauses_count;
    struct clause *driver;      /* NULL: every resource of the type */
    enum hit_order order;
    bool nothing;               /* some clause can match nothing */
    struct posting *hidden;     /* labels the asker must not see: tokens of meta.security */
    size_t hidden_count, hidden_firm; /* those first that no emergency lifts */
    bool dated_driver;          /* driver NULL: read by clinical date */
    bool whole;                 /* all answers are read, in whatever order */
    bool repeats;               /* ORDER_INDEX: a resource may have several rows in the driver */
    int64_t at_min, at_max;     /* clinical dates outside are of no use to the driver */
};
struct store;
/* Does the hit refer to one of those listed? *known false: only its postings can tell. (link.c) */
err link_listed(struct ctx *cx, const struct index_layout *layout, const struct clause *clause,
                const struct hit *hit, bool *known, bool *out) MUST_USE;
/* Does what the hit refers to, or what refers to it, answer the clause's inner query? */
err link_accepts(struct ctx *cx, struct store *store, const struct index_layout *layout,
                 struct clause *clause, const struct hit *hit, bool *out) MUST_USE;
err plan_make(struct ctx *cx, struct store *store, const struct index_layout *layout,
              const struct query *query, struct plan *out) MUST_USE;
/* The rows of a resource, from its body; absent when it is deleted or not to be seen. */
err plan_rows(struct ctx *cx, struct store *store, const struct index_layout *layout, int64_t rid,
              struct index_rows *out, bool *found) MUST_USE;
/* Does any element of the resource answer all components of a composite at once? (composite.c) */
err plan_near(struct ctx *cx, const struct query_criterion *criterion, struct json body,
              bool *out) MUST_USE;
err plan_composite(struct ctx *cx, const struct index_layout *layout,
                   const struct query_criterion *criterion, struct json body, bool *out) MUST_USE;
err plan_body(struct ctx *cx, struct store *store, int64_t rid, struct json *out,
              bool *found) MUST_USE;
/* The exact answer for one resource, from its body. */
err plan_verify(struct ctx *cx, const struct index_layout *layout,
                const struct query_criterion *criterion, struct json body, bool *out) MUST_USE;
/* Is the driver's hit an answer? */
err plan_accepts(struct ctx *cx, struct store *store, struct plan *plan, const struct hit *hit,
                 bool *out) MUST_USE;
/* Where a page ends and the next goes on. */
struct place {
    struct hit hit;
    struct index_key key; /* ORDER_INDEX */
};
/* The driver's hits from the one after `after` (NULL: the first). */
err plan_stream(struct ctx *cx, const struct plan *plan, const struct place *after,
                struct stream *out) MUST_USE;
/* plan_date.c: clinical dates the driver need not go beyond, by one dated criterion more. */
err plan_bound_dates(struct ctx *cx, struct plan *plan, const struct clause *clause) MUST_USE;
/* Every resource of the type by clinical date, of those the driver asks for, then the undated. */
void plan_stream_dates(struct ctx *cx, const struct plan *plan, const struct hit *after,
                       struct stream *out);
/* Does its driver hold no more than plan_limits.few rows? */
err plan_is_small(struct ctx *cx, struct plan *plan, bool *out) MUST_USE;
/* For those who read all answers and not a page: never in the order of a range. */
void plan_whole(struct plan *plan);
/* ORDER_INDEX: where a resource with these rows stands first; *any false: nowhere. */
err plan_first_key(struct ctx *cx, const struct plan *plan, const struct index_rows *rows,
                   int64_t rid, struct index_key *out, bool *any) MUST_USE;
/* ORDER_INDEX: is this row the first of its resource in the driver's ranges? (first.c) */
err plan_is_first(struct ctx *cx, struct store *store, const struct plan *plan,
                  const struct index_key *key, bool *out) MUST_USE;
