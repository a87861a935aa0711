/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE profile
#include "base/test.h"
#include "base/buf.h"
#include "fhir/package.h"
#include "fhir/profile.h"
#include "fhir/test_examples.h"
#include "fhir/xml.h"
#include <pthread.h>
#include <sys/stat.h>

/* ---- A data folder of our own ---- */

static void write_file(struct ctx *cx, str folder, const char *name, str text)
{
    str path = arena_printf(cx->arena, "%.*s/%s", STR_ARG(folder), name);
    FILE *file = fopen(arena_cstr(cx->arena, path), "wb");
    cr_assert(file != NULL);
    fwrite(text.p, 1, text.n, file);
    fclose(file);
}

/* ' for ", so that the definitions below can be read. */
static str quoted(struct ctx *cx, const char *text)
{
    char *out = (char *)arena_copy(cx->arena, str_of(text)).p;
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (out[i] == '\'')
            out[i] = '"';
        else if (out[i] == '`')
            out[i] = '\'';
    return (str){ out, n };
}

static err add_package(struct ctx *cx, str data, str from)
{
    struct package package;
    struct profile_set *set;
    str staged, final;
    TRY(package_read(cx, from, &package));
    TRY(package_stage(cx, data, &package, &staged));
    err got = profile_set_try(cx, data, staged, &set);
    if (got != ERR_OK) {
        package_discard(staged, cx->arena);
        return got;
    }
    profile_set_free(set);
    return package_commit(cx, data, staged, &final);
}

#define SD(name, type, base, elements)                                                             \
    "{'resourceType':'StructureDefinition','url':'http://x/" name "','name':'" name "',"           \
    "'status':'active','kind':'resource','abstract':false,'type':'" type "',"                      \
    "'baseDefinition':'" base "','derivation':'constraint',"                                       \
    "'differential':{'element':[" elements "]}}"
#define CORE "http://hl7.org/fhir/StructureDefinition/"

static const char *const definitions[] = {
    SD("counts", "Patient", CORE "Patient",
       "{'id':'Patient','path':'Patient'},"
       "{'id':'Patient.name','path':'Patient.name','min':1,'max':'2'},"
       "{'id':'Patient.name.family','path':'Patient.name.family','min':1},"
       "{'id':'Patient.photo','path':'Patient.photo','max':'0'},"
       "{'id':'Patient.gender','path':'Patient.gender','fixedCode':'female'},"
       "{'id':'Patient.maritalStatus','path':'Patient.maritalStatus','patternCodeableConcept':"
       "{'coding':[{'system':'http://s','code':'M'}]}},"
       "{'id':'Patient.deceased[x]','path':'Patient.deceased[x]','type':[{'code':'boolean'}]},"
       "{'id':'Patient.generalPractitioner','path':'Patient.generalPractitioner','type':"
       "[{'code':'Reference','targetProfile':['" CORE "Organization']}]}"),
    SD("limits", "Observation", CORE "Observation",
       "{'id':'Observation.value[x]','path':'Observation.value[x]','minValueInteger':2,"
       "'maxValueInteger':10},"
       "{'id':'Observation.issued','path':'Observation.issued','maxValueInstant':"
       "'2026-01-01T00:00:00Z'},"
       "{'id':'Observation.language','path':'Observation.language','maxLength':2}"),
    SD("derived", "Patient", "http://x/counts",
       "{'id':'Patient.birthDate','path':'Patient.birthDate','min':1}"),
    SD("value", "Patient", CORE "Patient",
       "{'path':'Patient.identifier','slicing':{'discriminator':[{'type':'value','path':'system'}],"
       "'rules':'closed','ordered':true}},"
       "{'path':'Patient.identifier','sliceName':'a','min':1,'max':'1'},"
       "{'path':'Patient.identifier.system','min':1,'fixedUri':'http://a'},"
       "{'path':'Patient.identifier.value','min':1},"
       "{'path':'Patient.identifier','sliceName':'b'},"
       "{'path':'Patient.identifier.system','min':1,'fixedUri':'http://b'}"),
    SD("exists", "Patient", CORE "Patient",
       "{'id':'Patient.contact','path':'Patient.contact','slicing':{'discriminator':"
       "[{'type':'exists','path':'organization'}],'rules':'open'}},"
       "{'id':'Patient.contact:org','path':'Patient.contact','sliceName':'org','max':'1'},"
       "{'id':'Patient.contact:org.organization','path':'Patient.contact.organization','min':1},"
       "{'id':'Patient.contact:person','path':'Patient.contact','sliceName':'person'},"
       "{'id':'Patient.contact:person.organization','path':'Patient.contact.organization',"
       "'max':'0'},{'id':'Patient.contact:person.name','path':'Patient.contact.name','min':1}"),
    SD("type", "Observation", CORE "Observation",
       "{'id':'Observation.value[x]:valueQuantity','path':'Observation.valueQuantity',"
       "'sliceName':'valueQuantity'},"
       "{'id':'Observation.value[x]:valueQuantity.code','path':'Observation.valueQuantity.code',"
       "'min':1,'patternCode':'kg'},"
       "{'id':'Observation.hasMember','path':'Observation.hasMember','slicing':{'discriminator':"
       "[{'type':'type','path':'resolve()'}],'rules':'open'}},"
       "{'id':'Observation.hasMember:q','path':'Observation.hasMember','sliceName':'q','max':'1',"
       "'type':[{'code':'Reference','targetProfile':['" CORE "QuestionnaireResponse']}]}"),
    SD("profiled", "Bundle", CORE "Bundle",
       "{'id':'Bundle.entry','path':'Bundle.entry','slicing':{'discriminator':"
       "[{'type':'profile','path':'resource'}],'rules':'openAtEnd'}},"
       "{'id':'Bundle.entry:p','path':'Bundle.entry','sliceName':'p','min':1},"
       "{'id':'Bundle.entry:p.resource','path':'Bundle.entry.resource','type':[{'code':'Patient',"
       "'profile':['http://x/counts']}]}"),
    SD("rules", "Patient", CORE "Patient",
       "{'id':'Patient','path':'Patient','constraint':[{'key':'r-1','severity':'error','human':"
       "'A name or an identifier','expression':'name.exists() or identifier.exists()'},"
       "{'key':'r-2','severity':'warning','human':'Telephone','expression':"
       "'telecom.where(system = `phone`).exists()'}]},"
       "{'id':'Patient.name','path':'Patient.name','constraint':[{'key':'r-3','severity':'error',"
       "'human':'No nicknames','expression':'use != `nickname`'}]}"),
    SD("bound", "Patient", CORE "Patient",
       "{'id':'Patient.maritalStatus','path':'Patient.maritalStatus','binding':{'strength':"
       "'required','valueSet':'http://x/vs'}},"
       "{'id':'Patient.language','path':'Patient.language','binding':{'strength':'required',"
       "'valueSet':'http://x/nowhere'}},"
       "{'id':'Patient.contact.relationship','path':'Patient.contact.relationship','binding':"
       "{'strength':'extensible','valueSet':'http://x/vs'}}"),
    SD("items", "Questionnaire", CORE "Questionnaire",
       "{'id':'Questionnaire.item','path':'Questionnaire.item'},"
       "{'id':'Questionnaire.item.text','path':'Questionnaire.item.text','min':1}"),
    SD("ext", "Extension", CORE "Extension",
       "{'id':'Extension','path':'Extension'},"
       "{'id':'Extension.url','path':'Extension.url','fixedUri':'http://x/ext'},"
       "{'id':'Extension.value[x]','path':'Extension.value[x]','min':1,'type':"
       "[{'code':'integer'}]}"),
    SD("found", "Extension", CORE "Extension",
       "{'id':'Extension.url','path':'Extension.url','fixedUri':'http://x/found'}"),
    SD("extended", "Patient", CORE "Patient",
       "{'id':'Patient.extension:e','path':'Patient.extension','sliceName':'e','min':1,'max':'1',"
       "'type':[{'code':'Extension','profile':['http://x/ext']}]}"),
    ("{'resourceType':'ValueSet','url':'http://x/vs','status':'active','compose':{'include':["
     "{'system':'http://x/cs','filter':[{'property':'concept','op':'is-a','value':'top'}]},"
     "{'system':'http://l','concept':[{'code':'L1'}]},{'system':'http://elsewhere'}],"
     "'exclude':[{'system':'http://x/cs','concept':[{'code':'out'}]}]}}"),
    ("{'resourceType':'CodeSystem','url':'http://x/cs','status':'active','content':'complete',"
     "'concept':[{'code':'top','concept':[{'code':'in'},{'code':'out'}]},{'code':'beside'}]}"),
};

/* The set with the definitions above; one extension for Patient alone, one for its old names. */
static struct profile_set *load_own(struct ctx *cx)
{
    str data = test_folder(cx), from = test_folder(cx);
    struct profile_set *set;
    for (size_t i = 0; i < COUNT(definitions); i++) {
        str text = quoted(cx, definitions[i]);
        if (str_find(text, S("\"http://x/ext\",\"name\"")) != STR_NONE)
            text = arena_printf(cx->arena, "{\"context\":[{\"type\":\"element\",\"expression\":"
                                           "\"Patient\"}],%.*s", (int)text.n - 1, text.p + 1);
        if (str_find(text, S("\"http://x/found\",\"name\"")) != STR_NONE)
            text = arena_printf(cx->arena, "{\"context\":[{\"type\":\"fhirpath\",\"expression\":"
                                           "\"Patient.name.where(use = 'old')\"}],%.*s",
                                (int)text.n - 1, text.p + 1);
        write_file(cx, from, arena_cstr(cx->arena, arena_printf(cx->arena, "%zu.json", i)), text);
    }
    cr_assert_eq(add_package(cx, data, from), ERR_OK);
    cr_assert_eq(profile_set_load(cx, data, &set), ERR_OK);
    return set;
}

static str say(struct ctx *cx)
{
    struct buf out = buf_make(cx->arena, 1 << 20);
    for (size_t i = 0; i < cx->issues.kept; i++) {
        const struct issue *issue = &cx->issues.list[i];
        if (issue->severity == ISSUE_INFORMATION)
            continue;
        str text = str_slice(issue->text, 0, str_find(issue->text, S(" (profile ")));
        buf_printf(&out, "%s%s%.*s: %.*s", out.n ? "\n" : "",
                   issue->severity == ISSUE_WARNING ? "warning " : "", STR_ARG(issue->path),
                   STR_ARG(text));
    }
    return buf_str(&out);
}

struct row {
    const char *profile, *resource, *expected;
};

static void check_rows(struct ctx *cx, const struct row *rows, size_t count)
{
    struct profile_set *set = load_own(cx);
    for (size_t i = 0; i < count; i++) {
        struct json resource;
        cx->issues = ctx_make(cx->arena).issues;
        str text = quoted(cx, rows[i].resource);
        EXPECT_INT(rows[i].resource, json_parse(cx, text, &resource), ERR_OK);
        str profile = rows[i].profile
            ? arena_printf(cx->arena, "http://x/%s", rows[i].profile) : (str){ 0 };
        err got = profile_validate(cx, set, resource, profile);
        EXPECT_INT(rows[i].resource, got != ERR_OK, issues_has_error(&cx->issues));
        EXPECT_STR(rows[i].resource, say(cx), str_of(rows[i].expected));
    }
    profile_set_free(set);
}

#define PAT(rest) "{'resourceType':'Patient'" rest "}"
#define OBS(rest) "{'resourceType':'Observation','status':'final','code':{'text':'x'}" rest "}"

/* What R4's own binding of Patient.maritalStatus adds. */
#define ADVISED_ALONE                                                                              \
    "warning Patient.maritalStatus: holds no code of http://hl7.org/fhir/ValueSet/marital-status," \
    " which is right only if none of its codes fits"
#define ADVISED ADVISED_ALONE "\n"

/* clang-format off: each row is a profile, a resource and what must be said of it */
static const struct row plain[] = {
    { "counts", PAT(",'name':[{'family':'a'}]"), "" },
    { "counts", PAT(""), "Patient.name: is required 1 times and there 0 (min)" },
    { "counts", PAT(",'name':[{'family':'a'},{'family':'b'},{'family':'c'}]"),
      "Patient.name: is allowed 2 times and there 3 (max)" },
    { "counts", PAT(",'name':[{'text':'a'}]"),
      "Patient.name[0].family: is required 1 times and there 0 (min)" },
    { "counts", PAT(",'name':[{'family':'a'}],'photo':[{'title':'x'}]"),
      "Patient.photo: is allowed 0 times and there 1 (max)" },
    { "counts", PAT(",'name':[{'family':'a'}],'gender':'male'"),
      "Patient.gender: must be exactly \"female\"" },
    { "counts", PAT(",'name':[{'family':'a'}],'maritalStatus':{'coding':[{'system':'http://t',"
      "'code':'M'},{'system':'http://s','code':'M','display':'x'}]}"), ADVISED_ALONE },
    { "counts", PAT(",'name':[{'family':'a'}],'maritalStatus':{'coding':[{'system':'http://t',"
      "'code':'M'}]}"), "Patient.maritalStatus: must hold at least "
      "{\"coding\":[{\"system\":\"http://s\",\"code\":\"M\"}]}\n" ADVISED_ALONE },
    { "counts", PAT(",'name':[{'family':'a'}],'deceasedDateTime':'2026'"),
      "Patient.deceased.ofType(dateTime): must be a boolean, not a dateTime" },
    { "counts", PAT(",'name':[{'family':'a'}],'generalPractitioner':[{'reference':"
      "'Practitioner/1'}]"), "Patient.generalPractitioner[0]: refers to a Practitioner that is not "
      "a http://hl7.org/fhir/StructureDefinition/Organization" },
    { "counts", OBS(""), "Observation: is a Observation, the profile is for Patient" },
    { "items", "{'resourceType':'Questionnaire','status':'draft','item':[{'linkId':'1','text':'a',"
      "'type':'group','item':[{'linkId':'2','type':'group','item':[{'linkId':'3','text':'c','type':"
      "'string'}]}]}]}",
      "Questionnaire.item[0].item[0].text: is required 1 times and there 0 (min)" },
    { "limits", OBS(",'valueInteger':10,'issued':'2026-01-01T00:00:00Z','language':'en'"), "" },
    { "limits", OBS(",'valueInteger':11,'issued':'2026-01-01T00:00:01Z','language':'eng'"),
      "Observation.value.ofType(integer): must be 10 or less (maxValue)\n"
      "Observation.issued: must be \"2026-01-01T00:00:00Z\" or less (maxValue)\n"
      "Observation.language: is longer than 2 characters (maxLength)" },
    { "limits", OBS(",'valueInteger':1"),
      "Observation.value.ofType(integer): must be 2 or more (minValue)" },
    { "derived", PAT(",'gender':'male'"),
      "Patient.name: is required 1 times and there 0 (min)\n"
      "Patient.gender: must be exactly \"female\"\n"
      "Patient.birthDate: is required 1 times and there 0 (min)" },
    { NULL, PAT(",'meta':{'profile':['http://x/derived']},'name':[{'family':'a'}]"),
      "Patient.birthDate: is required 1 times and there 0 (min)" },
    { NULL, PAT(",'meta':{'profile':['" CORE "Patient']}"), "" },
    { NULL, PAT(",'meta':{'profile':['" CORE "Observation']}"),
      "Patient: is not a Observation, which its meta.profile claims" },
    { NULL, PAT(",'meta':{'profile':['http://unknown']}"),
      "warning Patient: not checked: the profile http://unknown it claims is not loaded" },
};
static const struct row sliced[] = {
    { "value", PAT(",'identifier':[{'system':'http://a','value':'1'},{'system':'http://b'}]"), "" },
    { "value", PAT(",'identifier':[{'system':'http://b'}]"),
      "Patient.identifier: slice a is required 1 times and there 0 (min)" },
    { "value", PAT(",'identifier':[{'system':'http://a'}]"),
      "Patient.identifier[0].value: is required 1 times and there 0 (min)" },
    { "value", PAT(",'identifier':[{'system':'http://a','value':'1'},{'system':'http://a',"
      "'value':'2'}]"), "Patient.identifier: slice a is allowed 1 times and there 2 (max)" },
    { "value", PAT(",'identifier':[{'system':'http://a','value':'1'},{'system':'http://c'}]"),
      "Patient.identifier[1]: belongs to none of the slices, and no other is allowed (closed)" },
    { "value", PAT(",'identifier':[{'system':'http://b'},{'system':'http://a','value':'1'}]"),
      "Patient.identifier[1]: is out of the order of the slices (ordered)" },
    { "exists", PAT(",'contact':[{'organization':{'display':'x'}},{'name':{'text':'x'}}]"), "" },
    { "exists", PAT(",'contact':[{'gender':'male'}]"),
      "Patient.contact[0]: breaks rule pat-1: SHALL at least contain a contact's details or a "
      "reference to an organization\n"
      "Patient.contact[0].name: is required 1 times and there 0 (min)" },
    { "exists", PAT(",'contact':[{'organization':{'display':'x'}},{'organization':{'display':"
      "'y'}}]"), "Patient.contact: slice org is allowed 1 times and there 2 (max)" },
    { "exists", PAT(",'contact':[{'telecom':[{'value':'x','system':'phone'}]}]"),
      "Patient.contact[0].name: is required 1 times and there 0 (min)" },
    { "type", OBS(",'valueQuantity':{'value':1,'code':'kg','system':'http://u'}"), "" },
    { "type", OBS(",'valueQuantity':{'value':1,'code':'g','system':'http://u'}"),
      "Observation.value.ofType(Quantity).code: must hold at least \"kg\"" },
    { "type", OBS(",'valueString':'x'"), "" },
    { "type", OBS(",'contained':[{'resourceType':'QuestionnaireResponse','id':'q','status':"
      "'completed'},{'resourceType':'QuestionnaireResponse','id':'r','status':'completed'}],"
      "'hasMember':[{'reference':'#q'},{'reference':'#r'}]"),
      "Observation.hasMember: slice q is allowed 1 times and there 2 (max)" },
    { "profiled", "{'resourceType':'Bundle','type':'collection','entry':[{'fullUrl':'http://a/1',"
      "'resource':{'resourceType':'Patient','name':[{'family':'x'}]}}]}", "" },
    { "profiled", "{'resourceType':'Bundle','type':'collection','entry':[{'fullUrl':'http://a/1',"
      "'resource':{'resourceType':'Patient'}}]}",
      "Bundle.entry: slice p is required 1 times and there 0 (min)" },
    { "profiled", "{'resourceType':'Bundle','type':'collection','entry':[{'fullUrl':'http://a/1',"
      "'resource':{'resourceType':'Patient'}},{'fullUrl':'http://a/2','resource':"
      "{'resourceType':'Patient','name':[{'family':'x'}]}}]}",
      "Bundle.entry[1]: stands after items of no slice (openAtEnd)" },
};
static const struct row ruled[] = {
    { "rules", PAT(",'name':[{'family':'a'}],'telecom':[{'system':'phone','value':'1'}]"), "" },
    { "rules", PAT(",'telecom':[{'system':'phone','value':'1'}]"),
      "Patient: breaks rule r-1: A name or an identifier" },
    { "rules", PAT(",'name':[{'use':'official'}]"), "warning Patient: breaks rule r-2: Telephone" },
    { "rules", PAT(",'name':[{'use':'nickname'}],'telecom':[{'system':'phone','value':'1'}]"),
      "Patient.name[0]: breaks rule r-3: No nicknames" },
    { NULL, OBS(",'valueString':'x','dataAbsentReason':{'text':'x'}"),
      "Observation: breaks rule obs-6: dataAbsentReason SHALL only be present if "
      "Observation.value[x] is not present" },
    { NULL, PAT(",'name':[{'period':{'start':'2026','end':'2025'}}]"),
      "Patient.name[0].period: breaks rule per-1: If present, start SHALL have a lower value "
      "than end" },
    { "bound", PAT(",'maritalStatus':{'coding':[{'system':'http://x/cs','code':'in'}]}"),
      ADVISED_ALONE },
    { "bound", PAT(",'maritalStatus':{'coding':[{'system':'http://x/cs','code':'top'}]}"),
      ADVISED_ALONE },
    { "bound", PAT(",'maritalStatus':{'coding':[{'system':'http://l','code':'L1'}]}"),
      ADVISED_ALONE },
    { NULL, PAT(",'maritalStatus':{'coding':[{'system':"
      "'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus','code':'M'}]}"), "" },
    { "bound", PAT(",'maritalStatus':{'coding':[{'system':'http://x/cs','code':'out'}]}"),
      "Patient.maritalStatus: holds no code of http://x/vs, from which one is required\n"
      ADVISED_ALONE },
    { "bound", PAT(",'maritalStatus':{'coding':[{'system':'http://x/cs','code':'beside'}]}"),
      "Patient.maritalStatus: holds no code of http://x/vs, from which one is required\n"
      ADVISED_ALONE },
    { "bound", PAT(",'maritalStatus':{'coding':[{'system':'http://elsewhere','code':'q'}]}"),
      ADVISED "warning Patient.maritalStatus: not checked: the codes of http://x/vs are not all "
      "loaded here" },
    { "bound", PAT(",'language':'en'"), "warning Patient.language: not checked: the codes of "
      "http://x/nowhere are not all loaded here" },
    { "bound", PAT(",'contact':[{'name':{'text':'x'},'relationship':[{'coding':[{'system':"
      "'http://x/cs','code':'beside'}]}]}]"), "warning Patient.contact[0].relationship[0]: holds "
      "no code of http://hl7.org/fhir/ValueSet/patient-contactrelationship, which is right only if "
      "none of its codes fits\nwarning Patient.contact[0].relationship[0]: holds no code of "
      "http://x/vs, which is right only if none of its codes fits" },
    { "extended", PAT(",'extension':[{'url':'http://x/ext','valueInteger':1}]"), "" },
    { "extended", PAT(""), "Patient.extension: slice e is required 1 times and there 0 (min)" },
    { "extended", PAT(",'extension':[{'url':'http://x/ext','valueString':'1'}]"),
      "Patient.extension[0].value.ofType(string): must be a integer, not a string" },
    { NULL, OBS(",'extension':[{'url':'http://x/ext','valueInteger':1}]"),
      "Observation.extension[0]: the extension may not be used here, at Observation" },
    { NULL, PAT(",'name':[{'use':'old','extension':[{'url':'http://x/found','valueInteger':1}]}]"),
      "" },
    { NULL, PAT(",'name':[{'use':'old'},{'extension':[{'url':'http://x/found',"
                "'valueInteger':1}]}]"),
      "Patient.name[1].extension[0]: the extension may not be used here, at Patient.name" },
    { NULL, PAT(",'extension':[{'url':'http://y','valueInteger':1}]"), "warning "
      "Patient.extension[0]: not checked: no definition of extension http://y is loaded" },
    { NULL, PAT(",'modifierExtension':[{'url':'http://y','valueInteger':1}]"),
      "Patient.modifierExtension[0]: http://y changes the meaning of what it stands in and is not "
      "known here" },
    { NULL, PAT(",'extension':[{'url':'http://x/ext'}]"),
      "Patient.extension[0]: breaks rule ext-1: Must have either extensions or value[x], not both\n"
      "Patient.extension[0].value: is required 1 times and there 0 (min)" },
};
/* clang-format on */

TEST(counts_values_types_and_targets_are_held) { check_rows(cx, plain, COUNT(plain)); }
TEST(slices_are_told_apart) { check_rows(cx, sliced, COUNT(sliced)); }
TEST(rules_codes_and_extensions_are_held) { check_rows(cx, ruled, COUNT(ruled)); }

TEST(a_package_that_cannot_load_changes_nothing)
{
    static const struct {
        const char *name, *text;
    } broken[] = {
        { "not JSON", "{" },
        { "no definition", "{'resourceType':'Patient'}" },
        { "base not loaded", SD("b", "Patient", "http://nowhere", "{'path':'Patient'}") },
        { "based on itself", SD("b", "Patient", "http://x/b", "{'path':'Patient'}") },
        { "no such type", SD("b", "Ward", CORE "Patient", "{'path':'Ward'}") },
    };
    str data = test_folder(cx), good = test_folder(cx), *files;
    size_t count;
    write_file(cx, good, "a.json", quoted(cx, definitions[0]));
    EXPECT_INT("good", add_package(cx, data, good), ERR_OK);
    for (size_t i = 0; i < COUNT(broken); i++) {
        str bad = test_folder(cx);
        write_file(cx, bad, "b.json", quoted(cx, broken[i].text));
        EXPECT(broken[i].name, add_package(cx, data, bad) != ERR_OK);
        EXPECT(broken[i].name, cx->issues.count > 0);
        EXPECT_INT(broken[i].name, package_list(cx, data, &files, &count), ERR_OK);
        EXPECT_INT(broken[i].name, count, 1);
    }
    EXPECT_INT("again", add_package(cx, data, good), ERR_OK);
    EXPECT_INT("again", package_list(cx, data, &files, &count), ERR_OK);
    EXPECT_INT("replaces itself", count, 1);
}

TEST(an_unknown_profile_is_not_found)
{
    struct profile_set *set;
    struct json resource;
    EXPECT_INT("R4 alone", profile_set_load(cx, (str){ 0 }, &set), ERR_OK);
    EXPECT_INT("parse", json_parse(cx, S("{\"resourceType\":\"Patient\"}"), &resource), ERR_OK);
    EXPECT_INT("unknown", profile_validate(cx, set, resource, S("http://none")), ERR_NOT_FOUND);
    profile_set_free(set);
}

TEST(vital_signs_of_r4_itself_are_known)
{
    struct profile_set *set;
    struct json resource;
    str weight = quoted(cx, "{'resourceType':'Observation','status':'final','category':[{'coding':["
        "{'system':'http://terminology.hl7.org/CodeSystem/observation-category','code':"
        "'vital-signs'}]}],'code':{'coding':[{'system':'http://loinc.org','code':'29463-7'}]},"
        "'subject':{'reference':'Patient/1'},'effectiveDateTime':'2026-01-01','valueQuantity':"
        "{'value':80,'unit':'kg','system':'http://unitsofmeasure.org','code':'%s'}}");
    EXPECT_INT("load", profile_set_load(cx, (str){ 0 }, &set), ERR_OK);
    for (int wrong = 0; wrong < 2; wrong++) {
        size_t at = str_find(weight, S("%s"));
        str text = arena_printf(cx->arena, "%.*s%s%.*s", (int)at, weight.p, wrong ? "st" : "kg",
                                (int)(weight.n - at - 2), weight.p + at + 2);
        EXPECT_INT("parse", json_parse(cx, text, &resource), ERR_OK);
        EXPECT_INT(wrong ? "stone" : "kg",
                   profile_validate(cx, set, resource, S(CORE "bodyweight")),
                   wrong ? ERR_RULE : ERR_OK);
    }
    profile_set_free(set);
}

/* ---- Many at once ---- */

struct asker {
    struct profile_set *set;
    pthread_t thread;
    size_t refused;
};

static void *ask(void *self)
{
    struct asker *asker = self;
    struct arena arena = arena_make((size_t)64 << 20);
    static const char *const profiles[] = { "bmi", "bodyweight", "heartrate", "bp", "bodytemp",
                                            "vitalsigns", "oxygensat", "headcircum" };
    for (size_t i = 0; i < 64; i++) {
        struct ctx cx = ctx_make(&arena);
        struct json resource;
        str url = arena_printf(&arena, CORE "%s", profiles[i % COUNT(profiles)]);
        str text = S("{\"resourceType\":\"Observation\",\"status\":\"final\","
                     "\"code\":{\"text\":\"x\"}}");
        if (json_parse(&cx, text, &resource) == ERR_OK)
            asker->refused += profile_validate(&cx, asker->set, resource, url) == ERR_RULE;
        ctx_release(&cx);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return NULL;
}

TEST(profiles_are_built_once_while_many_ask)
{
    struct asker askers[8] = { 0 };
    struct profile_set *set;
    EXPECT_INT("load", profile_set_load(cx, (str){ 0 }, &set), ERR_OK);
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i].set = set;
        cr_assert_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(askers); i++) {
        pthread_join(askers[i].thread, NULL);
        EXPECT_INT("all refused", askers[i].refused, 64);
    }
    profile_set_free(set);
}

/* ---- Examples ---- */

struct examples {
    struct profile_set *set;
    struct test_tally tally;
    size_t profiles_count;
    const char *const (*faulty)[2];
    size_t faulty_count;
};

static str expected_in(const struct examples *x, str file)
{
    for (size_t i = 0; i < x->faulty_count; i++)
        if (str_eq(file, str_of(x->faulty[i][0])))
            return str_of(x->faulty[i][1]);
    return S("");
}

static void judge(struct ctx *cx, struct examples *x, str file, err got)
{
    str expected = expected_in(x, file), fault = S("");
    for (size_t i = cx->issues.kept; got != ERR_OK && i-- > 0;)
        if (cx->issues.list[i].severity == ISSUE_ERROR)
            fault = cx->issues.list[i].path;
    bool same = str_eq(fault, expected);
    x->tally.passed += same && fault.n == 0;
    x->tally.skipped += same && fault.n > 0;
    x->tally.failed += !same;
    EXPECT_STR(arena_cstr(cx->arena, file), fault, expected);
}

static void check_r4(struct ctx *cx, str file, str text, void *self)
{
    struct examples *x = self;
    struct json resource;
    err got = json_parse(cx, text, &resource);
    judge(cx, x, file, got ? got : profile_validate(cx, x->set, resource, (str){ 0 }));
}

/* Each is skipped with the first place where it breaks R4. The modifier extensions of
 * Basic-referral are of example.org: nobody can know what they mean. */
static const char *const faulty_r4[][2] = {
    { "Basic-referral.json", "Basic.modifierExtension[0]" },
    { "DeviceUseStatement-example.json", "DeviceUseStatement.reasonReference[0]" },
    { "Observation-clinical-gender.json", "Observation.performer[0]" },
    { "Questionnaire-qs1.json", "Questionnaire.item[0].item[0].linkId" },
};

TEST(the_examples_of_the_specification_keep_its_invariants)
{
    struct examples x = { .faulty = faulty_r4, .faulty_count = COUNT(faulty_r4) };
    EXPECT_INT("load", profile_set_load(cx, (str){ 0 }, &x.set), ERR_OK);
    if (test_each_example(cx, "r4-examples", ".json", check_r4, &x)) {
        printf("conformance r4-examples-invariants passed %zu failed %zu skipped %zu\n",
               x.tally.passed, x.tally.failed, x.tally.skipped);
        EXPECT_INT("all", x.tally.passed + x.tally.skipped, 357);
    }
    profile_set_free(x.set);
}

static void take_profile(struct ctx *cx, str file, str text, void *self)
{
    (void)cx;
    (void)text;
    (void)file;
    ((struct examples *)self)->profiles_count++;
}

/* The profile whose name the file's name begins with, the longest such: UK Core's examples do not
 * claim theirs. */
static str profile_for(struct ctx *cx, struct profile_set *set, str file)
{
    str best = str_slice(file, 0, str_find(file, S("-Example")));
    for (; best.n > 7; best.n--) {
        str url = arena_printf(cx->arena, "https://fhir.hl7.org.uk/StructureDefinition/%.*s",
                               STR_ARG(best));
        if (profile_set_has(set, url))
            return url;
    }
    return (str){ 0 };
}

static void check_uk(struct ctx *cx, str file, str text, void *self)
{
    struct examples *x = self;
    struct json resource;
    str profile = str_starts(file, S("UKCore-")) ? profile_for(cx, x->set, file) : (str){ 0 };
    err got = fhir_xml_read(cx, text, &resource);
    judge(cx, x, file, got ? got : profile_validate(cx, x->set, resource, profile));
}

/* The first holds two values of one extension; the others a reference without a type. */
static const char *const faulty_uk[][2] = {
    { "Extension-UKCore-ConditionEpisode-Example.xml", "Condition.extension[0].value" },
    { "UKCore-MedicationDispense-Amoxicillin-Example.xml",
      "MedicationDispense.authorizingPrescription[0]" },
    { "UKCore-MedicationDispense-CiprofloxacinOral-Example.xml",
      "MedicationDispense.authorizingPrescription[0]" },
};

TEST(uk_core_loads_whole_and_its_examples_validate)
{
    struct examples x = { .faulty = faulty_uk, .faulty_count = COUNT(faulty_uk) };
    if (!test_each_example(cx, "ukcore/structuredefinitions", ".xml", take_profile, &x))
        return;
    str data = test_folder(cx);
    EXPECT_INT("add", add_package(cx, data, test_data_path(cx->arena, "ukcore")), ERR_OK);
    EXPECT_INT("load", profile_set_load(cx, data, &x.set), ERR_OK);
    struct profile_counts n = profile_set_counts(x.set);
    EXPECT_INT("structure definitions", n.profiles + n.extensions, x.profiles_count);
    EXPECT_INT("value sets", n.value_sets, 134);
    EXPECT_INT("code systems", n.code_systems, 88);
    test_each_example(cx, "ukcore/examples", ".xml", check_uk, &x);
    printf("conformance ukcore-examples passed %zu failed %zu skipped %zu\n", x.tally.passed,
           x.tally.failed, x.tally.skipped);
    profile_set_free(x.set);
}
