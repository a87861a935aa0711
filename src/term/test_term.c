/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE term
#include "base/test.h"
#include "term/ecl.h"

/* A scrap of anatomy with two parents, an attribute and a reference set, in SNOMED CT's shape. */
enum { ROOT, FINDING, FRACTURE, FEMUR_FRACTURE, SITE, BONE, FEMUR, SET, MEMBER, LEG_INJURY, ALL };
static const char *const codes[ALL] = {
    "138875005", "404684003", "125605004", "71620000", "363698007", "272673000", "71341001",
    "700043003", "900000000000455006", "127279002",
};

static const struct term_system *anatomy(struct ctx *cx)
{
    static const struct term_edge edges[] = {
        { FINDING, ROOT }, { FRACTURE, FINDING }, { FEMUR_FRACTURE, FRACTURE },
        { FEMUR_FRACTURE, LEG_INJURY }, { LEG_INJURY, FINDING }, { BONE, ROOT }, { FEMUR, BONE },
        { SITE, ROOT }, { SET, ROOT }, { MEMBER, ROOT }, { FEMUR, BONE },
    };
    static const struct term_attribute attributes[] = {
        { FRACTURE, SITE, BONE }, { FEMUR_FRACTURE, SITE, FEMUR }, { FEMUR_FRACTURE, MEMBER, SET },
    };
    struct term_system *system = arena_zero(cx->arena, sizeof *system);
    struct term_edge *copy = arena_alloc(cx->arena, sizeof edges);
    memcpy(copy, edges, sizeof edges);
    system->case_sensitive = system->complete = true;
    system->concepts = arena_array(cx->arena, ALL, sizeof *system->concepts);
    system->count = ALL;
    for (size_t i = 0; i < ALL; i++)
        system->concepts[i].code = str_of(codes[i]);
    system->attributes = arena_alloc(cx->arena, sizeof attributes);
    memcpy(system->attributes, attributes, sizeof attributes);
    system->attributes_count = COUNT(attributes);
    term_system_index(cx->arena, system);
    term_system_link(cx->arena, system, copy, COUNT(edges));
    return system;
}

#define BIT(n) (1u << (n))

TEST(ecl_selects_by_place_attribute_and_set)
{
    static const struct {
        const char *ecl;
        unsigned expected;
    } rows[] = {
        { "71620000", BIT(FEMUR_FRACTURE) },
        { "71620000 |Fracture of femur|", BIT(FEMUR_FRACTURE) },
        { "< 125605004", BIT(FEMUR_FRACTURE) },
        { "<<125605004", BIT(FRACTURE) | BIT(FEMUR_FRACTURE) },
        { "> 71620000", BIT(FRACTURE) | BIT(LEG_INJURY) | BIT(FINDING) | BIT(ROOT) },
        { ">> 125605004", BIT(FRACTURE) | BIT(FINDING) | BIT(ROOT) },
        { "<! 404684003", BIT(FRACTURE) | BIT(LEG_INJURY) },
        { ">! 71620000", BIT(FRACTURE) | BIT(LEG_INJURY) },
        { "<< 404684003 AND << 125605004", BIT(FRACTURE) | BIT(FEMUR_FRACTURE) },
        { "<< 125605004 OR 272673000", BIT(FRACTURE) | BIT(FEMUR_FRACTURE) | BIT(BONE) },
        { "<< 404684003 MINUS << 125605004", BIT(FINDING) | BIT(LEG_INJURY) },
        { "^ 700043003", BIT(FEMUR_FRACTURE) },
        { "< 404684003 : 363698007 = << 272673000", BIT(FRACTURE) | BIT(FEMUR_FRACTURE) },
        { "< 404684003 : 363698007 = 71341001", BIT(FEMUR_FRACTURE) },
        { "< 404684003 : 363698007 != 71341001", BIT(FRACTURE) },
        { "* : { 363698007 |site| = * }", BIT(FRACTURE) | BIT(FEMUR_FRACTURE) },
        { "<<404684003:363698007=272673000,363698007=71341001", 0 },
        { "<<404684003:363698007=272673000 OR 363698007=71341001",
          BIT(FRACTURE) | BIT(FEMUR_FRACTURE) },
        { "(< 404684003 MINUS 125605004) AND ^700043003", BIT(FEMUR_FRACTURE) },
        { "< ^ 700043003", 0 },
        { "> ^ 700043003", BIT(FRACTURE) | BIT(LEG_INJURY) | BIT(FINDING) | BIT(ROOT) },
        { "999999", 0 },
        { "/* a comment */ 71620000", BIT(FEMUR_FRACTURE) },
    };
    const struct term_system *system = anatomy(cx);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct term_bits bits = term_bits_make(cx->arena, system);
        err wrong = term_ecl(cx, cx->arena, system, str_of(rows[i].ecl), &bits);
        EXPECT_INT(rows[i].ecl, wrong, ERR_OK);
        EXPECT_INT(rows[i].ecl, bits.words[0], rows[i].expected);
    }
}

TEST(ecl_says_where_it_stops_being_understood)
{
    static const char *const rows[] = {
        "", "<", "< <", "( 71620000", "71620000 )", "71620000 XOR 1", "71620000 |open",
        "< 404684003 : 363698007", "< 404684003 : = 1", "* : { 363698007 = *", "AND 1",
        "<<<<! 1 ,", "<<< 1", "^ ^ 1",
    };
    const struct term_system *system = anatomy(cx);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct term_bits bits = term_bits_make(cx->arena, system);
        EXPECT_INT(rows[i], term_ecl(cx, cx->arena, system, str_of(rows[i]), &bits), ERR_RULE);
    }
    char deep[2000];
    memset(deep, '(', sizeof deep);
    struct term_bits bits = term_bits_make(cx->arena, system);
    str text = { deep, sizeof deep };
    EXPECT_INT("deep", term_ecl(cx, cx->arena, system, text, &bits), ERR_RULE);
}

TEST(hierarchy_with_two_parents_and_a_loop_ends)
{
    const struct term_system *system = anatomy(cx);
    EXPECT("two steps", term_is_below(system, FEMUR_FRACTURE, ROOT));
    EXPECT("second parent", term_is_below(system, FEMUR_FRACTURE, LEG_INJURY));
    EXPECT("not itself", !term_is_below(system, ROOT, ROOT));
    EXPECT("not above", !term_is_below(system, ROOT, FEMUR));
    struct json json;
    struct term_system *loop;
    EXPECT_INT("parse", json_parse(cx, S(
        "{\"url\":\"u\",\"content\":\"complete\",\"concept\":["
        "{\"code\":\"a\",\"property\":[{\"code\":\"parent\",\"valueCode\":\"b\"}]},"
        "{\"code\":\"b\",\"property\":[{\"code\":\"parent\",\"valueCode\":\"a\"}]}]}"), &json),
        ERR_OK);
    EXPECT_INT("build", term_system_from_json(cx, cx->arena, json, &loop), ERR_OK);
    EXPECT("each below the other", term_is_below(loop, 0, 1) && term_is_below(loop, 1, 0));
}

/* As deep as it is long: no stack may be needed for it. */
TEST(hierarchy_of_any_depth_is_walked)
{
    enum { DEEP = 300000 };
    struct term_system system = { .case_sensitive = true, .count = DEEP };
    struct term_edge *edges = arena_array(cx->arena, DEEP, sizeof *edges);
    system.concepts = arena_array(cx->arena, DEEP, sizeof *system.concepts);
    for (uint32_t n = 1; n < DEEP; n++)
        edges[n - 1] = (struct term_edge){ n, n - 1 };
    term_system_link(cx->arena, &system, edges, DEEP - 1);
    EXPECT("the last is below the first", term_is_below(&system, DEEP - 1, 0));
    EXPECT("not the other way", !term_is_below(&system, 0, DEEP - 1));
}

TEST(names_in_other_languages_and_synonyms)
{
    struct json json;
    struct term_system *system;
    EXPECT_INT("parse", json_parse(cx, S(
        "{\"url\":\"u\",\"content\":\"complete\",\"concept\":[{\"code\":\"a\",\"display\":"
        "\"Pulse\",\"designation\":[{\"language\":\"cy\",\"value\":\"Curiad\"},"
        "{\"language\":\"de-AT\",\"use\":{\"code\":\"x\"},\"value\":\"Puls\"}]},"
        "{\"code\":\"b\",\"display\":\"Weight\"}]}"), &json), ERR_OK);
    EXPECT_INT("build", term_system_from_json(cx, cx->arena, json, &system), ERR_OK);
    EXPECT_STR("a language", term_display(system, 0, S("cy")), S("Curiad"));
    EXPECT_STR("of a country", term_display(system, 0, S("de")), S("Puls"));
    EXPECT_STR("not by its first letter", term_display(system, 0, S("d")), S("Pulse"));
    EXPECT_STR("none", term_display(system, 1, S("cy")), S("Weight"));
    EXPECT("called", term_is_called(cx->arena, system, 0, S("CURIAD")));
    EXPECT("called as displayed", term_is_called(cx->arena, system, 1, S("weight")));
    EXPECT("another's name", !term_is_called(cx->arena, system, 1, S("Puls")));
}

TEST(codes_are_found_in_the_case_the_system_keeps)
{
    struct json json;
    struct term_system *system;
    EXPECT_INT("parse", json_parse(cx, S(
        "{\"url\":\"u\",\"content\":\"complete\",\"caseSensitive\":false,"
        "\"concept\":[{\"code\":\"Ab\"}]}"), &json), ERR_OK);
    EXPECT_INT("build", term_system_from_json(cx, cx->arena, json, &system), ERR_OK);
    EXPECT_INT("lower", term_find(system, S("ab")), 0);
    EXPECT_INT("upper", term_find(system, S("AB")), 0);
    EXPECT("another", term_find(system, S("abc")) == TERM_NONE);
    EXPECT_STR("accents", term_fold(cx->arena, S("Ménière")), S("meniere"));
}
