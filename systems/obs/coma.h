/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "clinical/gcs.h"
#include "http/http.h"
#include "systems/obs/person.h"

/*
 * obs_coma: the Glasgow Coma Scale: entry, the chart, a fall that needs a doctor now, and how often
 * to look after a head injury.
 *
 * Source   clinical/gcs (2014 wording; NICE NG232 intervals and falls: unconfirmed, and shown so).
 * Shapes   GET and POST /obs/patient/{id}/gcs. One Observation (248241002, LOINC 9269-2) with the
 *          parts as components; a part that could not be tested has dataAbsentReason and the total
 *          is then absent. Extension head-injury says that the intervals of a head injury hold.
 * Units    points; minutes.
 * Missing  a part not given is refused; one not testable is an answer and leaves no total.
 * Errors   422 with the form again. Memory: the request's arena.
 * Limits   OBS_COMA_MAX sets of the last OBS_COMA_DAYS days.
 */
enum { OBS_COMA_MAX = 200, OBS_COMA_DAYS = 7 };
struct obs_coma_line {
    str at, parts[GCS_PARTS], total, band, who;
    bool head_injury;
};
struct obs_coma_part {
    const char *name, *title;
    enum gcs_part part;
    int most;
    str chosen;
};
struct obs_coma_page {
    const struct obs_person *person;
    str action, key, at, error, urgent, due;
    bool head_injury, may_write;
    struct obs_coma_part parts[GCS_PARTS];
    size_t parts_count;
    const struct obs_coma_line *lines;
    size_t lines_count;
    struct ui_html chart;
};
http_handler obs_coma_get, obs_coma_post;

/* Pure, for tests: sets newest first. */
struct obs_coma_set {
    int64_t at_ms;
    struct gcs_obs obs;
    bool head_injury;
};
/* Minutes the newest total has been 15 without a break; 0 when it is not. */
int64_t obs_coma_min_since_15(const struct obs_coma_set *sets, size_t count);
/* The newest against the best of the hours before: true when the fall asks for a doctor now. */
bool obs_coma_fell(const struct obs_coma_set *sets, size_t count);
