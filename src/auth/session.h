/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"
#include "auth/zone.h"

/*
 * session: a person at Frontline's own screens, from sign-in to sign-out, and the one-time codes
 * that let somebody in for the first time.
 *
 * Source   staff-identity 4.2: idle lock by zone, absolute end of shift 12 h; patients 30 min idle.
 *          At a registered workstation the zone's row says when an idle session locks (zone.h); a
 *          locked one is no session until a badge tap or a sign-in opens it again.
 * Shapes   the cookie holds 32 random bytes; only their hash is kept. A session is made anew at
 *          every sign-in, so one planted beforehand is worth nothing. `csrf` must come back with
 *          each form.
 * Units    UTC milliseconds.
 * Errors   ERR_LOGIN: unknown, ended, idle too long, or past its absolute end; wrong or used code;
 *          ERR_BUSY: too many wrong codes for this name from this address: wait a minute.
 * Limits   SESSION_TRIES_MAX wrong codes a name and address in a minute; other addresses and other
 *          names are not held up by it, so nobody can lock out a ward.
 * Hazards  H-002 session left with the previous patient on screen.
 */
enum {
    SESSION_IDLE_STAFF_MS = 5 * 60000, SESSION_IDLE_PATIENT_MS = 30 * 60000,
    SESSION_FRESH_MS = 5 * 60000,
    SESSION_ABSOLUTE_MS = 12 * 3600000, SESSION_TRIES_MAX = 10, SESSION_TRIES_WINDOW_MS = 60000
};
struct session {
    struct people_user user;
    str csrf;
    str method;              /* "passkey", "code", "openid", "demo": how they signed in */
    int64_t begun_ms, seen_ms, stepped_up_ms; /* stepped_up_ms: last full sign-in or step-up */
    int64_t locked_ms;       /* 0: open. session_find never gives a locked one */
    str place, area;         /* the registered workstation it is at; empty: elsewhere */
    const struct zone *zone; /* of that workstation, else NULL */
    str held;                /* id of the patient on screen when it was last told; or empty */
    str acting;              /* RelatedPerson id they act through for somebody else; or empty */
};

struct session_start {
    str user, method;
    str place;               /* id of the workstation; empty: none */
};

/* A code for one sign-in by `user`, good for `minutes`; ERR_NOT_FOUND without such a person. */
err session_code(struct ctx *cx, struct people *people, str user, int64_t minutes,
                 str *code) MUST_USE;
/* Uses up the code and begins a session. `address` is where the person sits, for the limit. */
err session_begin_by_code(struct ctx *cx, struct people *people, str user, str code, str address,
                          str *cookie) MUST_USE;
/* Uses up the code and no more: for a step-up. */
err session_use_code(struct ctx *cx, struct people *people, str user, str code,
                     str address) MUST_USE;
/* Begins a session for somebody whose sign-in was proved elsewhere (passkey, OpenID). */
err session_begin(struct ctx *cx, struct people *people, str user, str method,
                  str *cookie) MUST_USE;
/* The same at a registered workstation; whoever else had a session open there is locked. */
err session_begin_at(struct ctx *cx, struct people *people, const struct session_start *start,
                     str *cookie) MUST_USE;
/* The live session of a cookie; marks it as seen. */
err session_find(struct ctx *cx, struct people *people, str cookie, struct session *out) MUST_USE;
/* `why` stands in the audit: "/sign-out: by its person". */
err session_end(struct ctx *cx, struct people *people, str cookie, const char *why) MUST_USE;

/* They have just proved who they are again; ERR_FORBIDDEN when it was somebody else. */
err session_step_up(struct ctx *cx, struct people *people, str cookie, str user) MUST_USE;
/* A full sign-in or step-up within SESSION_FRESH_MS: what sensitive acts ask. */
bool session_is_fresh(const struct session *session, int64_t now_ms);
err session_lock(struct ctx *cx, struct people *people, str cookie) MUST_USE;
/* Which patient is on screen, so that a move to another workstation may keep or clear it. */
err session_hold(struct ctx *cx, struct people *people, str cookie, str patient) MUST_USE;
/* From now on the session acts through this RelatedPerson; empty: for its own person. */
err session_act(struct ctx *cx, struct people *people, str cookie, str related) MUST_USE;
/* Idle or open for too long, or its person disabled. */
bool session_is_over(const struct session *session, int64_t now_ms);
/* Is the session of this hash there and not locked? Looking does not count as use. */
bool session_stands(struct ctx *cx, struct people *people, str hash);
/* Ends every session of a person, wherever they are. */
err session_end_all(struct ctx *cx, struct people *people, str user, const char *why) MUST_USE;
