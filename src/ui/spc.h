/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/chart.h"

/*
 * ui_spc: a statistical process control chart: whether a figure has changed, or only wavers.
 *
 * Source   XmR charts: Shewhart; limits at 2.66 mean moving ranges. Rules for special cause after
 *          NHS England, Making Data Count: a point outside the limits; 7 in a row on one side of
 *          the mean; 6 in a row rising or falling; 2 of 3 near one limit (beyond two thirds of the
 *          way). The run lengths are unconfirmed.
 * For      figures watched over time by people who run a service; no red, amber, green.
 * Shapes   one value a label; the picture, what it says in a sentence, and the numbers as a table.
 * Missing  NAN is a gap: runs begin anew after it. Fewer than UI_SPC_LEAST values: no limits are
 *          drawn and nothing is called special.
 * Errors   none. Memory: out's arena for the marks; pure otherwise.
 * Limits   UI_SPC_MAX values; the last ones are shown.
 */
enum { UI_SPC_LEAST = 10, UI_SPC_MAX = 400 };
enum ui_better { UI_BETTER_NEITHER, UI_BETTER_HIGH, UI_BETTER_LOW };

struct ui_spc_limits {
    double mean, low, high; /* NAN: too few values */
};
struct ui_spc {
    str title, unit;
    const str *labels;
    const double *values;
    size_t count;
    enum ui_better better;
    double target;          /* NAN: none */
};
struct ui_spc_limits ui_spc_limits(const double *values, size_t count);
/* marks[i]: 0 common cause, 1 special cause high, -1 special cause low. */
void ui_spc_mark(const double *values, size_t count, struct ui_spc_limits limits, int *marks);
/* "Special cause, improving: ..." of the latest point, and whether the target is met as a rule. */
str ui_spc_sentence(struct arena *arena, const struct ui_spc *spc, struct ui_spc_limits limits,
                    const int *marks);
void ui_spc_draw(struct buf *out, const struct ui_spc *spc);
