/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "json/json.h"
#include "store/store.h"
#include "ui/banner.h"
#include "ui/page.h"

/*
 * record_look: how every screen of the record reads: through the asker's own access, and under the
 * banner of one patient.
 *
 * Source   hl7.org/fhir/R4/search.html for the queries.
 * Shapes   a set is what a FHIR search found, parsed; a look is one page about one patient.
 * Missing  what may not be seen is not in a set. A patient who may not be opened gets a page that
 *          says what to do next, and does not say whether there is such a patient.
 * Errors   those of search. record_look_open: ERR_NOT_FOUND, ERR_GONE.
 * Memory   the request's arena.
 * Limits   as each caller says; a set that is not whole has `more`.
 * Hazards  H-101 the page of one patient read as another's.
 */
struct record_item {
    struct json body;
    str id;
    uint16_t resource;
    int64_t vid, seq, at_ms; /* of the version */
    int64_t pid;             /* the patient's, or its own */
};
struct record_set {
    struct record_item *items;
    size_t count;
    bool more;
    int64_t total;           /* -1: not asked for */
};
/* `query` as after /fhir/TYPE?; at most `max` items. */
err record_find(struct ctx *cx, struct store *store, const char *type, str query, size_t max,
                struct record_set *out) MUST_USE;
err record_count(struct ctx *cx, struct store *store, const char *type, str query,
                 int64_t *out) MUST_USE;
err record_read(struct ctx *cx, struct store *store, const char *type, str id,
                struct record_item *out) MUST_USE;
/* May this asker see, or write ('c', 'u'), resources of the type at all? */
bool record_may(const struct ctx *cx, const char *type, char letter);
/* A permission beside the route's; without sign-in everything is. */
bool record_permits(const struct ctx *cx, str permission);

/* Texts out of resources. */
str record_text(struct ctx *cx, struct json object, const char *key);
str record_concept(struct ctx *cx, struct json resource, const char *key);
bool record_has_code(struct json concept, const char *code);
str record_reference_id(struct ctx *cx, struct json resource, const char *key, const char *type);
/* The first of these elements that is a date, or the start of that is a period; empty: none. */
str record_when(struct ctx *cx, struct json resource);
/* A FHIR dateTime as people read it: date and, when given, time; "Not known". */
str record_shown_when(struct ctx *cx, str date_time);
/* The same for a narrow place: "22 Nov, 10:42", "14-Jul-2019". Never "today": paper
 * is read tomorrow. */
str record_brief_when(struct ctx *cx, str date_time);
/* "A. Khan" of a Reference: its display, else the person's name, else the reference. */
str record_person(struct ctx *cx, struct store *store, struct json reference);
str record_json_text(struct ctx *cx, str text); /* as a JSON string, with its quotes */

struct record_look {
    struct http_request *request;
    struct http_response *response;
    struct ctx *cx;
    struct store *store;
    str patient;               /* id */
    struct ui_banner banner;
    int64_t seq;               /* of the log, before anything was read */
    struct ui_page page;
    struct buf out;
};
/* Opens the page: banner, tabs with `tab` marked. The caller draws the inside. */
err record_look_open(struct http_request *request, struct http_response *response,
                     struct record_look *look) MUST_USE;
void record_look_head(struct record_look *look, const char *tab, str title);
err record_look_send(struct record_look *look) MUST_USE;
/* The page instead, when the patient cannot be opened. */
err record_look_refuse(struct http_request *request, struct http_response *response) MUST_USE;
