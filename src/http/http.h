/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/ctx.h"

/*
 * http: a request in, a response out; libmicrohttpd stays behind this header.
 *
 * Shapes   handlers fill a response and return; one that must wait (for the writer) returns
 *          http_suspend and answers later from any thread with http_resume.
 * Limits   from struct http_limits; passing one is answered by http itself with an OperationOutcome.
 * Memory   a request has its own arena and ctx, released when the response has been sent.
 */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };
struct http_param { str name, value; }; /* still percent-encoded in a query */
struct http_request {
    struct ctx *cx;
    enum http_method method;
    str path;          /* decoded, no query: "/fhir/Patient/1" */
    str query;         /* as sent, without '?' */
    str body;
    str base_url;      /* "http://127.0.0.1:8080", from Host or X-Forwarded-* where allowed */
    str captures[8];   /* the route's {names}, in order */
    struct http_connection *connection;
};
str http_header(const struct http_request *request, const char *name); /* not given: absent */

struct http_response {
    int status;                 /* 0: 200 */
    str content_type, body;
    struct http_param headers[16];
    size_t headers_count;
    /* Streams the body: writes up to `room` bytes, returns how many, 0 to wait for http_wake,
     * -1 at the end. Then `body` is not used. */
    int64_t (*stream)(void *self, char *out, size_t room);
    void (*stream_end)(void *self);
    void *stream_self;
};
void http_put_header(struct http_response *response, str name, str value);

typedef err http_handler(struct http_request *request, struct http_response *response);

/* One row a route. Patterns: "/beds/{ward}", "/fhir/{type}/{id}"; literal parts win over captures. */
struct route {
    const char *method;      /* "GET" serves HEAD too */
    const char *pattern;
    const char *permission;  /* "beds.read"; "open" needs nobody */
    http_handler *handler;
    const char *doc;         /* one line for the reference */
};
