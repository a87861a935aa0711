/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/gcs.h"
#include "clinical/rule.h"

const char gcs_table[] = "gcs-2014.1";

/* clang-format off: the printed chart, lowest first. */
static const char *const words[GCS_PARTS][7] = {
    [GCS_EYES]   = { "not testable", "none", "to pressure", "to sound", "spontaneous" },
    [GCS_VERBAL] = { "not testable", "none", "sounds", "words", "confused", "orientated" },
    [GCS_MOTOR]  = { "not testable", "none", "extension", "abnormal flexion", "normal flexion",
                     "localising", "obeys commands" },
};
static const char *const parts[GCS_PARTS] = { "eyes", "verbal", "motor" };
const struct gcs_chart gcs_chart = {
    .most            = { [GCS_EYES] = 4, [GCS_VERBAL] = 5, [GCS_MOTOR] = 6 },
    .severe_most     = 8,   .moderate_most    = 12,
    .half_hourly_min = 120, .hourly_min       = 120 + 240,
    .fall_most       = { [GCS_EYES] = 3, [GCS_VERBAL] = 3, [GCS_MOTOR] = 2 },
    .fall_total      = 1,   .fall_lasting_min = 30,
};
/* clang-format on */

enum gcs_band gcs_band_by(const struct gcs_chart *chart, const struct gcs_obs *obs)
{
    int total = 0;
    for (size_t i = 0; i < GCS_PARTS; i++) {
        if (obs->parts[i] < 1 || obs->parts[i] > chart->most[i])
            return GCS_UNKNOWN;
        total += obs->parts[i];
    }
    return total <= chart->severe_most     ? GCS_SEVERE
           : total <= chart->moderate_most ? GCS_MODERATE
                                           : GCS_MILD;
}

err gcs_score(struct issues *issues, const struct gcs_obs *obs, struct gcs_score *out)
{
    struct gcs_score score = { 0 };
    err worst = ERR_OK;
    bool testable = true;
    for (size_t i = 0; i < GCS_PARTS; i++) {
        int points = obs->parts[i];
        if (points == GCS_MISSING)
            worst = issues_add(issues, ERR_INVALID, str_of(parts[i]),
                               S("not recorded: the scale has no total"));
        else if (points < GCS_NOT_TESTABLE || points > gcs_chart.most[i])
            worst = issues_add(issues, ERR_INVALID, str_of(parts[i]),
                               S("impossible: the scale has no such score"));
        testable &= points != GCS_NOT_TESTABLE;
        score.total += points;
    }
    TRY(worst);
    *out = testable ? (struct gcs_score){ score.total, gcs_band_by(&gcs_chart, obs) }
                    : (struct gcs_score){ GCS_MISSING, GCS_UNKNOWN };
    return ERR_OK;
}

const char *gcs_word(enum gcs_part part, int points)
{
    return points < 0 || points > gcs_chart.most[part] ? NULL : words[part][points];
}

const char *gcs_band_name(enum gcs_band band)
{
    static const char *const names[] = { "unknown", "severe", "moderate", "mild" };
    return names[band];
}

int gcs_every_min_by(const struct gcs_chart *chart, int total, int64_t min_since_15)
{
    int best = chart->most[GCS_EYES] + chart->most[GCS_VERBAL] + chart->most[GCS_MOTOR];
    if (total != best || min_since_15 < chart->half_hourly_min)
        return 30;
    return min_since_15 < chart->hourly_min ? 60 : 120;
}

int gcs_head_injury_every_min(int total, int64_t min_since_15)
{
    return gcs_every_min_by(&gcs_chart, total, min_since_15);
}

bool gcs_fall_by(const struct gcs_chart *chart, const struct gcs_obs *before,
                 const struct gcs_obs *now, int64_t lasting_min)
{
    int total = 0;
    bool steep = false;
    for (size_t i = 0; i < GCS_PARTS; i++) {
        if (before->parts[i] <= 0 || now->parts[i] <= 0)
            continue;
        int fall = before->parts[i] - now->parts[i];
        total += fall;
        steep |= fall >= chart->fall_most[i];
    }
    return steep || (total >= chart->fall_total && lasting_min >= chart->fall_lasting_min);
}

bool gcs_fall_is_urgent(const struct gcs_obs *before, const struct gcs_obs *now,
                        int64_t lasting_min)
{
    return gcs_fall_by(&gcs_chart, before, now, lasting_min);
}

static const struct rule_input inputs[] = {
    { "eyes", "points", "1 none to 4 spontaneous; NT not testable", RULE_TEXT, 0, 1, 4, false },
    { "verbal", "points", "1 none to 5 orientated; NT not testable", RULE_TEXT, 0, 1, 5, false },
    { "motor", "points", "1 none to 6 obeys; NT not testable", RULE_TEXT, 0, 1, 6, false },
    { 0 },
};

static err read_part(struct ctx *cx, size_t part, str text, int *out)
{
    uint64_t value = GCS_NOT_TESTABLE;
    bool not_testable = str_eq_nocase(text, S("NT"));
    if (!not_testable &&
        (!str_to_u64(text, &value) || value < 1 || value > (uint64_t)gcs_chart.most[part]))
        return ctx_failf(cx, ERR_INVALID, str_of(parts[part]),
                         "%s: \"%.*s\" is impossible; it must be 1 to %d or NT",
                         parts[part], STR_ARG(text), gcs_chart.most[part]);
    *out = (int)value;
    return ERR_OK;
}

static err run(struct ctx *cx, const struct rule_arg *args, struct rule_result *out)
{
    struct gcs_obs obs;
    struct gcs_score score;
    err worst = ERR_OK;
    for (size_t i = 0; i < GCS_PARTS; i++)
        if (read_part(cx, i, args[i].text, &obs.parts[i]))
            worst = ERR_INVALID;
    TRY(worst);
    TRY(gcs_score(&cx->issues, &obs, &score));
    if (score.total == GCS_MISSING)
        rule_put_null(out, NULL, "total");
    else
        rule_put_number(out, NULL, "total", score.total);
    for (size_t i = 0; i < GCS_PARTS; i++) {
        if (obs.parts[i] == GCS_NOT_TESTABLE)
            rule_put_null(out, "parts", parts[i]);
        else
            rule_put_number(out, "parts", parts[i], obs.parts[i]);
    }
    rule_put_text(out, "band", str_of(gcs_band_name(score.band)));
    return ERR_OK;
}

const struct rule gcs_rule = {
    .name = "gcs",
    .title = "Glasgow Coma Scale",
    .source = "Glasgow Coma Scale, 2014 wording; NICE NG232 for head injury",
    .table = gcs_table,
    .effective = "2014-01-01",
    .caveat = "A part that cannot be tested leaves no total.",
    .unconfirmed = true,
    .inputs = inputs,
    .run = run,
};
