/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/clock.h"

/*
 * local: the clock on a British wall.
 *
 * Source   The Summer Time Order 2002: one hour ahead of UTC from 01:00 UTC on the last Sunday of
 *          March to 01:00 UTC on the last Sunday of October.
 * For      times people read, and days counted from midnight to midnight; stored instants are UTC.
 * Units    milliseconds since 1970 in UTC (at_ms); struct clock_civil in local time.
 * Limits   that rule is applied to every year; before 1996 other dates held.
 */
int64_t local_offset_ms(int64_t at_ms);       /* what to add to UTC: 0 or one hour */
struct clock_civil local_civil(int64_t at_ms);
/* The instant a local day begins. The day of the change has 23 or 25 hours. */
int64_t local_midnight_ms(int year, int month, int day);
