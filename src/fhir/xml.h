/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "json/json.h"

/*
 * fhir_xml: turns a resource from FHIR's XML into its JSON and back, by the tables of fhir/def.h.
 *
 * Source   FHIR R4, XML and JSON representation (hl7.org/fhir/R4/xml.html, json.html).
 * Shapes   lossless both ways: ids, extensions on primitives, contained resources, the text of
 *          decimals, and the narrative's markup as written. Comments, processing instructions and
 *          white space between elements are dropped, stray text there with a warning. What the
 *          tables do not know (an unknown element, say) is an error; what the text of a value
 *          should look like is the validator's business, so a malformed number arrives as a JSON
 *          string for it to refuse. XML elements out of order are read; they are written in order.
 * Errors   ERR_INVALID not well-formed XML, not FHIR's namespace, an unknown element or attribute,
 *          with the line; ERR_RULE a JSON resource that XML cannot hold; ERR_LIMIT too large.
 * Memory   results live in cx's arena.
 * Limits   UTF-8 only. No DTD, so no entity but XML's own five; nothing is fetched from anywhere.
 *          One value up to 10 MB, 256 nested elements, FHIR_XML_ELEMENTS_MAX elements.
 */
enum { FHIR_XML_ELEMENTS_MAX = 1000000 };

err fhir_xml_read(struct ctx *cx, str xml, struct json *out) MUST_USE;
/* Appends the document; `pretty` indents it by two spaces, the narrative left as it is. */
err fhir_xml_write(struct ctx *cx, struct json resource, bool pretty, struct buf *out) MUST_USE;
