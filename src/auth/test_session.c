/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE session
#include "base/test.h"
#include "auth/session.h"
#include "auth/secret.h"

static err by_code(struct ctx *cx, struct people *people, const char *user, str code,
                   const char *address)
{
    str cookie;
    return session_begin_by_code(cx, people, str_of(user), code, str_of(address), &cookie);
}

static struct people *fresh(struct ctx *cx, const char *who)
{
    struct people *people;
    struct people_user user = { .name = S("a.khan"), .role = S("nurse"), .who = str_of(who) };
    cr_assert_eq(people_open(cx, test_folder(cx), &people), ERR_OK);
    cr_assert_eq(people_add(cx, people, &user), ERR_OK);
    return people;
}

TEST(session_code_lets_in_once)
{
    struct people *people = fresh(cx, "Practitioner/1");
    str code, cookie;
    struct session session;
    EXPECT_INT("issue", session_code(cx, people, S("a.khan"), 10, &code), ERR_OK);
    EXPECT_INT("another's name", by_code(cx, people, "b.lee", code, "1"),
               ERR_LOGIN);
    EXPECT_INT("in", session_begin_by_code(cx, people, S("a.khan"), code, S("1"), &cookie),
               ERR_OK);
    EXPECT_INT("twice", by_code(cx, people, "a.khan", code, "1"),
               ERR_LOGIN);
    EXPECT_INT("find", session_find(cx, people, cookie, &session), ERR_OK);
    EXPECT_STR("who", session.user.name, S("a.khan"));
    EXPECT_INT("end", session_end(cx, people, cookie, "/sign-out: test"), ERR_OK);
    EXPECT_INT("gone", session_find(cx, people, cookie, &session), ERR_LOGIN);
    people_close(people);
}

TEST(session_ends_when_idle_and_at_the_end_of_the_shift)
{
    static const struct {
        const char *who;
        int64_t idle_ms;
    } rows[] = {
        { "Practitioner/1", SESSION_IDLE_STAFF_MS },
        { "Patient/1", SESSION_IDLE_PATIENT_MS },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct people *people = fresh(cx, rows[i].who);
        struct session session;
        str cookie;
        EXPECT_INT("begin", session_begin(cx, people, S("a.khan"), S("passkey"), &cookie), ERR_OK);
        cx->now_ms += rows[i].idle_ms;
        EXPECT_INT("just in time", session_find(cx, people, cookie, &session), ERR_OK);
        cx->now_ms += rows[i].idle_ms + 1;
        EXPECT_INT("too late", session_find(cx, people, cookie, &session), ERR_LOGIN);
        EXPECT_INT("begin", session_begin(cx, people, S("a.khan"), S("passkey"), &cookie), ERR_OK);
        for (int64_t ms = 0; ms < SESSION_ABSOLUTE_MS; ms += SESSION_IDLE_STAFF_MS) {
            EXPECT_INT("in use", session_find(cx, people, cookie, &session), ERR_OK);
            cx->now_ms += SESSION_IDLE_STAFF_MS;
        }
        cx->now_ms += 1;
        EXPECT_INT("end of shift", session_find(cx, people, cookie, &session), ERR_LOGIN);
        people_close(people);
    }
}

TEST(session_guessing_is_slowed_for_that_name_and_place_alone)
{
    struct people *people = fresh(cx, "Practitioner/1");
    str code;
    EXPECT_INT("issue", session_code(cx, people, S("a.khan"), 10, &code), ERR_OK);
    for (int i = 0; i < SESSION_TRIES_MAX; i++)
        EXPECT_INT("wrong", by_code(cx, people, "a.khan", S("guess"), "x"),
                   ERR_LOGIN);
    EXPECT_INT("held", by_code(cx, people, "a.khan", code, "x"), ERR_BUSY);
    EXPECT_INT("elsewhere", by_code(cx, people, "a.khan", code, "y"), ERR_OK);
    cx->now_ms += SESSION_TRIES_WINDOW_MS + 1;
    EXPECT_INT("issue", session_code(cx, people, S("a.khan"), 10, &code), ERR_OK);
    EXPECT_INT("later", by_code(cx, people, "a.khan", code, "x"), ERR_OK);
    people_close(people);
}

TEST(secret_knows_the_pkce_vector)
{
    str hash = secret_sha256(cx->arena, S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    EXPECT_STR("RFC 7636 B", secret_base64url(cx->arena, hash),
               S("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
}

TEST(session_proof_is_fresh_for_five_minutes_and_only_by_its_own_person)
{
    struct people *people = fresh(cx, "Practitioner/1");
    struct session session = { 0 };
    str cookie;
    EXPECT_INT("begin", session_begin(cx, people, S("a.khan"), S("passkey"), &cookie), ERR_OK);
    EXPECT_INT("find", session_find(cx, people, cookie, &session), ERR_OK);
    EXPECT("at its last moment", session_is_fresh(&session, cx->now_ms + SESSION_FRESH_MS));
    EXPECT("too late", !session_is_fresh(&session, cx->now_ms + SESSION_FRESH_MS + 1));
    cx->now_ms += SESSION_IDLE_STAFF_MS - 1;
    EXPECT_INT("another", session_step_up(cx, people, cookie, S("b.lee")), ERR_FORBIDDEN);
    EXPECT_INT("own", session_step_up(cx, people, cookie, S("a.khan")), ERR_OK);
    EXPECT_INT("find", session_find(cx, people, cookie, &session), ERR_OK);
    EXPECT_INT("from now", session.stepped_up_ms, cx->now_ms);
    EXPECT("the shift's end does not move", session.begun_ms < cx->now_ms);
    EXPECT_INT("lock", session_lock(cx, people, cookie), ERR_OK);
    EXPECT_INT("locked", session_find(cx, people, cookie, &session), ERR_LOGIN);
    EXPECT_INT("no step-up of it", session_step_up(cx, people, cookie, S("a.khan")), ERR_LOGIN);
    people_close(people);
}
