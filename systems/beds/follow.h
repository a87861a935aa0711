/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/feed.h"

/*
 * beds_follow: tells every open board what changed, soon after each commit.
 *
 * Source   the log, by way of the picture; src/ui/feed.h calls.
 * Shapes   channel "beds" has a row a ward and the totals, "beds/WARD" a row a bed. A bed that
 *          changed twice between two calls goes out once.
 * Missing  no board open, nor drawn in the last minute: nothing is read or drawn. A reservation
 *          that runs out is sent with the next commit, and shown by any page drawn before that.
 * Errors   none: a round that fails tells the boards to reload.
 * Memory   the arena of the call.
 * Hazards  H-013 stale board.
 */
extern const struct feed_view beds_feed;

/* A board is about to be drawn: called before it looks at the picture, so that no change between
 * its drawing and the opening of its stream is passed over. */
void beds_follow_expect(void);
