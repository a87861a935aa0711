/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE gcs
#include "base/test.h"
#include "clinical/gcs.h"

#define NT GCS_NOT_TESTABLE

static const struct {
    const char *name; struct gcs_obs obs; err err; int total; enum gcs_band band;
} rows[] = {
    { "awake", { { 4, 5, 6 } }, 0, 15, GCS_MILD },
    { "13", { { 3, 4, 6 } }, 0, 13, GCS_MILD },
    { "12", { { 3, 3, 6 } }, 0, 12, GCS_MODERATE },
    { "9", { { 2, 2, 5 } }, 0, 9, GCS_MODERATE },
    { "8", { { 2, 2, 4 } }, 0, 8, GCS_SEVERE },
    { "lowest", { { 1, 1, 1 } }, 0, 3, GCS_SEVERE },
    { "tube", { { 4, NT, 6 } }, 0, GCS_MISSING, GCS_UNKNOWN },
    { "missing", { { 4, GCS_MISSING, 6 } }, ERR_INVALID, 0, GCS_UNKNOWN },
    { "eyes 5", { { 5, 5, 6 } }, ERR_INVALID, 0, GCS_UNKNOWN },
};

TEST(gcs_adds_up_or_says_why_not)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gcs_score got = { 0 };
        EXPECT_INT(rows[i].name, gcs_score(&cx->issues, &rows[i].obs, &got), rows[i].err);
        EXPECT_INT(rows[i].name, got.total, rows[i].total);
        EXPECT_INT(rows[i].name, got.band, rows[i].band);
    }
}

/* All 4 x 5 x 6 answers; the bands are named by their edges, not by the code's comparison. */
TEST(gcs_bands_hold_for_every_answer)
{
    static const char bands[] = "   SSSSSSMMMMLLL";
    for (int i = 0; i < 120; i++) {
        struct gcs_obs obs = { { 1 + i % 4, 1 + i / 4 % 5, 1 + i / 20 } };
        struct gcs_score got = { 0 };
        EXPECT_INT("valid", gcs_score(&cx->issues, &obs, &got), ERR_OK);
        EXPECT_INT("total", got.total, 3 + i % 4 + i / 4 % 5 + i / 20);
        EXPECT_INT("band", " SML"[got.band], bands[got.total]);
    }
}

/*
 * The second formulation: bands as a strip of letters by total, intervals as a staircase, falls by
 * counting what is lost. Written from the wording, not from the chart.
 */
static int band_again(int eyes, int verbal, int motor)
{
    if (eyes < 1 || verbal < 1 || motor < 1 || eyes > 4 || verbal > 5 || motor > 6)
        return '?';
    return "SSSSSSMMMMLLL"[eyes + verbal + motor - 3];
}

static bool bands_agree(const struct gcs_chart *chart)
{
    bool same = true;
    for (int i = 0; i < 7 * 8 * 9; i++) {
        int eyes = i % 7 - 1, verbal = i / 7 % 8 - 1, motor = i / 56 - 1;
        struct gcs_obs obs = { { eyes, verbal, motor } };
        same &= "?SML"[gcs_band_by(chart, &obs)] == band_again(eyes, verbal, motor);
    }
    return same;
}

static bool intervals_agree(const struct gcs_chart *chart)
{
    bool same = true;
    for (int total = 3; total <= 15; total++)
        for (int minutes = 0; minutes <= 500; minutes++) {
            int wanted = total < 15 ? 30 : minutes >= 6 * 60 ? 120 : minutes >= 2 * 60 ? 60 : 30;
            same &= gcs_every_min_by(chart, total, minutes) == wanted;
        }
    return same;
}

/* Every pair of answers, none not testable; asked at once, just before and at half an hour. */
static bool falls_agree(const struct gcs_chart *chart)
{
    static const int asked[] = { 0, 28, 29, 30, 31 };
    bool same = true;
    for (int i = 0; i < 120 * 120; i++) {
        int a = i % 120, b = i / 120;
        struct gcs_obs was = { { 1 + a % 4, 1 + a / 4 % 5, 1 + a / 20 } };
        struct gcs_obs now = { { 1 + b % 4, 1 + b / 4 % 5, 1 + b / 20 } };
        int eyes = a % 4 - b % 4, verbal = a / 4 % 5 - b / 4 % 5, motor = a / 20 - b / 20;
        bool steep = eyes > 2 || verbal > 2 || motor > 1;
        bool fallen = eyes + verbal + motor > 0;
        for (size_t k = 0; k < COUNT(asked); k++)
            same &= gcs_fall_by(chart, &was, &now, asked[k]) ==
                    (steep || (fallen && asked[k] * 60 >= 1800));
    }
    return same;
}

static bool agrees_everywhere(const struct gcs_chart *chart)
{
    return bands_agree(chart) && intervals_agree(chart) && falls_agree(chart);
}

TEST(gcs_agrees_with_a_second_formulation)
{
    EXPECT("every answer", agrees_everywhere(&gcs_chart));
}

TEST(gcs_comparison_notices_each_moved_edge)
{
    static const char *const names[] = {
        "eyes", "verbal", "motor", "severe", "moderate", "half-hourly", "hourly", "eyes fall",
        "verbal fall", "motor fall", "fall", "fall lasting",
    };
    cr_assert(sizeof gcs_chart == COUNT(names) * sizeof(int), "an edge has no name here");
    for (size_t i = 0; i < COUNT(names); i++)
        for (int by = -1; by <= 1; by += 2) {
            int edges[COUNT(names)];
            struct gcs_chart chart;
            memcpy(edges, &gcs_chart, sizeof edges);
            edges[i] += by;
            memcpy(&chart, edges, sizeof chart);
            EXPECT(names[i], !agrees_everywhere(&chart));
        }
}

TEST(gcs_head_injury_intervals_and_falls)
{
    EXPECT_INT("14", gcs_head_injury_every_min(14, 999), 30);
    EXPECT_INT("15 for 119 minutes", gcs_head_injury_every_min(15, 119), 30);
    EXPECT_INT("15 for 2 hours", gcs_head_injury_every_min(15, 120), 60);
    EXPECT_INT("15 for 359 minutes", gcs_head_injury_every_min(15, 359), 60);
    EXPECT_INT("15 for 6 hours", gcs_head_injury_every_min(15, 360), 120);
    struct gcs_obs well = { { 4, 5, 6 } };
    struct gcs_obs one = { { 4, 4, 6 } }, motor = { { 4, 5, 4 } }, eyes = { { 1, 5, 6 } };
    struct gcs_obs tube = { { 4, NT, 6 } };
    EXPECT("one point, new", !gcs_fall_is_urgent(&well, &one, 29));
    EXPECT("one point, half an hour", gcs_fall_is_urgent(&well, &one, 30));
    EXPECT("motor by two", gcs_fall_is_urgent(&well, &motor, 0));
    EXPECT("eyes by three", gcs_fall_is_urgent(&well, &eyes, 0));
    EXPECT("not testable is no fall", !gcs_fall_is_urgent(&well, &tube, 60));
    EXPECT("a rise is no fall", !gcs_fall_is_urgent(&one, &well, 60));
    EXPECT_STR("words", str_of(gcs_word(GCS_VERBAL, 4)), S("confused"));
    EXPECT("no such", gcs_word(GCS_EYES, 5) == NULL);
}
