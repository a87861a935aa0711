/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/operation.h"
#include "store/store.h"

/*
 * merge_conflict: what speaks against two records being of one person, told before they are merged.
 *
 * Source   HL7 v2 A40 practice: alert when allergies or blood groups conflict.
 * Shapes   each conflict becomes a warning in the issues: NHS numbers, dates of birth or genders
 *          that differ; "no known allergies" against an allergy, an allergy only one has; blood
 *          groups that differ. It refuses nothing: a person decides.
 * Missing  what one record does not say conflicts with nothing.
 * Errors   as store/search.h.
 */
err merge_conflicts(const struct operation_ask *ask, const struct store_version *source,
                    const struct store_version *target) MUST_USE;
