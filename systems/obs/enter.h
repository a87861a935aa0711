/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/entry.h"
#include "systems/obs/rules.h"

/*
 * obs_enter: the screens on which a set is entered, corrected, or taken back, and the decision on a
 * lower oxygen target is recorded.
 *
 * Shapes   GET and POST /obs/patient/{id}/enter, POST .../preview (the score of what is typed, as a
 *          piece of the page), /obs/set/{id} to correct or mark in error, /obs/patient/{id}/scale.
 *          The form's key is the id the set will have, so that sending it twice stores it once.
 * Missing  what is not typed is not taken: the score is incomplete and says so.
 * Errors   422 with the form again and a sentence a field; 409 when the set was corrected by
 *          somebody else meanwhile.
 * Memory   the request's arena.
 * Hazards  H-011 wrong patient, H-302 scale 2 unasked, H-304 late entry, H-309 stale overwriting.
 */
http_handler obs_enter_get, obs_enter_post, obs_preview_post, obs_correct_get, obs_correct_post,
    obs_scale_get, obs_scale_post;

/* What a score comes to, as every screen shows it. */
struct obs_card {
    bool complete, excluded, none, single_red, confirmed;
    int total;
    str risk, missing, why;       /* why: excluded */
    str response, frequency, action, source, table;
    str next_due;                 /* "09:34" */
    enum ui_tone tone;
    bool scale2;
    str scale_reason;
    str caution;                  /* what of the person is not known that the score rests on */
};
const char *obs_card_class(const struct obs_card *card);
struct obs_card obs_card_of(struct ctx *cx, const struct obs_person *person,
                            const struct obs_set *set, const struct obs_sets *before);
/* The page of a patient, with banner and tabs; `current` is the tab's address part. */
struct ui_page obs_page_for(struct http_request *request, const struct obs_person *person,
                            const char *title);
void obs_page_open(struct http_request *request, struct buf *out, const struct ui_page *page,
                   const struct obs_person *person, const char *current);

/* What the template of the form shows. */
struct obs_form {
    const struct obs_person *person;
    const struct obs_entry *entry;
    struct obs_card card;
    struct ui_field problems[OBS_FIELDS];
    size_t problems_count;
    str action, patient_path, preview;
    str who;                      /* name and NHS number, always in sight */
    bool correcting, empty;
    str opened_ms;
    str newer;                    /* somebody entered a set meanwhile */
};
struct obs_scale_page {
    const struct obs_person *person;
    str error, reason, when;
    bool may_decide;
};
