/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/standing.h"

/*
 * explain: why somebody may or may not do something to a resource, rule by rule: for the privacy
 * officer, and for whoever looks after roles.
 *
 * Shapes   the facts are gathered here, the decision is decide's own: what is explained is what
 *          happens. Screens and the API ask the same.
 * Missing  a resource that is not there cannot be decided: ERR_NOT_FOUND.
 * Errors   ERR_NOT_FOUND no such person or resource; ERR_INVALID not TYPE/ID, or no interaction.
 * Memory   cx's arena.
 */
struct explain_line {
    const char *rule;
    bool passed;
    str detail;
};
enum { EXPLAIN_LINES_MAX = 12 };
struct explain_answer {
    struct people_user user;
    str resource, interaction;
    struct explain_line lines[EXPLAIN_LINES_MAX];
    size_t lines_count;
    struct decide_answer decision;
    str verdict;            /* a sentence */
};
struct explain_ask {
    struct people *people;
    struct store *store;
    struct standings *standings;
    str user, resource, interaction; /* resource: "Patient/1"; interaction: "read" ... */
};
err explain(struct ctx *cx, const struct explain_ask *ask, struct explain_answer *out) MUST_USE;
str explain_json(struct ctx *cx, const struct explain_answer *answer);
str explain_text(struct ctx *cx, const struct explain_answer *answer);
