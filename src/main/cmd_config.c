/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include "main/command.h"
#include "main/config.h"

static str section_of(const struct config_key *key)
{
    str name = str_of(key->name);
    return str_slice(name, 0, str_find_char(name, '.'));
}

/* As a configuration file that sets everything to what it is anyway. */
static void print_ini(void)
{
    str section = { 0 };
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (!str_eq(section, section_of(key))) {
            printf("%s[%.*s]\n", section.n ? "\n" : "", STR_ARG(section_of(key)));
            section = section_of(key);
        }
        printf("; %s\n;%s = %s\n", key->doc, key->name + section.n + 1, key->fallback);
    }
}

static void print_markdown(void)
{
    printf("# Configuration\n\nMade by `frontline config --markdown`; do not edit.\n\n"
           "A file given by `--config FILE` has `[section]` lines and `key = value` lines; "
           "`--set section.key=value` wins over it. Sizes may end in K, M or G. An unknown key is "
           "refused.\n\n| key | default | what it does |\n|---|---|---|\n");
    for (const struct config_key *key = config_keys; key->name; key++)
        printf("| `%s` | %s | %s |\n", key->name, key->fallback[0] ? key->fallback : "(empty)",
               key->doc);
}

static void print_json(struct ctx *cx)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '[');
    for (const struct config_key *key = config_keys; key->name; key++) {
        json_open(&w, '{');
        json_put_str(&w, "key", str_of(key->name));
        json_put_str(&w, "default", str_of(key->fallback));
        json_put_str(&w, "doc", str_of(key->doc));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static int run(struct ctx *cx, const struct command_args *args)
{
    if (command_has(args, "--markdown"))
        print_markdown();
    else if (command_has(args, "--json"))
        print_json(cx);
    else
        print_ini();
    return EXIT_DONE;
}

static const struct command_option options[] = {
    { "--markdown", NULL, "as docs/reference/configuration.md", false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

extern const struct command cmd_config;
const struct command cmd_config = {
    .name = "config",
    .summary = "print every configuration key with its default",
    .options = options,
    .examples = "  frontline config > frontline.ini\n  frontline config --json\n",
    .run = run,
};
