/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE patch_xml
#include "base/test.h"
#include "fhir/patch_xml.h"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"name\":[{\"family\":\"A\"},"
    "{\"family\":\"B\",\"given\":[\"x\",\"y\"]}],\"birthDate\":\"1920-01-01\"}";

static err patched(struct ctx *cx, const char *operations, str *out)
{
    struct json before = { 0 }, after = { 0 };
    str diff = arena_printf(cx->arena, "<diff xmlns:f=\"http://hl7.org/fhir\">%s</diff>",
                            operations);
    cx->issues = (struct issues){ .arena = cx->arena };
    EXPECT_INT("patient", json_parse(cx, str_of(patient), &before), ERR_OK);
    err error = fhir_patch_xml(cx, before, diff, &after);
    *out = error ? cx->issues.list[cx->issues.kept - 1].text : json_text(after);
    return error;
}

#define HEAD "{\"resourceType\":\"Patient\",\"id\":\"p\","
#define NAMES "\"name\":[{\"family\":\"A\"},{\"family\":\"B\",\"given\":[\"x\",\"y\"]}]"

TEST(xml_patch_changes_what_its_xpath_finds)
{
    /* clang-format off */
    static const struct { const char *operations, *after; } rows[] = {
        { "<replace sel='f:Patient/f:birthDate/@value'>1930-01-01</replace>",
          HEAD "\"active\":true," NAMES ",\"birthDate\":\"1930-01-01\"}" },
        { "<replace sel='/Patient/birthDate/@value'>1930-01-01</replace>",
          HEAD "\"active\":true," NAMES ",\"birthDate\":\"1930-01-01\"}" },
        { "<remove sel='Patient/active'/><remove sel='Patient/birthDate/@value'/>",
          HEAD NAMES "}" },
        { "<remove sel=\"Patient/name[family/@value='A']\"/>", HEAD "\"active\":true,"
          "\"name\":[{\"family\":\"B\",\"given\":[\"x\",\"y\"]}],\"birthDate\":\"1920-01-01\"}" },
        { "<add sel='f:Patient'><f:gender value='male'/></add>",
          HEAD "\"active\":true," NAMES ",\"birthDate\":\"1920-01-01\",\"gender\":\"male\"}" },
        { "<add sel='Patient/name[2]' pos='before'><name><text value='t'/></name></add>"
          "<remove sel='Patient/name[position() = 1 or position() = 1]'/>",
          HEAD "\"active\":true,\"name\":[{\"text\":\"t\"},{\"family\":\"B\",\"given\":"
          "[\"x\",\"y\"]}],\"birthDate\":\"1920-01-01\"}" },
        { "<add sel='Patient/name[2]/given[1]' pos='after'><given value='z'/></add>",
          HEAD "\"active\":true,\"name\":[{\"family\":\"A\"},{\"family\":\"B\",\"given\":"
          "[\"x\",\"z\",\"y\"]}],\"birthDate\":\"1920-01-01\"}" },
        { "<add sel='Patient/birthDate' type='@id'>b</add>", HEAD "\"active\":true," NAMES
          ",\"birthDate\":\"1920-01-01\",\"_birthDate\":{\"id\":\"b\"}}" },
        { "<replace sel='Patient/name[1]'><name><family value='C'/></name></replace>",
          HEAD "\"active\":true,\"name\":[{\"family\":\"C\"},{\"family\":\"B\",\"given\":"
          "[\"x\",\"y\"]}],\"birthDate\":\"1920-01-01\"}" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        str got;
        EXPECT_INT(rows[i].operations, patched(cx, rows[i].operations, &got), ERR_OK);
        EXPECT_STR(rows[i].operations, got, str_of(rows[i].after));
    }
}

TEST(xml_patch_refuses_with_a_reason)
{
    /* clang-format off */
    static const struct { const char *operations; err error; const char *says; } rows[] = {
        { "<spam/>", ERR_INVALID,
          "XML Patch operation 1 (spam): the operation must be add, replace or remove" },
        { "<remove/>", ERR_INVALID, "XML Patch operation 1 (remove): \"sel\" must be given" },
        { "<remove sel='Patient['/>", ERR_INVALID,
          "XML Patch operation 1 (remove): \"sel\" is not an XPath that finds nodes" },
        { "<remove sel='1 + 1'/>", ERR_INVALID,
          "XML Patch operation 1 (remove): \"sel\" is not an XPath that finds nodes" },
        { "<remove sel='Patient/gender'/>", ERR_RULE,
          "XML Patch operation 1 (remove): \"sel\" finds nothing" },
        { "<remove sel='Patient/name'/>", ERR_RULE,
          "XML Patch operation 1 (remove): \"sel\" finds several nodes" },
        { "<remove sel='/Patient'/>", ERR_RULE,
          "XML Patch operation 1 (remove): the resource itself cannot be removed" },
        { "<replace sel='Patient/active'>x</replace>", ERR_INVALID,
          "XML Patch operation 1 (replace): an element is replaced by exactly one element" },
        { "<add sel='Patient' type='@x'>1</add>", ERR_RULE,
          "XML Patch: the result is not a resource of FHIR R4" },
        { "<add sel='Patient'><spam/></add>", ERR_RULE,
          "XML Patch: the result is not a resource of FHIR R4" },
        { "<add sel='Patient' pos='inside'><active/></add>", ERR_INVALID,
          "XML Patch operation 1 (add): \"pos\" is before, after or prepend" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        str got;
        EXPECT_INT(rows[i].operations, patched(cx, rows[i].operations, &got), rows[i].error);
        EXPECT_STR(rows[i].operations, got, str_of(rows[i].says));
    }
    str got;
    struct json v = { 0 }, out = { 0 };
    EXPECT_INT("patient", json_parse(cx, str_of(patient), &v), ERR_OK);
    EXPECT_INT("DTD", fhir_patch_xml(cx, v, S("<!DOCTYPE diff []><diff/>"), &out), ERR_INVALID);
    EXPECT_INT("no diff", fhir_patch_xml(cx, v, S("<x/>"), &out), ERR_INVALID);
    EXPECT_INT("bomb", patched(cx, "<remove sel='//*[//*[//*[//*[//*[//*]]]]]/.././/*'/>", &got) !=
                           ERR_OK, true);
}
