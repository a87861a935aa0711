/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "term/system.h"

/*
 * term_filter: which concepts of a system pass the filters of a compose.
 *
 * Source   hl7.org/fhir/R4/valueset-filter-operator.html; snomedct.html for concept and constraint.
 * Errors   ERR_RULE: an operator, regular expression or constraint that cannot be understood. A
 *          code in a filter that the system does not have selects nothing (is-not-a: everything).
 */
err term_filter_all(struct ctx *cx, struct arena *arena, const struct term_system *system,
                    struct json filters, struct term_bits *out) MUST_USE;

/* The values of a property of a concept, one after another: parents, children, attributes and what
 * its JSON says. False when there are no more. Begin with *at = 0. */
bool term_property(struct arena *arena, const struct term_system *system, uint32_t concept,
                   str property, size_t *at, str *value);
