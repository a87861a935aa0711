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
