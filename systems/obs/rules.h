/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "clinical/news2.h"

/*
 * obs_rules: when the next set is due, whether a set calls for somebody, whom, and by when. Pure.
 *
 * Source   intervals and responses: clinical/news2 (RCP 2017). The ladder, the answer times, the
 *          snooze and the hold after a review are local choices: rows with source and date,
 *          unconfirmed until a trust signs them.
 * Units    instants in UTC milliseconds, intervals in minutes: a night on which the clocks change
 *          makes none shorter or longer.
 * Missing  an incomplete set never lowers anything: the higher of what it shows and what the last
 *          complete one asked for holds, and its time does not count as a set taken.
 * Errors   none. Memory: pure, static tables; reads no clock.
 * Hazards  H-300 missing value scored, H-305 escalation unheard, H-306 due set overlooked.
 */
#define OBS_MINUTE_MS INT64_C(60000)
enum {
    OBS_CONTINUOUS_MIN = 30,  /* "continuous" on a paper chart: written down at least so often */
    OBS_SNOOZE_MAX_MIN = 30, OBS_SNOOZES_MAX = 2,
    OBS_REVIEW_HOLDS_MIN = 240, /* after a review the same score calls nobody for so long */
    OBS_AGAIN_MOST_MIN = 60,
    OBS_CHASE_MIN = 15,       /* a review that is late is called for again so often */
};

/* A set as far as these rules go; newest first in lists, those in error left out. */
struct obs_point {
    int64_t at_ms;
    int total;       /* the least it can be when it is not complete */
    bool red, complete, excluded;
};
struct obs_due {
    int64_t due_ms;  /* INT64_MAX: not on this chart */
    const struct news2_response *response; /* NULL: no set, or not scored */
    bool none, continuous, incomplete, excluded;
};
/* since_ms: when the stay began, for those without any set. */
struct obs_due obs_due_of(const struct obs_point *points, size_t count, int64_t since_ms);
/* What the newest set asks for; NULL: nobody is scored. */
const struct news2_response *obs_asked(const struct obs_point *points, size_t count);
int obs_every_min(const struct news2_response *response); /* continuous: OBS_CONTINUOUS_MIN */

/* 0: nobody is called; 1 single red score, 2 urgent, 3 emergency. */
enum { OBS_RANKS = 4 };
int obs_rank(const struct news2_response *response);
const struct news2_response *obs_response_named(str name); /* NULL: no such */

/* The ladder: who is told at each step, and how long they have to answer. */
struct obs_step {
    int rank, step;
    const char *role, *title; /* of the rota */
    int answer_min;
    const char *source, *effective;
    bool confirmed;
};
extern const struct obs_step obs_ladder[];
extern const size_t obs_ladder_count;
bool obs_ladder_has(str role);
/* NULL past the last step. */
const struct obs_step *obs_step_at(int rank, int step);
int obs_steps(int rank);
/* Minutes to answer, told for the `round`th time: past the top of the ladder it is told again ever
 * more slowly, but for ever. */
int obs_answer_min(const struct obs_step *step, int round);

/* What happens to the escalation of a set when the set is written or corrected. */
struct obs_situation {
    int wanted;          /* rank this set asks for now; 0 also when it is in error */
    bool latest;         /* no later set that counts */
    bool own_open;       /* this set has an open escalation ... */
    int own_rank;        /* ... of this rank */
    int other_rank;      /* highest rank open for an earlier set; 0: none */
    bool own_closed;     /* this set's escalation was answered and ended */
    int total;
    int64_t at_ms;
    int64_t reviewed_ms; /* the last review of this patient; 0: none */
    int reviewed_total;
};
enum obs_decision { OBS_LEAVE, OBS_RAISE, OBS_RESTART, OBS_CANCEL };
enum obs_decision obs_decide(const struct obs_situation *now);

/* Of response times; they sort what they are given. NAN of none. The ninth tenth is one of them: 9
 * of 10 took no longer (nearest rank). */
double obs_median(double *values, size_t count);
double obs_ninth_tenth(double *values, size_t count);

/* What the clock of one escalation asks for at an instant. */
enum obs_state { OBS_TOLD, OBS_SNOOZED, OBS_ANSWERED, OBS_ENDED };
struct obs_clock {
    enum obs_state state;
    int64_t answer_by_ms, snooze_until_ms, review_by_ms; /* review_by 0: no review asked for */
};
enum obs_act { OBS_WAIT, OBS_CLIMB, OBS_TELL_AGAIN, OBS_CHASE };
enum obs_act obs_clock_act(const struct obs_clock *clock, int64_t now_ms);
int64_t obs_clock_next_ms(const struct obs_clock *clock); /* INT64_MAX: nothing is waited for */
