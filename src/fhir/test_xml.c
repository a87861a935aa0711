/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE xml
#include "base/test.h"
#include "fhir/xml.h"
#include "json/write.h"
#include <libxml/c14n.h>
#include <libxml/parser.h>

static const char *first_issue(struct ctx *cx)
{
    return cx->issues.count ? arena_cstr(cx->arena, cx->issues.list[0].text) : "";
}

static str written(struct ctx *cx, const char *row, struct json v, bool pretty)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    cx->issues = (struct issues){ .arena = cx->arena };
    err error = fhir_xml_write(cx, v, pretty, &buf);
    cr_expect(!error, "%s: %s", row, first_issue(cx));
    return buf_str(&buf);
}

static struct json read(struct ctx *cx, const char *row, str xml)
{
    struct json v = { 0 };
    cx->issues = (struct issues){ .arena = cx->arena };
    err error = fhir_xml_read(cx, xml, &v);
    cr_expect(!error, "%s: %s", row, first_issue(cx));
    return v;
}

TEST(json_to_xml_and_back_is_the_same_for_every_example)
{
    str folder = test_shared(cx, "testdata/r4-examples");
    size_t count;
    str *paths = test_list(cx, folder, S(".json"), &count);
    for (size_t i = 0; i < count; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        const char *name = paths[i].p + folder.n + 1;
        struct json before = { 0 };
        EXPECT_INT(name, json_parse(cx, test_read(cx, paths[i]), &before), ERR_OK);
        struct json plain = read(cx, name, written(cx, name, before, false));
        EXPECT(name, json_same(before, plain, true));
        struct json pretty = read(cx, name, written(cx, name, before, true));
        EXPECT(name, json_same(before, pretty, true));
        ctx_release(cx);
        arena_rewind(cx->arena, mark);
    }
}

/* Comments and white space between elements are not content: taken away before comparing. */
static void strip(xmlNode *node)
{
    for (xmlNode *at = node->children, *next; at; at = next) {
        next = at->next;
        bool narrative = at->ns && str_eq(str_of((const char *)at->ns->href),
                                          S("http://www.w3.org/1999/xhtml"));
        if (at->type == XML_COMMENT_NODE || at->type == XML_TEXT_NODE ||
            at->type == XML_PI_NODE) {
            xmlUnlinkNode(at);
            xmlFreeNode(at);
        } else if (!narrative) {
            strip(at);
        }
    }
}

static str canonical(struct ctx *cx, str xml)
{
    xmlDoc *doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NONET);
    if (!doc)
        return (str){ 0 };
    for (xmlNode *at = doc->children, *next; at; at = next) {
        next = at->next;
        if (at->type != XML_ELEMENT_NODE) {
            xmlUnlinkNode(at);
            xmlFreeNode(at);
        }
    }
    strip(xmlDocGetRootElement(doc));
    xmlChar *text = NULL;
    int bytes = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_EXCLUSIVE_1_0, NULL, 0, &text);
    str copy = bytes > 0 ? arena_copy(cx->arena, (str){ (const char *)text, (size_t)bytes })
                         : (str){ 0 };
    xmlFree(text);
    xmlFreeDoc(doc);
    return copy;
}

static void there_and_back(struct ctx *cx, const char *shared)
{
    str folder = test_shared(cx, shared);
    size_t count;
    str *paths = test_list(cx, folder, S(".xml"), &count);
    for (size_t i = 0; i < count; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        const char *name = paths[i].p + folder.n + 1;
        str before = test_read(cx, paths[i]);
        str after = written(cx, name, read(cx, name, before), i % 2);
        /* Its items have extensions after linkId, which XML's order forbids: written in order. */
        if (!str_eq(str_of(name), S("UKCore-Questionnaire-EOLPlan-Example.xml")))
            EXPECT_STR(name, canonical(cx, after), canonical(cx, before));
        ctx_release(cx);
        arena_rewind(cx->arena, mark);
    }
}

TEST(xml_to_json_and_back_is_the_same_for_uk_core)
{
    there_and_back(cx, "testdata/ukcore/examples");
    there_and_back(cx, "testdata/ukcore/structuredefinitions");
    there_and_back(cx, "testdata/ukcore/valuesets");
    there_and_back(cx, "testdata/ukcore/codesystems");
    there_and_back(cx, "testdata/ukcore/conceptmaps");
}

/* clang-format off */
static const struct { const char *name, *json, *xml; } twins[] = {
    { "resource id, element order",
      "{'resourceType':'Patient','birthDate':'1970-03-30','id':'p1','active':true}",
      "<id value='p1'/><active value='true'/><birthDate value='1970-03-30'/>" },
    { "primitive extension and id",
      "{'resourceType':'Patient','birthDate':'1970','_birthDate':{'id':'b','extension':"
      "[{'url':'u','valueDateTime':'1970-03-30T01:02:03Z'}]}}",
      "<birthDate id='b' value='1970'><extension url='u'><valueDateTime "
      "value='1970-03-30T01:02:03Z'/></extension></birthDate>" },
    { "extension instead of value",
      "{'resourceType':'Patient','_gender':{'extension':[{'url':'u','valueCode':'x'}]}}",
      "<gender><extension url='u'><valueCode value='x'/></extension></gender>" },
    { "extensions in arrays",
      "{'resourceType':'Patient','name':[{'id':'n','given':['A',null,'C'],'_given':"
      "[null,{'extension':[{'url':'u','valueBoolean':true}]},{'id':'c'}]}]}",
      "<name id='n'><given value='A'/><given><extension url='u'><valueBoolean value='true'/>"
      "</extension></given><given id='c' value='C'/></name>" },
    { "decimals keep their text",
      "{'resourceType':'Observation','valueQuantity':{'value':1.00}}",
      "<valueQuantity><value value='1.00'/></valueQuantity>" },
    { "contained and a resource in a bundle",
      "{'resourceType':'Bundle','entry':[{'resource':{'resourceType':'Patient','contained':"
      "[{'resourceType':'Basic','id':'c'}],'id':'p'}}]}",
      "<entry><resource><Patient><id value='p'/><contained><Basic><id value='c'/></Basic>"
      "</contained></Patient></resource></entry>" },
    { "white space in a value",
      "{'resourceType':'Patient','name':[{'text':' a\\tb\\nc\\r &<>\\\" '}]}",
      "<name><text value=' a&#9;b&#10;c&#13; &amp;&lt;&gt;&quot; '/></name>" },
    { "narrative as written",
      "{'resourceType':'Patient','text':{'status':'generated','div':"
      "'<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><p>a &amp; b<br /> <!-- c --></p></div>'}}",
      "<text><status value='generated'/><div xmlns='http://www.w3.org/1999/xhtml'><p>a &amp; b"
      "<br /> <!-- c --></p></div></text>" },
    { "nested extension", "{'resourceType':'Basic','extension':[{'id':'e','url':'u','extension':"
      "[{'url':'v','valueUri':'w'}]}]}",
      "<extension id='e' url='u'><extension url='v'><valueUri value='w'/></extension>"
      "</extension>" },
};
/* clang-format on */

static str quoted(struct ctx *cx, const char *text)
{
    char *copy = memcpy(arena_alloc(cx->arena, strlen(text) + 1), text, strlen(text) + 1);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    return str_of(copy);
}

TEST(xml_and_json_say_the_same)
{
    for (size_t i = 0; i < COUNT(twins); i++) {
        struct json v = { 0 };
        EXPECT_INT(twins[i].name, json_parse(cx, quoted(cx, twins[i].json), &v), ERR_OK);
        str type = json_string(cx->arena, json_get(v, S("resourceType")));
        str xml = arena_printf(cx->arena, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><%.*s "
                               "xmlns=\"http://hl7.org/fhir\">%.*s</%.*s>", STR_ARG(type),
                               STR_ARG(quoted(cx, twins[i].xml)), STR_ARG(type));
        EXPECT_STR(twins[i].name, written(cx, twins[i].name, v, false), xml);
        EXPECT(twins[i].name, json_same(v, read(cx, twins[i].name, xml), true));
    }
}

TEST(xml_that_is_not_fhir_is_refused_with_its_line)
{
    /* clang-format off */
    static const struct { const char *xml; const char *says; } rows[] = {
        { "", "XML: the text is empty" },
        { "{}", "XML: a document in UTF-8 begins with '<'" },
        { "<Patient/>", "XML: the root element must be in the namespace http://hl7.org/fhir" },
        { "<Pat xmlns='http://hl7.org/fhir'/>", "XML: \"Pat\" is not a resource type of FHIR R4" },
        { "<HumanName xmlns='http://hl7.org/fhir'/>",
          "XML: \"HumanName\" is not a resource type of FHIR R4" },
        { "<Resource xmlns='http://hl7.org/fhir'/>",
          "XML: \"Resource\" is not a resource type of FHIR R4" },
        { "<!DOCTYPE Patient [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\n"
          "<Patient xmlns='http://hl7.org/fhir'><id value='&e;'/></Patient>",
          "XML line 1: a document type declaration is not allowed" },
        { "<Patient xmlns='http://hl7.org/fhir'>\n<id value='&e;'/></Patient>",
          "XML line 2: Entity 'e' not defined" },
        { "<Patient xmlns='http://hl7.org/fhir'>\n<nam/></Patient>",
          "XML line 2: Patient has no element \"nam\"" },
        { "<Patient xmlns='http://hl7.org/fhir'><name><id value='x'/></name></Patient>",
          "XML line 1: HumanName has no element \"id\"" },
        { "<Patient xmlns='http://hl7.org/fhir' id='x'/>",
          "XML line 1: Patient has no attribute \"id\"" },
        { "<Patient xmlns='http://hl7.org/fhir'><active valu='true'/></Patient>",
          "XML line 1: boolean has no attribute \"valu\"" },
        { "<Patient xmlns='http://hl7.org/fhir'><name>\n<family>Smith</family></name></Patient>",
          "XML line 2: text within \"family\" has no meaning; a value is an attribute" },
        { "<Patient xmlns='http://hl7.org/fhir'><active value='true'/>\n<active value='true'/>"
          "</Patient>", "XML line 2: \"active\" may stand only once here" },
        { "<Patient xmlns='http://hl7.org/fhir'><contained/></Patient>",
          "XML line 1: \"contained\" must hold exactly one resource" },
        { "<Patient xmlns='http://hl7.org/fhir'><contained><HumanName/></contained></Patient>",
          "XML line 1: \"contained\" must hold exactly one resource" },
        { "<Patient xmlns='http://hl7.org/fhir'><text><div>x</div></text></Patient>",
          "XML line 1: xhtml has a narrative that must be a div of XHTML's namespace, "
          "not \"div\"" },
        { "<Patient xmlns='http://hl7.org/fhir'><x:active xmlns:x='urn:x' value='true'/></Patient>",
          "XML line 1: Patient has an element that is not in FHIR's namespace: \"active\"" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json v = { 0 };
        cx->issues = (struct issues){ .arena = cx->arena };
        EXPECT_INT(rows[i].xml, fhir_xml_read(cx, str_of(rows[i].xml), &v), ERR_INVALID);
        EXPECT_STR(rows[i].xml, str_of(first_issue(cx)), str_of(rows[i].says));
        EXPECT(rows[i].xml, v.doc == NULL);
    }
}

TEST(xml_narrative_may_have_a_prefix)
{
    str xml = S("<f:Basic xmlns:f=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\">"
                "<f:text><h:div><h:p class=\"a\">x</h:p>\r\n<h:br/></h:div></f:text></f:Basic>");
    struct json v = read(cx, "prefix", xml);
    EXPECT_STR("div", json_string(cx->arena, json_get(json_get(v, S("text")), S("div"))),
               S("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class=\"a\">x</p>\n<br/></div>"));
}

TEST(xml_reads_what_is_not_a_value_for_the_validator_to_refuse)
{
    str xml = S("<Patient xmlns=\"http://hl7.org/fhir\"><active value=\"yes\"/>"
                "<multipleBirthInteger value=\"+1\"/></Patient>");
    str json = S("{\"resourceType\":\"Patient\",\"active\":\"yes\","
                 "\"multipleBirthInteger\":\"+1\"}");
    EXPECT_STR("as strings", json_text(read(cx, "as strings", xml)), json);
}

TEST(json_that_xml_cannot_hold_is_refused)
{
    /* clang-format off */
    static const struct { const char *json, *says; } rows[] = {
        { "{'resourceType':'X'}", "as XML: \"X\" is not a resource type of FHIR R4" },
        { "{'resourceType':'Patient','nam':1}",
          "as XML: Patient.nam is not an element of FHIR R4" },
        { "{'resourceType':'Patient','name':['x']}",
          "as XML: HumanName.name must be an object" },
        { "{'resourceType':'Patient','active':{}}",
          "as XML: boolean.value must be a single value" },
        { "{'resourceType':'Patient','_active':1}",
          "as XML: boolean.active has a \"_\" twin that is no object" },
        { "{'resourceType':'Patient','name':[{'text':'\\u0001'}]}",
          "as XML: string.value has a character that XML cannot hold" },
        { "{'resourceType':'Patient','name':[{'text':'\\uffff'}]}",
          "as XML: string.value has a character that XML cannot hold" },
        { "{'resourceType':'Patient','text':{'div':'<div>&nbsp;</div>'}}",
          "as XML: xhtml.div is not one well-formed div element of XHTML" },
        { "{'resourceType':'Patient','text':{'div':'<div></div><id/>'}}",
          "as XML: xhtml.div is not one well-formed div element of XHTML" },
        { "{'resourceType':'Patient','text':{'div':'<divx></divx>'}}",
          "as XML: xhtml.div is not one well-formed div element of XHTML" },
        { "{'resourceType':'Patient','text':{'div':5}}",
          "as XML: xhtml.div is not one well-formed div element of XHTML" },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json v = { 0 };
        struct buf buf = buf_make(cx->arena, SIZE_MAX);
        cx->issues = (struct issues){ .arena = cx->arena };
        EXPECT_INT(rows[i].json, json_parse(cx, quoted(cx, rows[i].json), &v), ERR_OK);
        EXPECT_INT(rows[i].json, fhir_xml_write(cx, v, false, &buf), ERR_RULE);
        size_t last = cx->issues.kept - 1;
        EXPECT_STR(rows[i].json, cx->issues.list[last].text, str_of(rows[i].says));
    }
}

TEST(xml_of_twenty_megabytes_is_read_and_a_deep_one_refused)
{
    struct buf big = buf_make(cx->arena, SIZE_MAX), deep = big;
    struct json v = { 0 };
    buf_add(&big, S("<Patient xmlns=\"http://hl7.org/fhir\">"));
    for (int i = 0; i < 200000; i++)
        buf_printf(&big, "<name><text value=\"%090d\"/></name>", i);
    buf_add(&big, S("</Patient>"));
    EXPECT_INT("wide", fhir_xml_read(cx, buf_str(&big), &v), ERR_OK);
    EXPECT_INT("wide", json_count(json_get(v, S("name"))), 200000);
    buf_add(&deep, S("<Basic xmlns=\"http://hl7.org/fhir\">"));
    for (int i = 0; i < 100000; i++)
        buf_add(&deep, S("<extension url=\"u\">"));
    EXPECT("deep", fhir_xml_read(cx, buf_str(&deep), &v) != ERR_OK);
}
