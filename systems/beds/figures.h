/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/census.h"
#include "systems/beds/forecast.h"
#include "systems/beds/picture.h"

/*
 * beds_figures: occupancy, midnight census, SitRep rows, KH03 bed days and the forecast, computed
 * from the stays each time they are asked for, so that a corrected stay corrects every figure.
 *
 * Source   census.h and forecast.h; stays are the Encounters of class IMP and the beds in them.
 * Shapes   GET /beds/forecast.json; pages are in report.h, the rows as JSON in returns.h.
 * Units    days by the London calendar, as yyyy-mm-dd.
 * Missing  closures are spells on the bed (bed-closure); a bed closed by another program without
 *          one counts as open until now.
 * Errors   those of the store.
 * Memory   the request's arena: about 60 bytes a stay.
 */
enum {
    BEDS_FIGURE_DAYS = 28, BEDS_TRIALS = 14, BEDS_TRAIN_DAYS = 42, BEDS_LOOK_BACK_DAYS = 180
};

/* A day of discharge that was expected: of which stay, known since when, and its midnight. */
struct beds_expected {
    uint32_t stay;
    int64_t set_ms, day_ms;
};
/* The stays that lie between two instants, whole; bed is the spot's index in the picture. */
struct beds_past {
    struct beds_hospital hospital;
    str *stays, *specialties; /* Encounter ids and main specialties, by beds_span.stay */
    size_t stays_count;
    struct beds_expected *dates; /* in the order of the stays, then of their setting */
    size_t dates_count;
};
err beds_past_read(struct ctx *cx, struct store *store, const struct beds_picture *picture,
                   int64_t from_day, struct beds_past *out) MUST_USE;

/* How well forecasts of the past days came out. Each was made from what was known when it was
 * made, its correction too. */
struct beds_trial {
    double crps, naive; /* means, in patients */
    double error;       /* mean miss of the forecast's mean: without credit for its spread */
    double pit;         /* mean; a half when calibrated */
    double skill;
    size_t count;
    size_t within_80;   /* what happened lay in the 80 % interval */
    size_t tenths[10];  /* how often it lay in each tenth of its forecast: even when calibrated */
};
/* Beds needed some hours after now, corrected by how forecasts of the weeks before came out, and
 * how such forecasts did on the last days. */
struct beds_ahead {
    struct beds_outlook outlook;
    struct beds_fit fit;
    struct beds_trial trial;
    size_t open;        /* beds open now */
};
void beds_look_ahead(const struct beds_past *past, int64_t now_ms, int hours, struct arena *arena,
                     struct beds_ahead *out);

http_handler beds_forecast_json_get;
