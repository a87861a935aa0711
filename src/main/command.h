/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * command: the subcommands of the binary as tables, one file (cmd_NAME.c) each. From the tables come
 * parsing, --help, and the man page.
 *
 * Errors   exit codes: 0 done; 1 the work found or met a fault (printed on standard error);
 *          2 the command line was wrong.
 */
enum { EXIT_DONE = 0, EXIT_FAULT = 1, EXIT_USAGE = 2, COMMAND_OPTIONS_MAX = 16 };

struct command_option {
    const char *name;  /* "--data" */
    const char *value; /* "DIR"; NULL: a switch */
    const char *doc;
    bool required, repeats;
};
struct command_args {
    const struct command *command;
    struct { size_t option; str value; } *given; /* in the order given */
    size_t given_count;
    str *words;        /* what is not an option */
    size_t words_count;
};
enum command_data { /* what must be true of --data before the command runs */
    COMMAND_DATA_FOLDER, /* it is a folder we may read */
    COMMAND_DATA_RECORD, /* that, and a record is in it */
    COMMAND_DATA_MADE,   /* nothing: the command makes it, or looks itself */
};
struct command {
    const char *name, *words, *summary; /* words: "PATH..." or NULL when none are taken */
    const char *about;                  /* a paragraph for --help and the man page; may be NULL */
    const struct command_option *options; /* ended by a zero row; --help is always there */
    const char *examples;               /* lines */
    enum command_data data;
    int (*run)(struct ctx *cx, const struct command_args *args);
    bool noted;                         /* data go out or come in by it: audited here; accounts,
                                         * tokens and apps have deeds (auth/deed.h) */
};
extern const struct command *const commands[]; /* ended by NULL */

str command_value(const struct command_args *args, const char *option); /* last one; absent: not given */
bool command_has(const struct command_args *args, const char *option);
/* A whole number within bounds, or `fallback` when not given; prints and exits 2 when malformed. */
int64_t command_number(const struct command_args *args, const char *option, int64_t fallback,
                       int64_t least, int64_t most);

/*
 * command_note.c: an entry in the audit of the record in --data, by whom the machine knows them:
 * before the command runs, which does not run without; a restore after it. None where there is no
 * record yet, nor of what the command was not told of (a token's text is left out).
 */
err command_note(struct ctx *cx, const struct command_args *args) MUST_USE;
/* Goes on when there are `count` words; else prints how it is written, as in "list --data DIR", and
 * exits 2. */
void command_words(const struct command_args *args, size_t count, const char *how);
/* The folder is there, may be read and is what the command needs; the issue says which is not so. */
err command_check_data(struct ctx *cx, str folder, enum command_data need) MUST_USE;

/* Prints cx's issues on standard error, "error: text (path)", and returns EXIT_FAULT. */
int command_fail(struct ctx *cx);
int command_main(int argc, char **argv);
