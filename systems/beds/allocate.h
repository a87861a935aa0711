/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/state.h"

/*
 * beds_allocate: which beds suit a request, in order, and for each bed what speaks against it.
 *
 * Source   NHS England, Delivering same-sex accommodation (mixed-sex breach); local infection
 *          policy; weights are unconfirmed, local configuration.
 * For      a person who decides: this suggests and never allocates.
 * Shapes   a request and the beds in; per bed a score and reasons out. A hard reason forbids the
 *          bed (some may be overridden by the named role, with a reason); a soft one lowers its
 *          rank.
 * Units    points; higher is better.
 * Missing  sex not known: only side rooms and beds of no sex suit. Age not known: adult beds only
 *          with a warning. Isolation not assessed is a warning, never "not needed".
 * Errors   none: a bed that cannot be had has a hard reason.
 * Memory   pure; writes into the caller's array. Thread-safe.
 * Hazards  H-015 mixed-sex breach; H-016 infectious patient in an open bay; H-017 child on an
 *          adult ward.
 */
enum beds_sex { BEDS_SEX_ANY, BEDS_FEMALE, BEDS_MALE };
enum beds_isolation { BEDS_ISOLATION_UNKNOWN, BEDS_ISOLATION_NONE, BEDS_ISOLATION_NEEDED };
enum { BEDS_AGE_UNKNOWN = -1, BEDS_ADULT_FROM = 16, BEDS_REASONS_MAX = 12 };

struct beds_bed {
    str id, ward, specialty;
    enum beds_state state;
    enum beds_sex sex;            /* of the bay; ANY for side rooms and mixed units */
    enum beds_sex bay_occupants;  /* who lies in the bay now; ANY: nobody, or a side room */
    bool side_room, negative_pressure, monitored, oxygen, paediatric, escalation, bariatric;
    bool bay_closed;              /* outbreak */
    str held_by;                  /* the stay that has it */
};
struct beds_request {
    str specialty;
    enum beds_sex sex;
    int age_years;
    enum beds_isolation isolation;
    bool airborne, needs_monitor, needs_oxygen, bariatric;
    str reserved_stay;            /* this stay's own reservation counts as free */
};
enum beds_refusal {
    BEDS_IS_OCCUPIED, BEDS_IS_RESERVED, BEDS_IS_CLOSED, BEDS_IS_DIRTY, BEDS_BAY_CLOSED,
    BEDS_MIXED_SEX, BEDS_SEX_UNKNOWN, BEDS_ADULT_ONLY, BEDS_CHILD_ONLY, BEDS_NEEDS_SIDE_ROOM,
    BEDS_NEEDS_PRESSURE, BEDS_NEEDS_MONITOR,
    /* soft from here on */
    BEDS_BEING_CLEANED, BEDS_OUTLIER, BEDS_ESCALATION_BED, BEDS_SIDE_ROOM_WASTED,
    BEDS_ISOLATION_NOT_KNOWN, BEDS_AGE_NOT_KNOWN, BEDS_NO_OXYGEN, BEDS_NOT_BARIATRIC,
    BEDS_REFUSALS
};
/* Who may set a rule aside: a role of auth/role.h, and what people call it. */
struct beds_decider {
    const char *role, *title;
};
struct beds_refusal_kind {
    const char *code, *text;
    bool hard;
    const struct beds_decider *overridden_by; /* NULL: nobody may */
    int points;                /* taken off, soft ones */
};
extern const struct beds_refusal_kind beds_refusals[BEDS_REFUSALS];

struct beds_suggestion {
    size_t bed;                /* index into the beds given */
    int score;
    enum beds_refusal reasons[BEDS_REASONS_MAX];
    size_t reasons_count, hard_count;
};
/* One bed. */
struct beds_suggestion beds_judge(const struct beds_request *request, const struct beds_bed *bed);
/* Every bed, best first; those refused last, the least refused first. out has count places. */
void beds_suggest(const struct beds_request *request, const struct beds_bed *beds, size_t count,
                  struct beds_suggestion *out);
