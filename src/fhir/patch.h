/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"

/*
 * fhir_patch: applies a FHIRPath Patch (a Parameters resource) to a resource, all of it or nothing.
 *
 * Source   FHIR R4, FHIRPath Patch (hl7.org/fhir/R4/fhirpatch.html): add, insert, delete, replace,
 *          move, each on what a FHIRPath expression leads to, in the order given.
 * Shapes   a primitive's value and its "_name" twin move together; containers left empty by a
 *          deletion go with it. The result is not validated: that is the caller's next step.
 * Errors   ERR_INVALID the Parameters resource is not a patch, or an expression does not compile;
 *          ERR_RULE it does not fit this resource (no or several elements at a path, an index past
 *          the end). The issue names the operation, counted from 1.
 * Memory   *out is a new document in cx's arena.
 * Limits   FHIR_PATCH_OPS_MAX operations.
 */
enum { FHIR_PATCH_OPS_MAX = 1000 };
err fhir_patch(struct ctx *cx, struct json resource, struct json parameters,
               struct json *out) MUST_USE;
