/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include <time.h>

static int64_t read_ns(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int clock_month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01, counting years from 1 March so that the leap day comes last. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t clock_from_civil(struct clock_civil t)
{
    int64_t days = days_from_civil(t.year, t.month, t.day);
    int second = t.second > 59 ? 59 : t.second;
    return (((days * 24 + t.hour) * 60 + t.minute) * 60 + second) * 1000 + t.ms;
}

struct clock_civil clock_to_civil(int64_t at_ms)
{
    int64_t ms_of_day = at_ms % 86400000;
    int64_t days = at_ms / 86400000;
    if (ms_of_day < 0) {
        ms_of_day += 86400000;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct clock_civil t;
    t.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    t.month = (int)(month < 10 ? month + 3 : month - 9);
    t.year = (int)(year_of_era + era * 400 + (t.month <= 2));
    t.hour = (int)(ms_of_day / 3600000);
    t.minute = (int)(ms_of_day / 60000 % 60);
    t.second = (int)(ms_of_day / 1000 % 60);
    t.ms = (int)(ms_of_day % 1000);
    return t;
}

static void digits(char *out, int value, int count)
{
    while (count-- > 0) {
        out[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

void clock_write(int64_t at_ms, char out[CLOCK_TEXT])
{
    struct clock_civil t = clock_to_civil(at_ms);
    digits(out, t.year, 4);
    digits(out + 5, t.month, 2);
    digits(out + 8, t.day, 2);
    digits(out + 11, t.hour, 2);
    digits(out + 14, t.minute, 2);
    digits(out + 17, t.second, 2);
    digits(out + 20, t.ms, 3);
    out[4] = out[7] = '-';
    out[10] = 'T';
    out[13] = out[16] = ':';
    out[19] = '.';
    out[23] = 'Z';
}
