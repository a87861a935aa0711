/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/forecast.h"
#include <math.h>
#include <string.h>

enum { STAYS_LEAST = 30 };

static size_t place_of(int edd_hours)
{
    int place = edd_hours + BEDS_EDD_BEFORE;
    return place < 0 ? 0 : place < BEDS_EDD_HOURS ? (size_t)place : BEDS_EDD_HOURS - 1;
}

/* Of the stays that ended and had a day expected, how many ended later than so. */
static void learn_dates(const struct beds_known *stays, size_t count, struct beds_history *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!stays[i].ended || stays[i].edd_hours == BEDS_NO_EDD)
            continue;
        out->edd_longer[place_of(stays[i].edd_hours)]++;
        out->edd_count++;
    }
    double left = (double)out->edd_count;
    for (size_t i = 0; i < BEDS_EDD_HOURS && out->edd_count; i++) {
        left -= out->edd_longer[i];
        out->edd_longer[i] = left / (double)out->edd_count;
    }
}

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
    learn_dates(stays, count, out);
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

/* The chance that somebody is still in `ahead` hours later, given that they are in now. */
static double stays_on(const struct beds_history *history, struct beds_inpatient who, int ahead)
{
    static const double seldom = 0.02; /* beyond what the expected days of others can tell */
    if (who.edd_hours != BEDS_NO_EDD && history->edd_count >= STAYS_LEAST) {
        double still = history->edd_longer[place_of(who.edd_hours)];
        if (still > seldom)
            return history->edd_longer[place_of(who.edd_hours + ahead)] / still;
    }
    double now = longer(history, who.hours);
    return history->stays_count < STAYS_LEAST || now <= 0 ? 1
           : longer(history, who.hours + ahead) / now;
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

/* Who comes in the hour h is still in at the end with the chance of a stay of the rest. */
static double arrivals(const struct beds_history *history, int now_week_hour, int ahead_hours)
{
    const struct beds_inpatient new = { 0, BEDS_NO_EDD };
    double sum = 0;
    for (int h = 0; h < ahead_hours; h++)
        sum += history->arrivals_per_hour[(now_week_hour + h) % BEDS_WEEK_HOURS] *
               stays_on(history, new, ahead_hours - h);
    return sum;
}

void beds_forecast(const struct beds_history *history, const struct beds_inpatient *in,
                   size_t in_count, int now_week_hour, int ahead_hours, struct beds_outlook *out)
{
    double come = arrivals(history, now_week_hour, ahead_hours);
    memset(out, 0, sizeof *out);
    out->p[0] = 1;
    for (size_t i = 0; i < in_count; i++) {
        double chance = stays_on(history, in[i], ahead_hours);
        add_patient(out, i, chance);
        out->mean += chance;
    }
    add_arrivals(out, come);
    out->mean += come;
}

double beds_forecast_mean(const struct beds_history *history, const struct beds_inpatient *in,
                          size_t in_count, int now_week_hour, int ahead_hours)
{
    double sum = arrivals(history, now_week_hour, ahead_hours);
    for (size_t i = 0; i < in_count; i++)
        sum += stays_on(history, in[i], ahead_hours);
    return sum;
}

/* ---- corrected by the past ---- */

enum { TERMS = 3 };

static void terms_of(const struct beds_case *one, double *x)
{
    x[0] = 1;
    x[1] = one->model - one->now;
    x[2] = one->naive - one->now;
}

/* Gauss-Jordan; the ridge keeps every pivot above nothing. */
static void solve(double a[TERMS][TERMS + 1], double *x)
{
    for (int i = 0; i < TERMS; i++) {
        for (int row = 0; row < TERMS; row++) {
            double share = row == i ? 0 : a[row][i] / a[i][i];
            for (int k = i; k <= TERMS; k++)
                a[row][k] -= share * a[i][k];
        }
    }
    for (int i = 0; i < TERMS; i++)
        x[i] = a[i][TERMS] / a[i][i];
}

struct beds_fit beds_fit(const struct beds_case *cases, size_t count)
{
    static const double drawn_to[TERMS] = { 0, 1, 0 }, pull = 2; /* as if by two more cases */
    double a[TERMS][TERMS + 1] = { 0 }, x[TERMS], sum = 0;
    struct beds_fit fit = { .model = 1 };
    if (count < BEDS_CASES_LEAST)
        return fit;
    for (size_t i = 0; i < count; i++) {
        terms_of(&cases[i], x);
        for (int row = 0; row < TERMS; row++) {
            for (int k = 0; k < TERMS; k++)
                a[row][k] += x[row] * x[k];
            a[row][TERMS] += x[row] * (cases[i].happened - cases[i].now);
        }
    }
    for (int i = 0; i < TERMS; i++) {
        double ridge = pull * (a[i][i] / (double)count + 1e-6);
        a[i][i] += ridge;
        a[i][TERMS] += ridge * drawn_to[i];
    }
    solve(a, x);
    fit = (struct beds_fit){ x[0], x[1], x[2], 0, count };
    for (size_t i = 0; i < count; i++) {
        double miss = cases[i].happened - beds_fit_mean(&fit, &cases[i]);
        sum += miss * miss;
    }
    fit.spread = sqrt(sum / (double)(count - TERMS));
    return fit;
}

double beds_fit_mean(const struct beds_fit *fit, const struct beds_case *now)
{
    if (fit->cases == 0)
        return now->model;
    return now->now + fit->shift + fit->model * (now->model - now->now) +
           fit->naive * (now->naive - now->now);
}

static double below(double value, double mean, double spread)
{
    return 0.5 * (1 + erf((value - mean) / (spread * M_SQRT2)));
}

void beds_outlook_normal(double mean, double spread, struct beds_outlook *out)
{
    double least = 0;
    spread = spread > 0.3 ? spread : 0.3; /* one place keeps nearly all of it */
    memset(out, 0, sizeof *out);
    out->mean = mean;
    for (size_t k = 0; k < BEDS_FORECAST_MAX; k++) {
        double most = k + 1 < BEDS_FORECAST_MAX ? below((double)k + 0.5, mean, spread) : 1;
        out->p[k] = most - least;
        least = most;
    }
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
