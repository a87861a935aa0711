/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE grant
#include "base/test.h"
#include "auth/grant.h"

#define VERIFIER S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
#define CHALLENGE S("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
#define BACK S("https://app.example/back")

static struct people *fresh(struct ctx *cx)
{
    struct people *people;
    struct people_user user = { .name = S("a.khan"), .role = S("nurse") };
    struct client app = { .id = S("app"), .redirects = BACK,
                          .scopes = S("user/*.rs offline_access") };
    cr_assert_eq(people_open(cx, test_folder(cx), &people), ERR_OK);
    cr_assert_eq(people_add(cx, people, &user), ERR_OK);
    cr_assert_eq(client_add(cx, people, &app), ERR_OK);
    return people;
}

static err redeem(struct ctx *cx, struct people *people, str code, str client, str redirect,
                  str verifier)
{
    struct grant got;
    struct grant_claim claim = { code, client, redirect, verifier };
    return grant_redeem(cx, people, &claim, &got);
}

static err renew(struct ctx *cx, struct people *people, str refresh, struct grant *out)
{
    return grant_refresh(cx, people, &(struct grant_renewal){ refresh, S("app"), S("") }, out);
}

static struct grant asked(void)
{
    return (struct grant){ .client = S("app"), .user = S("a.khan"), .redirect = BACK,
                           .scopes = S("user/Observation.rs offline_access"),
                           .challenge = CHALLENGE };
}

TEST(grant_code_is_good_once_for_its_app_redirect_and_verifier)
{
    const struct {
        const char *row;
        str client, redirect, verifier;
        err expected;
    } rows[] = {
        { "all fit", S("app"), BACK, VERIFIER, ERR_OK },
        { "another app", S("other"), BACK, VERIFIER, ERR_INVALID },
        { "another redirect", S("app"), S("https://app.example/back2"), VERIFIER, ERR_INVALID },
        { "another verifier", S("app"), BACK,
          S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), ERR_INVALID },
        { "the challenge itself", S("app"), BACK, CHALLENGE, ERR_INVALID },
        { "no verifier", S("app"), BACK, S(""), ERR_INVALID },
    };
    struct people *people = fresh(cx);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct grant grant = asked();
        str code;
        EXPECT_INT(rows[i].row, grant_code(cx, people, &grant, &code), ERR_OK);
        EXPECT_INT(rows[i].row, redeem(cx, people, code, rows[i].client, rows[i].redirect,
                                       rows[i].verifier), rows[i].expected);
        EXPECT_INT("used up", redeem(cx, people, code, S("app"), BACK, VERIFIER),
                   ERR_INVALID);
    }
    people_close(people);
}

TEST(grant_code_is_too_old_after_a_minute)
{
    struct people *people = fresh(cx);
    struct grant grant = asked();
    str code;
    EXPECT_INT("code", grant_code(cx, people, &grant, &code), ERR_OK);
    cx->now_ms += GRANT_CODE_MINUTES * 60000;
    EXPECT_INT("late", redeem(cx, people, code, S("app"), BACK, VERIFIER), ERR_INVALID);
    people_close(people);
}

TEST(grant_refresh_rotates_and_reuse_ends_the_family)
{
    struct people *people = fresh(cx);
    struct grant grant = asked(), got;
    struct grant_tokens first, second;
    struct people_grant found;
    grant.family = S("family-1");
    EXPECT_INT("issue", grant_issue(cx, people, &grant, &first), ERR_OK);
    EXPECT_INT("refresh", renew(cx, people, first.refresh, &got), ERR_OK);
    EXPECT_INT("issue again", grant_issue(cx, people, &got, &second), ERR_OK);
    EXPECT_INT("both hold", people_token_find(cx, people, second.access, &found), ERR_OK);
    EXPECT_INT("reuse", renew(cx, people, first.refresh, &got), ERR_INVALID);
    EXPECT_INT("owner's access", people_token_find(cx, people, second.access, &found), ERR_LOGIN);
    EXPECT_INT("owner's refresh", renew(cx, people, second.refresh, &got), ERR_INVALID);
    people_close(people);
}

TEST(grant_revoke_ends_what_came_of_the_consent)
{
    struct people *people = fresh(cx);
    struct grant grant = asked(), got;
    struct grant_tokens tokens;
    struct people_grant found;
    grant.family = S("family-2");
    EXPECT_INT("issue", grant_issue(cx, people, &grant, &tokens), ERR_OK);
    EXPECT_INT("revoke", grant_revoke(cx, people, S("other"), tokens.refresh), ERR_OK);
    EXPECT_INT("another app's try", people_token_find(cx, people, tokens.access, &found), ERR_OK);
    EXPECT_INT("revoke", grant_revoke(cx, people, S("app"), tokens.refresh), ERR_OK);
    EXPECT_INT("access", people_token_find(cx, people, tokens.access, &found), ERR_LOGIN);
    EXPECT_INT("refresh", renew(cx, people, tokens.refresh, &got), ERR_INVALID);
    EXPECT_INT("unknown is no fault", grant_revoke(cx, people, S("app"), S("nothing")), ERR_OK);
    people_close(people);
}

TEST(client_redirects_are_https_or_loopback_and_compared_whole)
{
    static const struct {
        const char *uri;
        err expected;
    } rows[] = {
        { "https://app.example/back", ERR_OK },     { "http://127.0.0.1:9/back", ERR_OK },
        { "http://localhost/back", ERR_OK },        { "http://app.example/back", ERR_INVALID },
        { "https://app.example/#x", ERR_INVALID },  { "javascript:alert(1)", ERR_INVALID },
        { "http://127.0.0.1.evil.example/", ERR_INVALID }, { "https:///x", ERR_INVALID },
    };
    struct people *people = fresh(cx);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client app = { .id = str_of(rows[i].uri), .redirects = str_of(rows[i].uri),
                              .scopes = S("user/*.rs") };
        EXPECT_INT(rows[i].uri, client_add(cx, people, &app), rows[i].expected);
    }
    struct client app;
    EXPECT_INT("find", client_find(cx, people, S("app"), &app), ERR_OK);
    EXPECT("whole", client_redirects_to(&app, BACK));
    EXPECT("prefix", !client_redirects_to(&app, S("https://app.example/back/evil")));
    people_close(people);
}

TEST(client_assertion_is_good_once)
{
    struct people *people = fresh(cx);
    bool first;
    EXPECT_INT("once", client_use_once(cx, people, S("jti-1"), cx->now_ms + 1000, &first), ERR_OK);
    EXPECT_INT("once", first, true);
    EXPECT_INT("twice", client_use_once(cx, people, S("jti-1"), cx->now_ms + 1000, &first), ERR_OK);
    EXPECT_INT("twice", first, false);
    people_close(people);
}
