/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/allocate.h"
#include <assert.h>
#include <stdlib.h>

static const struct beds_decider bed_manager = { "bed_manager", "bed manager" };
static const struct beds_decider infection_control = { "infection_control", "infection control" };
#define SITE &bed_manager
#define IPC &infection_control

/* One row a reason, as the guide for bed managers prints them. */
const struct beds_refusal_kind beds_refusals[BEDS_REFUSALS] = {
    [BEDS_IS_OCCUPIED] = { "occupied", "somebody is in this bed", true, NULL, 0 },
    [BEDS_IS_RESERVED] = { "reserved", "kept for somebody else", true, SITE, 0 },
    [BEDS_IS_CLOSED] = { "closed", "the bed is closed", true, SITE, 0 },
    [BEDS_IS_DIRTY] = { "dirty", "not cleaned yet", true, NULL, 0 },
    [BEDS_BAY_CLOSED] = { "bay-closed", "the bay is closed for an outbreak", true, IPC, 0 },
    [BEDS_MIXED_SEX] = { "mixed-sex", "would mix sexes in the bay", true, SITE, 0 },
    [BEDS_SEX_UNKNOWN] = { "sex-unknown",
        "the patient's sex is not known: side room or mixed unit only", true, SITE, 0 },
    [BEDS_ADULT_ONLY] = { "adult-only", "an adult bed for a child", true, SITE, 0 },
    [BEDS_CHILD_ONLY] = { "child-only", "a children's bed for an adult", true, NULL, 0 },
    [BEDS_NEEDS_SIDE_ROOM] = { "needs-side-room",
        "isolation is needed and this is no side room", true, IPC, 0 },
    [BEDS_NEEDS_PRESSURE] = { "needs-negative-pressure",
        "airborne infection needs a negative-pressure room", true, IPC, 0 },
    [BEDS_NEEDS_MONITOR] = { "needs-monitor",
        "monitoring is needed and this bed has none", true, SITE, 0 },
    [BEDS_BEING_CLEANED] = { "being-cleaned", "being cleaned: free soon", false, NULL, 15 },
    [BEDS_OUTLIER] = { "outlier", "another specialty's ward", false, NULL, 30 },
    [BEDS_ESCALATION_BED] = { "escalation", "an escalation bed", false, NULL, 20 },
    [BEDS_SIDE_ROOM_WASTED] = { "side-room-spent",
        "a side room nobody needs for isolation", false, NULL, 12 },
    [BEDS_ISOLATION_NOT_KNOWN] = { "isolation-not-assessed",
        "nobody has said whether isolation is needed", false, NULL, 10 },
    [BEDS_AGE_NOT_KNOWN] = { "age-unknown", "the patient's age is not known", false, NULL, 10 },
    [BEDS_NO_OXYGEN] = { "no-oxygen", "no piped oxygen at this bed", false, NULL, 25 },
    [BEDS_NOT_BARIATRIC] = { "not-bariatric",
        "not a bariatric bed: one must be brought", false, NULL, 10 },
};

static void add(struct beds_suggestion *to, bool applies, enum beds_refusal reason)
{
    if (!applies)
        return;
    assert(to->reasons_count < BEDS_REASONS_MAX);
    to->reasons[to->reasons_count++] = reason;
    to->hard_count += beds_refusals[reason].hard;
    to->score -= beds_refusals[reason].points;
}

static void judge_state(const struct beds_request *request, const struct beds_bed *bed,
                        struct beds_suggestion *out)
{
    bool own = bed->state == BEDS_RESERVED && str_given(request->reserved_stay) &&
               str_eq(bed->held_by, request->reserved_stay);
    add(out, bed->state == BEDS_OCCUPIED, BEDS_IS_OCCUPIED);
    add(out, bed->state == BEDS_RESERVED && !own, BEDS_IS_RESERVED);
    add(out, bed->state == BEDS_CLOSED, BEDS_IS_CLOSED);
    add(out, bed->state == BEDS_DIRTY, BEDS_IS_DIRTY);
    add(out, bed->state == BEDS_CLEANING, BEDS_BEING_CLEANED);
    add(out, bed->bay_closed, BEDS_BAY_CLOSED);
}

static void judge_person(const struct beds_request *request, const struct beds_bed *bed,
                         struct beds_suggestion *out)
{
    bool child = request->age_years != BEDS_AGE_UNKNOWN && request->age_years < BEDS_ADULT_FROM;
    bool adult = request->age_years >= BEDS_ADULT_FROM;
    /* The bay's sign and who lies there must both agree; children's bays have neither. */
    enum beds_sex bay = bed->sex != BEDS_SEX_ANY ? bed->sex : bed->bay_occupants;
    bool shared = !bed->side_room && !bed->paediatric && bay != BEDS_SEX_ANY;
    bool mixed = shared && (request->sex != bay || (bed->bay_occupants != BEDS_SEX_ANY &&
                                                    bed->bay_occupants != request->sex));
    add(out, mixed && request->sex != BEDS_SEX_ANY, BEDS_MIXED_SEX);
    add(out, shared && request->sex == BEDS_SEX_ANY, BEDS_SEX_UNKNOWN);
    add(out, child && !bed->paediatric, BEDS_ADULT_ONLY);
    add(out, adult && bed->paediatric, BEDS_CHILD_ONLY);
    add(out, request->age_years == BEDS_AGE_UNKNOWN, BEDS_AGE_NOT_KNOWN);
}

static void judge_needs(const struct beds_request *request, const struct beds_bed *bed,
                        struct beds_suggestion *out)
{
    bool isolate = request->isolation == BEDS_ISOLATION_NEEDED;
    add(out, isolate && !bed->side_room, BEDS_NEEDS_SIDE_ROOM);
    add(out, isolate && request->airborne && !bed->negative_pressure, BEDS_NEEDS_PRESSURE);
    add(out, request->isolation == BEDS_ISOLATION_UNKNOWN && !bed->side_room,
        BEDS_ISOLATION_NOT_KNOWN);
    add(out, bed->side_room && !isolate, BEDS_SIDE_ROOM_WASTED);
    add(out, request->needs_monitor && !bed->monitored, BEDS_NEEDS_MONITOR);
    add(out, request->needs_oxygen && !bed->oxygen, BEDS_NO_OXYGEN);
    add(out, request->bariatric && !bed->bariatric, BEDS_NOT_BARIATRIC);
    add(out, str_given(request->specialty) && !str_eq(request->specialty, bed->specialty),
        BEDS_OUTLIER);
    add(out, bed->escalation, BEDS_ESCALATION_BED);
}

struct beds_suggestion beds_judge(const struct beds_request *request, const struct beds_bed *bed)
{
    struct beds_suggestion out = { .score = 100 };
    judge_state(request, bed, &out);
    judge_person(request, bed, &out);
    judge_needs(request, bed, &out);
    return out;
}

static int order(const void *a, const void *b)
{
    const struct beds_suggestion *x = a, *y = b;
    if (x->hard_count != y->hard_count)
        return x->hard_count < y->hard_count ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->bed < y->bed ? -1 : x->bed > y->bed;
}

void beds_suggest(const struct beds_request *request, const struct beds_bed *beds, size_t count,
                  struct beds_suggestion *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = beds_judge(request, &beds[i]);
        out[i].bed = i;
    }
    qsort(out, count, sizeof *out, order);
}
