/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE banner
#include "store/access.h"
#include "store/test_record.h"
#include "ui/banner.h"
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
          "{\"text\":\"Risk of falls\"},\"subject\":{\"reference\":\"Patient/p1\"}}" },
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
    EXPECT_STR("decision", banner.resuscitation.text, S("DNACPR decision recorded"));
    EXPECT_STR("merged", banner.replaced_by, S("p9"));
    EXPECT("write nothing here", says(drawn(cx, &banner), "Write nothing here"));
    ctx_release(cx); /* the borrowed reader goes back first */
    store_close(store);
    record_remove(cx, folder);
}
