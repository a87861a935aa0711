/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE index
#include "base/test.h"
#include "base/clock.h"
#include "store/layout.h"
#include <stdio.h>

static struct index_layout *layout_of(struct ctx *cx)
{
    struct index_layout *layout = NULL;
    bool changed = false;
    EXPECT_INT("layout", index_layout_build(cx, cx->arena, NULL, &layout, &changed), ERR_OK);
    EXPECT("a fresh layout has to be saved", changed);
    return layout;
}

static bool has_no_slots(const struct layout_param *param)
{
    return param->kind == FHIR_SEARCH_COMPOSITE || param->kind == FHIR_SEARCH_SPECIAL ||
           !str_given(param->expression) || str_eq(param->code, S("_id")) ||
           str_eq(param->code, S("_lastUpdated")) ||
           /* R4 names an element that DeviceDefinition does not have */
           str_eq(param->expression, S("DeviceDefinition.classification.type"));
}

TEST(every_search_parameter_of_every_type_reads_some_slot)
{
    struct index_layout *layout = layout_of(cx);
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        for (uint16_t i = 0; i < layout->types[r].params_count; i++) {
            const struct layout_param *param = &layout->types[r].params[i];
            if (has_no_slots(param))
                continue;
            cr_expect(param->slots_count > 0, "%.*s.%.*s reads nothing: %.*s",
                      STR_ARG(fhir_resource_name(r)), STR_ARG(param->code),
                      STR_ARG(param->expression));
        }
}

TEST(the_definitions_own_expressions_are_plain_paths)
{
    struct index_layout *layout = layout_of(cx);
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        for (struct layout_program *p = layout->types[r].programs; p; p = p->next)
            cr_expect(false, "%.*s needs FHIRPath", STR_ARG(layout->slots[p->slot].key));
}

/* A row as text, so that what a body yields can be read in the test. */
static str row_text(struct ctx *cx, const struct index_layout *layout, const struct index_row *row)
{
    str key = layout->slots[row->slot].key;
    char lo[CLOCK_TEXT], hi[CLOCK_TEXT];
    switch ((enum index_table)row->table) {
    case INDEX_TOK:
        return arena_printf(cx->arena, "%.*s %.*s|%.*s", STR_ARG(key), STR_ARG(row->system),
                            STR_ARG(row->text));
    case INDEX_REF:
        return arena_printf(cx->arena, "%.*s %.*s/%.*s", STR_ARG(key),
                            STR_ARG(row->target == INDEX_ELSEWHERE
                                        ? S("url")
                                        : fhir_resource_name(row->target)),
                            STR_ARG(row->text));
    case INDEX_TXT:
        return arena_printf(cx->arena, "%.*s %.*s %.*s", STR_ARG(key), STR_ARG(row->system),
                            STR_ARG(row->text));
    case INDEX_DAY:
        clock_write(row->lo, lo);
        clock_write(row->hi, hi);
        return arena_printf(cx->arena, "%.*s %d %.19s %.19s", STR_ARG(key), row->span, lo, hi);
    case INDEX_NUM:
        return arena_printf(cx->arena, "%.*s %g %.*s %.*s by %.*s", STR_ARG(key), row->number,
                            STR_ARG(row->text), STR_ARG(row->human), STR_ARG(row->by));
    case INDEX_TABLES: break;
    }
    return S("");
}

static void expect_rows(struct ctx *cx, const char *body, const char *const *expected,
                        const char *patient)
{
    struct index_layout *layout = layout_of(cx);
    struct json json;
    struct index_rows rows;
    EXPECT_INT(body, json_parse(cx, str_of(body), &json), ERR_OK);
    uint16_t resource =
        fhir_resource_find(json_string(cx->arena, json_get(json, S("resourceType"))));
    EXPECT_INT(body, index_extract(cx, layout, resource, json, &rows), ERR_OK);
    size_t count = 0;
    for (; expected[count]; count++) {
        bool found = false;
        for (size_t i = 0; i < rows.count; i++)
            found = found || str_eq(row_text(cx, layout, &rows.rows[i]), str_of(expected[count]));
        cr_expect(found, "no row: %s", expected[count]);
    }
    for (size_t i = 0; i < rows.count && count != rows.count; i++)
        cr_log_error("has: %.*s", STR_ARG(row_text(cx, layout, &rows.rows[i])));
    EXPECT_INT(body, rows.count, count);
    EXPECT_STR(body, rows.patient, str_of(patient));
}

TEST(an_observation_yields_its_rows_once)
{
    static const char body[] =
        "{\"resourceType\":\"Observation\",\"id\":\"o\",\"meta\":{\"lastUpdated\":"
        "\"2026-01-02T03:04:05.006Z\"},\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
        "\"c\",\"code\":\"vital-signs\"}]}],"
        "\"code\":{\"coding\":[{\"system\":\"l\",\"code\":\"85354-9\"}]},"
        "\"subject\":{\"reference\":\"Patient/7\"},\"effectiveDateTime\":\"2026-01-02\","
        "\"component\":[{\"code\":{\"coding\":[{\"system\":\"l\",\"code\":\"8480-6\"}]},"
        "\"valueQuantity\":{\"value\":120.0,\"unit\":\"mmHg\","
        "\"system\":\"u\",\"code\":\"mm[Hg]\"}}]}";
    static const char *const rows[] = {
        "Observation.status#tok |final",
        "Observation.category#tok c|vital-signs",
        "Observation.code#tok l|85354-9",
        "Observation.subject#ref Patient/7",
        "Observation.effective#day 0 2026-01-02T00:00:00 2026-01-02T23:59:59",
        "Observation.component.code#tok l|8480-6",
        "Observation.component.value[Quantity]#num 120 mm[Hg] mmHg by 8480-6",
        NULL,
    };
    expect_rows(cx, body, rows, "7");
}

TEST(a_patient_yields_names_addresses_and_identifiers)
{
    static const char body[] =
        "{\"resourceType\":\"Patient\",\"id\":\"p\","
        "\"identifier\":[{\"system\":\"n\",\"value\":\"9\"}],"
        "\"name\":[{\"use\":\"official\",\"family\":\"O\xc3\x89\",\"given\":[\"Ann\"]}],"
        "\"telecom\":[{\"system\":\"phone\",\"value\":\"5\"}],\"address\":[{\"city\":\"Leeds\"}],"
        "\"managingOrganization\":{\"identifier\":{\"system\":\"ods\",\"value\":\"RR8\"}},"
        "\"birthDate\":\"1970\"}";
    static const char *const rows[] = {
        "Patient.identifier#tok n|9",
        "Patient.name.family#txt oe O\xc3\x89", "Patient.name.given#txt ann Ann",
        "Patient.telecom#tok phone|5", "Patient.telecom?phone#tok phone|5",
        "Patient.address.city#txt leeds Leeds", "Patient.managingOrganization#identifier ods|RR8",
        "Patient.birthDate#day 2 1970-01-01T00:00:00 1970-12-31T23:59:59",
        "Patient.deceased#tok |false", NULL,
    };
    expect_rows(cx, body, rows, "p");
}
