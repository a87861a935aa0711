/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE jobs
#include "base/clock.h"
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "store/test_record.h"
#include <stdatomic.h>

static _Atomic int64_t seen_last, seen_count, tries;
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
    for (int i = 0; i < 500 && atomic_load(value) != expected; i++)
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
