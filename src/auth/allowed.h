/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/grant.h"

/*
 * allowed: the apps a person allowed to act in their name, for themselves to see and to end.
 *
 * Source   OWASP ASVS 5.0, 10.7.3: a person reviews and revokes consents; SMART App Launch 2.2.
 * Shapes   one row a consent, as long as a token or a refresh token of it holds.
 * Errors   ERR_NOT_FOUND: no consent of this person has that id; somebody else's is told so, too.
 * Memory   cx's arena. An ended consent opens nothing from the next request on.
 */
enum { ALLOWED_MAX = 200 };
struct allowed_app {
    str id, client, name;   /* name: what the consent page called it; or empty */
    str scopes, patient;    /* patient: id of the one it was allowed for; or empty */
    int64_t since_ms, until_ms;
    bool keeps;             /* it may go on without its person */
};
err allowed_list(struct ctx *cx, struct people *people, str user, struct allowed_app **out,
                 size_t *count) MUST_USE;
err allowed_end(struct ctx *cx, struct people *people, str user, str id) MUST_USE;
