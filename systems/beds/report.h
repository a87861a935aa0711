/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/returns.h"
#include "systems/beds/screens.h"

/*
 * beds_report: the figures of beds as pages with charts and tables: how full, the census, the daily
 * situation report with the patients behind each number and its amendments, bed days, the forecast
 * and how good it was; and the same as CSV.
 *
 * Source   figures.h, returns.h, census.h, forecast.h.
 * For      the site team, the information team, whoever signs a return.
 * Shapes   GET /beds/figures; GET /beds/return/{day}, ?of=FIELD for the stays behind a number;
 *          POST /beds/return/{day}/submit and /amend; GET /beds/csv/{table}: occupancy, census,
 *          sitrep.
 * Units    days by the London calendar, as yyyy-mm-dd.
 * Missing  no stays: tables of noughts, and charts that say there are no figures yet.
 * Errors   those of returns.h, in the form; ERR_NOT_FOUND: no such table.
 * Memory   the request's arena.
 * Hazards  H-023 a return that does not match what happened.
 */
http_handler beds_figures_get, beds_return_get, beds_return_post, beds_csv_get;

enum { BEDS_CURVE_DAYS = 30 };
struct beds_figure_page {
    const struct beds_place_now *wards, *specialties, *sites;
    size_t wards_count, specialties_count, sites_count;
    const struct beds_sitrep *rows; /* newest first */
    const str *days;
    size_t rows_count;
    struct beds_count quarter[BEDS_SECTORS];
    str quarter_text, forecast_24, forecast_72, trial_24, trial_72;
};
struct beds_return_row {
    const char *code, *text;
    size_t computed, submitted;
    bool is_submitted, differs, drills;
};
struct beds_amendment {
    str field, old, new_value, when, who, why;
};
struct beds_behind {
    str encounter, patient, born, nhs;
};
struct beds_return_page {
    str day, shown, signed_by, signed_at, due;
    bool submitted, open;
    const struct beds_return_row *rows;
    size_t rows_count;
    const struct beds_amendment *amendments;
    size_t amendments_count;
    const struct beds_behind *behind;
    size_t behind_count;
    str behind_text;          /* which number they are behind; empty: none was asked for */
    struct ui_field fields[3];
    struct ui_form amend;
};
