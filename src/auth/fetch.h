/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * fetch: asks another server something over HTTP, within limits, and never more than was meant.
 *
 * Source   libcurl. OAuth 2.0 Security BCP (RFC 9700) for what not to follow.
 * Shapes   https alone, plain http on this machine's loopback; no redirects, no proxy, no cookies,
 *          no other protocols; certificates are verified.
 * Units    FETCH_CONNECT_MS to connect, FETCH_TOTAL_MS for all of it.
 * Errors   ERR_BUSY: no answer in time, or none at all; ERR_INVALID: an address that may not be
 *          asked, or an answer longer than FETCH_MAX_BYTES. Any HTTP status is an answer.
 * Memory   the answer is in cx's arena. Blocks: never on a loop's thread (ROUTE_SLOW).
 */
enum { FETCH_CONNECT_MS = 3000, FETCH_TOTAL_MS = 8000, FETCH_MAX_BYTES = 1 << 20 };
struct fetch_ask {
    str url;
    str form;    /* a POST of application/x-www-form-urlencoded; not given: a GET */
    str bearer;  /* may be empty */
};
struct fetch_answer {
    int status;
    str content_type, body;
};
void fetch_ready(void); /* once, before threads start */
err fetch(struct ctx *cx, const struct fetch_ask *ask, struct fetch_answer *out) MUST_USE;
/* https, or http on loopback; no user:password@. */
bool fetch_allowed(str url);
