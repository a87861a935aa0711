/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/rule.h"
#include "clinical/decimal.h"
#include <assert.h>

extern const struct rule news2_rule, gcs_rule, fluid_rule, oliguria_rule, mews_rule, nhsno_rule;

enum { DIGITS_MAX = 64 }; /* after the point: a number too large is still a number */

/* Every rule, one line each. */
const struct rule *const rules[] = {
    &news2_rule, &gcs_rule, &fluid_rule, &oliguria_rule, &mews_rule, &nhsno_rule, NULL,
};

const struct rule *rule_find(str name)
{
    for (const struct rule *const *r = rules; *r; r++)
        if (str_eq(name, str_of((*r)->name)))
            return *r;
    return NULL;
}

static size_t find_input(const struct rule *rule, str name)
{
    for (size_t i = 0; rule->inputs[i].name; i++)
        if (str_eq(name, str_of(rule->inputs[i].name)))
            return i;
    return RULE_INPUTS_MAX;
}

static str bound(struct arena *arena, const struct rule_input *input, int64_t value)
{
    struct rule_field field = { .kind = RULE_FIELD_NUMBER, .number = value,
                                .decimals = input->decimals };
    return rule_field_text(arena, &field);
}

static err read_number(struct ctx *cx, const struct rule_input *input, str text, int64_t *out)
{
    int64_t value;
    if (!decimal_scaled(text, input->decimals, &value))
        return ctx_failf(cx, ERR_INVALID, str_of(input->name), "%s: \"%.*s\" is %s",
                         input->name, STR_ARG(text),
                         decimal_is_exact(text, DIGITS_MAX) ? "impossible" : "not a number");
    if (input->decimals == 0 && !decimal_is_exact(text, 0))
        return ctx_failf(cx, ERR_INVALID, str_of(input->name), "%s: %.*s is not a whole number",
                         input->name, STR_ARG(text));
    if (value < input->least || value > input->most) {
        str least = bound(cx->arena, input, input->least);
        str most = bound(cx->arena, input, input->most);
        return ctx_failf(cx, ERR_INVALID, str_of(input->name),
                         "%s: %.*s is impossible; it must be from %.*s to %.*s %s", input->name,
                         STR_ARG(text), STR_ARG(least), STR_ARG(most), input->unit);
    }
    *out = value;
    return ERR_OK;
}

static err read_flag(struct ctx *cx, const struct rule_input *input, str text, int64_t *out)
{
    if (text.n != 1 || (text.p[0] != '0' && text.p[0] != '1'))
        return ctx_failf(cx, ERR_INVALID, str_of(input->name), "%s: \"%.*s\" is not 1 or 0",
                         input->name, STR_ARG(text));
    *out = text.p[0] - '0';
    return ERR_OK;
}

static err read_value(struct ctx *cx, const struct rule_input *input, str text,
                      struct rule_arg *arg)
{
    arg->text = text;
    switch (input->kind) {
    case RULE_NUMBER: return read_number(cx, input, text, &arg->number);
    case RULE_FLAG: return read_flag(cx, input, text, &arg->number);
    case RULE_TABLE:
        return ctx_failf(cx, ERR_INVALID, str_of(input->name),
                         "%s: comes as a signed file, with --table and --key", input->name);
    case RULE_TEXT: break;
    }
    if (text.n > 0)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, str_of(input->name), "%s: nothing is given", input->name);
}

static err read_word(struct ctx *cx, const struct rule *rule, str word, struct rule_arg *args)
{
    str rest = word, name;
    size_t equals = str_find_char(word, '=');
    if (equals == STR_NONE || equals == 0)
        return ctx_failf(cx, ERR_INVALID, word, "\"%.*s\" is not name=value", STR_ARG(word));
    name = str_slice(word, 0, equals);
    rest = str_slice(word, equals + 1, word.n);
    size_t at = find_input(rule, name);
    if (at == RULE_INPUTS_MAX)
        return ctx_failf(cx, ERR_INVALID, name, "%.*s: %s takes no such input", STR_ARG(name),
                         rule->name);
    if (str_given(args[at].text))
        return ctx_failf(cx, ERR_INVALID, name, "%.*s: given twice", STR_ARG(name));
    return read_value(cx, &rule->inputs[at], rest, &args[at]);
}

err rule_read(struct ctx *cx, const struct rule *rule, const str *words, size_t count,
              struct rule_arg *args)
{
    err worst = ERR_OK;
    for (size_t i = 0; i < RULE_INPUTS_MAX; i++)
        args[i] = (struct rule_arg){ .number = RULE_MISSING };
    for (size_t i = 0; i < count; i++)
        if (read_word(cx, rule, words[i], args))
            worst = ERR_INVALID;
    for (size_t i = 0; rule->inputs[i].name; i++)
        if (!rule->inputs[i].optional && !str_given(args[i].text))
            worst = ctx_failf(cx, ERR_INVALID, str_of(rule->inputs[i].name),
                              "%s: missing (%s)", rule->inputs[i].name, rule->inputs[i].doc);
    return worst;
}

static err put_table(struct ctx *cx, const struct rule *rule, str table, struct rule_arg *args)
{
    for (size_t i = 0; rule->inputs[i].name; i++)
        if (rule->inputs[i].kind == RULE_TABLE) {
            args[i].text = table;
            return ERR_OK;
        }
    return ctx_failf(cx, ERR_INVALID, S("table"), "%s has its table built in", rule->name);
}

err rule_run(struct ctx *cx, const struct rule *rule, const str *words, size_t count, str table,
             struct rule_result *out)
{
    struct rule_arg args[RULE_INPUTS_MAX];
    TRY(rule_read(cx, rule, words, count, args));
    if (str_given(table))
        TRY(put_table(cx, rule, table, args));
    *out = (struct rule_result){ .count = 0 };
    return rule->run(cx, args, out);
}

static struct rule_field *add(struct rule_result *out, const char *group, const char *name)
{
    assert(out->count < RULE_FIELDS_MAX);
    struct rule_field *field = &out->fields[out->count++];
    *field = (struct rule_field){ .group = group, .name = name };
    return field;
}

void rule_put_number(struct rule_result *out, const char *group, const char *name, int64_t value)
{
    struct rule_field *field = add(out, group, name);
    field->kind = RULE_FIELD_NUMBER;
    field->number = value;
}

void rule_put_decimal(struct rule_result *out, const char *name, int64_t scaled, int decimals)
{
    struct rule_field *field = add(out, NULL, name);
    field->kind = RULE_FIELD_NUMBER;
    field->number = scaled;
    field->decimals = decimals;
}

void rule_put_bool(struct rule_result *out, const char *name, bool value)
{
    struct rule_field *field = add(out, NULL, name);
    field->kind = RULE_FIELD_BOOL;
    field->number = value;
}

void rule_put_text(struct rule_result *out, const char *name, str text)
{
    struct rule_field *field = add(out, NULL, name);
    field->kind = RULE_FIELD_TEXT;
    field->text = text;
}

void rule_put_null(struct rule_result *out, const char *group, const char *name)
{
    add(out, group, name);
}

str rule_field_text(struct arena *arena, const struct rule_field *field)
{
    switch (field->kind) {
    case RULE_FIELD_NULL: return S("null");
    case RULE_FIELD_BOOL: return field->number ? S("true") : S("false");
    case RULE_FIELD_TEXT: return field->text;
    case RULE_FIELD_NUMBER: break;
    }
    if (field->decimals == 0)
        return arena_printf(arena, "%lld", (long long)field->number);
    int64_t unit = 1;
    for (int i = 0; i < field->decimals; i++)
        unit *= 10;
    uint64_t size = field->number < 0 ? -(uint64_t)field->number : (uint64_t)field->number;
    return arena_printf(arena, "%s%llu.%0*llu", field->number < 0 ? "-" : "",
                        (unsigned long long)(size / (uint64_t)unit), field->decimals,
                        (unsigned long long)(size % (uint64_t)unit));
}
