/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE workstation
#include "base/test.h"
#include "auth/workstation.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

/* Two wards and a resuscitation room; one nurse with a badge. */
struct ward {
    struct people *people;
    str readers[3];
};
static const struct { const char *id, *area, *zone; } places[] = {
    { "w3-desk", "ward-3", "ward" }, { "w3-bay", "ward-3", "ward" }, { "resus-1", "ed", "resus" },
};

static struct ward fresh(struct ctx *cx)
{
    struct ward ward;
    cr_assert_eq(people_open(cx, test_folder(cx), &ward.people), ERR_OK);
    const char *names[] = { "a.khan", "b.lee" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct people_user user = { .name = str_of(names[i]), .role = S("nurse") };
        cr_assert_eq(people_add(cx, ward.people, &user), ERR_OK);
        str badge = arena_printf(cx->arena, "badge of %s", names[i]);
        cr_assert_eq(badge_add(cx, ward.people, str_of(names[i]), badge, S("desfire-ev3")), ERR_OK);
    }
    for (size_t i = 0; i < COUNT(places); i++) {
        struct workstation place = { .id = str_of(places[i].id), .area = str_of(places[i].area),
                                     .zone = zone_find(str_of(places[i].zone)) };
        str code;
        cr_assert_eq(workstation_add(cx, ward.people, &place, &code, &ward.readers[i]), ERR_OK);
    }
    return ward;
}

static str sit(struct ctx *cx, struct ward *ward, const char *user, size_t place)
{
    struct session_start start = { str_of(user), S("passkey"), str_of(places[place].id) };
    str cookie;
    cr_assert_eq(session_begin_at(cx, ward->people, &start, &cookie), ERR_OK);
    return cookie;
}

static err tap(struct ctx *cx, struct ward *ward, const char *user, size_t place,
               enum tap_event event)
{
    struct tap_ask ask = { ward->readers[place], arena_printf(cx->arena, "badge of %s", user),
                           event, WORKSTATION_GRACE_MS };
    struct tap_result result;
    return workstation_tap(cx, ward->people, &ask, &result);
}

static err look(struct ctx *cx, struct ward *ward, str cookie)
{
    struct session session;
    return session_find(cx, ward->people, cookie, &session);
}

TEST(workstation_badge_is_never_the_first_step)
{
    struct ward ward = fresh(cx);
    str cookie, held;
    EXPECT_INT("nobody signed in", tap(cx, &ward, "a.khan", 0, TAP_IN), ERR_FORBIDDEN);
    EXPECT_INT("nothing waits", workstation_take(cx, ward.people, S("w3-desk"), &cookie, &held),
               ERR_NOT_FOUND);
    sit(cx, &ward, "b.lee", 0);
    EXPECT_INT("a colleague signed in", tap(cx, &ward, "a.khan", 0, TAP_IN), ERR_FORBIDDEN);
    EXPECT_INT("begin elsewhere",
               session_begin(cx, ward.people, S("a.khan"), S("passkey"), &cookie), ERR_OK);
    EXPECT_INT("at no workstation", tap(cx, &ward, "a.khan", 0, TAP_IN), ERR_FORBIDDEN);
    EXPECT_INT("unknown badge", tap(cx, &ward, "nobody", 0, TAP_IN), ERR_LOGIN);
    EXPECT_INT("a card number", badge_add(cx, ward.people, S("a.khan"), S("04A1B2C3D4"),
                                          S("mifare-uid")), ERR_RULE);
    people_close(ward.people);
}

TEST(workstation_badge_opens_again_for_four_hours_of_a_shift_of_twelve)
{
    static const struct { const char *name; int64_t after_ms; err expected; } rows[] = {
        { "a minute later", MINUTE, ERR_OK },
        { "at four hours", WORKSTATION_GRACE_MS, ERR_OK },
        { "after four hours", WORKSTATION_GRACE_MS + 1, ERR_FORBIDDEN },
        { "next day", 24 * HOUR, ERR_FORBIDDEN },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ward ward = fresh(cx);
        str old = sit(cx, &ward, "a.khan", 0), cookie = { 0 }, held;
        EXPECT_INT(rows[i].name, tap(cx, &ward, "a.khan", 0, TAP_OUT), ERR_OK);
        EXPECT_INT("locked at once", look(cx, &ward, old), ERR_LOGIN);
        cx->now_ms += rows[i].after_ms;
        EXPECT_INT(rows[i].name, tap(cx, &ward, "a.khan", 0, TAP_IN), rows[i].expected);
        err taken = workstation_take(cx, ward.people, S("w3-desk"), &cookie, &held);
        EXPECT_INT(rows[i].name, taken, rows[i].expected ? ERR_NOT_FOUND : ERR_OK);
        if (taken == ERR_OK) {
            EXPECT_INT("open", look(cx, &ward, cookie), ERR_OK);
            EXPECT_INT("the old cookie stays dead", look(cx, &ward, old), ERR_LOGIN);
            EXPECT_INT("taken once", workstation_take(cx, ward.people, S("w3-desk"), &cookie,
                                                      &held), ERR_NOT_FOUND);
        }
        people_close(ward.people);
    }
}

TEST(workstation_absolute_end_is_not_moved_by_badge_or_step_up)
{
    struct ward ward = fresh(cx);
    str cookie = sit(cx, &ward, "a.khan", 0), held;
    for (int hour = 0; hour < 12; hour++) {
        EXPECT_INT("proved again", session_step_up(cx, ward.people, cookie, S("a.khan")), ERR_OK);
        cx->now_ms += HOUR;
        EXPECT_INT("tap", tap(cx, &ward, "a.khan", 0, TAP_IN), ERR_OK);
        EXPECT_INT("take", workstation_take(cx, ward.people, S("w3-desk"), &cookie, &held), ERR_OK);
    }
    EXPECT_INT("at twelve hours", look(cx, &ward, cookie), ERR_OK);
    cx->now_ms += 1;
    EXPECT_INT("after them", look(cx, &ward, cookie), ERR_LOGIN);
    EXPECT_INT("nor by a tap", tap(cx, &ward, "a.khan", 0, TAP_IN), ERR_FORBIDDEN);
    people_close(ward.people);
}

TEST(workstation_patient_goes_along_within_two_minutes_in_one_area)
{
    static const struct {
        const char *name; size_t to; bool out; int64_t gap_ms; bool kept;
    } rows[] = {
        { "next desk of the ward, at once",     1, false, 0, true },
        { "tapped out, just under two minutes", 1, true, 2 * MINUTE - 1, true },
        { "tapped out, two minutes",            1, true, 2 * MINUTE, false },
        { "another area at once",               2, false, 0, false },
        { "left open, two minutes ago",         1, false, 2 * MINUTE, false },
        { "the same desk",                      0, true, MINUTE, true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ward ward = fresh(cx);
        str old = sit(cx, &ward, "a.khan", 0), cookie, held = S("?");
        EXPECT_INT("hold", session_hold(cx, ward.people, old, S("p1")), ERR_OK);
        if (rows[i].out)
            EXPECT_INT("out", tap(cx, &ward, "a.khan", 0, TAP_OUT), ERR_OK);
        cx->now_ms += rows[i].gap_ms;
        EXPECT_INT(rows[i].name, tap(cx, &ward, "a.khan", rows[i].to, TAP_IN), ERR_OK);
        EXPECT_INT("the first screen is dead", look(cx, &ward, old), ERR_LOGIN);
        EXPECT_INT(rows[i].name, workstation_take(cx, ward.people, str_of(places[rows[i].to].id),
                                                  &cookie, &held), ERR_OK);
        EXPECT_STR(rows[i].name, held, rows[i].kept ? S("p1") : S(""));
        people_close(ward.people);
    }
}

TEST(workstation_next_person_finds_nobody_elses_session)
{
    struct ward ward = fresh(cx);
    str khan = sit(cx, &ward, "a.khan", 0), lee = sit(cx, &ward, "b.lee", 0), cookie, held;
    EXPECT_INT("the first is locked", look(cx, &ward, khan), ERR_LOGIN);
    EXPECT_INT("the second sits", look(cx, &ward, lee), ERR_OK);
    EXPECT_INT("the first taps", tap(cx, &ward, "a.khan", 0, TAP_IN), ERR_OK);
    EXPECT_INT("the second is locked", look(cx, &ward, lee), ERR_LOGIN);
    cx->now_ms += WORKSTATION_READY_MS;
    EXPECT_INT("nobody came to the screen",
               workstation_take(cx, ward.people, S("w3-desk"), &cookie, &held), ERR_NOT_FOUND);
    EXPECT_INT("disable", people_disable(cx, ward.people, S("a.khan"), true), ERR_OK);
    EXPECT_INT("a closed account's badge", tap(cx, &ward, "a.khan", 1, TAP_IN), ERR_LOGIN);
    people_close(ward.people);
}

TEST(workstation_locks_by_its_zone)
{
    static const struct {
        const char *name; size_t place; int64_t idle_ms; err expected;
    } rows[] = {
        { "ward, five minutes", 0, 5 * MINUTE, ERR_OK },
        { "ward, longer", 0, 5 * MINUTE + 1, ERR_LOGIN },
        { "resus, an hour: the display alone is covered", 2, HOUR, ERR_OK },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ward ward = fresh(cx);
        str cookie = sit(cx, &ward, "a.khan", rows[i].place);
        cx->now_ms += rows[i].idle_ms;
        EXPECT_INT(rows[i].name, look(cx, &ward, cookie), rows[i].expected);
        people_close(ward.people);
    }
    EXPECT_INT("public", zone_find(S("public"))->idle_ms, MINUTE);
    EXPECT_INT("resus", zone_find(S("resus"))->idle_ms, 15 * MINUTE);
    EXPECT("resus", zone_find(S("resus"))->display_only);
}
