/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"
#include "main/command.h"

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--json", NULL, "print as JSON, which a JWKS is: the same", false, false },
    { 0 },
};

static int run(struct ctx *cx, const struct command_args *args)
{
    str folder = command_value(args, "--data");
    struct jwt_keys *keys;
    bool rotates = args->words_count == 1 && str_eq(args->words[0], S("rotate"));
    if (!rotates && (args->words_count != 1 || !str_eq(args->words[0], S("list")))) {
        fprintf(stderr, "frontline keys: say list or rotate\nTry: frontline keys --help\n");
        return EXIT_USAGE;
    }
    if (rotates && jwt_rotate(cx, folder) != ERR_OK)
        return command_fail(cx);
    if (jwt_open(cx, folder, &keys) != ERR_OK)
        return command_fail(cx);
    printf("%.*s\n", STR_ARG(jwt_public(keys)));
    jwt_close(keys);
    return EXIT_DONE;
}

extern const struct command cmd_keys;
const struct command cmd_keys = {
    .name = "keys",
    .words = "list|rotate",
    .summary = "the keys our tokens are signed with",
    .about = "Prints their public parts, a JWKS, as /auth/jwks does. `rotate` makes a new one: a "
             "running server signs with it within a second,\nand the two before stay published, so "
             "what they signed still holds. Rotate once a month, and at once when keys.json\nmay "
             "have been read by others (then three times, which forgets them all).",
    .options = options,
    .examples = "  frontline keys list --data data\n  frontline keys rotate --data data\n",
    .run = run,
    .noted = true,
};
