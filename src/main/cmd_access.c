/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/explain.h"
#include "main/command.h"

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--interaction", "NAME", "read, vread, history, search, create, update, patch or delete "
      "(read)", false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static err print_why(struct ctx *cx, const struct command_args *args, struct people *people,
                     struct store *store)
{
    str interaction = command_value(args, "--interaction");
    struct explain_answer answer;
    struct explain_ask ask = {
        .people = people, .store = store, .standings = standings_make(cx, store),
        .user = args->words[1], .resource = args->words[2],
        .interaction = str_given(interaction) ? interaction : S("read"),
    };
    err result = explain(cx, &ask, &answer);
    standings_close(ask.standings);
    TRY(result);
    str text = command_has(args, "--json") ? explain_json(cx, &answer)
                                           : explain_text(cx, &answer);
    printf("%.*s%s", STR_ARG(text), command_has(args, "--json") ? "\n" : "");
    return ERR_OK;
}

static err explain_in(struct ctx *cx, const struct command_args *args, struct people *people)
{
    struct store_options of = { .folder = command_value(args, "--data"), .read_only = true };
    struct store *store;
    TRY(store_open(cx, &of, &store));
    err result = print_why(cx, args, people, store);
    ctx_release(cx); /* the reader goes back before the store closes */
    store_close(store);
    return result;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct people *people;
    if (args->words_count != 3 || !str_eq(args->words[0], S("explain"))) {
        fprintf(stderr, "frontline access: say explain USER TYPE/ID\n"
                        "Try: frontline access --help\n");
        return EXIT_USAGE;
    }
    if (people_open(cx, command_value(args, "--data"), &people) != ERR_OK)
        return command_fail(cx);
    err result = explain_in(cx, args, people);
    people_close(people);
    return result == ERR_OK ? EXIT_DONE : command_fail(cx);
}

extern const struct command cmd_access;
const struct command cmd_access = {
    .name = "access",
    .words = "explain USER TYPE/ID",
    .summary = "why somebody may or may not see or change a resource",
    .about = "Prints the rules in the order they are asked, with the facts each found in the "
             "record just now, and what follows. The server decides by the same function.",
    .options = options,
    .examples = "  frontline access explain a.khan Patient/123 --data data\n"
                "  frontline access explain a.khan Observation/9 --interaction update --json "
                "--data data\n",
    .data = COMMAND_DATA_RECORD,
    .run = run,
};
