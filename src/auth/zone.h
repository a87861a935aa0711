/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * zone: how long a shared workstation may stand idle before it locks, by where it stands.
 *
 * Source   staff-identity 4.2 (unconfirmed: the project's own design until a trust signs it):
 *          resus 15 min and the display only, ward 5 min, public area 1 min. Version 1, in force
 *          from 2026-11-01.
 * Units    milliseconds. display_only: the screen is covered and any key shows it again; the
 *          session is not locked, since seconds count there.
 * Missing  an unknown name is NULL: the caller then uses SESSION_IDLE_STAFF_MS.
 */
struct zone {
    const char *name, *meaning;
    int64_t idle_ms;
    bool display_only;
    const char *source, *effective_from; /* unconfirmed rows say so in source */
};
extern const struct zone zones[];
extern const size_t zones_count;
const struct zone *zone_find(str name);
int64_t zones_shortest_ms(void); /* nobody is idle before that */
