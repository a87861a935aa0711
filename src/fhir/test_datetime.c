/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE datetime
#include "base/test.h"
#include "base/clock.h"
#include "fhir/datetime.h"

static str instant(struct arena *arena, int64_t at_ms)
{
    char *text = arena_alloc(arena, CLOCK_TEXT);
    clock_write(at_ms, text);
    return (str){ text, CLOCK_TEXT };
}

TEST(a_partial_date_covers_all_of_itself)
{
    static const struct {
        const char *text, *low, *high;
        enum datetime_precision precision;
    } rows[] = {
        { "2026", "2026-01-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z", DATETIME_YEAR },
        { "0001", "0001-01-01T00:00:00.000Z", "0001-12-31T23:59:59.999Z", DATETIME_YEAR },
        { "9999", "9999-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", DATETIME_YEAR },
        { "2024-02", "2024-02-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", DATETIME_MONTH },
        { "2023-02", "2023-02-01T00:00:00.000Z", "2023-02-28T23:59:59.999Z", DATETIME_MONTH },
        { "2026-11-22", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z", DATETIME_DAY },
        { "2026-11-22T07:35", "2026-11-22T07:35:00.000Z", "2026-11-22T07:35:59.999Z",
          DATETIME_MINUTE },
        { "2026-11-22T07:35:10Z", "2026-11-22T07:35:10.000Z", "2026-11-22T07:35:10.999Z",
          DATETIME_SECOND },
        { "2026-11-22T07:35:10+01:00", "2026-11-22T06:35:10.000Z", "2026-11-22T06:35:10.999Z",
          DATETIME_SECOND },
        { "2026-01-01T00:30:00+14:00", "2025-12-31T10:30:00.000Z", "2025-12-31T10:30:00.999Z",
          DATETIME_SECOND },
        { "2026-11-22T23:30:00-05:30", "2026-11-23T05:00:00.000Z", "2026-11-23T05:00:00.999Z",
          DATETIME_SECOND },
        { "2026-11-22T07:35:10.5Z", "2026-11-22T07:35:10.500Z", "2026-11-22T07:35:10.599Z",
          DATETIME_MS },
        { "2026-11-22T07:35:10.25Z", "2026-11-22T07:35:10.250Z", "2026-11-22T07:35:10.259Z",
          DATETIME_MS },
        { "2026-11-22T07:35:10.123456789Z", "2026-11-22T07:35:10.123Z",
          "2026-11-22T07:35:10.123Z", DATETIME_MS },
        { "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z", "2016-12-31T23:59:59.999Z",
          DATETIME_SECOND },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct datetime got = { 0 };
        EXPECT(rows[i].text, datetime_parse(str_of(rows[i].text), DATETIME_AS_SEARCH, &got));
        EXPECT_STR(rows[i].text, instant(cx->arena, got.low_ms), str_of(rows[i].low));
        EXPECT_STR(rows[i].text, instant(cx->arena, got.high_ms), str_of(rows[i].high));
        EXPECT_INT(rows[i].text, got.precision, rows[i].precision);
    }
}

TEST(each_type_takes_only_its_own_form)
{
    enum { DATE = 1, DATE_TIME = 2, INSTANT = 4, SEARCH = 8 };
    static const struct {
        const char *text;
        int forms;
    } rows[] = {
        { "2026", DATE | DATE_TIME | SEARCH },
        { "2026-11", DATE | DATE_TIME | SEARCH },
        { "2026-11-22", DATE | DATE_TIME | SEARCH },
        { "2026-11-22T07:35", SEARCH },
        { "2026-11-22T07:35Z", SEARCH },
        { "2026-11-22T07:35:10", SEARCH },
        { "2026-11-22T07:35:10Z", DATE_TIME | INSTANT | SEARCH },
        { "2026-11-22T07:35:10.1+00:00", DATE_TIME | INSTANT | SEARCH },
        { "2026-11-22T24:00:00Z", 0 },
        { "2026-11-22T07:60:00Z", 0 },
        { "2026-11-22T07:35:61Z", 0 },
        { "2026-11-22T07:35:10.Z", 0 },
        { "2026-11-22T07:35:10+14:01", 0 },
        { "2026-11-22T07:35:10+0100", 0 },
        { "2026-11-22T07:35:10z", 0 },
        { "2026-11-22t07:35:10Z", 0 },
        { "2026-11-22 07:35:10Z", 0 },
        { "2026-11-22T", 0 },
        { "2026-11-22Z", 0 },
        { "2026-02-29", 0 },
        { "2026-13", 0 },
        { "2026-00", 0 },
        { "2026-1", 0 },
        { "2026-01-00", 0 },
        { "0000", 0 },
        { "26", 0 },
        { "", 0 },
        { "20260101", 0 },
        { " 2026", 0 },
        { "2026 ", 0 },
        { "-2026", 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int form = DATETIME_AS_DATE; form <= DATETIME_AS_SEARCH; form++) {
            struct datetime got;
            bool parsed = datetime_parse(str_of(rows[i].text), (enum datetime_form)form, &got);
            EXPECT_INT(rows[i].text, parsed, (rows[i].forms >> form) & 1);
        }
}

TEST(time_of_day_needs_seconds)
{
    int64_t ms = 0;
    enum datetime_precision precision;
    EXPECT("plain", datetime_parse_time(S("07:35:10"), &ms, &precision));
    EXPECT_INT("plain", ms, 27310000);
    EXPECT("fraction", datetime_parse_time(S("23:59:59.25"), &ms, &precision));
    EXPECT_INT("fraction", ms, 86399250);
    EXPECT("minutes only", !datetime_parse_time(S("07:35"), &ms, &precision));
    EXPECT("zone", !datetime_parse_time(S("07:35:10Z"), &ms, &precision));
    EXPECT("24", !datetime_parse_time(S("24:00:00"), &ms, &precision));
}
