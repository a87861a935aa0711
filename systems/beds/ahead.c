/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/london.h"
#include "systems/beds/figures.h"
#include <math.h>

/* The forecast from what was known at an instant, and the same tried on the days before. */
enum { LEARN_WEEKS = 12, CASES_MAX = BEDS_TRAIN_DAYS + BEDS_TRIALS + 8, HOUR_MS = 3600000 };

struct known {
    struct beds_history history;
    struct beds_inpatient *in;
    size_t in_count;
    int week_hour;
};

static int hours_between(int64_t from_ms, int64_t to_ms)
{
    int64_t hours = (to_ms - from_ms) / HOUR_MS;
    return hours > BEDS_STAY_HOURS ? BEDS_STAY_HOURS : (int)hours;
}

/* The day expected as it stood at an instant, for each stay: the beginning of it; 0: none. */
static int64_t *expected_at(const struct beds_past *past, int64_t at_ms, bool day_before_end,
                            struct arena *arena)
{
    int64_t *days = arena_array(arena, past->stays_count + 1, sizeof *days);
    int64_t *left = arena_array(arena, past->stays_count + 1, sizeof *left);
    for (size_t i = 0; i < past->hospital.spans_count; i++)
        left[past->hospital.spans[i].stay] = past->hospital.spans[i].left_ms;
    for (size_t i = 0; i < past->dates_count; i++) {
        const struct beds_expected *date = &past->dates[i];
        int64_t until_ms = at_ms;
        /* Of a stay that ended, as it stood a day before: on the day itself everybody knows. */
        if (day_before_end && left[date->stay] <= at_ms)
            until_ms = left[date->stay] - LONDON_DAY_MS;
        if (date->set_ms <= until_ms)
            days[date->stay] = date->day_ms;
    }
    return days;
}

static int edd_hours(int64_t day_ms, int64_t at_ms)
{
    int64_t hours = day_ms ? (at_ms - day_ms) / HOUR_MS : 0;
    return day_ms == 0 || hours > BEDS_EDD_HOURS || hours < -BEDS_EDD_HOURS ? BEDS_NO_EDD
                                                                            : (int)hours;
}

/* The stays that began in the weeks before an instant, and who was in at it. A stay is counted by
 * its first span, so that moves do not count as arrivals. */
static void know(const struct beds_past *past, int64_t at_ms, struct arena *arena,
                 struct known *out)
{
    const struct beds_hospital *hospital = &past->hospital;
    struct beds_known *known = arena_array(arena, hospital->spans_count + 1, sizeof *known);
    int64_t *days = expected_at(past, at_ms, true, arena);
    int64_t from_ms = at_ms - (int64_t)LEARN_WEEKS * 7 * LONDON_DAY_MS, first_ms = at_ms;
    size_t count = 0;
    out->in = arena_array(arena, hospital->spans_count + 1, sizeof *out->in);
    out->in_count = 0;
    out->week_hour = london_weekday(london_day(at_ms)) * 24 + london_civil(at_ms).hour;
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        bool ended = span->left_ms <= at_ms;
        enum beds_sector sector = hospital->places[span->bed].sector;
        if (span->from_ms != span->admitted_ms || span->admitted_ms > at_ms || span->day_case ||
            (sector != BEDS_GENERAL_ACUTE && sector != BEDS_CRITICAL))
            continue;
        int64_t end_ms = ended ? span->left_ms : at_ms;
        int hours = hours_between(span->admitted_ms, end_ms);
        int edd = edd_hours(days[span->stay], end_ms);
        if (!ended)
            out->in[out->in_count++] = (struct beds_inpatient){ hours, edd };
        if (span->admitted_ms < from_ms)
            continue;
        first_ms = span->admitted_ms < first_ms ? span->admitted_ms : first_ms;
        known[count++] = (struct beds_known){
            hours, london_weekday(london_day(span->admitted_ms)) * 24 +
                       london_civil(span->admitted_ms).hour, ended, edd };
    }
    double weeks = (double)(at_ms - first_ms) / (7.0 * LONDON_DAY_MS);
    /* Of less than a week the same hour of next week says nothing: a day must not become a rate. */
    beds_history_make(known, count, weeks > 1 ? weeks : 1, &out->history);
}

/* Asked for hundreds of instants: the beds themselves are not looked through. */
static size_t in_at(const struct beds_hospital *hospital, int64_t at_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < hospital->spans_count; i++) {
        const struct beds_span *span = &hospital->spans[i];
        enum beds_sector sector = hospital->places[span->bed].sector;
        count += span->from_ms <= at_ms && at_ms < span->to_ms && !span->on_leave &&
                 (sector == BEDS_GENERAL_ACUTE || sector == BEDS_CRITICAL);
    }
    return count;
}

static double naive_for(const struct beds_hospital *hospital, int64_t target_ms)
{
    double last_four[4];
    for (int week = 1; week <= 4; week++)
        last_four[week - 1] =
            (double)in_at(hospital, target_ms - (int64_t)week * 7 * LONDON_DAY_MS);
    return beds_same_weekday_mean(last_four, 4);
}

/* The forecast made so many hours before an instant, without what came. */
static struct beds_case case_for(const struct beds_past *past, int64_t target_ms, int hours,
                                 struct arena *arena, struct known *known)
{
    struct arena_mark mark = arena_mark(arena);
    int64_t made_ms = target_ms - (int64_t)hours * HOUR_MS;
    know(past, made_ms, arena, known);
    struct beds_case one = {
        .model = beds_forecast_mean(&known->history, known->in, known->in_count,
                                    known->week_hour, hours),
        .naive = naive_for(&past->hospital, target_ms),
        .now = (double)in_at(&past->hospital, made_ms),
    };
    arena_rewind(arena, mark);
    return one;
}

/* Mean and spread as the past corrects them; without enough of it the model's own distribution. */
static void outlook_of(const struct beds_past *past, int64_t made_ms, int hours,
                       const struct beds_fit *fit, struct arena *arena, struct beds_outlook *out)
{
    struct arena_mark mark = arena_mark(arena);
    struct known *known = arena_zero(arena, sizeof *known);
    struct beds_case one = case_for(past, made_ms + (int64_t)hours * HOUR_MS, hours, arena, known);
    if (fit->cases) {
        beds_outlook_normal(beds_fit_mean(fit, &one), fit->spread, out);
    } else {
        know(past, made_ms, arena, known);
        beds_forecast(&known->history, known->in, known->in_count, known->week_hour, hours, out);
    }
    arena_rewind(arena, mark);
}

static void note_trial(struct beds_trial *trial, const struct beds_outlook *outlook,
                       const struct beds_case *one)
{
    size_t happened = (size_t)one->happened;
    double miss = one->naive - one->happened, pit = beds_pit(outlook, happened);
    trial->error += fabs(outlook->mean - one->happened);
    trial->crps += beds_crps(outlook, happened);
    trial->naive += fabs(miss);
    trial->pit += pit;
    trial->tenths[pit >= 1 ? 9 : (size_t)(pit * 10)]++;
    trial->within_80 += happened >= beds_outlook_quantile(outlook, 0.1) &&
                        happened <= beds_outlook_quantile(outlook, 0.9);
    trial->count++;
}

/* How many of the cases lie far enough back that the four weeks before them are known too. */
static size_t cases_known(const struct beds_past *past, int64_t now_ms)
{
    int64_t first_ms = now_ms, weeks_ms = (int64_t)5 * 7 * LONDON_DAY_MS;
    for (size_t i = 0; i < past->hospital.spans_count; i++)
        if (past->hospital.spans[i].admitted_ms < first_ms)
            first_ms = past->hospital.spans[i].admitted_ms;
    int64_t days = (now_ms - first_ms - weeks_ms) / LONDON_DAY_MS;
    return days < 0 ? 0 : days > CASES_MAX ? CASES_MAX : (size_t)days;
}

void beds_look_ahead(const struct beds_past *past, int64_t now_ms, int hours, struct arena *arena,
                     struct beds_ahead *out)
{
    struct beds_case *cases = arena_array(arena, CASES_MAX, sizeof *cases);
    struct known *known = arena_zero(arena, sizeof *known);
    struct beds_outlook *outlook = arena_alloc(arena, sizeof *outlook);
    size_t count = cases_known(past, now_ms), since = (size_t)(hours + 23) / 24;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++) {
        int64_t target_ms = now_ms - (int64_t)i * LONDON_DAY_MS;
        cases[i] = case_for(past, target_ms, hours, arena, known);
        cases[i].happened = (double)in_at(&past->hospital, target_ms);
    }
    for (size_t i = 0; i < BEDS_TRIALS && i < count; i++) {
        size_t first = i + since, left = first < count ? count - first : 0;
        int64_t made_ms = now_ms - (int64_t)i * LONDON_DAY_MS - (int64_t)hours * HOUR_MS;
        /* Only cases whose outcome was known when this one was made. */
        struct beds_fit fit = beds_fit(cases + first, left < BEDS_TRAIN_DAYS ? left
                                                                             : BEDS_TRAIN_DAYS);
        outlook_of(past, made_ms, hours, &fit, arena, outlook);
        note_trial(&out->trial, outlook, &cases[i]);
    }
    struct beds_trial *trial = &out->trial;
    trial->skill = beds_skill(trial->crps, trial->naive);
    double n = trial->count ? (double)trial->count : 1;
    trial->crps /= n;
    trial->naive /= n;
    trial->pit /= n;
    trial->error /= n;
    out->fit = beds_fit(cases, count < BEDS_TRAIN_DAYS ? count : BEDS_TRAIN_DAYS);
    outlook_of(past, now_ms, hours, &out->fit, arena, &out->outlook);
    out->open = beds_count_at(&past->hospital, BEDS_GENERAL_ACUTE, now_ms).available +
                beds_count_at(&past->hospital, BEDS_CRITICAL, now_ms).available;
}
