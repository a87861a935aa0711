/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE view
#include "base/test.h"
#include "view/view.h"

/* Single quotes stand for double ones in these texts. */
static struct json of(struct ctx *cx, const char *text)
{
    struct json value;
    char *copy = arena_alloc(cx->arena, strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p == '`' ? '\'' : *p;
    cr_assert(json_parse(cx, str_of(copy), &value) == ERR_OK, "%s", text);
    return value;
}

/* The rows as NDJSON, or "error: " and the first issue. */
static str rows_of(struct ctx *cx, const char *definition, const char *resource)
{
    const struct view *view;
    struct view_rows rows;
    struct ctx inner = ctx_make(cx->arena);
    struct buf buf = buf_make(cx->arena, 1 << 20);
    bool first = true;
    err error = view_compile(&inner, of(cx, definition), &view);
    if (!error)
        error = view_run(&inner, view, of(cx, resource), &rows);
    if (error)
        return arena_printf(cx->arena, "error: %.*s (%.*s)", STR_ARG(inner.issues.list[0].text),
                            STR_ARG(inner.issues.list[0].path));
    view_write_rows(&buf, view, VIEW_NDJSON, &rows, &first);
    return buf_str(&buf);
}

static const char answers[] =
    "{'resourceType':'QuestionnaireResponse','id':'q','item':["
    "{'linkId':'1','item':[{'linkId':'1.1','answer':[{'valueString':'a',"
    "'item':[{'linkId':'1.1.1'}]}]},{'linkId':'1.2'}]},{'linkId':'2'}]}";
static const char patient[] =
    "{'resourceType':'Patient','id':'p','name':[{'family':'F1','given':['G1','G2']},"
    "{'family':'F2'}],'link':[{'other':{'reference':'Patient/p'}}],'birthDate':'1970-06'}";

/* clang-format off */
static const struct { const char *name, *view, *resource, *rows; } good[] = {
    { "repeat goes depth first",
      "{'resource':'QuestionnaireResponse','select':[{'repeat':['item'],'column':["
      "{'name':'id','path':'linkId'},{'name':'n','path':'%rowIndex'}]}]}", answers,
      "{'id':'1','n':0}\n{'id':'1.1','n':1}\n{'id':'1.2','n':2}\n{'id':'2','n':3}\n" },
    { "repeat follows every path",
      "{'resource':'QuestionnaireResponse','select':[{'repeat':['item','answer.item'],'column':["
      "{'name':'id','path':'linkId'}]}]}", answers,
      "{'id':'1'}\n{'id':'1.1'}\n{'id':'1.1.1'}\n{'id':'1.2'}\n{'id':'2'}\n" },
    { "repeat within forEach, and a union under it",
      "{'resource':'QuestionnaireResponse','select':[{'forEach':'item','column':[{'name':'o',"
      "'path':'linkId'}],'select':[{'repeat':['item','answer.item'],'unionAll':[{'column':["
      "{'name':'x','path':'linkId'}]},{'forEach':'answer','column':[{'name':'x','path':"
      "'value.ofType(string)'}]}]}]}]}", answers,
      "{'o':'1','x':'1.1'}\n{'o':'1','x':'a'}\n{'o':'1','x':'1.1.1'}\n{'o':'1','x':'1.2'}\n" },
    { "unions nest, in order",
      "{'resource':'Patient','select':[{'column':[{'name':'id','path':'id'}],'unionAll':["
      "{'column':[{'name':'x','path':'birthDate'}]},{'unionAll':[{'forEach':'name','column':["
      "{'name':'x','path':'family'}]},{'forEachOrNull':'telecom','column':[{'name':'x','path':"
      "'value'}]}]}]}]}", patient,
      "{'id':'p','x':'1970-06'}\n{'id':'p','x':'F1'}\n{'id':'p','x':'F2'}\n"
      "{'id':'p','x':null}\n" },
    { "keys join, by type where it is given",
      "{'resource':'Patient','select':[{'forEach':'link','column':[{'name':'a','path':"
      "'other.getReferenceKey()'},{'name':'b','path':'other.getReferenceKey(Patient)'},"
      "{'name':'c','path':'other.getReferenceKey(Group)'},{'name':'d','path':"
      "'%resource.getResourceKey() = other.getReferenceKey()'}]}]}", patient,
      "{'a':'p','b':'p','c':null,'d':true}\n" },
    { "rowIndex counts the innermost loop",
      "{'resource':'Patient','select':[{'column':[{'name':'r','path':'%rowIndex'}]},"
      "{'forEach':'name','column':[{'name':'i','path':'%rowIndex'}],"
      "'select':[{'forEachOrNull':'given','column':[{'name':'k','path':'%rowIndex'},"
      "{'name':'g','path':'$this'}]}]}]}", patient,
      "{'r':0,'i':0,'k':0,'g':'G1'}\n{'r':0,'i':0,'k':1,'g':'G2'}\n"
      "{'r':0,'i':1,'k':0,'g':null}\n" },
    { "keys of resource and reference agree",
      "{'resource':'Patient','select':[{'column':["
      "{'name':'a','path':'link.other.getReferenceKey() = getResourceKey()'},"
      "{'name':'b','path':'link.other.getReferenceKey(Patient) = getResourceKey()'},"
      "{'name':'c','path':'link.other.getReferenceKey(Observation) = getResourceKey()'}]}]}",
      patient, "{'a':true,'b':true,'c':null}\n" },
    { "a branch of a union keeps its own collection flags",
      "{'resource':'Patient','select':[{'unionAll':[{'forEach':'name','column':["
      "{'name':'g','path':'given','collection':true}]},{'column':[{'name':'g','path':'name.family',"
      "'collection':true}]}]},{'column':[{'name':'id','path':'id'}]}]}", patient,
      "{'g':['G1','G2'],'id':'p'}\n{'g':[],'id':'p'}\n{'g':['F1','F2'],'id':'p'}\n" },
    { "constants are typed",
      "{'resource':'Patient','constant':[{'name':'d','valueDate':'1970-06'},{'name':'n',"
      "'valueDecimal':1.50}],'select':[{'column':[{'name':'same','path':'birthDate = %d'},"
      "{'name':'sum','path':'%n + 1'}]}]}", patient, "{'same':true,'sum':2.50}\n" },
    { "a type by System's spelling is FHIR's primitive too",
      "{'resource':'Patient','select':[{'column':[{'name':'a','path':'deceased.ofType(Boolean)'},"
      "{'name':'b','path':'deceased.ofType(boolean)'},"
      "{'name':'c','path':'deceased.ofType(DateTime)'}]}]}",
      "{'resourceType':'Patient','deceasedBoolean':true}", "{'a':true,'b':true,'c':null}\n" },
    { "another type gives no rows",
      "{'resource':'Observation','select':[{'column':[{'name':'id','path':'id'}]}]}", patient, "" },
};
static const struct { const char *name, *view, *error; } bad[] = {
    { "two columns of one name",
      "{'resource':'Patient','select':[{'column':[{'name':'a','path':'id'},"
      "{'name':'a','path':'id'}]}]}", "two columns are named a (select)" },
    { "a name that is no SQL name",
      "{'resource':'Patient','select':[{'column':[{'name':'1a','path':'id'}]}]}",
      "a column needs a name of letters, digits and _ (select[0].column[0])" },
    { "no path",
      "{'resource':'Patient','select':[{'column':[{'name':'a'}]}]}",
      "a FHIRPath expression in quotes is needed here (select[0].column[0].path)" },
    { "bad path",
      "{'resource':'Patient','select':[{'column':[{'name':'a','path':'id +'}]}]}",
      "FHIRPath line 1, column 5: the expression ends too early (select[0].column[0].path)" },
    { "unknown constant",
      "{'resource':'Patient','select':[{'forEach':'name.where(use = %x)','column':[{'name':'a',"
      "'path':'family'}]}]}",
      "FHIRPath line 1, column 18: there is no constant or variable %x (select[0].forEach)" },
    { "unknown type, also without a resource to try it on",
      "{'resource':'Observation','select':[{'forEach':'component','column':[{'name':'a','path':"
      "'value.ofType(Quantty).value'}]}]}",
      "FHIRPath line 1, column 7: there is no type Quantty (select[0].column[0].path)" },
    { "an argument that is no type",
      "{'resource':'Observation','select':[{'column':[{'name':'a','path':'value.ofType(42)'}]}]}",
      "FHIRPath line 1, column 14: a type name is expected here (select[0].column[0].path)" },
    { "two ways to loop",
      "{'resource':'Patient','select':[{'forEach':'name','repeat':['link'],'column':[{'name':'a',"
      "'path':'id'}]}]}", "forEach, forEachOrNull and repeat exclude one another (select[0])" },
    { "many values",
      "{'resource':'Patient','select':[{'column':[{'name':'a','path':'name.family'}]}]}",
      "column a has 2 values in one row: set \"collection\": true, or take one, as with first() "
      "(a)" },
    { "where is no Boolean",
      "{'resource':'Patient','select':[{'column':[{'name':'a','path':'id'}]}],"
      "'where':[{'path':'birthDate'}]}", "where[0] must give one Boolean, or nothing (where)" },
    { "no such type", "{'resource':'Ward','select':[{'column':[{'name':'a','path':'id'}]}]}",
      "a view needs the resource type it reads, such as Patient (resource)" },
    { "no select", "{'resource':'Patient'}", "a view needs at least one select (select)" },
};
/* clang-format on */

TEST(view_gives_the_rows_of_the_definition)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        char *expected = arena_alloc(cx->arena, strlen(good[i].rows) + 1);
        memcpy(expected, good[i].rows, strlen(good[i].rows) + 1);
        for (char *p = expected; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        EXPECT_STR(good[i].name, rows_of(cx, good[i].view, good[i].resource), str_of(expected));
    }
}

/* Every type a constant may have (SQL on FHIR v2, ViewDefinition.constant.value[x]). */
TEST(view_takes_constants_of_every_type)
{
    static const struct { const char *constant, *value; } rows[] = {
        { "'valueBase64Binary':'aGVsbG8='", "'aGVsbG8='" }, { "'valueBoolean':false", "false" },
        { "'valueCanonical':'http://x|1'", "'http://x|1'" }, { "'valueCode':'male'", "'male'" },
        { "'valueDate':'1978-03-12'", "'1978-03-12'" },
        { "'valueDateTime':'2020-01-01T10:00:00Z'", "'2020-01-01T10:00:00Z'" },
        { "'valueDecimal':1.20", "1.20" }, { "'valueId':'abc'", "'abc'" },
        { "'valueInstant':'2015-02-07T13:28:17.239+02:00'", "'2015-02-07T13:28:17.239+02:00'" },
        { "'valueInteger':-3", "-3" }, { "'valueInteger64':'9007199254740993'",
                                         "9007199254740993" },
        { "'valueInteger64':7", "7" }, { "'valueOid':'urn:oid:1.2.3'", "'urn:oid:1.2.3'" },
        { "'valueString':'x'", "'x'" }, { "'valuePositiveInt':1", "1" },
        { "'valueTime':'10:00:00'", "'10:00:00'" }, { "'valueUnsignedInt':0", "0" },
        { "'valueUri':'urn:a'", "'urn:a'" }, { "'valueUrl':'http://a'", "'http://a'" },
        { "'valueUuid':'urn:uuid:x'", "'urn:uuid:x'" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str view = arena_printf(cx->arena, "{'resource':'Patient','constant':[{'name':'c',%s}],"
                                "'select':[{'column':[{'name':'c','path':'%%c'}]}],"
                                "'where':[{'path':'%%c = %%c'}]}", rows[i].constant);
        str line = arena_printf(cx->arena, "{'c':%s}\n", rows[i].value);
        char *expected = arena_alloc(cx->arena, line.n + 1);
        memcpy(expected, line.p, line.n + 1);
        for (char *p = expected; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        EXPECT_STR(rows[i].constant, rows_of(cx, view.p, patient), str_of(expected));
    }
    EXPECT("no type", str_starts(rows_of(cx, "{'resource':'Patient','constant':[{'name':'c',"
                                         "'valueInteger64':'x'}],'select':[{'column':[{'name':'c',"
                                         "'path':'%c'}]}]}", patient), S("error: a constant's")));
}

TEST(view_says_what_is_wrong_and_where)
{
    for (size_t i = 0; i < COUNT(bad); i++)
        EXPECT_STR(bad[i].name, rows_of(cx, bad[i].view, patient),
                   arena_printf(cx->arena, "error: %s", bad[i].error));
}

TEST(view_writes_csv_that_can_be_read_back)
{
    const struct view *view;
    struct view_rows rows;
    bool first = true;
    struct buf buf = buf_make(cx->arena, 1000);
    cr_assert(view_compile(cx, of(cx, "{'resource':'Patient','select':[{'column':["
                                      "{'name':'a','path':'id'},{'name':'b','path':'name.text'},"
                                      "{'name':'c','path':'gender'}]}]}"), &view) == ERR_OK);
    cr_assert(view_run(cx, view, of(cx, "{'resourceType':'Patient','id':'p','name':[{'text':"
                                        "'x, y'}]}"), &rows) == ERR_OK);
    view_write_head(&buf, view, VIEW_CSV);
    view_write_rows(&buf, view, VIEW_CSV, &rows, &first);
    EXPECT_STR("csv", buf_str(&buf), S("a,b,c\r\np,\"x, y\",\r\n"));
}
