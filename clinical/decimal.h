/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * decimal: turns a measured value's text into a whole number of its smallest unit, exactly.
 *
 * Source   FHIR R4 decimal (hl7.org/fhir/R4/datatypes.html#decimal); rounding half up as the NEWS2
 *          chart reads a temperature. Never by way of binary fractions: 38.05 is not 38.0499999.
 * Shapes   "38.05" at one decimal is 381; "7e1" at none is 70. Half goes away from zero.
 * Units    `decimals` places are kept: tenths at 1, thousandths at 3; 0 to 9.
 * Missing  empty or not given is not a number: false.
 * Errors   false leaves *out untouched: not a number, or too large for 64 bits.
 * Memory   none.
 */
bool decimal_scaled(str text, int decimals, int64_t *out);
/* True when nothing but zeros would be lost at this many places ("93.0" at 0, not "93.5"). */
bool decimal_is_exact(str text, int decimals);
