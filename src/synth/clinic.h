/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "synth/person.h"

/*
 * clinic: what happens to people outside the wards: the emergency department, referrals and
 * outpatient appointments, blood tests, letters.
 *
 * Source   RTT period status codes of the NHS Data Dictionary (10 first activity, 20 subsequent, 30
 *          first treatment, 33 did not attend, 34 no treatment); LOINC for results; UK Core
 *          profiles.
 * Units    instants in UTC milliseconds; results in UCUM units.
 * Missing  not applicable. Errors: none. Memory: none kept.
 */
struct clinic_attendance {
    int64_t arrived_ms, left_ms; /* admitted or gone home */
    struct person_code reason;
    int64_t cell;
    const char *admission;       /* the stay it led to; NULL: went home */
};
void clinic_write_attendance(struct world *w, struct person *p,
                             const struct clinic_attendance *visit);
/* Full blood count, urea and electrolytes, C-reactive protein. inflamed: 0 to 1. */
void clinic_write_bloods(struct world *w, struct person *p, int64_t at_ms, double inflamed,
                         const char *encounter);
void clinic_write_letter(struct world *w, struct person *p, int64_t at_ms,
                         struct person_code reason, const char *author, const char *encounter);
/* A year of emergency attendances that ended at home, referrals with their appointments, and yearly
 * checks. */
void clinic_write_year(struct world *w, struct person *p, int64_t cell);
