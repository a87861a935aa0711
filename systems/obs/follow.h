/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "systems/obs/alert.h"
#include "systems/obs/set.h"

/*
 * obs_follow: what follows from a set once it is on the log, whoever wrote it: the score is held
 * against its parts, a changed value is scored anew, somebody is called, and the clock of the call
 * runs until it is answered.
 *
 * Shapes   consumer obs-sets: an Observation of a score leads to escalations (Task and
 *          Communication) and, where it does not add up, to a DetectedIssue; a value that was
 *          changed leads to its score's next version. Consumer obs-clocks: every version of an
 *          escalation sets its timer. Due kind obs-answer: what the timer does.
 * Units    OBS_RECENT_H: sets taken longer ago call nobody (imports, late feeds).
 * Missing  a set whose patient cannot be read calls nobody and is tried again.
 * Errors   those of the store; the consumer tries again.
 * Memory   the call's ctx.
 * Limits   each effect has an id of its own (esc-SET, -t1, -t2 ...), so repeating does nothing.
 * Hazards  H-305 escalation unheard, H-308 a score that does not add up.
 */
enum { OBS_RECENT_H = 12, OBS_LOOK_BACK_H = 36 };
extern const struct consumer *const obs_consumers[];
extern const struct due_kind *const obs_due_kinds[];

err obs_follow_set(struct ctx *cx, struct store *store, const struct store_version *version,
                   void *self);
err obs_follow_alert(struct ctx *cx, struct store *store, const struct store_version *version,
                     void *self);
err obs_answer_due(struct ctx *cx, struct store *store, const struct due_item *item, void *self);

/* The sets that count, as the rules take them, newest first. */
size_t obs_points_of(struct ctx *cx, const struct obs_sets *sets, struct obs_point **out);
