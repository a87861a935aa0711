/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE decide
#include "base/test.h"
#include "auth/decide.h"

static uint32_t label(const char *name)
{
    for (size_t i = 0; i < role_labels_count; i++)
        if (str_eq(str_of(role_labels[i].name), str_of(name)))
            return (uint32_t)1 << i;
    cr_assert(false, "no label %s", name);
    return 0;
}

enum { REL = 1, OWN = 2, GLASS = 4 };

/* clang-format off */
static const struct {
    const char *row, *role, *type; enum decide_act act; int facts; const char *label;
    enum decide_rule rule; bool glass;
} rows[] = {
    { "nurse reads her ward's patient", "nurse", "Observation", DECIDE_READ, REL, NULL, DECIDE_ALLOWED, false },
    { "nurse, other ward: glass offered", "nurse", "Observation", DECIDE_READ, 0, NULL, DECIDE_NOT_RELATED, true },
    { "nurse after breaking the glass", "nurse", "Observation", DECIDE_READ, GLASS, NULL, DECIDE_ALLOWED, false },
    { "nobody deletes clinical entries", "consultant", "Observation", DECIDE_DELETE, REL, NULL, DECIDE_NO_TYPE, false },
    { "clerk sees no results", "ward_clerk", "Observation", DECIDE_READ, REL, NULL, DECIDE_NO_TYPE, false },
    { "clerk books", "ward_clerk", "Appointment", DECIDE_CREATE, REL, NULL, DECIDE_ALLOWED, false },
    { "bed manager moves anybody", "bed_manager", "Encounter", DECIDE_UPDATE, 0, NULL, DECIDE_ALLOWED, false },
    { "bed manager sees no problems", "bed_manager", "Condition", DECIDE_READ, 0, NULL, DECIDE_NO_TYPE, false },
    { "very restricted, nurse", "nurse", "Condition", DECIDE_READ, REL, "V", DECIDE_LABEL, false },
    { "very restricted stays closed behind glass", "nurse", "Condition", DECIDE_READ, GLASS, "V", DECIDE_LABEL, false },
    { "very restricted, consultant", "consultant", "Condition", DECIDE_READ, REL, "V", DECIDE_ALLOWED, false },
    { "sexual health, therapist", "ahp", "Condition", DECIDE_READ, REL, "STD", DECIDE_LABEL, true },
    { "sexual health, therapist behind glass", "ahp", "Condition", DECIDE_READ, GLASS, "STD", DECIDE_ALLOWED, false },
    { "not for the patient", "patient", "Condition", DECIDE_READ, OWN, "NOPAT", DECIDE_LABEL, false },
    { "own record", "patient", "Condition", DECIDE_READ, OWN, NULL, DECIDE_ALLOWED, false },
    { "another's record", "patient", "Condition", DECIDE_READ, 0, NULL, DECIDE_NOT_OWN, false },
    { "a relationship does not open it to a patient", "patient", "Condition", DECIDE_READ, REL, NULL, DECIDE_NOT_OWN, false },
    { "proxy and sexual health", "proxy", "Condition", DECIDE_READ, OWN, "STD", DECIDE_LABEL, false },
    { "privacy officer reads the audit", "privacy_officer", "AuditEvent", DECIDE_SEARCH, 0, NULL, DECIDE_ALLOWED, false },
    { "privacy officer reads no results", "privacy_officer", "Observation", DECIDE_READ, 0, NULL, DECIDE_NO_TYPE, false },
    { "administrator reads no patient", "system_admin", "Patient", DECIDE_READ, 0, NULL, DECIDE_NO_TYPE, false },
};
/* clang-format on */

TEST(decide_follows_the_table)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decide_asker asker = { .role = role_find(str_of(rows[i].role)) };
        struct decide_thing thing = {
            .resource = fhir_resource_find(str_of(rows[i].type)),
            .in_compartment = strcmp(rows[i].type, "AuditEvent") != 0,
            .own = rows[i].facts & OWN,
            .related = rows[i].facts & REL,
            .glass_broken = rows[i].facts & GLASS,
            .labels = rows[i].label ? label(rows[i].label) : 0,
        };
        struct decide_answer answer = decide(&asker, rows[i].act, &thing);
        EXPECT_INT(rows[i].row, answer.rule, rows[i].rule);
        EXPECT_INT(rows[i].row, answer.allowed, rows[i].rule == DECIDE_ALLOWED);
        EXPECT_INT(rows[i].row, answer.may_break_glass, rows[i].glass);
    }
}

TEST(decide_needs_scope_and_role_both)
{
    struct scope_set set;
    EXPECT_INT("parse", scope_parse(cx, S("user/Observation.rs user/Condition.cruds"), &set), ERR_OK);
    struct decide_asker asker = { role_find(S("hca")), &set, SCOPE_USER };
    struct decide_thing thing = { .resource = fhir_resource_find(S("Observation")),
                                  .in_compartment = true, .related = true };
    EXPECT_INT("both", decide(&asker, DECIDE_READ, &thing).rule, DECIDE_ALLOWED);
    EXPECT_INT("role yes, scope no", decide(&asker, DECIDE_CREATE, &thing).rule, DECIDE_NO_SCOPE);
    thing.resource = fhir_resource_find(S("Condition"));
    EXPECT_INT("scope yes, role no", decide(&asker, DECIDE_DELETE, &thing).rule, DECIDE_NO_TYPE);
}

/* The filter for sets and the decision for one must never disagree. */
TEST(decide_filter_equals_decision_for_every_role_and_type)
{
    for (size_t r = 0; r < roles_count; r++) {
        struct decide_asker asker = { .role = &roles[r] };
        struct store_access access = decide_filter(cx->arena, &asker, DECIDE_READ,
                                                   &(struct decide_patients){ 0 });
        for (uint16_t type = 0; type < fhir_resources_count; type++) {
            struct decide_thing thing = { .resource = type, .in_compartment = true, .own = true,
                                          .related = true };
            bool one = decide(&asker, DECIDE_READ, &thing).allowed;
            EXPECT_INT(roles[r].name, access_type(&access, type), one);
        }
        for (size_t l = 0; l < role_labels_count; l++) {
            bool hidden = false;
            for (size_t h = 0; h < access.hidden_count; h++)
                hidden |= str_eq(access.hidden[h].code, str_of(role_labels[l].code));
            EXPECT_INT(role_labels[l].name, hidden, !role_sees_label(&roles[r], &role_labels[l]));
        }
    }
}

TEST(role_table_puts_every_type_in_one_group)
{
    for (uint16_t type = 0; type < fhir_resources_count; type++) {
        const char *name = arena_cstr(cx->arena, fhir_resource_name(type));
        EXPECT(name, role_group_of(type) != ROLE_GROUPS);
    }
}

TEST(role_names_are_unique_and_twelve_at_least)
{
    EXPECT("twelve", roles_count >= 12);
    for (size_t i = 0; i < roles_count; i++)
        EXPECT(roles[i].name, role_find(str_of(roles[i].name)) == &roles[i]);
}

TEST(role_permission_patterns_cover_whole_words_only)
{
    const struct role *clerk = role_find(S("ward_clerk")), *nurse = role_find(S("nurse"));
    EXPECT("listed", role_permits(clerk, S("beds.write")));
    EXPECT("not listed", !role_permits(clerk, S("beds.writes")));
    EXPECT("star", role_permits(nurse, S("beds.close")));
    EXPECT("star is not the bare word", !role_permits(nurse, S("bedsides.read")));
}

TEST(role_activities_include_what_they_hold)
{
    EXPECT_STR("demographics", role_activities_closure(cx->arena, S("B0825")), S("B0820 B0825"));
    EXPECT_STR("two steps", role_activities_closure(cx->arena, S("B0380")), S("B0360 B0380 B0820"));
    EXPECT_STR("none", role_activities_closure(cx->arena, S("")), S(""));
}
