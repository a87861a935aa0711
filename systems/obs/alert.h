/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/fhir.h"
#include "systems/obs/rules.h"

/*
 * obs_alert: one escalation as a Task: what was asked for, who was told, who answered and when.
 *
 * Source   hl7.org/fhir/R4/task.html. The text is the guideline's (clinical/news2).
 * Shapes   Task/esc-SET with code news2-escalation: requested (told, no answer yet), on-hold
 *          (snoozed), accepted (answered), completed (the patient was seen), cancelled (the set was
 *          corrected, or a higher one took its place). Each telling is a Communication about it.
 *          The figures stand in one extension, in UTC, so that views sort them.
 * Units    instants in UTC milliseconds; 0: not yet.
 * Errors   obs_alert_read: ERR_NOT_FOUND: no such escalation.
 * Memory   the ctx's arena.
 * Hazards  H-305 escalation unheard.
 */
struct obs_alert {
    str id, patient, encounter, ward, set; /* set: the score's id */
    int64_t vid;
    enum obs_state state;
    str status, reason;               /* as on the Task; why it ended */
    const struct news2_response *response;
    int total;
    bool red, complete;
    int step, round;                  /* round counts every telling */
    int64_t raised_ms, answer_by_ms, review_by_ms, snooze_until_ms;
    int64_t answered_ms, reviewed_ms;
    int snoozes;
    str told;                         /* "Dr A (registrar), Dr B" or "nobody on the rota" */
    str answered_by, reviewed_by, note;
};
bool obs_is_alert(struct json task);
struct obs_alert obs_alert_of(struct ctx *cx, struct json task, int64_t vid);
err obs_alert_read(struct ctx *cx, struct store *store, str id, struct obs_alert *out) MUST_USE;
/* Those of a patient; `open` only: not ended. Newest first. */
err obs_alerts_read(struct ctx *cx, struct store *store, str patient, bool open,
                    struct obs_alert **out, size_t *count) MUST_USE;
struct obs_clock obs_alert_clock(const struct obs_alert *alert);
/* Writes it as it is now: a create when vid is 0. */
err obs_alert_op(struct ctx *cx, const struct obs_alert *alert, struct commit_op *op) MUST_USE;

/* Tells whoever is on shift for the step the alert is at, or the next one that has somebody; adds
 * the Communications and fills in step, told and answer_by. */
err obs_alert_tell(struct ctx *cx, struct store *store, struct obs_alert *alert,
                   struct commit_op *ops, size_t *count) MUST_USE;
