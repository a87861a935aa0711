/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/jwt.h"
#include "auth/people.h"

/*
 * provider: an OpenID provider elsewhere that says who a person is.
 *
 * Source   OpenID Connect Core 1.0 (code flow; 3.1.3.7 for what is checked of an ID token) and
 *          Discovery 1.0; RFC 7636 PKCE S256; RFC 7523 private_key_jwt; RFC 9207 iss in the
 *          answer; RFC 9700. staff-identity 4.1 and patient-app 1.1 for what our two providers add.
 * Shapes   a person goes away by provider_begin and comes back to provider_finish: state is used
 *          once, within PROVIDER_TRIP_MS, by the browser that left. The provider's metadata and
 *          keys are kept PROVIDER_KEEP_MS for those who come back; nobody is sent to one that was
 *          not seen alive within PROVIDER_SEEN_MS. A key id not among them makes them be fetched
 *          again, at most every PROVIDER_AGAIN_MS.
 * Units    seconds where the standard's claims are; else UTC milliseconds.
 * Errors   ERR_LOGIN: the answer is not to be believed, or the person said no, with the reason;
 *          ERR_BUSY: the provider does not answer; ERR_INVALID: it is not what it should be.
 * Memory   a provider lives as long as the program; the rest is in cx's arena. Thread-safe.
 *          provider_begin and _finish block on the network: ROUTE_SLOW.
 * Hazards  H-202 a sign-in at the provider is believed that was not this person's, now.
 */
enum {
    PROVIDER_TRIP_MS = 10 * 60000, PROVIDER_KEEP_MS = 3600000, PROVIDER_AGAIN_MS = 5000,
    PROVIDER_SEEN_MS = 60000, PROVIDER_SKEW_S = 60
};
struct provider_options {
    str door;        /* "staff" or "patients": where people come back to */
    str name;        /* what people call it */
    str issuer, client_id, scopes;
    str assertion_alg; /* how we sign for it: RS256, RS384 or RS512 */
};
struct provider;
struct provider *provider_make(struct ctx *cx, const struct provider_options *options,
                               struct jwt_keys *keys);
void provider_close(struct provider *provider);
const struct provider_options *provider_options(const struct provider *provider);

struct provider_leave {
    str next, wanted;     /* kept for the return; `wanted` is the caller's own word */
    str redirect;         /* our address the provider sends them back to */
    str acr_values, vtr;  /* how surely they must be known; either may be empty */
    int64_t max_age_s;    /* 0: not asked */
    bool login_again;     /* prompt=login */
    str browser;          /* what the browser holds in a cookie, from provider_browser */
};
str provider_browser(struct ctx *cx);
err provider_begin(struct ctx *cx, struct people *people, struct provider *provider,
                   const struct provider_leave *leave, str *location) MUST_USE;

struct provider_back {
    str query;            /* what the browser came back with */
    str browser, redirect;
};
struct provider_person {
    str sub, next, wanted;
    str claims, userinfo; /* JSON objects; userinfo's sub is the ID token's */
};
err provider_finish(struct ctx *cx, struct people *people, struct provider *provider,
                    const struct provider_back *back, struct provider_person *out) MUST_USE;
/* The ID token's auth_time is there and not older; ERR_LOGIN. */
err provider_check_age(struct ctx *cx, const struct provider_person *person,
                       int64_t max_age_s) MUST_USE;
