/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE fluid
#include "base/test.h"
#include "clinical/fluid.h"

enum { HOUR_MS = 3600000 };

static const struct { const char *name; int ml, minutes, grams; err err; enum fluid_aki stage; }
rows[] = {
    /* 70 kg: 0.5 mL/kg/h is 35 mL an hour, 0.3 is 21 */
    { "plenty",              600,  360, 70000, 0, FLUID_AKI_NONE },
    { "0.5 exactly, 6 h",    210,  360, 70000, 0, FLUID_AKI_NONE },
    { "just under, 6 h",     209,  360, 70000, 0, FLUID_AKI_1 },
    { "just under, 5 h 59",  208,  359, 70000, 0, FLUID_AKI_UNKNOWN },
    { "0.5 exactly, 12 h",   420,  720, 70000, 0, FLUID_AKI_NONE },
    { "just under, 12 h",    419,  720, 70000, 0, FLUID_AKI_2 },
    { "just under, 11 h 59", 419,  719, 70000, 0, FLUID_AKI_1 },
    { "none, 12 h",            0,  720, 70000, 0, FLUID_AKI_3 },
    { "none, 11 h 59",         0,  719, 70000, 0, FLUID_AKI_1 },
    { "0.3 exactly, 24 h",   504, 1440, 70000, 0, FLUID_AKI_2 },
    { "under 0.3, 24 h",     503, 1440, 70000, 0, FLUID_AKI_3 },
    { "under 0.3, 23 h 59",  500, 1439, 70000, 0, FLUID_AKI_2 },
    { "no weight",           500, 1440,     0, ERR_INVALID, FLUID_AKI_UNKNOWN },
    { "negative urine",       -1, 1440, 70000, ERR_INVALID, FLUID_AKI_UNKNOWN },
};

TEST(fluid_grades_urine_by_weight_and_time)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum fluid_aki stage = FLUID_AKI_UNKNOWN;
        EXPECT_INT(rows[i].name, fluid_urine_stage(&cx->issues, rows[i].ml, rows[i].minutes,
                                                   rows[i].grams, &stage), rows[i].err);
        EXPECT_INT(rows[i].name, stage, rows[i].stage);
    }
}

/* The criteria again by their edges in millilitres, for a patient of 60 kg: 0.5 mL/kg/h is half a
 * millilitre a minute, 0.3 is three tenths. */
static enum fluid_aki again(int ml, int minutes)
{
    if (2 * ml >= minutes)
        return FLUID_AKI_NONE;
    if (minutes < 360)
        return FLUID_AKI_UNKNOWN;
    if (minutes < 720)
        return FLUID_AKI_1;
    if (ml == 0)
        return FLUID_AKI_3;
    return minutes < 1440 || 10 * ml >= 3 * minutes ? FLUID_AKI_2 : FLUID_AKI_3;
}

/* Every volume, and every minute near an edge with some between. */
static bool agrees_everywhere(const struct fluid_criterion *criteria)
{
    for (int minutes = 30; minutes <= 1500; minutes++) {
        int from_hour = minutes % 60;
        if (from_hour != 0 && from_hour != 1 && from_hour != 59 && from_hour != 30)
            continue;
        for (int ml = 0; ml <= 800; ml++)
            if (fluid_stage_by(criteria, ml, minutes, 60000) != again(ml, minutes))
                return false;
    }
    return true;
}

TEST(fluid_stages_agree_with_a_second_formulation)
{
    EXPECT("every volume", agrees_everywhere(fluid_criteria));
    enum fluid_aki stage;
    EXPECT_INT("by the front door", fluid_urine_stage(&cx->issues, 179, 360, 60000, &stage), 0);
    EXPECT_INT("by the front door", stage, again(179, 360));
}

TEST(fluid_comparison_notices_each_moved_edge)
{
    size_t moved = 0;
    for (size_t row = 0; row < fluid_criteria_count; row++)
        for (int by = -1; by <= 1; by += 2)
            for (int rate = 0; rate < 2; rate++, moved++) {
                struct fluid_criterion criteria[8];
                memcpy(criteria, fluid_criteria, fluid_criteria_count * sizeof *criteria);
                *(rate ? &criteria[row].under_tenth : &criteria[row].over_min) += by;
                if (criteria[row].under_tenth < 0)
                    continue; /* less than no urine is not to be had */
                EXPECT(rate ? "rate" : "time", !agrees_everywhere(criteria));
            }
    EXPECT_INT("each edge both ways", moved, 16);
}

TEST(fluid_balance_adds_and_counts_what_was_not_measured)
{
    const struct fluid_entry chart[] = {
        { 0, 200, FLUID_ORAL, false, false },      { HOUR_MS, 500, FLUID_IV, true, false },
        { HOUR_MS, 350, FLUID_URINE, false, false },
        { HOUR_MS, FLUID_UNMEASURED, FLUID_STOOL, false, false },
        { HOUR_MS, 900, FLUID_ORAL, false, true }, /* in error: not added */
        { 2 * HOUR_MS, 1000, FLUID_IV, true, false }, /* at the end: the next period's */
    };
    struct fluid_total total;
    EXPECT_INT("ok", fluid_balance(&cx->issues, chart, COUNT(chart), 0, 2 * HOUR_MS, &total), 0);
    EXPECT_INT("in", total.intake_ml, 700);
    EXPECT_INT("out", total.output_ml, 350);
    EXPECT_INT("balance", total.balance_ml, 350);
    EXPECT_INT("unmeasured", total.unmeasured, 1);
    struct fluid_entry wrong = { 0, 30000, FLUID_IV, false, false };
    EXPECT_INT("30 litres", fluid_balance(&cx->issues, &wrong, 1, 0, 1, &total), ERR_INVALID);
    EXPECT_INT("untouched", total.intake_ml, 700);
}

TEST(fluid_twins_are_one_volume_recorded_twice)
{
    struct fluid_entry pump = { 0, 500, FLUID_IV, true, false }, nurse = pump;
    nurse.by_device = false;
    nurse.at_ms = 30 * 60000;
    EXPECT("half an hour", fluid_is_twin(&pump, &nurse));
    nurse.at_ms++;
    EXPECT("later", !fluid_is_twin(&pump, &nurse));
    nurse.at_ms = 0;
    nurse.volume_ml = 499;
    EXPECT("another volume", !fluid_is_twin(&pump, &nurse));
}

TEST(fluid_oliguria_needs_a_whole_window)
{
    struct fluid_entry chart[13];
    enum fluid_aki stage;
    for (int i = 0; i < 13; i++)
        chart[i] = (struct fluid_entry){ (int64_t)i * HOUR_MS, 30, FLUID_URINE, false, false };
    EXPECT_INT("ok", fluid_oliguria(&cx->issues, chart, 6, 0, 70000, &stage), ERR_OK);
    EXPECT_INT("five hours charted", stage, FLUID_AKI_UNKNOWN);
    EXPECT_INT("ok", fluid_oliguria(&cx->issues, chart, 7, 0, 70000, &stage), ERR_OK);
    EXPECT_INT("six hours", stage, FLUID_AKI_1);
    EXPECT_INT("ok", fluid_oliguria(&cx->issues, chart, 13, 0, 70000, &stage), ERR_OK);
    EXPECT_INT("twelve hours", stage, FLUID_AKI_2);
    chart[12].volume_ml = FLUID_UNMEASURED;
    EXPECT_INT("ok", fluid_oliguria(&cx->issues, chart, 13, 0, 70000, &stage), ERR_OK);
    EXPECT_INT("one unmeasured", stage, FLUID_AKI_UNKNOWN);
    EXPECT_INT("ok", fluid_oliguria(&cx->issues, NULL, 0, 0, 70000, &stage), ERR_OK);
    EXPECT_INT("no urine charted", stage, FLUID_AKI_UNKNOWN);
}
