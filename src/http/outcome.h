/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/issues.h"

/*
 * http_outcome: issues as a FHIR OperationOutcome in JSON.
 *
 * Source   hl7.org/fhir/R4/operationoutcome.html.
 * Missing  no issues: one of severity information, "All OK", code informational.
 */
void http_outcome_write(struct buf *out, const struct issues *issues);
