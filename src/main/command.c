/* SPDX-License-Identifier: Apache-2.0 */
#include "main/command.h"
#include "base/clock.h"
#include "base/random.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_MEMORY_BYTES = 1 << 30 };

static void print_options(const struct command *command, FILE *out)
{
    fprintf(out, "\nOptions:\n");
    for (const struct command_option *o = command->options; o && o->name; o++) {
        char left[80];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(out, "  %-26s %s%s%s\n", left, o->doc, o->required ? " (required)" : "",
                o->repeats ? " (may be repeated)" : "");
    }
    fprintf(out, "  %-26s %s\n", "--help", "this text");
}

static void print_help(const struct command *command, FILE *out)
{
    fprintf(out, "frontline %s%s%s [options]\n  %s\n", command->name, command->words ? " " : "",
            command->words ? command->words : "", command->summary);
    if (command->about)
        fprintf(out, "\n%s\n", command->about);
    print_options(command, out);
    fprintf(out, "\nExamples:\n%s", command->examples);
    fprintf(out, "\nExit: 0 done, 1 a fault was found or met, 2 wrong command line.\n");
}

static void print_commands(FILE *out)
{
    fprintf(out, "frontline %s: the digital front line of a health service\n\n"
                 "frontline COMMAND [options]\n\n", FRONTLINE_VERSION);
    for (const struct command *const *c = commands; *c; c++)
        fprintf(out, "  %-12s %s\n", (*c)->name, (*c)->summary);
    fprintf(out, "\nfrontline COMMAND --help tells more.\n");
}

static const struct command *find_command(str name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (str_eq(name, str_of((*c)->name)))
            return *c;
    return NULL;
}

/* COMMAND_OPTIONS_MAX when there is no such option. */
static size_t find_option(const struct command *command, str name)
{
    for (size_t i = 0; command->options && command->options[i].name; i++)
        if (str_eq(name, str_of(command->options[i].name)))
            return i;
    return COMMAND_OPTIONS_MAX;
}

static int usage(const struct command *command, const char *what, str which)
{
    fprintf(stderr, "frontline %s: %s %.*s\nTry: frontline %s --help\n", command->name, what,
            STR_ARG(which), command->name);
    return EXIT_USAGE;
}

static int take_option(struct command_args *args, str word, int argc, char **argv, int *at)
{
    size_t equals = str_find_char(word, '=');
    str name = str_slice(word, 0, equals);
    size_t option = find_option(args->command, name);
    if (option == COMMAND_OPTIONS_MAX)
        return usage(args->command, "unknown option", name);
    bool takes_value = args->command->options[option].value != NULL;
    str value = S("");
    if (takes_value && equals != STR_NONE)
        value = str_slice(word, equals + 1, word.n);
    else if (takes_value && *at + 1 < argc)
        value = str_of(argv[++*at]);
    else if (takes_value || equals != STR_NONE)
        return usage(args->command, takes_value ? "a value is missing after" : "no value goes with",
                     name);
    args->given[args->given_count].option = option;
    args->given[args->given_count++].value = value;
    return EXIT_DONE;
}

static int check_required(const struct command_args *args)
{
    const struct command *command = args->command;
    for (size_t i = 0; command->options && command->options[i].name; i++)
        if (command->options[i].required && !command_has(args, command->options[i].name))
            return usage(command, "this option is required:", str_of(command->options[i].name));
    if (!command->words && args->words_count)
        return usage(command, "this word is not understood:", args->words[0]);
    if (command->words && command->words[0] != '[' && !args->words_count)
        return usage(command, "say", str_of(command->words));
    return EXIT_DONE;
}

static int parse(struct ctx *cx, struct command_args *args, int argc, char **argv)
{
    args->given = arena_array(cx->arena, (size_t)argc, sizeof *args->given);
    args->words = arena_array(cx->arena, (size_t)argc, sizeof *args->words);
    bool options_over = false;
    for (int i = 2; i < argc; i++) {
        str word = str_of(argv[i]);
        if (!options_over && str_eq(word, S("--"))) {
            options_over = true;
        } else if (!options_over && str_starts(word, S("--"))) {
            int wrong = take_option(args, word, argc, argv, &i);
            if (wrong)
                return wrong;
        } else {
            args->words[args->words_count++] = word;
        }
    }
    return check_required(args);
}

str command_value(const struct command_args *args, const char *option)
{
    size_t wanted = find_option(args->command, str_of(option));
    for (size_t i = args->given_count; i-- > 0;)
        if (args->given[i].option == wanted)
            return args->given[i].value;
    return (str){ 0 };
}

bool command_has(const struct command_args *args, const char *option)
{
    return str_given(command_value(args, option));
}

int64_t command_number(const struct command_args *args, const char *option, int64_t fallback,
                       int64_t least, int64_t most)
{
    str text = command_value(args, option);
    int64_t value = fallback;
    if (str_given(text) && (!str_to_i64(text, &value) || value < least || value > most)) {
        fprintf(stderr, "frontline %s: %s takes a whole number from %lld to %lld\n",
                args->command->name, option, (long long)least, (long long)most);
        exit(EXIT_USAGE);
    }
    return value;
}

void command_words(const struct command_args *args, size_t count, const char *how)
{
    if (args->words_count == count)
        return;
    fprintf(stderr, "frontline %s: write it as: frontline %s %s\nTry: frontline %s --help\n",
            args->command->name, args->command->name, how, args->command->name);
    exit(EXIT_USAGE);
}

err command_check_data(struct ctx *cx, str folder, enum command_data need)
{
    const char *path = arena_cstr(cx->arena, folder);
    struct stat info;
    if (need == COMMAND_DATA_MADE)
        return ERR_OK;
    if (stat(path, &info) != 0 && errno != ENOENT && errno != ENOTDIR)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "the data folder %s cannot be reached: %s; check "
                         "the owner and the permissions on its way", path, strerror(errno));
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 },
                         "there is no data folder %s; give another, or make it by frontline serve "
                         "or frontline import", path);
    if (access(path, R_OK | X_OK) != 0)
        return ctx_failf(cx, ERR_IO, (str){ 0 },
                         "the data folder %s may not be read by you; run this as its owner", path);
    const char *record = arena_printf(cx->arena, "%s/record.db", path).p;
    if (need == COMMAND_DATA_RECORD && stat(record, &info) != 0)
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 },
                         "there is no record in %s; give another data folder, or fill this one by "
                         "frontline serve or frontline import", path);
    return ERR_OK;
}

int command_fail(struct ctx *cx)
{
    for (size_t i = 0; i < cx->issues.kept; i++) {
        const struct issue *issue = &cx->issues.list[i];
        bool located = issue->path.n > 0;
        fprintf(stderr, "%s: %.*s%s%.*s%s\n",
                issue->severity == ISSUE_ERROR ? "error" : "warning", STR_ARG(issue->text),
                located ? " (" : "", STR_ARG(issue->path), located ? ")" : "");
    }
    return EXIT_FAULT;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    str folder = command_value(args, "--data");
    if (str_given(folder) && command_check_data(cx, folder, args->command->data))
        return command_fail(cx);
    if (args->command->noted && command_note(cx, args))
        return command_fail(cx);
    return args->command->run(cx, args);
}

/* What was said and never arrived is a fault, whatever the command thought of it. */
static int end_output(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "error: the output cannot be written%s%s; what was printed is not whole\n",
            errno ? ": " : "", errno ? strerror(errno) : "");
    return status == EXIT_DONE ? EXIT_FAULT : status;
}

static int dispatch(int argc, char **argv)
{
    str name = argc > 1 ? str_of(argv[1]) : S("--help");
    if (str_eq(name, S("--help")) || str_eq(name, S("help"))) {
        print_commands(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_DONE : EXIT_USAGE;
    }
    const struct command *command = find_command(name);
    if (!command) {
        fprintf(stderr, "frontline: there is no command %.*s\n\n", STR_ARG(name));
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (asks_help(argc, argv)) {
        print_help(command, stdout);
        return EXIT_DONE;
    }
    struct arena arena = arena_make(COMMAND_MEMORY_BYTES);
    struct random random;
    random_secret(&random, sizeof random);
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = clock_now_ms();
    cx.random = &random;
    struct command_args args = { .command = command };
    int status = parse(&cx, &args, argc, argv);
    if (status == EXIT_DONE)
        status = run(&cx, &args);
    ctx_release(&cx);
    arena_free(&arena);
    return status;
}

int command_main(int argc, char **argv)
{
    return end_output(dispatch(argc, argv));
}
