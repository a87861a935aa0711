/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"

/*
 * find: FHIR search over HTTP: by GET and POST, in a type, the whole system or a compartment.
 *
 * Source   hl7.org/fhir/R4/http.html#search.
 * Shapes   a searchset Bundle; bodies from the store are spliced in without being parsed.
 */
struct find_target {
    uint16_t resource;               /* FHIR_NONE: whole system */
    str compartment, compartment_id; /* not given: none */
    str query;                       /* percent-encoded, without '?' */
};
err find_bundle(struct rest_call *call, const struct find_target *target, str *out) MUST_USE;

http_handler rest_find, rest_find_compartment;
