/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/due.h"
#include "base/clock.h"
#include "base/random.h"
#include <pthread.h>

enum { SQL_NEXT, SQL_PUT, SQL_DROP, SQL_DONE, SQL_FAILED, SQL_COUNTS, SQL_WHEN };
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS due (number INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " key TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, due_ms INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, parked INTEGER NOT NULL, error TEXT NOT NULL,"
    " UNIQUE (kind, key));"
    "CREATE INDEX IF NOT EXISTS due_by_time ON due (parked, due_ms);"
    "CREATE INDEX IF NOT EXISTS due_by_target ON due (kind, target, number) WHERE target <> '';";
static const struct stmt due_sql[] = {
    [SQL_NEXT] = { "what is due",
        "SELECT number, kind, key, target, body, due_ms, failures FROM due d "
        "WHERE parked = 0 AND due_ms <= ?1 AND (target = '' OR NOT EXISTS (SELECT 1 FROM due e "
        "WHERE e.kind = d.kind AND e.target = d.target AND e.target <> '' "
        "AND e.number < d.number)) ORDER BY due_ms LIMIT 1", "USING INDEX due_by_time" },
    [SQL_PUT] = { "put something due",
        "INSERT INTO due (kind, key, target, body, due_ms, failures, parked, error) "
        "VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '') ON CONFLICT (kind, key) DO UPDATE SET "
        "target = ?3, body = ?4, due_ms = ?5, failures = 0, parked = 0, error = ''", NULL },
    [SQL_DROP] = { "drop something due", "DELETE FROM due WHERE kind = ?1 AND key = ?2",
        "SEARCH due USING INDEX" },
    /* Unless it was put anew while it was done. */
    [SQL_DONE] = { "done", "DELETE FROM due WHERE number = ?1 AND due_ms = ?2",
        "SEARCH due USING INTEGER PRIMARY KEY" },
    [SQL_FAILED] = { "failed",
        "UPDATE due SET failures = failures + 1, due_ms = ?3, parked = ?4, error = ?5 "
        "WHERE number = ?1 AND due_ms = ?2", "SEARCH due USING INTEGER PRIMARY KEY" },
    [SQL_COUNTS] = { "count what is due",
        "SELECT kind, sum(parked = 0), sum(parked = 0 AND failures > 0), sum(parked) FROM due "
        "GROUP BY kind ORDER BY kind", NULL },
    [SQL_WHEN] = { "when something is due",
        "SELECT due_ms FROM due WHERE parked = 0 AND due_ms > ?1 ORDER BY due_ms LIMIT 1",
        "USING COVERING INDEX due_by_time" },
    { 0 },
};
enum { FIRST_DELAY_MS = 1000, LONGEST_DELAY_MS = 3600000, LOOK_AGAIN_MS = 60000 };
#define DUE_MEMORY_BYTES ((size_t)256 << 20)

struct due {
    struct store *store;
    const struct due_kind *const *kinds;
    struct store_watch watch;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic bool closing;
    bool woken;
};

static err make_schema(struct ctx *cx, struct db *db, void *self)
{
    (void)self;
    return db_exec(cx, db, schema);
}

err due_schema(struct ctx *cx, struct store *store)
{
    return store_write(cx, store, make_schema, NULL);
}

static str or_empty(str text)
{
    return text.p ? text : S("");
}

err due_put(struct ctx *cx, struct db *db, const struct due_item *item)
{
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_PUT);
    db_bind_text(stmt, 1, item->kind);
    db_bind_text(stmt, 2, item->key);
    db_bind_text(stmt, 3, or_empty(item->target));
    db_bind_text(stmt, 4, or_empty(item->body));
    db_bind_int(stmt, 5, item->due_ms);
    return db_run(cx, stmt);
}

err due_drop(struct ctx *cx, struct db *db, str kind, str key)
{
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_DROP);
    db_bind_text(stmt, 1, kind);
    db_bind_text(stmt, 2, key);
    return db_run(cx, stmt);
}

/* --- the thread --- */

struct taken {
    int64_t number, next_ms;
    struct due_item item;
    bool parked;
    str error;
};

static err find_next(struct ctx *cx, struct due *due, struct taken *out, bool *found)
{
    TRY(store_reader(cx, due->store));
    struct db_stmt *stmt = db_use(cx, cx->db, due_sql, SQL_NEXT);
    db_bind_int(stmt, 1, cx->now_ms);
    TRY(db_step(cx, stmt, found));
    if (*found)
        *out = (struct taken){ .number = db_int(stmt, 0), .item = {
            arena_copy(cx->arena, db_text(stmt, 1)), arena_copy(cx->arena, db_text(stmt, 2)),
            arena_copy(cx->arena, db_text(stmt, 3)), arena_copy(cx->arena, db_text(stmt, 4)),
            db_int(stmt, 5), db_int(stmt, 6) } };
    ctx_release(cx); /* the snapshot is not held while the item is done */
    return ERR_OK;
}

static err note_done(struct ctx *cx, struct db *db, void *self)
{
    const struct taken *taken = self;
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_DONE);
    db_bind_int(stmt, 1, taken->number);
    db_bind_int(stmt, 2, taken->item.due_ms);
    return db_run(cx, stmt);
}

static err note_failed(struct ctx *cx, struct db *db, void *self)
{
    const struct taken *taken = self;
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_FAILED);
    db_bind_int(stmt, 1, taken->number);
    db_bind_int(stmt, 2, taken->item.due_ms);
    db_bind_int(stmt, 3, taken->next_ms);
    db_bind_int(stmt, 4, taken->parked);
    db_bind_text(stmt, 5, taken->error);
    return db_run(cx, stmt);
}

static const struct due_kind *kind_of(const struct due *due, str name)
{
    for (const struct due_kind *const *kind = due->kinds; *kind; kind++)
        if (str_eq(name, str_of((*kind)->name)))
            return *kind;
    return NULL;
}

static int64_t delay_of(int64_t failures)
{
    int64_t delay = FIRST_DELAY_MS;
    for (int64_t i = 0; i < failures && delay < LONGEST_DELAY_MS; i++)
        delay *= 2;
    return delay < LONGEST_DELAY_MS ? delay : LONGEST_DELAY_MS;
}

/* A kind this program does not know waits for one that does. */
static err do_item(struct ctx *cx, struct due *due, struct taken *taken)
{
    const struct due_kind *kind = kind_of(due, taken->item.kind);
    err wrong = kind ? kind->run(cx, due->store, &taken->item, kind->self)
                     : ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("nobody does this kind"));
    if (!wrong)
        return store_write(cx, due->store, note_done, taken);
    int max = kind && kind->attempts_max ? kind->attempts_max : DUE_ATTEMPTS;
    str text = cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : S("failed");
    taken->error = str_slice(text, 0, 400);
    taken->parked = kind && taken->item.failures + 1 >= max;
    taken->next_ms = cx->now_ms + delay_of(taken->item.failures);
    return store_write(cx, due->store, note_failed, taken);
}

static err do_next(struct ctx *cx, struct due *due, bool *found)
{
    struct taken taken;
    TRY(find_next(cx, due, &taken, found));
    return *found ? do_item(cx, due, &taken) : ERR_OK;
}

/* False: nothing was due, or it cannot be found out now. */
static bool one_item(struct due *due)
{
    jmp_buf over;
    struct random random;
    struct arena arena = arena_make(DUE_MEMORY_BYTES);
    struct ctx cx = ctx_make(&arena);
    bool found = false;
    random_secret(&random, sizeof random);
    cx.random = &random;
    cx.now_ms = clock_now_ms();
    arena.over = &over;
    bool good = setjmp(over) == 0 && do_next(&cx, due, &found) == ERR_OK && found;
    ctx_release(&cx);
    arena_free(&arena);
    return good;
}

static int64_t next_due(struct due *due)
{
    struct arena arena = arena_make(1 << 20);
    struct ctx cx = ctx_make(&arena);
    int64_t now = clock_now_ms(), when = now + LOOK_AGAIN_MS;
    bool row = false;
    if (store_reader(&cx, due->store) == ERR_OK) {
        struct db_stmt *stmt = db_use(&cx, cx.db, due_sql, SQL_WHEN);
        db_bind_int(stmt, 1, now);
        if (db_step(&cx, stmt, &row) == ERR_OK && row && db_int(stmt, 0) < when)
            when = db_int(stmt, 0);
    }
    ctx_release(&cx);
    arena_free(&arena);
    return when;
}

static bool wait_until(struct due *due, int64_t when_ms)
{
    struct timespec when = { .tv_sec = when_ms / 1000, .tv_nsec = when_ms % 1000 * 1000000 };
    pthread_mutex_lock(&due->lock);
    while (!due->closing && !due->woken &&
           pthread_cond_timedwait(&due->changed, &due->lock, &when) == 0)
        ;
    due->woken = false;
    bool go_on = !due->closing;
    pthread_mutex_unlock(&due->lock);
    return go_on;
}

static void *run(void *self)
{
    struct due *due = self;
    do
        while (!due->closing && one_item(due))
            ;
    while (wait_until(due, next_due(due)));
    return NULL;
}

void due_wake(struct due *due)
{
    pthread_mutex_lock(&due->lock);
    due->woken = true;
    pthread_cond_signal(&due->changed);
    pthread_mutex_unlock(&due->lock);
}

static void on_change(const struct store_watch *watch, int64_t seq)
{
    (void)seq;
    due_wake(watch->self);
}

err due_start(struct ctx *cx, struct store *store, const struct due_kind *const *kinds,
              struct due **out)
{
    struct due *due = arena_zero(cx->arena, sizeof *due);
    *due = (struct due){ .store = store, .kinds = kinds, .watch = { on_change, due } };
    TRY(due_schema(cx, store));
    pthread_mutex_init(&due->lock, NULL);
    pthread_cond_init(&due->changed, NULL);
    if (pthread_create(&due->thread, NULL, run, due))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    store_watch(store, &due->watch);
    *out = due;
    return ERR_OK;
}

void due_stop(struct due *due)
{
    store_unwatch(due->store, &due->watch);
    pthread_mutex_lock(&due->lock);
    due->closing = true;
    pthread_cond_signal(&due->changed);
    pthread_mutex_unlock(&due->lock);
    pthread_join(due->thread, NULL);
    pthread_cond_destroy(&due->changed);
    pthread_mutex_destroy(&due->lock);
}

err due_counts(struct ctx *cx, struct store *store, struct due_count **out, size_t *count)
{
    struct due_count *list = NULL;
    size_t n = 0, cap = 0;
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, due_sql, SQL_COUNTS);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        list = arena_grow(cx->arena, list, n, &cap, sizeof *list);
        list[n++] = (struct due_count){ arena_copy(cx->arena, db_text(stmt, 0)), db_int(stmt, 1),
                                        db_int(stmt, 2), db_int(stmt, 3) };
    }
    *out = list;
    *count = n;
    return ERR_OK;
}
