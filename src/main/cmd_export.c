/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/clock.h"
#include "fhir/datetime.h"
#include "jobs/export.h"
#include "main/command.h"
#include <unistd.h>

static bool show(void *self, int64_t resources)
{
    _Atomic int64_t *shown_ms = self;
    int64_t now = clock_monotonic_ms(), before = *shown_ms;
    if (now - before >= 200 && __atomic_compare_exchange_n((int64_t *)shown_ms, &before, now, false,
                                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        fprintf(stderr, "\r%lld resources ", (long long)resources);
    return true;
}

/* "Patient,Observation" as bits; the name that is no type in *unknown. */
static bool read_types(str list, uint64_t bits[ACCESS_TYPES_WORDS], str *unknown)
{
    str name;
    while (str_next(&list, ',', &name)) {
        uint16_t resource = fhir_resource_find(str_trim(name));
        *unknown = name;
        if (resource == FHIR_NONE)
            return false;
        bits[resource / 64] |= (uint64_t)1 << (resource % 64);
    }
    return true;
}

static int wrong_option(const char *option, const char *what, str value)
{
    fprintf(stderr, "frontline export: %s: %s: %.*s\n", option, what, STR_ARG(value));
    return EXIT_USAGE;
}

static void print(struct ctx *cx, const struct export_report *report, double seconds, bool json)
{
    if (!json) {
        printf("%lld resources, %.1f MB in %.2f s (%.0f a second)\n", (long long)report->resources,
               (double)report->bytes / 1e6, seconds, (double)report->resources / seconds);
        return;
    }
    struct buf buf = buf_make(cx->arena, 1 << 20);
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if (report->counts[r])
            buf_printf(&buf, "%s\"%.*s\":%lld", buf.n ? "," : "", STR_ARG(fhir_resource_name(r)),
                       (long long)report->counts[r]);
    printf("{\"resources\":%lld,\"bytes\":%lld,\"seconds\":%.3f,\"types\":{%.*s}}\n",
           (long long)report->resources, (long long)report->bytes, seconds,
           STR_ARG(buf_str(&buf)));
}

static int run(struct ctx *cx, const struct command_args *args)
{
    static int64_t shown_ms;
    uint64_t types[ACCESS_TYPES_WORDS] = { 0 };
    str list = command_value(args, "--type"), since = command_value(args, "--since"), unknown;
    struct datetime instant;
    struct store_options open = { .folder = command_value(args, "--data"), .read_only = true };
    struct export_options options = { .folder = command_value(args, "--out"), .self = &shown_ms };
    struct export_report report;
    bool json = command_has(args, "--json");
    if (str_given(list) && !read_types(list, types, &unknown))
        return wrong_option("--type", "there is no such type", unknown);
    if (str_given(since) && !datetime_parse(since, DATETIME_AS_SEARCH, &instant))
        return wrong_option("--since", "not an instant such as 2026-11-22T08:00:00Z", since);
    options.types = str_given(list) ? types : NULL;
    options.since_ms = str_given(since) ? instant.low_ms : 0;
    options.progress = isatty(STDERR_FILENO) && !json ? show : NULL;
    if (store_open(cx, &open, &options.store))
        return command_fail(cx);
    int64_t began_ms = clock_monotonic_ms();
    err wrong = export_run(cx, &options, &report);
    store_close(options.store);
    if (options.progress)
        fputc('\r', stderr);
    if (wrong)
        return command_fail(cx);
    print(cx, &report, (double)(clock_monotonic_ms() - began_ms + 1) / 1000, json);
    return EXIT_DONE;
}

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--out", "DIR", "folder for one NDJSON file a type; made when it is not there", true, false },
    { "--type", "T,...", "only these resource types", false, false },
    { "--since", "INSTANT", "only what changed at or after it", false, false },
    { "--json", NULL, "print the counts as JSON", false, false },
    { 0 },
};

extern const struct command cmd_export;
const struct command cmd_export = {
    .name = "export",
    .summary = "write the record as NDJSON, one file a type",
    .about = "What is current in the record, as it would be read. May run beside a server.",
    .options = options,
    .examples = "  frontline export --data hospital --out backup\n"
                "  frontline export --data hospital --out new --type Patient,Observation "
                "--since 2026-11-01T00:00:00Z\n",
    .data = COMMAND_DATA_RECORD,
    .run = run,
    .noted = true,
};
