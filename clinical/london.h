/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/clock.h"

/*
 * london: turns instants into the time on the ward's wall and back, summer time included.
 *
 * Source   the offset is base/local.h's (The Summer Time Order 2002); here are the way back, days,
 *          and the text.
 * Units    instants in UTC milliseconds; days as a count since 1970-01-01.
 * Missing  none: every instant has one local time. A local time that does not exist (01:30 on the
 *          spring night) is read as the hour after; one that happens twice, as the first.
 * Errors   none. Memory: none.
 */
enum { LONDON_TEXT = 29, LONDON_DAY_MS = 86400000 };

int london_offset_min(int64_t at_ms); /* 0 or 60 */
struct clock_civil london_civil(int64_t at_ms);
int64_t london_instant(struct clock_civil local);

/* The local calendar day, and the instant it begins: days last 23, 24 or 25 hours. */
int64_t london_day(int64_t at_ms);
int64_t london_midnight(int64_t day);
/* The instant of hour:minute by the wall clock on that day. */
int64_t london_at(int64_t day, int hour, int minute);
int london_weekday(int64_t day); /* 0 Monday to 6 Sunday */

/* Writes 2026-07-01T09:30:00.000+01:00: exactly LONDON_TEXT bytes, no NUL. */
void london_write(int64_t at_ms, char out[LONDON_TEXT]);
