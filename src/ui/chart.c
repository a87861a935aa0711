/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/chart.h"
#include <math.h>

/* Drawn in a box of these units; the page scales it. */
enum { WIDTH = 720, HEIGHT = 300, LEFT = 52, RIGHT = 12, TOP = 12, BOTTOM = 34, TEXTS_MAX = 12 };

struct scale {
    double low, high, step;
};

double ui_chart_step(double span)
{
    if (!(span > 0))
        return 1;
    double rough = span / 5, power = pow(10, floor(log10(rough)));
    static const double nice[] = { 1, 2, 5, 10 };
    for (size_t i = 0; i < COUNT(nice); i++)
        if (rough <= nice[i] * power * (1 + 1e-9))
            return nice[i] * power;
    return 10 * power;
}

static void widen(struct scale *scale, double value)
{
    if (isnan(value))
        return;
    scale->low = value < scale->low ? value : scale->low;
    scale->high = value > scale->high ? value : scale->high;
}

/* From zero or below up to a round number above everything shown; false when there is nothing. */
static bool scale_of(const struct ui_chart *chart, struct scale *out)
{
    struct scale scale = { 0, 0, 1 };
    size_t known = 0;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->labels_count; i++) {
            widen(&scale, chart->series[s].values[i]);
            known += isnan(chart->series[s].values[i]) ? 0 : 1;
        }
    for (size_t i = 0; chart->band_high && i < chart->labels_count; i++) {
        widen(&scale, chart->band_high[i]);
        widen(&scale, chart->band_low[i]);
    }
    widen(&scale, chart->limit);
    widen(&scale, chart->top);
    for (size_t i = 0; i < chart->rules_count; i++)
        widen(&scale, chart->rules[i].at);
    scale.step = ui_chart_step(scale.high - scale.low);
    scale.low = floor(scale.low / scale.step) * scale.step;
    scale.high = ceil(scale.high / scale.step) * scale.step;
    if (scale.high <= scale.low)
        scale.high = scale.low + scale.step;
    *out = scale;
    return known > 0;
}

static double y_of(const struct scale *scale, double value)
{
    return TOP + (scale->high - value) / (scale->high - scale->low) * (HEIGHT - TOP - BOTTOM);
}

/* The middle of the place of label i. */
static double x_of(const struct ui_chart *chart, size_t i)
{
    double place = (double)(WIDTH - LEFT - RIGHT) / (double)chart->labels_count;
    return LEFT + place * ((double)i + 0.5);
}

static void draw_grid(struct buf *out, const struct scale *scale)
{
    int lines = (int)lround((scale->high - scale->low) / scale->step);
    for (int i = 0; i <= lines; i++) {
        double value = scale->low + i * scale->step, y = y_of(scale, value);
        buf_printf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                        "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                   LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, value);
    }
}

static void draw_labels(struct buf *out, const struct ui_chart *chart)
{
    size_t every = (chart->labels_count + TEXTS_MAX - 1) / TEXTS_MAX;
    for (size_t i = 0; i < chart->labels_count; i += every) {
        buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x_of(chart, i),
                   HEIGHT - BOTTOM + 20);
        ui_text(out, chart->labels[i]);
        buf_add(out, S("</text>\n"));
    }
}

/* Up along the high values and back along the low ones. */
static void draw_band(struct buf *out, const struct ui_chart *chart, const struct scale *scale)
{
    if (!chart->band_high)
        return;
    buf_add(out, S("<polygon class=\"band\" points=\""));
    for (size_t i = 0; i < 2 * chart->labels_count; i++) {
        bool up = i < chart->labels_count;
        size_t at = up ? i : 2 * chart->labels_count - 1 - i;
        double value = (up ? chart->band_high : chart->band_low)[at];
        if (!isnan(value))
            buf_printf(out, "%.1f,%.1f ", x_of(chart, at), y_of(scale, value));
    }
    buf_add(out, S("\"/>\n"));
}

/* A line begins anew after each gap; a step goes level, then up or down. */
static void draw_line(struct buf *out, const struct ui_chart *chart, const struct scale *scale,
                      size_t series)
{
    bool begun = false;
    buf_printf(out, "<path class=\"line s%zu\" d=\"", series + 1);
    for (size_t i = 0; i < chart->labels_count; i++) {
        double value = chart->series[series].values[i];
        if (begun && !isnan(value) && chart->kind == UI_CHART_STEP)
            buf_printf(out, "H%.1f", x_of(chart, i));
        if (!isnan(value))
            buf_printf(out, "%c%.1f %.1f", begun ? 'L' : 'M', x_of(chart, i),
                       y_of(scale, value));
        begun = !isnan(value);
    }
    buf_add(out, S("\"/>\n"));
}

/* Dots, and triangles where something changed: the shape tells, not the colour. */
static void draw_marks(struct buf *out, const struct ui_chart *chart, const struct scale *scale)
{
    for (size_t i = 0; chart->marks && i < chart->labels_count; i++) {
        double value = chart->series[0].values[i], x = x_of(chart, i);
        if (isnan(value))
            continue;
        double y = y_of(scale, value), tip = chart->marks[i] > 0 ? -7 : 7;
        if (chart->marks[i] == 0)
            buf_printf(out, "<circle class=\"f1\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", x, y);
        else
            buf_printf(out, "<path class=\"f2\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fZ\"/>\n", x,
                       y + tip, x - 6, y - tip / 2, x + 6, y - tip / 2);
    }
}

static void draw_bars(struct buf *out, const struct ui_chart *chart, const struct scale *scale,
                      size_t series)
{
    double place = (double)(WIDTH - LEFT - RIGHT) / (double)chart->labels_count;
    double width = place * 0.8 / (double)chart->series_count;
    for (size_t i = 0; i < chart->labels_count; i++) {
        double value = chart->series[series].values[i];
        if (isnan(value))
            continue;
        double x = x_of(chart, i) - place * 0.4 + width * (double)series;
        double top = y_of(scale, value > 0 ? value : 0), end = y_of(scale, value > 0 ? 0 : value);
        buf_printf(out, "<rect class=\"f%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                        "height=\"%.1f\"/>\n", series + 1, x, top, width, end - top);
    }
}

static void draw_rule(struct buf *out, const struct scale *scale, struct ui_rule rule)
{
    if (isnan(rule.at))
        return;
    double y = y_of(scale, rule.at);
    buf_printf(out, "<line class=\"line s4\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT, WIDTH - RIGHT, y, y,
               WIDTH - RIGHT - 4, y - 5);
    ui_text(out, rule.name);
    buf_add(out, S("</text>\n"));
}

static void draw_svg(struct buf *out, const struct ui_chart *chart, const struct scale *scale)
{
    buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    ui_attr(out, chart->summary);
    buf_add(out, S("\">\n"));
    draw_band(out, chart, scale);
    draw_grid(out, scale);
    draw_labels(out, chart);
    for (size_t s = 0; s < chart->series_count && s < UI_CHART_SERIES; s++)
        (chart->kind == UI_CHART_BAR ? draw_bars : draw_line)(out, chart, scale, s);
    draw_marks(out, chart, scale);
    draw_rule(out, scale, (struct ui_rule){ chart->limit, chart->limit_name });
    for (size_t i = 0; i < chart->rules_count; i++)
        draw_rule(out, scale, chart->rules[i]);
    buf_add(out, S("</svg>\n"));
}

static void write_row(struct buf *out, const struct ui_chart *chart, size_t i)
{
    buf_add(out, S("<tr><th scope=\"row\">"));
    ui_text(out, chart->labels[i]);
    buf_add(out, S("</th>"));
    for (size_t s = 0; s < chart->series_count; s++) {
        double value = chart->series[s].values[i];
        buf_add(out, S("<td class=\"is-number\">"));
        if (isnan(value))
            buf_char(out, '-');
        else
            ui_text(out, value);
        buf_add(out, S("</td>"));
    }
    buf_add(out, S("</tr>\n"));
}

static void write_table(struct buf *out, const struct ui_chart *chart)
{
    buf_add(out, S("<details><summary>Show as table</summary>\n<table class=\"app-table\">"
                   "<thead><tr><td></td>"));
    for (size_t s = 0; s < chart->series_count; s++) {
        buf_add(out, S("<th scope=\"col\" class=\"is-number\">"));
        ui_text(out, chart->series[s].name);
        buf_add(out, S("</th>"));
    }
    buf_add(out, S("</tr></thead>\n<tbody>\n"));
    for (size_t i = 0; i < chart->labels_count; i++)
        write_row(out, chart, i);
    buf_add(out, S("</tbody></table></details>\n"));
}

void ui_chart_draw(struct buf *out, const struct ui_chart *chart)
{
    struct scale scale;
    buf_add(out, S("<figure class=\"app-chart\"><figcaption>"));
    ui_text(out, chart->title);
    if (chart->unit.n)
        buf_add(out, S(", "));
    ui_text(out, chart->unit);
    buf_add(out, S("</figcaption>\n<p>"));
    ui_text(out, chart->summary);
    buf_add(out, S("</p>\n"));
    if (scale_of(chart, &scale)) {
        draw_svg(out, chart, &scale);
        write_table(out, chart);
    } else {
        buf_add(out, S("<p>No figures yet.</p>\n"));
    }
    buf_add(out, S("</figure>\n"));
}

/* ---- in a line of text ---- */

enum { SPARK_WIDTH = 120, SPARK_HEIGHT = 28, SPARK_EDGE = 4 };

static double spark_y(const struct scale *scale, double value)
{
    return SPARK_EDGE + (scale->high - value) / (scale->high - scale->low) *
                            (SPARK_HEIGHT - 2 * SPARK_EDGE);
}

static struct scale spark_scale(const struct ui_spark *spark)
{
    struct scale scale = { INFINITY, -INFINITY, 1 };
    for (size_t i = 0; i < spark->count; i++)
        widen(&scale, spark->values[i]);
    widen(&scale, spark->low);
    widen(&scale, spark->high);
    if (!(scale.high > scale.low)) {
        scale.low -= 1;
        scale.high = scale.low + 2;
    }
    return scale;
}

void ui_spark_draw(struct buf *out, const struct ui_spark *spark)
{
    struct scale scale = spark_scale(spark);
    double last_x = NAN, last_y = NAN;
    bool begun = false;
    buf_printf(out, "<svg class=\"app-spark\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
               SPARK_WIDTH, SPARK_HEIGHT);
    ui_attr(out, spark->label);
    buf_add(out, S("\">"));
    if (!isnan(spark->low) && !isnan(spark->high))
        buf_printf(out, "<rect class=\"band\" x=\"0\" width=\"%d\" y=\"%.1f\" height=\"%.1f\"/>",
                   SPARK_WIDTH, spark_y(&scale, spark->high),
                   spark_y(&scale, spark->low) - spark_y(&scale, spark->high));
    buf_add(out, S("<path class=\"line s1\" d=\""));
    for (size_t i = 0; i < spark->count; i++) {
        if (!isnan(spark->values[i])) {
            last_x = SPARK_EDGE + (double)(SPARK_WIDTH - 2 * SPARK_EDGE) * (double)i /
                                      (double)(spark->count > 1 ? spark->count - 1 : 1);
            last_y = spark_y(&scale, spark->values[i]);
            buf_printf(out, "%c%.1f %.1f", begun ? 'L' : 'M', last_x, last_y);
        }
        begun = !isnan(spark->values[i]);
    }
    buf_add(out, S("\"/>"));
    if (!isnan(last_x))
        buf_printf(out, "<circle class=\"f1\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", last_x, last_y);
    buf_add(out, S("</svg>"));
}
