/* SPDX-License-Identifier: Apache-2.0 */
#include "module/module.h"
#include "systems/obs/calls.h"
#include "systems/obs/chart.h"
#include "systems/obs/enter.h"
#include "systems/obs/follow.h"
#include "systems/obs/responses.h"
#include "systems/obs/ward.h"

/* clang-format off: one row a route. */
#define READ "obs.read"
#define WRITE "obs.write"
static const struct route routes[] = {
    { "GET", "/obs", READ, obs_wards_get, "Wards, and how many sets are overdue", ROUTE_SLOW },
    { "GET", "/obs/ward/{ward}", READ, obs_ward_get, "Who is due on a ward", ROUTE_SLOW },
    { "GET", "/obs/live", READ, obs_live_get, "Changes of a ward's list, as they come", 0 },
    { "GET", "/obs/patient/{id}", READ, obs_chart_get, "A patient's NEWS2 chart", ROUTE_SLOW },
    { "GET", "/obs/patient/{id}/enter", WRITE, obs_enter_get, "Enter a set", ROUTE_SLOW },
    { "POST", "/obs/patient/{id}/enter", WRITE, obs_enter_post, "Store a set", ROUTE_SLOW },
    { "POST", "/obs/patient/{id}/preview", WRITE, obs_preview_post, "The score of what is typed", ROUTE_SLOW },
    { "GET", "/obs/patient/{id}/scale", READ, obs_scale_get, "The decision on an oxygen target", ROUTE_SLOW },
    { "POST", "/obs/patient/{id}/scale", "obs.decide", obs_scale_post, "Record or end that decision", ROUTE_SLOW },
    { "GET", "/obs/patient/{id}/escalations", READ, obs_patient_calls_get, "A patient's escalations", ROUTE_SLOW },
    { "GET", "/obs/set/{set}", WRITE, obs_correct_get, "Correct a set", ROUTE_SLOW },
    { "POST", "/obs/set/{set}", WRITE, obs_correct_post, "Store a correction, or take a set back", ROUTE_SLOW },
    { "GET", "/obs/escalations", READ, obs_calls_get, "All open escalations", ROUTE_SLOW },
    { "POST", "/obs/escalation/{task}/{do}", WRITE, obs_call_post, "Answer an escalation", ROUTE_SLOW },
    { "GET", "/obs/responses", READ, obs_responses_get, "Response times", ROUTE_SLOW },
    { "GET", "/obs/responses.csv", READ, obs_responses_csv_get, "Escalations as CSV", ROUTE_SLOW },
    { 0 },
};
/* clang-format on */

extern const struct module obs_module;
const struct module obs_module = {
    .name = "obs",
    .title = "Observations",
    .page = "/obs",
    .hazards = "H-200 H-201 H-202 H-203 H-204 H-205 H-206 H-207 H-208 H-209",
    .routes = routes,
    .sql = obs_sql,
    .feed = &obs_feed,
    .consumers = obs_consumers,
    .due = obs_due_kinds,
};
