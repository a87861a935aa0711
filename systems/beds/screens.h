/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/board.h"

/*
 * beds_screens: lists over all wards, each for somebody: what to clean next, who is infectious and
 * where, who could go home and what holds it up, who lies outside their specialty, what went wrong,
 * and the hospital as the site meeting looks at it.
 *
 * Source   the picture and the open Tasks ("Discharge task", "Bed exception").
 * For      cleaners; infection control; ward and discharge teams; bed managers; the site team.
 * Shapes   GET /beds/requests /beds/cleaning /beds/infection /beds/discharges /beds/outliers
 *          /beds/worklist /beds/site.
 * Units    days are midnights; instants by the London clock.
 * Missing  a specialty that is not given is no outlier: it is listed as not known.
 * Errors   those of the store.
 * Memory   the request's arena.
 * Hazards  H-016 side rooms; H-028 outlier lost to specialty.
 */
struct beds_section {
    const char *href, *text;
};
extern const struct beds_section beds_sections_list[];
extern const size_t beds_sections_list_count;
str beds_specialty_name(str code); /* "General Medicine"; the code where it is not known */

http_handler beds_requests_get, beds_cleaning_get, beds_infection_get, beds_discharges_get,
    beds_outliers_get, beds_worklist_get, beds_site_get;

/* A bed with what a list adds to it. */
struct beds_item {
    struct beds_row row;
    str live_id;        /* of its row on an open page */
    str ward, ward_id, note, more;
    enum ui_tone tone;
    int64_t order;
    const struct beds_todo *todos;
    size_t todos_count;
};
/* Something that holds a discharge up. */
struct beds_todo {
    str id, encounter, text, owner, due;
    int64_t due_ms;
    bool late;
};
struct beds_items {
    str caption, empty, live_id;
    const struct beds_item *items;
    size_t items_count;
};
struct beds_tally {
    str text, hint;
    size_t count, of;
};
struct beds_tallies {
    str caption;
    const struct beds_tally *rows;
    size_t rows_count;
};
struct beds_exception_row {
    str task, text, when, encounter;
};
/* A request that waits. */
struct beds_wait {
    str id, name, patient, born, sex, nhs, source, priority, specialty, needs, since, note, kept;
    enum ui_tone tone;  /* of the wait */
    str breach;         /* "over 12 hours"; empty: not */
    int64_t clock_ms, minutes;
    bool future;        /* the clock has not started: an elective patient to come */
};
struct beds_place_now { /* a site, or a specialty of it */
    str name, live_id;
    struct beds_ward now;
    size_t wanted;      /* requests that wait */
    size_t escalation, long_21;
};
struct beds_meeting {
    const struct beds_place_now *sites, *specialties;
    size_t sites_count, specialties_count;
    struct beds_tallies closed, late;
    struct beds_long stays;
    str as_of;
};
