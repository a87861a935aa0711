/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/grant.h"
#include "auth/jwt.h"
#include "http/http.h"
#include "http/reach.h"

/*
 * oauth: Frontline as the authorisation server of SMART apps and backend services.
 *
 * Source   SMART App Launch 2.2; RFC 6749, 7009 (revocation), 7523 (private_key_jwt),
 *          7591 (registration), 7636, 7662 (introspection), 8414, 9207 (iss in the answer).
 * Shapes   faults of these endpoints are OAuth's own {"error","error_description"}, not
 *          OperationOutcomes: that is what their clients read.
 * Errors   invalid_client 401; everything else 400. A redirect is followed only when it is exactly
 *          one the app registered; otherwise the fault is shown here and goes nowhere. What else is
 *          wrong with a request goes back to the app (RFC 6749 4.1.2.1).
 * Limits   an assertion lives at most OAUTH_ASSERTION_S seconds, OAUTH_SKEW_S more by a clock that
 *          is ahead, and is good once. OAUTH_REGISTERED_MAX apps register themselves. No parameter
 *          may come twice.
 */
enum { OAUTH_ASSERTION_S = 300, OAUTH_SKEW_S = 60, OAUTH_REGISTERED_MAX = 1000 };
struct oauth {
    struct people *people;
    struct jwt_keys *keys;
    bool registration;     /* anybody may register a public app */
    const struct reach *reach; /* private addresses apps may show their keys at */
};
extern const struct route oauth_routes[];

/* What an app asks at /auth/authorize, checked; for the page that asks the person. */
struct oauth_ask {
    struct client client;
    struct scope_set scopes;
    str scope_text, state, redirect, challenge, nonce;
    str launch;            /* the handle of an app begun within a record; or empty */
    const char *error;     /* what to tell the app at once: "invalid_scope"; NULL: ask the person */
    str why;
    bool silent;           /* prompt=none: nobody may be asked anything */
};
/* ERR_INVALID: a parameter of theirs, or a field of the consent's form, came twice. */
err oauth_check_single(struct ctx *cx, str query) MUST_USE;
/* An error before the redirect is known to be the app's: show the fault. */
err oauth_read_ask(struct http_request *request, str query, struct oauth_ask *out) MUST_USE;
/* The redirect back to the app with a code, or with an error ("access_denied"). */
err oauth_allow(struct http_request *request, const struct oauth_ask *ask,
                const struct grant *grant, str *location) MUST_USE;
/* `why` may be empty. */
str oauth_deny(struct http_request *request, const struct oauth_ask *ask, const char *error,
               str why);
