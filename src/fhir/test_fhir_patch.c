/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE fhir_patch
#include "base/test.h"
#include "base/buf.h"
#include "fhir/patch.h"
#include "fhir/xml.h"
#include <libxml/parser.h>

static struct json parsed(struct ctx *cx, const char *row, str text)
{
    struct json v = { 0 };
    EXPECT_INT(row, json_parse(cx, text, &v), ERR_OK);
    return v;
}

static str quoted(struct ctx *cx, const char *text)
{
    char *copy = memcpy(arena_alloc(cx->arena, strlen(text) + 1), text, strlen(text) + 1);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return str_of(copy);
}

/* ---- the published suite, which is in XML ---- */

static xmlNode *child(xmlNode *of, const char *name)
{
    for (xmlNode *at = of->children; at; at = at->next)
        if (at->type == XML_ELEMENT_NODE && str_eq(str_of((const char *)at->name), str_of(name)))
            return at;
    return NULL;
}

/* The resource within <input>, <diff> or <output>; absent when there is no such element. */
static struct json resource_in(struct ctx *cx, const char *row, xmlNode *test, const char *name)
{
    xmlNode *holder = child(test, name), *at = holder ? holder->children : NULL;
    while (at && at->type != XML_ELEMENT_NODE)
        at = at->next;
    struct json v = { 0 };
    if (!at)
        return v;
    xmlBuffer *text = xmlBufferCreate();
    xmlNodeDump(text, at->doc, at, 0, 0);
    str xml = arena_copy(cx->arena, str_of((const char *)xmlBufferContent(text)));
    xmlBufferFree(text);
    EXPECT_INT(row, fhir_xml_read(cx, xml, &v), ERR_OK);
    return v;
}

static void run_case(struct ctx *cx, xmlNode *test)
{
    xmlChar *name = xmlGetProp(test, (const xmlChar *)"name");
    const char *row = arena_cstr(cx->arena, str_of((const char *)name));
    xmlFree(name);
    struct json before = resource_in(cx, row, test, "input"), got = { 0 };
    struct json patch = resource_in(cx, row, test, "diff");
    struct json after = resource_in(cx, row, test, "output");
    cx->issues = (struct issues){ .arena = cx->arena };
    err error = fhir_patch(cx, before, patch, &got);
    if (after.doc) {
        EXPECT_STR(row, error ? cx->issues.list[0].text : S(""), S(""));
        EXPECT(row, json_same(got, after, true));
    } else {
        EXPECT_INT(row, error, ERR_RULE);
    }
}

TEST(fhir_patch_follows_the_suite)
{
    str path = test_shared(cx, "testdata/patch/fhir-patch-tests.xml");
    if (!str_given(path))
        return;
    str text = test_read(cx, path);
    xmlDoc *doc = xmlReadMemory(text.p, (int)text.n, NULL, NULL, XML_PARSE_NONET);
    int count = 0;
    for (xmlNode *at = xmlDocGetRootElement(doc)->children; at; at = at->next)
        if (at->type == XML_ELEMENT_NODE) {
            run_case(cx, at);
            count++;
        }
    xmlFreeDoc(doc);
    EXPECT_INT("cases", count, 33);
}

/* ---- our own, with ' for " ---- */

#define PART(name, value) "{'name':'" name "'," value "}"
#define OPERATION(type, path, more)                                                                \
    "{'name':'operation','part':[" PART("type", "'valueCode':'" type "'") ","                      \
    PART("path", "'valueString':'" path "'") more "]}"

static err patched(struct ctx *cx, const char *before, const char *operations, struct json *out)
{
    str patch = arena_printf(cx->arena, "{'resourceType':'Parameters','parameter':[%s]}",
                             operations);
    cx->issues = (struct issues){ .arena = cx->arena };
    return fhir_patch(cx, parsed(cx, before, quoted(cx, before)),
                      parsed(cx, operations, quoted(cx, patch.p)), out);
}

/* clang-format off */
static const struct { const char *name, *before, *operations, *after; } fits[] = {
    { "choice by the value's type", "{'resourceType':'Patient'}",
      OPERATION("add", "Patient", "," PART("name", "'valueString':'deceased'") ","
                PART("value", "'valueDateTime':'2026'")),
      "{'resourceType':'Patient','deceasedDateTime':'2026'}" },
    { "choice replaced by another type", "{'resourceType':'Patient','deceasedBoolean':true}",
      OPERATION("replace", "Patient.deceased", "," PART("value", "'valueDateTime':'2026'")),
      "{'resourceType':'Patient','deceasedDateTime':'2026'}" },
    { "to a list that is not there", "{'resourceType':'Patient'}",
      OPERATION("insert", "Patient.name", "," PART("index", "'valueInteger':0") ","
                PART("value", "'valueHumanName':{'family':'A'}")),
      "{'resourceType':'Patient','name':[{'family':'A'}]}" },
    { "primitives move with what is about them",
      "{'resourceType':'Patient','name':[{'given':['A','B',null],"
      "'_given':[null,{'id':'b'},"
      "{'id':'c'}]}]}",
      OPERATION("move", "Patient.name.given", "," PART("source", "'valueInteger':2") ","
                PART("destination", "'valueInteger':0")),
      "{'resourceType':'Patient','name':[{'given':[null,'A','B'],"
      "'_given':[{'id':'c'},null,{'id':'b'}]}]}" },
    { "inserted among them",
      "{'resourceType':'Patient','name':[{'given':['A','B'],'_given':[null,{'id':'b'}]}]}",
      OPERATION("insert", "Patient.name[0].given", "," PART("index", "'valueInteger':1") ","
                PART("value", "'valueString':'X'")),
      "{'resourceType':'Patient','name':[{'given':['A','X','B'],"
      "'_given':[null,null,{'id':'b'}]}]}" },
    { "deleted by condition",
      "{'resourceType':'Patient','name':[{'given':['A','B'],'_given':[null,{'id':'b'}]}]}",
      OPERATION("delete", "Patient.name.given.where(id.exists())", ""),
      "{'resourceType':'Patient','name':[{'given':['A']}]}" },
    { "deleted with its twin",
      "{'resourceType':'Patient','birthDate':'1970','_birthDate':{'id':'b'},'active':true}",
      OPERATION("delete", "Patient.birthDate", ""), "{'resourceType':'Patient','active':true}" },
    { "deleted, the list with it", "{'resourceType':'Patient','name':[{'given':['A']}]}",
      OPERATION("delete", "Patient.name[0].given[0]", ""), "{'resourceType':'Patient'}" },
    { "nothing to delete", "{'resourceType':'Patient'}",
      OPERATION("delete", "Patient.name[3]", ""), "{'resourceType':'Patient'}" },
    { "value with an extension", "{'resourceType':'Patient','birthDate':'1970'}",
      OPERATION("replace", "Patient.birthDate", ","
                PART("value", "'valueDate':'1971','_valueDate':{'id':'x'}")),
      "{'resourceType':'Patient','birthDate':'1971','_birthDate':{'id':'x'}}" },
    { "extension on a primitive", "{'resourceType':'Patient','birthDate':'1970'}",
      OPERATION("add", "Patient.birthDate", "," PART("name", "'valueString':'extension'") ","
                PART("value", "'valueExtension':{'url':'u','valueBoolean':true}")),
      "{'resourceType':'Patient','birthDate':'1970','_birthDate':{'extension':"
      "[{'url':'u','valueBoolean':true}]}}" },
    { "a contained resource", "{'resourceType':'Patient'}",
      OPERATION("add", "Patient", "," PART("name", "'valueString':'contained'") ","
                PART("value", "'resource':{'resourceType':'Basic','id':'c'}")),
      "{'resourceType':'Patient','contained':[{'resourceType':'Basic','id':'c'}]}" },
    { "by condition, numbers kept",
      "{'resourceType':'Observation','component':[{'valueInteger':1},{'valueQuantity':"
      "{'value':1.00}}]}",
      OPERATION("add", "Observation.component.where(value is Quantity)", ","
                PART("name", "'valueString':'id'") "," PART("value", "'valueString':'x'")),
      "{'resourceType':'Observation','component':[{'valueInteger':1},{'valueQuantity':"
      "{'value':1.00},'id':'x'}]}" },
    { "made of parts", "{'resourceType':'Patient'}",
      OPERATION("add", "Patient", "," PART("name", "'valueString':'contact'") ","
                PART("value", "'part':[" PART("relationship", "'valueCodeableConcept':{'text':'a'}")
                "," PART("relationship", "'valueCodeableConcept':{'text':'b'}") ","
                PART("gender", "'valueCode':'male'") "]")),
      "{'resourceType':'Patient','contact':[{'relationship':[{'text':'a'},{'text':'b'}],"
      "'gender':'male'}]}" },
};
/* clang-format on */

TEST(fhir_patch_changes_what_it_names)
{
    for (size_t i = 0; i < COUNT(fits); i++) {
        struct json got = { 0 };
        err error = patched(cx, fits[i].before, fits[i].operations, &got);
        EXPECT_STR(fits[i].name, error ? cx->issues.list[0].text : S(""), S(""));
        struct json after = parsed(cx, fits[i].name, quoted(cx, fits[i].after));
        EXPECT(fits[i].name, json_same(got, after, true));
        if (!json_same(got, after, true))
            EXPECT_STR(fits[i].name, json_text(got), json_text(after));
    }
}

TEST(fhir_patch_refuses_with_a_reason)
{
    static const char before[] = "{'resourceType':'Patient','active':true,'deceasedBoolean':false,"
                                 "'name':[{'given':['A']},{'given':['B']}]}";
    /* clang-format off */
    static const struct { const char *operations; err error; const char *says; } rows[] = {
        { "{'name':'x'}", ERR_INVALID,
          "FHIRPath Patch parameter 1 must have the name 'operation'" },
        { "{'name':'operation'}", ERR_INVALID,
          "FHIRPath Patch operation 1 ( ): 'type' must be given, as a valueCode" },
        { OPERATION("spam", "Patient", ""), ERR_INVALID,
          "FHIRPath Patch operation 1 (spam Patient): the type "
          "must be add, insert, delete, replace or move" },
        { OPERATION("delete", "Patient.name", ""), ERR_RULE,
          "FHIRPath Patch operation 1 (delete Patient.name): the path leads to several elements" },
        { OPERATION("delete", "Patient", ""), ERR_RULE,
          "FHIRPath Patch operation 1 (delete Patient): the resource "
          "itself cannot be deleted by a patch" },
        { OPERATION("replace", "Patient.gender", "," PART("value", "'valueCode':'male'")), ERR_RULE,
          "FHIRPath Patch operation 1 (replace Patient.gender): there is nothing at this path to "
          "replace" },
        { OPERATION("add", "Patient", "," PART("name", "'valueString':'active'") ","
                    PART("value", "'valueBoolean':true")), ERR_RULE,
          "FHIRPath Patch operation 1 (add Patient): the element is there already and does not "
          "repeat" },
        { OPERATION("add", "Patient", "," PART("name", "'valueString':'deceased'") ","
                    PART("value", "'valueDateTime':'2026'")), ERR_RULE,
          "FHIRPath Patch operation 1 (add Patient): the element is there already and does not "
          "repeat" },
        { OPERATION("add", "Patient", "," PART("name", "'valueString':'spam'") ","
                    PART("value", "'valueBoolean':true")), ERR_RULE,
          "FHIRPath Patch operation 1 (add Patient): the element has no child of this name" },
        { OPERATION("add", "Patient.contact", "," PART("name", "'valueString':'gender'")), ERR_RULE,
          "FHIRPath Patch operation 1 (add Patient.contact): there is nothing at this path to add "
          "to" },
        { OPERATION("insert", "Patient.name", "," PART("index", "'valueInteger':3") ","
                    PART("value", "'valueHumanName':{}")), ERR_RULE,
          "FHIRPath Patch operation 1 (insert Patient.name): the index is past the end "
          "of the list" },
        { OPERATION("insert", "Patient.name.given", "," PART("index", "'valueInteger':0")),
          ERR_RULE, "FHIRPath Patch operation 1 (insert Patient.name.given): the path leads to "
          "several lists" },
        { OPERATION("insert", "Patient.active", "," PART("index", "'valueInteger':0")), ERR_RULE,
          "FHIRPath Patch operation 1 (insert Patient.active): the path must lead to a list" },
        { OPERATION("move", "Patient.name", "," PART("source", "'valueInteger':-1")), ERR_INVALID,
          "FHIRPath Patch operation 1 (move Patient.name): 'source' must be given, as a "
          "valueInteger from 0" },
        { OPERATION("delete", "1 + 1", ""), ERR_RULE, "FHIRPath Patch operation 1 (delete 1 + 1): "
          "the path must lead to an element of the resource" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json got = { 0 };
        err error = patched(cx, before, rows[i].operations, &got);
        EXPECT_INT(rows[i].operations, error, rows[i].error);
        EXPECT_STR(rows[i].operations, cx->issues.list[0].text, quoted(cx, rows[i].says));
    }
}
