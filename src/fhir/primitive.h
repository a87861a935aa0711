/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/def.h"
#include "json/json.h"

/*
 * primitive: whether a value has the format of its FHIR primitive type.
 *
 * Source   hl7.org/fhir/R4/datatypes.html#primitive; hl7.org/fhir/R4/narrative.html for xhtml.
 * Shapes   a fault is a sentence that completes "Patient.birthDate: ", static; NULL means fine.
 *          Stricter than the published patterns where they let through what no system can store:
 *          control characters but tab, line feed and carriage return are refused in every type.
 * Limits   a string is 1 MiB at most (R4's own limit), a decimal PRIMITIVE_DIGITS_MAX digits and an
 *          exponent of three; xhtml nests PRIMITIVE_XHTML_DEPTH_MAX deep at most.
 * Memory   escaped strings are unescaped into `arena`. Thread-safe.
 */
enum { PRIMITIVE_STRING_MAX = 1 << 20, PRIMITIVE_DIGITS_MAX = 100, PRIMITIVE_XHTML_DEPTH_MAX = 64 };

/* Checks the JSON kind as well: a boolean must not be written "true". */
const char *primitive_fault(struct arena *arena, enum fhir_primitive type, struct json value);
/* The same for text taken from elsewhere, XML or a query: true, 12 and text alike. */
const char *primitive_text_fault(enum fhir_primitive type, str text);

/* A narrative: one well-formed <div> of plain formatting, no script, no event handler. */
const char *primitive_xhtml_fault(str text);
