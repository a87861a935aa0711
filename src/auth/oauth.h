/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/grant.h"
#include "auth/jwt.h"
#include "http/http.h"

/*
 * oauth: Frontline as the authorisation server of SMART apps and backend services.
 *
 * Source   SMART App Launch 2.2; RFC 6749, 7009 (revocation), 7523 (private_key_jwt),
 *          7591 (registration), 7636, 7662 (introspection), 8414, 9207 (iss in the answer).
 * Shapes   faults of these endpoints are OAuth's own {"error","error_description"}, not
 *          OperationOutcomes: that is what their clients read.
 * Errors   invalid_client 401; everything else 400. A redirect is followed only when it is exactly
 *          one the app registered; otherwise the fault is shown here and goes nowhere.
 * Limits   an assertion lives at most OAUTH_ASSERTION_S seconds and is good once.
 */
enum { OAUTH_ASSERTION_S = 300 };
struct oauth {
    struct people *people;
    struct jwt_keys *keys;
    bool registration;     /* anybody may register a public app */
};
extern const struct route oauth_routes[];

/* What an app asks at /auth/authorize, checked; for the page that asks the person. */
struct oauth_ask {
    struct client client;
    struct scope_set scopes;
    str scope_text, state, redirect, challenge, nonce;
    str launch;            /* the handle of an app begun within a record; or empty */
};
/* ERR_INVALID before the redirect is known to be the app's: show the fault. */
err oauth_read_ask(struct http_request *request, str query, struct oauth_ask *out) MUST_USE;
/* The redirect back to the app with a code, or with an error ("access_denied"). */
err oauth_allow(struct http_request *request, const struct oauth_ask *ask,
                const struct grant *grant, str *location) MUST_USE;
str oauth_deny(struct http_request *request, const struct oauth_ask *ask, const char *error);
