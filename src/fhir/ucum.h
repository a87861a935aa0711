/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/decimal.h"

/*
 * ucum: units of measure, so that 4 g equals 4000 mg and 37 Cel is 98.6 [degF].
 *
 * Source   The Unified Code for Units of Measure 2.1 (ucum.org), case-sensitive codes; the metric
 *          prefixes, the base and derived units, and the customary, clinical and arbitrary units in
 *          use.
 * Shapes   a unit is a factor (a fraction, so that minutes stay exact) to base units, and their
 *          powers.
 * Missing  an unknown code is "not a unit": ucum_parse is false. "" and "1" are the unit one.
 * Limits   amount of substance (mol) is a dimension of its own here, where UCUM counts it as a
 *          number: 10 mmol and 6.022e21 are never equal. Arbitrary units ([iU], [CFU]) equal only
 *          themselves. Logarithmic units ([pH], B, Np) are compared only with themselves.
 */
enum { UCUM_METRE, UCUM_SECOND, UCUM_GRAM, UCUM_KELVIN, UCUM_COULOMB, UCUM_CANDELA, UCUM_MOLE,
       UCUM_DIMENSIONS };

struct ucum {
    struct decimal num, den;    /* factor to base units */
    struct decimal offset;      /* added before the factor: temperatures */
    int8_t powers[UCUM_DIMENSIONS];
    int8_t arbitrary_power;
    uint16_t arbitrary;         /* which arbitrary unit; 0: none */
};

bool ucum_parse(str code, struct ucum *out);
bool ucum_comparable(const struct ucum *a, const struct ucum *b);
/* False: not comparable, or too large. */
bool ucum_convert(struct decimal value, const struct ucum *from, const struct ucum *to,
                  struct decimal *out);
/* Compares exactly where 38 digits hold the cross products, else by conversion. False: not
 * comparable. */
bool ucum_cmp(struct decimal a, const struct ucum *a_unit, struct decimal b,
              const struct ucum *b_unit, int *out);
/* The value in base units, and their code ("g.m-3"): one number line for all units of a kind. */
bool ucum_to_base(struct decimal value, const struct ucum *unit, struct decimal *out);
str ucum_base_code(struct arena *arena, const struct ucum *unit);
