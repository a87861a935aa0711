/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE def
#include "base/test.h"
#include "base/clock.h"
#include "fhir/def.h"

static uint16_t resource(const char *name) { return fhir_resource_find(str_of(name)); }
static uint16_t type(const char *name) { return fhir_type_find(str_of(name)); }
static const struct fhir_element *element(const char *in, const char *name)
{
    return fhir_element_find(type(in), str_of(name));
}

TEST(tables_hold_all_of_r4)
{
    EXPECT_INT("concrete resources", fhir_resources_count, 146);
    size_t primitives = 0;
    for (uint16_t i = 0; i < fhir_types_count; i++)
        primitives += fhir_types[i].kind == FHIR_PRIMITIVE;
    EXPECT_INT("primitives", primitives, 20);
    EXPECT("params", fhir_params_count > 3000);
    EXPECT("SubscriptionStatus is R4B", type("SubscriptionStatus") == FHIR_NONE);
}

TEST(every_name_is_found_where_it_stands)
{
    for (uint16_t t = 0; t < fhir_types_count; t++) {
        const struct fhir_type *row = &fhir_types[t];
        EXPECT_INT(row->name.p, fhir_type_find(row->name), t);
        for (uint16_t e = 0; e < row->elements_count; e++) {
            const struct fhir_element *found = fhir_element_find(t, row->elements[e].json_name);
            EXPECT(row->name.p, found == &row->elements[e]);
            EXPECT(row->name.p, found->type < fhir_types_count);
        }
    }
    for (uint16_t i = 0; i < fhir_params_count; i++)
        EXPECT(fhir_params[i].code.p,
               fhir_param_find(fhir_params[i].resource, fhir_params[i].code) == &fhir_params[i]);
}

TEST(unknown_names_are_not_found)
{
    static const char *const names[] = { "", "a", "ab", "Patien", "Patientt", "patient", "valuex",
                                         "Patient.contact.nothing", "aaaaaaaaaaaaaaaaaaaaaaaa" };
    for (size_t i = 0; i < COUNT(names); i++) {
        EXPECT_INT(names[i], type(names[i]), FHIR_NONE);
        EXPECT(names[i], element("Patient", names[i]) == NULL);
    }
    EXPECT_INT("abstract is no resource", resource("DomainResource"), FHIR_NONE);
    EXPECT("no type", fhir_element_find(FHIR_NONE, S("id")) == NULL);
    EXPECT("no resource", fhir_param_find(FHIR_NONE, S("_id")) == NULL);
}

TEST(elements_carry_what_the_definition_says)
{
    const struct fhir_element *e = element("Patient", "deceasedDateTime");
    EXPECT_STR("choice name", e->name, S("deceased"));
    EXPECT_STR("choice type", fhir_types[e->type].name, S("dateTime"));
    EXPECT_INT("one choice", e->choice, element("Patient", "deceasedBoolean")->choice);
    EXPECT("another choice", e->choice != element("Patient", "multipleBirthInteger")->choice);
    EXPECT("modifier", e->is_modifier && e->is_summary);
    EXPECT_INT("no choice", element("Patient", "active")->choice, 0);
    EXPECT_INT("many", element("Patient", "name")->max, FHIR_MANY);
    EXPECT_INT("required", element("Observation", "code")->min, 1);
    EXPECT_INT("inline", element("Patient", "contact")->type, type("Patient.contact"));
    EXPECT_INT("by reference", element("Bundle.entry", "link")->type, type("Bundle.link"));
    EXPECT_INT("id", element("Patient", "id")->type, type("id"));
    EXPECT_INT("id of an element", element("HumanName", "id")->type, type("string"));
    EXPECT_INT("url", element("Extension", "url")->type, type("uri"));
    EXPECT_INT("div", element("Narrative", "div")->type, type("xhtml"));
    EXPECT_INT("contained", element("Patient", "contained")->type, type("Resource"));
    EXPECT("simple", element("Observation.referenceRange", "low")->is_simple);
    EXPECT("primitive value is no element", element("string", "value") == NULL);
    EXPECT("primitives can be extended", element("string", "extension") != NULL);
}

TEST(what_the_package_adds_to_r4_is_left_out)
{
    static const char *const not_r4[][2] = {
        { "Meta", "project" }, { "Meta", "author" }, { "Binary", "url" },
        { "ResearchStudy", "progressStatus" }, { "ResearchStudy", "whyStopped" },
        { "EvidenceVariable.characteristic", "linkId" },
    };
    for (size_t i = 0; i < COUNT(not_r4); i++)
        EXPECT(not_r4[i][1], element(not_r4[i][0], not_r4[i][1]) == NULL);
    EXPECT("put back", element("EvidenceVariable.characteristic", "definitionReference"));
    EXPECT("put back", element("EvidenceVariable.characteristic", "participantEffectivePeriod"));
    EXPECT("longer than an id", element("ResearchElementDefinition.characteristic",
                                        "participantEffectivePeriod"));
}

TEST(types_know_their_ancestors)
{
    EXPECT("Patient", fhir_type_is(type("Patient"), type("DomainResource")));
    EXPECT("Bundle", !fhir_type_is(type("Bundle"), type("DomainResource")));
    EXPECT("Age", fhir_type_is(type("Age"), type("Quantity")));
    EXPECT("contact", fhir_type_is(type("Patient.contact"), type("BackboneElement")));
    EXPECT("self", fhir_type_is(type("code"), type("code")));
    EXPECT("code is a string", fhir_type_is(type("code"), type("string")));
    EXPECT("not the other way", !fhir_type_is(type("string"), type("code")));
    EXPECT("none", !fhir_type_is(FHIR_NONE, type("string")));
}

TEST(required_bindings_are_expanded)
{
    static const struct {
        const char *type, *element, *code;
        bool is_in;
    } rows[] = {
        { "Patient", "gender", "female", true },
        { "Patient", "gender", "Female", false },
        { "Timing.repeat", "when", "ACM", true },
        { "Timing.repeat", "when", "MORN.early", true },
        { "Timing.repeat", "periodUnit", "wk", true },
        { "Timing.repeat", "periodUnit", "week", false },
        { "DataRequirement", "type", "Patient", true },
        { "DataRequirement", "type", "Type", true },
        { "Money", "currency", "GBP", true },
        { "Money", "currency", "gbp", false },
        { "DetectedIssue", "status", "final", true },
        { "Composition", "confidentiality", "R", true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fhir_element *e = element(rows[i].type, rows[i].element);
        EXPECT(rows[i].code, e->binding != FHIR_NONE);
        EXPECT_INT(rows[i].code, fhir_value_set_has(e->binding, str_of(rows[i].code)),
                   rows[i].is_in);
    }
    uint16_t gender = fhir_value_set_find(S("http://hl7.org/fhir/ValueSet/administrative-gender"));
    str system = S("http://hl7.org/fhir/administrative-gender");
    EXPECT("coding", fhir_value_set_has_coding(gender, system, S("male")));
    EXPECT("wrong system", !fhir_value_set_has_coding(gender, S("http://x"), S("male")));
    EXPECT_INT("extensible", element("Patient", "maritalStatus")->binding, FHIR_NONE);
}

TEST(value_sets_are_sorted)
{
    for (uint16_t v = 0; v < fhir_value_sets_count; v++)
        for (uint32_t i = 1; i < fhir_value_sets[v].codes_count; i++)
            EXPECT(fhir_value_sets[v].url.p, str_cmp(fhir_value_sets[v].codes[i - 1].code,
                                                     fhir_value_sets[v].codes[i].code) <= 0);
}

TEST(params_speak_of_their_own_type_alone)
{
    static const struct {
        const char *resource, *code, *expression;
    } rows[] = {
        { "Patient", "_tag", "Patient.meta.tag" },
        { "Patient", "phone", "Patient.telecom.where(system='phone')" },
        { "Condition", "code", "Condition.code" },
        { "Observation", "value-quantity",
          "Observation.value.ofType(Quantity) | Observation.value.ofType(SampledData)" },
        { "Observation", "value-string",
          "Observation.value.ofType(string) | Observation.value.ofType(CodeableConcept).text" },
        { "Condition", "onset-age",
          "Condition.onset.ofType(Age) | Condition.onset.ofType(Range)" },
        { "InsurancePlan", "name", "InsurancePlan.name | InsurancePlan.alias" },
        { "Observation", "patient", "Observation.subject.where(resolve() is Patient)" },
        { "Patient", "deceased", "Patient.deceased.exists() and Patient.deceased != false" },
        { "RiskAssessment", "date", "RiskAssessment.occurrence.ofType(dateTime)" },
        { "Bundle", "composition", "Bundle.entry[0].resource" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fhir_param *param =
            fhir_param_find(resource(rows[i].resource), str_of(rows[i].code));
        EXPECT(rows[i].code, param != NULL);
        if (param)
            EXPECT_STR(rows[i].code, param->expression, str_of(rows[i].expression));
    }
    EXPECT("_text is the domain resources'",
           !fhir_param_find(resource("Binary"), S("_text")) &&
               fhir_param_find(resource("Patient"), S("_text")));
}

TEST(composites_name_their_components)
{
    const struct fhir_param *param =
        fhir_param_find(resource("Observation"), S("code-value-date"));
    EXPECT_INT("kind", param->kind, FHIR_SEARCH_COMPOSITE);
    EXPECT_INT("count", param->components_count, 2);
    EXPECT_STR("cast", param->components[1].expression,
               S("value.ofType(dateTime) | value.ofType(Period)"));
}

TEST(references_know_their_targets)
{
    const struct fhir_element *e = element("Patient.link", "other");
    const struct fhir_target_list *list = &fhir_target_lists[e->targets];
    EXPECT_INT("two", list->count, 2);
    EXPECT_INT("first", list->types[0], type("Patient"));
    EXPECT_INT("second", list->types[1], type("RelatedPerson"));
    EXPECT_INT("any", element("Provenance", "target")->targets, FHIR_NONE);
}

TEST(compartments_name_the_linking_params)
{
    const char *const *params = fhir_compartment_params(S("Patient"), resource("Observation"));
    EXPECT("first", params && strcmp(params[0], "subject") == 0);
    EXPECT("second", params && strcmp(params[1], "performer") == 0);
    EXPECT("ends", params && !params[2]);
    params = fhir_compartment_params(S("Encounter"), resource("Encounter"));
    EXPECT("itself", params && strcmp(params[0], "{def}") == 0);
    EXPECT("not in", !fhir_compartment_params(S("Patient"), resource("Medication")));
    EXPECT("no such", !fhir_compartment_params(S("Ward"), resource("Patient")));
}

TEST(rules_belong_to_their_type)
{
    struct fhir_rule_range range = fhir_type_rules[type("Patient.contact")];
    EXPECT_INT("one", range.count, 1);
    EXPECT_STR("key", fhir_rules[range.from].key, S("pat-1"));
    EXPECT_INT("own", fhir_rules[range.from].order, FHIR_NONE);
    EXPECT("many", fhir_rules_count > 700);
}

TEST(definitions_beyond_the_tables_are_texts_found_by_url)
{
    static const char *const urls[] = {
        "http://hl7.org/fhir/StructureDefinition/vitalsigns",
        "http://hl7.org/fhir/StructureDefinition/SimpleQuantity",
        "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "http://hl7.org/fhir/ValueSet/observation-vitalsignresult",
        "http://hl7.org/fhir/administrative-gender",
        "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    };
    for (size_t i = 0; i < COUNT(urls); i++) {
        str text = fhir_definition(str_of(urls[i]));
        EXPECT(urls[i], str_starts(text, S("{\"resourceType\"")) && str_ends(text, S("}")));
        EXPECT(urls[i], str_find(text, str_of(urls[i])) != STR_NONE);
    }
    EXPECT("unknown", !str_given(fhir_definition(S("http://x"))));
    uint32_t count = 0;
    while (str_given(fhir_definition_at(count)))
        count++;
    EXPECT("all", count > 2500);
}
