/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "main/command.h"
#include "main/read_file.h"

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--heads", "FILE", "verify: published heads, a line each, that the chain must agree with",
      false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static void print_head(struct ctx *cx, const struct audit_head *head, bool as_json)
{
    str hex = audit_head_hex(cx->arena, head);
    printf(as_json ? "{\"entries\":%lld,\"head\":\"%.*s\"}\n" : "%lld entries, head %.*s\n",
           (long long)head->n, STR_ARG(hex));
}

/* The chain by itself, and against what was published of it. */
static err prove(struct ctx *cx, struct db *db, const struct command_args *args,
                 struct audit_head *head)
{
    str file = command_value(args, "--heads"), text;
    size_t count;
    TRY(audit_verify(cx, db, head));
    if (!str_given(file))
        return ERR_OK;
    TRY(read_file(cx, file, &text));
    return audit_publish_check(cx, db, text, &count);
}

static err open_record(struct ctx *cx, const struct command_args *args, struct db **out)
{
    struct db_options options_of = {
        .path = arena_printf(cx->arena, "%.*s/record.db", STR_ARG(command_value(args, "--data"))),
        .read_only = true,
    };
    return db_open(cx, &options_of, out);
}

/* The first server that asks people to sign in makes the chain. */
static err look_for_chain(struct ctx *cx, struct db *db)
{
    static const struct stmt sql[] = { { "is there a chain",
        "SELECT 1 FROM sqlite_schema WHERE name = 'audit_block'", "SCAN sqlite_schema" }, { 0 } };
    struct db_stmt *stmt = db_use(cx, db, sql, 0);
    bool there;
    TRY(db_step(cx, stmt, &there));
    db_reset(stmt);
    return there ? ERR_OK
                 : ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                            S("this record has no audit chain: no server that asks people to sign "
                              "in has served it yet; if one has, the chain was removed"));
}

static int run(struct ctx *cx, const struct command_args *args)
{
    bool verify = args->words_count == 1 && str_eq(args->words[0], S("verify"));
    bool show_head = args->words_count == 1 && str_eq(args->words[0], S("head"));
    struct audit_head head;
    struct db *db;
    if (!verify && !show_head) {
        fprintf(stderr, "frontline audit: say verify or head\nTry: frontline audit --help\n");
        return EXIT_USAGE;
    }
    if (open_record(cx, args, &db) != ERR_OK)
        return command_fail(cx);
    err failed = look_for_chain(cx, db);
    if (!failed)
        failed = verify ? prove(cx, db, args, &head) : audit_head(cx, db, &head);
    db_close(db);
    if (failed)
        return command_fail(cx);
    print_head(cx, &head, command_has(args, "--json"));
    return EXIT_DONE;
}

extern const struct command cmd_audit;
const struct command cmd_audit = {
    .name = "audit",
    .words = "verify|head",
    .summary = "prove that the audit chain was not rewritten",
    .about = "verify walks the whole chain and names the first entry that does not follow from the "
             "one before; with --heads also what audit.publish_file collected: that alone shows a "
             "chain that was made anew or cut short. head prints how many entries there are and "
             "the hash of the last.",
    .options = options,
    .examples = "  frontline audit verify --data data\n"
                "  frontline audit verify --data data --heads /mnt/worm/heads\n"
                "  frontline audit head --data data --json >> /media/worm/heads\n",
    .data = COMMAND_DATA_RECORD,
    .run = run,
};
