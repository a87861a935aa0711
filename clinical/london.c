/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/london.h"
#include "base/local.h"
#include "base/str.h"

enum { HOUR_MS = 3600000, MINUTE_MS = 60000 };

static int64_t floor_days(int64_t at_ms)
{
    return at_ms >= 0 ? at_ms / LONDON_DAY_MS : -((-at_ms + LONDON_DAY_MS - 1) / LONDON_DAY_MS);
}

int london_weekday(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int london_offset_min(int64_t at_ms)
{
    return (int)(local_offset_ms(at_ms) / MINUTE_MS);
}

struct clock_civil london_civil(int64_t at_ms)
{
    return clock_to_civil(at_ms + (int64_t)london_offset_min(at_ms) * MINUTE_MS);
}

int64_t london_instant(struct clock_civil local)
{
    int64_t as_utc = clock_from_civil(local);
    /* In summer the wall is an hour ahead. In the autumn hour that happens twice this takes the
     * first; in the spring hour that never happens it stays in winter, an hour on by the wall. */
    return london_offset_min(as_utc - HOUR_MS) ? as_utc - HOUR_MS : as_utc;
}

int64_t london_day(int64_t at_ms)
{
    return floor_days(at_ms + (int64_t)london_offset_min(at_ms) * MINUTE_MS);
}

int64_t london_at(int64_t day, int hour, int minute)
{
    struct clock_civil local = clock_to_civil(day * LONDON_DAY_MS);
    local.hour = hour;
    local.minute = minute;
    return london_instant(local);
}

int64_t london_midnight(int64_t day)
{
    return london_at(day, 0, 0);
}

void london_write(int64_t at_ms, char out[LONDON_TEXT])
{
    int offset_min = london_offset_min(at_ms);
    clock_write(at_ms + (int64_t)offset_min * MINUTE_MS, out);
    memcpy(out + CLOCK_TEXT - 1, offset_min ? "+01:00" : "+00:00", 6);
}
