/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"
#include <assert.h>

void commit_add_part(struct store *store, const struct commit_part *part)
{
    assert(store->parts_count < COMMIT_PARTS_MAX && "raise COMMIT_PARTS_MAX");
    store->parts[store->parts_count++] = part;
}

static err read_only(struct ctx *cx)
{
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 }, S("the record was opened for reading only"));
}

static err not_taken(struct ctx *cx)
{
    return ctx_fail(cx, ERR_BUSY, (str){ 0 },
                    S("too many writes are waiting, or the program is stopping; nothing was "
                      "written, try again"));
}

static void commit_finished(struct prepared *p)
{
    p->commit->error = p->error;
    p->commit->done(p->commit);
}

/* The snapshot's place is read before the snapshot is taken: a version between the two is looked at
 * once more by the writer, which costs little; one missed would be wrong. */
static err prepare_here(struct ctx *cx, struct prepared *p)
{
    bool had = cx->db != NULL;
    err wrong = prepare(p, had ? 0 : store_seq(p->store));
    store_give_back(cx, p->store, !had);
    return wrong;
}

err commit_submit(struct ctx *cx, struct store *store, struct commit *commit, bool *waiting)
{
    *waiting = false;
    if (store->read_only)
        return commit->error = read_only(cx);
    struct prepared *p = prepared_make(cx, store, commit);
    commit->prepared = p;
    p->finished = commit_finished;
    commit->error = prepare_here(cx, p);
    if (commit->error || !p->changes)
        return commit->error;
    *waiting = true; /* before: done may be called at once */
    if (writer_queue(store, p))
        return ERR_OK;
    *waiting = false;
    return commit->error = not_taken(cx);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
};

static void waiter_make(struct waiter *waiter)
{
    pthread_mutex_init(&waiter->lock, NULL);
    pthread_cond_init(&waiter->over, NULL);
    waiter->done = false;
}

static void waiter_tell(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->over);
    pthread_mutex_unlock(&waiter->lock);
}

static void waiter_wait(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->done)
        pthread_cond_wait(&waiter->over, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
    pthread_cond_destroy(&waiter->over);
    pthread_mutex_destroy(&waiter->lock);
}

static void tell_done(struct commit *commit)
{
    waiter_tell(commit->self);
}

err commit_run(struct ctx *cx, struct store *store, struct commit *commit)
{
    struct waiter waiter;
    bool waiting;
    waiter_make(&waiter);
    commit->done = tell_done;
    commit->self = &waiter;
    err wrong = commit_submit(cx, store, commit, &waiting);
    if (!waiting)
        return wrong;
    waiter_wait(&waiter);
    return commit->error;
}

static void work_finished(struct prepared *p)
{
    struct waiter *waiter = (struct waiter *)p->waiter;
    waiter_tell(waiter);
}

err store_write(struct ctx *cx, struct store *store,
                err (*work)(struct ctx *cx, struct db *db, void *self), void *self)
{
    if (store->read_only)
        return read_only(cx);
    struct waiter waiter;
    struct prepared *p = arena_zero(cx->arena, sizeof *p);
    *p = (struct prepared){ .store = store, .cx = cx, .work = work, .self = self,
                            .waiter = &waiter, .finished = work_finished };
    waiter_make(&waiter);
    if (!writer_queue(store, p))
        return not_taken(cx);
    waiter_wait(&waiter);
    return p->error;
}

static err make_tables(struct ctx *cx, struct db *db, void *self)
{
    return db_exec(cx, db, *(const char **)self);
}

err store_tables(struct ctx *cx, struct store *store, const char *schema)
{
    return store_write(cx, store, make_tables, &schema);
}
