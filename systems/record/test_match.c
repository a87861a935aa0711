/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE match
#include "base/test.h"
#include "systems/record/match.h"

TEST(dates_of_birth_are_read_as_people_write_them)
{
    static const struct { const char *typed, *expected; } rows[] = {
        { "14/07/1945", "1945-07-14" },  { "14-Jul-1945", "1945-07-14" },
        { "14 july 1945", "1945-07-14" },{ "1945-07-14", "1945-07-14" },
        { "14.7.45", "1945-07-14" },     { "14071945", "1945-07-14" },
        { "1/2/26", "2026-02-01" },      { "1/2/27", "1927-02-01" },
        { "29/02/2024", "2024-02-29" },  { "29/02/2023", "" },
        { "31/04/1950", "" },            { "14/13/1945", "" },
        { "0/7/1945", "" },              { "14/7", "" },
        { "14/07/19455", "" },           { "aa/bb/cccc", "" },
        { "14 07 1945 1", "" },          { "", "" },
        { "1st Feb 1960", "1960-02-01" },{ "Feb 22nd 1960", "1960-02-22" },
        { "010260", "1960-02-01" },      { "19600201", "1960-02-01" },
        { "1.2.1960.", "1960-02-01" },   { "320160", "" },
        { "33/2/60", "" },               { "1xx Feb 1960", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str got = S("");
        bool is = match_date(cx, str_of(rows[i].typed), &got);
        EXPECT_STR(rows[i].typed, got, str_of(rows[i].expected));
        EXPECT_INT(rows[i].typed, is, rows[i].expected[0] != 0);
    }
}

TEST(what_was_typed_is_taken_apart)
{
    struct match_ask ask;
    EXPECT_INT("number", match_read(cx, S("999 000 1233"), S(""), &ask), ERR_OK);
    EXPECT_STR("digits", ask.nhs, S("9990001233"));
    EXPECT_INT("names", match_read(cx, S("O\xc3\x89T, Ann 14/07/1945"), S(""), &ask), ERR_OK);
    EXPECT_STR("family", ask.words[0], S("oet"));
    EXPECT_STR("given", ask.words[1], S("ann"));
    EXPECT_STR("born", ask.born, S("1945-07-14"));
    EXPECT_INT("comma", (long long)ask.family_words, 1);
    EXPECT_INT("hospital", match_read(cx, S("H000123"), S(""), &ask), ERR_OK);
    EXPECT_STR("hospital", ask.hospital, S("H000123"));
    EXPECT_INT("no date", match_read(cx, S("smith"), S("31/02/1950"), &ask), ERR_INVALID);
    EXPECT_INT("wrong check digit", match_read(cx, S("9434765918"), S(""), &ask), ERR_OK);
    EXPECT("said", ask.nhs_wrong);
}

TEST(number_date_and_name_are_told_apart_in_any_order)
{
    static const struct {
        const char *typed, *nhs, *hospital, *born, *first, *second;
    } rows[] = {
        { "O\xe2\x80\x99" "Brien 1 Feb 60", "", "", "1960-02-01", "o'brien", "" },
        { "1.2.1960 obrien", "", "", "1960-02-01", "obrien", "" },
        { "1/2/60", "", "", "1960-02-01", "", "" },
        { "born 1 2 60", "", "", "1960-02-01", "", "" },
        { "NHS No. 999 000 1233", "9990001233", "9990001233", "", "", "" },
        { "999-000-1233 Webb", "9990001233", "9990001233", "", "webb", "" },
        { "999 000 1233x", "", "1233x", "", "999", "000" },
        { "1234567", "", "1234567", "", "", "" },
        { "01021960", "", "01021960", "1960-02-01", "", "" },
        { "010260", "", "010260", "", "", "" },
        { "Mrs Carol Newname", "", "", "", "carol", "newname" },
        { "Master", "", "", "", "master", "" },
        { "Born, Max", "", "", "", "born", "max" },
        { "123", "", "", "", "123", "" },
        { "\xc2\xa0Zo\xc3\xab", "", "", "", "zoe", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct match_ask ask;
        EXPECT_INT(rows[i].typed, match_read(cx, str_of(rows[i].typed), S(""), &ask), ERR_OK);
        EXPECT_STR(rows[i].typed, ask.nhs, str_of(rows[i].nhs));
        EXPECT_STR(rows[i].typed, ask.hospital, str_of(rows[i].hospital));
        EXPECT_STR(rows[i].typed, ask.born, str_of(rows[i].born));
        EXPECT_STR(rows[i].typed, ask.words[0], str_of(rows[i].first));
        EXPECT_STR(rows[i].typed, ask.words[1], str_of(rows[i].second));
    }
}

TEST(a_name_is_looked_for_as_a_record_may_spell_it)
{
    static const struct { const char *typed, *spelt; } rows[] = {
        { "oneill", "o'neill" },             { "o'neill", "o\xe2\x80\x99neill" },
        { "o neill", "o'neill" },            { "smith jones", "smith-jones" },
        { "smith-jones", "smith jones" },    { "mckay", "mackay" },
        { "macdonald", "mc donald" },        { "mac donald", "macdonald" },
        { "vanderberg", "van der berg" },    { "alhassan", "al-hassan" },
        { "patel", "patel" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str list[MATCH_SPELLINGS_MAX];
        size_t count = match_spellings(cx, str_of(rows[i].typed), list), at = 0;
        while (at < count && !str_eq(list[at], str_of(rows[i].spelt)))
            at++;
        EXPECT(rows[i].typed, at < count);
    }
}

TEST(distance_counts_slips)
{
    static const struct { const char *a, *b; int slips; } rows[] = {
        { "smith", "smith", 0 },  { "smith", "smyth", 1 },    { "smith", "smiht", 1 },
        { "smith", "smit", 1 },   { "smith", "smitth", 1 },   { "smith", "smythe", 2 },
        { "smith", "jones", 3 },  { "", "ab", 2 },            { "ca", "abc", 3 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT_INT(rows[i].a, match_distance(str_of(rows[i].a), str_of(rows[i].b), 2),
                   rows[i].slips);
        EXPECT_INT(rows[i].b, match_distance(str_of(rows[i].b), str_of(rows[i].a), 2),
                   rows[i].slips);
    }
}

TEST(every_variant_is_one_slip_away)
{
    str list[MATCH_VARIANTS_MAX];
    size_t count = match_variants(cx, S("patel"), list);
    EXPECT_STR("itself first", list[0], S("patel"));
    for (size_t i = 0; i < count; i++)
        EXPECT("one slip", match_distance(list[i], S("patel"), 1) <= 1);
    EXPECT("most of them", count > 250);
}

TEST(a_match_says_why_and_only_a_whole_one_is_full)
{
    static const struct match_person ann = { { "oneill", 6 }, { "ann", 3 }, { "1945-07-04", 10 },
                                             { "9990001233", 10 }, { "H000001", 7 },
                                             { "o'neill", 7 }, { "ann rose", 8 } };
    static const struct { const char *typed, *born; bool match, full; const char *why; } rows[] = {
        { "9990001233", "", true, true, "NHS number" },
        { "9990001234", "", false, false, "" },
        { "h000001", "", true, true, "hospital number" },
        { "oneill, ann", "4/7/1945", true, true, "surname; first name; date of birth" },
        { "ann oneill", "4/7/1945", true, true, "surname; first name; date of birth" },
        { "oneill ann", "7/4/1945", true, false,
          "surname; first name; date of birth with day and month changed round" },
        { "onell ann", "4/7/1945", true, false,
          "surname one letter out; first name; date of birth" },
        { "oneill", "4/7/1945", true, false, "surname; date of birth" },
        { "oneill ann", "", true, false, "surname; first name" },
        { "oneill ann", "9/9/1970", true, false, "surname; first name" },
        { "oneill bob", "4/7/1945", false, false, "" },
        { "", "4/7/1945", true, false, "date of birth" },
        { "", "5/7/1945", false, false, "" },
        { "one", "", true, false, "surname begins so" },
        { "oneill ann", "4/7/1954", true, false,
          "surname; first name; date of birth one slip out" },
        { "o neill ann", "4/7/1945", true, true, "surname; first name; date of birth" },
        { "ann o neill 4 july 45", "", true, true, "surname; first name; date of birth" },
        { "neill", "", true, false, "surname in part" },
        { "rose", "", true, false, "first name in part" },
        { "ann rose oneill", "4/7/1945", true, true, "surname; first name; date of birth" },
        { "ann mary oneill", "", true, false, "surname; first name in part" },
        { "9990001233 oneill", "", true, true, "NHS number" },
        { "9990001233 patel", "", true, false,
          "NHS number alone: name or date of birth is another" },
        { "h000001", "5/7/1945", true, false,
          "hospital number alone: name or date of birth is another" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct match_ask ask;
        EXPECT_INT(rows[i].typed, match_read(cx, str_of(rows[i].typed), str_of(rows[i].born), &ask),
                   ERR_OK);
        struct match_score got = match_person(cx, &ask, &ann);
        EXPECT_INT(rows[i].typed, got.points > 0, rows[i].match);
        EXPECT_INT(rows[i].typed, got.full, rows[i].full);
        if (rows[i].match)
            EXPECT_STR(rows[i].typed, got.why, str_of(rows[i].why));
    }
}

TEST(people_easily_confused_are_alike)
{
    static const struct { const char *fa, *ga, *fb, *gb; bool alike; } rows[] = {
        { "patel", "anita", "patel", "anil", true },  { "patel", "anita", "patel", "bob", true },
        { "smith", "john", "smyth", "jon", true },    { "smith", "john", "smyth", "mary", false },
        { "smith", "john", "jones", "john", false },  { "", "john", "", "john", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct match_person a = { .family = str_of(rows[i].fa), .given = str_of(rows[i].ga) };
        struct match_person b = { .family = str_of(rows[i].fb), .given = str_of(rows[i].gb) };
        EXPECT_INT(rows[i].ga, match_alike(&a, &b), rows[i].alike);
        EXPECT_INT(rows[i].gb, match_alike(&b, &a), rows[i].alike);
    }
}

TEST(people_of_one_surname_are_confusable_by_more_than_that)
{
    static const struct { const char *fa, *ga, *da, *fb, *gb, *db; bool is; } rows[] = {
        { "smith", "archie", "1990-12-31", "smith", "archie", "1998-03-19", true },
        { "smith", "archie", "1990-12-31", "smith", "audrey", "1956-10-28", false },
        { "smith", "ann", "1990-12-31", "smith", "anne", "1956-10-28", true },
        { "smith", "john", "1990-02-01", "smith", "mary", "1990-01-02", true },
        { "smith", "john", "1990-02-01", "jones", "john", "1990-02-01", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct match_person a = { .family = str_of(rows[i].fa), .given = str_of(rows[i].ga),
                                  .born = str_of(rows[i].da) };
        struct match_person b = { .family = str_of(rows[i].fb), .given = str_of(rows[i].gb),
                                  .born = str_of(rows[i].db) };
        EXPECT_INT(rows[i].gb, match_confusable(cx, &a, &b), rows[i].is);
        EXPECT_INT(rows[i].ga, match_confusable(cx, &b, &a), rows[i].is);
    }
}
