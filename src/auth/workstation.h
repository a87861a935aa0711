/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/session.h"

/*
 * workstation: shared screens that know where they stand, and the badges that open and lock them.
 *
 * Source   staff-identity 4.2 (project's design, unconfirmed until a trust signs it). A badge is a
 *          second step, never the first: it opens again what a passkey, a code or the provider
 *          opened at a workstation within badge_grace. A bare card number (UID) is no proof.
 * Shapes   a workstation is registered by an administrator; its browser takes it with a code and
 *          keeps a cookie. A reader's agent says that a badge came, went or was tapped, with
 *          a bearer token of its own. A session goes with its person to the next workstation: the
 *          old browser's cookie is dead from that moment, the new one picks the session up.
 *          The patient on screen goes along only within WORKSTATION_KEEP_MS in the same area.
 * Units    UTC milliseconds.
 * Errors   ERR_LOGIN: unknown cookie, token or badge; ERR_FORBIDDEN: a badge alone is not enough,
 *          with what to do; ERR_INVALID, ERR_CONFLICT, ERR_NOT_FOUND from registering.
 * Memory   cx's arena.
 * Hazards  H-002 session left with the previous patient on screen.
 */
enum {
    WORKSTATION_KEEP_MS = 2 * 60000, WORKSTATION_READY_MS = 30000,
    WORKSTATION_GRACE_MS = 4 * 3600000, WORKSTATION_CODE_LETTERS = 10
};
struct workstation {
    str id, name, area;
    const struct zone *zone;
    bool claimed; /* a browser has taken it */
};
struct badge_kind {
    const char *name, *words;
    bool proves; /* the card proves itself by cryptography */
};
extern const struct badge_kind badge_kinds[]; /* ended by a zero row */

/* *code is what the browser is to enter, *reader the agent's token: both are shown once. */
err workstation_add(struct ctx *cx, struct people *people, const struct workstation *workstation,
                    str *code, str *reader) MUST_USE;
err workstation_list(struct ctx *cx, struct people *people, struct workstation **out,
                     size_t *count) MUST_USE;
err workstation_end(struct ctx *cx, struct people *people, str id) MUST_USE;
/* The browser that knows the code becomes the workstation. */
err workstation_claim(struct ctx *cx, struct people *people, str id, str code,
                      str *cookie) MUST_USE;
err workstation_find(struct ctx *cx, struct people *people, str cookie,
                     struct workstation *out) MUST_USE;

err badge_add(struct ctx *cx, struct people *people, str user, str badge, str kind) MUST_USE;
err badge_end(struct ctx *cx, struct people *people, str user) MUST_USE; /* all of theirs */

enum tap_event { TAP_IN, TAP_OUT, TAP_EITHER };
struct tap_result {
    struct workstation at;
    str left;            /* the workstation the session came from; empty: none, or the same */
    str user;            /* whose badge it was; empty: nobody's, or it went away */
    bool opened;         /* a session waits for the browser */
    bool locked;         /* one that was open is not any more */
};
struct tap_ask {
    str reader, badge;
    enum tap_event event;
    int64_t grace_ms;
};
err workstation_tap(struct ctx *cx, struct people *people, const struct tap_ask *ask,
                    struct tap_result *out) MUST_USE;
/* The browser of a workstation picks up what a tap opened; ERR_NOT_FOUND when nothing waits. */
err workstation_take(struct ctx *cx, struct people *people, str id, str *cookie, str *held)
    MUST_USE;
/* Who sits there, for the locked screen; display is empty when nobody does. */
struct workstation_sitter {
    str display;
    bool locked;
};
err workstation_sitter(struct ctx *cx, struct people *people, str id,
                       struct workstation_sitter *out) MUST_USE;
