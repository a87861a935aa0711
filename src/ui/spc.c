/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/spc.h"
#include <math.h>

enum { SHIFT = 7, TREND = 6 };

struct ui_spc_limits ui_spc_limits(const double *values, size_t count)
{
    double sum = 0, ranges = 0, last = NAN;
    size_t known = 0, steps = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        sum += values[i];
        known++;
        if (!isnan(last)) {
            ranges += fabs(values[i] - last);
            steps++;
        }
        last = values[i];
    }
    if (known < UI_SPC_LEAST)
        return (struct ui_spc_limits){ NAN, NAN, NAN };
    double mean = sum / (double)known, reach = 2.66 * ranges / (double)steps;
    return (struct ui_spc_limits){ mean, mean - reach, mean + reach };
}

static int sign(double x)
{
    return (x > 0) - (x < 0);
}

/* Marks the points (last - length, last]. */
static void mark_run(int *marks, size_t last, size_t length, int side)
{
    for (size_t i = 0; i < length; i++)
        marks[last - i] = side;
}

/* Runs of one sign: of the distance from the mean, or of the step from the point before. */
static void find_runs(const double *values, size_t count, double mean, bool steps, int *marks)
{
    size_t run = 0, least = steps ? TREND : SHIFT;
    int side = 0;
    for (size_t i = 0; i < count; i++) {
        double from = steps ? i ? values[i - 1] : NAN : mean;
        int now = isnan(values[i]) || isnan(from) ? 0 : sign(values[i] - from);
        run = now && now == side ? run + 1 : now != 0;
        side = now;
        if (run >= least)
            mark_run(marks, i, run, side);
    }
}

static void find_near_limits(const double *values, size_t count, struct ui_spc_limits limits,
                             int *marks)
{
    double third = (limits.high - limits.mean) / 3;
    for (size_t i = 2; i < count; i++)
        for (int side = -1; side <= 1; side += 2) {
            size_t near = 0;
            for (size_t k = i - 2; k <= i; k++)
                near += third > 0 && (values[k] - limits.mean) * side > 2 * third;
            for (size_t k = i - 2; near >= 2 && k <= i; k++)
                if ((values[k] - limits.mean) * side > 2 * third)
                    marks[k] = side;
        }
}

void ui_spc_mark(const double *values, size_t count, struct ui_spc_limits limits, int *marks)
{
    for (size_t i = 0; i < count; i++)
        marks[i] = 0;
    if (isnan(limits.mean))
        return;
    find_near_limits(values, count, limits, marks);
    find_runs(values, count, limits.mean, true, marks);
    find_runs(values, count, limits.mean, false, marks);
    for (size_t i = 0; i < count; i++)
        if (values[i] > limits.high || values[i] < limits.low)
            marks[i] = values[i] > limits.high ? 1 : -1;
}

static const char *variation(enum ui_better better, int mark)
{
    if (mark == 0)
        return "Common cause: it wavers as it always has";
    if (better == UI_BETTER_NEITHER)
        return mark > 0 ? "Special cause: higher than it was" : "Special cause: lower than it was";
    bool good = (better == UI_BETTER_HIGH) == (mark > 0);
    return good ? "Special cause, improving" : "Special cause, concerning";
}

static const char *assurance(const struct ui_spc *spc, struct ui_spc_limits limits)
{
    bool high = spc->better == UI_BETTER_HIGH;
    if (isnan(spc->target) || spc->better == UI_BETTER_NEITHER)
        return "";
    if (high ? limits.low >= spc->target : limits.high <= spc->target)
        return " The target will be met as things are.";
    if (high ? limits.high < spc->target : limits.low > spc->target)
        return " The target will be missed as things are: the process must change.";
    return " The target will sometimes be met and sometimes missed.";
}

str ui_spc_sentence(struct arena *arena, const struct ui_spc *spc, struct ui_spc_limits limits,
                    const int *marks)
{
    if (isnan(limits.mean))
        return arena_printf(arena, "Too few values for limits: at least %d are needed.",
                            UI_SPC_LEAST);
    size_t last = spc->count;
    while (last > 0 && isnan(spc->values[last - 1]))
        last--;
    return arena_printf(arena, "%s. Latest %.3g, mean %.3g, expected between %.3g and %.3g.%s",
                        variation(spc->better, marks[last - 1]), spc->values[last - 1],
                        limits.mean, limits.low, limits.high, assurance(spc, limits));
}

void ui_spc_draw(struct buf *out, const struct ui_spc *given)
{
    struct ui_spc spc = *given;
    if (spc.count > UI_SPC_MAX) {
        spc.values += spc.count - UI_SPC_MAX;
        spc.labels += spc.count - UI_SPC_MAX;
        spc.count = UI_SPC_MAX;
    }
    int *marks = arena_array(out->arena, spc.count + 1, sizeof *marks);
    struct ui_spc_limits limits = ui_spc_limits(spc.values, spc.count);
    ui_spc_mark(spc.values, spc.count, limits, marks);
    const struct ui_series series[] = { { "Value", spc.values } };
    const struct ui_rule rules[] = { { limits.mean, "mean" }, { limits.high, "upper limit" },
                                     { limits.low, "lower limit" }, { spc.target, "target" } };
    struct ui_chart chart = {
        .kind = UI_CHART_LINE, .title = spc.title, .unit = spc.unit, .labels = spc.labels,
        .labels_count = spc.count, .series = series, .series_count = 1, .limit = NAN,
        .rules = rules, .rules_count = COUNT(rules), .marks = marks,
        .summary = ui_spc_sentence(out->arena, &spc, limits, marks) };
    ui_chart_draw(out, &chart);
}
