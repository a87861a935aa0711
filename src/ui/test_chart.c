/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE ui_chart
#include "base/test.h"
#include "ui/chart.h"
#include <math.h>

TEST(grid_lines_stand_at_round_numbers)
{
    static const struct { const char *name; double span, step; } rows[] = {
        { "tens", 50, 10 },     { "just over", 51, 20 }, { "hundreds", 1000, 200 },
        { "parts", 0.5, 0.1 },  { "nothing", 0, 1 },     { "not a number", NAN, 1 },
        { "three", 3, 1 },      { "seven", 7, 2 },       { "twelve", 12, 5 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double step = ui_chart_step(rows[i].span);
        cr_expect(fabs(step - rows[i].step) < 1e-9, "%s: %g", rows[i].name, step);
    }
}

static str draw(struct ctx *cx, const double *values, size_t count, enum ui_chart_kind kind)
{
    static const str labels[] = { { "Mon", 3 }, { "Tue", 3 }, { "<Wed>", 5 } };
    struct ui_series series = { "Beds", values };
    struct ui_chart chart = { .kind = kind, .title = S("Occupied"), .unit = S("beds"),
                              .summary = S("Rising."), .labels = labels, .labels_count = count,
                              .series = &series, .series_count = 1, .limit = NAN };
    struct buf out = buf_make(cx->arena, 1 << 16);
    ui_chart_draw(&out, &chart);
    return buf_str(&out);
}

TEST(a_missing_value_is_a_gap_and_not_zero)
{
    double values[] = { 10, NAN, 30 };
    str html = draw(cx, values, 3, UI_CHART_LINE);
    str path = str_slice(html, str_find(html, S(" d=\"")), html.n);
    path = str_slice(path, 0, str_find(path, S("/>")));
    size_t starts = 0;
    for (size_t i = 0; i < path.n; i++)
        starts += path.p[i] == 'M';
    EXPECT_INT("two pieces", starts, 2);
    EXPECT("table", str_find(html, S("<td class=\"is-number\">-</td>")) != STR_NONE);
    EXPECT("escaped", str_find(html, S("&lt;Wed&gt;")) != STR_NONE);
}

TEST(every_value_is_in_the_table_and_inside_the_box)
{
    double values[] = { -5, 0, 30 };
    str html = draw(cx, values, 3, UI_CHART_BAR);
    EXPECT("below zero", str_find(html, S(">-5</td>")) != STR_NONE);
    EXPECT("no height below nothing", str_find(html, S("height=\"-")) == STR_NONE);
    EXPECT("nothing above the box", str_find(html, S("y=\"-")) == STR_NONE);
}

TEST(a_chart_of_nothing_says_so)
{
    double values[] = { NAN, NAN };
    str html = draw(cx, values, 2, UI_CHART_LINE);
    EXPECT("text", str_find(html, S("No figures yet")) != STR_NONE);
    EXPECT("no drawing", str_find(html, S("<svg")) == STR_NONE);
}

TEST(a_step_goes_level_before_it_goes_up)
{
    double values[] = { 10, 20 };
    str html = draw(cx, values, 2, UI_CHART_STEP);
    EXPECT("level", str_find(html, S("H")) != STR_NONE &&
                        str_find(html, S("H")) < str_find(html, S("L")));
}

TEST(a_sparkline_is_said_in_words_and_survives_gaps_and_flat_lines)
{
    static const double gaps[] = { NAN, 4, NAN, 4, NAN };
    struct ui_spark spark = { .values = gaps, .count = 5, .low = NAN, .high = NAN,
                              .label = S("Pulse <4>") };
    struct buf out = buf_make(cx->arena, 1 << 14);
    ui_spark_draw(&out, &spark);
    EXPECT("label", str_find(buf_str(&out), S("aria-label=\"Pulse &lt;4&gt;\"")) != STR_NONE);
    EXPECT("numbers", str_find(buf_str(&out), S("nan")) == STR_NONE &&
                          str_find(buf_str(&out), S("inf")) == STR_NONE);
    struct ui_spark nothing = { .low = 1, .high = 2, .label = S("none") };
    ui_spark_draw(&out, &nothing);
    EXPECT("still", str_find(buf_str(&out), S("nan")) == STR_NONE);
}
