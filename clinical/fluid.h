/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/issues.h"

/*
 * fluid: adds up what went in and what came out, and grades low urine output by weight.
 *
 * Source   KDIGO Clinical Practice Guideline for Acute Kidney Injury, 2012, urine criterion:
 *          unconfirmed. Routes of the usual ward fluid chart.
 * For      patients with a fluid chart. Oliguria needs a weight; not for patients on dialysis.
 * Units    millilitres, grams, minutes; instants in UTC milliseconds.
 * Missing  FLUID_UNMEASURED as a volume (wet pad, spilt) counts in `unmeasured`, never as zero: the
 *          balance is then shown as incomplete. A urine record shorter than the criterion's time
 *          gives FLUID_AKI_UNKNOWN, never "none".
 * Errors   ERR_INVALID: impossible volume, weight or time, one issue each; *out untouched.
 * Memory   pure; allocates only issues. Thread-safe.
 * Hazards  H-008 pump and nurse both record one volume.
 */
enum { FLUID_UNMEASURED = -1, FLUID_VOLUME_MAX_ML = 20000, FLUID_TWIN_MIN = 30 };
enum fluid_route {
    FLUID_ORAL, FLUID_IV, FLUID_ENTERAL, FLUID_BLOOD, FLUID_FLUSH, /* in */
    FLUID_URINE, FLUID_GASTRIC, FLUID_DRAIN, FLUID_STOMA, FLUID_STOOL, FLUID_INSENSIBLE, /* out */
    FLUID_ROUTES
};
struct fluid_entry {
    int64_t at_ms;
    int volume_ml;
    enum fluid_route route;
    bool by_device, in_error; /* entries in error stay on the chart and are not added */
};
struct fluid_total {
    int64_t intake_ml, output_ml, balance_ml;
    int64_t by_route_ml[FLUID_ROUTES];
    size_t unmeasured;
};
enum fluid_aki { FLUID_AKI_UNKNOWN, FLUID_AKI_NONE, FLUID_AKI_1, FLUID_AKI_2, FLUID_AKI_3 };

/* One row a criterion, worst first: less than `under_tenth` tenths of a millilitre per kilogram and
 * hour, for at least so many minutes. Zero stands for no urine at all. Unconfirmed. */
struct fluid_criterion {
    int under_tenth, over_min;
    enum fluid_aki stage;
};
extern const struct fluid_criterion fluid_criteria[];
extern const size_t fluid_criteria_count;
extern const char fluid_table[];
const char *fluid_route_name(enum fluid_route route);
bool fluid_route_is_intake(enum fluid_route route);
const char *fluid_aki_name(enum fluid_aki stage);

/* Entries with from <= at < to, in any order. */
err fluid_balance(struct issues *issues, const struct fluid_entry *entries, size_t count,
                  int64_t from_ms, int64_t to_ms, struct fluid_total *out) MUST_USE;
/* The same volume by pump and by hand within half an hour: ask before adding both. */
bool fluid_is_twin(const struct fluid_entry *a, const struct fluid_entry *b);

/* The stage that this urine over this time proves; weight in grams. */
err fluid_urine_stage(struct issues *issues, int64_t urine_ml, int64_t over_min, int64_t weight_g,
                      enum fluid_aki *out) MUST_USE;
/* The same by other criteria, so that a test can move every edge; all inputs possible. */
enum fluid_aki fluid_stage_by(const struct fluid_criterion *criteria, int64_t urine_ml,
                              int64_t over_min, int64_t weight_g);
/* Worst stage of the 6, 12 and 24 hours that end with the last urine entry; all urine since
 * covered_from must be on the chart. */
err fluid_oliguria(struct issues *issues, const struct fluid_entry *entries, size_t count,
                   int64_t covered_from_ms, int64_t weight_g, enum fluid_aki *out) MUST_USE;
