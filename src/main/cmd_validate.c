/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/package.h"
#include "fhir/profile.h"
#include "fhir/xml.h"
#include "main/command.h"

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder whose packages apply", false, false },
    { "--profile", "URL", "a profile to hold the resources to", false, false },
    { "--quiet", NULL, "errors only, no warnings", false, false },
    { 0 },
};

static err read_resource(struct ctx *cx, str path, struct json *out)
{
    str text;
    TRY(package_read_file(cx, cx->arena, path, &text));
    return str_starts(str_trim(text), S("<")) ? fhir_xml_read(cx, text, out)
                                              : json_parse(cx, text, out);
}

static void print_issues(const struct ctx *cx, str path, bool quiet)
{
    static const char *const names[] = { "error", "warning", "information" };
    for (size_t i = 0; i < cx->issues.kept; i++) {
        const struct issue *issue = &cx->issues.list[i];
        if (quiet && issue->severity != ISSUE_ERROR)
            continue;
        printf("%.*s: %s: %.*s: %.*s\n", STR_ARG(path), names[issue->severity],
               STR_ARG(issue->path), STR_ARG(issue->text));
    }
}

static bool check_file(struct ctx *cx, struct profile_set *set, str path,
                       const struct command_args *args)
{
    struct ctx inner = ctx_make(cx->arena);
    struct json resource;
    inner.now_ms = cx->now_ms;
    err got = read_resource(&inner, path, &resource);
    if (got == ERR_OK)
        got = profile_validate(&inner, set, resource, command_value(args, "--profile"));
    print_issues(&inner, path, command_has(args, "--quiet"));
    ctx_release(&inner);
    return got == ERR_OK;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct profile_set *set;
    size_t failed = 0;
    if (profile_set_load(cx, command_value(args, "--data"), &set) != ERR_OK)
        return command_fail(cx);
    for (size_t i = 0; i < args->words_count; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        failed += !check_file(cx, set, args->words[i], args);
        arena_rewind(cx->arena, mark);
    }
    profile_set_free(set);
    printf("%zu validate, %zu do not\n", args->words_count - failed, failed);
    return failed ? EXIT_FAULT : EXIT_DONE;
}

extern const struct command cmd_validate;
const struct command cmd_validate = {
    .name = "validate",
    .words = "FILE...",
    .summary = "hold resources to FHIR R4, to the profiles they claim and to one you name",
    .options = options,
    .examples = "  frontline validate patient.json\n"
                "  frontline validate --data data --profile "
                "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient patient.xml\n",
    .run = run,
};
