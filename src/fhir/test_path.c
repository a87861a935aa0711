/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE path
#include "base/buf.h"
#include "base/test.h"
#include "fhir/def.h"
#include "fhir/path.h"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"name\":[{\"use\":\"official\","
    "\"family\":\"Chalmers\",\"given\":[\"Peter\",\"James\"]},{\"use\":\"usual\",\"given\":"
    "[null,\"Jim\"],\"_given\":[{\"extension\":[{\"url\":\"http://e\",\"valueCode\":\"x\"}]}]}],"
    "\"birthDate\":\"1974-12-25\",\"deceasedDateTime\":\"2020-01-01T10:00:00+01:00\","
    "\"generalPractitioner\":[{\"reference\":\"#g\"},{\"reference\":\"Organization/o1\"}],"
    "\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"g\",\"gender\":\"female\"}]}";

/* The results as text, comma between them; "error: " and the first issue otherwise. */
static str eval(struct ctx *cx, str expression, bool lenient, bool untyped)
{
    const struct path *path;
    struct path_result result;
    struct path_run run = { .lenient = lenient, .untyped = untyped };
    struct ctx inner = ctx_make(cx->arena);
    struct buf buf = buf_make(cx->arena, 1 << 20);
    inner.now_ms = cx->now_ms;
    cr_assert(json_parse(cx, S(patient), &run.input) == ERR_OK);
    err error = path_compile(&inner, expression, &path);
    if (!error && !lenient && !untyped)
        error = path_check(&inner, path, fhir_type_find(S("Patient")));
    if (!error)
        error = path_eval(&inner, path, &run, &result);
    if (error)
        return arena_printf(cx->arena, "error: %.*s", STR_ARG(inner.issues.list[0].text));
    for (size_t i = 0; i < result.count; i++) {
        str text = path_item_text(cx->arena, &result.items[i]);
        buf_add(&buf, i ? S(",") : S(""));
        buf_add(&buf, str_given(text) ? text : S("{}"));
    }
    return buf_str(&buf);
}

/* clang-format off */
static const struct { const char *expression, *out; } rows[] = {
    { "name.given", "Peter,James,{},Jim" },
    { "name.given.where($this.exists() and hasValue())", "Peter,James,Jim" },
    { "name[1].given[0].extension('http://e').value", "x" },
    { "deceased", "2020-01-01T10:00:00+01:00" },
    { "deceased is dateTime", "true" },
    { "generalPractitioner.resolve().gender", "female" },
    { "contained.where($this is Practitioner).id", "g" },
    { "%resource.id | %context.id | %rootResource.id", "p" },
    { "%vs-administrative-gender", "http://hl7.org/fhir/ValueSet/administrative-gender" },
    { "%\"ext-patient-birthTime\"", "http://hl7.org/fhir/StructureDefinition/patient-birthTime" },
    { "defineVariable('n', name.first()).select(%n.family)", "Chalmers" },
    { "name.first().defineVariable('f', family).select(%f)", "Chalmers" },
    { "(1 | 2).defineVariable('a', 3).select($this + %a)", "4,5" },
    { "'a\\u00e9\\ud83d\\ude00'.length()", "3" },
    { "@2024-02-29 + 1 year", "2025-02-28" },
    { "@2024-01-31 + 1 month", "2024-02-29" },
    { "@2014 + 24 months", "2016" },
    { "@T23:30 + 45 minutes", "00:15" },
    { "@2020-01-01T23:30:00Z - 1 day", "2019-12-31T23:30:00Z" },
    { "@2012-04-15T10:00:00Z < @2012-04-17T10:00:00", "true" },
    { "@2012-04-15T10:00:00Z < @2012-04-15T12:00:00", "" },
    { "37 'Cel' = 98.6 '[degF]'", "true" },
    { "1 year = 12 months", "true" },
    { "1 year = 1 'a'", "" },
    { "1 year ~ 1 'a'", "true" },
    { "1 'kg' + 1 'g'", "1.001 'kg'" },
    { "5 'mg' * 3", "15 'mg'" },
    { "1 'm' / 1 'cm'", "100 '1'" },
    { "5 'mg' < 1 's'", "" },
    { "2147483647 + 1", "" },
    { "7 div 2 = 3 and 7 mod -2 = 1", "true" },
    { "0.1 + 0.2 = 0.3", "true" },
    { "10 / 4", "2.5" },
    { "'abc'.substring(1, 1) & {} & 'z'", "bz" },
    { "'a,b,,c'.split(',').join('|')", "a|b||c" },
    { "'hello'.replaceMatches('(l+)', '[$1]')", "he[ll]o" },
    { "(3 | 1 | 2).sort()", "1,2,3" },
    { "(1|2|3).aggregate($total + $this, 0)", "6" },
    { "{}.coalesce(name.where(false), 'x')", "x" },
    { "name.all(given.exists())", "true" },
    { "name.given.type().name.distinct()", "string" },
    { "Patient.name.select(given.first() & ' ' & family)", "Peter Chalmers, " },
    { "name.given.count() = 4 implies false", "false" },
    { "iif(active, 'yes', 1/0)", "yes" },
    { "1 'mg'.toQuantity('g')", "0.001 'g'" },
    { "@2020-03-04T05:06:07.089+01:00.millisecondOf()", "89" },
    { "nam", "error: FHIRPath line 1, column 1: Patient has no element nam" },
    { "name\n.givn", "error: FHIRPath line 2, column 2: HumanName has no element givn" },
    { "name.given.lenght()", "error: FHIRPath line 1, column 12: there is no function lenght()" },
    { "name.single()", "error: FHIRPath line 1, column 6: single() works on one item, found 2" },
    { "%foo", "error: FHIRPath line 1, column 1: there is no variable %foo" },
    { "1 + 'a'",
      "error: FHIRPath line 1, column 3: this operator does not work on values of these types" },
    { "'a'.matches('(')",
      "error: FHIRPath line 1, column 5: this regular expression is wrong at character 2: missing "
      "closing parenthesis" },
    { "'abc", "error: FHIRPath line 1, column 1: this quote is not closed" },
    { "name.where(", "error: FHIRPath line 1, column 12: the expression ends too early" },
    { "@2020-13-01", "error: FHIRPath line 1, column 1: this is no date or time" },
    { "name.take('a')",
      "error: FHIRPath line 1, column 6: argument 1 of take() must be an Integer" },
};
/* clang-format on */

TEST(path_gives_what_the_specification_says)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].expression, eval(cx, str_of(rows[i].expression), false, false),
                   str_of(rows[i].out));
}

TEST(path_untyped_reads_any_json)
{
    EXPECT_STR("name", eval(cx, S("name.given"), false, true), S("Peter,James,Jim"));
    EXPECT_STR("choice", eval(cx, S("deceasedDateTime"), false, true),
               S("2020-01-01T10:00:00+01:00"));
    EXPECT_STR("type", eval(cx, S("active is Boolean"), false, true), S("true"));
    EXPECT_STR("unknown", eval(cx, S("nothing.here"), false, true), S(""));
}

TEST(path_lenient_follows_the_definitions_own_habits)
{
    EXPECT_STR("as", eval(cx, S("(name as HumanName).family"), true, false), S("Chalmers"));
    EXPECT_STR("resolve", eval(cx, S("generalPractitioner.where(resolve() is Organization)."
                                     "reference"), true, false), S("Organization/o1"));
}

/* Each must end in ERR_LIMIT or in a result, soon. */
TEST(path_no_expression_runs_without_limit)
{
    static const char *const hard[] = {
        "(1|2|3|4|5|6|7|8|9).select($this|10|11).repeat($this + 1)",
        "1.repeat($this + 1)",
        "'a'.repeatAll('a')",
        "(1|2|3|4|5|6|7|8).aggregate($total & 'aaaaaaaaaa' & $total & $total & $total, 'a')",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')",
        "%resource.descendants().descendants().descendants().descendants().descendants()",
        "name.repeat(%resource.name | name)",
        "10.power(1000000000)",
    };
    for (size_t i = 0; i < COUNT(hard); i++)
        eval(cx, str_of(hard[i]), false, false);
}

TEST(path_nesting_is_bounded)
{
    enum { DEEP = 5000 };
    char *text = arena_alloc(cx->arena, 3 * DEEP + 10);
    memset(text, '(', DEEP);
    EXPECT("parentheses", str_starts(eval(cx, (str){ text, DEEP }, false, false), S("error")));
    memset(text, '-', DEEP);
    EXPECT("signs", str_starts(eval(cx, (str){ text, DEEP }, false, false), S("error")));
    for (size_t i = 0; i < DEEP; i++)
        memcpy(text + 2 * i, "a.", 2);
    EXPECT("chain", str_starts(eval(cx, (str){ text, 2 * DEEP - 1 }, true, false), S("error")));
    for (size_t i = 0; i < DEEP; i++)
        memcpy(text + 2 * i, "1+", 2);
    EXPECT("sum", str_starts(eval(cx, (str){ text, 2 * DEEP - 1 }, true, false), S("error")));
}
