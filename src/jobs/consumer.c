/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/consumer.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "jobs/once.h"
#include <pthread.h>

enum { SQL_MAKE, SQL_GET, SQL_PUT, SQL_ALL };
static const struct stmt consumer_sql[] = {
    [SQL_MAKE] = { "table of consumers",
        "CREATE TABLE IF NOT EXISTS consumer (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, "
        "failures INTEGER NOT NULL, parked INTEGER NOT NULL, error TEXT NOT NULL) WITHOUT ROWID",
        NULL },
    [SQL_GET] = { "a consumer", "SELECT seq, failures, parked, error FROM consumer WHERE name = ?1",
        "SEARCH consumer USING PRIMARY KEY" },
    [SQL_PUT] = { "note a consumer", "INSERT OR REPLACE INTO consumer VALUES (?1, ?2, ?3, ?4, ?5)",
        NULL },
    [SQL_ALL] = { "all consumers",
        "SELECT name, seq, failures, parked, error FROM consumer ORDER BY name", NULL },
    { 0 },
};
/* A consumer begins a batch at most every PACE_MS while the log grows, so that a busy record is not
 * spent on telling its consumers of each commit; a position past versions that were none of its
 * business is noted every NOTE_MS. */
enum { FIRST_DELAY_MS = 1000, LONGEST_DELAY_MS = 300000, PACE_MS = 20, NOTE_MS = 1000 };
enum { RESOURCES_MAX = 256 };
#define CONSUMER_MEMORY_BYTES ((size_t)256 << 20)
#define PUT_MEMORY_BYTES ((size_t)1 << 20)

struct runner {
    struct consumers *consumers;
    const struct consumer *consumer;
    struct consumer_state state; /* this thread's; name and error are static or in error_text */
    char error_text[512];
    bool resume, skip;           /* asked by another thread, under the lock */
    bool resumed;                /* this thread's: it is to be noted */
    bool waiting;                /* for the log to grow; under the lock */
    bool wanted[RESOURCES_MAX];  /* by type */
    int64_t began_ms;            /* the last batch; on the monotonic clock */
    int64_t unnoted_ms;          /* since when the position on disk is behind; 0: it is not */
    pthread_cond_t changed;
    pthread_t thread;
};
struct consumers {
    struct store *store;
    struct store_watch watch;
    pthread_mutex_t lock;
    int64_t told_seq;            /* the writer's: what they were woken for last */
    bool closing;
    size_t count;
    struct runner runners[CONSUMERS_MAX];
};

/* --- what is stored --- */

static err make_table(struct ctx *cx, struct db *db, void *self)
{
    (void)self;
    return db_run(cx, db_use(cx, db, consumer_sql, SQL_MAKE));
}

static err put_state(struct ctx *cx, struct db *db, void *self)
{
    const struct consumer_state *state = self;
    struct db_stmt *stmt = db_use(cx, db, consumer_sql, SQL_PUT);
    db_bind_text(stmt, 1, state->name);
    db_bind_int(stmt, 2, state->seq);
    db_bind_int(stmt, 3, state->failures);
    db_bind_int(stmt, 4, state->parked);
    db_bind_text(stmt, 5, state->error);
    return db_run(cx, stmt);
}

struct lookup {
    str name;
    bool found;
    struct consumer_state state;
};

/* On the writer's connection: it sees the table it has just made. */
static err get_state(struct ctx *cx, struct db *db, void *self)
{
    struct lookup *lookup = self;
    struct db_stmt *stmt = db_use(cx, db, consumer_sql, SQL_GET);
    db_bind_text(stmt, 1, lookup->name);
    TRY(db_step(cx, stmt, &lookup->found));
    if (!lookup->found)
        return ERR_OK;
    lookup->state = (struct consumer_state){
        .name = lookup->name, .seq = db_int(stmt, 0), .failures = db_int(stmt, 1),
        .parked = db_int(stmt, 2) != 0, .error = arena_copy(cx->arena, db_text(stmt, 3)),
    };
    db_reset(stmt);
    return ERR_OK;
}

err consumers_list(struct ctx *cx, struct store *store, struct consumer_state **out, size_t *count)
{
    struct consumer_state *list = NULL;
    size_t n = 0, cap = 0;
    int64_t end = store_seq(store);
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, consumer_sql, SQL_ALL);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        list = arena_grow(cx->arena, list, n, &cap, sizeof *list);
        int64_t seq = db_int(stmt, 1);
        list[n++] = (struct consumer_state){
            .name = arena_copy(cx->arena, db_text(stmt, 0)), .seq = seq,
            .lag = end > seq ? end - seq : 0, .failures = db_int(stmt, 2),
            .parked = db_int(stmt, 3) != 0, .error = arena_copy(cx->arena, db_text(stmt, 4)),
        };
    }
    *out = list;
    *count = n;
    return ERR_OK;
}

err consumer_unpark(struct ctx *cx, struct store *store, str name, bool skip)
{
    struct lookup lookup = { .name = name };
    TRY(store_write(cx, store, make_table, NULL));
    TRY(store_write(cx, store, get_state, &lookup));
    if (!lookup.found)
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no consumer %.*s",
                         STR_ARG(name));
    lookup.state.seq += skip;
    lookup.state.failures = 0;
    lookup.state.parked = false;
    lookup.state.error = S("");
    return store_write(cx, store, put_state, &lookup.state);
}

/* --- a consumer's thread --- */

/* Under the lock. */
static void wake_all(struct consumers *consumers, bool waiting_only)
{
    for (size_t i = 0; i < consumers->count; i++)
        if (!waiting_only || consumers->runners[i].waiting)
            pthread_cond_signal(&consumers->runners[i].changed);
}

static void wake(const struct store_watch *watch, int64_t seq)
{
    struct consumers *consumers = watch->self;
    if (seq <= consumers->told_seq)
        return; /* the group had no versions: a position was noted */
    consumers->told_seq = seq;
    pthread_mutex_lock(&consumers->lock);
    wake_all(consumers, true);
    pthread_mutex_unlock(&consumers->lock);
}

static void read_wanted(struct runner *r)
{
    for (uint16_t i = 0; i < RESOURCES_MAX; i++)
        r->wanted[i] = !r->consumer->types;
    for (const char *const *t = r->consumer->types; t && *t; t++) {
        uint16_t resource = fhir_resource_find(str_of(*t));
        if (resource < RESOURCES_MAX)
            r->wanted[resource] = true;
    }
}

/* `seq` 0: it was none of one version. What is not the consumer's own doing never parks it. */
static void note_failure(struct runner *r, int64_t seq, str text, bool own)
{
    int max = r->consumer->attempts_max ? r->consumer->attempts_max : CONSUMER_ATTEMPTS;
    int n = snprintf(r->error_text, sizeof r->error_text, "version %lld: %.*s", (long long)seq,
                     (int)(text.n > 400 ? 400 : text.n), text.p ? text.p : "");
    r->state.error = (str){ r->error_text, (size_t)n };
    r->state.failures++;
    r->state.parked = own && r->state.failures >= max;
}

static str issue_text(const struct ctx *cx, err wrong)
{
    return cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : str_of(err_name(wrong));
}

/* Hands on a batch; *moved: the position or the state is to be noted at once. */
static err consume_batch(struct ctx *cx, struct runner *r, bool *moved)
{
    struct store_versions batch;
    struct store_following following = { .after = r->state.seq, .count = CONSUMER_BATCH,
                                         .wanted = r->wanted };
    TRY(store_follow(cx, r->consumers->store, &following, &batch));
    for (size_t i = 0; i < batch.count; i++) {
        const struct store_version *v = &batch.list[i];
        err wrong = r->consumer->consume(cx, r->consumers->store, v, r->consumer->self);
        *moved = true;
        if (wrong) {
            r->state.seq = v->seq - 1; /* what is passed over is this one, when it is skipped */
            note_failure(r, v->seq, issue_text(cx, wrong), true);
            return ERR_OK;
        }
        r->state.seq = v->seq;
    }
    r->state.seq = following.reached;
    *moved = *moved || r->state.failures;
    r->state.failures = 0;
    r->state.error = S("");
    return ERR_OK;
}

static err put_now(struct ctx *cx, struct runner *r)
{
    r->unnoted_ms = 0;
    return store_write(cx, r->consumers->store, put_state, &r->state);
}

static err batch_work(struct ctx *cx, void *self)
{
    struct runner *r = self;
    bool moved = false;
    err wrong = consume_batch(cx, r, &moved);
    bool late = r->unnoted_ms && clock_now_ms() >= r->unnoted_ms + NOTE_MS;
    if (!wrong && (moved || late))
        wrong = put_now(cx, r);
    else if (!wrong && !r->unnoted_ms)
        r->unnoted_ms = clock_now_ms();
    if (wrong)
        note_failure(r, r->state.seq + 1, issue_text(cx, wrong), false);
    return ERR_OK;
}

static err put_work(struct ctx *cx, void *self)
{
    return put_now(cx, self);
}

/* A jump out of consume (its memory was used up) is a failure of its own like another. */
static void one_batch(struct runner *r)
{
    if (job_once(CONSUMER_MEMORY_BYTES, batch_work, r) == ERR_OK)
        return;
    note_failure(r, r->state.seq + 1, S("it needs more memory than a consumer may use"), true);
    if (job_once(PUT_MEMORY_BYTES, put_work, r))
        log_line(LOG_ERROR, (str){ 0 }, "consumer %s: its failure could not be noted",
                 r->consumer->name);
}

static int64_t delay_of(int64_t failures)
{
    int64_t delay = FIRST_DELAY_MS;
    for (int64_t i = 1; i < failures && delay < LONGEST_DELAY_MS; i++)
        delay *= 2;
    return delay < LONGEST_DELAY_MS ? delay : LONGEST_DELAY_MS;
}

static struct timespec instant_of(int64_t at_ms)
{
    return (struct timespec){ .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
}

/* Under the lock. */
static void take_resume(struct runner *r)
{
    r->state.seq += r->skip;
    r->state.failures = 0;
    r->state.parked = r->resume = r->skip = false;
    r->resumed = true;
    r->state.error = S("");
}

/* When to look whether or not the log grows; 0: not before. Under the lock. */
static int64_t look_at_ms(const struct runner *r, bool more)
{
    int64_t rest_ms = r->began_ms + PACE_MS - clock_monotonic_ms();
    if (r->state.parked)
        return 0;
    if (r->state.failures)
        return clock_now_ms() + delay_of(r->state.failures);
    if (more)
        return clock_now_ms() + (rest_ms > 0 ? rest_ms : 0);
    return r->unnoted_ms ? r->unnoted_ms + NOTE_MS : 0;
}

/* True: the time came. Under the lock; woken earlier only when `waiting`, or at the end. */
static bool rest_until(struct runner *r, int64_t at_ms, bool waiting)
{
    struct timespec at = instant_of(at_ms);
    if (at_ms && clock_now_ms() >= at_ms)
        return true;
    r->waiting = waiting;
    if (at_ms)
        pthread_cond_timedwait(&r->changed, &r->consumers->lock, &at);
    else
        pthread_cond_wait(&r->changed, &r->consumers->lock);
    r->waiting = false;
    return false;
}

/* Until there is something to do; false: the end. */
static bool wait_for_work(struct runner *r)
{
    struct consumers *c = r->consumers;
    int64_t again_ms = 0;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        if (r->resume)
            take_resume(r);
        if (c->closing || r->resumed)
            break;
        bool more = store_seq(c->store) > r->state.seq;
        if (!again_ms || !r->state.failures)
            again_ms = look_at_ms(r, more);
        if (rest_until(r, again_ms, !more && !r->state.failures))
            break;
    }
    bool go_on = !c->closing;
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

/* At once: a version that was skipped must not come again after a restart. */
static void note_resumed(struct runner *r)
{
    r->resumed = false;
    if (job_once(PUT_MEMORY_BYTES, put_work, r))
        log_line(LOG_ERROR, (str){ 0 }, "consumer %s: going on could not be noted",
                 r->consumer->name);
}

/* Past versions that were none of its business; if it is lost they are passed over once more. */
static void note_position(struct runner *r)
{
    if (job_once(PUT_MEMORY_BYTES, put_work, r))
        log_line(LOG_WARNING, (str){ 0 }, "consumer %s: its position could not be noted",
                 r->consumer->name);
}

static void *run(void *self)
{
    struct runner *r = self;
    while (wait_for_work(r)) {
        if (r->resumed) {
            note_resumed(r);
        } else if (r->unnoted_ms && store_seq(r->consumers->store) <= r->state.seq) {
            note_position(r);
        } else {
            r->began_ms = clock_monotonic_ms();
            one_batch(r);
        }
    }
    if (r->unnoted_ms)
        note_position(r);
    return NULL;
}

/* --- beginning and end --- */

/* A parked consumer tries again when the program starts. */
static err prepare_runner(struct ctx *cx, struct runner *r)
{
    struct lookup lookup = { .name = str_of(r->consumer->name) };
    TRY(store_write(cx, r->consumers->store, get_state, &lookup));
    r->state = (struct consumer_state){ .name = lookup.name, .error = S("") };
    pthread_cond_init(&r->changed, NULL);
    read_wanted(r);
    if (lookup.found)
        r->state.seq = lookup.state.seq;
    else if (r->consumer->from_now)
        r->state.seq = store_seq(r->consumers->store);
    return store_write(cx, r->consumers->store, put_state, &r->state);
}

err consumers_start(struct ctx *cx, struct store *store, const struct consumer *const *list,
                    struct consumers **out)
{
    struct consumers *c = arena_zero(cx->arena, sizeof *c);
    c->store = store;
    c->watch = (struct store_watch){ wake, c };
    TRY(store_write(cx, store, make_table, NULL));
    for (; list[c->count]; c->count++) {
        if (c->count == CONSUMERS_MAX)
            return ctx_fail(cx, ERR_BUG, (str){ 0 }, S("raise CONSUMERS_MAX"));
        c->runners[c->count] = (struct runner){ .consumers = c, .consumer = list[c->count] };
        TRY(prepare_runner(cx, &c->runners[c->count]));
    }
    pthread_mutex_init(&c->lock, NULL);
    store_watch(store, &c->watch); /* before the threads look: nothing is committed unseen */
    size_t started = 0;
    while (started < c->count &&
           !pthread_create(&c->runners[started].thread, NULL, run, &c->runners[started]))
        started++;
    if (started < c->count) {
        pthread_mutex_lock(&c->lock); /* the watch counts them */
        c->count = started;
        pthread_mutex_unlock(&c->lock);
        consumers_stop(c);
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    }
    *out = c;
    return ERR_OK;
}

void consumers_stop(struct consumers *c)
{
    store_unwatch(c->store, &c->watch);
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    wake_all(c, false);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        pthread_join(c->runners[i].thread, NULL);
        pthread_cond_destroy(&c->runners[i].changed);
    }
    pthread_mutex_destroy(&c->lock);
}

err consumers_resume(struct ctx *cx, struct consumers *c, str name, bool skip)
{
    bool found = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(name, str_of(c->runners[i].consumer->name))) {
            c->runners[i].resume = found = true;
            c->runners[i].skip = skip;
        }
    wake_all(c, false);
    pthread_mutex_unlock(&c->lock);
    if (found)
        return ERR_OK;
    return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no consumer %.*s", STR_ARG(name));
}
