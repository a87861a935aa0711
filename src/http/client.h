/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "http/reach.h"
#include <stdatomic.h>

/*
 * http_client: calls another machine over HTTP and waits for its answer. Nothing else here does.
 *
 * Source   libcurl. OWASP on server-side request forgery; RFC 9700 for what not to follow.
 * Shapes   whom to call is judged when the connection is made, by its address, so a name cannot
 *          change its mind between the look and the call. A machine somebody else named
 *          (HTTP_CALL_NAMED) is called at public addresses, or at those the operator lists, plain
 *          http at listed ones alone. One the operator configured (HTTP_CALL_CONFIGURED) is called
 *          where it is, plain http on this machine's loopback alone. No redirects, no proxy of the
 *          environment, no cookies; certificates are verified.
 * Errors   ERR_INVALID: no http or https URL, or one with a name and password; ERR_FORBIDDEN: the
 *          address is not one to be called; ERR_BUSY: no answer in time, or `stop` was set; ERR_IO:
 *          any other failure to connect or to read. An answer of any status is ERR_OK.
 * Memory   cx's arena. Limits: answers longer than answer_bytes are ERR_LIMIT. Blocks: never on a
 *          loop's thread.
 */
enum http_call_trust { HTTP_CALL_NAMED, HTTP_CALL_CONFIGURED };
struct http_call {
    const char *method;           /* "POST"; "GET" sends no body */
    str url, body, content_type;
    const struct http_param *headers;
    size_t headers_count;
    int64_t timeout_ms;
    size_t answer_bytes;
    enum http_call_trust trust;
    const struct reach *reach;    /* what the operator lists; NULL: nothing */
    const _Atomic bool *stop;     /* may be NULL */
};
struct http_answer {
    int status;
    str body, content_type;
};
void http_client_ready(void); /* once, before threads start */
err http_call(struct ctx *cx, const struct http_call *ask, struct http_answer *out) MUST_USE;
/* May the URL be one of a configured machine, by its look? https, or http on loopback. */
bool http_call_configured_url(str url);
