/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/forecast.h"
#include <math.h>
#include <string.h>

enum { STAYS_LEAST = 30 };

/* The product-limit estimate by the hour: of those at risk in an hour, who left in it. */
void beds_history_make(const struct beds_known *stays, size_t count, double weeks,
                       struct beds_history *out)
{
    double left[BEDS_STAY_HOURS] = { 0 }, gone[BEDS_STAY_HOURS] = { 0 }, at_risk = (double)count;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        int hour = stays[i].hours < BEDS_STAY_HOURS ? stays[i].hours : BEDS_STAY_HOURS - 1;
        (stays[i].ended ? left : gone)[hour]++;
        out->stays_count += stays[i].ended;
        out->arrivals_per_hour[stays[i].week_hour % BEDS_WEEK_HOURS] += 1 / weeks;
    }
    double stay_on = 1;
    for (int hour = 0; hour < BEDS_STAY_HOURS; hour++) {
        at_risk -= gone[hour]; /* not seen to the end of the hour */
        stay_on *= at_risk > 0 ? 1 - left[hour] / at_risk : 1;
        out->stays_longer[hour] = stay_on;
        at_risk -= left[hour];
    }
}

static double longer(const struct beds_history *history, int hours)
{
    return hours < BEDS_STAY_HOURS ? history->stays_longer[hours]
                                   : history->stays_longer[BEDS_STAY_HOURS - 1];
}

/* The chance that somebody in for `in_hours` is still in `ahead` hours later. */
static double stays_on(const struct beds_history *history, int in_hours, int ahead)
{
    double now = longer(history, in_hours);
    return history->stays_count < STAYS_LEAST || now <= 0 ? 1
           : longer(history, in_hours + ahead) / now;
}

/* Adds one patient who is there with this chance. */
static void add_patient(struct beds_outlook *outlook, size_t so_far, double chance)
{
    size_t top = so_far + 1 < BEDS_FORECAST_MAX ? so_far + 1 : BEDS_FORECAST_MAX - 1;
    for (size_t k = top; k > 0; k--)
        outlook->p[k] = outlook->p[k] * (1 - chance) + outlook->p[k - 1] * chance;
    outlook->p[0] *= 1 - chance;
}

/* Adds a Poisson number of patients; those over the last place are counted in it. */
static void add_arrivals(struct beds_outlook *outlook, double mean)
{
    static const double negligible = 1e-12;
    double before[BEDS_FORECAST_MAX], chance = exp(-mean);
    memcpy(before, outlook->p, sizeof before);
    memset(outlook->p, 0, sizeof outlook->p);
    for (size_t n = 0; n < BEDS_FORECAST_MAX && (chance > negligible || (double)n < mean); n++) {
        for (size_t k = 0; k < BEDS_FORECAST_MAX; k++) {
            size_t sum = k + n < BEDS_FORECAST_MAX ? k + n : BEDS_FORECAST_MAX - 1;
            outlook->p[sum] += before[k] * chance;
        }
        chance *= mean / (double)(n + 1);
    }
}

void beds_forecast(const struct beds_history *history, const int *in_hours, size_t in_count,
                   int now_week_hour, int ahead_hours, struct beds_outlook *out)
{
    double arrivals = 0;
    memset(out, 0, sizeof *out);
    out->p[0] = 1;
    for (size_t i = 0; i < in_count; i++) {
        double chance = stays_on(history, in_hours[i], ahead_hours);
        add_patient(out, i, chance);
        out->mean += chance;
    }
    /* Who comes in the hour h is still in at the end with the chance of a stay of the rest. */
    for (int h = 0; h < ahead_hours; h++)
        arrivals += history->arrivals_per_hour[(now_week_hour + h) % BEDS_WEEK_HOURS] *
                    stays_on(history, 0, ahead_hours - h);
    add_arrivals(out, arrivals);
    out->mean += arrivals;
}

double beds_outlook_at_least(const struct beds_outlook *outlook, size_t beds)
{
    double sum = 0;
    for (size_t k = beds; k < BEDS_FORECAST_MAX; k++)
        sum += outlook->p[k];
    return sum;
}

size_t beds_outlook_quantile(const struct beds_outlook *outlook, double share)
{
    double sum = 0;
    for (size_t k = 0; k < BEDS_FORECAST_MAX; k++) {
        sum += outlook->p[k];
        if (sum >= share)
            return k;
    }
    return BEDS_FORECAST_MAX - 1;
}

double beds_crps(const struct beds_outlook *outlook, size_t happened)
{
    double score = 0, below = 0;
    for (size_t k = 0; k < BEDS_FORECAST_MAX; k++) {
        below += outlook->p[k];
        double miss = below - (k >= happened);
        score += miss * miss;
    }
    return score;
}

double beds_pit(const struct beds_outlook *outlook, size_t happened)
{
    double below = 0;
    for (size_t k = 0; k < happened && k < BEDS_FORECAST_MAX; k++)
        below += outlook->p[k];
    return below + (happened < BEDS_FORECAST_MAX ? outlook->p[happened] / 2 : 0);
}

double beds_skill(double crps_sum, double naive_error_sum)
{
    return naive_error_sum > 0 ? 1 - crps_sum / naive_error_sum : 0;
}

double beds_same_weekday_mean(const double *last_four, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += last_four[i];
    return count ? sum / (double)count : 0;
}
