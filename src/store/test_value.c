/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE value
#include "base/test.h"
#include "base/clock.h"
#include "store/value.h"

/* clang-format off */
static const struct { const char *text, *lo, *hi; enum index_at precision; } dates[] = {
    { "2020",                      "2020-01-01T00:00:00", "2020-12-31T23:59:59.999Z", AT_YEAR },
    { "2020-02",                   "2020-02-01T00:00:00", "2020-02-29T23:59:59.999Z", AT_MONTH },
    { "2019-02",                   "2019-02-01T00:00:00", "2019-02-28T23:59:59.999Z", AT_MONTH },
    { "1969-12-31",                "1969-12-31T00:00:00", "1969-12-31T23:59:59.999Z", AT_DAY },
    { "2020-01-01T10:30",          "2020-01-01T10:30:00", "2020-01-01T10:30:59.999Z", AT_MINUTE },
    { "2020-01-01T10:30:15+01:00", "2020-01-01T09:30:15", "2020-01-01T09:30:15.999Z", AT_SECOND },
    { "2020-01-01T10:30:15.5Z",    "2020-01-01T10:30:15.500", "2020-01-01T10:30:15.500Z", AT_MS },
};
/* clang-format on */

TEST(a_date_is_the_range_its_precision_stands_for)
{
    for (size_t i = 0; i < COUNT(dates); i++) {
        struct value_span span = { 0 };
        char lo[CLOCK_TEXT], hi[CLOCK_TEXT];
        EXPECT(dates[i].text, value_date(str_of(dates[i].text), &span));
        clock_write(span.lo, lo);
        clock_write(span.hi, hi);
        EXPECT(dates[i].text, str_starts((str){ lo, CLOCK_TEXT }, str_of(dates[i].lo)));
        EXPECT_STR(dates[i].text, ((str){ hi, CLOCK_TEXT }), str_of(dates[i].hi));
        EXPECT_INT(dates[i].text, span.precision, dates[i].precision);
        EXPECT_INT(dates[i].text, index_at_lo(value_at(span)), span.lo);
        EXPECT_INT(dates[i].text, index_at_hi(value_at(span)), span.hi);
    }
}

TEST(what_is_not_a_date_is_refused)
{
    static const char *const bad[] = { "", "20", "2020-13", "2020-02-30", "2020-1-1",
                                       "2020-01-01T", "2020-01-01T25:00", "2020-01-01Tx", "0000",
                                       "2020-01-01T10:00:00." };
    struct value_span span;
    for (size_t i = 0; i < COUNT(bad); i++)
        EXPECT(bad[i], !value_date(str_of(bad[i]), &span));
}

TEST(a_number_is_the_range_its_digits_stand_for)
{
    static const struct { const char *text; double value, lo, hi; } rows[] = {
        { "100", 100, 99.5, 100.5 }, { "5.40", 5.40, 5.395, 5.405 }, { "5.4", 5.4, 5.35, 5.45 },
        { "1e2", 100, 50, 150 },     { "-2", -2, -2.5, -1.5 },       { "0", 0, -0.5, 0.5 },
        { "0.0", 0, -0.05, 0.05 },   { "1.0e-1", 0.1, 0.095, 0.105 }, { "10", 10, 9.5, 10.5 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value_number got = { 0 };
        EXPECT(rows[i].text, value_number(str_of(rows[i].text), &got));
        cr_expect(got.value == rows[i].value && got.lo == rows[i].lo && got.hi == rows[i].hi,
                  "%s is %g in [%g, %g]", rows[i].text, got.value, got.lo, got.hi);
    }
    struct value_number got;
    EXPECT("word", !value_number(S("abc"), &got) && !value_number(S("1."), &got) &&
                       !value_number(S("1e"), &got) && !value_number(S("."), &got) &&
                       !value_number(S("--1"), &got));
}

TEST(folding_forgets_case_accents_and_width)
{
    static const struct { const char *text, *folded; } rows[] = {
        { "SMITH", "smith" }, { "Jos\xc3\xa9", "jose" },
        { "  O'Neil \t van  Dyk ", "o'neil van dyk" }, { "plain one", "plain one" },
        { "Stra\xc3\x9f" "e", "strasse" }, { "\xef\xbc\xa1\xef\xbd\x82", "ab" },
        { "\xc3\x89", "e" }, { "E\xcc\x81", "e" }, { "", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].text, value_fold(cx->arena, str_of(rows[i].text)),
                   str_of(rows[i].folded));
}

TEST(span_classes_hold_what_their_limit_says)
{
    EXPECT_INT("instant", value_span_class(5, 5), 0);
    EXPECT_INT("a day", value_span_class(0, 86399999), 0);
    EXPECT_INT("a day and a bit", value_span_class(0, 86400000), 1);
    EXPECT_INT("open", value_span_class(DAY_MIN, DAY_MAX), 4);
}
