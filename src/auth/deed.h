/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/audit_log.h"
#include "auth/people_sql.h"

/*
 * deed: what was done to accounts, sign-ins, keys, badges and apps, kept with the doing until the
 * audit has it.
 *
 * Source   obligations: who, what, when; staff-identity 4.2: sessions and keys have an end.
 * Shapes   a row of auth.db's table `deed`, written in the transaction of what it tells, by the
 *          server or by a command beside it. A thread of the server brings the rows into the
 *          audit's chain, and ends what nobody uses any more: sessions idle beyond their zone's
 *          limit or past the absolute end. So their end stands in the audit too, once.
 * Units    UTC milliseconds.
 * Missing  nobody named as the doer: the request's person, else "operator": whoever may write to
 *          the data folder. A server with --open has no audit: the rows wait for one that has.
 * Errors   those of the database: then what was to be told is not done either.
 * Limits   in the chain DEED_CARRY_MS after the doing at most; DEED_SWEEP_MS for an idle end. A
 *          crash between chain and auth.db brings a row twice, with the same request "deed-N".
 * Memory   program; deeds_stop carries what waits and joins the thread.
 * Hazards  H-010 access that nobody can trace; H-002 session left open.
 */
enum { DEED_CARRY_MS = 500, DEED_SWEEP_MS = 2000 };

struct deed {
    str who;            /* whose account or session it is; "client:ID" for an app */
    str by;             /* who did it; absent: see Missing. Their sessions' ends are their own */
    enum audit_act act; /* AUDIT_SIGN_OUT or AUDIT_ACCOUNT */
    str what;           /* "/sign-out: idle" */
};
extern const char deed_schema[];
extern const struct stmt deed_sql[]; /* for the test of plans */

/* In the caller's transaction, between people_write and people_done. */
err deed_note(struct ctx *cx, struct db *db, const struct deed *deed) MUST_USE;
/* Runs a statement that ends or locks sessions and returns their people: a deed for each. How many
 * they were goes to *sessions, which may be NULL. */
err deed_sessions(struct ctx *cx, struct db *db, struct db_stmt *stmt, const char *what,
                  size_t *sessions) MUST_USE;
/* A deed by itself. */
err deed_tell(struct ctx *cx, struct people *people, const struct deed *deed) MUST_USE;

struct deeds;
err deeds_start(struct ctx *cx, struct people *people, struct audit_log *log,
                struct deeds **out) MUST_USE;
void deeds_stop(struct deeds *deeds);
/* Locks or ends what is over at cx->now_ms. */
err deeds_sweep(struct ctx *cx, struct people *people) MUST_USE;
