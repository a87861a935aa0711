/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include "main/command.h"
#include "term/load.h"
#include <errno.h>
#include <sys/stat.h>

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--version", "TEXT", "the release, where its files do not say it", false, false },
    { "--json", NULL, "list: print as JSON", false, false },
    { 0 },
};

static err load(struct ctx *cx, const struct command_args *args)
{
    str folder = command_value(args, "--data");
    struct term_load read;
    for (size_t format = 0; format < TERM_FORMATS; format++) {
        if (!str_eq(args->words[1], str_of(term_format_name((enum term_format)format))))
            continue;
        if (mkdir(arena_cstr(cx->arena, folder), 0750) != 0 && errno != EEXIST)
            return ctx_failf(cx, ERR_IO, (str){ 0 }, "the data folder %.*s cannot be made: %s",
                             STR_ARG(folder), strerror(errno));
        TRY(term_load_read(cx, (enum term_format)format, args->words[2], &read));
        if (command_has(args, "--version"))
            read.version = command_value(args, "--version");
        TRY(term_load_save(cx, folder, &read));
        printf("%.*s %.*s: %zu concepts, %zu links, %zu attributes; %zu left out: they name a "
               "concept that is not in the release\n", STR_ARG(read.name), STR_ARG(read.version),
               read.count, read.edges_count, read.attributes_count, read.left_out);
        return ERR_OK;
    }
    return ctx_failf(cx, ERR_INVALID, args->words[1],
                     "a format is snomed, dmd, icd10, opcs4 or loinc");
}

static void print_words(const struct term_release *releases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%-12.*s %10lld  %.*s %.*s\n", STR_ARG(releases[i].name),
               (long long)releases[i].concepts, STR_ARG(releases[i].url),
               STR_ARG(releases[i].version));
}

static void print_json(struct ctx *cx, const struct term_release *releases, size_t count)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "name", releases[i].name);
        json_put_str(&w, "url", releases[i].url);
        json_put_str(&w, "version", releases[i].version);
        json_put_u64(&w, "concepts", (uint64_t)releases[i].concepts);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static err list(struct ctx *cx, const struct command_args *args)
{
    struct term_files *files;
    struct term_release *releases;
    size_t count;
    TRY(command_check_data(cx, command_value(args, "--data"), COMMAND_DATA_FOLDER));
    TRY(term_files_open(cx, command_value(args, "--data"), &files));
    err wrong = term_files_list(cx, files, &releases, &count);
    if (!wrong && command_has(args, "--json"))
        print_json(cx, releases, count);
    else if (!wrong)
        print_words(releases, count);
    term_files_close(files);
    return wrong;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    bool loads = args->words_count == 3 && str_eq(args->words[0], S("load"));
    bool lists = args->words_count == 1 && str_eq(args->words[0], S("list"));
    if (!loads && !lists) {
        fprintf(stderr, "frontline term: say load FORMAT PATH, or list\n"
                        "Try: frontline term --help\n");
        return EXIT_USAGE;
    }
    return (loads ? load(cx, args) : list(cx, args)) == ERR_OK ? EXIT_DONE : command_fail(cx);
}

extern const struct command cmd_term;
const struct command cmd_term = {
    .name = "term",
    .words = "load FORMAT PATH | list",
    .summary = "take in SNOMED CT, dm+d, ICD-10, OPCS-4 or LOINC from their release files",
    .about = "FORMAT is snomed (RF2 snapshot), dmd (XML), icd10, opcs4 (codes and titles) or loinc "
             "(CSV). PATH is a file or a folder. A new release replaces the old whole, or not at "
             "all; a running server uses it at once.",
    .options = options,
    .examples = "  frontline term load snomed SnomedCT_UKClinicalRF2/Snapshot --data data\n"
                "  frontline term load loinc Loinc.csv --version 2.78 --data data\n"
                "  frontline term list --data data --json\n",
    .data = COMMAND_DATA_MADE,
    .run = run,
};
