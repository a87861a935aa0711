/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "fhir/def.h"
#include "json/json.h"

/*
 * validate: whether a resource obeys FHIR R4 itself, in one pass over its tape.
 *
 * Source   hl7.org/fhir/R4/validation.html, json.html, references.html; the tables of fhir/def.h.
 * Checks   known elements, cardinality, array or not, types, primitive formats, one type of a
 *          choice, required bindings whose codes R4 carries, the types references lead to, twins of
 *          primitives ("_birthDate"), contained resources, nothing empty. Invariants, profiles and
 *          bindings to other code systems are profile_validate's (fhir/profile.h).
 * Errors   each fault is an issue with its FHIRPath location, "Patient.contact[0].name", up to
 *          ISSUES_MAX. ERR_INVALID when it is no resource at all, ERR_RULE otherwise.
 * Memory   nothing is allocated but for faults and escaped strings, in cx's arena. Thread-safe.
 */
err validate_resource(struct ctx *cx, struct json resource) MUST_USE;
/* The same for a resource that must be of one type. */
err validate_resource_as(struct ctx *cx, struct json resource, uint16_t type) MUST_USE;

/*
 * A reference's text taken apart. Relative: type and id given, base not. Absolute and RESTful: all
 * three. Others (urn:uuid, #contained, a canonical or a plain URL): type and id not given.
 */
struct validate_reference {
    str base, type, id, version, fragment;
    uint16_t resource;  /* position of `type` in fhir_resources, FHIR_NONE */
    bool is_conditional;/* "Patient?identifier=..." : type given, id not */
};
/* False when the text can be no reference. */
bool validate_read_reference(str text, struct validate_reference *out);
