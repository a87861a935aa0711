/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "clinical/fluid.h"
#include "http/http.h"
#include "systems/obs/person.h"

/*
 * obs_fluids: the fluid chart: what went in and came out, by hour and running, and whether the
 * urine is enough for the weight.
 *
 * Source   clinical/fluid (oliguria: KDIGO 2012, unconfirmed). The fluid day begins at 08:00 unless
 *          the ward's Location says otherwise by extension fluid-day-start (a time).
 * Shapes   GET and POST /obs/patient/{id}/fluid; POST /obs/fluid/{entry} takes one back. An entry
 *          is an Observation of category fluid-balance whose code is the route; `device` is there
 *          when a pump counted it. POST /obs/patient/{id}/weight.
 * Units    millilitres, grams; hours by the wall clock, so that a day has 23, 24 or 25.
 * Missing  a volume that was not measured makes balances incomplete, and is said; without a weight,
 *          or before the chart is long enough, oliguria is unknown.
 * Errors   422 with the form again; ERR_INVALID for a reason not given.
 * Memory   the request's arena.
 * Limits   OBS_FLUIDS_MAX entries of the last OBS_FLUID_DAYS days.
 * Hazards  H-008 one volume counted twice.
 */
enum { OBS_FLUIDS_MAX = 1000, OBS_FLUID_DAYS = 4, OBS_FLUID_DAY_HOUR = 8 };
extern const char *const obs_fluid_codes[FLUID_ROUTES]; /* of routes, in codes and forms */
extern const size_t obs_fluid_codes_count;

struct obs_fluid_line {
    str at, route, volume, who, id, note;
    bool intake, by_device, in_error, twin;
};
struct obs_fluid_hour {
    str hour, in, out, balance, running;
};
struct obs_fluid_day {
    str day;
    int64_t intake_ml, output_ml, balance_ml;
    size_t unmeasured;
    bool now;
    size_t charted; /* entries; 0: the day has no balance at all */
};
struct obs_fluid_page {
    const struct obs_person *person;
    str action, error, question, at, volume, route, key, oliguria, weight, weight_error, starts;
    bool unmeasured, by_device, has_stage, may_write;
    const struct obs_fluid_line *lines;
    size_t lines_count;
    const struct obs_fluid_hour *hours;
    size_t hours_count;
    const struct obs_fluid_day *days; /* newest first */
    size_t days_count;
    struct ui_html chart;
};
/* An entry as an Observation. */
str obs_fluid_text(struct ctx *cx, const struct obs_person *person, const struct fluid_entry *entry,
                   str id);
http_handler obs_fluids_get, obs_fluids_post, obs_fluid_back_post, obs_weight_post;
