/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE primitive
#include "base/test.h"
#include "fhir/primitive.h"

struct row {
    enum fhir_primitive type;
    const char *text;
    bool fine;
};

/* clang-format off: one line a case */
static const struct row rows[] = {
    { FHIR_BOOLEAN, "true", true },          { FHIR_BOOLEAN, "false", true },
    { FHIR_BOOLEAN, "True", false },         { FHIR_BOOLEAN, "1", false },
    { FHIR_INTEGER, "0", true },             { FHIR_INTEGER, "-2147483648", true },
    { FHIR_INTEGER, "2147483647", true },    { FHIR_INTEGER, "2147483648", false },
    { FHIR_INTEGER, "-2147483649", false },  { FHIR_INTEGER, "-0", false },
    { FHIR_INTEGER, "01", false },           { FHIR_INTEGER, "1.0", false },
    { FHIR_INTEGER, "1e3", false },          { FHIR_INTEGER, "+1", false },
    { FHIR_UNSIGNED_INT, "0", true },        { FHIR_UNSIGNED_INT, "-1", false },
    { FHIR_POSITIVE_INT, "1", true },        { FHIR_POSITIVE_INT, "0", false },
    { FHIR_POSITIVE_INT, "99999999999999999999", false },
    { FHIR_DECIMAL, "1.00", true },          { FHIR_DECIMAL, "-0.5e-10", true },
    { FHIR_DECIMAL, "0", true },             { FHIR_DECIMAL, ".5", false },
    { FHIR_DECIMAL, "5.", false },           { FHIR_DECIMAL, "00.5", false },
    { FHIR_DECIMAL, "1e", false },           { FHIR_DECIMAL, "1e1000", false },
    { FHIR_DECIMAL, "NaN", false },          { FHIR_DECIMAL, "1,5", false },
    { FHIR_DECIMAL, "", false },             { FHIR_DECIMAL, "-", false },
    { FHIR_STRING, "a", true },              { FHIR_STRING, "", false },
    { FHIR_STRING, " two\r\n\tlines ", true },{ FHIR_STRING, "a\x01", false },
    { FHIR_MARKDOWN, "# Head\n\n* a", true },{ FHIR_MARKDOWN, "", false },
    { FHIR_CODE, "a", true },                { FHIR_CODE, "a b", true },
    { FHIR_CODE, " a", false },              { FHIR_CODE, "a ", false },
    { FHIR_CODE, "a  b", false },            { FHIR_CODE, "", false },
    { FHIR_ID, "a-1.B", true },              { FHIR_ID, "a_b", false },
    { FHIR_ID, "", false },                  { FHIR_ID, "a/b", false },
    { FHIR_ID, "1234567890123456789012345678901234567890123456789012345678901234", true },
    { FHIR_ID, "12345678901234567890123456789012345678901234567890123456789012345", false },
    { FHIR_URI, "http://a/b#c", true },      { FHIR_URI, "a b", false },
    { FHIR_URI, "", false },                 { FHIR_URI, "relative", true },
    { FHIR_URL, "mailto:a@b", true },        { FHIR_CANONICAL, "http://a|1.0", true },
    { FHIR_OID, "urn:oid:1.2.840.113883", true }, { FHIR_OID, "urn:oid:2.0", true },
    { FHIR_OID, "urn:oid:3.1", false },      { FHIR_OID, "1.2.3", false },
    { FHIR_OID, "urn:oid:1", false },        { FHIR_OID, "urn:oid:1.02", false },
    { FHIR_OID, "urn:oid:1.", false },       { FHIR_OID, "urn:oid:1..2", false },
    { FHIR_OID, "urn:oid:1.a", false },      { FHIR_OID, "urn:oid:10.1", false },
    { FHIR_UUID, "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", true },
    { FHIR_UUID, "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", false },
    { FHIR_UUID, "c757873d-ec9a-4326-a141-556f43239520", false },
    { FHIR_UUID, "urn:uuid:c757873d-ec9a-4326-a141-556f4323952", false },
    { FHIR_DATE, "2026-02-28", true },       { FHIR_DATE, "2026-02-29", false },
    { FHIR_DATE_TIME, "2026-02-28T10:00:00Z", true },
    { FHIR_DATE_TIME, "2026-02-28T10:00", false },
    { FHIR_INSTANT, "2026-02-28T10:00:00.123+01:00", true },
    { FHIR_INSTANT, "2026-02-28", false },
    { FHIR_TIME, "10:00:00", true },         { FHIR_TIME, "10:00", false },
    { FHIR_BASE64, "TWFu", true },           { FHIR_BASE64, "TWE=", true },
    { FHIR_BASE64, "TQ==", true },           { FHIR_BASE64, "TWFu TWE=\n", true },
    { FHIR_BASE64, "T===", false },          { FHIR_BASE64, "TWF", false },
    { FHIR_BASE64, "TW=u", false },          { FHIR_BASE64, "", false },
    { FHIR_BASE64, "TW-_", false },
};
/* clang-format on */

TEST(each_type_has_its_own_format)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *fault = primitive_text_fault(rows[i].type, str_of(rows[i].text));
        EXPECT_INT(rows[i].text, fault == NULL, rows[i].fine);
    }
}

TEST(json_kind_must_fit)
{
    static const struct {
        enum fhir_primitive type;
        const char *json;
        bool fine;
    } kinds[] = {
        { FHIR_BOOLEAN, "true", true }, { FHIR_BOOLEAN, "\"true\"", false },
        { FHIR_INTEGER, "1", true },    { FHIR_INTEGER, "\"1\"", false },
        { FHIR_DECIMAL, "1.50", true }, { FHIR_DECIMAL, "true", false },
        { FHIR_STRING, "\"1\"", true }, { FHIR_STRING, "1", false },
        { FHIR_DATE, "2026", false },   { FHIR_STRING, "\"\\u0007\"", false },
        { FHIR_CODE, "\"a\\u0020b\"", true }, { FHIR_STRING, "[]", false },
    };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct json value;
        EXPECT_INT(kinds[i].json, json_parse(cx, str_of(kinds[i].json), &value), ERR_OK);
        EXPECT_INT(kinds[i].json, primitive_fault(cx->arena, kinds[i].type, value) == NULL,
                   kinds[i].fine);
    }
}

#define DIV(inside) "<div xmlns=\"http://www.w3.org/1999/xhtml\">" inside "</div>"

TEST(narrative_is_plain_and_harmless)
{
    static const struct {
        const char *text;
        bool fine;
    } narratives[] = {
        { DIV("hello"), true },
        { DIV("<p>a<br/>b &amp; &#160; &#xA0;</p>"), true },
        { DIV("<table class='g'><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>"), true },
        { DIV("<a href=\"Patient/1\">x</a><a href='#a'/><a name=\"b\"> </a>"), true },
        { DIV("<img src=\"data:image/png;base64,AAAA\" alt=\"x\"/>"), true },
        { DIV("<!-- note -->x"), true },
        { DIV("<p style=\"color: red\">x</p>"), true },
        { "  " DIV("x") "\n", true },
        { DIV(""), false },
        { DIV("  <br/> "), false },
        { "<div>no namespace</div>", false },
        { "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>", false },
        { "text", false },
        { "", false },
        { DIV("x") DIV("y"), false },
        { DIV("x") "tail", false },
        { DIV("<p>x"), false },
        { DIV("<p>x</b></p>"), false },
        { DIV("<script>x</script>"), false },
        { DIV("<p onclick=\"x\">x</p>"), false },
        { DIV("<a href=\"javascript:x\">x</a>"), false },
        { DIV("<a href=\" javascript:x\">x</a>"), false },
        { DIV("<a href=\"java&#115;cript:x\">x</a>"), false },
        { DIV("<a href=\"javascript&#58;x\">x</a>"), false },
        { DIV("<a href=\"data:text/html,x\">x</a>"), false },
        { DIV("<img src=\"data:image/svg+xml,x\"/>"), false },
        { DIV("<iframe src=\"http://x\"/>x"), false },
        { DIV("<p style=\"width: expression(x)\">x</p>"), false },
        { DIV("<p style=\"w:e\\xpression(x)\">x</p>"), false },
        { DIV("&nbsp;"), false },
        { DIV("a & b"), false },
        { DIV("<p class=x>x</p>"), false },
        { DIV("<P>x</P>"), false },
        { DIV("<?php x ?>x"), false },
        { DIV("<![CDATA[x]]>"), false },
        { "<!DOCTYPE div>" DIV("x"), false },
        { "<div xmlns=\"http://www.w3.org/1999/xhtml\"", false },
        { "<div xmlns=\"http://www.w3.org/1999/xhtml\">x<", false },
    };
    for (size_t i = 0; i < COUNT(narratives); i++) {
        const char *fault = primitive_xhtml_fault(str_of(narratives[i].text));
        EXPECT_INT(narratives[i].text, fault == NULL, narratives[i].fine);
    }
}
