/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/state.h"
#include <string.h>

const struct beds_clean_kind beds_cleans[BEDS_CLEANS] = {
    [BEDS_CLEAN_STANDARD] = { "standard", "standard clean", 60 },
    [BEDS_CLEAN_INFECTION] = { "infection", "infection clean", 120 },
    [BEDS_CLEAN_DEEP] = { "deep", "deep clean", 240 },
};

static const char *const state_names[BEDS_STATES] = {
    "available", "reserved", "occupied", "dirty", "cleaning", "closed",
};
static const char *const event_names[BEDS_EVENTS] = {
    "reserve", "release", "occupy", "vacate", "begin cleaning", "finish cleaning", "close", "open",
    "find dirty",
};

#define NO (-1)
/* clang-format off: a row a state, a column an event. */
enum { FREE = BEDS_AVAILABLE, KEPT = BEDS_RESERVED, FULL = BEDS_OCCUPIED, SOIL = BEDS_DIRTY,
       WASH = BEDS_CLEANING, SHUT = BEDS_CLOSED };
static const signed char next[BEDS_STATES][BEDS_EVENTS] = {
    /*         reserve release occupy vacate begin finish close open  dirty */
    [FREE] = { KEPT,   NO,     FULL,  NO,    NO,   NO,    SHUT, NO,   SOIL },
    [KEPT] = { NO,     FREE,   FULL,  NO,    NO,   NO,    NO,   NO,   NO   },
    [FULL] = { NO,     NO,     NO,    SOIL,  NO,   NO,    NO,   NO,   NO   },
    [SOIL] = { NO,     NO,     NO,    NO,    WASH, FREE,  SHUT, NO,   NO   },
    [WASH] = { NO,     NO,     NO,    NO,    NO,   FREE,  SHUT, NO,   SOIL },
    [SHUT] = { NO,     NO,     NO,    NO,    NO,   NO,    NO,   SOIL, NO   },
};
/* clang-format on */

const char *beds_state_name(enum beds_state state)
{
    return state_names[state];
}

const char *beds_event_name(enum beds_event event)
{
    return event_names[event];
}

char beds_state_v2(enum beds_state state)
{
    return "UUOKHC"[state];
}

enum beds_state beds_state_of(char v2, bool held, bool reserved)
{
    if (held)
        return BEDS_OCCUPIED;
    if (v2 == 'C')
        return BEDS_CLOSED;
    if (v2 == 'K')
        return BEDS_DIRTY;
    if (v2 == 'H')
        return BEDS_CLEANING;
    /* O without a stay is a ghost: the bed is shown for what the stays say. */
    return reserved ? BEDS_RESERVED : BEDS_AVAILABLE;
}

bool beds_can(enum beds_state state, enum beds_event event)
{
    return next[state][event] != NO;
}

err beds_next(struct issues *issues, enum beds_state state, enum beds_event event,
              enum beds_state *out)
{
    char able[160] = "nothing";
    size_t n = 0;
    if (beds_can(state, event)) {
        *out = (enum beds_state)next[state][event];
        return ERR_OK;
    }
    for (enum beds_event e = 0; e < BEDS_EVENTS; e++)
        if (beds_can(state, e))
            n += (size_t)snprintf(able + n, sizeof able - n, "%s%s", n ? ", " : "",
                                  event_names[e]);
    return issues_add(issues, ERR_RULE, S("bed"),
                      arena_printf(issues->arena, "%s is not possible: the bed is %s; possible "
                                   "is: %s", event_names[event], state_names[state], able));
}

enum beds_clean beds_clean_after(bool isolation, bool outbreak)
{
    return outbreak ? BEDS_CLEAN_DEEP : isolation ? BEDS_CLEAN_INFECTION : BEDS_CLEAN_STANDARD;
}
