/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "json/write.h"
#include "store/search.h"
#include "store/store.h"

/*
 * rest_call: what one FHIR request asks for beside its target: format, shape, preferences.
 *
 * Source   hl7.org/fhir/R4/http.html#mime-type, #ops, summary.html; Prefer is RFC 7240.
 * Errors   ERR_INVALID with status 406 (no format that we write) or 415 (none that we read).
 * Memory   in the request's arena.
 */
enum rest_media { REST_JSON, REST_XML };
enum rest_return { REST_RETURN_DEFAULT, REST_RETURN_MINIMAL, REST_RETURN_RESOURCE,
                   REST_RETURN_OUTCOME };
struct rest_format {
    enum rest_media media;
    bool pretty;
    enum search_summary summary;
    str elements;            /* _elements as sent, decoded */
};
struct rest_call {
    struct http_request *request;
    struct http_response *response;
    struct ctx *cx;
    struct store *store;
    str base;                /* "http://127.0.0.1:8080/fhir" */
    struct rest_format format;
    enum rest_return returns;
    bool lenient;
};
/* Reads the headers and control parameters; the other functions of rest start with it. */
err rest_begin(struct http_request *request, struct http_response *response,
               struct rest_call **out) MUST_USE;

/* _format, _pretty, _summary and _elements of a query; rest_begin did the URL's. */
err rest_read_controls(struct rest_call *call, str query) MUST_USE;

/* The body parsed as a resource, JSON or XML by its Content-Type; 415 for others. */
err rest_body(struct rest_call *call, struct json *out) MUST_USE;
/* True for "application/x-www-form-urlencoded" and the like, parameters ignored. */
bool rest_media_is(str content_type, str media);

/* The type of the route's first capture; 404 when R4 has none of that name. */
err rest_type(struct rest_call *call, str name, uint16_t *out) MUST_USE;
/* ERR_INVALID unless it is 1 to 64 of A-Z a-z 0-9 - . */
err rest_check_id(struct ctx *cx, str id) MUST_USE;

/* Answers with a resource as stored (minified JSON), shaped and formatted as asked. */
err rest_send(struct rest_call *call, int status, str body) MUST_USE;
/* The same with ETag and Last-Modified of a version. */
err rest_send_version(struct rest_call *call, int status, const struct store_version *version)
    MUST_USE;
void rest_put_version(struct rest_call *call, const struct store_version *version);
/* Answers with cx's issues (none: "All OK"). */
err rest_send_outcome(struct rest_call *call, int status) MUST_USE;

/* A whole resource in a bundle's text, shaped by _summary and _elements. */
err rest_write_shaped(struct rest_call *call, struct buf *out, str body) MUST_USE;
bool rest_is_shaped(const struct rest_format *format);

err rest_fail(struct rest_call *call, int status, const char *code, str text);

enum { REST_TEXT_MAX = 1 << 30 }; /* of a built answer; the arena's cap comes first */
