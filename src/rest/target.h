/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"

/*
 * target: the URL of a bundle's entry taken apart: "Patient/1", "Patient?name=x".
 *
 * Source   hl7.org/fhir/R4/http.html#transaction; relative, or starting with this server's base.
 * Errors   ERR_INVALID when it is none of FHIR's forms.
 */
struct target {
    uint16_t resource;   /* FHIR_NONE: the system */
    str id;              /* not given: none */
    bool history;
    int64_t vid;         /* of a vread */
    str compartment;     /* Patient of "Patient/1/Observation"; then `id` is its id */
    str operation;       /* "$everything" */
    str query;           /* without '?' */
};
err target_read(struct rest_call *call, str url, struct target *out) MUST_USE;
/* Answers a GET of it as a bundle's entry would: the body of a resource. */
struct target_answer {
    int status;
    str body;
    struct store_version version; /* vid 0: none */
};
err target_get(struct rest_call *call, const struct target *target, struct target_answer *out)
    MUST_USE;
