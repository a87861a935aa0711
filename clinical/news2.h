/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/issues.h"
#include "clinical/band.h"

/*
 * NEWS2: adds up the National Early Warning Score 2 for one set of observations, and says what the
 * guideline asks for at that score.
 *
 * Source   Royal College of Physicians, NEWS2, December 2017, Charts 1 to 4. SNOMED CT codes of the
 *          NHS England virtual ward draft. Rows not read at the source are marked unconfirmed.
 * For      adults of 16 and over; not in pregnancy (a maternity chart is used); not after a
 *          spinal-cord injury, where pulse and pressure lie low at rest.
 * Shapes   vital-sign Observations in; Observation 1104051000000101 and its seven parts out.
 * Units    as in each field's name. Temperature is in tenths, rounded half up: 36.5 °C is 365.
 * Missing  NEWS2_MISSING in any int field is ERR_INVALID: absent is never scored as normal. That
 *          is why on_oxygen and alert are ints and not bools: "not recorded" is a third answer. An
 *          incomplete set has no total, only a floor (news2_floor), and never lowers an escalation.
 * Errors   ERR_INVALID: missing or impossible values, one issue each; ERR_RULE: not for this
 *          person. *out is left untouched.
 * Memory   pure: allocates only issues, reads no clock, keeps no state. Thread-safe.
 * Hazards  H-003 scale 2 used unasked; H-004 missing observation scored as normal; H-005 unit slip.
 */
enum { NEWS2_MISSING = -1, NEWS2_AGE_LEAST = 16, NEWS2_TOTAL_MAX = 20 };
enum news2_risk { NEWS2_LOW, NEWS2_LOW_MEDIUM, NEWS2_MEDIUM, NEWS2_HIGH };
enum news2_part {
    NEWS2_RESP, NEWS2_SPO2, NEWS2_OXYGEN, NEWS2_SYSTOLIC, NEWS2_PULSE, NEWS2_ALERT, NEWS2_TEMP,
    NEWS2_PARTS
};

struct news2_obs {
    int resp_per_min, spo2_pct, pulse_per_min, systolic_mmhg, temp_tenth_c;
    int on_oxygen, alert; /* 1, 0 or NEWS2_MISSING; alert 0 is C, V, P or U. Lasting confusion that
                             is not new counts as alert. */
    bool spo2_scale2;     /* only when a clinician has prescribed the 88-92 % target */
};
/* Who is scored; NEWS2_MISSING where it is not known, which excludes nobody and is reported. */
struct news2_person {
    int age_years, pregnant, spinal; /* spinal: after an injury of the spinal cord */
};
struct news2_score {
    int total, highest;
    int parts[NEWS2_PARTS];
    enum news2_risk risk;
};

/* What the guideline asks for. Rows stand in the order they are tried, strongest first. */
struct news2_response {
    const char *name;
    int total_least;   /* applies from this total ... */
    int highest_least; /* ... or from this single part; 0: total alone decides */
    int every_min;     /* longest time between sets, minutes; 0: continuous */
    const char *frequency, *action;
    int review_within_min; /* a clinician sees the patient; 0: none asked for */
    bool confirmed;
    const char *source;
};
extern const struct news2_response news2_responses[];
extern const size_t news2_responses_count;
extern const char news2_table[]; /* version of the thresholds, stored with each score */

/* The chart as data, so that a test can move every edge. */
struct news2_chart {
    struct band_table resp, spo2_1, spo2_2_air, spo2_2_oxygen, pulse, systolic, temp;
};
extern const struct news2_chart news2_chart;

extern const struct news2_name {
    const char *input, *title, *snomed; /* SNOMED CT code of the part's score */
} news2_names[NEWS2_PARTS];

/* Fills *out, or leaves it untouched and adds one issue for each missing field. */
err news2_score(struct issues *issues, const struct news2_obs *obs,
                struct news2_score *out) MUST_USE;
/* The same over another chart; complete observations only. */
void news2_add_up(const struct news2_chart *chart, const struct news2_obs *obs,
                  struct news2_score *out);
/* ERR_RULE when this person must not be scored. */
err news2_check_person(struct issues *issues, struct news2_person person) MUST_USE;
/* The least the total can be, from the fields that are there; *missing counts the others. */
int news2_floor(const struct news2_obs *obs, size_t *missing);

const struct news2_response *news2_respond(int total, int highest);
const char *news2_risk_name(enum news2_risk risk);

/* A score that came from elsewhere, held against its own parts and against the observations. A part
 * not sent is NEWS2_MISSING and not compared. Adds one warning for each disagreement. */
bool news2_agrees(struct issues *issues, const struct news2_obs *obs, int claimed_total,
                  const int claimed_parts[NEWS2_PARTS]);
