/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/rules.h"
#include <math.h>

/* clang-format off: one row a step. */
#define LOCAL "local choice, for the trust to sign", "2026-01-01", false
const struct obs_step obs_ladder[] = {
    { 1, 0, "doctor",          "ward doctor",     30, LOCAL },
    { 1, 1, "registrar",       "registrar",       30, LOCAL },
    { 1, 2, "nurse_in_charge", "nurse in charge", 30, LOCAL },
    { 2, 0, "doctor",          "ward doctor",     15, LOCAL },
    { 2, 1, "registrar",       "registrar",       15, LOCAL },
    { 2, 2, "outreach",        "critical care outreach", 15, LOCAL },
    { 2, 3, "consultant",      "consultant",      15, LOCAL },
    { 3, 0, "registrar",       "registrar",        5, LOCAL },
    { 3, 1, "outreach",        "critical care outreach", 5, LOCAL },
    { 3, 2, "consultant",      "consultant",       5, LOCAL },
};
/* clang-format on */
const size_t obs_ladder_count = COUNT(obs_ladder);

bool obs_ladder_has(str role)
{
    for (size_t i = 0; i < COUNT(obs_ladder); i++)
        if (str_eq(role, str_of(obs_ladder[i].role)))
            return true;
    return false;
}

int obs_every_min(const struct news2_response *response)
{
    return response->every_min ? response->every_min : OBS_CONTINUOUS_MIN;
}

int obs_rank(const struct news2_response *response)
{
    if (!response)
        return 0;
    size_t row = (size_t)(response - news2_responses);
    return row < 3 ? 3 - (int)row : 0; /* the table stands strongest first */
}

const struct news2_response *obs_response_named(str name)
{
    for (size_t i = 0; i < news2_responses_count; i++)
        if (str_eq(name, str_of(news2_responses[i].name)))
            return &news2_responses[i];
    return NULL;
}

static const struct news2_response *of_point(const struct obs_point *point)
{
    return news2_respond(point->total, point->red ? 3 : 0);
}

static const struct obs_point *last_complete(const struct obs_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (points[i].complete)
            return &points[i];
    return NULL;
}

/* Rows stand strongest first, so the stronger of two is the one that stands before the other. */
const struct news2_response *obs_asked(const struct obs_point *points, size_t count)
{
    if (count == 0 || points[0].excluded)
        return NULL;
    const struct news2_response *now = of_point(&points[0]);
    const struct obs_point *before = last_complete(points, count);
    if (points[0].complete || !before)
        return now;
    const struct news2_response *then = of_point(before);
    return then < now ? then : now;
}

struct obs_due obs_due_of(const struct obs_point *points, size_t count, int64_t since_ms)
{
    if (count == 0)
        return (struct obs_due){ .due_ms = since_ms, .none = true };
    if (points[0].excluded)
        return (struct obs_due){ .due_ms = INT64_MAX, .excluded = true };
    const struct obs_point *counts = last_complete(points, count);
    struct obs_due due = { .response = obs_asked(points, count),
                           .incomplete = !points[0].complete };
    due.continuous = due.response->every_min == 0;
    due.due_ms = counts ? counts->at_ms + obs_every_min(due.response) * OBS_MINUTE_MS
                        : points[0].at_ms;
    return due;
}

const struct obs_step *obs_step_at(int rank, int step)
{
    for (size_t i = 0; i < COUNT(obs_ladder); i++)
        if (obs_ladder[i].rank == rank && obs_ladder[i].step == step)
            return &obs_ladder[i];
    return NULL;
}

int obs_steps(int rank)
{
    int count = 0;
    while (obs_step_at(rank, count))
        count++;
    return count;
}

int obs_answer_min(const struct obs_step *step, int round)
{
    int minutes = step->answer_min;
    for (int extra = round - obs_steps(step->rank) - 1; extra > 0 && minutes < OBS_AGAIN_MOST_MIN;
         extra--)
        minutes *= 2;
    return minutes < OBS_AGAIN_MOST_MIN ? minutes : OBS_AGAIN_MOST_MIN;
}

/*
 * A correction that takes the reason away ends the call; a later, lower set does not: the patient
 * was that ill an hour ago and somebody was asked to come. A late entry of an old set calls nobody.
 */
static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double obs_median(double *values, size_t count)
{
    if (!count)
        return (double)NAN;
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double obs_ninth_tenth(double *values, size_t count)
{
    if (!count)
        return (double)NAN;
    qsort(values, count, sizeof *values, compare);
    return values[(count * 9 + 9) / 10 - 1];
}

enum obs_decision obs_decide(const struct obs_situation *now)
{
    if (now->own_open)
        return now->wanted == 0 ? OBS_CANCEL : now->wanted != now->own_rank ? OBS_RESTART
                                                                            : OBS_LEAVE;
    if (now->wanted == 0 || !now->latest || now->own_closed || now->other_rank >= now->wanted)
        return OBS_LEAVE;
    bool held = now->reviewed_ms && now->total <= now->reviewed_total &&
                now->at_ms - now->reviewed_ms < OBS_REVIEW_HOLDS_MIN * OBS_MINUTE_MS;
    return held ? OBS_LEAVE : OBS_RAISE;
}

int64_t obs_clock_next_ms(const struct obs_clock *clock)
{
    switch (clock->state) {
    case OBS_TOLD: return clock->answer_by_ms;
    case OBS_SNOOZED: return clock->snooze_until_ms;
    case OBS_ANSWERED: return clock->review_by_ms ? clock->review_by_ms : INT64_MAX;
    case OBS_ENDED: break;
    }
    return INT64_MAX;
}

enum obs_act obs_clock_act(const struct obs_clock *clock, int64_t now_ms)
{
    static const enum obs_act acts[] = {
        [OBS_TOLD] = OBS_CLIMB, [OBS_SNOOZED] = OBS_TELL_AGAIN, [OBS_ANSWERED] = OBS_CHASE,
        [OBS_ENDED] = OBS_WAIT,
    };
    return now_ms >= obs_clock_next_ms(clock) ? acts[clock->state] : OBS_WAIT;
}
