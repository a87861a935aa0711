/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE scope
#include "base/test.h"
#include "auth/scope.h"

static uint16_t type(const char *name)
{
    return fhir_resource_find(str_of(name));
}

TEST(scope_reads_each_form)
{
    static const struct {
        const char *text, *type;
        unsigned actions;
        bool allowed;
    } rows[] = {
        { "patient/Observation.rs", "Observation", SCOPE_READ, true },
        { "patient/Observation.rs", "Observation", SCOPE_READ | SCOPE_SEARCH, true },
        { "patient/Observation.rs", "Observation", SCOPE_UPDATE, false },
        { "patient/Observation.rs", "Condition", SCOPE_READ, false },
        { "patient/*.cruds", "Condition", SCOPE_DELETE, true },
        { "patient/*.read", "Condition", SCOPE_SEARCH, true },
        { "patient/*.read", "Condition", SCOPE_CREATE, false },
        { "patient/Patient.write", "Patient", SCOPE_UPDATE | SCOPE_CREATE, true },
        { "patient/Patient.r patient/Patient.s", "Patient", SCOPE_READ | SCOPE_SEARCH, true },
        { "user/Observation.rs", "Observation", SCOPE_READ, true },
        { "system/Observation.rs", "Observation", SCOPE_READ, false },
        { "patient/Observation.rs?category=laboratory", "Observation", SCOPE_READ, false },
        { "", "Patient", SCOPE_READ, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scope_set set;
        EXPECT_INT(rows[i].text, scope_parse(cx, str_of(rows[i].text), &set), ERR_OK);
        EXPECT_INT(rows[i].text,
                   scope_allows(&set, SCOPE_PATIENT, type(rows[i].type), rows[i].actions),
                   rows[i].allowed);
    }
}

TEST(scope_refuses_what_is_no_scope)
{
    static const char *const rows[] = {
        "patient/Observation", "patient/Observation.sr", "patient/Observation.", "patient/Obs.rs",
        "patient/Observation.rs?", "doctor/Observation.rs", "openid2", "patient/Observation.rrs",
        "patient/.rs", "/",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scope_set set;
        EXPECT_INT(rows[i], scope_parse(cx, str_of(rows[i]), &set), ERR_INVALID);
    }
}

TEST(scope_with_a_query_is_offered_and_not_taken_for_the_whole)
{
    struct scope_set set;
    const struct scope_rule **found;
    EXPECT_INT("parse", scope_parse(cx, S("user/Observation.rs?category=laboratory user/Patient.r"),
                                    &set), ERR_OK);
    struct scope_rule wanted = { SCOPE_USER, type("Observation"), SCOPE_READ, S("") };
    EXPECT_INT("one", scope_queries(cx->arena, &set, &wanted, &found), 1);
    EXPECT_STR("query", found[0]->query, S("category=laboratory"));
    EXPECT("in part", scope_allows_part(&set, SCOPE_USER, type("Observation"), SCOPE_READ));
    EXPECT("not in whole", !scope_allows(&set, SCOPE_USER, type("Observation"), SCOPE_READ));
    wanted.actions = SCOPE_UPDATE;
    EXPECT_INT("write", scope_queries(cx->arena, &set, &wanted, &found), 0);
    wanted = (struct scope_rule){ SCOPE_PATIENT, type("Observation"), SCOPE_READ, S("") };
    EXPECT_INT("the patient's part of it", scope_queries(cx->arena, &set, &wanted, &found), 1);
    wanted.level = SCOPE_SYSTEM;
    EXPECT_INT("another level", scope_queries(cx->arena, &set, &wanted, &found), 0);
}

TEST(scope_refresh_may_narrow_but_not_widen)
{
    static const struct {
        const char *wanted;
        bool within;
    } rows[] = {
        { "patient/Observation.rs", true },      { "patient/Observation.r", true },
        { "patient/Observation.cruds", false },  { "patient/*.rs", false },
        { "user/Observation.rs", false },        { "openid", true },
        { "offline_access", false },             { "patient/Observation.r?code=x", true },
    };
    struct scope_set granted, wanted;
    EXPECT_INT("granted", scope_parse(cx, S("patient/Observation.rs openid"), &granted), ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT_INT(rows[i].wanted, scope_parse(cx, str_of(rows[i].wanted), &wanted), ERR_OK);
        EXPECT_INT(rows[i].wanted, scope_within(&wanted, &granted), rows[i].within);
    }
}
