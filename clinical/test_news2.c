/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE news2
#include "base/test.h"
#include "clinical/news2.h"

#define MISS NEWS2_MISSING

/* clang-format off */
static const struct {
    const char *name; struct news2_obs obs; err err; int total; enum news2_risk risk;
} rows[] = {
    /*                      resp spo2 pulse bp temp O2 alert scale 2 */
    { "well adult",          { 16, 98,  72, 120, 370, 0, 1, false }, 0,  0, NEWS2_LOW },
    { "domain file, 0",      { 16, 98,  80, 120, 370, 0, 1, false }, 0,  0, NEWS2_LOW },
    { "domain file, 5",      { 21, 93,  95, 120, 375, 0, 1, false }, 0,  5, NEWS2_MEDIUM },
    { "domain file, 20",     { 25, 91, 131,  90, 350, 1, 0, false }, 0, 20, NEWS2_HIGH },
    { "breathing, 20",       { 20, 98,  72, 120, 370, 0, 1, false }, 0,  0, NEWS2_LOW },
    { "breathing, 21",       { 21, 98,  72, 120, 370, 0, 1, false }, 0,  2, NEWS2_LOW },
    { "one red score alone", { 25, 98,  72, 120, 370, 0, 1, false }, 0,  3, NEWS2_LOW_MEDIUM },
    { "new confusion alone", { 16, 98,  72, 120, 370, 0, 0, false }, 0,  3, NEWS2_LOW_MEDIUM },
    { "oxygen alone",        { 16, 98,  72, 120, 370, 1, 1, false }, 0,  2, NEWS2_LOW },
    { "four, no red",        { 21, 93,  72, 120, 370, 0, 1, false }, 0,  4, NEWS2_LOW },
    { "six",                 { 21, 93,  91, 120, 381, 0, 1, false }, 0,  6, NEWS2_MEDIUM },
    { "seven",               { 21, 93, 111, 120, 381, 0, 1, false }, 0,  7, NEWS2_HIGH },
    { "scale 2, 93% on air", { 16, 93,  72, 120, 370, 0, 1, true  }, 0,  0, NEWS2_LOW },
    { "scale 2, 93% on O2",  { 16, 93,  72, 120, 370, 1, 1, true  }, 0,  3, NEWS2_LOW },
    { "scale 2, 97% on air", { 16, 97,  72, 120, 370, 0, 1, true  }, 0,  0, NEWS2_LOW },
    { "scale 2, 97% on O2",  { 16, 97,  72, 120, 370, 1, 1, true  }, 0,  5, NEWS2_MEDIUM },
    { "scale 2, 88%",        { 16, 88,  72, 120, 370, 0, 1, true  }, 0,  0, NEWS2_LOW },
    { "scale 2, 87%",        { 16, 87,  72, 120, 370, 0, 1, true  }, 0,  1, NEWS2_LOW },
    { "scale 2, 83%",        { 16, 83,  72, 120, 370, 0, 1, true  }, 0,  3, NEWS2_LOW_MEDIUM },
    { "septic",              { 26, 91, 132,  88, 392, 1, 0, false }, 0, 19, NEWS2_HIGH },
    { "oxygen not recorded", { 16, 98,  72, 120, 370, MISS, 1, false }, ERR_INVALID, 0, NEWS2_LOW },
    { "alert not recorded",  { 16, 98,  72, 120, 370, 0, MISS, false }, ERR_INVALID, 0, NEWS2_LOW },
    { "spo2 of 101",         { 16, 101, 72, 120, 370, 0, 1, false }, ERR_INVALID, 0, NEWS2_LOW },
    { "temp in Fahrenheit",  { 16, 98,  72, 120, 986, 0, 1, false }, ERR_INVALID, 0, NEWS2_LOW },
    { "temp in degrees",     { 16, 98,  72, 120,  37, 0, 1, false }, ERR_INVALID, 0, NEWS2_LOW },
};
/* clang-format on */

TEST(news2_scores_the_chart)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct news2_score got = { 0 };
        EXPECT_INT(rows[i].name, news2_score(&cx->issues, &rows[i].obs, &got), rows[i].err);
        EXPECT_INT(rows[i].name, got.total, rows[i].total);
        EXPECT_INT(rows[i].name, got.risk, rows[i].risk);
    }
}

/*
 * The second formulation, written from the printed chart by its outermost columns inwards and not
 * from the tables: each function asks for the 3s, then the 2s, then the 1s.
 */
static int resp_again(int v)
{
    if (v <= 8 || v >= 25)
        return 3;
    if (v >= 21)
        return 2;
    return v <= 11 ? 1 : 0;
}

static int spo2_again(int v, bool scale2, bool oxygen)
{
    if (!scale2)
        return v <= 91 ? 3 : v <= 93 ? 2 : v <= 95 ? 1 : 0;
    if (v <= 83 || (oxygen && v >= 97))
        return 3;
    if (v <= 85 || (oxygen && v >= 95))
        return 2;
    return v <= 87 || (oxygen && v >= 93) ? 1 : 0;
}

static int systolic_again(int v)
{
    if (v <= 90 || v >= 220)
        return 3;
    return v <= 100 ? 2 : v <= 110 ? 1 : 0;
}

static int pulse_again(int v)
{
    if (v <= 40 || v >= 131)
        return 3;
    if (v >= 111)
        return 2;
    return v <= 50 || v >= 91 ? 1 : 0;
}

static int temp_again(int tenths)
{
    if (tenths <= 350)
        return 3;
    if (tenths >= 391)
        return 2;
    return tenths <= 360 || tenths >= 381 ? 1 : 0;
}

static void again(const struct news2_obs *o, int parts[NEWS2_PARTS])
{
    parts[NEWS2_RESP] = resp_again(o->resp_per_min);
    parts[NEWS2_SPO2] = spo2_again(o->spo2_pct, o->spo2_scale2, o->on_oxygen);
    parts[NEWS2_OXYGEN] = o->on_oxygen * 2;
    parts[NEWS2_SYSTOLIC] = systolic_again(o->systolic_mmhg);
    parts[NEWS2_PULSE] = pulse_again(o->pulse_per_min);
    parts[NEWS2_ALERT] = 3 - 3 * o->alert;
    parts[NEWS2_TEMP] = temp_again(o->temp_tenth_c);
}

static bool same_as_again(const struct news2_chart *chart, const struct news2_obs *obs)
{
    struct news2_score score;
    int parts[NEWS2_PARTS], total = 0;
    news2_add_up(chart, obs, &score);
    again(obs, parts);
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        total += parts[i];
        if (parts[i] != score.parts[i])
            return false;
    }
    return total == score.total;
}

/* Every value of every parameter: they only add, so one at a time is exhaustive; saturation is
 * tried with each scale and with and without oxygen. */
static bool agrees_everywhere(const struct news2_chart *chart)
{
    const struct news2_obs well = { 16, 98, 72, 120, 370, 0, 1, false };
    bool same = true;
    for (int v = 0; v <= 460; v++) {
        struct news2_obs obs[] = { well, well, well, well };
        obs[0].resp_per_min = v;
        obs[1].pulse_per_min = v;
        obs[2].systolic_mmhg = v;
        obs[3].temp_tenth_c = v;
        for (size_t i = 0; i < COUNT(obs); i++)
            same &= same_as_again(chart, &obs[i]);
    }
    for (int v = 0; v <= 100 * 8 + 7; v++) {
        struct news2_obs obs = well;
        obs.spo2_pct = v / 8;
        obs.spo2_scale2 = v & 1;
        obs.on_oxygen = v >> 1 & 1;
        obs.alert = v >> 2 & 1;
        same &= same_as_again(chart, &obs);
    }
    return same;
}

TEST(news2_agrees_with_a_second_formulation)
{
    EXPECT("every value", agrees_everywhere(&news2_chart));
}

TEST(news2_comparison_notices_each_moved_edge)
{
    static const char *const names[] = { "resp", "spo2 1", "spo2 2 air", "spo2 2 O2", "pulse",
                                         "systolic", "temp" };
    size_t moved_count = 0;
    for (size_t t = 0; t < COUNT(names); t++) {
        const struct band_table *table = &(&news2_chart.resp)[t];
        for (size_t row = 1; row < table->count; row++)
            for (int by = -1; by <= 1; by += 2) {
                struct news2_chart chart = news2_chart;
                struct band bands[16];
                memcpy(bands, table->rows, table->count * sizeof *bands);
                bands[row].from += by;
                (&chart.resp)[t].rows = bands;
                EXPECT(names[t], !agrees_everywhere(&chart));
                moved_count++;
            }
    }
    EXPECT_INT("edges moved each way", moved_count, 2 * 29);
}

/* One representative value a part and point: every total and every highest part there can be. */
TEST(news2_risk_follows_total_and_single_red)
{
    static const int resp[] = { 16, 9, 21, 25 }, spo2[] = { 96, 94, 92, 91 };
    static const int bp[] = { 111, 101, 91, 90 }, pulse[] = { 60, 91, 111, 131 };
    static const int temp[] = { 370, 381, 391, 350 };
    for (int i = 0; i < 4096; i++) {
        struct news2_obs obs = { resp[i & 3], spo2[i >> 2 & 3], pulse[i >> 4 & 3], bp[i >> 6 & 3],
                                 temp[i >> 8 & 3], i >> 10 & 1, !(i >> 11 & 1), false };
        int points[] = { i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6 & 3, i >> 8 & 3,
                         (i >> 10 & 1) * 2, (i >> 11 & 1) * 3 };
        int total = 0;
        bool red = false;
        for (size_t p = 0; p < COUNT(points); p++) {
            total += points[p];
            red |= points[p] == 3;
        }
        const char *expected =
            total > 6 ? "high" : total > 4 ? "medium" : red ? "low-medium" : "low";
        struct news2_score score = { 0 };
        EXPECT_INT("scores", news2_score(&cx->issues, &obs, &score), ERR_OK);
        EXPECT_INT("total", score.total, total);
        EXPECT_STR("risk", str_of(news2_risk_name(score.risk)), str_of(expected));
    }
}

TEST(news2_names_every_missing_value)
{
    struct news2_obs none = { MISS, MISS, MISS, MISS, MISS, MISS, MISS, false };
    struct news2_score score = { .total = 77 };
    EXPECT_INT("refused", news2_score(&cx->issues, &none, &score), ERR_INVALID);
    EXPECT_INT("one issue each", cx->issues.count, NEWS2_PARTS);
    EXPECT_INT("untouched", score.total, 77);
}

TEST(news2_incomplete_set_has_a_floor_not_a_total)
{
    struct news2_obs obs = { 25, 91, MISS, 120, 370, MISS, 1, false };
    struct news2_obs open = { 16, 97, 72, 120, 370, MISS, 1, true };
    size_t missing;
    EXPECT_INT("floor", news2_floor(&obs, &missing), 6);
    EXPECT_INT("missing", missing, 2);
    EXPECT_INT("scale 2 high saturation, oxygen unknown", news2_floor(&open, &missing), 0);
    open.spo2_pct = 85;
    EXPECT_INT("scale 2 low saturation, oxygen unknown", news2_floor(&open, &missing), 2);
}

TEST(news2_is_refused_to_children_and_in_pregnancy)
{
    EXPECT_INT("15", news2_check_person(&cx->issues, (struct news2_person){ 15, 0, 0 }), ERR_RULE);
    EXPECT_INT("16", news2_check_person(&cx->issues, (struct news2_person){ 16, 0, 0 }), ERR_OK);
    EXPECT_INT("pregnant", news2_check_person(&cx->issues, (struct news2_person){ 30, 1, 0 }),
               ERR_RULE);
    EXPECT_INT("spinal", news2_check_person(&cx->issues, (struct news2_person){ 30, 0, 1 }),
               ERR_RULE);
    EXPECT_INT("unknown", news2_check_person(&cx->issues,
                                             (struct news2_person){ MISS, MISS, MISS }), ERR_OK);
}

TEST(news2_response_rows_follow_the_guideline)
{
    static const struct {
        int total, highest, every_min;
        bool confirmed;
        const char *name;
    } asks[] = {
        { 0, 0, 720, false, "routine" },   { 1, 1, 360, false, "ward" },
        { 4, 2, 360, false, "ward" },      { 3, 3, 60, true, "single red score" },
        { 4, 3, 60, true, "single red score" }, { 5, 2, 60, true, "urgent" },
        { 6, 3, 60, true, "urgent" },      { 7, 2, 0, true, "emergency" },
        { 20, 3, 0, true, "emergency" },
    };
    for (size_t i = 0; i < COUNT(asks); i++) {
        const struct news2_response *row = news2_respond(asks[i].total, asks[i].highest);
        EXPECT_STR(asks[i].name, str_of(row->name), str_of(asks[i].name));
        EXPECT_INT(asks[i].name, row->every_min, asks[i].every_min);
        EXPECT_INT(asks[i].name, row->confirmed, asks[i].confirmed);
    }
}

/* UK Core's example bundle scores 37.5 °C as 1 and so sends 6; the chart gives 5. */
TEST(news2_of_the_uk_core_example_is_inconsistent)
{
    struct news2_obs obs = { 21, 93, 95, 120, 375, 0, 1, false };
    const int sent[NEWS2_PARTS] = {
        [NEWS2_RESP] = 2, [NEWS2_SPO2] = 2, [NEWS2_PULSE] = 1, [NEWS2_TEMP] = 1,
    };
    const int right[NEWS2_PARTS] = { [NEWS2_RESP] = 2, [NEWS2_SPO2] = 2, [NEWS2_PULSE] = 1 };
    EXPECT("total alone", !news2_agrees(&cx->issues, &obs, 6, NULL));
    EXPECT("with its parts", !news2_agrees(&cx->issues, &obs, 6, sent));
    EXPECT_INT("temp and total, twice the total", cx->issues.count, 3);
    EXPECT("right total, wrong part", !news2_agrees(&cx->issues, &obs, 5, sent));
    EXPECT("right", news2_agrees(&cx->issues, &obs, 5, right));
}
