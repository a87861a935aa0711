/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/picture.h"
#include "ui/banner.h"

/*
 * beds_dialog: the form of each move, as a page that may open over a board; what was done, with its
 * undo, on the page a person comes back to.
 *
 * Shapes   GET /beds/do/{move}?bed= or ?encounter= draws the form; POST of it makes the move by
 *          moves.h and leads back to `back`, or draws the form again with what was wrong.
 * Missing  a move that concerns a person shows the banner and asks for two identifiers: without
 *          `checked` nothing is done.
 * Errors   ERR_NOT_FOUND: no such move, bed or stay; ERR_CONFLICT: another patient lies there than
 *          the form showed. Those of moves.h, in the form.
 * Memory   the request's arena.
 * Hazards  H-011 wrong patient: two identifiers before a move, and the patient the form was about.
 */
http_handler beds_dialog_get, beds_dialog_post;

/* What ?done= says was done, in words, with the way back. */
struct ui_done beds_done_of(struct http_request *request);

enum { BEDS_OPTIONS_MAX = 40, BEDS_FIELDS_MAX = 20 };
struct beds_refused {
    str bed, why, id;
};
struct beds_dialog {
    str lead;                       /* one sentence: what will happen */
    str warning;                    /* why the bed that was chosen cannot be taken; "": it can */
    struct ui_banner banner;
    bool has_patient;
    struct ui_field fields[BEDS_FIELDS_MAX];
    struct ui_form form;
    const struct beds_refused *refused; /* beds that cannot be taken */
    size_t refused_count, refused_of; /* of all there are */
    str find;                       /* admit: what was looked for */
    bool finds, find_only;          /* shows the search; nobody is chosen yet */
    str bed, back, action;
};
