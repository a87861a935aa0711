/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/workstation.h"
#include "ui/components.h"

/*
 * lock: what a shared workstation's screen and its badge reader talk to.
 *
 * Source   auth/workstation.h. docs/howto/sign-in.md has the reader agent's side.
 * Shapes   POST /auth/tap {"badge","event":"in|out|tap"} with a reader's bearer token: the screen
 *          hears of it by /workstation/events at once, and asks /workstation/state before it
 *          believes that it is still open. /workstation/resume asks whether the patient who was on
 *          the last screen is still the one.
 * Hazards  H-002 session left with the previous patient on screen.
 */
struct lock_claim {
    struct ui_page page;
    struct ui_field id, code;
    str fault, name; /* name: what this browser is already; or empty */
};
struct lock_resume {
    struct ui_page page;
    struct ctx *cx;
    struct ui_patient patient;
    str next;
};
/* The workstation this browser is; ERR_LOGIN when it is none. */
err lock_workstation(struct http_request *request, struct workstation *out) MUST_USE;
/* Picks up what a tap opened here: sets the cookie and where to go on; ERR_NOT_FOUND: nothing. */
err lock_take(struct http_request *request, struct http_response *response, str next) MUST_USE;
/* Begins a session here or, on a registered workstation, at it. */
err lock_begin(struct http_request *request, str user, str method, str *cookie) MUST_USE;

extern const struct route lock_routes[];
