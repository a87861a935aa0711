/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/people.h"
#include "json/write.h"
#include "main/command.h"

enum { LIST_MAX_BYTES = 16 << 20 };

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--role", "ROLE", "what the person is; `frontline user roles` lists them", false, false },
    { "--display", "TEXT", "the name shown on screens", false, false },
    { "--who", "REFERENCE", "the person in the record, such as Practitioner/123", false, false },
    { "--areas", "IDS", "Location ids where they work, separated by commas", false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static err need_words(struct ctx *cx, const struct command_args *args, size_t count,
                      const char *example)
{
    if (args->words_count == count)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "write it as: frontline user %s", example);
}

static err add(struct ctx *cx, struct people *people, const struct command_args *args)
{
    TRY(need_words(cx, args, 2, "add NAME --role ROLE --data DIR"));
    str areas = arena_copy(cx->arena, command_value(args, "--areas"));
    for (size_t i = 0; i < areas.n; i++)
        if (areas.p[i] == ',')
            ((char *)areas.p)[i] = ' ';
    struct people_user user = {
        .name = args->words[1],
        .role = command_value(args, "--role"),
        .display = command_value(args, "--display"),
        .who = command_value(args, "--who"),
        .areas = areas,
    };
    return people_add(cx, people, &user);
}

static err disable(struct ctx *cx, struct people *people, const struct command_args *args)
{
    TRY(need_words(cx, args, 2, "disable NAME --data DIR"));
    return people_disable(cx, people, args->words[1], true);
}

static err enable(struct ctx *cx, struct people *people, const struct command_args *args)
{
    TRY(need_words(cx, args, 2, "enable NAME --data DIR"));
    return people_disable(cx, people, args->words[1], false);
}

static err set_role(struct ctx *cx, struct people *people, const struct command_args *args)
{
    TRY(need_words(cx, args, 3, "role NAME ROLE --data DIR"));
    return people_set_role(cx, people, args->words[1], args->words[2]);
}

static void print_json(struct ctx *cx, const struct people_user *users, size_t count)
{
    struct buf buf = buf_make(cx->arena, LIST_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "name", users[i].name);
        json_put_str(&w, "display", users[i].display);
        json_put_str(&w, "role", users[i].role);
        json_put_str(&w, "who", users[i].who);
        json_put_str(&w, "areas", users[i].areas);
        json_put_bool(&w, "disabled", users[i].disabled);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static err list(struct ctx *cx, struct people *people, const struct command_args *args)
{
    struct people_user *users;
    size_t count;
    TRY(people_list(cx, people, &users, &count));
    if (command_has(args, "--json")) {
        print_json(cx, users, count);
        return ERR_OK;
    }
    for (size_t i = 0; i < count; i++)
        printf("%-20.*s %-18.*s %.*s%s\n", STR_ARG(users[i].name), STR_ARG(users[i].role),
               STR_ARG(users[i].display), users[i].disabled ? " (disabled)" : "");
    return ERR_OK;
}

static err list_roles(struct ctx *cx, struct people *people, const struct command_args *args)
{
    (void)cx, (void)people, (void)args;
    for (size_t i = 0; i < roles_count; i++)
        printf("%-18s %s\n", roles[i].name, roles[i].title);
    return ERR_OK;
}

static const struct {
    const char *word;
    err (*run)(struct ctx *cx, struct people *people, const struct command_args *args);
} actions[] = {
    { "add", add },         { "disable", disable }, { "enable", enable },
    { "role", set_role },   { "list", list },       { "roles", list_roles },
};

static int run(struct ctx *cx, const struct command_args *args)
{
    str word = args->words_count ? args->words[0] : S("");
    struct people *people;
    for (size_t i = 0; i < COUNT(actions); i++) {
        if (!str_eq(word, str_of(actions[i].word)))
            continue;
        if (people_open(cx, command_value(args, "--data"), &people) != ERR_OK)
            return command_fail(cx);
        err result = actions[i].run(cx, people, args);
        people_close(people);
        return result == ERR_OK ? EXIT_DONE : command_fail(cx);
    }
    fprintf(stderr, "frontline user: say add, disable, enable, role, list or roles\n"
                    "Try: frontline user --help\n");
    return EXIT_USAGE;
}

extern const struct command cmd_user;
const struct command cmd_user = {
    .name = "user",
    .words = "add|disable|enable|role|list|roles [NAME] [ROLE]",
    .summary = "who may sign in, and as what",
    .about = "People live beside the record, not in it. A change holds within a second in a running "
             "server. Disabling a person ends their tokens and sessions.",
    .options = options,
    .examples = "  frontline user add a.khan --role nurse --who Practitioner/17 --areas ward-3 "
                "--data data\n"
                "  frontline user role a.khan nurse_in_charge --data data\n"
                "  frontline user disable a.khan --data data\n"
                "  frontline user list --data data --json\n",
    .run = run,
};
