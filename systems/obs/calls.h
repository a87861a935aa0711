/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/obs/alert.h"
#include "ui/components.h"
#include "ui/home.h"

/*
 * obs_calls: escalations on the screen: what the guideline says to do, who was told and when, who
 * answered, and the clock that runs.
 *
 * Source   RCP NEWS2 2017, Chart 4, by clinical/news2.
 * Shapes   GET /obs/escalations (all that are open, unanswered first), GET
 *          /obs/patient/{id}/escalations (all of a patient), POST /obs/escalation/{id}/{do}: answer
 *          (with what will be done), snooze (minutes and a reason; twice at most), seen (the
 *          patient was reviewed).
 * Units    minutes.
 * Missing  nobody on the rota is written on the card in words.
 * Errors   ERR_RULE: not in the state for it; ERR_INVALID: no reason given; ERR_CONFLICT: somebody
 *          else answered first, and who.
 * Memory   the request's arena.
 * Hazards  H-305 escalation unheard.
 */
struct obs_call_card {
    struct obs_alert alert;
    str name, nhs, ward_name, where; /* where: on lists over several patients */
    str raised, clock;            /* "answer by 08:39, 3 min left", "unanswered for 12 min" */
    str answered, reviewed;
    enum ui_tone tone;
    bool late, may_answer, may_snooze;
    const str *tellings;          /* each with its time */
    size_t tellings_count;
};
/* Those nobody has answered, on the first page of who may answer. */
ui_home_fill obs_calls_home;
http_handler obs_calls_get, obs_patient_calls_get, obs_call_post;
struct obs_call_card obs_call_card_of(struct ctx *cx, const struct obs_alert *alert);
/* May the person of this request answer? Those who may write Tasks. */
bool obs_may_answer(const struct ctx *cx);
