/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE mews
#include "base/clock.h"
#include "base/test.h"
#include "clinical/mews.h"

/* Invented thresholds: this is a test of the frame, not a chart. */
#define HEADS "# a remark\ntable: test 1\nsource: nobody\n"
#define ROWS "band: resp 0 2\nband: resp 10 0\nband: resp 21 1\nband: alert 0 3\nband: alert 1 0\n"
#define BY "signed-by: A Tester\nsigned-on: 2026-01-02\n"
#define FROM_TO(from, to) "effective: " from "\nexpires: " to "\n"
#define SIGNED HEADS FROM_TO("2026-02-01", "2027-02-01") ROWS BY

static int64_t noon_ms(int year, int month, int day)
{
    return clock_from_civil((struct clock_civil){ year, month, day, 12, 0, 0, 0 });
}

TEST(mews_refuses_to_score_without_a_signed_table)
{
    struct mews_obs obs = { { 16, 97, 120, 70, 80, 370, 1 } };
    struct mews_score score = { .total = 77 };
    struct mews_table table;
    cx->now_ms = noon_ms(2026, 6, 1);
    EXPECT_INT("no table", mews_score(&cx->issues, NULL, &obs, &score), ERR_RULE);
    EXPECT_INT("nobody signed",
               mews_table_parse(cx, S(HEADS FROM_TO("2026-02-01", "2027-02-01") ROWS), &table),
               ERR_RULE);
    EXPECT_INT("untouched", score.total, 77);
}

TEST(mews_table_holds_from_its_first_day_to_the_day_before_it_expires)
{
    static const struct { const char *name; int year, month, day; err err; } rows[] = {
        { "the day before", 2026, 1, 31, ERR_RULE }, { "first day", 2026, 2, 1, ERR_OK },
        { "last day", 2027, 1, 31, ERR_OK },         { "expired", 2027, 2, 1, ERR_RULE },
    };
    struct mews_table table;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cx->now_ms = noon_ms(rows[i].year, rows[i].month, rows[i].day);
        EXPECT_INT(rows[i].name, mews_table_parse(cx, S(SIGNED), &table), rows[i].err);
    }
    cx->now_ms = noon_ms(2026, 6, 1);
    EXPECT_INT("never expires", mews_table_parse(cx, S(HEADS "effective: 2026-02-01\n" ROWS BY),
                                                 &table), ERR_INVALID);
    EXPECT_INT("no day", mews_table_parse(cx, S(HEADS FROM_TO("2026-02-01", "next year") ROWS BY),
                                          &table), ERR_INVALID);
}

TEST(mews_scores_by_the_table_it_was_given)
{
    struct mews_obs obs = { { 21, MEWS_MISSING, MEWS_MISSING, MEWS_MISSING, MEWS_MISSING,
                              MEWS_MISSING, 0 } };
    struct mews_score score;
    struct mews_table table;
    cx->now_ms = noon_ms(2026, 6, 1);
    EXPECT_INT("signed", mews_table_parse(cx, S(SIGNED), &table), ERR_OK);
    EXPECT_INT("scores", mews_score(&cx->issues, &table, &obs, &score), ERR_OK);
    EXPECT_INT("total", score.total, 4);
    EXPECT_INT("highest", score.highest, 3);
    EXPECT_INT("not in the table", score.parts[MEWS_PULSE], MEWS_MISSING);
    obs.values[MEWS_RESP] = 20;
    EXPECT_INT("edge", mews_score(&cx->issues, &table, &obs, &score), ERR_OK);
    EXPECT_INT("edge", score.total, 3);
    obs.values[MEWS_RESP] = MEWS_MISSING;
    EXPECT_INT("missing", mews_score(&cx->issues, &table, &obs, &score), ERR_INVALID);
}

TEST(mews_names_the_bad_line_of_a_table)
{
    static const char *const bad[] = {
        "band: mood 1 2\n", "band: resp 1\n", "band: resp 1 2 3\n", "band: resp x 2\n",
        "band: resp 0 1\nband: resp 0 2\n", "band: resp 0 1\nband: alert 0 0\nband: resp 9 1\n",
        "band: resp 5 1\n",
        "colour: red\n", "no colon\n", "table: a\ntable: b\n", "",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mews_table table;
        EXPECT_INT(bad[i], mews_table_parse(cx, str_of(bad[i]), &table), ERR_INVALID);
    }
}
