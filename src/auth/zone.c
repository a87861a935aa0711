/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/zone.h"

#define DESIGN "staff-identity 4.2, unconfirmed"

/* clang-format off */
const struct zone zones[] = {
    { "resus",  "resuscitation room",    15 * 60000, true,  DESIGN, "2026-11-01" },
    { "ward",   "ward or clinic room",    5 * 60000, false, DESIGN, "2026-11-01" },
    { "public", "where visitors pass by", 1 * 60000, false, DESIGN, "2026-11-01" },
};
/* clang-format on */
const size_t zones_count = COUNT(zones);

const struct zone *zone_find(str name)
{
    for (size_t i = 0; i < zones_count; i++)
        if (str_eq(name, str_of(zones[i].name)))
            return &zones[i];
    return NULL;
}

int64_t zones_shortest_ms(void)
{
    int64_t shortest_ms = INT64_MAX;
    for (size_t i = 0; i < zones_count; i++)
        if (zones[i].idle_ms < shortest_ms)
            shortest_ms = zones[i].idle_ms;
    return shortest_ms;
}
