/* SPDX-License-Identifier: Apache-2.0 */
#include "main/command.h"

static int run(struct ctx *cx, const struct command_args *args)
{
    (void)cx;
    printf(command_has(args, "--json") ? "{\"name\":\"frontline\",\"version\":\"%s\"}\n"
                                       : "frontline %s\n", FRONTLINE_VERSION);
    return EXIT_DONE;
}

static const struct command_option options[] = {
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

extern const struct command cmd_version;
const struct command cmd_version = {
    .name = "version",
    .summary = "print the version",
    .options = options,
    .examples = "  frontline version\n  frontline version --json\n",
    .run = run,
};
