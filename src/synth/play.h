/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/random.h"
#include "store/store.h"

/*
 * play: the clock of the demonstration: lets the invented hospital go on living, so that its boards
 * move. Each system adds what happens in its part of the hospital.
 *
 * For      data folders that ./run made, and no others: it admits, moves and discharges.
 * Shapes   several times a minute every act is asked whether something happens, with the dice and
 *          how many hours of hospital time have passed. Acts look at the record as it is and write
 *          by commits, as people do; so nothing is kept here, and a restart goes on where it was.
 * Units    hours of hospital time; speed is hospital hours in an hour. Rates are per hour.
 * Missing  nobody has watched for PLAY_WATCHED_MS: the hospital waits.
 * Errors   an act that fails is logged and asked again; a bed somebody else took first is no
 *          fault.
 * Memory   a ctx and arena of each round.
 * Limits   PLAY_VERSIONS_MAX versions written in a folder, then it stands still and says so.
 */
enum { PLAY_TICK_MS = 2000, PLAY_WATCHED_MS = 900000, PLAY_VERSIONS_MAX = 2000000,
       PLAY_SPEED_MAX = 1000 };

struct play_hand {
    struct ctx *cx;        /* has a reader when an act is called */
    struct store *store;
    struct random *random;
    double hours;          /* of hospital time since the act was last asked */
    double speed;
};
struct play_act {
    const char *name;
    err (*run)(struct play_hand *hand);
};
struct play_options {
    struct store *store;
    const struct play_act *const *acts; /* ended by NULL */
    double speed;
    int64_t (*watched_ms)(void *self);  /* monotonic, when somebody last looked; may be NULL */
    void *self;
    uint64_t seed;
};
struct play;
err play_start(struct ctx *cx, const struct play_options *options, struct play **out) MUST_USE;
void play_stop(struct play *play); /* before store_close; NULL is fine */

/* Whether something that happens `per_hour` has happened since the last call. */
bool play_happens(struct play_hand *hand, double per_hour);
size_t play_pick(struct play_hand *hand, size_t count); /* count > 0 */
/* How busy this hour of the week is for arrivals, and for discharges; 1 on average. */
double play_arrivals(int64_t now_ms);
double play_discharges(int64_t now_ms);
