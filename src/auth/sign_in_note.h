/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/gate.h"

/*
 * sign_in_note: who came in, who was not let in, and by which way, for the audit.
 *
 * Source   staff-identity 4.2: logins and failures are watched; obligations: who, when, where.
 * Shapes   one entry of the chain a try. `who` is the account, or the name somebody claimed.
 * Missing  no name claimed (a key nobody knows): "unknown". With --open there is no audit.
 * Errors   those of audit_note: no audit, no sign-in.
 * Hazards  H-010 access that nobody can trace.
 */
err sign_in_note(struct http_request *request, str who, const char *method, bool let_in) MUST_USE;
/* A step-up: who is signed in proved again who they are, or somebody there could not. */
err sign_in_note_again(struct http_request *request, str who, const char *method,
                       bool proved) MUST_USE;
/* A key that was not taken; one that was is a deed of its own (deed.h). */
err sign_in_note_enrol(struct http_request *request, str who) MUST_USE;
