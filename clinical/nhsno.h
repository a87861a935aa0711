/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * NHS number: tells a possible number from an impossible one, and a test number from a real one.
 *
 * Source   NHS Data Model and Dictionary, NHS NUMBER: ten digits, modulus 11. Test range 999 000
 *          0000 to 999 999 9999 is never issued; England and Wales issue 4, 6 and 7, earlier 3; the
 *          community health index of Scotland is 0101 to 3112; Northern Ireland 320 000 001 to 399.
 * Shapes   Patient.identifier of system https://fhir.nhs.uk/Id/nhs-number. Spaces are allowed
 *          where a person reads the number, 3-3-4; the result is the ten digits alone.
 * Units    digits.
 * Missing  nothing given is ERR_INVALID.
 * Errors   ERR_INVALID with the reason. 0000000000 and 9999999999 pass the arithmetic and are
 *          refused. A valid number is possible, not verified: only a trace makes it so.
 * Memory   the digits are in cx's arena. Thread-safe.
 */
enum nhsno_range {
    NHSNO_UNUSED, NHSNO_ENGLAND, NHSNO_SCOTLAND, NHSNO_NORTHERN_IRELAND, NHSNO_TEST
};
enum { NHSNO_DIGITS = 10 };

err nhsno_parse(struct ctx *cx, str text, str *out) MUST_USE;
/* 0 to 9, or -1: these nine digits have none and are never issued. */
int nhsno_check_digit(const char nine[static 9]);
enum nhsno_range nhsno_range(str digits); /* of ten parsed digits */
const char *nhsno_range_name(enum nhsno_range range);
/* 999 000 0018 as people read it: 12 bytes. */
enum { NHSNO_SPACED = 12 };
void nhsno_spaced(str digits, char out[NHSNO_SPACED]);
