/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE patch
#include "base/test.h"
#include "base/buf.h"
#include "json/patch.h"

static struct json parsed(struct ctx *cx, str text)
{
    struct json v = { 0 };
    cr_expect(json_parse(cx, text, &v) == ERR_OK, "%.*s", STR_ARG(text));
    return v;
}

/* Tables are easier to read with ' for ". */
static str quoted(struct ctx *cx, const char *text)
{
    char *copy = memcpy(arena_alloc(cx->arena, strlen(text) + 1), text, strlen(text) + 1);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return str_of(copy);
}

TEST(json_patch_follows_the_suite)
{
    str path = test_shared(cx, "testdata/patch/json-patch-tests.json");
    struct json cases = str_given(path) ? parsed(cx, test_read(cx, path)) : (struct json){ 0 };
    for (struct json_walk w = json_walk(cases); json_next(&w);) {
        str comment = json_string(cx->arena, json_get(w.value, S("comment")));
        const char *name = arena_cstr(cx->arena, comment);
        struct json expected = json_get(w.value, S("expected")), got = { 0 };
        struct json doc = json_get(w.value, S("doc")), patch = json_get(w.value, S("patch"));
        err error = json_patch(cx, doc, patch, &got);
        if (expected.doc)
            EXPECT(name, error == ERR_OK && json_same(got, expected, true));
        else
            EXPECT(name, error != ERR_OK && cx->issues.count > 0);
    }
}

TEST(json_patch_changes_only_what_it_names)
{
    /* clang-format off */
    static const struct { const char *name, *doc, *patch, *result; } rows[] = {
        { "numbers and order kept",
          "{'z':1.00,'a':{'n':1e2,'m':[0.10]},'b':'\\u00e9'}",
          "[{'op':'add','path':'/a/k','value':2.50}]",
          "{'z':1.00,'a':{'n':1e2,'m':[0.10],'k':2.50},'b':'\\u00e9'}" },
        { "replaced in its place", "{'a':1,'b':2}",
          "[{'op':'add','path':'/a','value':[]},{'op':'replace','path':'/b','value':3}]",
          "{'a':[],'b':3}" },
        { "whole document", "{'a':1}", "[{'op':'replace','path':'','value':[1]}]", "[1]" },
        { "empty key", "{'':1}", "[{'op':'replace','path':'/','value':2}]", "{'':2}" },
        { "key escaped in the result", "{}", "[{'op':'add','path':'/a\\'~1~0','value':2}]",
          "{'a\\'/~':2}" },
        { "copy is apart", "{'a':{'x':[1]}}",
          "[{'op':'replace','path':'/a/x/0','value':2},"
          "{'op':'copy','from':'/a','path':'/b'},"
          "{'op':'add','path':'/b/x/-','value':3}]",
          "{'a':{'x':[2]},'b':{'x':[2,3]}}" },
        { "copy into itself", "{'a':1}", "[{'op':'copy','from':'','path':'/b'}]",
          "{'a':1,'b':{'a':1}}" },
        { "move to where it is", "{'a':1}", "[{'op':'move','from':'/a','path':'/a'}]",
          "{'a':1}" },
        { "move beside a longer name", "{'a':1,'ab':{}}",
          "[{'op':'move','from':'/a','path':'/ab/c'}]", "{'ab':{'c':1}}" },
        { "move within an array", "[1,2,3,4]", "[{'op':'move','from':'/0','path':'/2'}]",
          "[2,3,1,4]" },
        { "test by value", "{'a':{'x':1.0,'y':['A']}}",
          "[{'op':'add','path':'/a/z','value':null},"
          "{'op':'test','path':'/a','value':{'z':null,'y':['\\u0041'],'x':1}}]",
          "{'a':{'x':1.0,'y':['A'],'z':null}}" },
        { "value null", "{}", "[{'op':'add','path':'/a','value':null}]", "{'a':null}" },
        { "nothing to do", "{ 'a' : 1 }", "[]", "{'a':1}" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json doc = parsed(cx, quoted(cx, rows[i].doc));
        struct json patch = parsed(cx, quoted(cx, rows[i].patch));
        struct json got = { 0 };
        EXPECT_INT(rows[i].name, json_patch(cx, doc, patch, &got), ERR_OK);
        EXPECT_STR(rows[i].name, json_text(got), quoted(cx, rows[i].result));
    }
}

TEST(json_patch_refuses_with_a_reason)
{
    /* clang-format off */
    static const struct { const char *patch; err error; const char *says; } rows[] = {
        { "{}", ERR_INVALID, "a JSON Patch must be an array of operations" },
        { "[1]", ERR_INVALID, "JSON Patch operation 1 must be an object" },
        { "[{'path':''}]", ERR_INVALID,
          "JSON Patch operation 1: 'op' must be given, as a string" },
        { "[{'op':'remove'}]", ERR_INVALID,
          "JSON Patch operation 1: 'path' must be given, as a string" },
        { "[{'op':'spam','path':'/a'}]", ERR_INVALID, "JSON Patch operation 1 (spam '/a'): "
          "the operation must be add, remove, replace, move, copy or test" },
        { "[{'op':'add','path':'/b'}]", ERR_INVALID,
          "JSON Patch operation 1 (add '/b'): 'value' must be given" },
        { "[{'op':'add','path':'b','value':1}]", ERR_INVALID,
          "JSON Patch operation 1 (add 'b'): "
          "a JSON pointer begins with a slash and has 0 or 1 after each tilde" },
        { "[{'op':'test','path':'/a/0','value':1},{'op':'remove','path':'/b'}]",
          ERR_RULE, "JSON Patch operation 2 (remove '/b'): there is nothing at this path" },
        { "[{'op':'replace','path':'/a/-','value':1}]", ERR_RULE,
          "JSON Patch operation 1 (replace '/a/-'): there is nothing at this path" },
        { "[{'op':'add','path':'/a/4','value':1}]", ERR_RULE,
          "JSON Patch operation 1 (add '/a/4'): the array has no such position" },
        { "[{'op':'add','path':'/a/01','value':1}]", ERR_RULE,
          "JSON Patch operation 1 (add '/a/01'): the array has no such position" },
        { "[{'op':'add','path':'/a/x','value':1}]", ERR_RULE,
          "JSON Patch operation 1 (add '/a/x'): the array has no such position" },
        { "[{'op':'add','path':'/a/0/b','value':1}]", ERR_RULE,
          "JSON Patch operation 1 (add '/a/0/b'): there is nothing on the way to this path" },
        { "[{'op':'remove','path':''}]", ERR_RULE,
          "JSON Patch operation 1 (remove ''): the whole document cannot be taken away" },
        { "[{'op':'move','from':'/a','path':'/a/0'}]", ERR_RULE,
          "JSON Patch operation 1 (move '/a/0'): a value cannot be moved into itself" },
        { "[{'op':'copy','path':'/b'}]", ERR_INVALID,
          "JSON Patch operation 1: 'from' must be given, as a string" },
        { "[{'op':'test','path':'/a','value':[1,3]}]", ERR_RULE,
          "JSON Patch operation 1 (test '/a'): the value is not the one tested for" },
    };
    /* clang-format on */
    struct json doc = parsed(cx, S("{\"a\":[1,2]}"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json got = { 0 };
        cx->issues = (struct issues){ .arena = cx->arena };
        struct json patch = parsed(cx, quoted(cx, rows[i].patch));
        EXPECT_INT(rows[i].patch, json_patch(cx, doc, patch, &got), rows[i].error);
        EXPECT_STR(rows[i].patch, cx->issues.list[0].text, quoted(cx, rows[i].says));
        EXPECT(rows[i].patch, got.doc == NULL);
    }
}

/* Copying a document into its own depth doubles it each time; moving joins what copies made. */
TEST(json_patch_that_grows_without_end_is_stopped)
{
    struct buf deep = buf_make(cx->arena, SIZE_MAX), path = deep, patch = deep;
    for (int i = 0; i < 300; i++) {
        buf_add(&deep, S("{\"a\":"));
        buf_add(&path, S("/a"));
    }
    buf_add(&deep, S("1"));
    for (int i = 0; i < 300; i++)
        buf_char(&deep, '}');
    buf_char(&patch, '[');
    for (int i = 0; i < 12; i++)
        buf_printf(&patch, "%s{\"op\":\"copy\",\"from\":\"\",\"path\":\"%.*s\"}", i ? "," : "",
                   STR_ARG(buf_str(&path)));
    buf_char(&patch, ']');
    struct json got = { 0 };
    struct json doc = parsed(cx, buf_str(&deep)), ops = parsed(cx, buf_str(&patch));
    EXPECT_INT("deep", json_patch(cx, doc, ops, &got), ERR_LIMIT);
}
