/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit.h"
#include "main/command.h"
#include <sodium.h>

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

static void print_head(const struct audit_head *head, bool as_json)
{
    char hex[2 * AUDIT_HASH_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, head->hash, sizeof head->hash);
    printf(as_json ? "{\"entries\":%lld,\"head\":\"%s\"}\n" : "%lld entries, head %s\n",
           (long long)head->n, hex);
}

static err open_record(struct ctx *cx, const struct command_args *args, struct db **out)
{
    struct db_options options_of = {
        .path = arena_printf(cx->arena, "%.*s/record.db", STR_ARG(command_value(args, "--data"))),
        .read_only = true,
    };
    return db_open(cx, &options_of, out);
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
    err failed = verify ? audit_verify(cx, db, &head) : audit_head(cx, db, &head);
    db_close(db);
    if (failed)
        return command_fail(cx);
    print_head(&head, command_has(args, "--json"));
    return EXIT_DONE;
}

extern const struct command cmd_audit;
const struct command cmd_audit = {
    .name = "audit",
    .words = "verify|head",
    .summary = "prove that the audit chain was not rewritten",
    .about = "verify walks the whole chain and names the first entry that does not follow from the "
             "one before. head prints how many entries there are and the hash of the last: kept "
             "elsewhere, it shows later that nothing before it was changed or cut off.",
    .options = options,
    .examples = "  frontline audit verify --data data\n"
                "  frontline audit head --data data --json >> /media/worm/heads\n",
    .run = run,
};
