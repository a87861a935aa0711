/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "http/reach.h"
#include <stdatomic.h>

/*
 * http_client: calls another machine over HTTP and waits for its answer.
 *
 * Source   libcurl. Redirects are not followed, no proxy of the environment is asked, and the
 *          address is judged when the connection is made, so a name cannot change its mind.
 * Errors   ERR_INVALID: no http or https URL; ERR_FORBIDDEN: the address is not one to be called
 *          (http/reach.h), or plain http to one the operator has not listed; ERR_BUSY: no answer in
 *          time, or `stop` was set; ERR_IO: any other failure to connect or to read. An answer of
 *          any status is ERR_OK.
 * Memory   cx's arena. Limits: answers longer than answer_bytes are ERR_LIMIT. Blocks: never on a
 *          loop's thread.
 */
struct http_call {
    const char *method;           /* "POST" */
    str url, body, content_type;
    const struct http_param *headers;
    size_t headers_count;
    int64_t timeout_ms;
    size_t answer_bytes;
    const struct reach *reach;
    const _Atomic bool *stop;     /* may be NULL */
};
struct http_answer {
    int status;
    str body;
};
err http_call(struct ctx *cx, const struct http_call *ask, struct http_answer *out) MUST_USE;
