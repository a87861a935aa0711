/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/client.h"

/*
 * grant: what a person allowed an app, from the authorization code to the last refresh.
 *
 * Source   RFC 6749 4.1 and 6; RFC 7636 (PKCE, S256 only); OAuth 2.0 Security BCP (RFC 9700) for
 *          rotation: a refresh token used twice ends its whole family, thief and owner alike.
 *          SMART "online_access": such a refresh works while its person is signed in here.
 * Units    minutes in names; UTC milliseconds.
 * Errors   ERR_INVALID (invalid_grant): unknown, used, expired, another client's, a wrong verifier
 *          or redirect: one text for all; invalid_scope: a refresh that asks for more. Neither that
 *          nor another app's try uses the refresh token up.
 * Limits   a consent lasts GRANT_REFRESH_MINUTES, however often it is renewed.
 */
enum {
    GRANT_CODE_MINUTES = 1, GRANT_ACCESS_MINUTES = 10, GRANT_SERVICE_MINUTES = 5,
    GRANT_REFRESH_MINUTES = 60 * 24 * 30
};
struct grant {
    str client, user, scopes, patient, encounter, nonce;
    str context;               /* further references of a launch, by spaces: "ImagingStudy/7" */
    str redirect, challenge;   /* of a code; challenge empty: an app that may do without PKCE */
    str narrower;              /* what this access token alone may do; empty: all of `scopes` */
    int64_t until_ms;          /* when the consent ends; 0: counted from now */
    str family;                /* binds every token that came of one consent */
};
struct grant_tokens {
    str access, refresh;       /* refresh not given unless offline_access was granted */
    int64_t expires_s;
};
err grant_code(struct ctx *cx, struct people *people, const struct grant *grant,
               str *code) MUST_USE;
/* Uses up the code; *out is what was granted. */
struct grant_claim {
    str code, client, redirect, verifier;
};
err grant_redeem(struct ctx *cx, struct people *people, const struct grant_claim *claim,
                 struct grant *out) MUST_USE;
/* Uses up the refresh token; reuse revokes the family. */
struct grant_renewal {
    str refresh, client;
    str scope;                 /* narrower than what was granted; empty: the same */
};
err grant_refresh(struct ctx *cx, struct people *people, const struct grant_renewal *ask,
                  struct grant *out) MUST_USE;
err grant_issue(struct ctx *cx, struct people *people, const struct grant *grant,
                struct grant_tokens *out) MUST_USE;
/* Which app a refresh token was given to; empty: it is unknown. */
err grant_holder(struct ctx *cx, struct people *people, str refresh, str *client) MUST_USE;
/* A token of either kind that was given to this app; another's, or none, changes nothing. */
err grant_revoke(struct ctx *cx, struct people *people, str client, str token) MUST_USE;
/* Ends everything that came of one consent. */
err grant_end(struct ctx *cx, struct people *people, const struct grant *of) MUST_USE;
/* What was on screen when the consent was given: encounter and context. */
err grant_context(struct ctx *cx, struct people *people, str family, struct grant *out) MUST_USE;
