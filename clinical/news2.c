/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/news2.h"
#include "clinical/rule.h"

/* clang-format off: these rows are read against the printed chart, so they line up. */
static const struct band resp[]        = { {0,3}, { 9,1}, {12,0}, {21,2}, {25,3} };
static const struct band spo2_1[]      = { {0,3}, {92,2}, {94,1}, {96,0} };
static const struct band spo2_2_air[]  = { {0,3}, {84,2}, {86,1}, {88,0} };
static const struct band spo2_2_o2[]   = { {0,3}, {84,2}, {86,1}, {88,0}, {93,1}, {95,2}, {97,3} };
static const struct band pulse[]       = { {0,3}, {41,1}, {51,0}, {91,1}, {111,2}, {131,3} };
static const struct band systolic[]    = { {0,3}, {91,2}, {101,1}, {111,0}, {220,3} };
static const struct band temp[]        = { {0,3}, {351,1}, {361,0}, {381,1}, {391,2} };

const struct news2_name news2_names[NEWS2_PARTS] = {
    [NEWS2_RESP]     = { "resp",     "Respiration rate",  "1104301000000104" },
    [NEWS2_SPO2]     = { "spo2",     "Oxygen saturation", "1104311000000102" },
    [NEWS2_OXYGEN]   = { "oxygen",   "Air or oxygen",     "1104331000000105" },
    [NEWS2_SYSTOLIC] = { "systolic", "Systolic pressure", "1104341000000101" },
    [NEWS2_PULSE]    = { "pulse",    "Pulse",             "1104351000000103" },
    [NEWS2_ALERT]    = { "alert",    "Consciousness",     "1104361000000100" },
    [NEWS2_TEMP]     = { "temp",     "Temperature",       "1104371000000107" },
};

#define RCP "RCP NEWS2 2017, Charts 2 and 4"
const struct news2_response news2_responses[] = {
    { "emergency", 7, 0, 0, "continuous",
      "Tell the registrar or above at once; emergency assessment within 30 minutes by a team with "
      "critical-care and airway skills; consider level 2 or 3 care", 30, true, RCP },
    { "urgent", 5, 0, 60, "at least every hour",
      "Registered nurse tells the medical team at once; urgent assessment within 1 hour by a "
      "clinician competent in acute illness; monitored environment", 60, true, RCP },
    { "single red score", 21, 3, 60, "at least every hour",
      "Registered nurse tells the medical team, who review and decide on escalation", 0, true,
      RCP },
    { "ward", 1, 0, 360, "at least every 4 to 6 hours",
      "Registered nurse assesses and decides on frequency and escalation", 0, false, RCP },
    { "routine", 0, 0, 720, "at least every 12 hours", "Continue routine observations", 0, false,
      RCP },
};
/* clang-format on */
const size_t news2_responses_count = COUNT(news2_responses);
const char news2_table[] = "news2-rcp-2017.1";

const struct news2_chart news2_chart = {
    .resp = BANDS(resp), .spo2_1 = BANDS(spo2_1), .spo2_2_air = BANDS(spo2_2_air),
    .spo2_2_oxygen = BANDS(spo2_2_o2), .pulse = BANDS(pulse), .systolic = BANDS(systolic),
    .temp = BANDS(temp),
};

/* A value outside these was mistyped or is in another unit (98.6 is Fahrenheit, 9.5 is kPa). */
static const struct rule_input inputs[] = {
    { "resp", "/min", "respiration rate", RULE_NUMBER, 0, 0, 120, false },
    { "spo2", "%", "oxygen saturation", RULE_NUMBER, 0, 1, 100, false },
    { "oxygen", "1 or 0", "1 on supplemental oxygen, 0 on air", RULE_FLAG, 0, 0, 1, false },
    { "systolic", "mm[Hg]", "systolic blood pressure", RULE_NUMBER, 0, 20, 350, false },
    { "pulse", "/min", "pulse", RULE_NUMBER, 0, 0, 350, false },
    { "alert", "1 or 0", "1 alert, 0 new confusion, voice, pain or unresponsive", RULE_FLAG, 0, 0,
      1, false },
    { "temp", "Cel", "temperature, rounded half up to 0.1", RULE_NUMBER, 1, 200, 460, false },
    { "scale2", "1 or 0", "1 when a clinician has prescribed the 88-92 % target", RULE_FLAG, 0, 0,
      1, true },
    { "age", "a", "age in whole years; under 16 is refused", RULE_NUMBER, 0, 0, 130, true },
    { "pregnant", "1 or 0", "1 is refused: use a maternity chart", RULE_FLAG, 0, 0, 1, true },
    { "spinal", "1 or 0", "1 is refused: pulse and pressure mislead after a spinal-cord injury",
      RULE_FLAG, 0, 0, 1, true },
    { "claimed", "points", "a total sent by another system, to be compared", RULE_NUMBER, 0, 0, 99,
      true },
    { 0 },
};
enum { IN_SCALE2 = NEWS2_PARTS, IN_AGE, IN_PREGNANT, IN_SPINAL, IN_CLAIMED };

static void in_chart_order(const struct news2_obs *obs, int values[NEWS2_PARTS])
{
    const int read[NEWS2_PARTS] = {
        [NEWS2_RESP] = obs->resp_per_min,   [NEWS2_SPO2] = obs->spo2_pct,
        [NEWS2_OXYGEN] = obs->on_oxygen,    [NEWS2_SYSTOLIC] = obs->systolic_mmhg,
        [NEWS2_PULSE] = obs->pulse_per_min, [NEWS2_ALERT] = obs->alert,
        [NEWS2_TEMP] = obs->temp_tenth_c,
    };
    memcpy(values, read, sizeof read);
}

static err check_obs(struct issues *issues, const struct news2_obs *obs)
{
    int values[NEWS2_PARTS];
    err worst = ERR_OK;
    in_chart_order(obs, values);
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        str name = str_of(news2_names[i].input);
        if (values[i] == NEWS2_MISSING)
            worst = issues_add(issues, ERR_INVALID, name,
                               S("not recorded: the set is incomplete and has no score"));
        else if (values[i] < inputs[i].least || values[i] > inputs[i].most)
            worst = issues_add(issues, ERR_INVALID, name,
                               S("impossible value: check the reading and its unit"));
    }
    return worst;
}

static enum news2_risk risk_of(int total, int highest)
{
    return total >= 7 ? NEWS2_HIGH : total >= 5 ? NEWS2_MEDIUM
           : highest == 3 ? NEWS2_LOW_MEDIUM : NEWS2_LOW;
}

static struct band_table spo2_bands(const struct news2_chart *chart, const struct news2_obs *obs)
{
    return !obs->spo2_scale2 ? chart->spo2_1
           : obs->on_oxygen ? chart->spo2_2_oxygen : chart->spo2_2_air;
}

void news2_add_up(const struct news2_chart *chart, const struct news2_obs *obs,
                  struct news2_score *out)
{
    *out = (struct news2_score){ .parts = {
        [NEWS2_RESP] = band_points(chart->resp, obs->resp_per_min),
        [NEWS2_SPO2] = band_points(spo2_bands(chart, obs), obs->spo2_pct),
        [NEWS2_OXYGEN] = obs->on_oxygen ? 2 : 0,
        [NEWS2_SYSTOLIC] = band_points(chart->systolic, obs->systolic_mmhg),
        [NEWS2_PULSE] = band_points(chart->pulse, obs->pulse_per_min),
        [NEWS2_ALERT] = obs->alert ? 0 : 3,
        [NEWS2_TEMP] = band_points(chart->temp, obs->temp_tenth_c),
    } };
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        out->total += out->parts[i];
        out->highest = out->parts[i] > out->highest ? out->parts[i] : out->highest;
    }
    out->risk = risk_of(out->total, out->highest);
}

err news2_score(struct issues *issues, const struct news2_obs *obs, struct news2_score *out)
{
    TRY(check_obs(issues, obs));
    news2_add_up(&news2_chart, obs, out);
    return ERR_OK;
}

err news2_check_person(struct issues *issues, struct news2_person person)
{
    err worst = ERR_OK;
    if (person.age_years != NEWS2_MISSING && person.age_years < NEWS2_AGE_LEAST)
        worst = issues_add(issues, ERR_RULE, S("age"),
                           S("NEWS2 is not for patients under 16: use a paediatric chart"));
    if (person.pregnant == 1)
        worst = issues_add(issues, ERR_RULE, S("pregnant"),
                           S("NEWS2 is not for pregnancy: use a maternity chart"));
    if (person.spinal == 1)
        worst = issues_add(issues, ERR_RULE, S("spinal"),
                           S("NEWS2 is not reliable after a spinal-cord injury: watch the trend "
                             "and ask a doctor"));
    return worst;
}

int news2_floor(const struct news2_obs *obs, size_t *missing)
{
    int values[NEWS2_PARTS], least = 0;
    struct news2_score known;
    in_chart_order(obs, values);
    news2_add_up(&news2_chart, obs, &known);
    *missing = 0;
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        /* On scale 2 a high saturation scores by whether oxygen is given: unknown adds nothing. */
        bool open = i == NEWS2_SPO2 && obs->spo2_scale2 && obs->on_oxygen == NEWS2_MISSING &&
                    values[i] > 92;
        *missing += values[i] == NEWS2_MISSING;
        if (values[i] != NEWS2_MISSING && !open)
            least += known.parts[i];
    }
    return least;
}

const struct news2_response *news2_respond(int total, int highest)
{
    for (size_t i = 0; i < COUNT(news2_responses); i++) {
        const struct news2_response *row = &news2_responses[i];
        if (total >= row->total_least || (row->highest_least && highest >= row->highest_least))
            return row;
    }
    return &news2_responses[COUNT(news2_responses) - 1];
}

const char *news2_risk_name(enum news2_risk risk)
{
    static const char *const names[] = { "low", "low-medium", "medium", "high" };
    return names[risk];
}

static bool differs(struct issues *issues, const char *what, int claimed, int expected)
{
    if (claimed == expected)
        return false;
    issues_note(issues, (struct issue){ .kind = ERR_RULE, .severity = ISSUE_WARNING,
        .path = str_of(what), .text = arena_printf(issues->arena,
            "%s: %d was sent, the observations give %d", what, claimed, expected) });
    return true;
}

bool news2_agrees(struct issues *issues, const struct news2_obs *obs, int claimed_total,
                  const int claimed_parts[NEWS2_PARTS])
{
    struct news2_score own;
    bool agrees = true;
    if (check_obs(issues, obs))
        return false;
    news2_add_up(&news2_chart, obs, &own);
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        if (claimed_parts && claimed_parts[i] != NEWS2_MISSING)
            agrees &= !differs(issues, news2_names[i].input, claimed_parts[i], own.parts[i]);
    return !differs(issues, "total", claimed_total, own.total) && agrees;
}

static int given(struct rule_arg arg)
{
    return arg.number == RULE_MISSING ? NEWS2_MISSING : (int)arg.number;
}

static void put_response(struct rule_result *out, const struct news2_score *score)
{
    const struct news2_response *row = news2_respond(score->total, score->highest);
    rule_put_text(out, "response", str_of(row->name));
    rule_put_text(out, "frequency", str_of(row->frequency));
    rule_put_text(out, "action", str_of(row->action));
    rule_put_bool(out, "response_confirmed", row->confirmed);
    rule_put_text(out, "response_source", str_of(row->source));
}

static err run(struct ctx *cx, const struct rule_arg *args, struct rule_result *out)
{
    struct news2_person person = { given(args[IN_AGE]), given(args[IN_PREGNANT]),
                                   given(args[IN_SPINAL]) };
    struct news2_obs obs = {
        .resp_per_min = given(args[NEWS2_RESP]), .spo2_pct = given(args[NEWS2_SPO2]),
        .on_oxygen = given(args[NEWS2_OXYGEN]), .systolic_mmhg = given(args[NEWS2_SYSTOLIC]),
        .pulse_per_min = given(args[NEWS2_PULSE]), .alert = given(args[NEWS2_ALERT]),
        .temp_tenth_c = given(args[NEWS2_TEMP]), .spo2_scale2 = args[IN_SCALE2].number == 1,
    };
    struct news2_score score;
    TRY(news2_check_person(&cx->issues, person));
    TRY(news2_score(&cx->issues, &obs, &score));
    rule_put_number(out, NULL, "total", score.total);
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        rule_put_number(out, "parts", news2_names[i].input, score.parts[i]);
    rule_put_number(out, NULL, "highest", score.highest);
    rule_put_text(out, "risk", str_of(news2_risk_name(score.risk)));
    rule_put_number(out, NULL, "spo2_scale", obs.spo2_scale2 ? 2 : 1);
    put_response(out, &score);
    if (args[IN_CLAIMED].number != RULE_MISSING) {
        rule_put_number(out, NULL, "claimed", args[IN_CLAIMED].number);
        rule_put_bool(out, "consistent",
                      news2_agrees(&cx->issues, &obs, (int)args[IN_CLAIMED].number, NULL));
    }
    return ERR_OK;
}

const struct rule news2_rule = {
    .name = "news2",
    .title = "National Early Warning Score 2",
    .source = "Royal College of Physicians, NEWS2, December 2017, Chart 1",
    .table = news2_table,
    .effective = "2017-12-01",
    .caveat = "Adults of 16 and over, not in pregnancy, not after a spinal-cord injury. "
              "The responses to totals 0 and 1 to 4 are unconfirmed.",
    .inputs = inputs,
    .run = run,
};
