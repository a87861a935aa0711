/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/escape.h"

/*
 * ui_chart: a line or bar chart as SVG, with its numbers as a table below.
 *
 * Shapes   series share the labels of the horizontal axis. The first series is solid, the others
 *          are dashed differently, so that print and colour blindness lose nothing.
 * Units    `unit` is written once, in the caption; values are in it.
 * Missing  NAN is a gap in a line and "-" in the table, never zero.
 * Limits   UI_CHART_SERIES series; a chart without a single value says so instead of drawing.
 */
enum { UI_CHART_SERIES = 4 };
enum ui_chart_kind { UI_CHART_LINE, UI_CHART_BAR };

struct ui_series {
    const char *name;
    const double *values;      /* labels_count of them */
};
struct ui_chart {
    enum ui_chart_kind kind;
    str title, unit;
    str summary;               /* the chart in a sentence: what a person should see in it */
    const str *labels;
    size_t labels_count;
    const struct ui_series *series;
    size_t series_count;
    const double *band_low, *band_high; /* a range behind the lines (forecast, target), or NULL */
    double limit;              /* a line across, such as beds open; NAN: none */
    const char *limit_name;
};
void ui_chart_draw(struct buf *out, const struct ui_chart *chart);

/* The step between grid lines: 1, 2 or 5 times a power of ten, for about five of them. */
double ui_chart_step(double span);
