/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "jobs/bulk.h"
#include "rest/operation.h"

/*
 * rest_bulk: $export and $import, asked for over HTTP and done in the background.
 *
 * Source   Bulk Data Access 2 (hl7.org/fhir/uv/bulkdata/export.html); FHIR asynchronous requests.
 * Shapes   GET or POST of $export (system, Patient, Group/{id}) answers 202 with Content-Location;
 *          there: 202 with X-Progress while it runs, 200 with the manifest when it is done, and
 *          DELETE ends it. $import takes the NDJSON itself as the body.
 * Errors   400 for an unknown parameter (lenient: it is left out) or without Prefer: respond-async;
 *          403 for an import by somebody who may not write every type.
 */
extern const struct route bulk_routes[]; /* ended by a zero row */
extern const struct operation bulk_operations[]; /* for the CapabilityStatement; run is NULL */
void rest_bulk_use(struct bulk *bulk);   /* once, before the server starts */
