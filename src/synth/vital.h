/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "clinical/news2.h"
#include "synth/person.h"

/*
 * vital: a body over hours: how ill somebody is, and what that does to pulse, breath and pressure.
 *
 * Source   ours: one hidden severity that wanders (autocorrelated, falling with treatment, jumping
 *          when the patient deteriorates) and six signs that follow it with noise of their own.
 * For      demonstration: plausible, not physiology to learn from.
 * Units    hours; signs as in struct news2_obs; diastolic in mm[Hg].
 * Missing  about one set in thirty lacks one sign, as on a ward: then it has no score.
 * Errors   none. Memory: by value.
 */
struct vital {
    double severity, target;    /* 0 well, 1 dying */
    double drift[5];            /* resp, spo2, pulse, systolic, temp: slow noise */
    bool infected, hypoxic, on_oxygen, dies;
    int64_t at_ms;
};
struct vital_set {
    struct news2_obs obs;
    int diastolic_mmhg;
    char acvpu;
};
/* Where and by whom a set was taken. */
struct vital_taken {
    int64_t at_ms;
    const char *encounter, *performer;
};
/* Fills in what time does not change: severity, infected and hypoxic are the caller's. */
void vital_begin(struct world *w, struct vital *v, int64_t at_ms);
void vital_step(struct world *w, const struct person *p, struct vital *v, int64_t to_ms);
struct vital_set vital_read(struct world *w, const struct person *p, struct vital *v);
/* Eight Observations; true and *score when the set is complete and the person may be scored. */
bool vital_write(struct world *w, struct person *p, const struct vital_set *set,
                 const struct vital_taken *taken, struct news2_score *score);
