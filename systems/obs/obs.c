/* SPDX-License-Identifier: Apache-2.0 */
#include "module/module.h"
#include "systems/obs/calls.h"
#include "systems/obs/chart.h"
#include "systems/obs/coma.h"
#include "systems/obs/demo.h"
#include "systems/obs/enter.h"
#include "systems/obs/fluids.h"
#include "systems/obs/follow.h"
#include "systems/obs/responses.h"
#include "systems/obs/shift.h"
#include "systems/obs/ward.h"

/* clang-format off: one row a route. */
#define READ "obs.read"
#define WRITE "obs.write"
#define DECIDE "obs.decide"
#define SLOW ROUTE_SLOW
static const struct route routes[] = {
    { "GET", "/obs", READ, obs_wards_get, "Wards, and how many sets are overdue", SLOW },
    { "GET", "/obs/ward/{ward}", READ, obs_ward_get, "Who is due on a ward", SLOW },
    { "GET", "/obs/live", READ, obs_live_get, "Changes of a ward's list, as they come", 0 },
    { "GET", "/obs/patient/{id}", READ, obs_chart_get, "A patient's NEWS2 chart", SLOW },
    { "GET", "/obs/patient/{id}/enter", WRITE, obs_enter_get, "Enter a set", SLOW },
    { "POST", "/obs/patient/{id}/enter", WRITE, obs_enter_post, "Store a set", SLOW },
    { "POST", "/obs/patient/{id}/preview", WRITE, obs_preview_post, "The score so far", SLOW },
    { "GET", "/obs/patient/{id}/scale", READ, obs_scale_get, "The oxygen target", SLOW },
    { "POST", "/obs/patient/{id}/scale", DECIDE, obs_scale_post, "Decide on it", SLOW },
    { "GET", "/obs/patient/{id}/escalations", READ, obs_patient_calls_get, "Of a patient", SLOW },
    { "GET", "/obs/patient/{id}/fluid", READ, obs_fluids_get, "The fluid chart", SLOW },
    { "POST", "/obs/patient/{id}/fluid", WRITE, obs_fluids_post, "Add to it", SLOW },
    { "POST", "/obs/patient/{id}/weight", WRITE, obs_weight_post, "Record a weight", SLOW },
    { "POST", "/obs/fluid/{entry}", WRITE, obs_fluid_back_post, "Take an entry back", SLOW },
    { "GET", "/obs/patient/{id}/gcs", READ, obs_coma_get, "Glasgow Coma Scale", SLOW },
    { "POST", "/obs/patient/{id}/gcs", WRITE, obs_coma_post, "Record one", SLOW },
    { "GET", "/obs/set/{set}", WRITE, obs_correct_get, "Correct a set", SLOW },
    { "POST", "/obs/set/{set}", WRITE, obs_correct_post, "Correct or take back", SLOW },
    { "GET", "/obs/escalations", READ, obs_calls_get, "All open escalations", SLOW },
    { "POST", "/obs/escalation/{task}/{do}", WRITE, obs_call_post, "Answer an escalation", SLOW },
    { "GET", "/obs/rota/{ward}", READ, obs_rota_get, "Who is told, and when", SLOW },
    { "POST", "/obs/rota/{ward}", "obs.rota", obs_rota_post, "Change who is told", SLOW },
    { "GET", "/obs/rules", READ, obs_rules_get, "Limits, intervals and ladder", 0 },
    { "GET", "/obs/responses", READ, obs_responses_get, "Response times", SLOW },
    { "GET", "/obs/responses.csv", READ, obs_responses_csv_get, "Escalations as CSV", SLOW },
    { 0 },
};
/* clang-format on */

extern const struct module obs_module;
const struct module obs_module = {
    .name = "obs",
    .title = "Observations",
    .page = "/obs",
    .key = "o",
    .hazards = "H-300 H-301 H-302 H-303 H-304 H-305 H-306 H-307 H-308 H-309",
    .routes = routes,
    .sql = obs_sql,
    .feed = &obs_feed,
    .home = obs_home_fill,
    .consumers = obs_consumers,
    .due = obs_due_kinds,
    .demo = obs_demo,
};
