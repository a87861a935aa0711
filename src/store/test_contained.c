/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE contained
#include "store/access.h"
#include "store/search.h"
#include "store/test_record.h"

static const char *const ward[] = {
    "{\"resourceType\":\"Medication\",\"id\":\"own\",\"code\":{\"coding\":[{\"system\":\"d\","
    "\"code\":\"aspirin\"}]}}",
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"r1\",\"status\":\"active\",\"intent\":"
    "\"order\",\"subject\":{\"reference\":\"Patient/ann\"},\"contained\":[{\"resourceType\":"
    "\"Medication\",\"id\":\"m1\",\"code\":{\"coding\":[{\"system\":\"d\",\"code\":\"aspirin\"}]},"
    "\"ingredient\":[{\"itemCodeableConcept\":{\"coding\":[{\"code\":\"asa\"}]}}]},"
    "{\"resourceType\":\"Medication\",\"id\":\"m2\",\"code\":{\"coding\":[{\"system\":\"d\","
    "\"code\":\"codeine\"}],\"text\":\"Codeine tablets\"}},{\"resourceType\":\"Practitioner\","
    "\"id\":\"p\",\"name\":[{\"family\":\"Gray\"}]}]}",
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"r2\",\"status\":\"active\",\"intent\":"
    "\"order\",\"subject\":{\"reference\":\"Patient/bob\"},\"contained\":[{\"resourceType\":"
    "\"Medication\",\"id\":\"m1\",\"code\":{\"coding\":[{\"system\":\"d\",\"code\":\"aspirin\"}]}"
    "}]}",
    "{\"resourceType\":\"MedicationDispense\",\"id\":\"d1\",\"status\":\"completed\",\"subject\":{"
    "\"reference\":\"Patient/bob\"},\"contained\":[{\"resourceType\":\"Medication\",\"id\":\"x\","
    "\"code\":{\"coding\":[{\"system\":\"d\",\"code\":\"aspirin\"}]},\"status\":\"inactive\"}]}",
    "{\"resourceType\":\"Patient\",\"id\":\"ann\"}",
    "{\"resourceType\":\"Patient\",\"id\":\"bob\"}",
};

static struct store *open_ward(struct ctx *cx, str folder)
{
    struct store *store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(ward); i++) {
        struct json body = record_json(cx, ward[i]);
        str type = json_string(cx->arena, json_get(body, S("resourceType")));
        struct commit_op op = { .verb = COMMIT_UPDATE, .body = body,
                                .resource = fhir_resource_find(type),
                                .id = json_string(cx->arena, json_get(body, S("id"))) };
        cr_assert(record_do(cx, store, &op) == ERR_OK, "%s", ward[i]);
    }
    return store;
}

static str answer(struct ctx *cx, struct store *store, const char *text,
                  const struct store_access *access, str *next)
{
    struct ctx one = ctx_make(cx->arena);
    struct search_page page;
    str rest = str_of(text), type, ids = S("");
    str_next(&rest, '?', &type);
    struct search_request request = { .resource = type.n ? fhir_resource_find(type) : FHIR_NONE,
                                      .query = rest };
    one.access = access;
    err wrong = search_run(&one, store, &request, &page);
    if (wrong)
        ids = arena_printf(cx->arena, "%s", err_name(wrong));
    for (size_t i = 0; !wrong && i < page.entries_count; i++) {
        const struct search_entry *entry = &page.entries[i];
        ids = arena_printf(cx->arena, "%.*s%s%.*s%s%.*s", STR_ARG(ids), i ? " " : "",
                           STR_ARG(entry->version.id), entry->contained.n ? "#" : "",
                           STR_ARG(entry->contained_id));
        if (entry->contained.n)
            EXPECT("its own text", str_find(entry->contained, entry->contained_id) != STR_NONE);
    }
    if (!wrong && page.has_total)
        ids = arena_printf(cx->arena, "%.*s of %lld", STR_ARG(ids), (long long)page.total);
    *next = wrong ? (str){ 0 } : page.next_query;
    ctx_release(&one);
    return ids;
}

static const struct { const char *query, *ids; } rows[] = {
    { "Medication?code=aspirin", "own of 1" },
    { "Medication?code=aspirin&_contained=false", "own of 1" },
    { "Medication?code=aspirin&_contained=true", "d1 r1 r2 of 3" },
    { "Medication?code=aspirin&_contained=both", "own d1 r1 r2 of 4" },
    { "Medication?code=aspirin&_contained=true&_containedType=contained",
      "d1#x r1#m1 r2#m1 of 3" },
    { "Medication?_contained=true&_containedType=contained", "d1#x r1#m1 r1#m2 r2#m1 of 4" },
    { "Medication?_contained=true", "d1 r1 r2 of 3" },
    { "Medication?code=d|codeine&_contained=true&_containedType=contained", "r1#m2 of 1" },
    { "Medication?code=d|codeine&_contained=both&_containedType=contained", "r1#m2 of 1" },
    { "Medication?code:not=d|aspirin&_contained=true&_containedType=contained", "r1#m2 of 1" },
    { "Medication?code:text=codeine&_contained=true", "r1 of 1" },
    { "Medication?_content=tablets&_contained=true", "r1 of 1" },
    { "Medication?status=inactive&_contained=true", "d1 of 1" },
    { "Medication?status:missing=true&_contained=true", "r1 r2 of 2" },
    { "Medication?_id=m2&_contained=true&_containedType=contained", "r1#m2 of 1" },
    { "Medication?ingredient-code=asa&_contained=true", "r1 of 1" },
    { "Practitioner?name=gray&_contained=true&_containedType=contained", "r1#p of 1" },
    { "Practitioner?name=gray", " of 0" },
    { "?_contained=true&_id=p", "r1 of 1" },
    { "Medication?_contained=true&_summary=count", " of 3" },
    { "Medication?_contained=both&_summary=count&code=aspirin", " of 4" },
    { "Medication?_contained=both&_count=2&_total=accurate&code=aspirin", "own d1 of 4" },
    { "Medication?_contained=perhaps", "invalid" },
    { "Medication?_contained=true&_containedType=both", "invalid" },
    { "Medication?_contained=true&_sort=code", "invalid" },
    { "Medication?_contained=true&manufacturer.name=x", "invalid" },
    { "Medication?_contained=true&_lastUpdated=gt2020", "invalid" },
    { "Medication?_contained=true&_page=c_1_2", "invalid" },
};

TEST(what_is_within_is_found_when_it_is_asked_for)
{
    str folder = record_folder(cx), next;
    struct store *store = open_ward(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].query, answer(cx, store, rows[i].query, NULL, &next),
                   str_of(rows[i].ids));
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "MedicationRequest", "r2",
        "{\"resourceType\":\"MedicationRequest\",\"id\":\"r2\",\"status\":\"active\"}");
    cr_assert(record_do(cx, store, &op) == ERR_OK);
    EXPECT_STR("taken out", answer(cx, store, rows[2].query, NULL, &next), S("d1 r1 of 2"));
    store_close(store);
    record_remove(cx, folder);
}

TEST(pages_of_contained_resources_hold_each_once)
{
    static const char *const queries[][2] = {
        { "Medication?_contained=true&_containedType=contained&_count=1",
          " d1#x r1#m1 r1#m2 r2#m1" },
        { "Medication?_contained=both&_count=1", " own d1 r1 r2" },
        { "Medication?_contained=both&_count=2", " own d1 r1 r2" },
        { "Medication?_contained=both&_count=3&_containedType=contained",
          " own d1#x r1#m1 r1#m2 r2#m1" },
        { "?_contained=true&_containedType=contained&_count=2&_type=Medication,Practitioner",
          " d1#x r1#m1 r1#m2 r2#m1 r1#p" },
    };
    str folder = record_folder(cx), next;
    struct store *store = open_ward(cx, folder);
    for (size_t i = 0; i < COUNT(queries); i++) {
        const char *query = queries[i][0];
        str rest = str_of(query), type, joined = S("");
        str_next(&rest, '?', &type);
        for (int pages = 0; pages < 10; pages++) {
            str ids = answer(cx, store, query, NULL, &next);
            if (ids.n)
                joined = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(joined), STR_ARG(ids));
            if (!str_given(next))
                break;
            query = arena_printf(cx->arena, "%.*s?%.*s", STR_ARG(type), STR_ARG(next)).p;
        }
        EXPECT_STR(queries[i][0], joined, str_of(queries[i][1]));
    }
    store_close(store);
    record_remove(cx, folder);
}

TEST(what_is_within_a_hidden_resource_is_hidden)
{
    str folder = record_folder(cx), next;
    struct store *store = open_ward(cx, folder);
    int64_t ann[1] = { 0 };
    struct search_rids found = { ann, 1, 0 };
    struct ctx one = ctx_make(cx->arena);
    cr_assert(search_condition(&one, store, fhir_resource_find(S("Patient")), S("_id=ann"),
                               &found) == ERR_OK && found.count == 1);
    ctx_release(&one);
    struct store_access access = { .types = { ~0ULL, ~0ULL, ~0ULL }, .pids = ann,
                                   .pids_count = 1 };
    EXPECT_STR("one patient's", answer(cx, store, "Medication?code=aspirin&_contained=true",
                                       &access, &next), S("r1 of 1"));
    uint16_t request = fhir_resource_find(S("MedicationRequest"));
    access.types[request / 64] &= ~(1ULL << (request % 64));
    EXPECT_STR("nor its type", answer(cx, store, "Medication?code=aspirin&_contained=true",
                                      &access, &next), S(" of 0"));
    store_close(store);
    record_remove(cx, folder);
}
