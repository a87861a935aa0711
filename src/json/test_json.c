/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE json
#include "base/test.h"
#include "json/scan.h"
#include "json/write.h"

static struct json parsed(struct ctx *cx, const char *row, str text)
{
    struct json v = { 0 };
    if (json_parse(cx, text, &v))
        cr_expect(false, "%s: %.*s", row, STR_ARG(cx->issues.list[0].text));
    return v;
}

static str minified(struct ctx *cx, struct json v)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    json_minify(&buf, v);
    return buf_str(&buf);
}

static str prettied(struct ctx *cx, struct json v)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    json_pretty(&buf, v);
    return buf_str(&buf);
}

static str repeated(struct ctx *cx, str what, size_t times, str then)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    for (size_t i = 0; i < times; i++)
        buf_add(&buf, what);
    buf_add(&buf, then);
    return buf_str(&buf);
}

TEST(json_parse_says_where_and_what)
{
    /* clang-format off */
    static const struct { const char *name, *text; int line, column; const char *says; } rows[] = {
        { "blank",           " \n ", 2, 2, "the text ends where a value is expected" },
        { "bom",             "\xEF\xBB\xBF{}",        1, 1,
          "begins with a byte-order mark, which JSON must not" },
        { "trailing",        "{} x",                  1, 4, "more text after the value" },
        { "comma",           "[1,]",                  1, 4, "expected a value" },
        { "no comma",        "[1 2]",                 1, 4, "expected ',' or ']' in an array" },
        { "colon",           "{\"a\" 1}",             1, 6, "expected ':' after a key" },
        { "bare key",        "{a:1}",                 1, 2, "expected a key in quotes" },
        { "open",            "{\"a\":1",              1, 7, "expected ',' or '}' in an object" },
        { "twice",           "{\"a\":1,\n \"a\":2}",  2, 3, "the key \"a\" is there twice" },
        { "twice, escaped",  "{\"a\":1,\"\\u0061\":2}", 1, 9,
          "the key \"\\u0061\" is there twice" },
        { "twice, \xC3\xA9", "{\"\xC3\xA9\":1,\"\\u00e9\":2}", 1, 9,
          "the key \"\\u00e9\" is there twice" },
        { "both escaped",    "{\"\\u0061b\":1,\"a\\u0062\":2}", 1, 15,
          "the key \"a\\u0062\" is there twice" },
        { "control",         "\"a\tb\"", 1, 3, "a control character in a string must be escaped" },
        { "utf-8 columns",   "[\"\xC3\xA9\xC3\xA9\",x]", 1, 7, "expected a value" },
        { "bad utf-8",       "\"\xC3(\"",             1, 2, "not valid UTF-8" },
        { "overlong",        "\"\xC0\xAF\"",          1, 2, "not valid UTF-8" },
        { "utf-8 surrogate", "\"\xED\xA0\x80\"",      1, 2, "not valid UTF-8" },
        { "past U+10FFFF",   "\"\xF4\x90\x80\x80\"",  1, 2, "not valid UTF-8" },
        { "high alone",      "\"\\ud800\"", 1, 2, "a high surrogate without the low one after it" },
        { "high, not low", "\"\\ud800\\u0041\"", 1, 2,
          "a high surrogate without the low one after it" },
        { "low alone", "\"\\udc00\"", 1, 2, "a low surrogate without the high one before it" },
        { "escape",          "\"\\x\"",               1, 2, "an escape that JSON does not have" },
        { "short escape",    "\"\\u12\"",             1, 2, "\\u needs four hexadecimal digits" },
        { "leading zero",    "01",                    1, 2, "a number must not begin with 0" },
        { "point",           "1.", 1, 3, "expected a digit after the decimal point" },
        { "exponent",        "1e+",                   1, 4, "expected a digit in the exponent" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json v = { 0 };
        cx->issues = (struct issues){ .arena = cx->arena };
        EXPECT_INT(rows[i].name, json_parse(cx, str_of(rows[i].text), &v), ERR_INVALID);
        EXPECT("nothing out", v.doc == NULL);
        str says = arena_printf(cx->arena, "JSON line %d, column %d: %s", rows[i].line,
                                rows[i].column, rows[i].says);
        EXPECT_STR(rows[i].name, cx->issues.list[0].text, says);
    }
}

TEST(json_depth_stops_at_its_limit)
{
    struct json v;
    str open = repeated(cx, S("["), JSON_DEPTH_MAX, S(""));
    str close = repeated(cx, S("]"), JSON_DEPTH_MAX, S(""));
    str most = arena_printf(cx->arena, "%.*s%.*s", STR_ARG(open), STR_ARG(close));
    EXPECT_INT("at the limit", json_parse(cx, most, &v), ERR_OK);
    EXPECT_STR("and back", minified(cx, v), most);
    EXPECT_INT("past it", json_parse(cx, arena_printf(cx->arena, "[%.*s]", STR_ARG(most)), &v),
               ERR_LIMIT);
    str hostile = repeated(cx, S("{\"a\":["), 1000000, S(""));
    EXPECT_INT("a million", json_parse(cx, hostile, &v), ERR_LIMIT);
}

static str many_keys(struct ctx *cx, size_t count, const char *last)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    buf_char(&buf, '{');
    for (size_t i = 0; i < count; i++)
        buf_printf(&buf, "\"k%zu\":%zu,", i, i);
    buf_printf(&buf, "\"%s\":0}", last);
    return buf_str(&buf);
}

TEST(json_finds_a_repeated_key_among_many_at_once)
{
    struct json v;
    EXPECT_INT("30", json_parse(cx, many_keys(cx, 30, "k7"), &v), ERR_INVALID);
    EXPECT_INT("33", json_parse(cx, many_keys(cx, 32, "k31"), &v), ERR_INVALID);
    EXPECT_INT("200,000", json_parse(cx, many_keys(cx, 200000, "k\\u0037"), &v), ERR_INVALID);
    str text = many_keys(cx, 200000, "other");
    EXPECT_INT("none", json_parse(cx, text, &v), ERR_OK);
    EXPECT_INT("count", json_count(v), 200001);
    EXPECT_STR("get", json_text(json_get(v, S("k199999"))), S("199999"));
}

TEST(json_cursor_reads_what_is_there_and_nothing_else)
{
    str text = S("{\"a\":[1,{\"b\":null},\"x\\ny\"],\"c\\u0064\":true,\"e\":{},\"f\":-1.50e3}");
    struct json v = parsed(cx, "all", text), a = json_get(v, S("a"));
    EXPECT_INT("members", json_count(v), 4);
    EXPECT_INT("items", json_count(a), 3);
    EXPECT_STR("number", json_text(json_at(a, 0)), S("1"));
    EXPECT("null", json_is(json_get(json_at(a, 1), S("b")), JSON_NULL));
    EXPECT_STR("escaped", json_string(cx->arena, json_at(a, 2)), S("x\ny"));
    EXPECT_STR("as received", json_text(json_at(a, 2)), S("\"x\\ny\""));
    EXPECT("is", json_string_is(json_at(a, 2), S("x\ny")));
    EXPECT("is not, longer", !json_string_is(json_at(a, 2), S("x\nyz")));
    EXPECT("is not, shorter", !json_string_is(json_at(a, 2), S("x\n")));
    EXPECT("escaped key", json_is(json_get(v, S("cd")), JSON_TRUE));
    EXPECT_STR("true as text", json_string(cx->arena, json_get(v, S("cd"))), S("true"));
    EXPECT_STR("empty object", json_text(json_get(v, S("e"))), S("{}"));
    EXPECT_STR("number text", json_string(cx->arena, json_get(v, S("f"))), S("-1.50e3"));
    EXPECT("past the end", json_is(json_at(a, 3), JSON_ABSENT));
    EXPECT("absent key", json_is(json_get(v, S("zz")), JSON_ABSENT));
    EXPECT("of absent", json_is(json_get(json_at(json_get(v, S("q")), 9), S("r")), JSON_ABSENT));
    EXPECT("no string", !str_given(json_string(cx->arena, a)));
    EXPECT_INT("of a number", json_count(json_at(a, 0)), 0);
}

TEST(json_string_resolves_every_escape)
{
    struct json v = parsed(cx, "all",
                           S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\\u0000\""));
    str expected = S("\"\\/\b\f\n\r\t\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0");
    EXPECT_STR("all", json_string(cx->arena, v), expected);
    EXPECT("all", json_string_is(v, expected));
}

TEST(json_same_compares_by_meaning)
{
    /* clang-format off */
    static const struct { const char *name, *a, *b; bool same, exact; } rows[] = {
        { "order of members",    "{\"a\":1,\"b\":[2]}", " {\"b\":[2 ],\"a\":1} ", true, true },
        { "order of items",      "[1,2]", "[2,1]", false, false },
        { "fewer members",       "{\"a\":1}", "{\"a\":1,\"b\":2}", false, false },
        { "other key",           "{\"a\":1}", "{\"b\":1}", false, false },
        { "fewer items",         "[1]", "[1,1]", false, false },
        { "escapes",             "\"\\u0041\\/\"", "\"A/\"", true, true },
        { "escapes on both",     "\"\\u0041\\u00e9x\"", "\"A\xC3\xA9\\u0078\"", true, true },
        { "keys escaped",        "{\"\\u0061\":1}", "{\"a\":1}", true, true },
        { "kinds",               "1", "\"1\"", false, false },
        { "null and false",      "null", "false", false, false },
        { "scale",               "1.0", "1.00", true, false },
        { "whole",               "100", "1e2", true, false },
        { "shifted",             "0.0012", "12.00E-4", true, false },
        { "zero",                "0", "-0.00e7", true, false },
        { "sign",                "1", "-1", false, false },
        { "tenfold",             "1", "10", false, false },
        { "digits",              "1.05", "1.5", false, false },
        { "inner zeros",         "100.001", "100001e-3", true, false },
        { "prefix",              "12", "123", false, false },
        { "huge exponents", "1e99999999999999999999", "1e-99999999999999999999", false, false },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json a = parsed(cx, rows[i].name, str_of(rows[i].a));
        struct json b = parsed(cx, rows[i].name, str_of(rows[i].b));
        EXPECT_INT(rows[i].name, json_same(a, b, false), rows[i].same);
        EXPECT_INT(rows[i].name, json_same(b, a, false), rows[i].same);
        EXPECT_INT(rows[i].name, json_same(a, b, true), rows[i].exact);
    }
}

TEST(json_same_of_large_objects_in_any_order_is_quick)
{
    struct buf up = buf_make(cx->arena, SIZE_MAX), down = up;
    for (int i = 0; i < 100000; i++) {
        buf_printf(&up, "%c\"k%d\":[%d]", i ? ',' : '{', i, i);
        buf_printf(&down, "%c\"k%d\":[%d]", i ? ',' : '{', 99999 - i, 99999 - i);
    }
    buf_char(&up, '}');
    buf_char(&down, '}');
    struct json a = parsed(cx, "up", buf_str(&up)), b = parsed(cx, "down", buf_str(&down));
    EXPECT("same", json_same(a, b, true));
}

TEST(json_pointer_follows_rfc_6901)
{
    str text = S("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
                 "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");
    static const struct { const char *pointer, *text; err error; } rows[] = {
        { "/foo", "[\"bar\",\"baz\"]", ERR_OK }, { "/foo/0", "\"bar\"", ERR_OK },
        { "/", "0", ERR_OK }, { "/a~1b", "1", ERR_OK }, { "/c%d", "2", ERR_OK },
        { "/e^f", "3", ERR_OK }, { "/g|h", "4", ERR_OK }, { "/i\\j", "5", ERR_OK },
        { "/k\"l", "6", ERR_OK }, { "/ ", "7", ERR_OK }, { "/m~0n", "8", ERR_OK },
        { "/foo/00", "", ERR_OK }, { "/foo/-", "", ERR_OK }, { "/foo/2", "", ERR_OK },
        { "/foo/0/x", "", ERR_OK }, { "/foo/", "", ERR_OK }, { "/nowhere", "", ERR_OK },
        { "foo", "", ERR_INVALID }, { "/m~2n", "", ERR_INVALID }, { "/m~", "", ERR_INVALID },
    };
    struct json v = parsed(cx, "document", text), got;
    for (size_t i = 0; i < COUNT(rows); i++) {
        got = (struct json){ 0 };
        err error = json_pointer(cx, v, str_of(rows[i].pointer), &got);
        EXPECT_INT(rows[i].pointer, error, rows[i].error);
        EXPECT_STR(rows[i].pointer, json_text(got), str_of(rows[i].text));
    }
    EXPECT_INT("whole", json_pointer(cx, v, S(""), &got), ERR_OK);
    EXPECT_STR("whole", json_text(got), text);
}

TEST(json_minify_and_pretty_keep_order_and_numbers)
{
    str text = S(" { \"b\" : [ 1.00 , -0 , { } , [ ] ] ,\n\t"
                 "\"a\" : \"x \\\" y\" , \"n\" : null } ");
    str small = S("{\"b\":[1.00,-0,{},[]],\"a\":\"x \\\" y\",\"n\":null}");
    str wide = S("{\n  \"b\": [\n    1.00,\n    -0,\n    {},\n    []\n  ],\n  "
                 "\"a\": \"x \\\" y\",\n  \"n\": null\n}");
    struct json v = parsed(cx, "text", text);
    EXPECT_STR("minified", minified(cx, v), small);
    EXPECT_STR("pretty", prettied(cx, v), wide);
    EXPECT_STR("part", minified(cx, json_get(v, S("b"))), S("[1.00,-0,{},[]]"));
    EXPECT_STR("string", minified(cx, json_get(v, S("a"))), S("\"x \\\" y\""));
    EXPECT_STR("again", minified(cx, parsed(cx, "wide", wide)), small);
}

TEST(json_writer_places_commas_and_escapes)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "a", S("\"\\\n\x01\x1f\xC3\xA9/"));
    json_put_str(&w, "none", (str){ 0 });
    json_put_str(&w, "empty", S(""));
    json_put_u64(&w, "n", UINT64_MAX);
    json_put_bool(&w, "t", true);
    json_put_raw(&w, "raw", S("1.00"));
    json_key(&w, "list");
    json_open(&w, '[');
    json_i64(&w, INT64_MIN);
    json_open(&w, '{');
    json_close(&w, '}');
    json_str(&w, S("x"));
    json_bool(&w, false);
    json_close(&w, ']');
    json_key_str(&w, S("a\"b"));
    json_raw(&w, S("null"));
    json_close(&w, '}');
    str expected = S("{\"a\":\"\\\"\\\\\\n\\u0001\\u001f\xC3\xA9/\",\"empty\":\"\","
                     "\"n\":18446744073709551615,\"t\":true,\"raw\":1.00,"
                     "\"list\":[-9223372036854775808,{},\"x\",false],\"a\\\"b\":null}");
    EXPECT_STR("text", buf_str(&buf), expected);
    parsed(cx, "and it parses", buf_str(&buf));
}

TEST(json_scan_variants_stop_at_the_same_place)
{
    char text[64];
    for (int byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)byte;
            const char *portable = json_scan_plain_portable(text, text + sizeof text);
            bool stop = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
            EXPECT_INT("portable", portable - text, stop ? at : sizeof text);
            EXPECT("platform", json_scan_plain(text, text + sizeof text) == portable);
        }
}

/*
 * JSONTestSuite (Nicolas Seriot): y_ must parse, n_ must not, i_ is ours to choose but must not
 * crash. The exception is ours: FHIR's JSON has each property once, so y_object_duplicated_key and
 * y_object_duplicated_key_and_value are refused.
 */
TEST(json_test_suite_is_followed)
{
    str folder = test_shared(cx, "testdata/json/test_parsing");
    size_t count;
    str *paths = test_list(cx, folder, S(".json"), &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = paths[i].p + folder.n + 1;
        str text = test_read(cx, paths[i]);
        struct json v;
        err error = json_parse(cx, text, &v);
        bool duplicates = str_starts(str_of(name), S("y_object_duplicated_key"));
        if (name[0] == 'y')
            EXPECT_INT(name, error, duplicates ? ERR_INVALID : ERR_OK);
        if (name[0] == 'n')
            EXPECT(name, error != ERR_OK);
        if (!error)
            EXPECT(name, json_same(v, parsed(cx, name, minified(cx, v)), true));
    }
}

TEST(json_every_fhir_example_comes_back_the_same)
{
    str folder = test_shared(cx, "testdata/r4-examples");
    size_t count;
    str *paths = test_list(cx, folder, S(".json"), &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = paths[i].p + folder.n + 1;
        str text = test_read(cx, paths[i]);
        struct json v = parsed(cx, name, text);
        str small = minified(cx, v);
        struct json wide = parsed(cx, name, prettied(cx, v));
        EXPECT(name, json_same(v, wide, true));
        EXPECT_STR(name, minified(cx, wide), small);
    }
}
