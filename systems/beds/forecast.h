/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"
#include <limits.h>

/*
 * beds_forecast: how many beds will be needed some hours from now, as a distribution, and how well
 * such forecasts came out.
 *
 * Source   arrivals by weekday and hour as a Poisson process; each patient in stays or leaves by
 *          the survival curve of lengths of stay (Kaplan and Meier 1958) given the time already in,
 *          or by how earlier stays ended around their expected day; the sum of the two is exact
 *          convolution. Mean and spread are then corrected by how such forecasts came out (ensemble
 *          model output statistics, Gneiting and others 2005). Continuous ranked probability score
 *          and skill against the mean of the last four same weekdays.
 * For      planning by the site team; not for a decision about one patient.
 * Units    hours, patients, probabilities; scores in patients.
 * Missing  fewer than 30 stays that ended: the curve is not used and every patient counts as
 *          staying. Fewer than 30 of them with a day expected: those days are not used. Fewer than
 *          BEDS_CASES_LEAST forecasts of the past: no correction.
 * Errors   none.
 * Memory   by value; pure. Limits: BEDS_FORECAST_MAX beds; more is counted in the last place.
 */
enum { BEDS_FORECAST_MAX = 2048, BEDS_STAY_HOURS = 24 * 60, BEDS_WEEK_HOURS = 168 };
enum { BEDS_EDD_HOURS = 24 * 90, BEDS_EDD_BEFORE = 24 * 30 }; /* from 30 days before to 60 after */
#define BEDS_NO_EDD INT_MIN
enum { BEDS_CASES_LEAST = 14 };

struct beds_history {
    double arrivals_per_hour[BEDS_WEEK_HOURS]; /* 0: Monday 00:00 by the London clock */
    double stays_longer[BEDS_STAY_HOURS];      /* share of stays longer than so many hours */
    size_t stays_count;
    double edd_longer[BEDS_EDD_HOURS]; /* share of stays that end more than so many hours after the
                                          day expected began; place 0 is BEDS_EDD_BEFORE before */
    size_t edd_count;
};
struct beds_inpatient {
    int hours;     /* in so far */
    int edd_hours; /* now, after the day expected began; BEDS_NO_EDD */
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
    int edd_hours;  /* its end, after the day expected began; BEDS_NO_EDD */
};
void beds_history_make(const struct beds_known *stays, size_t count, double weeks,
                       struct beds_history *out);
void beds_forecast(const struct beds_history *history, const struct beds_inpatient *in,
                   size_t in_count, int now_week_hour, int ahead_hours, struct beds_outlook *out);
/* The mean alone, quickly. */
double beds_forecast_mean(const struct beds_history *history, const struct beds_inpatient *in,
                          size_t in_count, int now_week_hour, int ahead_hours);

/* A forecast of the past beside what came: the model's mean, the mean of the last four same
 * weekdays, how many were in when it was made, and how many then were. */
struct beds_case {
    double model, naive, now, happened;
};
/* Least squares of happened - now on (model - now) and (naive - now), drawn towards the model alone
 * where cases are few. Beds are filled as they come free, which a Poisson model cannot know: the
 * cases show it. cases 0: too few, the model stands as it is. */
struct beds_fit {
    double shift, model, naive, spread;
    size_t cases;
};
struct beds_fit beds_fit(const struct beds_case *cases, size_t count);
double beds_fit_mean(const struct beds_fit *fit, const struct beds_case *now);
/* Whole numbers of a normal distribution. */
void beds_outlook_normal(double mean, double spread, struct beds_outlook *out);

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
