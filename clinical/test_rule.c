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
    return rule_run(cx, rule_find(str_of(name)), words, count, out);
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

TEST(rule_results_by_name)
{
    static const struct { const char *rule, *line, *field, *value; } rows[] = {
        { "news2", WELL "temp=37 claimed=1", "consistent", "false" },
        { "news2", WELL "temp=37 claimed=0", "consistent", "true" },
        { "news2", WELL "temp=37 scale2=1", "spo2_scale", "2" },
        { "gcs", "eyes=4 verbal=NT motor=6", "total", "null" },
        { "gcs", "eyes=4 verbal=5 motor=6", "total", "15" },
        { "fluid", "intake=1000 output=1500 carried=-200", "cumulative_ml", "-700" },
        { "oliguria", "urine=150 hours=6 weight=70", "ml_per_kg_h", "0.36" },
        { "oliguria", "urine=209 hours=6 weight=70", "stage", "stage 1" },
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
    EXPECT_INT("bad gcs", run(cx, "gcs", "eyes=5 verbal=0 motor=x", &result), ERR_INVALID);
    EXPECT_INT("nhs number", run(cx, "nhsno", "number=9434765918", &result), ERR_INVALID);
}
