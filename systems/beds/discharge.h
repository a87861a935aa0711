/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/issues.h"

/*
 * beds_discharge: whether a patient still needs a hospital bed, since when not, and which way home.
 *
 * Source   NHS England, discharge ready date definition (start of the final or current period of
 *          not meeting the criteria to reside; stays of a night or more). Pathways: DHSC hospital
 *          discharge guidance. Criteria to reside, Annex D: wording unconfirmed.
 * For      adult inpatients of acute hospitals; review at every ward round.
 * Units    calendar days, counted since 1970-01-01 (clinical/london.h); NEWS2 points; hours.
 * Missing  a round without an answer is no answer: the last one stands. No round at all: unknown,
 *          never "does not meet". BEDS_NO_DAY where there is no date.
 * Errors   ERR_INVALID: rounds out of order or after the discharge; *out untouched.
 * Memory   pure. Thread-safe.
 */
#define BEDS_NO_DAY INT64_MIN

enum beds_reside { BEDS_RESIDE_UNKNOWN, BEDS_RESIDE_MEETS, BEDS_RESIDE_NOT };
struct beds_round {
    int64_t day;
    enum beds_reside answer;
};
struct beds_ready {
    int64_t day;        /* discharge ready date; BEDS_NO_DAY: none */
    int64_t delay_days; /* discharge (or today) less ready date; 0 when none */
};
struct beds_dates {
    int64_t admitted, discharged, today;
};
/* Rounds oldest first. discharged BEDS_NO_DAY: still in, delay counted to `today`. A stay without a
 * night has no discharge ready date. */
err beds_ready(struct issues *issues, const struct beds_dates *stay,
               const struct beds_round *rounds, size_t count, struct beds_ready *out) MUST_USE;

/* What keeps a patient in: any one of these. Fields not known stay at 0 and count for nothing, so
 * beds_reside answers unknown unless `assessed`. */
struct beds_needs {
    bool assessed;
    bool intensive, oxygen_or_niv, iv_fluids, diminished_consciousness, functional_impairment;
    bool last_hours, iv_over_twice_daily;
    int news2;                     /* -1: not known */
    bool news2_usual;              /* high for a lasting reason (AF, chronic lungs): judged so */
    int lower_limb_surgery_hours;  /* since; -1: none */
    int body_surgery_hours;        /* thorax, abdomen, pelvis under general anaesthetic; -1 */
    int procedure_hours;           /* invasive, with risk of acute deterioration; -1 */
};
struct beds_criterion {
    const char *code, *text;
};
extern const struct beds_criterion beds_criteria[];
extern const size_t beds_criteria_count;
extern const char beds_criteria_table[]; /* version */
/* *met is a bit a row of beds_criteria. */
enum beds_reside beds_reside(const struct beds_needs *needs, uint32_t *met);

struct beds_pathway {
    const char *code, *text;
    int share_percent; /* expected share of discharges */
    bool at_least;     /* or at most */
};
extern const struct beds_pathway beds_pathways[4];
/* A patient who goes back to the same care home without more help counts in pathway 0. */
int beds_pathway_of(bool new_support_at_home, bool bedded_rehabilitation, bool new_care_home);

/* Midnights between admission and today or discharge. */
int64_t beds_stay_days(int64_t admitted, int64_t until);
struct beds_long {
    size_t days_7, days_14, days_21; /* each counts the longer ones too */
};
void beds_long_add(struct beds_long *count, int64_t stay_days);

extern const struct beds_criterion beds_delays[]; /* reasons for delay */
extern const size_t beds_delays_count;
