/* SPDX-License-Identifier: Apache-2.0 */
#include "module/module.h"
#include "systems/beds/board.h"
#include "systems/beds/claim.h"
#include "systems/beds/demo.h"
#include "systems/beds/dialog.h"
#include "systems/beds/figures.h"
#include "systems/beds/follow.h"
#include "systems/beds/moves.h"
#include "systems/beds/requests.h"
#include "systems/beds/returns.h"
#include "systems/beds/report.h"
#include "systems/beds/round.h"
#include "systems/beds/screens.h"
#include "systems/beds/sql.h"
#include "systems/beds/worklist.h"

/* clang-format off: one row a route. */
#define READ "beds.read"
#define REPORT "beds.report"
#define SLOW ROUTE_SLOW
static const struct route routes[] = {
    { "GET", "/beds", READ, beds_hospital_get, "The hospital: one row a ward", 0 },
    { "GET", "/beds/ward/{ward}", READ, beds_ward_get, "A ward: one row a bed", 0 },
    { "GET", "/beds/bed/{bed}", READ, beds_bed_get, "A bed, and what may be done with it", 0 },
    { "GET", "/beds/board.json", READ, beds_json_get, "The beds of a ward, or all, as JSON", 0 },
    { "GET", "/beds/suggest", READ, beds_suggest_get, "Beds ranked for a request", 0 },
    { "GET", "/beds/suggest.json", READ, beds_suggest_json_get, "The same, every bed, as JSON", 0 },
    { "GET", "/beds/requests.json", READ, beds_requests_json_get, "Who waits for a bed", 0 },
    { "GET", "/beds/exceptions.json", READ, beds_exceptions_json_get, "What went wrong", 0 },
    { "GET", "/beds/outliers.json", READ, beds_outliers_json_get, "On another's ward", 0 },
    { "GET", "/beds/live", READ, beds_live_get, "Changes of a board, as they come", 0 },
    { "GET", "/beds/figures", READ, beds_figures_get, "Occupancy, returns, forecast", ROUTE_SLOW },
    { "GET", "/beds/forecast.json", READ, beds_forecast_json_get, "Beds needed, how it did", SLOW },
    { "GET", "/beds/sitrep", READ, beds_sitrep_get, "SitRep rows, one a day", ROUTE_SLOW },
    { "GET", "/beds/sitrep/{day}", READ, beds_sitrep_day_get, "A day and its stays", ROUTE_SLOW },
    { "GET", "/beds/kh03", READ, beds_kh03_get, "Bed days of a quarter, by sector", SLOW },
    { "GET", "/beds/census/{day}", READ, beds_census_get, "Who was in at midnight", SLOW },
    { "POST", "/beds/sitrep/{day}/{act}", REPORT, beds_sitrep_post, "Submit or amend", SLOW },
    { "GET", "/beds/do/{move}", "beds.write", beds_dialog_get, "The form of a move", 0 },
    { "POST", "/beds/do/{move}", "beds.write", beds_dialog_post, "Make a move from its form", 0 },
    { "GET", "/beds/round/{encounter}", "beds.write", beds_round_get, "A ward round", 0 },
    { "POST", "/beds/round/{encounter}", "beds.write", beds_round_post, "Record a round",
      SLOW | ROUTE_REPEATS },
    { "GET", "/beds/requests", READ, beds_requests_get, "Who waits for a bed", 0 },
    { "GET", "/beds/discharges", READ, beds_discharges_get, "Who could leave; what holds up", 0 },
    { "GET", "/beds/worklist", READ, beds_worklist_get, "What a program may not decide", 0 },
    { "GET", "/beds/site", READ, beds_site_get, "The hospital, for the site meeting", 0 },
    { "GET", "/beds/return/{day}", READ, beds_return_get, "A day's return, and behind it", SLOW },
    { "POST", "/beds/return/{day}/{act}", REPORT, beds_return_post, "From its page", SLOW },
    { "GET", "/beds/csv/{table}", READ, beds_csv_get, "Figures as CSV", SLOW },
    { "GET", "/beds/cleaning", READ, beds_cleaning_get, "Beds to clean, soonest due first", 0 },
    { "GET", "/beds/infection", READ, beds_infection_get, "Who is isolated, and side rooms", 0 },
    { "GET", "/beds/outliers", READ, beds_outliers_get, "Patients away from their specialty", 0 },
    { "POST", "/beds/move/{move}", "beds.write", beds_move_post, "Make a move", 0 },
    { 0 },
};
/* clang-format on */

static const struct consumer *const consumers[] = { &beds_watch, NULL };
static const struct due_kind *const due[] = { &beds_reservation, &beds_not_given_back, NULL };

extern const struct module beds_module;
const struct module beds_module = {
    .name = "beds",
    .title = "Beds",
    .page = "/beds",
    .key = "b",
    .hazards = "H-012 H-013 H-014 H-015 H-016 H-017 H-018 H-019 H-020 H-021 H-022 H-023 H-024 "
               "H-025 H-026 H-027 H-028 H-029",
    .routes = routes,
    .claims = beds_claims,
    .sql = beds_sql,
    .feed = &beds_feed,
    .home = beds_home_fill,
    .consumers = consumers,
    .due = due,
    .demo = beds_demo,
};
