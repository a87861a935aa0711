/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/picture.h"

/*
 * beds_requests: who waits for a bed, since when, with what needs, and which bed is kept for them.
 *
 * Source   a request is a ServiceRequest of category https://frontline.example/CodeSystem/
 *          bed-request (ed, elective, transfer, repatriation, step-down); its needs are orderDetail
 *          codes of .../bed-need. The clock of the emergency department starts with the decision to
 *          admit (NHS England, UEC definitions); 12 hours from it is a breach. 4 hours amber:
 *          unconfirmed, local.
 * Shapes   GET /beds/requests.json: by priority, then longest wait; GET /beds/suggest.json?request=
 *          (or sex, age, specialty ...): every bed ranked, with the reasons for each and against.
 * Units    instants in UTC milliseconds; waits in minutes.
 * Missing  no decision to admit: the clock starts when the request was made. Isolation that nobody
 *          has assessed is said to be so, never taken as not needed.
 * Errors   ERR_NOT_FOUND: no such open request.
 * Memory   the request's arena.
 * Hazards  H-027 a wait that nobody sees.
 */
enum beds_source {
    BEDS_FROM_ED, BEDS_FROM_ELECTIVE, BEDS_FROM_TRANSFER, BEDS_FROM_REPATRIATION,
    BEDS_FROM_STEP_DOWN, BEDS_SOURCES
};
enum { BEDS_WAIT_AMBER_MIN = 4 * 60, BEDS_WAIT_BREACH_MIN = 12 * 60 };
struct beds_named {
    const char *code, *text;
};
extern const struct beds_named beds_sources[BEDS_SOURCES];
extern const struct beds_named beds_priorities[4]; /* most urgent first */

struct beds_asked {
    str id, patient, specialty, note;
    enum beds_source source;
    int priority;                 /* row of beds_priorities */
    int64_t asked_ms, decided_ms, due_ms;
    struct beds_request wanted;   /* needs; sex, age and more from the patient */
    struct beds_stay who;         /* name, sex, birth date, NHS number */
    str kept_bed, kept_stay;      /* reserved for it; may be empty */
};
/* From the decision to admit, the day of coming in, or the asking. */
int64_t beds_clock_ms(const struct beds_asked *asked);
int64_t beds_waited_min(const struct beds_asked *asked, int64_t now_ms); /* 0 before the clock */
err beds_asked_read(struct ctx *cx, str id, struct beds_asked *out) MUST_USE;
/* All of them, most urgent and longest waiting first; cx has a reader. */
err beds_asked_list(struct ctx *cx, struct beds_asked **out, size_t *count) MUST_USE;

/* ?sex= age= isolation= airborne= monitor= oxygen= bariatric= specialty=: ERR_INVALID for a word
 * that is none of the choices. */
err beds_wanted_read(struct http_request *request, struct beds_request *out) MUST_USE;

http_handler beds_requests_json_get, beds_suggest_json_get, beds_exceptions_json_get,
    beds_outliers_json_get;
