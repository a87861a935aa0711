/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "synth/play.h"

/*
 * obs_demo: what happens around observations in the demonstration: somebody is on the rota, calls
 * are answered and patients seen, fluids are charted, now and then somebody gets worse. The usual
 * sets are the beds' demo's.
 *
 * Source   ours. For the demonstration alone (synth/play.h). Units: per hour of hospital time.
 * Missing  no wards, no staff or no patients: nothing happens.
 * Errors   ERR_CONFLICT when a person was quicker: nothing is written. Memory: the round's arena.
 */
extern const struct play_act *const obs_demo[];
