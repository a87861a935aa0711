/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/rule.h"
#include "json/write.h"
#include "main/command.h"
#include "main/signed.h"

enum { OUTPUT_BYTES_MAX = 8 << 20 };

/* Everything printed as JSON is built first: one write, whole or not at all. */
static struct json_writer json_out(struct ctx *cx)
{
    struct buf *buf = arena_zero(cx->arena, sizeof *buf);
    *buf = buf_make(cx->arena, OUTPUT_BYTES_MAX);
    return json_writer(buf);
}

static int print_out(const struct json_writer *w)
{
    str text = buf_str(w->buf);
    fwrite(text.p, 1, text.n, stdout);
    fputc('\n', stdout);
    return EXIT_DONE;
}

static void put(struct json_writer *w, const char *key, const char *text)
{
    if (text)
        json_put_str(w, key, str_of(text));
}

static void put_bound(struct ctx *cx, struct json_writer *w, const char *key,
                      const struct rule_input *input, int64_t value)
{
    struct rule_field bound = { .kind = RULE_FIELD_NUMBER, .number = value,
                                .decimals = input->decimals };
    json_put_raw(w, key, rule_field_text(cx->arena, &bound));
}

static void list_input_json(struct ctx *cx, struct json_writer *w, const struct rule_input *input)
{
    static const char *const kinds[] = { "number", "flag", "text", "table" };
    json_open(w, '{');
    put(w, "name", input->name);
    put(w, "kind", kinds[input->kind]);
    put(w, "unit", input->unit);
    if (input->kind == RULE_NUMBER) {
        put_bound(cx, w, "least", input, input->least);
        put_bound(cx, w, "most", input, input->most);
    }
    json_put_bool(w, "required", !input->optional);
    put(w, "doc", input->doc);
    json_close(w, '}');
}

static void list_rule_json(struct ctx *cx, struct json_writer *w, const struct rule *rule)
{
    json_open(w, '{');
    put(w, "name", rule->name);
    put(w, "title", rule->title);
    put(w, "source", rule->source);
    put(w, "table", rule->table);
    put(w, "effective", rule->effective);
    json_put_bool(w, "confirmed", !rule->unconfirmed);
    put(w, "caveat", rule->caveat);
    json_key(w, "inputs");
    json_open(w, '[');
    for (size_t i = 0; rule->inputs[i].name; i++)
        list_input_json(cx, w, &rule->inputs[i]);
    json_close(w, ']');
    json_close(w, '}');
}

static void list_rule(const struct rule *rule)
{
    printf("%s: %s\n  source  %s%s\n  table   %s, from %s\n", rule->name, rule->title,
           rule->source, rule->unconfirmed ? " (unconfirmed)" : "", rule->table, rule->effective);
    if (rule->caveat)
        printf("  note    %s\n", rule->caveat);
    for (size_t i = 0; rule->inputs[i].name; i++)
        printf("  %-10s %-8s %s%s\n", rule->inputs[i].name, rule->inputs[i].unit,
               rule->inputs[i].doc, rule->inputs[i].optional ? " (optional)" : "");
}

static int list_rules_json(struct ctx *cx)
{
    struct json_writer w = json_out(cx);
    json_open(&w, '{');
    json_key(&w, "rules");
    json_open(&w, '[');
    for (size_t i = 0; rules[i]; i++)
        list_rule_json(cx, &w, rules[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    return print_out(&w);
}

static int list_rules(void)
{
    for (size_t i = 0; rules[i]; i++) {
        printf("%s", i ? "\n" : "");
        list_rule(rules[i]);
    }
    return EXIT_DONE;
}

/* Fields of one group stand together, so that a change of group opens and closes its object. */
static int print_json(struct ctx *cx, const struct rule *rule, const struct rule_result *result)
{
    const char *group = NULL;
    struct json_writer w = json_out(cx);
    json_open(&w, '{');
    for (size_t i = 0; i < result->count; i++) {
        const struct rule_field *field = &result->fields[i];
        if (group && field->group != group)
            json_close(&w, '}');
        if (field->group && field->group != group) {
            json_key(&w, field->group);
            json_open(&w, '{');
        }
        group = field->group;
        str text = rule_field_text(cx->arena, field);
        json_key(&w, field->name);
        if (field->kind == RULE_FIELD_TEXT)
            json_str(&w, text);
        else
            json_raw(&w, text);
    }
    if (group)
        json_close(&w, '}');
    put(&w, "rule", rule->name);
    put(&w, "table", rule->table);
    put(&w, "source", rule->source);
    json_put_bool(&w, "confirmed", !rule->unconfirmed);
    json_close(&w, '}');
    return print_out(&w);
}

static int print_text(struct ctx *cx, const struct rule *rule, const struct rule_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct rule_field *field = &result->fields[i];
        printf("%s%s%s: %.*s\n", field->group ? field->group : "", field->group ? "." : "",
               field->name, STR_ARG(rule_field_text(cx->arena, field)));
    }
    printf("table: %s%s\nsource: %s\n", rule->table, rule->unconfirmed ? " (unconfirmed)" : "",
           rule->source);
    return EXIT_DONE;
}

/* Sentences go to standard error; with --json the same faults go to standard output by input. */
static int fail(struct ctx *cx, const struct rule *rule, bool as_json)
{
    struct json_writer w = json_out(cx);
    json_open(&w, '{');
    put(&w, "rule", rule->name);
    json_key(&w, "errors");
    json_open(&w, '[');
    for (size_t i = 0; i < cx->issues.kept; i++) {
        json_open(&w, '{');
        json_put_str(&w, "input", cx->issues.list[i].path);
        json_put_str(&w, "text", cx->issues.list[i].text);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    if (as_json)
        print_out(&w);
    return command_fail(cx);
}

static err read_table(struct ctx *cx, const struct command_args *args, str *out)
{
    str path = command_value(args, "--table");
    str signature = command_has(args, "--signature")
                        ? command_value(args, "--signature")
                        : arena_printf(cx->arena, "%.*s.sig", STR_ARG(path));
    if (!command_has(args, "--key"))
        return ctx_fail(cx, ERR_RULE, S("table"),
                        S("no key is given, so nobody has signed this table: --key FILE"));
    return signed_read(cx, path, signature, command_value(args, "--key"), out);
}

static int run(struct ctx *cx, const struct command_args *args)
{
    bool as_json = command_has(args, "--json");
    str table = { 0 };
    if (args->words_count == 0)
        return as_json ? list_rules_json(cx) : list_rules();
    const struct rule *rule = rule_find(args->words[0]);
    if (!rule) {
        fprintf(stderr, "frontline rule: there is no rule %.*s; \"frontline rule\" lists them\n",
                STR_ARG(args->words[0]));
        return EXIT_USAGE;
    }
    struct rule_result result;
    if ((command_has(args, "--table") && read_table(cx, args, &table)) ||
        rule_run(cx, rule, args->words + 1, args->words_count - 1, table, &result))
        return fail(cx, rule, as_json);
    return as_json ? print_json(cx, rule, &result) : print_text(cx, rule, &result);
}

static const struct command_option options[] = {
    { "--json", NULL, "print as JSON", false, false },
    { "--table", "FILE", "signed threshold table, for rules that have none built in", false,
      false },
    { "--signature", "FILE", "signature over the table (default: its name and .sig)", false,
      false },
    { "--key", "FILE", "public key of whoever may sign tables here (PEM)", false, false },
    { 0 },
};

extern const struct command cmd_rule;
const struct command cmd_rule = {
    .name = "rule",
    .words = "[RULE NAME=VALUE...]",
    .summary = "list the clinical rules, or apply one",
    .about = "Without words: every rule with its inputs, units, source and table version. With a "
             "rule's name\nand its inputs: the result. A missing, impossible or unknown input is "
             "named and nothing is scored.\n\n"
             "A rule without thresholds of its own scores by a table that its owner has signed:\n"
             "  openssl genpkey -algorithm ed25519 -out owner.key\n"
             "  openssl pkey -in owner.key -pubout -out owner.pem\n"
             "  openssl pkeyutl -sign -rawin -inkey owner.key -in mews.txt -out mews.txt.sig",
    .options = options,
    .examples = "  frontline rule\n"
                "  frontline rule news2 resp=21 spo2=93 oxygen=0 systolic=120 pulse=95 alert=1 "
                "temp=37.5 --json\n"
                "  frontline rule gcs eyes=4 verbal=NT motor=6\n"
                "  frontline rule oliguria urine=150 hours=6 weight=70\n"
                "  frontline rule mews resp=16 alert=1 --table mews.txt --key owner.pem\n"
                "  frontline rule nhsno number=\"943 476 5919\"\n",
    .run = run,
};
