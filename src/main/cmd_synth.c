/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "clinical/london.h"
#include "main/command.h"
#include "synth/synth.h"

enum { DETAIL_DAYS = 90 }; /* enough for every chart; a year of it is ten times the rest */

/* 08:00 in London on the day given as yyyy-mm-dd; the fixed default when none is. */
static bool read_end(str text, int64_t *out)
{
    int year, month, day, used = 0;
    char date[16];
    if (!str_given(text))
        return true;
    snprintf(date, sizeof date, "%.*s", STR_ARG(text));
    if (text.n != 10 || sscanf(date, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 ||
        used != 10 || year < 1990 || month < 1 || month > 12 || day < 1 ||
        day > clock_month_days(year, month))
        return false;
    *out = london_instant((struct clock_civil){ year, month, day, 8, 0, 0, 0 });
    return true;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct synth_options options = {
        .seed = (uint64_t)command_number(args, "--seed", 1, 0, INT64_MAX),
        .patients = command_number(args, "--patients", 1000, 1, SYNTH_PATIENTS_MAX),
        .days = (int)command_number(args, "--days", 365, 1, SYNTH_DAYS_MAX),
        .end_ms = SYNTH_END_MS,
        .folder = command_value(args, "--out"),
    };
    options.detail_days = (int)command_number(args, "--detail-days", DETAIL_DAYS, 0,
                                              SYNTH_DAYS_MAX);
    struct synth_result result;
    if (!read_end(command_value(args, "--end"), &options.end_ms)) {
        fprintf(stderr, "frontline synth: --end takes a date such as 2026-11-22\n");
        return EXIT_USAGE;
    }
    int64_t began_ms = clock_monotonic_ms();
    if (synth_run(cx, &options, &result))
        return command_fail(cx);
    double seconds = (double)(clock_monotonic_ms() - began_ms + 1) / 1000;
    unsigned long long resources = result.resources, bytes = result.bytes;
    if (command_has(args, "--json"))
        printf("{\"resources\":%llu,\"bytes\":%llu,\"seconds\":%.3f}\n", resources, bytes,
               seconds);
    else
        printf("%llu resources, %.1f MB in %.1f s (%.0f a second)\n", resources,
               (double)bytes / 1e6, seconds, (double)resources / seconds);
    return EXIT_DONE;
}

static const struct command_option options[] = {
    { "--out", "DIR", "folder for one NDJSON file a type", true, false },
    { "--seed", "N", "which hospital; the same seed gives the same bytes (1)", false, false },
    { "--patients", "N", "how many patients; a bed for every 25 of them (1000)", false, false },
    { "--days", "N", "days of history (365)", false, false },
    { "--detail-days", "N", "days of ward observations at its end (90)", false, false },
    { "--end", "DATE", "last day of the history, until 08:00 (2026-11-22)", false, false },
    { "--json", NULL, "print the counts as JSON", false, false },
    { 0 },
};

extern const struct command cmd_synth;
const struct command cmd_synth = {
    .name = "synth",
    .summary = "write an invented hospital and its patients",
    .about = "A deterministic English hospital with its wards, staff, practices and pharmacies, "
             "and patients with\na year of care: registrations, problems, medicines, referrals, "
             "attendances, stays, observations and\nresults. Nobody in it exists: NHS numbers are "
             "of the test range 999.",
    .options = options,
    .examples = "  frontline synth --seed 1 --patients 1000 --out hospital\n"
                "  frontline synth --patients 3600 --detail-days 30 --end 2026-11-22 --out big\n",
    .run = run,
};
