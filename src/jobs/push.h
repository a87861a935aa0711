/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "http/http.h"

/*
 * push: tells subscribers over websockets and event streams, which they opened themselves.
 *
 * Source   Subscriptions R5 Backport, channels: $get-ws-binding-token and "bind-with-token";
 *          RFC 6455 (by libwslay); server-sent events, html.spec.whatwg.org 9.2.
 * Shapes   each listener has a place in the numbered events of one subscription and at most one
 *          notification waiting to be read: however slow it is, it costs the same memory. An event
 *          stream's ids are event numbers; Last-Event-ID resumes after one. A websocket begins
 *          with what comes after it was bound; what came before is asked for by $events.
 * Units    PUSH_BEAT_MS between signs of life; PUSH_TOKEN_MS a token may be used.
 * Errors   ERR_BUSY: streams_max are open, or too many tokens are.
 * Memory   program; push_stop ends what is open and joins the thread.
 */
enum { PUSH_BEAT_MS = 10000, PUSH_TOKEN_MS = 300000, PUSH_BOUND_MAX = 32, PUSH_TOKENS_MAX = 512 };
struct push;
struct gate;
struct audit_log;
struct push_options {
    struct store *store;
    struct gate *gate;
    struct audit_log *audit;
    str base;
    int streams_max;
};
err push_start(struct ctx *cx, const struct push_options *options, struct push **out) MUST_USE;
void push_stop(struct push *push);  /* while the HTTP server still runs, or after it */
void push_free(struct push *push);  /* after http_stop */
void push_wake(struct push *push, str subscription); /* it has new events. Any thread */
void push_end(struct push *push, str subscription);  /* it is not active any more. Any thread */

/* A text that binds a websocket to these subscriptions, once and soon. */
struct push_token {
    str ids[PUSH_BOUND_MAX];
    size_t ids_count;
    str text;            /* out */
    int64_t expires_ms;  /* out */
};
err push_token(struct ctx *cx, struct push *push, struct push_token *token) MUST_USE;
/* Answers with the event stream of an active subscription the asker may listen to. */
err push_stream(struct push *push, struct http_request *request, struct http_response *response,
                str subscription) MUST_USE;
/* Answers with 101; the socket is push's from then on. */
err push_socket(struct push *push, struct http_request *request,
                struct http_response *response) MUST_USE;
