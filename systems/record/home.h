/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"

/*
 * record_home: everything about one patient, a page a subject.
 *
 * Source   record.md 1.1.
 * Shapes   GET /record/patient/{patient} is the summary: a card a subject, newest first, each with
 *          what may be added. GET .../{tab} the whole of one subject.
 * Missing  an empty card says that nothing is recorded; a card of a type the asker may not see says
 *          so.
 * Errors   an unknown tab is ERR_NOT_FOUND; a patient who may not be opened gets the refusal page.
 * Limits   HOME_LINES a card; HOME_ALL a tab, after which "older" leads on.
 * Hazards  H-100, H-101.
 */
enum { HOME_LINES = 6, HOME_ALL = 100 };

struct home_line {
    str when, text, more, href, chip;
    enum ui_tone tone;
};
struct home_card {
    const char *id, *title, *empty, *add, *add_kind, *all; /* all: the tab with everything */
    const struct home_line *lines;
    size_t lines_count;
    bool more, hidden;
};
struct home_summary {
    str patient;
    const struct home_card *cards;
    size_t cards_count;
    bool may_write;
};
http_handler home_get, home_tab_get;

/* One entry as a line, whatever its type. */
struct home_line home_line_of(struct record_look *look, const struct record_item *item);
/* Entered in error: kept, and left out of every list but the history. */
bool home_is_wrong(struct json body);
/* The page where an entry is read and changed. */
str home_href(struct ctx *cx, str patient, const struct record_item *item);
