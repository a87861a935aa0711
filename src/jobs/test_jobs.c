/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE jobs
#include "base/clock.h"
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "store/test_record.h"
#include <stdatomic.h>

static _Atomic int64_t seen_last, seen_count, tries, failing_last;
static _Atomic int fail_times;

static err see(struct ctx *cx, struct store *store, const struct store_version *version, void *self)
{
    (void)store, (void)self;
    atomic_fetch_add(&tries, 1);
    if (atomic_load(&fail_times) > 0) {
        atomic_fetch_sub(&fail_times, 1);
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("not now"));
    }
    atomic_store(&seen_last, version->seq);
    atomic_fetch_add(&seen_count, 1);
    return ERR_OK;
}

static const char *const patients[] = { "Patient", NULL };
static const struct consumer watcher = { "watcher", "sees patients", patients, false, 2, see,
                                         NULL };
static const struct consumer *const watchers[] = { &watcher, NULL };

static void put(struct ctx *cx, struct store *store, int count)
{
    for (int i = 0; i < count; i++) {
        struct commit_op op = record_op(cx, COMMIT_CREATE, i % 2 ? "Basic" : "Patient", NULL,
            i % 2 ? "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}"
                  : "{\"resourceType\":\"Patient\"}");
        EXPECT_INT("put", record_do(cx, store, &op), ERR_OK);
    }
}

static bool comes_true(_Atomic int64_t *value, int64_t expected)
{
    for (int i = 0; i < 3000 && atomic_load(value) != expected; i++) /* 30 s: a busy machine */
        usleep(10000);
    return atomic_load(value) == expected;
}

static struct consumer_state state_of(struct ctx *cx, struct store *store)
{
    struct consumer_state *list;
    size_t count;
    cr_assert(consumers_list(cx, store, &list, &count) == ERR_OK && count == 1);
    ctx_release(cx);
    return list[0];
}

TEST(consumer_sees_all_once_and_resumes_after_a_restart)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct consumers *consumers = NULL;
    put(cx, store, 500);
    EXPECT_INT("start", consumers_start(cx, store, watchers, &consumers), ERR_OK);
    EXPECT("all patients", comes_true(&seen_count, 250));
    put(cx, store, 10);
    EXPECT("the new ones", comes_true(&seen_count, 255));
    consumers_stop(consumers);
    store_close(store);
    store = record_open(cx, folder);
    EXPECT_INT("again", consumers_start(cx, store, watchers, &consumers), ERR_OK);
    put(cx, store, 1);
    EXPECT("only what is new", comes_true(&seen_count, 256));
    consumers_stop(consumers);
    EXPECT_INT("no lag", state_of(cx, store).lag, 0);
    store_close(store);
    record_remove(cx, folder);
}

TEST(failing_consumer_is_parked_and_resumed)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct consumers *consumers = NULL;
    atomic_store(&fail_times, 2);
    EXPECT_INT("start", consumers_start(cx, store, watchers, &consumers), ERR_OK);
    put(cx, store, 1);
    EXPECT("tried twice", comes_true(&tries, 2));
    usleep(200000);
    struct consumer_state state = state_of(cx, store);
    EXPECT("parked", state.parked && state.lag == 1);
    EXPECT("says why", str_find(state.error, S("not now")) != STR_NONE);
    EXPECT_INT("nobody", consumers_resume(cx, consumers, S("nobody"), false), ERR_NOT_FOUND);
    EXPECT_INT("resume", consumers_resume(cx, consumers, S("watcher"), false), ERR_OK);
    EXPECT("goes on", comes_true(&seen_count, 1));
    consumers_stop(consumers);
    store_close(store);
    record_remove(cx, folder);
}

/* One that always fails is parked and holds up no other; skipped, it goes on past what failed, and
 * that is noted at once: after a restart it does not come again. */
static err fail_on_first(struct ctx *cx, struct store *store, const struct store_version *version,
                         void *self)
{
    (void)store, (void)self;
    if (version->seq == 1)
        return ctx_fail(cx, ERR_RULE, (str){ 0 }, S("never this one"));
    atomic_store(&failing_last, version->seq);
    return ERR_OK;
}

static const struct consumer failing = { .name = "failing", .attempts_max = 1,
                                         .consume = fail_on_first };
static const struct consumer *const both[] = { &failing, &watcher, NULL };

static struct consumer_state named(struct ctx *cx, struct store *store, const char *name)
{
    struct consumer_state *list, found = { 0 };
    size_t count;
    cr_assert(consumers_list(cx, store, &list, &count) == ERR_OK);
    ctx_release(cx);
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i].name, str_of(name)))
            found = list[i];
    return found;
}

static bool stands_still(struct ctx *cx, struct store *store, bool expected)
{
    for (int i = 0; i < 500 && named(cx, store, "failing").parked != expected; i++)
        usleep(10000);
    return named(cx, store, "failing").parked == expected;
}

TEST(failing_consumer_holds_up_no_other_and_is_skipped_for_good)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct consumers *consumers = NULL;
    put(cx, store, 1);
    EXPECT_INT("start", consumers_start(cx, store, both, &consumers), ERR_OK);
    EXPECT("parked", stands_still(cx, store, true));
    put(cx, store, 21);
    EXPECT("the other goes on", comes_true(&seen_count, 12));
    EXPECT_INT("it stands", named(cx, store, "failing").seq, 0);
    EXPECT_INT("skip", consumers_resume(cx, consumers, S("failing"), true), ERR_OK);
    EXPECT("goes on", comes_true(&failing_last, 22));
    EXPECT("noted", stands_still(cx, store, false));
    consumers_stop(consumers);
    EXPECT_INT("no lag", named(cx, store, "failing").lag, 0);
    store_close(store);
    record_remove(cx, folder);
}

/* Nothing after it: the skip is noted all the same. */
TEST(skipped_version_does_not_come_again)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct consumers *consumers = NULL;
    put(cx, store, 1);
    EXPECT_INT("start", consumers_start(cx, store, both, &consumers), ERR_OK);
    EXPECT("parked", stands_still(cx, store, true));
    EXPECT_INT("skip", consumers_resume(cx, consumers, S("failing"), true), ERR_OK);
    EXPECT("noted", stands_still(cx, store, false));
    EXPECT_INT("past it", named(cx, store, "failing").seq, 1);
    consumers_stop(consumers);
    store_close(store);
    record_remove(cx, folder);
}

/* --- due --- */

static char done[64];
static _Atomic int64_t done_count;

static err note(struct ctx *cx, struct store *store, const struct due_item *item, void *self)
{
    (void)store, (void)self;
    if (atomic_load(&fail_times) > 0) {
        atomic_fetch_sub(&fail_times, 1);
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("cannot send"));
    }
    done[atomic_load(&done_count)] = item->body.p[0];
    atomic_fetch_add(&done_count, 1);
    return ERR_OK;
}

static const struct due_kind post = { "post", 3, note, NULL };
static const struct due_kind *const kinds[] = { &post, NULL };

static err put_three(struct ctx *cx, struct db *db, void *self)
{
    int64_t now = *(int64_t *)self;
    TRY(due_put(cx, db, &(struct due_item){ S("post"), S("1"), S("x"), S("a"), now + 150, 0 }));
    TRY(due_put(cx, db, &(struct due_item){ S("post"), S("2"), S("x"), S("b"), now, 0 }));
    TRY(due_put(cx, db, &(struct due_item){ S("post"), S("3"), S(""), S("c"), now, 0 }));
    TRY(due_put(cx, db, &(struct due_item){ S("post"), S("4"), S(""), S("d"), now, 0 }));
    return due_drop(cx, db, S("post"), S("4"));
}

TEST(due_items_are_done_in_order_of_their_target)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct due *due = NULL;
    int64_t now = clock_now_ms();
    EXPECT_INT("schema", due_schema(cx, store), ERR_OK);
    EXPECT_INT("put", store_write(cx, store, put_three, &now), ERR_OK);
    store_close(store);
    store = record_open(cx, folder); /* they survive a restart */
    EXPECT_INT("start", due_start(cx, store, kinds, &due), ERR_OK);
    EXPECT("three", comes_true(&done_count, 3));
    EXPECT_STR("order", ((str){ done, 3 }), S("cab"));
    due_stop(due);
    struct due_count *counts;
    size_t count = 9;
    EXPECT_INT("counts", due_counts(cx, store, &counts, &count), ERR_OK);
    EXPECT_INT("nothing left", count, 0);
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}

/* What waits for another machine has lanes of its own: neither the timers nor other receivers wait
 * for one that does not answer; and what is added while it is done is done once more. */
static _Atomic int64_t away_done, added_done;
static _Atomic bool let_go;

static err wait_away(struct ctx *cx, struct store *store, const struct due_item *item, void *self)
{
    (void)cx, (void)store, (void)self;
    for (int i = 0; i < 1000 && str_eq(item->target, S("dead")) && !atomic_load(&let_go); i++)
        usleep(10000);
    if (str_eq(item->target, S("added")))
        atomic_fetch_add(&added_done, 1);
    atomic_fetch_add(&away_done, 1);
    return ERR_OK;
}

static const struct due_kind away = { "away", 3, wait_away, NULL, true };
static const struct due_kind *const near_and_away[] = { &post, &away, NULL };

static err put_away(struct ctx *cx, struct db *db, void *self)
{
    int64_t now = *(int64_t *)self;
    TRY(due_put(cx, db, &(struct due_item){ S("away"), S("1"), S("dead"), S("x"), now - 9, 0 }));
    TRY(due_put(cx, db, &(struct due_item){ S("away"), S("2"), S("dead"), S("x"), now - 8, 0 }));
    TRY(due_put(cx, db, &(struct due_item){ S("away"), S("3"), S("well"), S("x"), now, 0 }));
    TRY(due_put(cx, db, &(struct due_item){ S("away"), S("4"), S("well"), S("x"), now, 0 }));
    return due_put(cx, db, &(struct due_item){ S("post"), S("5"), S(""), S("p"), now, 0 });
}

static err add_more(struct ctx *cx, struct db *db, void *self)
{
    int64_t now = *(int64_t *)self;
    return due_add(cx, db, &(struct due_item){ S("away"), S("6"), S("added"),
        arena_printf(cx->arena, "%lld", (long long)random_next(cx->random)), now, 0 });
}

TEST(dead_receiver_holds_up_neither_timers_nor_others)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct due *due = NULL;
    int64_t now = clock_now_ms();
    EXPECT_INT("schema", due_schema(cx, store), ERR_OK);
    EXPECT_INT("put", store_write(cx, store, put_away, &now), ERR_OK);
    EXPECT_INT("start", due_start(cx, store, near_and_away, &due), ERR_OK);
    EXPECT("the timer", comes_true(&done_count, 1));
    EXPECT("the others", comes_true(&away_done, 2));
    EXPECT_INT("add", store_write(cx, store, add_more, &now), ERR_OK);
    due_wake(due);
    EXPECT("done", comes_true(&added_done, 1));
    atomic_store(&let_go, true);
    EXPECT("the dead one's two, in turn", comes_true(&away_done, 5));
    due_stop(due);
    struct due_count *counts;
    size_t count = 9;
    EXPECT_INT("counts", due_counts(cx, store, &counts, &count), ERR_OK);
    EXPECT_INT("nothing left", count, 0);
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}

static err put_one(struct ctx *cx, struct db *db, void *self)
{
    int64_t now = *(int64_t *)self;
    return due_put(cx, db, &(struct due_item){ S("post"), S("1"), S("x"), S("a"), now, 0 });
}

TEST(failed_item_is_tried_again)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct due *due = NULL;
    int64_t now = clock_now_ms();
    atomic_store(&fail_times, 1);
    EXPECT_INT("start", due_start(cx, store, kinds, &due), ERR_OK);
    EXPECT_INT("put", store_write(cx, store, put_one, &now), ERR_OK);
    due_wake(due);
    EXPECT("done at the second try", comes_true(&done_count, 1));
    EXPECT("after a pause", clock_now_ms() - now >= 900);
    due_stop(due);
    store_close(store);
    record_remove(cx, folder);
}
