/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE people
#include "base/test.h"
#include "auth/people.h"

static struct people *fresh(struct ctx *cx, str *folder)
{
    *folder = test_folder(cx);
    struct people *people;
    cr_assert_eq(people_open(cx, *folder, &people), ERR_OK);
    return people;
}

static str token(struct ctx *cx, struct people *people, const char *user, const char *scopes)
{
    struct people_token_ask ask = { .user = str_of(user), .scopes = str_of(scopes), .minutes = 5 };
    str bearer = { 0 };
    cr_assert_eq(people_token_issue(cx, people, &ask, &bearer), ERR_OK);
    return bearer;
}

TEST(people_token_opens_what_it_says_and_no_longer)
{
    str folder;
    struct people *people = fresh(cx, &folder);
    struct people_grant grant;
    str bearer = token(cx, people, "", "system/Patient.rs");
    EXPECT_INT("good", people_token_find(cx, people, bearer, &grant), ERR_OK);
    EXPECT_INT("level", grant.level, SCOPE_SYSTEM);
    EXPECT_STR("scopes", grant.scope_text, S("system/Patient.rs"));
    cx->now_ms += 5 * 60000 - 1;
    EXPECT_INT("last millisecond", people_token_find(cx, people, bearer, &grant), ERR_OK);
    cx->now_ms += 1;
    EXPECT_INT("over", people_token_find(cx, people, bearer, &grant), ERR_LOGIN);
    people_close(people);
}

TEST(people_token_guess_is_refused)
{
    str folder;
    struct people *people = fresh(cx, &folder);
    struct people_grant grant;
    char *bearer = (char *)arena_copy(cx->arena, token(cx, people, "", "system/*.rs")).p;
    bearer[10] = bearer[10] == 'A' ? 'B' : 'A';
    EXPECT_INT("changed", people_token_find(cx, people, (str){ bearer, 46 }, &grant), ERR_LOGIN);
    EXPECT_INT("empty", people_token_find(cx, people, S(""), &grant), ERR_LOGIN);
    people_close(people);
}

TEST(people_revocation_and_disabling_end_a_token_at_once)
{
    str folder;
    struct people *people = fresh(cx, &folder);
    struct people_grant grant;
    struct people_user nurse = { .name = S("a.khan"), .role = S("nurse") };
    EXPECT_INT("add", people_add(cx, people, &nurse), ERR_OK);
    EXPECT_INT("twice", people_add(cx, people, &nurse), ERR_CONFLICT);
    str first = token(cx, people, "a.khan", "user/*.rs");
    str second = token(cx, people, "a.khan", "user/*.rs");
    EXPECT_INT("found", people_token_find(cx, people, first, &grant), ERR_OK);
    EXPECT_INT("level", grant.level, SCOPE_USER);
    EXPECT_INT("revoke", people_token_revoke(cx, people, first), ERR_OK);
    EXPECT_INT("revoked", people_token_find(cx, people, first, &grant), ERR_LOGIN);
    EXPECT_INT("the other holds", people_token_find(cx, people, second, &grant), ERR_OK);
    EXPECT_INT("disable", people_disable(cx, people, nurse.name, true), ERR_OK);
    EXPECT_INT("disabled", people_token_find(cx, people, second, &grant), ERR_LOGIN);
    EXPECT_INT("enable", people_disable(cx, people, nurse.name, false), ERR_OK);
    EXPECT_INT("ended for good", people_token_find(cx, people, second, &grant), ERR_LOGIN);
    people_close(people);
}

TEST(people_refuses_what_cannot_be_a_person)
{
    static const struct {
        const char *name, *role;
        err expected;
    } rows[] = {
        { "ok", "nurse", ERR_OK },           { "x", "nurse", ERR_INVALID },
        { "Upper", "nurse", ERR_INVALID },   { "with space", "nurse", ERR_INVALID },
        { "ok2", "wizard", ERR_INVALID },    { "a'; DROP TABLE user;--", "nurse", ERR_INVALID },
    };
    str folder;
    struct people *people = fresh(cx, &folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct people_user user = { .name = str_of(rows[i].name), .role = str_of(rows[i].role) };
        EXPECT_INT(rows[i].name, people_add(cx, people, &user), rows[i].expected);
    }
    EXPECT_INT("nobody", people_set_role(cx, people, S("no.one"), S("nurse")), ERR_NOT_FOUND);
    EXPECT_INT("no role", people_set_role(cx, people, S("ok"), S("wizard")), ERR_INVALID);
    people_close(people);
}

TEST(people_token_asks_are_bounded)
{
    static const struct {
        const char *row, *scopes;
        int64_t minutes;
        err expected;
    } rows[] = {
        { "one minute", "system/*.rs", 1, ERR_OK },
        { "none", "system/*.rs", 0, ERR_INVALID },
        { "longest", "system/*.rs", PEOPLE_TOKEN_MINUTES_MAX, ERR_OK },
        { "longer", "system/*.rs", PEOPLE_TOKEN_MINUTES_MAX + 1, ERR_INVALID },
        { "no scope", "openid", 5, ERR_INVALID },
        { "wrong scope", "system/Patients.rs", 5, ERR_INVALID },
    };
    str folder, bearer;
    struct people *people = fresh(cx, &folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct people_token_ask ask = { .scopes = str_of(rows[i].scopes),
                                        .minutes = rows[i].minutes };
        EXPECT_INT(rows[i].row, people_token_issue(cx, people, &ask, &bearer), rows[i].expected);
    }
    people_close(people);
}
