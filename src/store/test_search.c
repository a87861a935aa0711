/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE search
#include "store/search.h"
#include "store/sort.h"
#include "store/test_record.h"
#include <stdio.h>

/*
 * One small ward; each row asks it something and names the ids of the answer in order. Rows stand
 * on both sides of each boundary.
 */
static const char *const ward[] = {
    "{\"resourceType\":\"Patient\",\"id\":\"ann\",\"active\":true,\"gender\":\"female\","
    "\"identifier\":[{\"system\":\"urn:nhs\",\"value\":\"9990000001\"}],"
    "\"birthDate\":\"1980-05-17\","
    "\"name\":[{\"family\":\"O\xc3\x89" "chsle\",\"given\":[\"Ann\",\"Marie\"]}],"
    "\"telecom\":[{\"system\":\"phone\",\"value\":\"0113\"},{\"system\":\"email\","
    "\"value\":\"a@b.c\"}],"
    "\"address\":[{\"city\":\"Leeds\",\"postalCode\":\"LS1 1AA\"}],"
    "\"generalPractitioner\":[{\"reference\":\"Practitioner/gp\"}],"
    "\"managingOrganization\":{\"identifier\":{\"system\":\"ods\",\"value\":\"RR8\"}}}",
    "{\"resourceType\":\"Patient\",\"id\":\"bob\",\"active\":false,\"gender\":\"male\","
    "\"identifier\":[{\"system\":\"urn:nhs\",\"value\":\"9990000002\"},{\"value\":\"bare\"}],"
    "\"name\":[{\"family\":\"Smith\",\"given\":[\"Bob\"]}],\"birthDate\":\"1980\","
    "\"deceasedDateTime\":\"2020-01-01\",\"meta\":{\"tag\":[{\"system\":\"t\",\"code\":\"x\"}]}}",
    "{\"resourceType\":\"Patient\",\"id\":\"cat\",\"identifier\":[{\"type\":{\"coding\":[{"
    "\"system\":"
    "\"v2\",\"code\":\"MR\"}]},\"value\":\"77\"}],\"name\":[{\"family\":\"smithers\"}],"
    "\"link\":[{\"other\":{\"reference\":\"Patient/ann\"},\"type\":\"seealso\"}]}",
    "{\"resourceType\":\"Practitioner\",\"id\":\"gp\",\"name\":[{\"family\":\"Gray\"}]}",
    "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"status\":\"final\","
    "\"code\":{\"coding\":[{\"system\":\"l\",\"code\":\"hr\"}]},\"subject\":{"
    "\"reference\":\"Patient/ann\"},"
    "\"effectiveDateTime\":\"2026-01-10T10:00:00Z\","
    "\"valueQuantity\":{\"value\":5.4,\"unit\":\"mg\",\"system\":\"http://unitsofmeasure.org\","
    "\"code\":\"mg\"}}",
    "{\"resourceType\":\"Observation\",\"id\":\"o2\",\"status\":\"amended\","
    "\"code\":{\"coding\":[{\"system\":\"l\",\"code\":\"hr\"},{\"system\":\"s\",\"code\":\"78\"}]},"
    "\"subject\":{\"reference\":\"Patient/bob\"},\"effectivePeriod\":{\"start\":\"2026-01-05\","
    "\"end\":"
    "\"2026-01-12\"},\"valueQuantity\":{\"value\":5.449,\"unit\":\"milligram\",\"system\":"
    "\"http://unitsofmeasure.org\",\"code\":\"mg\"}}",
    "{\"resourceType\":\"Observation\",\"id\":\"o3\",\"status\":\"final\","
    "\"code\":{\"coding\":[{\"system\":\"s\",\"code\":\"hr\"}]},\"subject\":{"
    "\"reference\":\"Patient/ann\"},"
    "\"effectiveDateTime\":\"2026-01-11\",\"valueQuantity\":{\"value\":5.45,\"unit\":\"kg\"},"
    "\"performer\":[{\"reference\":\"Practitioner/gp\"}]}",
    "{\"resourceType\":\"Observation\",\"id\":\"o4\",\"status\":\"final\",\"code\":{"
    "\"text\":\"free\"},"
    "\"component\":[{\"code\":{\"coding\":[{\"system\":\"l\",\"code\":\"sys\"}]},"
    "\"valueQuantity\":{\"value\":120,\"unit\":\"mmHg\"}},{\"code\":{\"coding\":[{\"system\":\"l\","
    "\"code\":\"dia\"}]},\"valueQuantity\":{\"value\":80,\"unit\":\"mmHg\"}}]}",
    "{\"resourceType\":\"Observation\",\"id\":\"o5\",\"status\":\"registered\",\"code\":{"
    "\"text\":\"How they feel\",\"coding\":[{\"system\":\"l\",\"code\":\"mood\","
    "\"display\":\"Mood now\"}]},\"valueCodeableConcept\":{\"coding\":[{\"system\":\"l\","
    "\"code\":\"sad\"}]},\"component\":[{\"code\":{\"coding\":[{\"system\":\"l\","
    "\"code\":\"left\"}]},\"valueCodeableConcept\":{\"coding\":[{\"system\":\"l\","
    "\"code\":\"blue\"}]}},{\"code\":{\"coding\":[{\"system\":\"l\",\"code\":\"right\"}]},"
    "\"valueCodeableConcept\":{\"coding\":[{\"system\":\"l\",\"code\":\"red\"}]}}]}",
    "{\"resourceType\":\"Encounter\",\"id\":\"e1\",\"status\":\"in-progress\",\"class\":{"
    "\"code\":\"IMP\"},"
    "\"text\":{\"status\":\"generated\",\"div\":\"<div "
    "xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><b>Acute</b> ward</div>\"},"
    "\"subject\":{\"reference\":\"Patient/ann\"},\"period\":{\"start\":\"2026-01-01\"}}",
    "{\"resourceType\":\"ValueSet\",\"id\":\"v1\",\"status\":\"draft\","
    "\"url\":\"http://x.org/fhir/vs/1\","
    "\"compose\":{\"include\":[{\"system\":\"l\",\"concept\":[{\"code\":\"hr\"}]}]}}",
    "{\"resourceType\":\"CodeSystem\",\"id\":\"c1\",\"status\":\"draft\",\"content\":\"complete\","
    "\"url\":\"l\",\"concept\":[{\"code\":\"vital\",\"concept\":[{\"code\":\"hr\"}]}]}",
    "{\"resourceType\":\"List\",\"id\":\"l1\",\"status\":\"current\",\"mode\":\"working\","
    "\"entry\":["
    "{\"item\":{\"reference\":\"Patient/ann\"}},{\"item\":{\"reference\":\"Encounter/e1\"}},"
    "{\"deleted\":true,\"item\":{\"reference\":\"Patient/bob\"}}]}",
    "{\"resourceType\":\"Location\",\"id\":\"loc\",\"position\":{\"latitude\":53.79,"
    "\"longitude\":-1.53}}",
    "{\"resourceType\":\"SearchParameter\",\"id\":\"own\",\"url\":\"http://x.org/own\","
    "\"name\":\"own\",\"status\":\"active\",\"description\":\"town\",\"code\":\"own\","
    "\"base\":[\"Patient\"],\"type\":\"string\",\"expression\":\"Patient.address.city\"}",
    "{\"resourceType\":\"RiskAssessment\",\"id\":\"r1\",\"status\":\"final\",\"subject\":{"
    "\"reference\":"
    "\"Patient/ann\"},\"prediction\":[{\"probabilityDecimal\":0.8}]}",
};

static struct store *open_ward(struct ctx *cx, str folder)
{
    struct store *store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(ward); i++) {
        struct json body = record_json(cx, ward[i]);
        struct commit_op op = {
            .verb = COMMIT_UPDATE, .body = body,
            .resource = fhir_resource_find(json_string(cx->arena, json_get(body, S("resourceTy"
              "pe")))),
            .id = json_string(cx->arena, json_get(body, S("id"))),
        };
        cr_assert(record_do(cx, store, &op) == ERR_OK, "%s: %.*s", ward[i],
                  STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("")));
    }
    return store;
}

/* Type?query, as a client writes it, or Compartment/id/Type?query. */
static struct search_request request_of(const char *text)
{
    str rest = str_of(text), path, word[3] = { { 0 } };
    struct search_request request = { .resource = FHIR_NONE };
    str_next(&rest, '?', &path);
    request.query = rest.p ? rest : S("");
    size_t count = 0;
    while (count < 3 && str_next(&path, '/', &word[count]))
        count++;
    str type = word[count - 1];
    if (count == 3) {
        request.compartment = word[0];
        request.compartment_id = word[1];
    }
    if (type.n && !str_eq(type, S("*")))
        request.resource = fhir_resource_find(type);
    return request;
}

static str ids_of(struct ctx *cx, const struct search_page *page)
{
    str ids = S("");
    for (size_t i = 0; i < page->entries_count; i++)
        ids = arena_printf(cx->arena, "%.*s%s%s%.*s", STR_ARG(ids), i ? " " : "",
                           page->entries[i].mode == SEARCH_INCLUDE ? "+" : "",
                           STR_ARG(page->entries[i].version.id));
    return ids;
}

static str first_issue(const struct ctx *cx)
{
    return cx->issues.kept ? cx->issues.list[0].text : S("");
}

/* Asks in a ctx of its own, as a request would. */
static str ask(struct ctx *cx, struct store *store, const char *text)
{
    struct ctx one = ctx_make(cx->arena);
    struct search_page page;
    struct search_request request = request_of(text);
    one.now_ms = cx->now_ms;
    err wrong = search_run(&one, store, &request, &page);
    str answer = wrong ? arena_printf(cx->arena, "%s: %.*s", err_name(wrong),
                                      STR_ARG(first_issue(&one)))
                       : ids_of(cx, &page);
    ctx_release(&one);
    return answer;
}

static const struct {
    const char *query, *ids;
} rows[] = {
    /* token */
    { "Patient?gender=female", "ann" },
    { "Patient?gender=http://hl7.org/fhir/administrative-gender|male", "bob" },
    { "Patient?gender=http://other|male", "" },
    { "Patient?gender=female,male", "bob ann" },
    { "Patient?identifier=9990000001", "ann" },
    { "Patient?identifier=urn:nhs|9990000002", "bob" },
    { "Patient?identifier=urn:nhs|", "bob ann" },
    { "Patient?identifier=|bare", "bob" },
    { "Patient?identifier=|9990000001", "" },
    { "Patient?active=true", "ann" },
    { "Patient?deceased=true", "bob" },
    { "Patient?deceased=false", "ann cat" },
    { "Patient?telecom=0113", "ann" },
    { "Patient?phone=0113", "ann" },
    { "Patient?phone=a@b.c", "" },
    { "Patient?email=a@b.c", "ann" },
    { "Patient?gender:not=female", "bob cat" },
    { "Patient?gender:missing=true", "cat" },
    { "Patient?gender:missing=false", "bob ann" },
    { "Patient?_tag=t|x", "bob" },
    { "Patient?_id=bob,ann", "bob ann" },
    { "Patient?_id=nobody", "" },
    { "Observation?code=hr", "o2 o1 o3" },
    { "Observation?code=l|hr", "o2 o1" },
    { "Observation?code=s|", "o2 o3" },
    { "Observation?code=l|hr&code=s|78", "o2" },
    { "Observation?combo-code=l|sys", "o4" },
    { "Observation?status=final&code=l|hr", "o1" },
    /* string */
    { "Patient?name=smith", "bob cat" },
    { "Patient?family=SMITH", "bob cat" },
    { "Patient?family:exact=Smith", "bob" },
    { "Patient?family:exact=smith", "" },
    { "Patient?family:contains=mith", "bob cat" },
    { "Patient?name=oechsle", "ann" },
    { "Patient?given=mar", "ann" },
    { "Patient?name=ann&name=marie", "ann" },
    { "Patient?address-city=lee", "ann" },
    { "Patient?address=LS1", "ann" },
    { "Patient?name=x\\,y", "" },
    /* reference */
    { "Observation?subject=Patient/ann", "o1 o3" },
    { "Observation?subject=ann", "o1 o3" },
    { "Observation?patient=ann", "o1 o3" },
    { "Observation?subject:Patient=ann", "o1 o3" },
    { "Observation?subject=Patient/nobody", "" },
    { "Observation?subject:missing=true", "o4 o5" },
    { "Observation?performer=Practitioner/gp&subject=Patient/ann", "o3" },
    { "Patient?organization:identifier=ods|RR8", "ann" },
    { "Patient?organization:identifier=ods|RR9", "" },
    /* date: o1 is an instant on the 10th, o2 the 5th to the 12th, o3 the 11th */
    { "Observation?date=2026-01-10", "o1" },
    { "Observation?date=2026-01", "o2 o1 o3" },
    { "Observation?date=ge2026-01-11", "o2 o3" },
    { "Observation?date=gt2026-01-11", "o2" },
    { "Observation?date=gt2026-01-12", "" },
    { "Observation?date=ge2026-01-12", "o2" },
    { "Observation?date=ge2026-01-13", "" },
    { "Observation?date=lt2026-01-10", "o2" },
    { "Observation?date=le2026-01-10", "o2 o1" },
    { "Observation?date=lt2026-01-05", "" },
    { "Observation?date=sa2026-01-05", "o1 o3" },
    { "Observation?date=sa2026-01-04", "o2 o1 o3" },
    { "Observation?date=eb2026-01-11", "o1" },
    { "Observation?date=eb2026-01-12", "o1 o3" },
    { "Observation?date=eb2026-01-13", "o2 o1 o3" },
    { "Observation?date=ne2026-01-10", "o2 o3" },
    { "Observation?date=2026-01-10T10:00:00Z", "o1" },
    { "Observation?date=2026-01-10T10:00", "o1" },
    { "Observation?date=2026-01-10T10:00:01Z", "" },
    { "Observation?date=ge2026-01-06&date=le2026-01-10&code=hr", "o2 o1" },
    { "Observation?date:missing=true", "o4 o5" },
    { "Encounter?date=ge2030", "e1" },
    { "Encounter?date=lt2026-01-01", "" },
    { "Patient?birthdate=1980", "bob ann" },
    { "Patient?birthdate=1980-05", "ann" },
    { "Patient?birthdate=gt1980-05-17", "bob" },
    { "Patient?birthdate=eb1981", "bob ann" },
    /* number, quantity */
    { "RiskAssessment?probability=gt0.8", "" },
    { "RiskAssessment?probability=ge0.8", "r1" },
    { "RiskAssessment?probability=0.8", "r1" },
    { "RiskAssessment?probability=0.80", "r1" },
    { "RiskAssessment?probability=0.81", "" },
    { "Observation?value-quantity=5.4", "o1 o2" },
    { "Observation?value-quantity=5.40", "o1" },
    { "Observation?value-quantity=5.4||mg", "o1 o2" },
    { "Observation?value-quantity=5.4||milligram", "o2" },
    { "Observation?value-quantity=5.4|http://unitsofmeasure.org|mg", "o1 o2" },
    { "Observation?value-quantity=gt5.4&code=hr", "o2 o3" },
    { "Observation?value-quantity=gt5.4&code=l|hr", "o2" },
    { "Observation?value-quantity=ne5.4", "o3" },
    { "Observation?value-quantity=ap5", "o1 o2 o3" },
    { "Observation?component-value-quantity=lt100", "o4" },
    { "Observation?combo-value-quantity=gt100", "o4" },
    { "Observation?value-quantity=5.4e-3|http://unitsofmeasure.org|g", "o1 o2" },
    { "Observation?value-quantity=gt0.0054||g", "o2" },
    { "Observation?value-quantity=lt1||mL", "" },
    /* composites: code and value of one and the same element */
    { "Observation?code-value-quantity=l|hr$5.4", "o1 o2" },
    { "Observation?code-value-quantity=hr$gt5.4", "o2 o3" },
    { "Observation?component-code-value-quantity=l|sys$gt100", "o4" },
    { "Observation?component-code-value-quantity=l|dia$gt100", "" },
    { "Observation?combo-code-value-quantity=l|dia$80,l|hr$ge5.449", "o2 o4" },
    { "Observation?code-value-concept=l|mood$l|sad", "o5" },
    { "Observation?component-code-value-concept=l|left$l|red", "" },
    { "Observation?component-code-value-concept=l|left$l|blue", "o5" },
    { "Observation?combo-code-value-concept=l|mood$l|blue", "" },
    { "Observation?code-value-quantity=l|hr",
      "invalid: \"l|hr\" needs 2 values with '$' between them" },
    /* words and types of codes */
    { "Observation?code:text=free", "o4" },
    { "Observation?code:text=how they", "o5" },
    { "Observation?code:text=mood now", "o5" },
    { "Observation?code:text=they", "" },
    { "Observation?code=free", "" },
    { "Observation?code:missing=true", "" },
    { "Observation?code:code-text=h", "o2 o1 o3" },
    { "Patient?identifier:of-type=v2|MR|77", "cat" },
    { "Patient?identifier:of-type=v2|NH|77", "" },
    /* _filter, _list, _text, _content, near, value sets, the server's own parameters */
    { "Patient?_filter=gender eq male", "bob" },
    { "Patient?_filter=gender ne male", "ann cat" },
    { "Patient?_filter=name co \"mit\" and not (gender eq male)", "cat" },
    { "Patient?_filter=gender eq female or (name sw smi and birthdate pr true)", "bob ann" },
    { "Patient?_filter=family eq \"Smith\"", "bob" },
    { "Patient?_filter=gender is male", "invalid: _filter: \"is\" is not an operator; there are eq "
      "ne co sw ew gt lt ge le ap sa eb pr po ss sb in ni re" },
    { "Patient?_filter=family ew \"mith\"", "bob" }, { "Patient?_filter=family ew \"smit\"", "" },
    { "Patient?_filter=gender eq male and", "invalid: _filter: a comparison is missing before "
      "\"\"" },
    { "Patient?_list=l1", "ann" },
    { "Patient?_list=l2", "" },
    { "Encounter?_text=acute ward", "e1" },
    { "Encounter?_text=div", "" },
    { "Encounter?_text=ACUTE", "e1" },
    { "Encounter?_text=acut", "" },
    { "Encounter?_text=acut*", "e1" },
    { "Encounter?_text=\"acute ward\"", "e1" },
    { "Encounter?_text=\"ward acute\"", "" },
    { "Encounter?_text=\"acute wa\"*", "e1" },
    { "Encounter?_text=ward NOT acute", "" },
    { "Encounter?_text=ward NOT surgical", "e1" },
    { "Encounter?_text=surgical OR (ward AND acute)", "e1" },
    { "Encounter?_text=surgical,ward", "e1" },
    { "Encounter?_text=in-progress", "" },
    { "Encounter?_content=in-progress", "e1" },
    { "Encounter?_content=acute", "e1" },
    { "Encounter?_content=discharged", "" },
    { "Encounter?_content=acute&status=finished", "" },
    { "Encounter?_content=acute&status=in-progress", "e1" },
    { "Patient?_content=oechsle", "ann" },
    { "Patient?_content=O\xc3\x89" "CHSLE marie", "ann" },
    { "Patient?_content=\"marie leeds\"", "" },
    { "Patient?_content=smith*&_sort=-_id", "cat bob" },
    { "Observation?subject:Patient._content=leeds", "o1 o3" },
    { "Patient?_content=1980-05-17", "" },
    { "?_content=leeds", "ann" },
    { "Encounter?_text=\"acute", "invalid: a closing quote is missing before \"\"acute\"; write "
      "words, \"a phrase\", begin*, AND, OR, NOT and ( )" },
    { "Encounter?_text=NOT acute", "invalid: there is nothing for an operator to join before \"NOT "
      "acute\"; write words, \"a phrase\", begin*, AND, OR, NOT and ( )" },
    { "Encounter?_text=(acute", "invalid: ')' is missing before \"\"; write words, \"a phrase\", "
      "begin*, AND, OR, NOT and ( )" },
    { "Encounter?_text=acute)", "invalid: '(' is missing before \")\"; write words, \"a phrase\", "
      "begin*, AND, OR, NOT and ( )" },
    { "Encounter?_text=acute AND", "invalid: a word is missing after AND before \"\"; write words, "
      "\"a phrase\", begin*, AND, OR, NOT and ( )" },
    { "Encounter?_content=*", "invalid: a word with a letter or digit is missing before \"\"; "
      "write words, \"a phrase\", begin*, AND, OR, NOT and ( )" },
    { "Encounter?_content:exact=acute", "invalid: \":exact\" is not a modifier of the parameter "
      "\"_content\"" },
    { "Observation?code:text-advanced=feel NOT sad", "o5" },
    { "Observation?code:text-advanced=mood AND feel", "o5" },
    { "Observation?code:text-advanced=mood AND free", "" },
    { "Observation?code:text-advanced=fee*,free", "o4 o5" },
    { "Observation?code:text-advanced=fee", "" },
    { "Location?near=53.8|-1.55|2|km", "loc" },
    { "Location?near=53.8|-1.55|1|km", "" },
    { "Observation?code:in=http://x.org/fhir/vs/1", "o2 o1" },
    { "Observation?code:not-in=http://x.org/fhir/vs/1", "o3 o4 o5" },
    { "Observation?status:in=http://hl7.org/fhir/ValueSet/observation-status&code=s|hr", "o3" },
    { "Observation?code:in=http://x.org/nobody", "invalid: this server has no value set "
      "http://x.org/nobody. Post the ValueSet and the CodeSystem it draws on, or load the package "
      "or release they come in by frontline package add or frontline term" },
    { "Observation?code:below=l|vital", "o2 o1" },
    { "Observation?code:above=l|hr", "o2 o1" },
    { "Observation?code:below=l|hr", "o2 o1" },
    { "Patient?own=Leeds", "ann" },
    { "Patient?own:missing=true", "bob cat" },
    { "Patient?own=lee&gender=female", "ann" },
    /* uri */
    { "ValueSet?url=http://x.org/fhir/vs/1", "v1" },
    { "ValueSet?url=http://x.org/fhir/vs", "" },
    { "ValueSet?url:below=http://x.org/fhir/", "v1" },
    { "ValueSet?url:above=http://x.org/fhir/vs/1/2", "v1" },
    /* chains */
    { "Observation?subject:Patient.name=smith", "o2" },
    { "Observation?patient.identifier=urn:nhs|9990000001", "o1 o3" },
    { "Observation?subject.general-practitioner.name=gray", "o1 o3" },
    { "Patient?_has:Observation:patient:code=s|78", "bob" },
    { "Patient?_has:Observation:subject:status=final", "ann" },
    { "Practitioner?_has:Observation:performer:patient.name=ann", "gp" },
    { "Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:code=hr", "gp" },
    /* sort and pages */
    { "Observation?_sort=-date", "o3 o1 o2 o5 o4" },
    { "Observation?_sort=date", "o2 o1 o3 o4 o5" },
    { "Patient?_sort=family", "ann bob cat" },
    { "Patient?_sort=-family", "cat bob ann" },
    { "Patient?_sort=birthdate", "bob ann cat" },
    { "Patient?_sort=gender,-_id", "ann bob cat" },
    { "Observation?_sort=value-quantity", "o1 o2 o3 o4 o5" },
    { "Patient?_sort=_id", "ann bob cat" },
    { "Observation?_sort=patient.family", "o1 o3 o2 o4 o5" },
    { "Observation?_sort=-patient.family", "o2 o1 o3 o4 o5" },
    { "Observation?_sort=subject:Patient.birthdate,-_id", "o2 o3 o1 o5 o4" },
    { "Observation?_sort=-subject:Patient.birthdate", "o1 o3 o2 o4 o5" },
    { "Observation?_sort=subject:Group.identifier,-_id", "o5 o4 o3 o2 o1" },
    { "Observation?_sort=subject.general-practitioner.family,-_id", "o3 o1 o5 o4 o2" },
    { "Observation?_sort=-patient._id", "o2 o1 o3 o4 o5" },
    { "Observation?_sort=patient._lastUpdated,status", "o1 o3 o2 o4 o5" },
    { "Observation?_sort=status,-performer:Practitioner.name", "o2 o3 o1 o4 o5" },
    { "Patient?_sort=link:RelatedPerson.name", "ann bob cat" },
    { "Patient?_sort=-link:Patient.name", "cat ann bob" },
    /* includes */
    { "Observation?code=s|hr&_include=Observation:subject", "o3 +ann" },
    { "Observation?code=s|hr&_include=Observation:performer&_include=Observation:patient",
      "o3 +gp +ann" },
    { "Observation?code=s|hr&_include=*", "o3 +ann +gp" },
    { "Patient?_id=ann&_revinclude=Observation:subject", "ann +o1 +o3" },
    { "Patient?_id=ann&_revinclude=Observation:subject&_include=Patient:general-practitioner",
      "ann +o1 +o3 +gp" },
    { "Patient?_id=ann&_revinclude=Observation:subject&_include:iterate=Observation:performer",
      "ann +o1 +o3 +gp" },
    /* compartments and the root */
    { "Patient/ann/Observation", "o1 o3" },
    { "Patient/ann/Observation?code=l|hr", "o1" },
    { "Patient/bob/Observation", "o2" },
    { "Patient/ann/*?_type=Encounter,Observation", "e1 o1 o3" },
    { "?_type=Encounter,ValueSet", "e1 v1" },
    { "?_id=ann", "ann" },
    { "Patient?_lastUpdated=gt2000", "ann bob cat" },
    { "Patient?_lastUpdated=lt2000", "" },
    { "Patient?_lastUpdated=gt2000&gender=male", "bob" },
    { "Patient?_lastUpdated=ne2000", "ann bob cat" },
    { "Patient?_sort=-_lastUpdated", "cat bob ann" },
    { "Patient?_sort=_lastUpdated", "ann bob cat" },
    { "Patient?name=", "ann bob cat" },
    /* refused */
    { "Patient?nmae=x",
      "invalid: \"nmae\" is not a search parameter of Patient; did you mean \"name\"?" },
    { "Patient?name:exakt=x", "invalid: \":exakt\" is not a modifier of the parameter \"name\"" },
    { "Patient?birthdate=soon", "invalid: \"soon\" is not a date: write YYYY, YYYY-MM, "
      "YYYY-MM-DD or "
      "YYYY-MM-DDThh:mm:ss+zz:zz, after a prefix if any" },
    { "Patient?_sort=nothing", "invalid: cannot sort by \"nothing\": it is not a search "
      "parameter of "
      "the type, or has no order" },
    { "Patient?_sort=link.nothing", "invalid: cannot sort by \"link.nothing\": it is not a search "
      "parameter of the type, or has no order" },
    { "Observation?_sort=code.text", "invalid: cannot sort by \"code.text\": it is not a search "
      "parameter of the type, or has no order" },
    { "Observation?_sort=subject:Parson.name", "invalid: \"Parson\" is not a resource type" },
    { "Observation?focus._has:Observation:focus:focus._has:Observation:focus:focus._id=x",
      "limit: this chain leads to more than 1000 questions: name the type of each reference "
      "(subject:Patient.name)" },
    { "Observation?focus:Patient._has:Observation:focus:subject:Patient._id=x", "" },
    { "Patient?_page=zzz", "invalid: this is not a page of this search; start again without "
      "_page" },
    { "Patient?_contained=false&gender=male", "bob" },
    { "Patient?_count=many", "invalid: \"many\" is not a whole number of entries" },
    { "Patient?gender:missing=perhaps", "invalid: :missing takes true or false" },
    { "?name=x", "invalid: \"name\" is not a search parameter of every type" },
};

TEST(each_family_answers_on_both_sides_of_its_boundaries)
{
    str folder = record_folder(cx);
    struct store *store = open_ward(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].query, ask(cx, store, rows[i].query), str_of(rows[i].ids));
    sort_by_rows_most = 0; /* keys from the index, as when there are many */
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].query, ask(cx, store, rows[i].query), str_of(rows[i].ids));
    store_close(store);
    record_remove(cx, folder);
}

TEST(pages_hold_each_resource_once)
{
    static const char *const queries[] = { "Observation?_count=1",
        "Observation?_sort=-date&_count=1",
        "Observation?_sort=status,date&_count=3", "Observation?code=hr&_count=2",
        "Observation?value-quantity=gt1&_count=1", "Observation?combo-value-quantity=gt1&_count=1",
        "Observation?code=hr&value-quantity=gt5&_count=1", "List?date=gt2000&_count=1",
        "?_type=Patient,Observation&_count=2", "Observation?_sort=-value-quantity&_count=1",
        "Observation?_sort=-patient.family&_count=1",
        "Observation?_sort=subject:Patient.birthdate,status&_count=2" };
    str folder = record_folder(cx);
    struct store *store = open_ward(cx, folder);
    for (size_t i = 0; i < COUNT(queries); i++) {
        struct search_request request = request_of(queries[i]), whole = request;
        str joined = S("");
        struct search_page page;
        whole.query = arena_printf(cx->arena, "%.*s&_count=100", STR_ARG(request.query));
        for (int pages = 0; pages < 20; pages++) {
            struct ctx one = ctx_make(cx->arena);
            EXPECT_INT(queries[i], search_run(&one, store, &request, &page), ERR_OK);
            joined = arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(joined), pages ? " " : "",
                                  STR_ARG(ids_of(cx, &page)));
            ctx_release(&one);
            if (!page.next_query.p)
                break;
            request.query = page.next_query;
        }
        struct ctx one = ctx_make(cx->arena);
        EXPECT_INT(queries[i], search_run(&one, store, &whole, &page), ERR_OK);
        EXPECT_STR(queries[i], joined, ids_of(cx, &page));
        ctx_release(&one);
    }
    store_close(store);
    record_remove(cx, folder);
}

/* Between two pages one resource is moved before the cursor, one behind it, and one is new. */
static void shuffle(struct ctx *cx, struct store *store)
{
    static const struct { const char *id, *when, *value; } moves[] = {
        { "o1", "2030-01-01", "9.9,\"system\":\"http://unitsofmeasure.org\",\"code\":\"mg\"" },
        { "o3", "2001-01-01", "1.5,\"unit\":\"kg\"" },
        { "o9", "2029-01-01", "5.42,\"unit\":\"kg\"" },
    };
    for (size_t i = 0; i < COUNT(moves); i++) {
        str body = arena_printf(cx->arena,
                                "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"status\":"
                                "\"final\",\"code\":{\"coding\":[{\"system\":\"l\",\"code\":"
                                "\"hr\"}]},\"effectiveDateTime\":\"%s\",\"valueQuantity\":{"
                                "\"value\":%s}}", moves[i].id, moves[i].when, moves[i].value);
        struct commit_op op = record_op(cx, COMMIT_UPDATE, "Observation", moves[i].id, body.p);
        cr_assert(record_do(cx, store, &op) == ERR_OK);
    }
    struct commit_op rename = record_op(cx, COMMIT_UPDATE, "Patient", "bob",
                                        "{\"resourceType\":\"Patient\",\"id\":\"bob\","
                                        "\"name\":[{\"family\":\"Aardvark\"}]}");
    cr_assert(record_do(cx, store, &rename) == ERR_OK);
}

/* All pages of a query, as ids. */
static str paged(struct ctx *cx, struct store *store, const char *query)
{
    struct search_request request = request_of(query);
    str joined = S("");
    for (bool more = true; more;) {
        struct ctx one = ctx_make(cx->arena);
        struct search_page page;
        EXPECT_INT(query, search_run(&one, store, &request, &page), ERR_OK);
        joined = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(joined), STR_ARG(ids_of(cx, &page)));
        more = page.next_query.p != NULL;
        request.query = page.next_query;
        ctx_release(&one);
    }
    return joined;
}

TEST(walking_an_index_and_gathering_all_give_one_order)
{
    static const char *const queries[] = { "Patient?_sort=family&_count=1",
        "Patient?_sort=-family&_count=1", "Patient?_sort=name&_count=1",
        "Patient?_sort=-given&_count=2", "Patient?_sort=_id&_count=1",
        "Patient?_sort=-_id&_count=2", "Observation?_sort=_lastUpdated&_count=1",
        "Observation?_sort=-_lastUpdated&_count=2", "Patient?gender=male&_sort=-name&_count=1",
        "Observation?status=final&_sort=-_id&_count=1", "Patient?family=zzz&_sort=family",
        "Patient?_sort=address&_count=1", "Patient?_sort=-address-city&_count=1" };
    str folder = record_folder(cx);
    struct store *store = open_ward(cx, folder);
    for (size_t i = 0; i < COUNT(queries); i++) {
        plan_limits.few = 0;
        sort_walk_most = 10000;
        str walked = paged(cx, store, queries[i]);
        sort_walk_most = 0;
        EXPECT_STR(queries[i], walked, paged(cx, store, queries[i]));
        sort_walk_most = 2; /* begins to walk, and gives up */
        EXPECT_STR(queries[i], walked, paged(cx, store, queries[i]));
    }
    store_close(store);
    record_remove(cx, folder);
}

TEST(what_moves_between_pages_is_neither_dropped_nor_repeated)
{
    static const char *const queries[] = {
        "Observation?code=hr&_count=2", "Observation?_sort=-date&_count=2",
        "Observation?_sort=_lastUpdated&_count=2", "Observation?_sort=status,date&_count=2",
        "Observation?_sort=patient.family&_count=2", "Observation?_sort=-patient.family&_count=2",
        "Observation?_sort=-patient._lastUpdated&_count=2",
        "Observation?value-quantity=gt1&_count=2", "Observation?combo-value-quantity=gt1&_count=1",
        "Observation?combo-value-quantity=gt1,lt1000&_count=1",
    };
    for (size_t i = 0; i < 2 * COUNT(queries); i++) {
        str folder = record_folder(cx), joined = S("");
        struct store *store = open_ward(cx, folder);
        const char *query = queries[i % COUNT(queries)];
        struct search_request request = request_of(query);
        sort_by_rows_most = i < COUNT(queries) ? 400 : 0;
        for (int pages = 0; pages < 20; pages++) {
            struct ctx one = ctx_make(cx->arena);
            struct search_page page;
            EXPECT_INT(query, search_run(&one, store, &request, &page), ERR_OK);
            joined = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(joined),
                                  STR_ARG(ids_of(cx, &page)));
            ctx_release(&one);
            if (!page.next_query.p)
                break;
            request.query = page.next_query;
            if (pages == 0)
                shuffle(cx, store);
        }
        for (size_t o = 1; o <= 3; o++) {
            str id = arena_printf(cx->arena, "o%zu", o);
            size_t at = str_find(joined, id);
            cr_expect(at != STR_NONE, "%s loses %.*s: %.*s", query, STR_ARG(id), STR_ARG(joined));
            cr_expect(str_find(str_slice(joined, at + 2, joined.n), id) == STR_NONE,
                      "%s repeats %.*s: %.*s", query, STR_ARG(id), STR_ARG(joined));
        }
        store_close(store);
        record_remove(cx, folder);
    }
}
