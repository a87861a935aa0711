/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/discharge.h"

const char beds_criteria_table[] = "criteria-to-reside-annex-d.1 (unconfirmed)";

/* clang-format off: the order of Annex D; a row's place is its bit. */
enum { INTENSIVE, OXYGEN, FLUIDS, NEWS2_OVER_3, CONSCIOUSNESS, FUNCTION, LAST_HOURS, IV_MEDICINE,
       LOWER_LIMB, BODY, PROCEDURE };
const struct beds_criterion beds_criteria[] = {
    [INTENSIVE]     = { "itu-hdu", "Needs intensive or high-dependency care" },
    [OXYGEN]        = { "oxygen-niv", "Needs oxygen or non-invasive ventilation" },
    [FLUIDS]        = { "iv-fluids", "Needs intravenous fluids" },
    [NEWS2_OVER_3]  = { "news2-over-3", "NEWS2 over 3" },
    [CONSCIOUSNESS] = { "consciousness", "Diminished consciousness where recovery is realistic" },
    [FUNCTION]      = { "function",
                        "Acute functional impairment beyond what home or community can give" },
    [LAST_HOURS]    = { "last-hours", "Last hours of life" },
    [IV_MEDICINE]   = { "iv-medicine", "Intravenous medicine more than twice a day" },
    [LOWER_LIMB]    = { "lower-limb-48h", "Lower-limb surgery within 48 hours" },
    [BODY]          = { "body-surgery-72h",
                        "Thoracic, abdominal or pelvic surgery within 72 hours" },
    [PROCEDURE]     = { "procedure-24h", "Invasive procedure within 24 hours, with risk" },
};
const size_t beds_criteria_count = COUNT(beds_criteria);

const struct beds_pathway beds_pathways[4] = {
    { "P0", "Home, no new support",                   50, true  },
    { "P1", "Home with new or restarted support",     45, true  },
    { "P2", "Rehabilitation in a bed elsewhere",       4, false },
    { "P3", "New care home",                           1, false },
};

const struct beds_criterion beds_delays[] = {
    { "medicines", "Waiting for medicines to take home" },
    { "transport", "Waiting for transport" },
    { "therapy", "Waiting for a therapy decision" },
    { "social-care", "Waiting for social care assessment or package" },
    { "community-bed", "Waiting for a bed in the community" },
    { "care-home", "Waiting for a care home" },
    { "equipment", "Waiting for equipment or adaptations" },
    { "family", "Waiting for a choice by patient or family" },
    { "tests", "Waiting for tests or results" },
    { "medical-decision", "Waiting for a medical decision" },
};
/* clang-format on */
const size_t beds_delays_count = COUNT(beds_delays);

static err check_rounds(struct issues *issues, int64_t admitted, int64_t last,
                        const struct beds_round *rounds, size_t count)
{
    if (last < admitted)
        return issues_add(issues, ERR_INVALID, S("discharged"),
                          S("the discharge is before the admission"));
    for (size_t i = 0; i < count; i++)
        if (rounds[i].day < (i ? rounds[i - 1].day : admitted) || rounds[i].day > last)
            return issues_add(issues, ERR_INVALID, S("rounds"),
                              S("rounds must be in order and within the stay"));
    return ERR_OK;
}

err beds_ready(struct issues *issues, const struct beds_dates *stay,
               const struct beds_round *rounds, size_t count, struct beds_ready *out)
{
    int64_t admitted = stay->admitted, discharged = stay->discharged;
    int64_t last = discharged == BEDS_NO_DAY ? stay->today : discharged;
    int64_t since = BEDS_NO_DAY;
    TRY(check_rounds(issues, admitted, last, rounds, count));
    for (size_t i = 0; i < count; i++) {
        if (rounds[i].answer == BEDS_RESIDE_MEETS)
            since = BEDS_NO_DAY;
        else if (rounds[i].answer == BEDS_RESIDE_NOT && since == BEDS_NO_DAY)
            since = rounds[i].day;
    }
    if (discharged != BEDS_NO_DAY && discharged == admitted)
        since = BEDS_NO_DAY;
    *out = (struct beds_ready){ since, since == BEDS_NO_DAY ? 0 : last - since };
    return ERR_OK;
}

static bool within(int hours_since, int limit)
{
    return hours_since >= 0 && hours_since < limit;
}

enum beds_reside beds_reside(const struct beds_needs *needs, uint32_t *met)
{
    const bool rows[] = {
        [INTENSIVE] = needs->intensive,
        [OXYGEN] = needs->oxygen_or_niv,
        [FLUIDS] = needs->iv_fluids,
        [NEWS2_OVER_3] = needs->news2 > 3 && !needs->news2_usual,
        [CONSCIOUSNESS] = needs->diminished_consciousness,
        [FUNCTION] = needs->functional_impairment,
        [LAST_HOURS] = needs->last_hours,
        [IV_MEDICINE] = needs->iv_over_twice_daily,
        [LOWER_LIMB] = within(needs->lower_limb_surgery_hours, 48),
        [BODY] = within(needs->body_surgery_hours, 72),
        [PROCEDURE] = within(needs->procedure_hours, 24),
    };
    *met = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        *met |= (uint32_t)rows[i] << i;
    if (*met)
        return BEDS_RESIDE_MEETS;
    return needs->assessed && needs->news2 >= 0 ? BEDS_RESIDE_NOT : BEDS_RESIDE_UNKNOWN;
}

int beds_pathway_of(bool new_support_at_home, bool bedded_rehabilitation, bool new_care_home)
{
    return new_care_home ? 3 : bedded_rehabilitation ? 2 : new_support_at_home ? 1 : 0;
}

int64_t beds_stay_days(int64_t admitted, int64_t until)
{
    return until > admitted ? until - admitted : 0;
}

void beds_long_add(struct beds_long *count, int64_t stay_days)
{
    count->days_7 += stay_days >= 7;
    count->days_14 += stay_days >= 14;
    count->days_21 += stay_days >= 21;
}
