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
