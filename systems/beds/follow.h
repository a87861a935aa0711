/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/feed.h"

/*
 * beds_follow: tells every open board what changed, soon after each commit.
 *
 * Source   the log and the kept views; src/ui/feed.h calls.
 * Shapes   channel "beds" has a row a ward and the totals, "beds/WARD" a row a bed. After commits
 *          the hospital is read once and each bed compared with what was sent of it last; what
 *          differs is drawn once and goes to all who look.
 * Missing  no board open, nor drawn in the last minute: nothing is read or drawn, and the next
 *          round sends every row.
 * Errors   none: a round that fails, or a bed that came or went, tells the boards to reload.
 * Memory   the arena of the call; about 100 bytes a bed for what was sent.
 * Hazards  H-013 stale board.
 */
extern const struct feed_view beds_feed;

/* A board is about to be drawn: called before it looks at the picture, so that no change between
 * its drawing and the opening of its stream is passed over. */
void beds_follow_expect(void);
