/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/profile.h"
#include "rest/operation.h"

/*
 * operation_validate: $validate on a type or an instance.
 *
 * Source   hl7.org/fhir/R4/resource-operation-validate.html.
 * Shapes   the resource is the body, or the parameter `resource`; at an instance without either it
 *          is the one stored. `mode` is create, update, delete or profile; `profile` a canonical.
 *          The answer is 200 with an OperationOutcome whatever it says.
 * Errors   ERR_NOT_FOUND the profile is not loaded, or there is no such instance; ERR_INVALID there
 *          is nothing to validate, or the mode is unknown.
 */
void operation_validate_use(struct profile_live *profiles); /* once, before the server starts */
err operation_validate(const struct operation_ask *ask, struct operation_answer *out);
