/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/package.h"
#include "fhir/profile.h"
#include "json/write.h"
#include "main/command.h"
#include <errno.h>
#include <sys/stat.h>

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder; the one ./run serves unless given", false, false },
    { "--json", NULL, "list: print as JSON", false, false },
    { 0 },
};

/* Without --data it is $FRONTLINE_DATA or data/demo, as ./run has it, and must be there. */
static err find_data(struct ctx *cx, const struct command_args *args, bool makes, str *out)
{
    const char *from_run = getenv("FRONTLINE_DATA");
    struct stat info;
    *out = command_value(args, "--data");
    if (str_given(*out)) {
        if (makes && mkdir(arena_cstr(cx->arena, *out), 0750) != 0 && errno != EEXIST)
            return ctx_failf(cx, ERR_IO, (str){ 0 }, "the data folder %.*s cannot be made: %s",
                             STR_ARG(*out), strerror(errno));
        return ERR_OK;
    }
    *out = from_run ? str_of(from_run) : S("data/demo");
    if (stat(arena_cstr(cx->arena, *out), &info) != 0)
        return ctx_fail(cx, ERR_NOT_FOUND, *out,
                        S("there is no such data folder: name one by --data"));
    return ERR_OK;
}

static void print_counts(const struct profile_set *set)
{
    struct profile_counts n = profile_set_counts(set);
    printf("in force: %zu packages; %zu profiles, %zu extensions, %zu value sets, "
           "%zu code systems, %zu others\n",
           n.packages, n.profiles, n.extensions, n.value_sets, n.code_systems, n.others);
    size_t count;
    const str *missing = profile_set_not_loaded(set, &count);
    if (count)
        printf("%zu definitions they refer to are not loaded; what needs them is not checked:\n",
               count);
    for (size_t i = 0; i < count; i++)
        printf("  %.*s\n", STR_ARG(missing[i]));
}

/* The new set is built before anything changes: what cannot load leaves the old one in force. */
static err put_in_force(struct ctx *cx, str data, str staged)
{
    struct profile_set *set;
    str final;
    TRY(profile_set_try(cx, data, staged, &set));
    err got = package_commit(cx, data, staged, &final);
    if (got == ERR_OK)
        print_counts(set);
    profile_set_free(set);
    return got;
}

static err add(struct ctx *cx, str data, const struct command_args *args)
{
    struct package package;
    str staged;
    command_words(args, 2, "add FILE.tgz|DIR --data DIR");
    TRY(package_read(cx, args->words[1], &package));
    TRY(package_stage(cx, data, &package, &staged));
    err got = put_in_force(cx, data, staged);
    if (got != ERR_OK) {
        package_discard(staged, cx->arena);
        return ctx_failf(cx, got, args->words[1], "is not added; what was loaded stays in force");
    }
    printf("added %.*s %.*s: %zu definitions; %zu files that define nothing left out\n",
           STR_ARG(package.name), STR_ARG(package.version), package.definitions_count,
           package.left_out);
    return ERR_OK;
}

/* A package's file without its folder and ".ndjson". */
static str title_of(str file)
{
    str rest = file, part;
    while (str_next(&rest, '/', &part))
        file = part;
    return str_slice(file, 0, file.n - strlen(".ndjson"));
}

static void print_json(struct ctx *cx, const str *files, size_t count)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        str title = title_of(files[i]);
        size_t version = str_find_char(title, '#');
        json_open(&w, '{');
        json_put_str(&w, "name", str_slice(title, 0, version));
        json_put_str(&w, "version", str_slice(title, version + 1, title.n));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static err list(struct ctx *cx, str data, const struct command_args *args)
{
    str *files;
    size_t count;
    command_words(args, 1, "list --data DIR");
    TRY(command_check_data(cx, data, COMMAND_DATA_FOLDER));
    TRY(package_list(cx, data, &files, &count));
    if (command_has(args, "--json"))
        print_json(cx, files, count);
    for (size_t i = 0; i < count && !command_has(args, "--json"); i++)
        printf("%.*s\n", STR_ARG(title_of(files[i])));
    return ERR_OK;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    str data;
    bool adds = str_eq(args->words[0], S("add"));
    if (!adds && !str_eq(args->words[0], S("list")))
        command_words(args, 0, "add FILE.tgz|DIR, or list");
    err got = find_data(cx, args, adds, &data);
    if (got == ERR_OK)
        got = adds ? add(cx, data, args) : list(cx, data, args);
    if (got != ERR_OK || cx->issues.count)
        command_fail(cx);
    return got == ERR_OK ? EXIT_DONE : EXIT_FAULT;
}

extern const struct command cmd_package;
const struct command cmd_package = {
    .name = "package",
    .words = "add FILE.tgz|DIR, or list",
    .summary = "load FHIR packages: profiles, extensions and value sets that $validate uses",
    .about = "A package is a .tgz of a FHIR implementation guide, or a folder of its JSON or XML\n"
             "files. Snapshots are made where they are missing. A package that cannot be loaded\n"
             "changes nothing. A running server takes it in by itself.",
    .options = options,
    .examples = "  frontline package add uk.core.tgz --data data\n"
                "  frontline package list --data data --json\n",
    .data = COMMAND_DATA_MADE,
    .run = run,
};
