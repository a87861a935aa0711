/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE london
#include "base/test.h"
#include "clinical/london.h"

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return clock_from_civil((struct clock_civil){ year, month, day, hour, minute, 0, 0 });
}

static str shown(struct ctx *cx, int64_t at_ms)
{
    char *text = arena_alloc(cx->arena, LONDON_TEXT);
    london_write(at_ms, text);
    return (str){ text, LONDON_TEXT };
}

TEST(london_wall_clock_over_both_changes)
{
    EXPECT_STR("winter", shown(cx, utc(2026, 1, 5, 9, 30)), S("2026-01-05T09:30:00.000+00:00"));
    EXPECT_STR("summer", shown(cx, utc(2026, 7, 5, 9, 30)), S("2026-07-05T10:30:00.000+01:00"));
    EXPECT_STR("before spring", shown(cx, utc(2026, 3, 29, 0, 59)),
               S("2026-03-29T00:59:00.000+00:00"));
    EXPECT_STR("at spring", shown(cx, utc(2026, 3, 29, 1, 0)), S("2026-03-29T02:00:00.000+01:00"));
    EXPECT_STR("before autumn", shown(cx, utc(2026, 10, 25, 0, 59)),
               S("2026-10-25T01:59:00.000+01:00"));
    EXPECT_STR("at autumn", shown(cx, utc(2026, 10, 25, 1, 0)),
               S("2026-10-25T01:00:00.000+00:00"));
}

TEST(london_days_last_23_24_and_25_hours)
{
    static const struct { const char *name; int month, day, hours; } rows[] = {
        { "winter", 1, 5, 24 }, { "spring", 3, 29, 23 }, { "summer", 7, 5, 24 },
        { "autumn", 10, 25, 25 }, { "last of March, summer already", 3, 31, 24 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t day = london_day(utc(2026, rows[i].month, rows[i].day, 12, 0));
        EXPECT_INT(rows[i].name, london_midnight(day + 1) - london_midnight(day),
                   rows[i].hours * 3600000);
        EXPECT_INT(rows[i].name, london_day(london_midnight(day)), day);
        EXPECT_INT(rows[i].name, london_day(london_midnight(day) - 1), day - 1);
    }
    EXPECT_INT("Sunday", london_weekday(london_day(utc(2026, 3, 29, 12, 0))), 6);
    EXPECT_INT("before 1970", london_day(utc(1969, 12, 31, 12, 0)), -1);
}

/* Every half hour of four years there and back. */
TEST(london_local_time_reads_back)
{
    for (int64_t at = utc(2024, 1, 1, 0, 0); at < utc(2028, 1, 1, 0, 0); at += 1800000) {
        int64_t back = london_instant(london_civil(at));
        bool second_of_two = back == at - 3600000 && london_offset_min(back) == 60 &&
                             london_offset_min(at) == 0;
        EXPECT("there and back", back == at || second_of_two);
    }
}
