/* SPDX-License-Identifier: Apache-2.0 */
#include "main/command.h"
#include "main/serve.h"

/* The reference as Markdown and the man page, from the tables everything else is made of. */

static void print_option(const struct command_option *option, const char *format)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s%s", option->name, option->value ? " " : "",
             option->value ? option->value : "");
    printf(format, name, option->doc, option->required ? " (required)" : "",
           option->repeats ? " (may be repeated)" : "");
}

static void print_command(const struct command *command)
{
    printf("\n## %s\n\n`frontline %s%s%s [options]` - %s\n", command->name, command->name,
           command->words ? " " : "", command->words ? command->words : "", command->summary);
    if (command->about)
        printf("\n%s\n", command->about);
    if (command->options && command->options->name)
        printf("\n| option | |\n|---|---|\n");
    for (const struct command_option *o = command->options; o && o->name; o++)
        print_option(o, "| `%s` | %s%s%s |\n");
    printf("\n```\n%s```\n", command->examples);
}

static void print_commands(void)
{
    printf("# Commands\n\nMade by `frontline docs commands`; do not edit.\n\nEvery command has "
           "`--help`. Exit codes: 0 done; 1 the work found or met a fault, which stands on "
           "standard error; 2 the command line was wrong.\n");
    for (const struct command *const *c = commands; *c; c++)
        print_command(*c);
}

static void print_routes(struct ctx *cx)
{
    printf("# Routes\n\nMade by `frontline docs routes`; do not edit.\n\nEvery address the server "
           "answers. `open` needs nobody; any other permission is held against the asker's role "
           "before the handler runs. GET serves HEAD too.\n\n"
           "| method | address | permission | |\n|---|---|---|---|\n");
    for (const struct route *const *table = serve_tables(cx->arena); *table; table++)
        for (const struct route *route = *table; route->method; route++)
            printf("| %s | `%s` | %s | %s |\n", route->method, route->pattern, route->permission,
                   route->doc);
}

/* ---- the man page ---- */

/* Writes text as roff: a backslash, and a dot or quote at the start of a line, mean something. */
static void print_roff(const char *text)
{
    bool starts = true;
    for (const char *c = text; *c; c++) {
        if (starts && (*c == '.' || *c == '\''))
            printf("\\&");
        if (*c == '\\')
            printf("\\e");
        else if (*c == '-')
            printf("\\-");
        else
            putchar(*c);
        starts = *c == '\n';
    }
}

static void print_man_option(const struct command_option *option)
{
    printf(".TP\n.B ");
    print_roff(option->name);
    if (option->value)
        printf(" \\fI%s\\fR", option->value);
    printf("\n");
    print_roff(option->doc);
    printf("%s%s\n", option->required ? " (required)" : "",
           option->repeats ? " (may be repeated)" : "");
}

static void print_man_command(const struct command *command)
{
    printf(".SS frontline %s%s%s\n", command->name, command->words ? " " : "",
           command->words ? command->words : "");
    print_roff(command->summary);
    printf("\n");
    if (command->about) {
        printf(".PP\n");
        print_roff(command->about);
        printf("\n");
    }
    for (const struct command_option *o = command->options; o && o->name; o++)
        print_man_option(o);
    printf(".PP\n.nf\n");
    print_roff(command->examples);
    printf(".fi\n");
}

static void print_man(void)
{
    printf(".TH FRONTLINE 1 \"\" \"Frontline %s\" \"Frontline\"\n.SH NAME\nfrontline \\- the "
           "digital front line of a health service\n.SH SYNOPSIS\n.B frontline\n.I COMMAND\n"
           "[options]\n.SH DESCRIPTION\nOne program with one data folder: a FHIR R4 record server "
           "and the clinical systems on it.\n.SH COMMANDS\n", FRONTLINE_VERSION);
    for (const struct command *const *c = commands; *c; c++)
        print_man_command(*c);
    printf(".SH EXIT STATUS\n0 done; 1 a fault was found or met; 2 the command line was wrong.\n");
}

static int run(struct ctx *cx, const struct command_args *args)
{
    str what = args->words_count == 1 ? args->words[0] : S("");
    if (str_eq(what, S("commands"))) {
        print_commands();
    } else if (str_eq(what, S("routes"))) {
        print_routes(cx);
    } else if (str_eq(what, S("man"))) {
        print_man();
    } else {
        fprintf(stderr, "frontline docs: say which: commands, routes or man\n");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

extern const struct command cmd_docs;
const struct command cmd_docs = {
    .name = "docs",
    .words = "commands|routes|man",
    .summary = "print the reference or the man page",
    .about = "Made from the tables of the program itself. frontline config --markdown prints the "
             "configuration in the same way.",
    .examples = "  frontline docs commands > docs/reference/commands.md\n"
                "  frontline docs man | man -l -\n",
    .run = run,
};
