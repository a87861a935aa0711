/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/write.h"
#include "store/search.h"

/*
 * shape: a resource cut down to what _summary or _elements ask for, tagged SUBSETTED.
 *
 * Source   hl7.org/fhir/R4/search.html#summary and #elements.
 * Shapes   true: elements the definitions mark as summary, at every depth; text: text and mandatory
 *          ones; data: all but text; elements: those named and mandatory and modifying ones. id,
 *          meta and resourceType always stay.
 * Memory   into the buf.
 */
void shape_write(struct buf *out, struct json resource, enum search_summary summary, str elements);
