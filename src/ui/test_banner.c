/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE banner
#include "store/access.h"
#include "store/test_record.h"
#include "ui/banner.h"
#include "ui/browse.h"
#include "ui_banner.html.h"

static str drawn(struct ctx *cx, const struct ui_banner *banner)
{
    struct buf out = buf_make(cx->arena, 1 << 16);
    ui_banner_draw(&out, cx, banner);
    return buf_str(&out);
}

static void put(struct ctx *cx, struct store *store, const char *type, const char *body)
{
    struct commit_op op = record_op(cx, COMMIT_UPDATE, type, NULL, body);
    op.id = json_string(cx->arena, json_get(op.body, S("id")));
    EXPECT_INT(body, record_do(cx, store, &op), ERR_OK);
}

static bool says(str html, const char *text)
{
    return str_find(html, str_of(text)) != STR_NONE;
}

#define ALLERGY(id, more)                                                                          \
    "{\"resourceType\":\"AllergyIntolerance\",\"id\":\"" id                                        \
    "\",\"patient\":{\"reference\":\"Patient/p1\"}," more "}"

TEST(banner_says_not_known_and_never_nothing)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct ui_banner banner;
    put(cx, store, "Patient", "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
    EXPECT_INT("read", ui_banner_read(cx, store, S("p1"), &banner), ERR_OK);
    str html = drawn(cx, &banner);
    static const char *const parts[] = {
        "Name not known", "<dt>Born</dt><dd>Not known", "<dt>Sex</dt><dd>Not known",
        "NHS No.", "Hospital No.</dt><dd>Not known", "Not in hospital", "Not asked",
        "None recorded", "Resuscitation",
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        EXPECT(parts[i], says(html, parts[i]));
    EXPECT("no empty part", !says(html, "<dd></dd>"));
    EXPECT_INT("another", ui_banner_read(cx, store, S("p2"), &banner), ERR_NOT_FOUND);
    ctx_release(cx); /* the borrowed reader goes back first */
    store_close(store);
    record_remove(cx, folder);
}

TEST(banner_shows_two_identifiers)
{
    struct ui_banner banner = { .who = {
        .id = S("a/b"), .family = S("O'Neill"), .given = S("Ann"), .title = S("Ms"),
        .birth_date = S("1945-07-14"), .sex = S("female"), .nhs_number = S("9990001234"),
        .hospital_number = S("H000001") } };
    str html = drawn(cx, &banner);
    static const char *const parts[] = { "O&#39;NEILL, Ann (Ms)", "14-Jul-1945 (80y)", "Female",
                                         "999 000 1234", "H000001", "/a%2Fb" };
    for (size_t i = 0; i < COUNT(parts); i++)
        EXPECT(parts[i], says(html, parts[i]));
}

TEST(no_known_allergies_is_not_the_same_as_not_asked)
{
    static const struct {
        const char *body, *text;
        enum ui_fact_state state;
    } rows[] = { /* each adds to what stands before it */
        { "{\"resourceType\":\"Patient\",\"id\":\"p1\"}", "Not asked", UI_FACT_UNASKED },
        { ALLERGY("e1", "\"verificationStatus\":{\"coding\":[{\"code\":\"entered-in-error\"}]},"
                  "\"code\":{\"text\":\"Latex\"}"), "Not asked", UI_FACT_UNASKED },
        { ALLERGY("e2", "\"code\":{\"coding\":[{\"code\":\"716186003\"}]}"), "No known allergies",
          UI_FACT_NONE },
        { ALLERGY("e3", "\"code\":{\"text\":\"Penicillin\"},\"reaction\":[{\"manifestation\":"
                  "[{\"text\":\"Anaphylaxis\"}],\"severity\":\"severe\"}]"),
          "Penicillin (Anaphylaxis, severe)", UI_FACT_THERE },
        { ALLERGY("e4", "\"criticality\":\"high\""),
          "Penicillin (Anaphylaxis, severe); an agent not named (high risk)", UI_FACT_THERE },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        put(cx, store, i ? "AllergyIntolerance" : "Patient", rows[i].body);
        ctx_release(cx); /* a look as new as the last write */
        struct ui_fact fact = ui_banner_allergies(cx, store, S("p1"));
        EXPECT_STR(rows[i].body, fact.text, str_of(rows[i].text));
        EXPECT_INT(rows[i].body, fact.state, rows[i].state);
    }
    ctx_release(cx); /* the borrowed reader goes back first */
    store_close(store);
    record_remove(cx, folder);
}

TEST(allergies_that_cannot_be_read_are_never_none)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    put(cx, store, "Patient", "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
    put(cx, store, "AllergyIntolerance",
        ALLERGY("e1", "\"code\":{\"coding\":[{\"code\":\"716186003\"}]}"));
    cx->deadline_ms = 1; /* long past: the search gives up */
    struct ui_fact late = ui_banner_allergies(cx, store, S("p1"));
    cx->deadline_ms = 0;
    EXPECT_INT("late", late.state, UI_FACT_FAILED);
    EXPECT_INT("the page itself has no fault", cx->issues.count, 0);
    struct store_access none = { .any_patient = true };
    cx->access = &none;
    struct ui_fact hidden = ui_banner_allergies(cx, store, S("p1"));
    cx->access = NULL;
    EXPECT_INT("hidden", hidden.state, UI_FACT_HIDDEN);
    struct ui_banner banner = { .allergies = late };
    EXPECT("late is drawn", says(drawn(cx, &banner), "Could not be read: ask the patient"));
    banner.allergies = hidden;
    EXPECT("hidden is drawn", says(drawn(cx, &banner), "Not shown to your role"));
    ctx_release(cx); /* the borrowed reader goes back first */
    store_close(store);
    record_remove(cx, folder);
}

TEST(banner_says_where_they_lie_and_what_was_decided)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct ui_banner banner;
    static const struct { const char *type, *body; } rows[] = {
        { "Patient", "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"link\":[{\"other\":"
          "{\"reference\":\"Patient/p9\"},\"type\":\"replaced-by\"}]}" },
        { "Location", "{\"resourceType\":\"Location\",\"id\":\"w\",\"name\":\"Ward 3\","
          "\"physicalType\":{\"coding\":[{\"code\":\"wa\"}]}}" },
        { "Location", "{\"resourceType\":\"Location\",\"id\":\"b\",\"name\":\"Bed 2\","
          "\"partOf\":{\"reference\":\"Location/w\"}}" },
        { "Encounter", "{\"resourceType\":\"Encounter\",\"id\":\"e\",\"status\":\"in-progress\","
          "\"class\":{\"code\":\"IMP\"},\"subject\":{\"reference\":\"Patient/p1\"},\"location\":"
          "[{\"location\":{\"reference\":\"Location/b\"},\"status\":\"active\"}]}" },
        { "Flag", "{\"resourceType\":\"Flag\",\"id\":\"f1\",\"status\":\"active\",\"code\":"
          "{\"text\":\"DNACPR decision recorded\"},\"subject\":{\"reference\":\"Patient/p1\"}}" },
        { "Flag", "{\"resourceType\":\"Flag\",\"id\":\"f2\",\"status\":\"active\",\"code\":"
          "{\"text\":\"Risk of falls\"},\"period\":{\"start\":"
          "\"2025-11-19\"},\"subject\":{\"reference\":\"Patient/p1\"}}" },
        { "Flag", "{\"resourceType\":\"Flag\",\"id\":\"f3\",\"status\":\"inactive\",\"code\":"
          "{\"text\":\"Isolation\"},\"subject\":{\"reference\":\"Patient/p1\"}}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        put(cx, store, rows[i].type, rows[i].body);
    EXPECT_INT("read", ui_banner_read(cx, store, S("p1"), &banner), ERR_OK);
    EXPECT_STR("place", banner.location.text, S("Bed 2, Ward 3"));
    EXPECT_STR("ward", banner.ward, S("w"));
    EXPECT_STR("stay", banner.encounter, S("e"));
    EXPECT_STR("alerts", banner.alerts.text, S("Risk of falls"));
    EXPECT_STR("how old", banner.alerts.when, S("since 19-Nov-2025"));
    EXPECT_STR("decision", banner.resuscitation.text,
               S("DNACPR decision recorded (no date given)"));
    EXPECT_STR("merged", banner.replaced_by, S("p9"));
    EXPECT("write nothing here", says(drawn(cx, &banner), "Write nothing here"));
    ctx_release(cx); /* the borrowed reader goes back first */
    store_close(store);
    record_remove(cx, folder);
}

TEST(a_decision_carries_its_dates_and_an_allergy_when_it_was_recorded)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct ui_banner banner;
    put(cx, store, "Patient", "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
    put(cx, store, "Flag", "{\"resourceType\":\"Flag\",\"id\":\"f1\",\"status\":\"active\","
        "\"code\":{\"text\":\"For cpr\"},\"subject\":{\"reference\":\"Patient/p1\"},"
        "\"period\":{\"start\":\"2025-11-19T10:00:00Z\",\"end\":\"2026-01-01\"}}");
    put(cx, store, "AllergyIntolerance", ALLERGY("a1", "\"code\":{\"text\":\"Latex\"},"
        "\"recordedDate\":\"2011-03-01\""));
    put(cx, store, "AllergyIntolerance", ALLERGY("a2", "\"code\":{\"coding\":[{\"code\":"
        "\"716186003\"}]},\"recordedDate\":\"2020-03-01\""));
    EXPECT_INT("read", ui_banner_read(cx, store, S("p1"), &banner), ERR_OK);
    EXPECT_STR("decision", banner.resuscitation.text,
               S("For cpr (19-Nov-2025 to 01-Jan-2026)"));
    EXPECT_STR("allergy", banner.allergies.text, S("Latex"));
    EXPECT_STR("its date, not the later statement's", banner.allergies.when,
               S("recorded 01-Mar-2011"));
    EXPECT("drawn", says(drawn(cx, &banner), "recorded 01-Mar-2011"));
    ctx_release(cx); /* the borrowed reader goes back first */
    store_close(store);
    record_remove(cx, folder);
}

TEST(an_allergy_is_seen_behind_however_many_that_are_over)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    put(cx, store, "Patient", "{\"resourceType\":\"Patient\",\"id\":\"p1\"}");
    for (int i = 0; i < 120; i++)
        put(cx, store, "AllergyIntolerance",
            arena_printf(cx->arena, ALLERGY("o%d", "\"clinicalStatus\":{\"coding\":[{\"code\":"
                         "\"resolved\"}]},\"code\":{\"text\":\"Egg\"}"), i).p);
    put(cx, store, "AllergyIntolerance", ALLERGY("z", "\"code\":{\"text\":\"Latex\"}"));
    ctx_release(cx);
    EXPECT_STR("the one that stands", ui_banner_allergies(cx, store, S("p1")).text, S("Latex"));
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}

TEST(the_very_young_and_the_dead_have_an_age_that_says_something)
{
    static const struct { const char *born, *at, *died, *text; bool dead; } rows[] = {
        /* it is 26 March 2026, 10:40 */
        { "1945-07-14", "", "", "14-Jul-1945 (80y)", false },
        { "2024-03-26", "", "", "26-Mar-2024 (2y)", false },
        { "2024-03-27", "", "", "27-Mar-2024 (23mth)", false },
        { "2025-03-26", "", "", "26-Mar-2025 (11mth)", false },
        { "2025-03-27", "", "", "27-Mar-2025 (52w)", false },
        { "2026-02-26", "", "", "26-Feb-2026 (4w)", false },
        { "2026-02-27", "", "", "27-Feb-2026 (27d)", false },
        { "2026-03-25", "2026-03-25T20:40:00Z", "", "25-Mar-2026 (14h)", false },
        { "2026-03-26", "", "", "26-Mar-2026 (born today)", false },
        { "2030-01-01", "", "", "01-Jan-2030", false },
        { "1980", "", "", "1980 (46y)", false },
        { "", "", "", "Not known", false },
        { "1930-01-02", "", "2020-01-01T23:00:00Z", "02-Jan-1930 (died 01-Jan-2020, 89y)", true },
        { "1930-01-02", "", "2020", "02-Jan-1930 (died 2020)", true },
        { "1930-01-02", "", "", "02-Jan-1930", true },
    };
    cx->now_ms = 1774521600000;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ui_patient who = { .birth_date = str_of(rows[i].born), .born_at = str_of(rows[i].at),
                                  .deceased = rows[i].dead,
                                  .deceased_date = str_of(rows[i].died) };
        EXPECT_STR(rows[i].text, ui_patient_born(cx, &who), str_of(rows[i].text));
    }
}

TEST(a_number_not_traced_is_marked_and_an_old_one_not_shown)
{
    struct json patient;
    cr_assert(json_parse(cx, S("{\"identifier\":[{\"use\":\"old\",\"system\":"
        "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":\"9990000040\"},{\"system\":"
        "\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":\"9990001233\",\"extension\":[{\"url\":"
        "\"https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerification"
        "Status\",\"valueCodeableConcept\":{\"coding\":[{\"code\":\"02\"}]}}]}],\"name\":["
        "{\"use\":\"maiden\",\"family\":\"Old\"},{\"family\":\"New\"}]}"), &patient) == ERR_OK);
    struct ui_banner banner = { .who = ui_patient_of(cx, patient) };
    EXPECT_STR("in use", banner.who.nhs_number, S("9990001233"));
    EXPECT_STR("name in use", banner.who.family, S("New"));
    EXPECT("marked", says(drawn(cx, &banner), "Not verified"));
}
