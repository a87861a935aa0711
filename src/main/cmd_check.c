/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "json/write.h"
#include "main/command.h"
#include "main/serve.h"
#include "main/views.h"
#include "store/check.h"
#include "store/commit.h"
#include <unistd.h>

static void show(void *self, const char *what, int64_t done, int64_t total)
{
    int64_t *shown_ms = self, now = clock_monotonic_ms();
    if (now - *shown_ms < 200)
        return;
    *shown_ms = now;
    if (total > 0)
        fprintf(stderr, "\r%s %3.0f %%   ", what, 100.0 * (double)done / (double)total);
    else
        fprintf(stderr, "\r%s %lld   ", what, (long long)done);
}

static int64_t kept(const struct check_report *report)
{
    return report->faults_count < CHECK_FAULTS_MAX ? report->faults_count : CHECK_FAULTS_MAX;
}

static void print_json(struct ctx *cx, const struct check_report *report)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_u64(&w, "versions", (uint64_t)report->versions);
    json_put_u64(&w, "resources", (uint64_t)report->resources);
    json_put_u64(&w, "index_rows", (uint64_t)report->index_rows);
    json_put_u64(&w, "claims", (uint64_t)report->claims);
    json_put_u64(&w, "faults", (uint64_t)report->faults_count);
    json_key(&w, "first_faults");
    json_open(&w, '[');
    for (int64_t i = 0; i < kept(report); i++)
        json_str(&w, report->faults[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static void print_words(const struct check_report *report, bool whole)
{
    printf("%lld versions, %lld resources, %lld index rows, %lld claims: %s\n",
           (long long)report->versions, (long long)report->resources,
           (long long)report->index_rows, (long long)report->claims,
           report->faults_count ? "faults" : whole ? "all is well" : "not all was looked at");
    for (int64_t i = 0; i < kept(report); i++)
        printf("fault: %.*s\n", STR_ARG(report->faults[i]));
    if (report->faults_count > kept(report))
        printf("fault: and %lld more\n", (long long)(report->faults_count - kept(report)));
}

struct view_faults {
    struct ctx *cx;
    struct check_report *report;
};

static void add_fault(void *self, str text)
{
    struct view_faults *faults = self;
    if (faults->report->faults_count < CHECK_FAULTS_MAX)
        faults->report->faults[faults->report->faults_count] =
            arena_copy(faults->cx->arena, text);
    faults->report->faults_count++;
}

/* The systems' views against the bodies. */
static err check_views(struct ctx *cx, struct store *store, struct check_report *report)
{
    struct arena memory = arena_make((size_t)1 << 30);
    struct ctx inner = ctx_make(&memory);
    struct view_tables *tables;
    struct view_faults faults = { cx, report };
    err wrong = view_tables_make(&inner, view_files, &tables);
    if (!wrong)
        wrong = view_tables_check(&inner, tables, store, add_fault, &faults);
    for (size_t i = 0; wrong && i < inner.issues.kept; i++)
        issues_add(&cx->issues, wrong, (str){ 0 },
                   arena_copy(cx->arena, inner.issues.list[i].text));
    ctx_release(&inner);
    arena_free(&memory);
    return wrong;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct store_options options = { .folder = command_value(args, "--data"), .read_only = true };
    struct store *store;
    int64_t shown_ms = 0;
    bool bar = isatty(STDERR_FILENO) && !command_has(args, "--json");
    struct check_options check = { bar ? show : NULL, &shown_ms };
    struct check_report report;
    if (store_open(cx, &options, &store))
        return command_fail(cx);
    commit_set_claim_rules(store, serve_claims(cx->arena));
    err wrong = store_check(cx, store, &check, &report);
    if (!wrong)
        wrong = check_views(cx, store, &report);
    ctx_release(cx);
    store_close(store);
    if (bar)
        fprintf(stderr, "\r                        \r");
    if (command_has(args, "--json"))
        print_json(cx, &report);
    else
        print_words(&report, !wrong);
    if (wrong)
        return command_fail(cx);
    return report.faults_count ? EXIT_FAULT : EXIT_DONE;
}

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--json", NULL, "print the result as JSON", false, false },
    { 0 },
};

extern const struct command cmd_check;
const struct command cmd_check = {
    .name = "check",
    .summary = "prove that the record is whole",
    .about = "Every body parses and is what it says it is; the log and the versions of each "
             "resource have no gap; the search\nindex holds exactly what the bodies yield; claims "
             "hold. May run beside a server. Needs room for a second index\nin the data folder. "
             "Prints the first faults and exits with 1 when there is any.",
    .options = options,
    .examples = "  frontline check --data hospital\n  frontline check --data hospital --json\n",
    .data = COMMAND_DATA_RECORD,
    .run = run,
};
