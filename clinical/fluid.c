/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/fluid.h"
#include "clinical/rule.h"

enum { MINUTE_MS = 60000, WEIGHT_LEAST_G = 300, WEIGHT_MOST_G = 500000 };
const char fluid_table[] = "kdigo-urine-2012.1";

static const char *const route_names[FLUID_ROUTES] = {
    [FLUID_ORAL] = "oral", [FLUID_IV] = "intravenous", [FLUID_ENTERAL] = "enteral",
    [FLUID_BLOOD] = "blood", [FLUID_FLUSH] = "flush", [FLUID_URINE] = "urine",
    [FLUID_GASTRIC] = "vomit or nasogastric", [FLUID_DRAIN] = "drain", [FLUID_STOMA] = "stoma",
    [FLUID_STOOL] = "stool", [FLUID_INSENSIBLE] = "insensible",
};

const struct fluid_criterion fluid_criteria[] = {
    { 3, 24 * 60, FLUID_AKI_3 }, { 0, 12 * 60, FLUID_AKI_3 },
    { 5, 12 * 60, FLUID_AKI_2 }, { 5, 6 * 60, FLUID_AKI_1 },
};
const size_t fluid_criteria_count = COUNT(fluid_criteria);

const char *fluid_route_name(enum fluid_route route)
{
    return route_names[route];
}

bool fluid_route_is_intake(enum fluid_route route)
{
    return route < FLUID_URINE;
}

const char *fluid_aki_name(enum fluid_aki stage)
{
    static const char *const names[] = { "unknown", "none", "stage 1", "stage 2", "stage 3" };
    return names[stage];
}

static err check_volume(struct issues *issues, const struct fluid_entry *entry)
{
    if (entry->volume_ml >= FLUID_UNMEASURED && entry->volume_ml <= FLUID_VOLUME_MAX_ML)
        return ERR_OK;
    return issues_add(issues, ERR_INVALID, str_of(route_names[entry->route]),
                      S("impossible volume: it must be 0 to 20,000 mL or marked unmeasured"));
}

err fluid_balance(struct issues *issues, const struct fluid_entry *entries, size_t count,
                  int64_t from_ms, int64_t to_ms, struct fluid_total *out)
{
    struct fluid_total total = { 0 };
    err worst = ERR_OK;
    for (size_t i = 0; i < count; i++) {
        const struct fluid_entry *entry = &entries[i];
        if (entry->in_error || entry->at_ms < from_ms || entry->at_ms >= to_ms)
            continue;
        if (check_volume(issues, entry))
            worst = ERR_INVALID;
        else if (entry->volume_ml == FLUID_UNMEASURED)
            total.unmeasured++;
        else
            total.by_route_ml[entry->route] += entry->volume_ml;
    }
    TRY(worst);
    for (enum fluid_route route = 0; route < FLUID_ROUTES; route++)
        *(fluid_route_is_intake(route) ? &total.intake_ml : &total.output_ml) +=
            total.by_route_ml[route];
    total.balance_ml = total.intake_ml - total.output_ml;
    *out = total;
    return ERR_OK;
}

bool fluid_is_twin(const struct fluid_entry *a, const struct fluid_entry *b)
{
    int64_t apart_ms = a->at_ms > b->at_ms ? a->at_ms - b->at_ms : b->at_ms - a->at_ms;
    return a->route == b->route && a->volume_ml == b->volume_ml && a->volume_ml > 0 &&
           a->by_device != b->by_device && !a->in_error && !b->in_error &&
           apart_ms <= (int64_t)FLUID_TWIN_MIN * MINUTE_MS;
}

/* urine / (kg * h) < tenth / 10, without dividing: 600,000 = 10 * 60 min/h * 1,000 g/kg. */
static bool is_under(int64_t urine_ml, int64_t over_min, int64_t weight_g, int under_tenth)
{
    return under_tenth == 0 ? urine_ml == 0
                            : urine_ml * 600000 < under_tenth * weight_g * over_min;
}

enum fluid_aki fluid_stage_by(const struct fluid_criterion *criteria, int64_t urine_ml,
                              int64_t over_min, int64_t weight_g)
{
    for (size_t i = 0; i < COUNT(fluid_criteria); i++)
        if (over_min >= criteria[i].over_min &&
            is_under(urine_ml, over_min, weight_g, criteria[i].under_tenth))
            return criteria[i].stage;
    return is_under(urine_ml, over_min, weight_g, 5) ? FLUID_AKI_UNKNOWN : FLUID_AKI_NONE;
}

err fluid_urine_stage(struct issues *issues, int64_t urine_ml, int64_t over_min, int64_t weight_g,
                      enum fluid_aki *out)
{
    err worst = ERR_OK;
    if (weight_g < WEIGHT_LEAST_G || weight_g > WEIGHT_MOST_G)
        worst = issues_add(issues, ERR_INVALID, S("weight"), S("impossible or missing weight"));
    if (urine_ml < 0 || urine_ml > (int64_t)FLUID_VOLUME_MAX_ML * 10)
        worst = issues_add(issues, ERR_INVALID, S("urine"), S("impossible volume"));
    if (over_min <= 0 || over_min > 14 * 24 * 60)
        worst = issues_add(issues, ERR_INVALID, S("hours"), S("impossible time"));
    TRY(worst);
    *out = fluid_stage_by(fluid_criteria, urine_ml, over_min, weight_g);
    return ERR_OK;
}

static int64_t last_urine_ms(const struct fluid_entry *entries, size_t count)
{
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < count; i++)
        if (entries[i].route == FLUID_URINE && !entries[i].in_error && entries[i].at_ms > last)
            last = entries[i].at_ms;
    return last;
}

err fluid_oliguria(struct issues *issues, const struct fluid_entry *entries, size_t count,
                   int64_t covered_from_ms, int64_t weight_g, enum fluid_aki *out)
{
    static const int windows_min[] = { 6 * 60, 12 * 60, 24 * 60 };
    enum fluid_aki worst = FLUID_AKI_UNKNOWN;
    int64_t end_ms = last_urine_ms(entries, count);
    for (size_t i = 0; i < COUNT(windows_min) && end_ms != INT64_MIN; i++) {
        int64_t from_ms = end_ms - (int64_t)windows_min[i] * MINUTE_MS;
        struct fluid_total total;
        enum fluid_aki stage;
        if (from_ms < covered_from_ms)
            break;
        /* A volume stands for the time before it, so the window is open at its start. */
        TRY(fluid_balance(issues, entries, count, from_ms + 1, end_ms + 1, &total));
        if (total.unmeasured > 0)
            continue;
        TRY(fluid_urine_stage(issues, total.by_route_ml[FLUID_URINE], windows_min[i], weight_g,
                              &stage));
        worst = stage > worst ? stage : worst;
    }
    *out = worst;
    return ERR_OK;
}

static const struct rule_input fluid_inputs[] = {
    { "intake", "mL", "all that went in", RULE_NUMBER, 0, 0, 200000, false },
    { "output", "mL", "all that came out", RULE_NUMBER, 0, 0, 200000, false },
    { "carried", "mL", "balance carried forward", RULE_NUMBER, 0, -200000, 200000, true },
    { 0 },
};

static err fluid_run(struct ctx *cx, const struct rule_arg *args, struct rule_result *out)
{
    (void)cx;
    int64_t balance = args[0].number - args[1].number;
    int64_t carried = args[2].number == RULE_MISSING ? 0 : args[2].number;
    rule_put_number(out, NULL, "balance_ml", balance);
    rule_put_number(out, NULL, "cumulative_ml", balance + carried);
    return ERR_OK;
}

const struct rule fluid_rule = {
    .name = "fluid",
    .title = "Fluid balance",
    .source = "intake less output, as on the ward fluid chart",
    .table = "fluid-1",
    .effective = "2026-01-01",
    .caveat = "Unmeasured losses make a balance incomplete.",
    .inputs = fluid_inputs,
    .run = fluid_run,
};

static const struct rule_input oliguria_inputs[] = {
    { "urine", "mL", "urine passed in the time", RULE_NUMBER, 0, 0, 200000, false },
    { "hours", "h", "the time, all of it charted", RULE_NUMBER, 2, 2, 33600, false },
    { "weight", "kg", "body weight", RULE_NUMBER, 3, WEIGHT_LEAST_G, WEIGHT_MOST_G, false },
    { 0 },
};

static err oliguria_run(struct ctx *cx, const struct rule_arg *args, struct rule_result *out)
{
    /* hours carry two decimals: 0.6 minutes each, so the product is exact only in hundredths */
    int64_t over_min = args[1].number * 60 / 100;
    enum fluid_aki stage;
    TRY(fluid_urine_stage(&cx->issues, args[0].number, over_min, args[2].number, &stage));
    /* Cut, not rounded: what lies under a criterion is never printed as if it met it. */
    rule_put_decimal(out, "ml_per_kg_h",
                     args[0].number * 60 * 1000 * 1000 / (over_min * args[2].number), 3);
    rule_put_text(out, "stage", str_of(fluid_aki_name(stage)));
    return ERR_OK;
}

const struct rule oliguria_rule = {
    .name = "oliguria",
    .title = "Low urine output by weight",
    .source = "KDIGO Clinical Practice Guideline for Acute Kidney Injury, 2012, urine criterion",
    .table = fluid_table,
    .effective = "2012-03-01",
    .caveat = "Stage is unknown while the charted time is shorter than the criterion. Not for "
              "patients on dialysis.",
    .unconfirmed = true,
    .inputs = oliguria_inputs,
    .run = oliguria_run,
};
