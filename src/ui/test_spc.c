/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE ui_spc
#include "base/test.h"
#include "ui/spc.h"
#include <math.h>

TEST(limits_are_the_mean_and_2_66_moving_ranges)
{
    const double values[] = { 10, 12, 10, 12, 10, 12, 10, 12, 10, 12 };
    struct ui_spc_limits limits = ui_spc_limits(values, 10);
    EXPECT("mean", fabs(limits.mean - 11) < 1e-9);
    EXPECT("high", fabs(limits.high - (11 + 2.66 * 2)) < 1e-9);
    EXPECT("low", fabs(limits.low - (11 - 2.66 * 2)) < 1e-9);
    EXPECT("nine are too few", isnan(ui_spc_limits(values, 9).mean));
}

/* clang-format off: a row of values, and what each point is: . common, + high, - low. */
static const struct { const char *name; double values[14]; size_t count; const char *marks; }
rows[] = {
    { "nothing",         { 5, 6, 5, 6, 5, 6, 5, 6, 5, 6 },                   10, ".........." },
    { "one far out",     { 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 30 },            12, "-----------+" },
    { "six on a side",   { 5, 7, 5, 7, 5, 7, 6.5, 7, 6.5, 7, 6.5, 5, 5, 5 }, 14, ".............." },
    { "seven on a side", { 5, 7, 5, 5, 7, 6.5, 7, 6.5, 7, 6.5, 7, 5, 4, 5 }, 14, "....+++++++..." },
    { "five steps up",   { 5, 4, 5, 6, 7, 8, 9, 4, 7, 4, 7, 4, 7, 5 },       14, ".............." },
    { "six steps up",    { 5, 4, 5, 6, 7, 8, 9, 10, 4, 9, 4, 9, 4, 9 },      14, "..++++++......" },
};
/* clang-format on */

TEST(special_causes_are_found_and_no_others)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        int marks[14];
        char got[15] = { 0 };
        struct ui_spc_limits limits = ui_spc_limits(rows[i].values, rows[i].count);
        ui_spc_mark(rows[i].values, rows[i].count, limits, marks);
        for (size_t k = 0; k < rows[i].count; k++)
            got[k] = marks[k] > 0 ? '+' : marks[k] < 0 ? '-' : '.';
        EXPECT_STR(rows[i].name, str_of(got), str_of(rows[i].marks));
    }
}

TEST(the_sentence_says_better_or_worse_only_where_that_is_known)
{
    const double values[] = { 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 30 };
    struct ui_spc spc = { .values = values, .count = 12, .target = NAN };
    static const struct { enum ui_better better; const char *begins; } ways[] = {
        { UI_BETTER_NEITHER, "Special cause: higher" },
        { UI_BETTER_HIGH, "Special cause, improving" },
        { UI_BETTER_LOW, "Special cause, concerning" },
    };
    int marks[12];
    struct ui_spc_limits limits = ui_spc_limits(values, 12);
    ui_spc_mark(values, 12, limits, marks);
    for (size_t i = 0; i < COUNT(ways); i++) {
        spc.better = ways[i].better;
        str said = ui_spc_sentence(cx->arena, &spc, limits, marks);
        EXPECT(ways[i].begins, str_starts(said, str_of(ways[i].begins)));
    }
}

TEST(a_gap_ends_a_run_and_is_drawn_as_one)
{
    const double values[] = { 5, 7, 5, 5, 7, 6.5, 7, NAN, 7, 6.5, 7, 5, 4, 5 };
    str labels[14];
    int marks[14];
    for (size_t i = 0; i < 14; i++)
        labels[i] = S("x");
    struct ui_spc_limits limits = ui_spc_limits(values, 14);
    ui_spc_mark(values, 14, limits, marks);
    for (size_t i = 0; i < 14; i++)
        EXPECT_INT("no mark", marks[i], 0);
    struct ui_spc spc = { .title = S("T"), .labels = labels, .values = values, .count = 14,
                          .target = NAN };
    struct buf out = buf_make(cx->arena, 1 << 16);
    ui_spc_draw(&out, &spc);
    EXPECT("table", str_find(buf_str(&out), S("<td class=\"is-number\">-</td>")) != STR_NONE);
}
