/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit.h"
#include "main/command.h"
#include <pwd.h>
#include <unistd.h>

enum { WHAT_BYTES_MAX = 64 << 10 };

/* "operator root (0)": who runs it, as the machine knows them. */
static str operator_of(struct ctx *cx)
{
    struct passwd *known = getpwuid(getuid());
    return arena_printf(cx->arena, "operator %s (%u)", known ? known->pw_name : "",
                        (unsigned)getuid());
}

static void add_word(struct buf *buf, str word)
{
    buf_char(buf, ' ');
    buf_add(buf, str_starts(word, S("fl_")) ? S("...") : word);
}

static str what_of(struct ctx *cx, const struct command_args *args)
{
    struct buf buf = buf_make(cx->arena, WHAT_BYTES_MAX);
    buf_printf(&buf, "frontline %s", args->command->name);
    for (size_t i = 0; i < args->words_count; i++)
        add_word(&buf, args->words[i]);
    for (size_t i = 0; i < args->given_count; i++) {
        const struct command_option *option = &args->command->options[args->given[i].option];
        if (strcmp(option->name, "--data") == 0)
            continue;
        add_word(&buf, str_of(option->name));
        if (option->value)
            add_word(&buf, args->given[i].value);
    }
    return buf_str(&buf);
}

static err append(struct ctx *cx, struct db *db, const struct audit_entry *entry)
{
    TRY(db_begin(cx, db, true));
    err wrong = db_exec(cx, db, audit_schema);
    if (wrong == ERR_OK)
        wrong = audit_append(cx, db, entry);
    if (wrong == ERR_OK)
        wrong = db_commit(cx, db);
    if (wrong)
        db_rollback(db);
    return wrong;
}

err command_note(struct ctx *cx, const struct command_args *args)
{
    str folder = command_value(args, "--data");
    struct db_options record = { .path = arena_printf(cx->arena, "%.*s/record.db",
                                                      STR_ARG(folder)) };
    struct audit_entry entry = { .at_ms = cx->now_ms, .who = operator_of(cx),
                                 .role = S("operator"), .act = AUDIT_OPERATION,
                                 .what = what_of(cx, args) };
    struct db *db;
    if (!str_given(folder) || access(record.path.p, F_OK) != 0)
        return ERR_OK;
    TRY(db_open(cx, &record, &db));
    err wrong = append(cx, db, &entry);
    db_close(db);
    if (!wrong)
        return ERR_OK;
    return ctx_fail(cx, wrong, (str){ 0 },
                    S("this is noted in the audit before it is done, and cannot be"));
}
