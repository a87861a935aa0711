/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/package.h"
#include "fhir/profile.h"
#include "fhir/xml.h"
#include "json/write.h"
#include "main/command.h"

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder whose packages apply", false, false },
    { "--profile", "URL", "a profile to hold the resources to", false, false },
    { "--repeat", "N", "validate each so often, and print how many a second", false, false },
    { "--quiet", NULL, "errors only, no warnings", false, false },
    { "--json", NULL, "print an array of {\"file\", \"valid\", \"issues\"}", false, false },
    { 0 },
};

static err read_resource(struct ctx *cx, str path, struct json *out)
{
    str text;
    TRY(package_read_file(cx, cx->arena, path, &text));
    return str_starts(str_trim(text), S("<")) ? fhir_xml_read(cx, text, out)
                                              : json_parse(cx, text, out);
}

static const char *const names[] = { "error", "warning", "information" }; /* of severities */

static void print_issues(const struct ctx *cx, str path, bool quiet)
{
    for (size_t i = 0; i < cx->issues.kept; i++) {
        const struct issue *issue = &cx->issues.list[i];
        if (quiet && issue->severity != ISSUE_ERROR)
            continue;
        printf("%.*s: %s: %.*s: %.*s\n", STR_ARG(path), names[issue->severity],
               STR_ARG(issue->path), STR_ARG(issue->text));
    }
}

/* One file is written at a time, so that their number does not matter. */
static void print_json(struct ctx *cx, str path, bool valid, bool quiet)
{
    struct buf buf = buf_make(cx->arena, 16 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "file", path);
    json_put_bool(&w, "valid", valid);
    json_key(&w, "issues");
    json_open(&w, '[');
    for (size_t i = 0; i < cx->issues.kept; i++) {
        const struct issue *issue = &cx->issues.list[i];
        if (quiet && issue->severity != ISSUE_ERROR)
            continue;
        json_open(&w, '{');
        json_put_str(&w, "severity", str_of(names[issue->severity]));
        json_put_str(&w, "path", issue->path);
        json_put_str(&w, "text", issue->text);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    printf("%.*s", STR_ARG(buf_str(&buf)));
}

/* CPU time of this process: what other programs do meanwhile does not count. */
static double cpu_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double repeat(struct ctx *cx, struct profile_set *set, struct json resource, str profile,
                     int64_t times)
{
    double begun = cpu_seconds();
    for (int64_t i = 0; i < times; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        cx->issues = (struct issues){ .arena = cx->arena };
        if (profile_validate(cx, set, resource, profile) == ERR_NOT_FOUND)
            break;
        arena_rewind(cx->arena, mark);
    }
    return cpu_seconds() - begun;
}

static bool check_file(struct ctx *cx, struct profile_set *set, str path,
                       const struct command_args *args, double *seconds)
{
    struct ctx inner = ctx_make(cx->arena);
    struct json resource;
    inner.now_ms = cx->now_ms;
    err got = read_resource(&inner, path, &resource);
    if (got == ERR_OK)
        got = profile_validate(&inner, set, resource, command_value(args, "--profile"));
    if (command_has(args, "--json"))
        print_json(&inner, path, got == ERR_OK, command_has(args, "--quiet"));
    else
        print_issues(&inner, path, command_has(args, "--quiet"));
    if (seconds && (got == ERR_OK || got == ERR_RULE))
        *seconds += repeat(&inner, set, resource, command_value(args, "--profile"),
                           command_number(args, "--repeat", 1, 1, INT32_MAX));
    ctx_release(&inner);
    return got == ERR_OK;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct profile_set *set;
    size_t failed = 0;
    int64_t times = command_number(args, "--repeat", 0, 1, INT32_MAX);
    double seconds = 0;
    if (profile_set_load(cx, command_value(args, "--data"), &set) != ERR_OK)
        return command_fail(cx);
    bool as_json = command_has(args, "--json");
    for (size_t i = 0; i < args->words_count; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        if (as_json)
            printf(i ? ",\n" : "[");
        failed += !check_file(cx, set, args->words[i], args, times ? &seconds : NULL);
        arena_rewind(cx->arena, mark);
    }
    profile_set_free(set);
    printf(as_json ? "]\n" : "%zu validate, %zu do not\n", args->words_count - failed, failed);
    if (!as_json && times && seconds > 0)
        printf("%.0f resources/s on one core\n",
               (double)args->words_count * (double)times / seconds);
    return failed ? EXIT_FAULT : EXIT_DONE;
}

extern const struct command cmd_validate;
const struct command cmd_validate = {
    .name = "validate",
    .words = "FILE...",
    .summary = "hold resources to FHIR R4, to the profiles they claim and to one you name",
    .options = options,
    .examples = "  frontline validate patient.json\n"
                "  frontline validate *.json --quiet --json\n"
                "  frontline validate --data data --profile "
                "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient patient.xml\n",
    .run = run,
};
