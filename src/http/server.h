/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * http_server: listens, and runs the routes on one loop thread a core and a few workers.
 *
 * Errors   ERR_IO: the address cannot be listened on (the issue says why). ERR_BUG: two routes are
 *          equal, or a pattern is malformed.
 * Limits   every number of struct http_limits; 0 is not "unlimited" but refused by main/config.
 * Memory   http_start copies nothing: tables and options live as long as the server.
 */
struct http_limits {
    size_t url_bytes;       /* longer: 414 */
    size_t header_bytes;    /* all header lines of one request together; more: 431 */
    size_t body_bytes;      /* one body; more: 413 */
    size_t bodies_bytes;    /* bodies being received, all together; more: 503 */
    size_t memory_bytes;    /* the arena of one request; more: 413 */
    int connections_max;    /* more: 503 and closed */
    int idle_s;             /* a connection that completes no request in this time is closed */
    int work_ms;            /* what one request may work; then 503 */
    int queue_max;          /* requests waiting for a worker; more: 503 */
    int loops, workers;     /* threads */
};

struct http_options {
    str address;            /* "127.0.0.1" or "::1" */
    int port;               /* 0: any free one */
    struct http_limits limits;
    const struct route *const *tables; /* route tables, each ended by a zero row; ended by NULL */
    struct store *store;
    struct live *live;
    /* Decides who may, before the body is read; request->route is set. NULL: everyone. */
    http_handler *gate;
    void *gate_self;        /* request->gate_self */
    /* The answer is ready and nothing of it was sent: what it returns but ERR_OK is sent instead.
     * For the audit. NULL: nothing. */
    http_handler *done;
    /* Settles the ticket of a held answer; what it returns but ERR_OK is sent instead. Called on
     * the loop's thread, after all that the loop had to answer in that turn. */
    err (*settle)(struct http_request *request, uint64_t ticket);
    /* Renders a fault in another form (a page, say); NULL: OperationOutcome as JSON. */
    void (*fault)(struct http_request *request, struct http_response *response, err kind);
    str base_url;           /* not given: from Host */
    /* Below these paths a parameter may come several times; ended by NULL. Elsewhere one that comes
     * twice, in the query or a form, is refused, not picked from. */
    const char *const *repeats;
    bool trust_proxy;       /* believe X-Forwarded-Proto and X-Forwarded-Host */
    bool log_requests;      /* one line each on standard error */
};

struct http_server;
err http_start(struct ctx *cx, const struct http_options *options, struct http_server **out)
    MUST_USE;
int http_port(const struct http_server *server);
/* Accepts nothing more, finishes what was accepted (10 s at most), ends streams, joins threads. */
void http_stop(struct http_server *server);

/* Calls `fn` for every route, as compiled: for the reference and the tests. */
void http_each_route(const struct http_server *server,
                     void (*fn)(void *self, const struct route *route), void *self);
