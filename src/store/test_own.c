/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE own
#include "store/own.h"
#include "store/check.h"
#include "store/search.h"
#include "store/test_record.h"
#include <stdio.h>
#include <time.h>

enum { PATIENTS = 1500 };

static err put(struct ctx *cx, struct store *store, const char *type, const char *id, str body)
{
    struct commit_op op = record_op(cx, COMMIT_UPDATE, type, id, arena_cstr(cx->arena, body));
    struct ctx one = ctx_make(cx->arena);
    err wrong = record_do(&one, store, &op);
    cx->issues = one.issues;
    ctx_release(&one);
    return wrong;
}

static void put_patient(struct ctx *cx, struct store *store, size_t number, const char *city)
{
    char id[20];
    snprintf(id, sizeof id, "p%zu", number);
    str body = arena_printf(cx->arena, "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"address\":[{"
                            "\"city\":\"%s\"}],\"multipleBirthInteger\":%zu,"
                            "\"managingOrganization\":{\"reference\":\"Organization/o%zu\"}}",
                            id, city, number % 5, number % 3);
    cr_assert(put(cx, store, "Patient", id, body) == ERR_OK);
}

static str parameter(struct ctx *cx, const char *code, const char *type, const char *rest)
{
    return arena_printf(cx->arena, "{\"resourceType\":\"SearchParameter\",\"url\":\"http://x.org/"
                        "%s\",\"name\":\"n\",\"description\":\"d\",\"code\":\"%s\",\"type\":\"%s\","
                        "%s}", code, code, type, rest);
}

/* Total of a search, or -1 and its refusal in cx's issues. *noted: the answer has a warning. */
static int64_t count_of(struct ctx *cx, struct store *store, const char *type, const char *query,
                        bool *noted)
{
    struct ctx one = ctx_make(cx->arena);
    struct search_page page;
    struct search_request request = { .resource = fhir_resource_find(str_of(type)),
                                      .query = str_of(query), .count_default = 10000,
                                      .count_max = 10000 };
    err wrong = search_run(&one, store, &request, &page);
    *noted = !wrong && page.warnings.kept > 0;
    cx->issues = one.issues;
    ctx_release(&one);
    return wrong ? -1 : (int64_t)page.entries_count;
}

static int64_t count(struct ctx *cx, struct store *store, const char *query, bool *noted)
{
    return count_of(cx, store, "Patient", query, noted);
}

static bool is_settled(struct ctx *cx, struct store *store, size_t expected)
{
    struct own_status *list;
    size_t n, settled = 0;
    struct ctx one = ctx_make(cx->arena);
    cr_assert(own_list(&one, store, &list, &n) == ERR_OK);
    ctx_release(&one);
    for (size_t i = 0; i < n; i++)
        settled += list[i].state == OWN_ACTIVE;
    return settled == n && n == expected;
}

static void settle(struct ctx *cx, struct store *store, size_t expected)
{
    for (int i = 0; i < 3000 && !is_settled(cx, store, expected); i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    cr_assert(is_settled(cx, store, expected), "not settled at %zu", expected);
}

static void expect_whole(struct ctx *cx, struct store *store)
{
    struct ctx one = ctx_make(cx->arena);
    struct check_options options = { 0 };
    struct check_report report = { 0 };
    EXPECT_INT("check runs", store_check(&one, store, &options, &report), ERR_OK);
    cr_expect(report.faults_count == 0, "%lld faults: %.*s", (long long)report.faults_count,
              STR_ARG(report.faults[0]));
    ctx_release(&one);
}

#define BASE "\"status\":\"active\",\"base\":[\"Patient\"],"

TEST(a_parameter_answers_whole_before_while_and_after_it_is_indexed)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    bool noted, any_noted = false;
    for (size_t i = 0; i < PATIENTS; i++)
        put_patient(cx, store, i, i % 3 ? "Leeds" : "York");
    cr_assert(put(cx, store, "SearchParameter", "town",
                  parameter(cx, "town", "string",
                            BASE "\"expression\":\"Patient.address.city\"")) == ERR_OK);
    EXPECT_INT("at once", count(cx, store, "town=york", &noted), 500);
    for (size_t i = 0; i < 300; i++) { /* changes go on while it is indexed */
        size_t which = i * 7 % PATIENTS;
        put_patient(cx, store, which, which % 3 ? "Leeds" : i % 2 ? "Hull" : "York");
        if (i % 20 == 0) {
            int64_t york = count(cx, store, "town=york", &noted);
            any_noted |= noted;
            cr_expect(york == count(cx, store, "address-city=york", &noted), "after %zu", i);
        }
    }
    settle(cx, store, 1);
    int64_t york = count(cx, store, "town=york", &noted);
    EXPECT("no note once it is active", !noted);
    EXPECT_INT("as the built-in one", york, count(cx, store, "address-city=york", &noted));
    EXPECT_INT("exact", count(cx, store, "town:exact=york", &noted), 0);
    EXPECT_INT("missing", count(cx, store, "town:missing=true", &noted), 0);
    EXPECT_INT("sorted by", count(cx, store, "_sort=-town", &noted), PATIENTS);
    expect_whole(cx, store);
    struct commit_op gone = record_op(cx, COMMIT_DELETE, "SearchParameter", "town", NULL);
    cr_assert(record_do(cx, store, &gone) == ERR_OK);
    settle(cx, store, 0);
    EXPECT_INT("unknown when it is gone", count(cx, store, "town=york", &noted), -1);
    expect_whole(cx, store); /* its rows are gone, too */
    store_close(store);
    record_remove(cx, folder);
    (void)any_noted;
}

TEST(a_parameter_is_as_good_as_a_built_in_one)
{
    static const struct { const char *query; int64_t count; } rows[] = {
        { "births=3", 6 }, { "births=lt2", 12 }, { "births=ge5", 0 },
        { "owner=Organization/o1", 10 }, { "owner=o1", 10 }, { "owner:missing=true", 0 },
        { "owner.name=two", 10 }, { "owner:Organization.name=three", 0 },
        { "_sort=owner.name", 30 }, { "_sort=-births&births=gt0", 24 },
        { "_include=Patient:owner&_id=p1", 2 }, { "_include=*&_id=p1", 2 },
        { "owner:identifier=x|1", -1 },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    bool noted;
    for (size_t i = 0; i < 30; i++)
        put_patient(cx, store, i, "Leeds");
    cr_assert(put(cx, store, "Organization", "o1", S("{\"resourceType\":\"Organization\",\"id\":"
                                                     "\"o1\",\"name\":\"Two\"}")) == ERR_OK);
    cr_assert(put(cx, store, "SearchParameter", "b", parameter(cx, "births", "number",
                  BASE "\"expression\":\"Patient.multipleBirth.ofType(integer)\"")) == ERR_OK);
    cr_assert(put(cx, store, "SearchParameter", "o", parameter(cx, "owner", "reference",
                  BASE "\"expression\":\"Patient.managingOrganization\"")) == ERR_OK);
    settle(cx, store, 2);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].query, count(cx, store, rows[i].query, &noted), rows[i].count);
    store_close(store); /* and after a restart */
    store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].query, count(cx, store, rows[i].query, &noted), rows[i].count);
    expect_whole(cx, store);
    store_close(store);
    record_remove(cx, folder);
}

TEST(what_cannot_take_effect_is_refused_with_its_reason)
{
    static const struct { const char *name, *code, *type, *rest, *says; } rows[] = {
        { "bad expression", "a", "string", BASE "\"expression\":\"Patient.(\"", "not FHIRPath" },
        { "no expression", "a", "string", "\"status\":\"active\",\"base\":[\"Patient\"]",
          "needs a FHIRPath expression" },
        { "unknown base", "a", "string",
          "\"status\":\"active\",\"base\":[\"Parient\"],\"expression\":\"id\"",
          "\"Parient\" is not a resource type" },
        { "FHIR's own code", "gender", "token", BASE "\"expression\":\"Patient.gender\"",
          "FHIR's own search parameter of Patient" },
        { "another's code", "taken", "token", BASE "\"expression\":\"Patient.gender\"",
          "by http://x.org/taken" },
        { "special", "a", "special", BASE "\"expression\":\"Patient\"", "said in words" },
        { "a composite of nothing", "a", "composite", BASE "\"expression\":\"Patient\"",
          "needs 2 to 8 components" },
        { "a composite of what is not there", "a", "composite", BASE "\"expression\":\"Patient\","
          "\"component\":[{\"definition\":\"http://x.org/none\",\"expression\":\"id\"},"
          "{\"definition\":\"http://x.org/taken\",\"expression\":\"gender\"}]",
          "post it first" },
        { "a component that is no expression", "a", "composite",
          BASE "\"expression\":\"Patient\",\"component\":[{\"definition\":\"http://x.org/taken\","
          "\"expression\":\"gender(\"},{\"definition\":\"http://x.org/taken\","
          "\"expression\":\"gender\"}]", "no FHIRPath expression" },
        { "a code no query can say", "a.b", "string", BASE "\"expression\":\"Patient.id\"",
          "cannot be a parameter's code" },
        { "draft", "gender", "token",
          "\"status\":\"draft\",\"base\":[\"Patient\"],\"expression\":\"(\"", NULL },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    cr_assert(put(cx, store, "SearchParameter", "first", parameter(cx, "taken", "token",
                  BASE "\"expression\":\"Patient.gender\"")) == ERR_OK);
    settle(cx, store, 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        err wrong = put(cx, store, "SearchParameter", "second",
                        parameter(cx, rows[i].code, rows[i].type, rows[i].rest));
        EXPECT_INT(rows[i].name, wrong, rows[i].says ? ERR_RULE : ERR_OK);
        str text = wrong && cx->issues.kept ? cx->issues.list[0].text : S("");
        cr_expect(!rows[i].says || str_find(text, str_of(rows[i].says)) != STR_NONE, "%s: %.*s",
                  rows[i].name, STR_ARG(text));
    }
    EXPECT_INT("R4's own posted again", put(cx, store, "SearchParameter", "std",
               S("{\"resourceType\":\"SearchParameter\",\"id\":\"std\",\"url\":\"http://hl7.org/"
                 "fhir/SearchParameter/Patient-active\",\"name\":\"active\",\"status\":\"active\","
                 "\"code\":\"active\",\"base\":[\"Patient\"],\"type\":\"token\",\"expression\":"
                 "\"Patient.active\"}")), ERR_OK);
    settle(cx, store, 1);
    store_close(store);
    record_remove(cx, folder);
}

/* Expressions follow one another faster than rows can be made: the last one holds. */
TEST(the_last_of_quick_changes_holds)
{
    static const char *const paths[] = { "Patient.address.city", "Patient.name.family",
                                         "Patient.address.city", "Patient.address.country",
                                         "Patient.address.city" };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    bool noted;
    for (size_t i = 0; i < 400; i++)
        put_patient(cx, store, i, i % 4 ? "Leeds" : "York");
    for (size_t i = 0; i < COUNT(paths); i++) {
        str rest = arena_printf(cx->arena, BASE "\"expression\":\"%s\"", paths[i]);
        cr_assert(put(cx, store, "SearchParameter", "t",
                      parameter(cx, "town", "string", arena_cstr(cx->arena, rest))) == ERR_OK);
        put_patient(cx, store, i, "York");
    }
    /* Once this one is taken up, so is all that came before it. */
    cr_assert(put(cx, store, "SearchParameter", "z",
                  parameter(cx, "zone", "string", BASE "\"expression\":\"Patient.address.state\""))
              == ERR_OK);
    settle(cx, store, 2);
    EXPECT_INT("york", count(cx, store, "town=york", &noted),
               count(cx, store, "address-city=york", &noted));
    expect_whole(cx, store);
    store_close(store);
    record_remove(cx, folder);
}

static const char addressed[] = BASE "\"expression\":\"Patient.address\",\"component\":["
    "{\"definition\":\"http://x.org/town\",\"expression\":\"city\"},"
    "{\"definition\":\"http://hl7.org/fhir/SearchParameter/individual-address-use\","
    "\"expression\":\"use\"}]";

static void put_addresses(struct ctx *cx, struct store *store, size_t number, const char *home,
                          const char *work)
{
    char id[20];
    snprintf(id, sizeof id, "p%zu", number);
    str body = arena_printf(cx->arena, "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"address\""
                            ":[{\"use\":\"home\",\"city\":\"%s\"},{\"use\":\"work\","
                            "\"city\":\"%s\"}]}",
                            id, home, work);
    cr_assert(put(cx, store, "Patient", id, body) == ERR_OK);
}

/* Of the server's own components and R4's; one and the same address answers both. */
TEST(a_composite_holds_one_element_to_all_its_components)
{
    static const struct { const char *query; int64_t count; } rows[] = {
        { "lives=leeds$home", 100 }, { "lives=leeds$work", 50 }, { "lives=york$home", 50 },
        { "lives=york$work", 0 }, { "lives=hull$work", 100 }, { "lives=leeds$home,york$home", 150 },
        { "lives=lee$home", 100 }, { "lives=leeds$home&lives=hull$work", 100 },
        { "lives=leeds", -1 }, { "lives=leeds$home$x", -1 }, { "_sort=lives", -1 },
        { "lives:missing=true", -1 }, { "_id=p1&lives=leeds$home", 1 },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    bool noted;
    for (size_t i = 0; i < 150; i++)
        put_addresses(cx, store, i, i % 3 ? "Leeds" : "York", i % 3 ? "Hull" : "Leeds");
    cr_assert(put(cx, store, "SearchParameter", "town", parameter(cx, "town", "string",
                  BASE "\"expression\":\"Patient.address.city\"")) == ERR_OK);
    cr_assert(put(cx, store, "SearchParameter", "lives",
                  parameter(cx, "lives", "composite", addressed)) == ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].query, count(cx, store, rows[i].query, &noted), rows[i].count);
    settle(cx, store, 2);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].query, count(cx, store, rows[i].query, &noted), rows[i].count);
    put_addresses(cx, store, 1, "Bath", "Bath");
    EXPECT_INT("one moved", count(cx, store, "lives=leeds$home", &noted), 99);
    store_close(store); /* and after a restart */
    store = record_open(cx, folder);
    EXPECT_INT("still", count(cx, store, "lives=leeds$home", &noted), 99);
    EXPECT_INT("bath", count(cx, store, "lives=bath$work", &noted), 1);
    expect_whole(cx, store);
    store_close(store);
    record_remove(cx, folder);
}

/* A reference no parameter of R4 follows. */
TEST(wildcards_include_by_the_servers_own_references)
{
    static const struct { const char *type, *query; int64_t count; } rows[] = {
        { "Patient", "_id=p&_include=Patient:employer", 2 },
        { "Patient", "_id=p&_include=Patient:*", 2 }, { "Patient", "_id=p&_include=*", 2 },
        { "Patient", "_id=p&_include=Patient:employer:Person", 1 },
        { "Organization", "_id=o&_revinclude=Patient:employer", 2 },
        { "Organization", "_id=o&_revinclude=Patient:*", 2 },
        { "Organization", "_id=o&_revinclude=*", 2 },
        { "Organization", "_id=o&_revinclude=Observation:*", 1 },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    bool noted;
    cr_assert(put(cx, store, "Organization", "o", S("{\"resourceType\":\"Organization\",\"id\":"
                                                    "\"o\",\"name\":\"Two\"}")) == ERR_OK);
    cr_assert(put(cx, store, "Patient", "p", S("{\"resourceType\":\"Patient\",\"id\":\"p\","
                  "\"contact\":[{\"organization\":{\"reference\":\"Organization/o\"}}]}"))
              == ERR_OK);
    cr_assert(put(cx, store, "SearchParameter", "e", parameter(cx, "employer", "reference",
                  BASE "\"expression\":\"Patient.contact.organization\"")) == ERR_OK);
    settle(cx, store, 1);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].query, count_of(cx, store, rows[i].type, rows[i].query, &noted),
                   rows[i].count);
    store_close(store);
    record_remove(cx, folder);
}

/* Two posted in one moment: the older has the code, and the younger is told so. */
TEST(of_two_parameters_with_one_code_the_younger_is_told)
{
    str folder = record_folder(cx), why = { 0 };
    struct store *store = record_open(cx, folder);
    const char *const ids[] = { "a", "b" };
    struct commit_op ops[COUNT(ids)];
    for (size_t i = 0; i < COUNT(ids); i++) {
        str body = arena_printf(cx->arena, "{\"resourceType\":\"SearchParameter\",\"id\":\"%s\","
                                "\"url\":\"http://x.org/%s\",\"name\":\"n\",\"description\":"
                                "\"d\",\"code\":\"twin\",\"type\":\"token\"," BASE
                                "\"expression\":\"Patient.gender\"}", ids[i], ids[i]);
        ops[i] = record_op(cx, COMMIT_UPDATE, "SearchParameter", ids[i],
                           arena_cstr(cx->arena, body));
    }
    struct commit both = { .ops = ops, .ops_count = COUNT(ops) };
    cr_assert(commit_run(cx, store, &both) == ERR_OK);
    settle(cx, store, 1);
    struct store_version version;
    struct json body;
    for (size_t i = 0; i < COUNT(ids); i++) {
        cr_assert(store_read(cx, store, fhir_resource_find(S("SearchParameter")), str_of(ids[i]),
                             &version) == ERR_OK);
        cr_assert(json_parse(cx, version.body, &body) == ERR_OK);
        cr_assert(own_explain(cx, store, body, version.rid, &why) == ERR_OK);
        EXPECT(ids[i], str_given(why) == (i == 1));
    }
    EXPECT("names the older", str_find(why, S("taken by http://x.org/a")) != STR_NONE);
    store_close(store);
    record_remove(cx, folder);
}
