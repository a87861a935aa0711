/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE rest
#include "base/test.h"
#include "base/base64.h"
#include "rest/graphql.h"
#include "rest/names.h"
#include "rest/read.h"
#include "rest/shape.h"

TEST(instants_are_read_with_and_without_zone)
{
    static const struct { const char *text; int64_t ms; } rows[] = {
        { "1970-01-01T00:00:01Z", 1000 },      { "1970-01-01T00:00:00.250Z", 250 },
        { "1970-01-01T01:00:00+01:00", 0 },    { "1970-01-02", 86400000 },
        { "1970-02", 2678400000 },             { "1971", 31536000000 },
        { "1970-01-01T02:00:01 01:00", 3601000 }, { "1970-01-01T00:00:00-01:00", 3600000 },
        { "yesterday", 0 }, { "1970-13-01", 0 }, { "1970-02-30", 0 }, { "", 0 },
        { "1970-01-02T25:00:00Z", 0 }, { "1970-01-02T10:00:00X", 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].text, read_instant(str_of(rows[i].text)), rows[i].ms);
}

TEST(etags_are_found_in_lists)
{
    EXPECT("weak", read_etag_names(S("W/\"3\""), 3));
    EXPECT("strong", read_etag_names(S("\"3\""), 3));
    EXPECT("list", read_etag_names(S("W/\"1\", W/\"3\""), 3));
    EXPECT("star", read_etag_names(S("*"), 3));
    EXPECT("other", !read_etag_names(S("W/\"30\""), 3));
    EXPECT("rubbish", !read_etag_names(S("three"), 3));
}

TEST(base64_goes_there_and_back)
{
    static const struct { const char *bytes, *letters; } rows[] = {
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" },
    };
    str out;
    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT_STR(rows[i].bytes, base64_encode(cx->arena, str_of(rows[i].bytes)),
                   str_of(rows[i].letters));
        EXPECT(rows[i].bytes, base64_decode(cx->arena, str_of(rows[i].letters), &out));
        EXPECT_STR(rows[i].bytes, out, str_of(rows[i].bytes));
    }
    static const char *const refused[] = { "Zg=", "Zg", "Z===", "Zh==", "Zg==Zg==", "Z*==", "=" };
    for (size_t i = 0; i < COUNT(refused); i++)
        EXPECT(refused[i], !base64_decode(cx->arena, str_of(refused[i]), &out));
}

/* "Family Given" as a HumanName. */
static struct json name_of(struct ctx *cx, str words)
{
    struct json name = { 0 };
    str family = { 0 };
    str_next(&words, ' ', &family);
    str text = !family.n ? S("{\"text\":\"x\"}")
             : !words.n ? arena_printf(cx->arena, "{\"family\":\"%.*s\"}", STR_ARG(family))
                        : arena_printf(cx->arena, "{\"family\":\"%.*s\",\"given\":[\"%.*s\"]}",
                                       STR_ARG(family), STR_ARG(words));
    EXPECT_INT("name", json_parse(cx, text, &name), ERR_OK);
    return name;
}

TEST(names_are_alike_by_degrees)
{
    static const struct { const char *a, *b; int least_pct, most_pct; } rows[] = {
        { "Smith Ann", "SMITH ann", 100, 100 }, { "Smith Ann", "Smyth Ann", 88, 99 },
        { "Müller", "Muller", 100, 100 },       { "Smith Ann", "Ann Smith", 85, 95 },
        { "Smith A", "Smith Ann", 90, 99 },     { "Smith Ann", "Jones Bob", 0, 40 },
        { "", "Jones", -100, -99 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json a = name_of(cx, str_of(rows[i].a)), b = name_of(cx, str_of(rows[i].b));
        int pct = (int)(names_likeness(cx->arena, a, b) * 100 + 0.001);
        cr_expect(pct >= rows[i].least_pct && pct <= rows[i].most_pct, "%s and %s: %d", rows[i].a,
                  rows[i].b, pct);
    }
}

TEST(a_shape_keeps_what_it_should)
{
    static const char patient[] =
        "{\"resourceType\":\"Patient\",\"id\":\"1\",\"meta\":{\"tag\":[{\"code\":\"x\"}]},"
        "\"text\":{\"status\":\"empty\"},\"active\":true,\"name\":[{\"family\":\"S\"}],"
        "\"_birthDate\":{\"id\":\"b\"},\"birthDate\":\"1970\",\"contact\":[{\"gender\":\"male\"}]}";
    static const struct {
        enum search_summary summary; const char *elements, *holds, *lacks;
    } rows[] = {
        { SEARCH_SUMMARY_TRUE, "", "\"name\":[{\"family\":\"S\"}]", "contact" },
        { SEARCH_SUMMARY_TRUE, "", "[{\"code\":\"x\"},{\"system\"", "\"text\"" },
        { SEARCH_SUMMARY_DATA, "", "contact", "\"text\"" },
        { SEARCH_SUMMARY_TEXT, "", "\"text\"", "name" },
        { SEARCH_FULL, "birthDate", "\"_birthDate\":{\"id\":\"b\"},\"birthDate\"", "name" },
        { SEARCH_FULL, "Patient.name", "\"name\"", "birthDate" },
        { SEARCH_FULL, "name", "\"active\":true", "contact" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json resource;
        struct buf buf = buf_make(cx->arena, 4096);
        EXPECT_INT("parse", json_parse(cx, S(patient), &resource), ERR_OK);
        shape_write(&buf, resource, rows[i].summary, str_of(rows[i].elements));
        EXPECT(rows[i].holds, str_find(buf_str(&buf), str_of(rows[i].holds)) != STR_NONE);
        EXPECT(rows[i].lacks, str_find(buf_str(&buf), str_of(rows[i].lacks)) == STR_NONE);
        EXPECT_INT("json", json_parse(cx, buf_str(&buf), &resource), ERR_OK);
    }
}

TEST(graphql_says_where_it_stopped)
{
    static const struct { const char *query, *says; } rows[] = {
        { "{ a { b }", "line 1 column 10" }, { "{\n  a(b: )\n}", "line 2 column 8" },
        { "{ a(b: \"x }", "closing quote" }, { "mutation { a }", "expected query" },
        { "{ }", "a field" },                { "", "expected" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct graphql_definition *document;
        cx->issues = (struct issues){ .arena = cx->arena };
        EXPECT_INT(rows[i].query, graphql_parse(cx, str_of(rows[i].query), &document), ERR_INVALID);
        str text = cx->issues.kept ? cx->issues.list[0].text : S("");
        cr_expect(str_find(text, str_of(rows[i].says)) != STR_NONE, "%s: %.*s", rows[i].query,
                  STR_ARG(text));
    }
}
