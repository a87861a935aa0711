/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"

/*
 * timeline: a life in the record, newest first, a year at a time.
 *
 * Shapes   GET /record/patient/{patient}/timeline?kind=&year=&before=&of=&shown=. Years with their
 *          counts on top; then TIMELINE_PAGE entries, and a link to those before them. A page is
 *          keyset: each kind gives its newest from an instant on, and the newest of all are shown.
 * Units    `before` is the instant of the last entry shown, `of` its kind, `shown` how many of that
 *          kind and instant were shown: however many share an instant, none is passed over.
 * Missing  undated entries come on the last page.
 * Limits   TIMELINE_PAGE entries a page, whatever the patient has: the work does not grow with it.
 *          TIMELINE_SHARED entries of one kind at one instant.
 *          Over TIMELINE_COUNTED entries the years are named without their counts.
 */
enum { TIMELINE_PAGE = 60, TIMELINE_YEARS = 120, TIMELINE_COUNTED = 2000,
       TIMELINE_SHARED = 5000 };
struct timeline_year {
    int year;
    int64_t count;
    bool current;
};
struct timeline_kind {
    const char *name, *text;
    bool current;
};
struct timeline_line {
    str day, when, kind, text, more, href, chip;
    int tone;
    bool new_day, wrong; /* wrong: entered in error; more is the reason then */
};
struct timeline {
    str patient, kind, year;
    str before, of;  /* the last entry shown; before empty: the first page */
    size_t shown;
    str older, older_of; /* where the next page begins; empty: this is the last */
    size_t older_shown;
    const struct timeline_year *years;
    size_t years_count;
    const struct timeline_kind *kinds;
    size_t kinds_count;
    const struct timeline_line *lines;
    size_t lines_count;
};
err timeline_draw(struct record_look *look) MUST_USE;
