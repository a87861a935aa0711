/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/session.h"

/*
 * step_up: acts for which being signed in is not enough: the person proves again who they are.
 *
 * Source   staff-identity 4.2: step-up on prescribing of controlled drugs, break-glass, redaction
 *          change, role change, export, PGD authorisation; freshness <= 5 min. RFC 9470 for the
 *          challenge to apps.
 * Shapes   the acts are dated rows. What counts as proof is session.h's affair: a full sign-in, or
 *          session_step_up (a passkey, the OpenID provider, a one-time code). An app's token is as
 *          fresh as it is young.
 * Missing  an act that no row names needs no step-up.
 * Errors   ERR_FORBIDDEN with how to prove it.
 * Memory   static, read-only. Thread-safe.
 */
struct step_up_row {
    const char *act, *title;
    int minutes;            /* how fresh the proof must be */
    const char *from, *source;
};
extern const struct step_up_row step_up_rows[]; /* ended by a zero row */
const struct step_up_row *step_up_find(const char *act);
/* Was the last proof, at proved_ms, recent enough for the act? */
bool step_up_is_fresh(const char *act, int64_t proved_ms, int64_t now_ms);
err step_up_refuse(struct ctx *cx, const char *act);
