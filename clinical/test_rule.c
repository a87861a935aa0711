/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE rule
#include "base/test.h"
#include "clinical/rule.h"

static err run(struct ctx *cx, const char *name, const char *line, struct rule_result *out)
{
    str words[RULE_INPUTS_MAX], rest = str_of(line);
    size_t count = 0;
    while (str_next(&rest, ' ', &words[count]))
        count++;
    return rule_run(cx, rule_find(str_of(name)), words, count, (str){ 0 }, out);
}

static str field(struct ctx *cx, const struct rule_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++)
        if (str_eq(str_of(result->fields[i].name), str_of(name)))
            return rule_field_text(cx->arena, &result->fields[i]);
    return S("absent");
}

static bool names_issue(struct ctx *cx, const char *path)
{
    for (size_t i = 0; i < cx->issues.kept; i++)
        if (str_eq(cx->issues.list[i].path, str_of(path)))
            return true;
    return false;
}

TEST(rule_register_is_complete)
{
    for (const struct rule *const *r = rules; *r; r++) {
        const char *name = (*r)->name;
        size_t count = 0;
        EXPECT(name, rule_find(str_of(name)) == *r);
        EXPECT(name, (*r)->title && (*r)->source && (*r)->table && (*r)->effective && (*r)->run);
        for (const struct rule_input *input = (*r)->inputs; input->name; input++, count++) {
            EXPECT(input->name, input->unit && input->doc);
            EXPECT(input->name, input->kind != RULE_NUMBER || input->least < input->most);
        }
        EXPECT(name, count > 0 && count <= RULE_INPUTS_MAX);
    }
    EXPECT("unknown", rule_find(S("news3")) == NULL);
}

#define WELL "resp=16 spo2=98 oxygen=0 systolic=120 pulse=72 alert=1 "

TEST(rule_news2_rounds_temperature_half_up)
{
    static const struct { const char *temp, *points; } rows[] = {
        { "temp=35.04", "3" }, { "temp=35.05", "1" }, { "temp=36.04", "1" }, { "temp=36.05", "0" },
        { "temp=38.04", "0" }, { "temp=38.05", "1" }, { "temp=39.04", "1" }, { "temp=39.05", "2" },
        { "temp=37", "0" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rule_result result = { 0 };
        str line = arena_printf(cx->arena, WELL "%s", rows[i].temp);
        EXPECT_INT(rows[i].temp, run(cx, "news2", arena_cstr(cx->arena, line), &result), ERR_OK);
        EXPECT_STR(rows[i].temp, field(cx, &result, "temp"), str_of(rows[i].points));
    }
}

TEST(rule_names_each_faulty_input)
{
    struct rule_result result;
    EXPECT_INT("refused", run(cx, "news2", "resp=21 spo2=193 oxygen=2 systolic=12O bulse=95 alert=1"
                              " alert=0 temp=98.6 word pulse=95.5", &result), ERR_INVALID);
    static const char *const named[] = { "spo2", "oxygen", "systolic", "bulse", "alert", "temp",
                                         "word", "pulse" };
    for (size_t i = 0; i < COUNT(named); i++)
        EXPECT(named[i], names_issue(cx, named[i]));
    EXPECT("resp is fine", !names_issue(cx, "resp"));
}

/* A line each rule answers; every input of it is then spoilt in turn. */
static const struct { const char *rule, *line; } sound[] = {
    { "news2", WELL "temp=37 scale2=0 age=70 pregnant=0 spinal=0 claimed=0" },
    { "gcs", "eyes=4 verbal=5 motor=6" },
    { "fluid", "intake=1000 output=1500 carried=-200" },
    { "oliguria", "urine=150 hours=6 weight=70" },
    { "nhsno", "number=9990000018" },
};

static bool is_spoilt_by_name(struct ctx *cx, const char *rule, str line, str word, str name)
{
    struct rule_result result;
    struct ctx inner = ctx_make(cx->arena);
    str words[RULE_INPUTS_MAX + 1], one;
    size_t count = 0;
    while (str_next(&line, ' ', &one))
        if (!(str_starts(one, name) && one.p[name.n] == '='))
            words[count++] = one;
    if (word.n)
        words[count++] = word;
    err error = rule_run(&inner, rule_find(str_of(rule)), words, count, (str){ 0 }, &result);
    return error == ERR_INVALID && inner.issues.count == 1 &&
           str_eq(inner.issues.list[0].path, name);
}

TEST(rule_names_the_one_input_that_is_odd)
{
    static const char *const odd[] = { "", "x", "1e9", "1e99", "99999999999999999999", "NaN",
                                       "-99999999", "1,5", "0x10", "+", "--1", "1 1" };
    for (size_t i = 0; i < COUNT(sound); i++) {
        const struct rule_input *input = rule_find(str_of(sound[i].rule))->inputs;
        for (; input->name; input++) {
            str name = str_of(input->name), line = str_of(sound[i].line);
            for (size_t k = 0; k < COUNT(odd); k++)
                EXPECT(odd[k], is_spoilt_by_name(cx, sound[i].rule, line,
                                                 arena_printf(cx->arena, "%s=%s", input->name,
                                                              odd[k]), name));
            if (!input->optional)
                EXPECT(input->name, is_spoilt_by_name(cx, sound[i].rule, line, S(""), name));
        }
    }
}

/* One step outside what can be measured is refused by name; the edge itself is taken. */
TEST(rule_takes_each_edge_and_refuses_one_step_beyond)
{
    for (size_t i = 0; i < COUNT(sound); i++) {
        const struct rule_input *input = rule_find(str_of(sound[i].rule))->inputs;
        for (; input->name; input++) {
            const int64_t at[] = { input->least - 1, input->least, input->most, input->most + 1 };
            for (size_t k = 0; k < COUNT(at) && input->kind == RULE_NUMBER; k++) {
                struct rule_field field = { .kind = RULE_FIELD_NUMBER, .number = at[k],
                                            .decimals = input->decimals };
                str word = arena_printf(cx->arena, "%s=%.*s", input->name,
                                        STR_ARG(rule_field_text(cx->arena, &field)));
                bool refused = is_spoilt_by_name(cx, sound[i].rule, str_of(sound[i].line), word,
                                                 str_of(input->name));
                EXPECT_INT(input->name, refused, k == 0 || k == COUNT(at) - 1);
            }
        }
    }
}

TEST(rule_results_by_name)
{
    static const struct { const char *rule, *line, *field, *value; } rows[] = {
        { "news2", WELL "temp=37 claimed=1", "consistent", "false" },
        { "news2", WELL "temp=37 claimed=0", "consistent", "true" },
        { "news2", WELL "temp=37 scale2=1", "spo2_scale", "2" },
        { "gcs", "eyes=4 verbal=NT motor=6", "total", "null" },
        { "gcs", "eyes=4 verbal=5 motor=6", "total", "15" },
        { "fluid", "intake=1000 output=1500 carried=-200", "cumulative_ml", "-700" },
        { "oliguria", "urine=150 hours=6 weight=70", "ml_per_kg_h", "0.357" },
        { "oliguria", "urine=209 hours=6 weight=70", "stage", "stage 1" },
        { "oliguria", "urine=209 hours=6 weight=70", "ml_per_kg_h", "0.497" },
        { "oliguria", "urine=210 hours=6 weight=70", "ml_per_kg_h", "0.500" },
        { "nhsno", "number=9990000018", "range", "test" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rule_result result = { 0 };
        EXPECT_INT(rows[i].line, run(cx, rows[i].rule, rows[i].line, &result), ERR_OK);
        EXPECT_STR(rows[i].line, field(cx, &result, rows[i].field), str_of(rows[i].value));
    }
}

TEST(rule_refuses_whom_it_is_not_for)
{
    struct rule_result result;
    EXPECT_INT("child", run(cx, "news2", WELL "temp=37 age=15", &result), ERR_RULE);
    EXPECT_INT("pregnant", run(cx, "news2", WELL "temp=37 pregnant=1", &result), ERR_RULE);
    EXPECT_INT("no table", run(cx, "mews", "resp=16", &result), ERR_RULE);
    EXPECT_INT("table as a word", run(cx, "mews", "resp=16 table=x", &result), ERR_INVALID);
    EXPECT_INT("table not asked for", rule_run(cx, rule_find(S("gcs")), NULL, 0, S("x"), &result),
               ERR_INVALID);
    EXPECT_INT("bad gcs", run(cx, "gcs", "eyes=5 verbal=0 motor=x", &result), ERR_INVALID);
    EXPECT_INT("nhs number", run(cx, "nhsno", "number=9434765918", &result), ERR_INVALID);
}
