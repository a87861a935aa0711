/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/picture.h"
#include "ui/components.h"

/*
 * beds_board: the hospital board, a ward's board and a bed's page, with the words they show.
 *
 * For      ward clerks, nurses, bed managers, the site team, infection control, cleaners.
 * Shapes   GET /beds (wards), /beds/ward/{ward}, /beds/bed/{bed}, /beds/board.json?ward=. Rows are
 *          table rows with the bed's id, so that live updates replace one at a time.
 * Units    days in hospital are midnights; NEWS2 in points with the time of its set.
 * Missing  what is not known is said to be: "Not known", "Not assessed", "No date".
 * Errors   ERR_NOT_FOUND: no such ward or bed.
 * Memory   the request's arena; rows copy what they show out of the picture.
 * Hazards  H-013 stale board; H-011 wrong patient: name and NHS number or birth date together.
 */
struct beds_row {
    str id, name, bay, state, note, encounter;
    enum ui_tone tone;
    enum beds_state code;
    str patient, born, sex, nhs;  /* "" where the bed is empty */
    str patient_id;
    str news2, edd, reside, ready, pathway, flags, days;
    enum ui_tone news2_tone;
    bool side_room;
    str kind;                     /* "side room, women" */
};
struct beds_ward {
    str id, name, site;
    size_t beds, occupied, reserved, available, dirty, cleaning, closed;
    size_t free_women, free_men, free_any; /* of the available ones */
    size_t percent, not_reside;
    enum ui_tone tone;
};
struct beds_row beds_row_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot);
struct beds_ward beds_ward_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot);
/* The beds of a ward in the order of their numbers; the array is in the arena. */
int32_t *beds_in_ward(struct ctx *cx, const struct beds_picture *picture, int32_t ward,
                      size_t *count);

http_handler beds_hospital_get, beds_ward_get, beds_bed_get, beds_json_get, beds_suggest_get,
    beds_live_get;

/* What the bed's page shows. */
struct beds_page {
    struct beds_row row;
    str ward_id, ward, back;
    const struct beds_option {
        str value, text;
    } *beds; /* beds this patient may move to, best first */
    size_t beds_count;
};
struct beds_suggested {
    str bed, ward, why;
    bool refused;
};
