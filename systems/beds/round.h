/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/screens.h"
#include "ui/banner.h"

/*
 * beds_round: the ward round of one patient on one page: does this patient still need a hospital
 * bed, when do they leave, by which way, and what holds it up.
 *
 * Source   criteria to reside, Annex D (unconfirmed wording); discharge ready date and pathways as
 *          in discharge.h; a date and clinical criteria for discharge from the first consultant
 *          contact on.
 * For      adult inpatients; the ward team at the round, and whoever acts on its tasks.
 * Shapes   GET and POST /beds/round/{encounter}: one form, one commit: extensions of the Encounter
 *          and its Tasks ("Discharge task"). The rounds before stand below, newest first.
 * Units    days by the London calendar, as yyyy-mm-dd.
 * Missing  nothing chosen under the criteria is no round: the last answer stands. An empty field
 *          leaves what was recorded.
 * Errors   ERR_INVALID in the form: no longer meets, yet criteria are ticked; a date put back
 *          without a reason; a delay or pathway that is not listed. ERR_NOT_FOUND: no such stay.
 * Memory   the request's arena.
 * Hazards  H-018 a date to leave put back unseen: each change keeps its reason.
 */
http_handler beds_round_get, beds_round_post;

enum { BEDS_ROUND_FIELDS = 16, BEDS_ROUNDS_SHOWN = 60 };
struct beds_round_row {
    str day, answer, criteria;
    enum ui_tone tone;
};
struct beds_round_page {
    struct ui_banner banner;
    struct beds_row row;
    bool in_bed;
    struct ui_field fields[BEDS_ROUND_FIELDS];
    struct ui_form form;
    const struct beds_round_row *rounds;  /* newest first */
    size_t rounds_count;
    const struct beds_round_row *changes; /* of the date to leave: day, text, why */
    size_t changes_count;
    const char *table;                    /* which version of the criteria */
};
