/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * beds_forecast: how many beds will be needed some hours from now, as a distribution, and how well
 * such forecasts came out.
 *
 * Source   arrivals by weekday and hour as a Poisson process; each patient in stays or leaves by
 *          the survival curve of lengths of stay (Kaplan and Meier 1958); the sum of the two is
 *          exact convolution. Continuous ranked probability score and skill against the mean of
 *          the last four same weekdays.
 * For      planning by the site team; not for a decision about one patient.
 * Units    hours, patients, probabilities; scores in patients.
 * Missing  fewer than 30 stays that ended: the curve is not used and every patient counts as
 *          staying.
 * Errors   none.
 * Memory   by value; pure. Limits: BEDS_FORECAST_MAX beds; more is counted in the last place.
 */
enum { BEDS_FORECAST_MAX = 2048, BEDS_STAY_HOURS = 24 * 60, BEDS_WEEK_HOURS = 168 };

struct beds_history {
    double arrivals_per_hour[BEDS_WEEK_HOURS]; /* 0: Monday 00:00 by the London clock */
    double stays_longer[BEDS_STAY_HOURS];      /* share of stays longer than so many hours */
    size_t stays_count;
};
struct beds_outlook {
    double p[BEDS_FORECAST_MAX]; /* probability of exactly so many patients */
    double mean;
};
/* A stay that began in the weeks looked at. Those still in count too: leaving them out would make
 * stays look shorter and arrivals fewer than they are. */
struct beds_known {
    int hours;      /* of the stay, or so far */
    int week_hour;  /* of the arrival */
    bool ended;
};
void beds_history_make(const struct beds_known *stays, size_t count, double weeks,
                       struct beds_history *out);
/* in_hours: how long each patient now in has been in. */
void beds_forecast(const struct beds_history *history, const int *in_hours, size_t in_count,
                   int now_week_hour, int ahead_hours, struct beds_outlook *out);
double beds_outlook_at_least(const struct beds_outlook *outlook, size_t beds); /* P(need >= beds) */
size_t beds_outlook_quantile(const struct beds_outlook *outlook, double share);

/* Lower is better; a certain and right forecast has 0. */
double beds_crps(const struct beds_outlook *outlook, size_t happened);
/* Where in its forecast what happened lies, 0 to 1: even over many when forecasts are
 * calibrated. */
double beds_pit(const struct beds_outlook *outlook, size_t happened);
/* 1 - crps / |naive - happened|, over sums: above 0 is better than the same-weekday mean. */
double beds_skill(double crps_sum, double naive_error_sum);
double beds_same_weekday_mean(const double *last_four, size_t count);
