/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "synth/vital.h"

/*
 * stay: one hospital stay, from the door to the way home, and everything written down in it.
 *
 * Source   UK Core Encounter with the admission and discharge codes of the NHS Data Dictionary.
 * Units    instants in UTC milliseconds.
 * Missing  left_ms after the end of the history: the patient is still in.
 * Errors   none. Memory: by value.
 */
enum { STAY_MOVES_MAX = 4 };
enum stay_how { STAY_EMERGENCY, STAY_BY_GP, STAY_ELECTIVE };
struct stay {
    struct person *person;
    int64_t arrived_ms;   /* at the emergency department; 0: did not come that way */
    int64_t admitted_ms, left_ms;
    enum stay_how how;
    struct person_code reason;
    double severity;
    bool infected, hypoxic, dies;
    struct stay_move {
        int slot;
        int64_t from_ms;
    } moves[STAY_MOVES_MAX];
    size_t moves_count;
    int64_t cell;
};
/* A reason to be admitted that suits the ward and the person. */
void stay_reason(struct world *w, enum world_kind kind, struct stay *stay);
void stay_write(struct world *w, struct stay *stay);
