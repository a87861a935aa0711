/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/components.h"
#include "json/json.h"

/*
 * ui_browse: the record as pages for people: search results, one resource, its history.
 *
 * Shapes   GET /browse/{type}?q=SEARCH, where SEARCH is what would follow /fhir/{type}? ;
 *          GET /browse/{type}/{id}, with the banner of the patient it is about;
 *          GET /browse/{type}/{id}/history.
 * Missing  a resource without a name or code is shown by its id.
 * Errors   those of search and read; a search that is wrong shows its form again, with the reason.
 * Hazards  H-011: the banner of the resource's patient stands over it.
 */
enum { UI_BROWSE_PAGE = 50 };

struct ui_browse_row {
    str id, text, when;
    str code, change; /* of a history: version and what happened */
};
struct ui_browse_list {
    str type, query, next;     /* next: the query of the next page; absent on the last */
    str fault;                 /* why the search was refused */
    const struct ui_browse_row *rows;
    size_t rows_count;
    bool has_total;
    uint64_t total;
};
struct ui_browse_resource {
    str type, id, version, when;
    struct ui_html json;       /* indented, with references as links */
    const struct ui_tab *tabs;
    size_t tabs_count;
};
extern const struct route ui_browse_routes[];

/* What a person calls the resource: a name, a code's text, a status. */
str ui_resource_text(struct ctx *cx, struct json resource);
/* A CodeableConcept as people call it: its text, else the first coding's display, else its code. */
str ui_concept_text(struct ctx *cx, struct json concept);
/* The name and numbers of a Patient. */
struct ui_patient ui_patient_of(struct ctx *cx, struct json patient);
/* Indented JSON as HTML; "Type/id" in a reference becomes a link to its page. */
struct ui_html ui_json_html(struct ctx *cx, struct json value);
