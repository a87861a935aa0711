/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"

/*
 * fhir_patch_xml: applies an XML Patch to a resource as its XML, all of it or nothing.
 *
 * Source   RFC 5261 (add, replace, remove, each on the one node its XPath `sel` finds);
 *          hl7.org/fhir/R4/http.html#patch.
 * Shapes   prefixes in `sel` are those the patch declares; a name without prefix is of the patch's
 *          default namespace, or FHIR's when it has none. Content without a namespace is FHIR's.
 * Errors   ERR_INVALID the patch is malformed; ERR_RULE a `sel` finds nothing or several, or the
 *          result is no resource. The issue names the operation, counted from 1.
 * Memory   *out is a new document in cx's arena.
 * Limits   FHIR_PATCH_XML_OPS_MAX operations; each XPath a million steps.
 */
enum { FHIR_PATCH_XML_OPS_MAX = 1000, FHIR_PATCH_XML_SEL_MAX = 4096 };
err fhir_patch_xml(struct ctx *cx, struct json resource, str diff, struct json *out) MUST_USE;
