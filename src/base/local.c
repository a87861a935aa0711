/* SPDX-License-Identifier: Apache-2.0 */
#include "base/local.h"

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

/* 01:00 UTC on the last Sunday of a month. 1970-01-01 was a Thursday. */
static int64_t last_sunday_ms(int year, int month)
{
    struct clock_civil last = { year, month, clock_month_days(year, month), 1, 0, 0, 0 };
    int64_t at_ms = clock_from_civil(last);
    int64_t days = (at_ms - HOUR_MS) / DAY_MS;
    int64_t weekday = ((days + 4) % 7 + 7) % 7; /* 0: Sunday */
    return at_ms - weekday * DAY_MS;
}

int64_t local_offset_ms(int64_t at_ms)
{
    int year = clock_to_civil(at_ms).year;
    bool summer = at_ms >= last_sunday_ms(year, 3) && at_ms < last_sunday_ms(year, 10);
    return summer ? HOUR_MS : 0;
}

struct clock_civil local_civil(int64_t at_ms)
{
    return clock_to_civil(at_ms + local_offset_ms(at_ms));
}

int64_t local_midnight_ms(int year, int month, int day)
{
    /* Changes happen at 01:00 UTC, so the offset an hour before UTC's midnight is the day's. */
    struct clock_civil day_start = { year, month, day, 0, 0, 0, 0 };
    int64_t utc_midnight_ms = clock_from_civil(day_start);
    return utc_midnight_ms - local_offset_ms(utc_midnight_ms - HOUR_MS);
}
