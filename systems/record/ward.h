/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/find.h"
#include "systems/record/home.h"
#include "systems/record/result.h"

/*
 * record_ward: the patients of one ward: the list to work from, the handover sheet, the pack for
 * the day the computers stand still.
 *
 * Source   record.md 1.1 (ward list, handover, downtime pack).
 * Shapes   GET /record/ward/{ward}: one row a patient by bed. .../handover: the same with the
 *          latest SBAR and open tasks, for paper. .../downtime: the ward list, then a page a
 *          patient. .../results: results nobody has acknowledged, with
 *          what is flagged and how long they wait: whose are critical first, then the oldest.
 * Missing  a bed that is empty is left out here; systems/beds shows beds.
 * Errors   ERR_NOT_FOUND: no such ward.
 * Limits   WARD_MAX patients; more are said to be there.
 * Hazards  H-102 similar names on one ward.
 */
enum { WARD_MAX = 200, WARD_PAPER_LINES = 12 };

struct ward_task {
    str text, due, owner;
    bool late;
};
struct ward_row {
    struct ui_banner banner;
    struct match_person match;
    str bed, reason, consultant, days;
    str news2;
    enum ui_tone news2_tone;
    str sbar[4], sbar_by;      /* the four headings; by whom and when */
    const struct ward_task *tasks;
    size_t tasks_count;
    const struct result_report *reports; /* those that wait, the most urgent first */
    size_t results_waiting;
    bool alike;
};
struct ward_list {
    str id, name;
    struct ward_row *rows;
    size_t rows_count;
    bool more;
};
/* One subject of the downtime pack. */
struct ward_paper {
    const char *title;
    const struct home_line *lines;
    size_t lines_count;
    bool more;
};
http_handler ward_get, ward_handover_get, ward_downtime_get, ward_results_get;

/* Where somebody lies now, in one line: "Bed 4, Ward 7"; "Not in hospital". */
str ward_place_of(struct ctx *cx, struct store *store, str patient);
/* The asker's wards, or all of them when they have none. */
err ward_links(struct ctx *cx, const struct ui_link **out, size_t *count, bool *all) MUST_USE;
/* Inpatients of a ward by bed, with banner and place; no tasks or handover yet. */
err ward_read(struct ctx *cx, struct store *store, str ward, struct ward_list *out) MUST_USE;
