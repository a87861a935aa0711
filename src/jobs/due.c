/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/due.h"
#include "base/clock.h"
#include "base/log.h"
#include "jobs/once.h"
#include <assert.h>
#include <pthread.h>

enum { SQL_NEXT, SQL_PUT, SQL_ADD, SQL_DROP, SQL_DROP_TARGET, SQL_ITEM, SQL_DONE, SQL_AGAIN,
       SQL_FAILED, SQL_COUNTS, SQL_WHEN, SQL_RETRY,
       SQL_FIND };
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS due (number INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " key TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, due_ms INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, parked INTEGER NOT NULL, error TEXT NOT NULL,"
    " UNIQUE (kind, key));"
    "CREATE INDEX IF NOT EXISTS due_by_time ON due (parked, due_ms);"
    "CREATE INDEX IF NOT EXISTS due_by_target ON due (kind, target, number) WHERE target <> '';";
static const struct stmt due_sql[] = {
    /* ?2 are the kinds that are done on lanes, between bars; ?3: those are wanted. ?4: also such
     * as have failed before. Those under way are still in the table: ?5 is one more than they. */
    [SQL_NEXT] = { "what is due",
        "SELECT number, kind, failures FROM due d "
        "WHERE parked = 0 AND due_ms <= ?1 AND (instr(?2, '|' || kind || '|') > 0) = ?3 "
        "AND (failures = 0 OR ?4) AND (target = '' OR NOT EXISTS (SELECT 1 FROM due e "
        "WHERE e.kind = d.kind AND e.target = d.target AND e.target <> '' "
        "AND e.number < d.number)) ORDER BY due_ms LIMIT ?5", "USING INDEX due_by_time" },
    [SQL_PUT] = { "put something due",
        "INSERT INTO due (kind, key, target, body, due_ms, failures, parked, error) "
        "VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '') ON CONFLICT (kind, key) DO UPDATE SET "
        "target = ?3, body = ?4, due_ms = ?5, failures = 0, parked = 0, error = ''", NULL },
    [SQL_ADD] = { "add to something due",
        "INSERT INTO due (kind, key, target, body, due_ms, failures, parked, error) "
        "VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '') ON CONFLICT (kind, key) DO UPDATE SET body = ?4",
        NULL },
    [SQL_DROP] = { "drop something due", "DELETE FROM due WHERE kind = ?1 AND key = ?2",
        "SEARCH due USING INDEX" },
    [SQL_DROP_TARGET] = { "drop all that is due for a target",
        "DELETE FROM due WHERE kind = ?1 AND target = ?2 AND target <> ''",
        "SEARCH due USING INDEX due_by_target" },
    [SQL_ITEM] = { "an item that is due",
        "SELECT kind, key, target, body, due_ms, failures FROM due WHERE number = ?1",
        "SEARCH due USING INTEGER PRIMARY KEY" },
    /* Unless it was put anew, or added to, while it was done. */
    [SQL_DONE] = { "done", "DELETE FROM due WHERE number = ?1 AND due_ms = ?2 AND body = ?3",
        "SEARCH due USING INTEGER PRIMARY KEY" },
    [SQL_AGAIN] = { "done, but there is more",
        "UPDATE due SET failures = 0, error = '' WHERE number = ?1 AND due_ms = ?2",
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
    [SQL_RETRY] = { "try what is parked again",
        "UPDATE due SET parked = 0, failures = 0, due_ms = ?2 WHERE parked = 1 AND kind = ?1",
        "SEARCH due USING INDEX due_by_time" },
    [SQL_FIND] = { "how it stands with something due",
        "SELECT due_ms, failures, parked, error FROM due WHERE kind = ?1 AND key = ?2",
        "SEARCH due USING INDEX" },
    { 0 },
};
enum { FIRST_DELAY_MS = 1000, LONGEST_DELAY_MS = 3600000, LOOK_AGAIN_MS = 60000,
       PACE_MS = 20 };
#define DUE_MEMORY_BYTES ((size_t)256 << 20)
#define LOOK_MEMORY_BYTES ((size_t)1 << 20)

/* A thread that does items which may have to wait for another machine. */
struct lane {
    struct due *due;
    pthread_t thread;
    int64_t number;   /* of the item under way; 0: idle */
    bool failing;     /* that item has failed before */
};
struct due {
    struct store *store;
    const struct due_kind *const *kinds;
    struct store_watch watch;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for the thread that looks */
    pthread_cond_t handed;  /* for the lanes */
    bool closing;
    bool woken;             /* to look at once */
    bool grown;             /* something was committed: look within PACE_MS */
    int64_t looked_ms;      /* on the monotonic clock */
    char away[1024];  /* |kind|kind| */
    struct lane lanes[DUE_LANES];
    size_t lanes_count;
};

err due_schema(struct ctx *cx, struct store *store)
{
    return store_tables(cx, store, schema);
}

static str or_empty(str text)
{
    return text.p ? text : S("");
}

static err insert(struct ctx *cx, struct db *db, const struct due_item *item, size_t how)
{
    struct db_stmt *stmt = db_use(cx, db, due_sql, how);
    db_bind_text(stmt, 1, item->kind);
    db_bind_text(stmt, 2, item->key);
    db_bind_text(stmt, 3, or_empty(item->target));
    db_bind_text(stmt, 4, or_empty(item->body));
    db_bind_int(stmt, 5, item->due_ms);
    return db_run(cx, stmt);
}

err due_put(struct ctx *cx, struct db *db, const struct due_item *item)
{
    return insert(cx, db, item, SQL_PUT);
}

err due_add(struct ctx *cx, struct db *db, const struct due_item *item)
{
    return insert(cx, db, item, SQL_ADD);
}

err due_drop(struct ctx *cx, struct db *db, str kind, str key)
{
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_DROP);
    db_bind_text(stmt, 1, kind);
    db_bind_text(stmt, 2, key);
    return db_run(cx, stmt);
}

err due_drop_target(struct ctx *cx, struct db *db, str kind, str target)
{
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_DROP_TARGET);
    db_bind_text(stmt, 1, kind);
    db_bind_text(stmt, 2, target);
    return db_run(cx, stmt);
}

struct retry {
    str kind;
    int64_t now_ms;
};

static err retry_parked(struct ctx *cx, struct db *db, void *self)
{
    const struct retry *retry = self;
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_RETRY);
    db_bind_text(stmt, 1, retry->kind);
    db_bind_int(stmt, 2, retry->now_ms);
    return db_run(cx, stmt);
}

err due_retry(struct ctx *cx, struct due *due, str kind)
{
    struct retry retry = { kind, clock_now_ms() };
    TRY(store_write(cx, due->store, retry_parked, &retry));
    due_wake(due);
    return ERR_OK;
}

err due_find(struct ctx *cx, struct store *store, str kind, str key, struct due_state *out,
             bool *found)
{
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, due_sql, SQL_FIND);
    db_bind_text(stmt, 1, kind);
    db_bind_text(stmt, 2, key);
    TRY(db_step(cx, stmt, found));
    if (*found)
        *out = (struct due_state){ db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) != 0,
                                   arena_copy(cx->arena, db_text(stmt, 3)) };
    db_reset(stmt);
    return ERR_OK;
}

/* --- one item --- */

struct taken {
    struct due *due;
    int64_t number, next_ms;
    struct due_item item;
    bool parked;
    str error;
};

/* *found false: somebody dropped it meanwhile. */
static err read_item(struct ctx *cx, struct taken *taken, bool *found)
{
    TRY(store_reader(cx, taken->due->store));
    struct db_stmt *stmt = db_use(cx, cx->db, due_sql, SQL_ITEM);
    db_bind_int(stmt, 1, taken->number);
    TRY(db_step(cx, stmt, found));
    if (*found)
        taken->item = (struct due_item){
            arena_copy(cx->arena, db_text(stmt, 0)), arena_copy(cx->arena, db_text(stmt, 1)),
            arena_copy(cx->arena, db_text(stmt, 2)), arena_copy(cx->arena, db_text(stmt, 3)),
            db_int(stmt, 4), db_int(stmt, 5) };
    ctx_release(cx); /* the snapshot is not held while the item is done */
    return ERR_OK;
}

static err note_done(struct ctx *cx, struct db *db, void *self)
{
    const struct taken *taken = self;
    struct db_stmt *stmt = db_use(cx, db, due_sql, SQL_DONE);
    db_bind_int(stmt, 1, taken->number);
    db_bind_int(stmt, 2, taken->item.due_ms);
    db_bind_text(stmt, 3, taken->item.body);
    TRY(db_run(cx, stmt));
    if (db_changes(db))
        return ERR_OK;
    stmt = db_use(cx, db, due_sql, SQL_AGAIN);
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
static err do_item(struct ctx *cx, void *self)
{
    struct taken *taken = self;
    struct due *due = taken->due;
    bool found;
    TRY(read_item(cx, taken, &found));
    if (!found)
        return ERR_OK;
    const struct due_kind *kind = kind_of(due, taken->item.kind);
    err wrong = kind ? kind->run(cx, due->store, &taken->item, kind->self)
                     : ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("nobody does this kind"));
    if (!wrong)
        return store_write(cx, due->store, note_done, taken);
    int max = kind && kind->attempts_max ? kind->attempts_max : DUE_ATTEMPTS;
    str text = cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : S("failed");
    taken->error = str_slice(text, 0, 400);
    taken->parked = kind && (taken->item.failures + 1 >= max || wrong == kind->parks_on);
    taken->next_ms = clock_now_ms() + delay_of(taken->item.failures);
    return store_write(cx, due->store, note_failed, taken);
}

/* An item that used up its memory is tried again later, like one that failed. */
static err note_overrun(struct ctx *cx, void *self)
{
    struct taken *taken = self;
    bool found;
    TRY(read_item(cx, taken, &found));
    if (!found)
        return ERR_OK;
    taken->error = S("it could not be finished or noted: out of memory, or the disk failed");
    taken->parked = taken->item.failures + 1 >= DUE_ATTEMPTS;
    taken->next_ms = clock_now_ms() + delay_of(taken->item.failures);
    return store_write(cx, taken->due->store, note_failed, taken);
}

static void do_number(struct due *due, int64_t number)
{
    struct taken taken = { .due = due, .number = number };
    if (job_once(DUE_MEMORY_BYTES, do_item, &taken) &&
        job_once(DUE_MEMORY_BYTES, note_overrun, &taken))
        log_line(LOG_ERROR, (str){ 0 }, "due: item %lld could not be noted", (long long)number);
}

/* --- which is next --- */

struct look {
    struct due *due;
    bool away, failing_too;
    int64_t busy[DUE_LANES];
    size_t busy_count;
    int64_t number;  /* out; 0: none */
    bool failing;
    int64_t when_ms; /* out: when to look again */
};

static bool is_busy(const struct look *look, int64_t number)
{
    for (size_t i = 0; i < look->busy_count; i++)
        if (look->busy[i] == number)
            return true;
    return false;
}

static err find_next(struct ctx *cx, void *self)
{
    struct look *look = self;
    TRY(store_reader(cx, look->due->store));
    struct db_stmt *stmt = db_use(cx, cx->db, due_sql, SQL_NEXT);
    db_bind_int(stmt, 1, cx->now_ms);
    db_bind_text(stmt, 2, str_of(look->due->away));
    db_bind_int(stmt, 3, look->away);
    db_bind_int(stmt, 4, look->failing_too);
    db_bind_int(stmt, 5, (int64_t)look->busy_count + 1);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (is_busy(look, db_int(stmt, 0)))
            continue;
        look->number = db_int(stmt, 0);
        look->failing = db_int(stmt, 2) > 0;
        db_reset(stmt);
        return ERR_OK;
    }
}

static err find_when(struct ctx *cx, void *self)
{
    struct look *look = self;
    bool row;
    TRY(store_reader(cx, look->due->store));
    struct db_stmt *stmt = db_use(cx, cx->db, due_sql, SQL_WHEN);
    db_bind_int(stmt, 1, cx->now_ms);
    TRY(db_step(cx, stmt, &row));
    if (row && db_int(stmt, 0) < look->when_ms)
        look->when_ms = db_int(stmt, 0);
    return ERR_OK;
}

static int64_t next_due(struct due *due)
{
    struct look look = { .due = due, .when_ms = clock_now_ms() + LOOK_AGAIN_MS };
    if (job_once(LOOK_MEMORY_BYTES, find_when, &look))
        return clock_now_ms() + FIRST_DELAY_MS; /* it cannot be found out now */
    return look.when_ms;
}

/* --- the threads --- */

static void *lane_run(void *self)
{
    struct lane *lane = self;
    struct due *due = lane->due;
    pthread_mutex_lock(&due->lock);
    for (;;) {
        while (!due->closing && !lane->number)
            pthread_cond_wait(&due->handed, &due->lock);
        if (due->closing)
            break;
        int64_t number = lane->number;
        pthread_mutex_unlock(&due->lock);
        do_number(due, number);
        pthread_mutex_lock(&due->lock);
        lane->number = 0;
        due->woken = true; /* what waited for this one, or for a lane */
        pthread_cond_signal(&due->changed);
    }
    pthread_mutex_unlock(&due->lock);
    return NULL;
}

/* What lanes are at; NULL: all are busy. At most half of them try again what failed before, so that
 * receivers which do not answer cannot keep others from being served. */
static struct lane *idle_lane(struct due *due, struct look *look)
{
    struct lane *idle = NULL;
    size_t failing = 0;
    pthread_mutex_lock(&due->lock);
    look->busy_count = 0;
    for (size_t i = 0; i < due->lanes_count; i++) {
        struct lane *lane = &due->lanes[i];
        if (lane->number)
            look->busy[look->busy_count++] = lane->number;
        else
            idle = lane;
        failing += lane->number && lane->failing;
    }
    look->failing_too = failing < DUE_LANES / 2;
    pthread_mutex_unlock(&due->lock);
    return idle;
}

static bool hand_to_lane(struct due *due)
{
    struct look look = { .due = due, .away = true };
    struct lane *lane = idle_lane(due, &look);
    if (!lane || job_once(LOOK_MEMORY_BYTES, find_next, &look) || !look.number)
        return false;
    pthread_mutex_lock(&due->lock);
    lane->number = look.number;
    lane->failing = look.failing;
    pthread_cond_broadcast(&due->handed);
    pthread_mutex_unlock(&due->lock);
    return true;
}

static bool do_near(struct due *due)
{
    struct look look = { .due = due, .failing_too = true };
    if (job_once(LOOK_MEMORY_BYTES, find_next, &look) || !look.number)
        return false;
    do_number(due, look.number);
    return true;
}

static bool is_closing(struct due *due)
{
    pthread_mutex_lock(&due->lock);
    bool closing = due->closing;
    pthread_mutex_unlock(&due->lock);
    return closing;
}

static struct timespec instant_of(int64_t at_ms)
{
    return (struct timespec){ .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
}

/* What a commit put is looked for soon, not after each: most put nothing. */
static bool wait_until(struct due *due, int64_t when_ms)
{
    pthread_mutex_lock(&due->lock);
    while (!due->closing && !due->woken) {
        int64_t rest_ms = due->looked_ms + PACE_MS - clock_monotonic_ms();
        int64_t soon_ms = clock_now_ms() + (rest_ms > 0 ? rest_ms : 0);
        struct timespec when = instant_of(due->grown && soon_ms < when_ms ? soon_ms : when_ms);
        if (pthread_cond_timedwait(&due->changed, &due->lock, &when))
            break;
    }
    due->woken = due->grown = false;
    due->looked_ms = clock_monotonic_ms();
    bool go_on = !due->closing;
    pthread_mutex_unlock(&due->lock);
    return go_on;
}

static void *run(void *self)
{
    struct due *due = self;
    do {
        bool any = true;
        while (any && !is_closing(due)) {
            any = hand_to_lane(due);
            any = do_near(due) || any;
        }
    } while (wait_until(due, next_due(due)));
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
    struct due *due = watch->self;
    (void)seq;
    pthread_mutex_lock(&due->lock);
    if (!due->grown)
        pthread_cond_signal(&due->changed);
    due->grown = true;
    pthread_mutex_unlock(&due->lock);
}

static size_t name_away(struct due *due)
{
    size_t n = 1, count = 0;
    due->away[0] = '|';
    for (const struct due_kind *const *kind = due->kinds; *kind; kind++) {
        if (!(*kind)->away)
            continue;
        int added = snprintf(due->away + n, sizeof due->away - n, "%s|", (*kind)->name);
        assert(added > 0 && (size_t)added < sizeof due->away - n);
        n += (size_t)added;
        count++;
    }
    return count;
}

static bool start_threads(struct due *due, size_t lanes)
{
    if (pthread_create(&due->thread, NULL, run, due))
        return false;
    for (size_t i = 0; i < lanes; i++) {
        due->lanes[i].due = due;
        if (pthread_create(&due->lanes[i].thread, NULL, lane_run, &due->lanes[i]))
            return i > 0; /* fewer will do */
        pthread_mutex_lock(&due->lock);
        due->lanes_count++;
        pthread_mutex_unlock(&due->lock);
    }
    return true;
}

err due_start(struct ctx *cx, struct store *store, const struct due_kind *const *kinds,
              struct due **out)
{
    struct due *due = arena_zero(cx->arena, sizeof *due);
    *due = (struct due){ .store = store, .kinds = kinds, .watch = { on_change, due } };
    size_t lanes = name_away(due) ? DUE_LANES : 0;
    TRY(due_schema(cx, store));
    pthread_mutex_init(&due->lock, NULL);
    pthread_cond_init(&due->changed, NULL);
    pthread_cond_init(&due->handed, NULL);
    if (!start_threads(due, lanes))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    store_watch(store, &due->watch);
    due_wake(due);
    *out = due;
    return ERR_OK;
}

void due_stop(struct due *due)
{
    store_unwatch(due->store, &due->watch);
    pthread_mutex_lock(&due->lock);
    due->closing = true;
    pthread_cond_broadcast(&due->changed);
    pthread_cond_broadcast(&due->handed);
    pthread_mutex_unlock(&due->lock);
    pthread_join(due->thread, NULL);
    for (size_t i = 0; i < due->lanes_count; i++)
        pthread_join(due->lanes[i].thread, NULL);
    pthread_cond_destroy(&due->changed);
    pthread_cond_destroy(&due->handed);
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
