/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/escape.h"

/*
 * ui_chart: a line, step or bar chart as SVG, with its numbers as a table below; a sparkline.
 *
 * Shapes   series share the labels of the horizontal axis. The first series is solid, the others
 *          are dashed differently, so that print and colour blindness lose nothing.
 * Units    `unit` is written once, in the caption; values are in it.
 * Missing  NAN is a gap in a line and "-" in the table, never zero.
 * Limits   UI_CHART_SERIES series; a chart without a single value says so instead of drawing.
 */
enum { UI_CHART_SERIES = 4 };
/* A step stays level until its next value: counts through a day, the curve of who is still in. */
enum ui_chart_kind { UI_CHART_LINE, UI_CHART_BAR, UI_CHART_STEP };

struct ui_series {
    const char *name;
    const double *values;      /* labels_count of them */
};
struct ui_rule {
    double at;                 /* NAN: left out */
    const char *name;
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
    const struct ui_rule *rules; /* more lines across */
    size_t rules_count;
    const int *marks; /* points of the first series: 0 a dot, 1 up, -1 down; NULL: none are drawn */
    double top;       /* the axis reaches at least this far: 100 for shares; 0: as needed */
};
void ui_chart_draw(struct buf *out, const struct ui_chart *chart);

/* A few values in a line of text, over a target range, the last one marked; `label` says it in
 * words, since the picture cannot be read aloud. */
struct ui_spark {
    const double *values;
    size_t count;
    double low, high;          /* target range; NAN: none */
    str label;
};
void ui_spark_draw(struct buf *out, const struct ui_spark *spark);

/* The step between grid lines: 1, 2 or 5 times a power of ten, for about five of them. */
double ui_chart_step(double span);
