/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include "main/command.h"
#include "main/views.h"
#include "store/store.h"

static bool wanted(const struct command_args *args, str name)
{
    for (size_t i = 0; i < args->words_count; i++)
        if (str_eq(args->words[i], name))
            return true;
    return args->words_count == 0;
}

static err check_names(struct ctx *cx, const struct command_args *args,
                       const struct view_tables *tables)
{
    for (size_t i = 0; i < args->words_count; i++) {
        size_t at = 0;
        while (at < view_tables_count(tables) &&
               !str_eq(args->words[i], view_tables_name(tables, at)))
            at++;
        if (at == view_tables_count(tables))
            return ctx_failf(cx, ERR_NOT_FOUND, S(""),
                             "no system keeps a view %.*s; without names all are rebuilt",
                             STR_ARG(args->words[i]));
    }
    return ERR_OK;
}

static void tell(struct ctx *cx, const struct command_args *args, const str *names, size_t count)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (size_t i = 0; i < count; i++)
        json_str(&w, names[i]);
    json_close(&w, ']');
    if (command_has(args, "--json"))
        printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static err rebuild(struct ctx *cx, const struct command_args *args, struct view_rebuild *how)
{
    struct view_tables *tables;
    TRY(view_tables_make(cx, view_files, &tables));
    TRY(check_names(cx, args, tables));
    str *done = arena_array(cx->arena, view_tables_count(tables), sizeof *done);
    size_t count = 0;
    for (size_t i = 0; i < view_tables_count(tables); i++) {
        str name = view_tables_name(tables, i);
        if (!wanted(args, name))
            continue;
        TRY(view_tables_rebuild(cx, tables, i, how));
        if (!command_has(args, "--json"))
            printf("rebuilt view_%.*s\n", STR_ARG(name));
        done[count++] = name;
    }
    tell(cx, args, done, count);
    return ERR_OK;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    int64_t shown_ms = 0;
    struct view_rebuild how = { .folder = command_value(args, "--data"), .progress = views_show,
                                .self = &shown_ms };
    struct store_options options = { .folder = how.folder, .read_only = true };
    if (store_open(cx, &options, &how.store))
        return command_fail(cx);
    err error = rebuild(cx, args, &how);
    ctx_release(cx);
    store_close(how.store);
    return error ? command_fail(cx) : EXIT_DONE;
}

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--json", NULL, "print the names as JSON", false, false },
    { 0 },
};

extern const struct command cmd_rebuild;
const struct command cmd_rebuild = {
    .name = "rebuild",
    .words = "[VIEW...]",
    .summary = "derive the systems' views again from the record",
    .about = "A new table is filled beside the old one, catches up with the log, and takes its "
             "place in one\ntransaction; a server may go on reading and writing meanwhile. Without "
             "names all views are rebuilt.",
    .options = options,
    .examples = "  frontline rebuild --data hospital\n"
                "  frontline rebuild --data hospital beds_stays\n",
    .data = COMMAND_DATA_RECORD,
    .run = run,
};
