/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE mews
#include "base/test.h"
#include "clinical/mews.h"

/* Invented thresholds: this is a test of the frame, not a chart. */
#define ROWS "# a remark\ntable: test 1\nsource: nobody\neffective: 2026-01-01\n" \
             "band: resp 0 2\nband: resp 10 0\nband: resp 21 1\nband: alert 0 3\nband: alert 1 0\n"
#define SIGNED ROWS "signed-by: A Tester\nsigned-on: 2026-01-02\n"

static str with_digest(struct ctx *cx, const char *text)
{
    return arena_printf(cx->arena, "%sdigest: %016llx\n", text,
                        (unsigned long long)mews_digest(str_of(text)));
}

TEST(mews_refuses_to_score_without_a_signed_table)
{
    struct mews_obs obs = { { 16, 97, 120, 70, 80, 370, 1 } };
    struct mews_score score = { .total = 77 };
    struct mews_table table;
    EXPECT_INT("no table", mews_score(&cx->issues, NULL, &obs, &score), ERR_RULE);
    EXPECT_INT("unsigned", mews_table_parse(cx, S(ROWS), &table), ERR_RULE);
    EXPECT_INT("no digest", mews_table_parse(cx, S(SIGNED), &table), ERR_RULE);
    EXPECT_INT("changed since", mews_table_parse(cx, S(SIGNED "digest: 0000000000000000\n"),
                                                 &table), ERR_RULE);
    EXPECT_INT("untouched", score.total, 77);
}

TEST(mews_scores_by_the_table_it_was_given)
{
    struct mews_obs obs = { { 21, MEWS_MISSING, MEWS_MISSING, MEWS_MISSING, MEWS_MISSING,
                              MEWS_MISSING, 0 } };
    struct mews_score score;
    struct mews_table table;
    EXPECT_INT("signed", mews_table_parse(cx, with_digest(cx, SIGNED), &table), ERR_OK);
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
        "band: resp 5 1\nband: resp 5 2\n", "band: resp 5 1\nband: alert 0 0\nband: resp 9 1\n",
        "colour: red\n", "no colon\n", "table: a\ntable: b\n", "",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mews_table table;
        EXPECT_INT(bad[i], mews_table_parse(cx, str_of(bad[i]), &table), ERR_INVALID);
    }
}
