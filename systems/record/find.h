/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"
#include "systems/record/match.h"

/*
 * record_find_patient: from what somebody types to the right patient, and to nobody else.
 *
 * Source   record.md 1.1: never opened from a partial match without a second identifier.
 * Shapes   GET /record/find?q=&born= lists matches, nearest first, each with why. A full match
 *          links to the record; a partial one to a page that asks for a second identifier, from the
 *          patient or the wristband. The same search as JSON for programs.
 * Missing  somebody the asker has no business with is shown only on a full match and only to roles
 *          that may break the glass; a record with a sensitive label is not shown to them at all.
 * Errors   those of match_read: the form again, with the reason.
 * Limits   FIND_SHOWN people; more are said to be there. FIND_LOOKED are compared, FIND_QUERY a
 *          query.
 * Hazards  H-101, H-102 the wrong one of two people with nearly the same name.
 */
enum { FIND_SHOWN = 30, FIND_LOOKED = 600, FIND_QUERY = 300, FIND_RECENT = 8 };

struct find_row {
    struct ui_patient who;
    str place, why;
    int64_t pid;
    int points;
    bool full, alike, foreign; /* foreign: no business with this patient */
    bool replaced;             /* merged into another record */
    struct match_person match;
};
struct find_list {
    str typed, born;
    struct ui_field fields[2];
    bool asked, more, nhs_wrong, may_break;
    struct find_row *rows;
    size_t rows_count;
};
struct find_draft {
    str title, patient, when, href;
};
struct find_home {
    struct find_list find;
    const struct ui_link *wards;
    size_t wards_count;
    struct find_row *mine;
    size_t mine_count;
    struct find_row *recent;
    size_t recent_count;
    struct find_draft *drafts; /* the asker's notes that nobody has signed */
    size_t drafts_count;
    struct find_draft *sending; /* the asker's summaries that no practice has confirmed */
    size_t sending_count;
    bool may_merge;
    bool whole_hospital;       /* wards are all wards, not the asker's */
};
struct find_confirm {
    struct ui_banner banner;
    struct ui_field field;
    str back;
};
http_handler find_home_get, find_list_get, find_confirm_get, find_confirm_post;

/* The names and numbers of a Patient, folded for comparing. */
struct match_person find_person(struct ctx *cx, const struct ui_patient *who);
/* What `who` began to write and has not signed: a draft forgotten is a note not written. */
err find_drafts(struct ctx *cx, struct store *store, str who, struct find_draft **out,
                size_t *count) MUST_USE;
/* Marks those in the list that could be taken for one another. */
void find_mark_alike(struct find_row *rows, size_t count);
/* Puts the patient first among the browser's recent ones. */
void find_remember(struct record_look *look);
