/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/issues.h"

/*
 * GCS: adds up the Glasgow Coma Scale and says when a falling one needs a doctor now.
 *
 * Source   Glasgow Coma Scale, 2014 wording; head-injury intervals and triggers of NICE NG232. Both
 *          unconfirmed: written from memory of the standard, not held against the publisher's text.
 * For      adults and children who can follow the adult verbal scale.
 * Shapes   eyes 1 to 4, verbal 1 to 5, motor 1 to 6; total 3 to 15.
 * Units    points; times in minutes.
 * Missing  GCS_MISSING is ERR_INVALID. GCS_NOT_TESTABLE (tube, swelling, drug) is an answer, but
 *          leaves the total unknown (GCS_MISSING) and the band unknown: never the lowest score.
 * Errors   ERR_INVALID: missing or impossible part, one issue each; *out untouched.
 * Memory   pure; allocates only issues. Thread-safe.
 */
enum { GCS_MISSING = -1, GCS_NOT_TESTABLE = 0 };
enum gcs_part { GCS_EYES, GCS_VERBAL, GCS_MOTOR, GCS_PARTS };
enum gcs_band { GCS_UNKNOWN, GCS_SEVERE, GCS_MODERATE, GCS_MILD };

struct gcs_obs {
    int parts[GCS_PARTS];
};
struct gcs_score {
    int total; /* GCS_MISSING when a part could not be tested */
    enum gcs_band band;
};
extern const char gcs_table[];

/* Every edge as data, so that a test can move each. */
struct gcs_chart {
    int most[GCS_PARTS];
    int severe_most, moderate_most;       /* the highest total of each band */
    int half_hourly_min, hourly_min;      /* minutes at 15 before the interval grows, and grows */
    int fall_most[GCS_PARTS];             /* a part falling so far is urgent at once */
    int fall_total, fall_lasting_min;     /* a total falling so far, once it has lasted */
};
extern const struct gcs_chart gcs_chart;

err gcs_score(struct issues *issues, const struct gcs_obs *obs, struct gcs_score *out) MUST_USE;
/* The band by another chart; GCS_UNKNOWN when a part is missing, impossible or not testable. */
enum gcs_band gcs_band_by(const struct gcs_chart *chart, const struct gcs_obs *obs);
/* "orientated", "to pressure"; NULL for what cannot be. */
const char *gcs_word(enum gcs_part part, int points);
const char *gcs_band_name(enum gcs_band band);

/* After a head injury: longest time to the next set, given how long the total has been 15. */
int gcs_head_injury_every_min(int total, int64_t min_since_15);
int gcs_every_min_by(const struct gcs_chart *chart, int total, int64_t min_since_15);
/* True when the fall since `before` asks for urgent re-appraisal: 1 point lasting 30 minutes or
 * more, 3 of eyes or verbal, 2 of motor. Parts that could not be tested are not compared. */
bool gcs_fall_is_urgent(const struct gcs_obs *before, const struct gcs_obs *now,
                        int64_t lasting_min);
bool gcs_fall_by(const struct gcs_chart *chart, const struct gcs_obs *before,
                 const struct gcs_obs *now, int64_t lasting_min);
