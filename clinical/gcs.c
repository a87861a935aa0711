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
static const struct { const char *name; int most; } parts[GCS_PARTS] = {
    [GCS_EYES]   = { "eyes", 4 },
    [GCS_VERBAL] = { "verbal", 5 },
    [GCS_MOTOR]  = { "motor", 6 },
};
/* clang-format on */

static enum gcs_band band_of(int total)
{
    return total <= 8 ? GCS_SEVERE : total <= 12 ? GCS_MODERATE : GCS_MILD;
}

err gcs_score(struct issues *issues, const struct gcs_obs *obs, struct gcs_score *out)
{
    struct gcs_score score = { 0 };
    err worst = ERR_OK;
    bool testable = true;
    for (size_t i = 0; i < GCS_PARTS; i++) {
        int points = obs->parts[i];
        if (points == GCS_MISSING)
            worst = issues_add(issues, ERR_INVALID, str_of(parts[i].name),
                               S("not recorded: the scale has no total"));
        else if (points < GCS_NOT_TESTABLE || points > parts[i].most)
            worst = issues_add(issues, ERR_INVALID, str_of(parts[i].name),
                               S("impossible: the scale has no such score"));
        testable &= points != GCS_NOT_TESTABLE;
        score.total += points;
    }
    TRY(worst);
    *out = testable ? (struct gcs_score){ score.total, band_of(score.total) }
                    : (struct gcs_score){ GCS_MISSING, GCS_UNKNOWN };
    return ERR_OK;
}

const char *gcs_word(enum gcs_part part, int points)
{
    return points < 0 || points > parts[part].most ? NULL : words[part][points];
}

const char *gcs_band_name(enum gcs_band band)
{
    static const char *const names[] = { "unknown", "severe", "moderate", "mild" };
    return names[band];
}

int gcs_head_injury_every_min(int total, int64_t min_since_15)
{
    if (total != 15 || min_since_15 < 120)
        return 30;
    return min_since_15 < 120 + 240 ? 60 : 120;
}

bool gcs_fall_is_urgent(const struct gcs_obs *before, const struct gcs_obs *now,
                        int64_t lasting_min)
{
    static const int fall_most[GCS_PARTS] = { [GCS_EYES] = 3, [GCS_VERBAL] = 3, [GCS_MOTOR] = 2 };
    int total = 0;
    bool steep = false;
    for (size_t i = 0; i < GCS_PARTS; i++) {
        if (before->parts[i] <= 0 || now->parts[i] <= 0)
            continue;
        int fall = before->parts[i] - now->parts[i];
        total += fall;
        steep |= fall >= fall_most[i];
    }
    return steep || (total >= 1 && lasting_min >= 30);
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
        (!str_to_u64(text, &value) || value < 1 || value > (uint64_t)parts[part].most))
        return ctx_failf(cx, ERR_INVALID, str_of(parts[part].name),
                         "%s: \"%.*s\" is impossible; it must be 1 to %d or NT",
                         parts[part].name, STR_ARG(text), parts[part].most);
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
            rule_put_null(out, "parts", parts[i].name);
        else
            rule_put_number(out, "parts", parts[i].name, obs.parts[i]);
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
