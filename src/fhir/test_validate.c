/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE validate
#include "base/test.h"
#include "base/buf.h"
#include "fhir/test_examples.h"
#include "fhir/validate.h"

/* All faults as "path: text" lines. */
static str faults(struct ctx *cx)
{
    struct buf out = buf_make(cx->arena, 1 << 20);
    for (size_t i = 0; i < cx->issues.kept; i++)
        buf_printf(&out, "%s%.*s: %.*s", i ? "\n" : "", STR_ARG(cx->issues.list[i].path),
                   STR_ARG(cx->issues.list[i].text));
    return buf_str(&out);
}

static str check(struct ctx *cx, const char *text)
{
    struct json resource;
    cx->issues = ctx_make(cx->arena).issues;
    if (json_parse(cx, str_of(text), &resource) != ERR_OK)
        return S("not JSON");
    err got = validate_resource(cx, resource);
    EXPECT_INT(text, got == ERR_OK, cx->issues.count == 0);
    return faults(cx);
}

/* The members of one resource, and what must be said of it; "" for nothing. Quotes are ' here. */
static void expect(struct ctx *cx, const char *resource, const char *expected)
{
    char *text = arena_alloc(cx->arena, strlen(resource) + 1);
    size_t n = 0;
    for (; resource[n]; n++)
        text[n] = resource[n] == '\'' ? '"' : resource[n];
    text[n] = 0;
    EXPECT_STR(resource, check(cx, text), str_of(expected));
}

#define OBS(rest) "{'resourceType':'Observation','status':'final','code':{'text':'x'}" rest "}"
#define PAT(rest) "{'resourceType':'Patient'" rest "}"

TEST(a_sound_resource_has_no_fault)
{
    expect(cx, PAT(""), "");
    expect(cx, PAT(",'id':'a','name':[{'family':'Bevan','given':['Aneurin']}],'active':true"), "");
    expect(cx, OBS(",'valueQuantity':{'value':1.50,'comparator':'<'}"), "");
    expect(cx, "{'id':'a','resourceType':'Patient'}", "");
}

TEST(what_is_no_resource_is_malformed)
{
    static const char *const texts[] = { "[]", "1", "null", "{}", "{'resourceType':1}",
                                         "{'resourceType':'Ward'}",
                                         "{'resourceType':'DomainResource'}",
                                         "{'resourceType':'HumanName'}" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct json value;
        str text = arena_copy(cx->arena, str_of(texts[i]));
        for (size_t k = 0; k < text.n; k++)
            if (text.p[k] == '\'')
                ((char *)(uintptr_t)text.p)[k] = '"';
        EXPECT_INT(texts[i], json_parse(cx, text, &value), ERR_OK);
        EXPECT_INT(texts[i], validate_resource(cx, value), ERR_INVALID);
    }
}

TEST(unknown_elements_are_named)
{
    expect(cx, PAT(",'nmae':1"), "Patient.nmae: FHIR R4 has no element nmae in Patient");
    expect(cx, PAT(",'contact':[{'x':1}]"),
           "Patient.contact[0].x: FHIR R4 has no element x in Patient.contact");
    expect(cx, PAT(",'_name':[{'id':'a'}]"),
           "Patient._name: FHIR R4 has no element _name in Patient");
    expect(cx, PAT(",'name':[{'resourceType':'x'}]"),
           "Patient.name[0].resourceType: FHIR R4 has no element resourceType in HumanName");
    expect(cx, OBS(",'value':1"), "Observation.value: FHIR R4 has no element value in Observation");
    expect(cx, OBS(",'valueDecimal':1"),
           "Observation.valueDecimal: FHIR R4 has no element valueDecimal in Observation");
    expect(cx, PAT(",'meta':{'project':'x'}"),
           "Patient.meta.project: FHIR R4 has no element project in Meta");
}

TEST(cardinality_is_kept)
{
    expect(cx, "{'resourceType':'Observation'}",
           "Observation.code: is required and missing\n"
           "Observation.status: is required and missing");
    expect(cx, PAT(",'gender':['male']"),
           "Patient.gender: must not be an array: it occurs at most once");
    expect(cx, PAT(",'name':{'family':'x'}"), "Patient.name: must be an array: put it in [ ]");
    expect(cx, PAT(",'link':[{'type':'seealso'}]"),
           "Patient.link[0].other: is required and missing");
    expect(cx, "{'resourceType':'MedicationRequest','status':'active','intent':'order',"
               "'subject':{'reference':'Patient/1'}}",
           "MedicationRequest.medication: is required and missing");
    expect(cx, "{'resourceType':'Observation','_status':{'extension':[{'url':'http://x',"
               "'valueCode':'unknown'}]},'code':{'text':'x'}}", "");
}

TEST(nothing_is_empty_or_null)
{
    expect(cx, PAT(",'name':[]"), "Patient.name: must not be an empty array: leave it out");
    expect(cx, PAT(",'name':[{}]"), "Patient.name[0]: must not be empty: leave it out");
    expect(cx, PAT(",'name':[null]"), "Patient.name[0]: must not be null, but where its twin with "
                                      "the underscore has extensions");
    expect(cx, PAT(",'gender':null"), "Patient.gender: must not be null: leave it out");
    expect(cx, PAT(",'language':''"),
           "Patient.language: \"\" is empty; leave the element out instead");
    expect(cx, PAT(",'maritalStatus':{}"),
           "Patient.maritalStatus: must not be empty: leave it out");
}

TEST(primitives_have_their_format)
{
    expect(cx, PAT(",'birthDate':'22/11/2026'"),
           "Patient.birthDate: \"22/11/2026\" is not a date: YYYY, YYYY-MM or YYYY-MM-DD of a day "
           "that exists");
    expect(cx, PAT(",'active':'true'"),
           "Patient.active: \"true\" must be true or false, unquoted");
    expect(cx, PAT(",'id':'a b'"),
           "Patient.id: \"a b\" is not an id: 1 to 64 letters, digits, '-' and '.'");
    expect(cx, OBS(",'valueQuantity':{'value':'1'}"),
           "Observation.value.ofType(Quantity).value: \"1\" must be a number, unquoted");
    expect(cx, PAT(",'name':['Bevan']"), "Patient.name[0]: must be an object: a HumanName");
    expect(cx, PAT(",'birthDate':{}"), "Patient.birthDate: {} must be a text in quotes");
}

TEST(a_choice_is_made_once)
{
    expect(cx, OBS(",'valueString':'x','valueInteger':1"),
           "Observation.value: is given twice, as valueString and as valueInteger: keep one");
    expect(cx, OBS(",'valueString':'x','_valueString':{'id':'a'}"), "");
    expect(cx, OBS(",'valueString':'x','_valueInteger':{'id':'a'}"),
           "Observation.value: is given twice, as valueString and as valueInteger: keep one");
    expect(cx, PAT(",'deceasedBoolean':true,'multipleBirthInteger':2"), "");
}

TEST(required_codes_are_held_to_their_set)
{
    expect(cx, PAT(",'gender':'Female'"),
           "Patient.gender: \"Female\" is not one of the codes of administrative-gender");
    expect(cx, "{'resourceType':'Condition','subject':{'reference':'Patient/1'},'clinicalStatus':"
               "{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/condition-clinical',"
               "'code':'active'}]}}", "");
    expect(cx, "{'resourceType':'Condition','subject':{'reference':'Patient/1'},'clinicalStatus':"
               "{'coding':[{'system':'http://x','code':'active'}]}}",
           "Condition.clinicalStatus: holds no code of condition-clinical, from which one is "
           "required");
    expect(cx, "{'resourceType':'Condition','subject':{'reference':'Patient/1'},'clinicalStatus':"
               "{'text':'active'}}",
           "Condition.clinicalStatus: holds no code of condition-clinical, from which one is "
           "required");
    expect(cx, PAT(",'maritalStatus':{'coding':[{'system':'http://x','code':'y'}]}"), "");
}

TEST(references_lead_to_the_types_allowed)
{
    static const struct {
        const char *reference, *expected;
    } rows[] = {
        { "Patient/1", "" },
        { "Group/1", "" },
        { "Patient/1/_history/2", "" },
        { "http://a/fhir/Patient/1", "" },
        { "https://a/x", "" },
        { "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "" },
        { "Patient?identifier=x|1", "" },
        { "Ward/1", "Observation.subject: \"Ward/1\" is not a reference: Type/id, a URL, "
                    "urn:uuid:... or #id" },
        { "abc", "Observation.subject: \"abc\" is not a reference: Type/id, a URL, urn:uuid:... "
                 "or #id" },
        { "Patient/a_b", "Observation.subject: \"Patient/a_b\" is not a reference: Type/id, a URL, "
                         "urn:uuid:... or #id" },
        { "/Patient/1", "Observation.subject: \"/Patient/1\" is not a reference: Type/id, a URL, "
                        "urn:uuid:... or #id" },
        { "Medication/1", "Observation.subject: refers to a Medication, but must refer to a "
                          "Device, Group, Location or Patient" },
        { "http://a/fhir/Medication/1", "Observation.subject: refers to a Medication, but must "
                                        "refer to a Device, Group, Location or Patient" },
        { "#none", "Observation.subject: #none: there is no contained resource with that id" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str text = arena_printf(cx->arena, OBS(",'subject':{'reference':'%s'}"), rows[i].reference);
        expect(cx, arena_cstr(cx->arena, text), rows[i].expected);
    }
    expect(cx, OBS(",'subject':{'type':'Group','reference':'Patient/1'}"),
           "Observation.subject: type says Group but reference leads to a Patient");
    expect(cx, OBS(",'subject':{'type':'Medication','display':'x'}"),
           "Observation.subject: refers to a Medication, but must refer to a Device, Group, "
           "Location or Patient");
}

TEST(contained_resources_are_found_and_checked)
{
    expect(cx, OBS(",'contained':[{'resourceType':'Patient','id':'p'}],"
                   "'subject':{'reference':'#p'}"), "");
    expect(cx, OBS(",'contained':[{'resourceType':'Patient','id':'p','x':1}]"),
           "Observation.contained[0].x: FHIR R4 has no element x in Patient");
    expect(cx, OBS(",'contained':[{'resourceType':'Patient'}]"),
           "Observation.contained[0]: a contained resource needs an id to be referred to");
    expect(cx, OBS(",'contained':[{'resourceType':'Medication','id':'m'}],"
                   "'subject':{'reference':'#m'}"),
           "Observation.subject: refers to a Medication, but must refer to a Device, Group, "
           "Location or Patient");
    expect(cx, OBS(",'contained':[{'resourceType':'Observation','id':'o','status':'final',"
                   "'code':{'text':'x'},'subject':{'reference':'#'}}]"),
           "Observation.contained[0].subject: refers to a Observation, but must refer to a Device, "
           "Group, Location or Patient");
    expect(cx, "{'resourceType':'Bundle','type':'collection','entry':[{'resource':"
               "{'resourceType':'Patient','x':1}},{'resource':{}}]}",
           "Bundle.entry[0].resource.x: FHIR R4 has no element x in Patient\n"
           "Bundle.entry[1].resource: must be a resource: resourceType is missing");
}

TEST(twins_of_primitives_are_matched)
{
    expect(cx, PAT(",'_birthDate':{'extension':[{'url':'http://x','valueCode':'y'}]}"), "");
    expect(cx, PAT(",'name':[{'given':['A',null],'_given':[null,{'id':'x'}]}]"), "");
    expect(cx, PAT(",'name':[{'_given':[{'id':'x'}]}]"), "");
    expect(cx, PAT(",'name':[{'given':['A',null],'_given':[null,null]}]"),
           "Patient.name[0].given[1]: must not be null, but where its twin with the underscore has "
           "extensions");
    expect(cx, PAT(",'name':[{'given':['A'],'_given':[null,{'id':'x'}]}]"),
           "Patient.name[0].given: has 1 items but its twin with the underscore has 2");
    expect(cx, PAT(",'_birthDate':{'value':'x'}"),
           "Patient.birthDate.value: FHIR R4 has no element value in date");
    expect(cx, PAT(",'_birthDate':[{'id':'x'}]"),
           "Patient.birthDate: must be an object with the id and extensions of a primitive");
    expect(cx, PAT(",'_birthDate':{'extension':[{'valueCode':'y'}]}"),
           "Patient.birthDate.extension[0].url: is required and missing");
}

TEST(many_faults_are_reported_at_once)
{
    struct buf text = buf_make(cx->arena, 1 << 20);
    buf_add(&text, S("{\"resourceType\":\"Patient\",\"name\":["));
    for (int i = 0; i < 150; i++)
        buf_printf(&text, "%s{\"use\":\"nick\"}", i ? "," : "");
    buf_add(&text, S("]}"));
    struct json resource;
    EXPECT_INT("parse", json_parse(cx, buf_str(&text), &resource), ERR_OK);
    EXPECT_INT("refused", validate_resource(cx, resource), ERR_RULE);
    EXPECT_INT("kept", cx->issues.kept, ISSUES_MAX);
    EXPECT_INT("counted", cx->issues.count, 150);
    EXPECT_STR("last", cx->issues.list[99].path, S("Patient.name[99].use"));
}

/* Examples of the specification that break it, each with the first place where it does. */
static const struct {
    const char *file, *path;
} faulty[] = {
    { "DeviceUseStatement-example.json", "DeviceUseStatement.reasonReference[0]" },
    { "Observation-clinical-gender.json", "Observation.performer[0]" },
    { "Questionnaire-qs1.json", "Questionnaire.item[0].item[0].linkId" },
};

static str expected_fault(str file)
{
    for (size_t i = 0; i < COUNT(faulty); i++)
        if (str_eq(file, str_of(faulty[i].file)))
            return str_of(faulty[i].path);
    return S("");
}

static void check_example(struct ctx *cx, str file, str text, void *self)
{
    struct test_tally *tally = self;
    struct json resource;
    str expected = expected_fault(file), got = S("not JSON");
    if (json_parse(cx, text, &resource) == ERR_OK)
        got = validate_resource(cx, resource) ? cx->issues.list[0].path : S("");
    tally->failed += !str_eq(got, expected);
    tally->passed += got.n == 0;
    tally->skipped += got.n > 0 && str_eq(got, expected);
    EXPECT_STR(arena_cstr(cx->arena, file), got, expected);
}

TEST(the_examples_of_the_specification_validate)
{
    struct test_tally tally = { 0 };
    if (!test_each_example(cx, "r4-examples", ".json", check_example, &tally))
        return;
    printf("conformance r4-examples-validate passed %zu failed %zu skipped %zu\n", tally.passed,
           tally.failed, tally.skipped);
    EXPECT_INT("all of them", tally.passed + tally.skipped, 357);
}
