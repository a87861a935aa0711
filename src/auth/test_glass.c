/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE glass
#include "store/test_record.h"
#include "auth/glass.h"
#include "auth/step_up.h"

enum { MINUTE_MS = 60000 };

/* A record with the tables of the audit and of emergency accesses. */
static err make_tables(struct ctx *cx, struct db *db, void *self)
{
    (void)self;
    return db_exec(cx, db, audit_schema);
}

static struct store *open_glass(struct ctx *cx, str folder)
{
    struct store *store = record_open(cx, folder);
    cr_assert_eq(store_write(cx, store, make_tables, NULL), ERR_OK);
    cr_assert_eq(glass_open(cx, store), ERR_OK);
    return store;
}

static struct user somebody(const char *name, const char *role)
{
    return (struct user){
        .person = { .name = str_of(name), .role = str_of(role), .who = S("Practitioner/1"),
                    .display = S(""), .areas = S("") },
        .self = S("Practitioner/1"),
        .asker.role = role_find(str_of(role)), .client = S(""), .address = S(""),
        .behalf = S(""),
    };
}

static struct glass_ask asked(const struct user *user)
{
    return (struct glass_ask){ .user = user, .pid = 7, .patient = S("p1"),
                               .reason = S("emergency"), .words = S("collapsed in the corridor"),
                               .basis = S("direct-care"), .minutes = 60 };
}

static size_t live(struct ctx *cx, struct store *store, const char *user)
{
    int64_t *pids;
    size_t count = 99;
    cr_assert_eq(glass_live(cx, store, str_of(user), &pids, &count), ERR_OK);
    ctx_release(cx); /* the next look is at the record as it is then */
    cx->db = NULL;
    return count;
}

TEST(glass_stays_broken_for_its_minutes_and_not_one_longer)
{
    str folder = record_folder(cx);
    struct store *store = open_glass(cx, folder);
    struct user nurse = somebody("a.khan", "nurse");
    struct glass_ask ask = asked(&nurse);
    int64_t id, begun_ms = cx->now_ms;
    EXPECT_INT("before", live(cx, store, "a.khan"), 0);
    EXPECT_INT("break", glass_break(cx, store, &ask, &id), ERR_OK);
    EXPECT_INT("at once", live(cx, store, "a.khan"), 1);
    EXPECT_INT("hers alone", live(cx, store, "b.lee"), 0);
    cx->now_ms = begun_ms + 60 * MINUTE_MS - 1;
    EXPECT_INT("the last moment", live(cx, store, "a.khan"), 1);
    cx->now_ms = begun_ms + 60 * MINUTE_MS;
    EXPECT_INT("over", live(cx, store, "a.khan"), 0);
    cx->now_ms = begun_ms - 1;
    EXPECT_INT("a clock set back opens nothing", live(cx, store, "a.khan"), 0);
    store_close(store);
    record_remove(cx, folder);
}

TEST(glass_needs_reason_words_basis_time_and_a_role_that_has_it)
{
    str folder = record_folder(cx);
    struct store *store = open_glass(cx, folder);
    struct user nurse = somebody("a.khan", "nurse"), clerk = somebody("c.lark", "ward_clerk");
    int64_t id;
    struct glass_ask rows[] = { asked(&nurse), asked(&nurse), asked(&nurse), asked(&nurse),
                                asked(&nurse), asked(&clerk), asked(&nurse) };
    static const struct { const char *row; err err; } expected[] = {
        { "no reason", ERR_INVALID },     { "too few words", ERR_INVALID },
        { "unknown basis", ERR_INVALID }, { "more than an hour", ERR_INVALID },
        { "no time", ERR_INVALID },       { "no such duty", ERR_FORBIDDEN },
        { "all given", ERR_OK },
    };
    rows[0].reason = S("");
    rows[1].words = S("  short  ");
    rows[2].basis = S("curiosity");
    rows[3].minutes = GLASS_MINUTES_MAX + 1;
    rows[4].minutes = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(expected[i].row, glass_break(cx, store, &rows[i], &id), expected[i].err);
    store_close(store);
    record_remove(cx, folder);
}

TEST(glass_is_reviewed_once_and_by_somebody_else)
{
    str folder = record_folder(cx);
    struct store *store = open_glass(cx, folder);
    struct user nurse = somebody("a.khan", "nurse"), officer = somebody("p.o", "privacy_officer");
    struct glass_ask ask = asked(&nurse);
    struct glass_list open;
    int64_t id;
    EXPECT_INT("break", glass_break(cx, store, &ask, &id), ERR_OK);
    EXPECT_INT("worklist", glass_find(cx, store, true, 0, &open), ERR_OK);
    EXPECT_INT("one waits", open.count, 1);
    ctx_release(cx);
    cx->db = NULL;
    struct glass_review review = { &nurse, id, S("justified"), S("it was me, all fine") };
    EXPECT_INT("own", glass_review(cx, store, &review), ERR_CONFLICT);
    review.user = &officer;
    EXPECT_INT("another", glass_review(cx, store, &review), ERR_OK);
    EXPECT_INT("twice", glass_review(cx, store, &review), ERR_CONFLICT);
    review.id = id + 1;
    EXPECT_INT("no such", glass_review(cx, store, &review), ERR_NOT_FOUND);
    ctx_release(cx);
    cx->db = NULL;
    EXPECT_INT("worklist", glass_find(cx, store, true, 0, &open), ERR_OK);
    EXPECT_INT("none waits", open.count, 0);
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}

TEST(step_up_is_fresh_for_five_minutes_for_every_sensitive_act)
{
    static const char *const acts[] = { "break_glass", "label_change", "role_change", "export" };
    for (size_t i = 0; i < COUNT(acts); i++) {
        EXPECT(acts[i], step_up_find(acts[i]) != NULL);
        EXPECT(acts[i], step_up_is_fresh(acts[i], 1000, 1000 + 5 * MINUTE_MS));
        EXPECT(acts[i], !step_up_is_fresh(acts[i], 1000, 1001 + 5 * MINUTE_MS));
        EXPECT(acts[i], !step_up_is_fresh(acts[i], 0, 1000));
    }
    EXPECT("an act of no row", step_up_is_fresh("tea", 0, 1000));
}
