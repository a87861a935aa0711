/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE ui_resource
#include "base/test.h"
#include "ui/browse.h"

TEST(a_resource_is_called_what_people_call_it)
{
    static const struct { const char *json, *text; } rows[] = {
        { "{\"name\":[{\"family\":\"Shah\",\"given\":[\"Ann\",\"B\"],\"prefix\":[\"Dr\"]}]}",
          "SHAH, Ann (Dr)" },
        { "{\"name\":[{\"text\":\"Ann Shah\"}]}", "Ann Shah" },
        { "{\"name\":\"Ward 3\"}", "Ward 3" },
        { "{\"code\":{\"text\":\"Pulse\"},\"valueQuantity\":{\"value\":72.0,\"unit\":\"/min\"}}",
          "Pulse: 72.0 /min" },
        { "{\"code\":{\"coding\":[{\"display\":\"Asthma\"}]}}", "Asthma" },
        { "{\"type\":[{\"coding\":[{\"code\":\"AMB\"}]}]}", "AMB" },
        { "{\"status\":\"planned\"}", "planned" },
        { "{\"id\":\"x\"}", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json resource;
        cr_assert(json_parse(cx, str_of(rows[i].json), &resource) == ERR_OK);
        EXPECT_STR(rows[i].json, ui_resource_text(cx, resource), str_of(rows[i].text));
    }
}

TEST(the_official_name_is_on_the_banner)
{
    struct json patient;
    cr_assert(json_parse(cx, S("{\"id\":\"p\",\"identifier\":[{\"system\":\"x\",\"value\":\"1\"},"
                               "{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":"
                               "\"9990001234\"}],\"name\":[{\"use\":\"nickname\"},"
                               "{\"use\":\"official\",\"family\":\"Shah\"}],\"deceasedDateTime\":"
                               "\"2020\"}"), &patient) == ERR_OK);
    struct ui_patient who = ui_patient_of(cx, patient);
    EXPECT_STR("name", who.family, S("Shah"));
    EXPECT_STR("number", who.nhs_number, S("9990001234"));
    EXPECT("deceased", who.deceased);
}

TEST(json_is_shown_as_text_with_its_references_as_links)
{
    static const struct { const char *json, *html; } rows[] = {
        { "{\"a\":1.00}", "{\n  &quot;a&quot;: 1.00\n}" },
        { "[]", "[]" },
        { "{\"reference\":\"Patient/1\"}",
          "{\n  &quot;reference&quot;: &quot;<a href=\"/browse/Patient/1\">"
          "Patient/1</a>&quot;\n}" },
        { "{\"reference\":\"Patient/1?x\"}",
          "{\n  &quot;reference&quot;: &quot;Patient/1?x&quot;\n}" },
        { "{\"reference\":\"javascript:x/y\"}",
          "{\n  &quot;reference&quot;: &quot;javascript:x/y&quot;\n}" },
        { "{\"x\":\"<script>\"}", "{\n  &quot;x&quot;: &quot;&lt;script&gt;&quot;\n}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json value;
        cr_assert(json_parse(cx, str_of(rows[i].json), &value) == ERR_OK);
        EXPECT_STR(rows[i].json, ui_json_html(cx, value).html, str_of(rows[i].html));
    }
}
