/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE local
#include "base/local.h"
#include "base/test.h"

/* clang-format off */
static const struct {
    const char *name; struct clock_civil utc; int hours;
} rows[] = {
    { "winter",                     { 2026,  1, 15, 12,  0, 0, 0 }, 0 },
    { "summer",                     { 2026,  7, 15, 12,  0, 0, 0 }, 1 },
    { "the second before, spring",  { 2026,  3, 29,  0, 59, 59, 999 }, 0 },
    { "clocks go forward",          { 2026,  3, 29,  1,  0, 0, 0 }, 1 },
    { "the second before, autumn",  { 2026, 10, 25,  0, 59, 59, 999 }, 1 },
    { "clocks go back",             { 2026, 10, 25,  1,  0, 0, 0 }, 0 },
    { "last day is a Sunday",       { 2024,  3, 31,  1,  0, 0, 0 }, 1 },
    { "the Sunday before is not it", { 2024, 3, 24,  1,  0, 0, 0 }, 0 },
};
/* clang-format on */

TEST(summer_time_begins_and_ends_on_the_last_sunday)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].name, local_offset_ms(clock_from_civil(rows[i].utc)),
                   rows[i].hours * 3600000);
}

TEST(days_of_change_have_23_and_25_hours)
{
    int64_t hour_ms = 3600000;
    EXPECT_INT("spring", local_midnight_ms(2026, 3, 30) - local_midnight_ms(2026, 3, 29),
               23 * hour_ms);
    EXPECT_INT("autumn", local_midnight_ms(2026, 10, 26) - local_midnight_ms(2026, 10, 25),
               25 * hour_ms);
    EXPECT_INT("summer", local_midnight_ms(2026, 7, 2) - local_midnight_ms(2026, 7, 1),
               24 * hour_ms);
}

TEST(midnight_reads_as_midnight)
{
    for (int day = 1; day <= 31; day++) {
        struct clock_civil at = local_civil(local_midnight_ms(2026, 10, day));
        EXPECT_INT("hour", at.hour, 0);
        EXPECT_INT("day", at.day, day);
    }
}
