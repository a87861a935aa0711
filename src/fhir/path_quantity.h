/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/path_program.h"

/*
 * path_quantity: quantities in FHIRPath: UCUM's units, and calendar durations.
 *
 * Source   FHIRPath 2.0.0 sections 4.1.8, 6.1 and 6.2. A calendar year or month equals no definite
 *          duration (1 year is not 1 'a'), but is equivalent to it; from weeks down they are the
 *          same. FHIR's own quantities are exempt: R4 reads their code 'a' as years.
 */
bool path_quantity_of_node(struct ctx *cx, const struct path_item *item, struct path_item *out);
/* Either may be a plain number, which has the unit '1'. False: not comparable. */
bool path_quantity_cmp(const struct path_item *a, const struct path_item *b, int *out);
bool path_quantity_equivalent(const struct path_item *a, const struct path_item *b);
bool path_quantity_comparable(const struct path_item *a, const struct path_item *b);
/* "185 '[lb_av]'" or "1 week". */
str path_quantity_write(struct arena *arena, const struct path_item *quantity);
/* "1", "1 day", "1 'wk'". */
bool path_quantity_parse(str text, struct path_item *out);
/* * or /; false: overflow. */
bool path_quantity_product(struct ctx *cx, const struct path_item *a, const struct path_item *b,
                           bool divide, struct path_item *out);
/* The amount of `b` in the unit of `a`. */
bool path_quantity_in_unit(const struct path_item *a, const struct path_item *b,
                           struct decimal *out);
bool path_same_to_precision(struct decimal a, struct decimal b);
