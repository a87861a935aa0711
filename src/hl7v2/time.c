/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "hl7v2/message.h"

struct parts {
    int year, month, day, hour, minute, second, ms;
    int digits;          /* of date and time before any fraction: 4, 6, 8, 10, 12 or 14 */
    bool has_offset;
    int offset_minutes;
};

static int number(str text, size_t from, size_t count)
{
    int value = 0;
    for (size_t i = from; i < from + count; i++)
        value = value * 10 + (text.p[i] - '0');
    return value;
}

static size_t digits_at(str text, size_t from)
{
    size_t count = 0;
    while (from + count < text.n && text.p[from + count] >= '0' && text.p[from + count] <= '9')
        count++;
    return count;
}

static bool read_offset(str text, struct parts *p)
{
    if (text.n == 0)
        return true;
    if (text.n != 5 || (text.p[0] != '+' && text.p[0] != '-') || digits_at(text, 1) != 4)
        return false;
    int hours = number(text, 1, 2), minutes = number(text, 3, 2);
    p->has_offset = true;
    p->offset_minutes = (hours * 60 + minutes) * (text.p[0] == '-' ? -1 : 1);
    return hours <= 14 && minutes < 60;
}

static bool in_range(const struct parts *p)
{
    return p->year >= 1 && p->month >= 1 && p->month <= 12 && p->day >= 1 &&
           p->day <= clock_month_days(p->year, p->month) && p->hour < 24 && p->minute < 60 &&
           p->second < 60;
}

static bool read_parts(str text, struct parts *out)
{
    struct parts p = { .month = 1, .day = 1 };
    size_t count = digits_at(text, 0);
    if (count != 4 && count != 6 && count != 8 && count != 10 && count != 12 && count != 14)
        return false;
    p.digits = (int)count;
    p.year = number(text, 0, 4);
    p.month = count >= 6 ? number(text, 4, 2) : 1;
    p.day = count >= 8 ? number(text, 6, 2) : 1;
    p.hour = count >= 10 ? number(text, 8, 2) : 0;
    p.minute = count >= 12 ? number(text, 10, 2) : 0;
    p.second = count >= 14 ? number(text, 12, 2) : 0;
    if (count == 14 && count < text.n && text.p[count] == '.') {
        size_t fraction = digits_at(text, count + 1);
        for (size_t i = 0; i < 3; i++)
            p.ms = p.ms * 10 + (i < fraction ? text.p[count + 1 + i] - '0' : 0);
        if (fraction == 0)
            return false;
        count += 1 + fraction;
    }
    *out = p;
    return read_offset(str_slice(text, count, text.n), out) && in_range(out);
}

/* Sunday is 0. */
static int weekday(int year, int month, int day)
{
    int64_t at_ms = clock_from_civil((struct clock_civil){ year, month, day, 0, 0, 0, 0 });
    return (int)((at_ms / 86400000 % 7 + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
}

/* Summer Time Order 2002: from 01:00 UTC on the last Sunday of March to that of October. */
static int offset_of(const struct parts *p, int zone_minutes)
{
    if (p->has_offset)
        return p->offset_minutes;
    if (zone_minutes != HL7_ZONE_UK)
        return zone_minutes;
    if (p->month < 3 || p->month > 10)
        return 0;
    if (p->month > 3 && p->month < 10)
        return 60;
    int last_sunday = 31 - weekday(p->year, p->month, 31);
    int change_hour = p->month == 3 ? 1 : 2; /* as the clock on the wall shows it */
    bool after = p->day > last_sunday || (p->day == last_sunday && p->hour >= change_hour);
    return after == (p->month == 3) ? 60 : 0;
}

str hl7_to_fhir_time(struct arena *arena, str text, int zone_minutes)
{
    struct parts p;
    if (!read_parts(text, &p))
        return (str){ 0 };
    if (p.digits == 4)
        return arena_printf(arena, "%04d", p.year);
    if (p.digits == 6)
        return arena_printf(arena, "%04d-%02d", p.year, p.month);
    if (p.digits == 8)
        return arena_printf(arena, "%04d-%02d-%02d", p.year, p.month, p.day);
    int offset = offset_of(&p, zone_minutes);
    int size = offset < 0 ? -offset : offset;
    str fraction = p.ms ? arena_printf(arena, ".%03d", p.ms) : S("");
    str zone = offset ? arena_printf(arena, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 60,
                                     size % 60) : S("Z");
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d%.*s%.*s", p.year, p.month, p.day,
                        p.hour, p.minute, p.second, STR_ARG(fraction), STR_ARG(zone));
}

bool hl7_to_instant(str text, int zone_minutes, int64_t *out)
{
    struct parts p;
    if (!read_parts(text, &p))
        return false;
    struct clock_civil utc = { p.year, p.month, p.day, p.hour, p.minute, p.second, p.ms };
    int offset = offset_of(&p, zone_minutes);
    *out = clock_from_civil(utc) - (int64_t)offset * 60000;
    return true;
}
