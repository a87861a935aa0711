/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/workstation.h"
#include "json/write.h"
#include "main/command.h"

enum { LIST_MAX_BYTES = 1 << 20 };

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--name", "TEXT", "what people call it", false, false },
    { "--area", "ID", "the Location it stands in: a session keeps its patient within one", false,
      false },
    { "--zone", "ZONE", "resus, ward or public: when it locks by itself", false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static str given(const struct command_args *args, const char *name)
{
    str value = command_value(args, name);
    return str_given(value) ? value : S("");
}

static err add(struct ctx *cx, struct people *people, const struct command_args *args)
{
    str code, reader;
    struct workstation place = { .id = args->words[1], .name = given(args, "--name"),
                                 .area = given(args, "--area"),
                                 .zone = zone_find(given(args, "--zone")) };
    TRY(workstation_add(cx, people, &place, &code, &reader));
    if (command_has(args, "--json"))
        printf("{\"id\":\"%.*s\",\"code\":\"%.*s\",\"reader\":\"%.*s\"}\n", STR_ARG(place.id),
               STR_ARG(code), STR_ARG(reader));
    else
        printf("code for its browser, at /workstation: %.*s\ntoken for its badge reader: %.*s\n",
               STR_ARG(code), STR_ARG(reader));
    return ERR_OK;
}

static err end(struct ctx *cx, struct people *people, const struct command_args *args)
{
    return workstation_end(cx, people, args->words[1]);
}

static err list(struct ctx *cx, struct people *people, const struct command_args *args)
{
    struct workstation *places;
    size_t count;
    TRY(workstation_list(cx, people, &places, &count));
    struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        const char *zone = places[i].zone ? places[i].zone->name : "";
        if (!command_has(args, "--json"))
            printf("%-20.*s %-8s %-16.*s %.*s%s\n", STR_ARG(places[i].id), zone,
                   STR_ARG(places[i].area), STR_ARG(places[i].name),
                   places[i].claimed ? "" : " (not yet taken by a browser)");
        json_open(&w, '{');
        json_put_str(&w, "id", places[i].id);
        json_put_str(&w, "name", places[i].name);
        json_put_str(&w, "area", places[i].area);
        json_put_str(&w, "zone", str_of(zone));
        json_put_bool(&w, "registered", places[i].claimed);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    if (command_has(args, "--json"))
        printf("%.*s\n", STR_ARG(buf_str(&buf)));
    return ERR_OK;
}

static const struct {
    const char *word;
    size_t words;
    err (*run)(struct ctx *cx, struct people *people, const struct command_args *args);
} actions[] = { { "add", 2, add }, { "end", 2, end }, { "list", 1, list } };

static int run(struct ctx *cx, const struct command_args *args)
{
    str word = args->words_count ? args->words[0] : S("");
    struct people *people;
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (!str_eq(word, str_of(actions[i].word)) || args->words_count != actions[i].words)
            continue;
        if (people_open(cx, command_value(args, "--data"), &people) != ERR_OK)
            return command_fail(cx);
        err result = actions[i].run(cx, people, args);
        people_close(people);
        return result == ERR_OK ? EXIT_DONE : command_fail(cx);
    }
    fprintf(stderr, "frontline workstation: say add ID, end ID or list\n"
                    "Try: frontline workstation --help\n");
    return EXIT_USAGE;
}

extern const struct command cmd_workstation;
const struct command cmd_workstation = {
    .name = "workstation",
    .words = "add|end|list [ID]",
    .summary = "shared screens and their badge readers",
    .about = "A shared workstation locks by itself, is opened again by a badge, and lets a session "
             "move to the next one. `add` prints a code its browser takes it with, once, and the "
             "token its badge reader sends.",
    .options = options,
    .examples = "  frontline workstation add ward-3-desk --area ward-3 --zone ward --data data\n"
                "  frontline workstation list --data data --json\n"
                "  frontline workstation end ward-3-desk --data data\n",
    .run = run,
};
