/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "store/writer.h"

/*
 * Care of the file beside the writer's path. Pages are moved from the write-ahead log into the
 * database while the writer goes on; readers are not waited for, what they still need is moved
 * next time. And once, when there are bodies enough to learn from, a dictionary is trained.
 */
enum {
    REST_MS = 200,             /* between two looks when woken often */
    TRAIN_AT_VERSIONS = 2000
};
#define CARE_MEMORY_BYTES ((size_t)256 << 20)

struct care {
    struct store *store;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake, closing, running;
};

static err add_dict(struct ctx *cx, struct db *db, void *self)
{
    struct { struct store *store; str bytes; } *job = self;
    return dict_add(cx, &job->store->dicts, db, job->bytes);
}

static err train(struct ctx *cx, struct care *care)
{
    struct store *store = care->store;
    struct { struct store *store; str bytes; } job = { .store = store };
    if (atomic_load(&store->dicts.current) || store_seq(store) < TRAIN_AT_VERSIONS)
        return ERR_OK;
    TRY(dict_train(cx, store, care->db, &job.bytes));
    return job.bytes.n ? store_write(cx, store, add_dict, &job) : ERR_OK;
}

static err look_after(struct ctx *cx, struct care *care)
{
    int64_t left;
    TRY(db_checkpoint(cx, care->db, &left));
    return train(cx, care);
}

/* A fault here loses nothing (the log holds everything): it is met again, and reported, by a
 * write. */
static void one_round(struct care *care)
{
    jmp_buf over;
    struct arena arena = arena_make(CARE_MEMORY_BYTES);
    arena.over = &over;
    struct ctx cx = ctx_make(&arena);
    if (setjmp(over) == 0) {
        err wrong = look_after(&cx, care);
        (void)wrong;
    }
    db_rollback(care->db);
    ctx_release(&cx);
    arena_free(&arena);
}

static bool wait_for_work(struct care *care)
{
    pthread_mutex_lock(&care->lock);
    while (!care->wake && !care->closing)
        pthread_cond_wait(&care->woken, &care->lock);
    care->wake = false;
    bool go_on = !care->closing;
    pthread_mutex_unlock(&care->lock);
    return go_on;
}

static void rest(struct care *care)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += REST_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&care->lock);
    while (!care->closing && pthread_cond_timedwait(&care->woken, &care->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&care->lock);
}

static void *run(void *self)
{
    struct care *care = self;
    while (wait_for_work(care)) {
        one_round(care);
        rest(care);
    }
    return NULL;
}

void care_wake(struct store *store)
{
    struct care *care = store->care;
    if (!care)
        return;
    pthread_mutex_lock(&care->lock);
    care->wake = true;
    pthread_cond_signal(&care->woken);
    pthread_mutex_unlock(&care->lock);
}

err care_start(struct ctx *cx, struct store *store)
{
    struct care *care = calloc(1, sizeof *care);
    if (!care)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
    care->store = store;
    pthread_mutex_init(&care->lock, NULL);
    pthread_cond_init(&care->woken, NULL);
    store->care = care;
    TRY(store_open_db(cx, store, true, &care->db));
    if (pthread_create(&care->thread, NULL, run, care))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    care->running = true;
    return ERR_OK;
}

void care_stop(struct store *store)
{
    struct care *care = store->care;
    if (!care)
        return;
    pthread_mutex_lock(&care->lock);
    care->closing = true;
    pthread_cond_signal(&care->woken);
    pthread_mutex_unlock(&care->lock);
    if (care->running)
        pthread_join(care->thread, NULL);
    care->running = false;
}

void care_free(struct store *store)
{
    struct care *care = store->care;
    if (!care)
        return;
    db_close(care->db);
    pthread_cond_destroy(&care->woken);
    pthread_mutex_destroy(&care->lock);
    store->care = NULL;
    free(care);
}
