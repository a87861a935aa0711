/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/issues.h"

/*
 * beds_state: the states of a bed, what may happen in each, and how long the next step may take.
 *
 * Source   the bed's cycle as hospitals run it; operational status of HL7 v2-0116 (C closed, H
 *          housekeeping, I isolated, K contaminated, O occupied, U unoccupied).
 * Shapes   state and event in, next state out; a table, no if.
 * Units    minutes.
 * Missing  a bed whose operational status is not given is available, unless a stay holds it.
 * Errors   ERR_RULE: the event cannot happen in this state; the issue says what can.
 * Memory   pure. Thread-safe.
 * Hazards  H-014 a closed or dirty bed shown open.
 */
enum beds_state {
    BEDS_AVAILABLE, BEDS_RESERVED, BEDS_OCCUPIED, BEDS_DIRTY, BEDS_CLEANING, BEDS_CLOSED,
    BEDS_STATES
};
enum beds_event {
    BEDS_RESERVE, BEDS_RELEASE, BEDS_OCCUPY, BEDS_VACATE, BEDS_CLEAN_BEGIN, BEDS_CLEAN_END,
    BEDS_CLOSE, BEDS_OPEN, BEDS_FIND_DIRTY, BEDS_EVENTS
};
/* What a bed needs after this patient. Times are unconfirmed, local configuration. */
enum beds_clean { BEDS_CLEAN_STANDARD, BEDS_CLEAN_INFECTION, BEDS_CLEAN_DEEP, BEDS_CLEANS };
struct beds_clean_kind {
    const char *code, *name;
    int minutes; /* from vacated to available, after which it is overdue */
};
extern const struct beds_clean_kind beds_cleans[BEDS_CLEANS];

const char *beds_state_name(enum beds_state state);
const char *beds_event_name(enum beds_event event);
char beds_state_v2(enum beds_state state); /* v2-0116 code */
/* From a Location's operationalStatus code and whether a stay holds or reserves it. */
enum beds_state beds_state_of(char v2, bool held, bool reserved);

bool beds_can(enum beds_state state, enum beds_event event);
err beds_next(struct issues *issues, enum beds_state state, enum beds_event event,
              enum beds_state *out) MUST_USE;
/* isolation: the patient was isolated; outbreak: the bay is closed for one. */
enum beds_clean beds_clean_after(bool isolation, bool outbreak);
