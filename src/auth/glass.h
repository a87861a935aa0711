/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/audit_log.h"

/*
 * glass: emergency access. Somebody who treats a patient they have no recorded relationship with
 * says why, proves again who they are, and may see that one patient for at most an hour.
 *
 * Source   staff-identity 4.2: reason (coded and in words), legal basis, time-boxed <= 1 h, patient
 *          scope only, privacy officer alerted at once, daily review, visible to the patient.
 *          purposeOfEvent BTG of v3-ActReason [U].
 * Shapes   a row of `glass` in the record's own file, written in one transaction with its audit
 *          entry; the worklist is the rows nobody has reviewed.
 * Units    minutes in names; UTC milliseconds.
 * Missing  no row, no access: there is no way to break the glass without saying why.
 * Errors   ERR_FORBIDDEN: the role may not; ERR_INVALID: reason, basis or words missing, or a time
 *          beyond GLASS_MINUTES_MAX; ERR_NOT_FOUND: no such patient or row; ERR_CONFLICT: reviewed
 *          already, or by the one whose access it was.
 * Memory   cx's arena.
 * Hazards  H-001 record opened by somebody with no business in it; H-221 record closed in an
 *          emergency.
 */
enum { GLASS_MINUTES_MAX = 60, GLASS_WORDS_MIN = 10, GLASS_WORDS_MAX = 1000, GLASS_LIST_MAX = 500,
       GLASS_REVIEW_HOURS = 24 };

struct glass_choice {
    const char *code, *text;
};
extern const struct glass_choice glass_reasons[], glass_bases[], glass_outcomes[]; /* ended by 0 */
const char *glass_text(const struct glass_choice *choices, str code); /* NULL: no such code */

struct glass_row {
    int64_t id, pid;
    str user, role, person;
    str reason, words, basis;  /* codes but the words */
    int64_t begun_ms, until_ms;
    str outcome, reviewer, review; /* empty until reviewed */
    int64_t reviewed_ms;
};
extern const struct stmt glass_sql[]; /* for the test of plans */
err glass_open(struct ctx *cx, struct store *store) MUST_USE; /* makes its table; once */

struct glass_ask {
    const struct user *user;
    int64_t pid;
    str patient;              /* its id */
    str reason, words, basis;
    int64_t minutes;
};
err glass_break(struct ctx *cx, struct store *store, const struct glass_ask *ask,
                int64_t *id) MUST_USE;
/* Has this record a table of them? One that was never served with sign-in has none. */
bool glass_kept(struct ctx *cx, struct store *store);
/* The patients whose glass this user has broken and whose time is not over; ascending. */
err glass_live(struct ctx *cx, struct store *store, str user, int64_t **pids,
               size_t *count) MUST_USE;
/* Newest first; `open_only`: not reviewed yet, oldest first. pid 0: of every patient. */
struct glass_list {
    struct glass_row *rows;
    size_t count;
};
err glass_find(struct ctx *cx, struct store *store, bool open_only, int64_t pid,
               struct glass_list *out) MUST_USE;
err glass_find_one(struct ctx *cx, struct store *store, int64_t id, struct glass_row *out) MUST_USE;

struct glass_review {
    const struct user *user;
    int64_t id;
    str outcome, words;
};
err glass_review(struct ctx *cx, struct store *store, const struct glass_review *review) MUST_USE;
/* Ends it before its time. Only the one whose access it is. */
err glass_end(struct ctx *cx, struct store *store, const struct user *user, int64_t pid) MUST_USE;
