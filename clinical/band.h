/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * band: a row of a printed chart: from this value up to the next row, so many points.
 *
 * Source   the printed chart that the owner of the table names.
 * Units    the value's own; the table's owner says which.
 * Missing  not represented: the caller checks before it asks. A value under the first row takes the
 *          first row's points, so tables open with the lowest value that can be entered.
 * Errors   none.
 * Memory   tables are static and read-only.
 */
struct band {
    int from, points;
};
struct band_table {
    const struct band *rows; /* ascending by `from` */
    size_t count;
};
#define BANDS(rows) { (rows), COUNT(rows) }

static inline int band_points(struct band_table table, int value)
{
    size_t i = table.count - 1;
    while (i > 0 && value < table.rows[i].from)
        i--;
    return table.rows[i].points;
}
