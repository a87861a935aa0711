/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * clock: reads the time, and turns instants into text and back.
 *
 * Units    milliseconds since 1970-01-01T00:00:00Z unless a name says otherwise. The calendar is the
 *          proleptic Gregorian one; years 0001 to 9999. Leap second :60 is read as :59.
 */
int64_t clock_now_ms(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_ns(void);

struct clock_civil {
    int year, month, day, hour, minute, second, ms;
};
int64_t clock_from_civil(struct clock_civil utc);
struct clock_civil clock_to_civil(int64_t at_ms);
int clock_month_days(int year, int month); /* month 1 to 12 */

/* Writes 2026-11-22T05:11:48.123Z: exactly CLOCK_TEXT bytes, no NUL. */
enum { CLOCK_TEXT = 24 };
void clock_write(int64_t at_ms, char out[CLOCK_TEXT]);
