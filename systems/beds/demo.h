/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "synth/play.h"

/*
 * beds_demo: what happens to beds in the demonstration: people come, move, are seen at rounds, have
 * their observations taken, leave; beds are cleaned, closed and opened.
 *
 * Source   rates of a general hospital, ours; kept near 93 % full by discharging more when fuller.
 * For      the demonstration alone (synth/play.h).
 * Units    per hour of hospital time.
 * Missing  no beds or no patients: nothing happens.
 * Errors   ERR_CONFLICT and ERR_RULE when a person was quicker: nothing is written.
 * Memory   the arena of the round.
 * Limits   at most one event of an act a round, three cleans and three sets of observations.
 */
extern const struct play_act *const beds_demo[];
