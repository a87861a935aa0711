/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "term/system.h"

/*
 * term_ecl: SNOMED CT's Expression Constraint Language, as far as selecting concepts by place and
 * by attribute goes.
 *
 * Source   SNOMED CT ECL 2.1 specification, brief syntax.
 * Shapes   codes with or without |term|, *, < << > >> <! >!, ^ (reference sets as attributes of the
 *          loader), AND OR MINUS and the comma, brackets, refinement ": attribute = value" with
 *          several by comma or AND, attribute names by any constraint, != for the contrary.
 * Errors   ERR_RULE: with the place in the text where it stops being understood.
 * Limits   nesting of 50; text of 10,000 bytes.
 */
err term_ecl(struct ctx *cx, struct arena *arena, const struct term_system *system, str text,
             struct term_bits *out) MUST_USE;
