/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/ctx.h"

/*
 * http: a request in, a response out; libmicrohttpd stays behind this header.
 *
 * Shapes   handlers fill a response and return. One that must wait (for the writer) calls http_wait,
 *          returns ERR_OK, and is continued by the function it named once anyone called http_wake.
 * Errors   a handler that returns an error is answered with an OperationOutcome of cx's issues; the
 *          status is response->status where the handler set one of 400 and above, else that of err.
 * Limits   from struct http_limits; passing one is answered by http itself with an OperationOutcome.
 * Memory   a request has its own arena and ctx, released when the response has been sent; passing
 *          the arena's cap unwinds to the loop and answers 413.
 */
enum http_method {
    HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHODS
};
enum { HTTP_CAPTURES_MAX = 8, HTTP_HEADERS_MAX = 16 };
struct http_param { str name, value; }; /* still percent-encoded in a query */
struct route;
struct store;
struct live;
struct http_connection;
struct http_request {
    struct ctx *cx;
    enum http_method method;
    str path;          /* decoded, no query: "/fhir/Patient/1" */
    str query;         /* as sent, without '?' */
    str body;
    str base_url;      /* "http://127.0.0.1:8080", from Host or X-Forwarded-* where allowed */
    str captures[HTTP_CAPTURES_MAX]; /* the route's {names}, decoded, in order */
    const struct route *route;       /* NULL when no route was found */
    struct store *store;             /* what http_start was given */
    struct live *live;               /* likewise; ui/live.h */
    void *gate_self;                 /* what the gate was given */
    void *self;                      /* the handler's own, from http_wait to its continuation */
    struct http_connection *connection;
};
str http_header(const struct http_request *request, const char *name); /* not given: absent */
/* Where the client sits, "192.0.2.7": of the connection, or as a trusted proxy says. */
str http_address(const struct http_request *request);

struct http_response {
    int status;                 /* 0: 200 */
    str content_type, body;     /* must live as long as the request */
    struct http_param headers[HTTP_HEADERS_MAX];
    size_t headers_count;
    /* Streams the body: writes up to `room` bytes, returns how many, 0 to wait for http_wake,
     * -1 at the end. Then `body` is not used. Called on the loop's thread: it must not block. */
    int64_t (*stream)(void *self, char *out, size_t room);
    void (*stream_end)(void *self); /* called once, also when the client went away */
    void *stream_self;
    /* With status 101: the socket becomes the handler's, which closes it. `early` was read with the
     * request; fd -1: there was none left. Called on the loop's thread. */
    void (*upgrade)(void *self, int fd, str early);
    void *upgrade_self;
};
void http_put_header(struct http_response *response, str name, str value);

typedef err http_handler(struct http_request *request, struct http_response *response);

/* The handler will not answer yet: after http_wake, `then` runs on the loop's thread. */
void http_wait(struct http_request *request, http_handler *then);
/* Continues a request that waits, or a stream that returned 0. Any thread; never blocks. */
void http_wake(struct http_request *request);
/* For http_options.done: the answer is ready and stays here until `settle` has settled the ticket,
 * at the loop's next turn. Nothing of it is sent before. */
void http_hold(struct http_request *request, uint64_t ticket);
/* For http_options.done: the answer is not sent sooner than this after the request was there. The
 * loop goes on with others meanwhile. */
void http_not_before(struct http_request *request, int64_t us);
/* True while the server is stopping: streams should end. */
bool http_stopping(const struct http_request *request);

/* Fills the response with the OperationOutcome of cx's issues. */
void http_fault(struct http_request *request, struct http_response *response, err kind);

/* One row a route. Patterns: "/beds/{ward}", "/fhir/{type}/${operation}" (after a '$'),
 * "/assets/{rest*}" (all that follows); literal parts win over captures. */
enum route_flags {
    ROUTE_SLOW = 1,    /* run on a worker, not on the loop */
    ROUTE_PERSON = 2,  /* about whoever is signed in: not answered where nobody signs in */
    ROUTE_REPEATS = 4  /* a field of its form may come several times; elsewhere that is a 400 */
};
struct route {
    const char *method;      /* "GET" serves HEAD too */
    const char *pattern;
    const char *permission;  /* "beds.read"; "open" needs nobody */
    http_handler *handler;
    const char *doc;         /* one line for the reference */
    unsigned flags;
};
