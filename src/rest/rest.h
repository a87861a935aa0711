/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * rest: the FHIR REST API under /fhir, as routes over the store.
 *
 * Source   hl7.org/fhir/R4/http.html, search.html, operations.html, summary.html.
 * Errors   every fault is an OperationOutcome in the format asked for.
 * Limits   page sizes from rest_configure, which is called once before the server starts.
 */
extern const struct route rest_routes[]; /* ended by a zero row */

struct rest_limits {
    size_t page, page_max; /* entries of a page when _count is not given; and at most */
    bool sign_in;          /* clients must sign in: the CapabilityStatement says how */
};
void rest_configure(const struct rest_limits *limits);
const struct rest_limits *rest_limits(void);

/* The `fault` of struct http_options: an OperationOutcome in the format the client asked for. */
void rest_fault(struct http_request *request, struct http_response *response, err kind);
