/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "ui/components.h"

/*
 * obs_responses: how fast escalations were answered and the patients seen.
 *
 * Source   view obs_alerts. Shapes: GET /obs/responses?days=28, and .csv of the same.
 * Units    minutes from when it was raised; medians and the share within the guideline's time.
 * Missing  one not answered counts as not within its time once that has passed, never left out.
 * Errors   none of its own. Memory: the request's arena.
 * Limits   the newest OBS_RESPONSES_MAX escalations.
 */
enum { OBS_RESPONSES_MAX = 5000, OBS_RESPONSE_DAYS = 28, OBS_RESPONSE_DAYS_MAX = 366 };
struct obs_times {
    size_t count;
    str median, ninth; /* "7 min", "-"; ninth: 9 of 10 took no longer */
};
struct obs_response_row {
    str name;
    size_t raised, waiting, ended, in_time, judged, climbed; /* ended: cancelled, unanswered */
    struct obs_times answered, seen;
    str share; /* "18 of 21 (86 %)" */
};
struct obs_responses_page {
    const struct obs_response_row *rows;
    size_t rows_count, days;
    struct ui_html chart;
};
/* GET /obs/rules: the limits, intervals and ladder this system goes by, each with its source. */
http_handler obs_rules_get;
http_handler obs_responses_get, obs_responses_csv_get;
