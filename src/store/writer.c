/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reindex.h"
#include "store/writer.h"
#include "base/clock.h"

/*
 * The writer: takes whatever is queued, puts it into one transaction, syncs once, answers all. It
 * does not wait for a group to fill: while one group is being synced the next one gathers by
 * itself.
 *
 * A commit is proved before it writes anything, so a refusal leaves nothing to undo and no
 * savepoint is needed. When a write itself fails (a full disk) the whole group is rolled back and
 * its commits are tried one by one, so that only those that cannot be written fail.
 */
enum {
    QUEUE_MAX = 20000,
    GROUP_OPS_MAX = 20000,
    WAL_CARE_PAGES = 2000,  /* from here the care thread moves pages into the file */
    WAL_MOST_PAGES = 65536  /* from here the writer does so itself, before it writes more */
};
#define WRITER_MEMORY_BYTES ((size_t)2 << 30)

static size_t ops_of(const struct prepared *p)
{
    return p->commit ? p->commit->ops_count : 1;
}

/* Takes a group from the queue; waits for one. NULL: closing and nothing left. */
static struct prepared *take_group(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->head && !w->closing)
        pthread_cond_wait(&w->arrived, &w->lock);
    struct prepared *first = w->head, *last = NULL;
    size_t ops = 0;
    while (w->head && (!last || ops + ops_of(w->head) <= GROUP_OPS_MAX)) {
        last = w->head;
        ops += ops_of(last);
        w->head = last->next;
        w->queued--;
    }
    if (last)
        last->next = NULL;
    if (!w->head)
        w->tail = NULL;
    pthread_mutex_unlock(&w->lock);
    return first;
}

err writer_flush(struct writer *w)
{
    err wrong = w->changes_count
                    ? index_apply(&w->cx, w->db, w->changes, w->changes_count)
                    : ERR_OK;
    w->changes_count = 0;
    w->fault = wrong ? wrong : w->fault;
    return wrong;
}

static err run_work(struct writer *w, struct prepared *p)
{
    TRY(writer_flush(w));
    TRY(interner_flush(&w->cx, &w->interner));
    w->interned = false;
    TRY(db_savepoint(&w->cx, w->db));
    p->error = p->work(p->cx, w->db, p->self);
    if (!db_in_transaction(w->db))
        return p->error ? p->error : ERR_IO;
    if (!p->error)
        return db_savepoint_keep(&w->cx, w->db);
    TRY(db_savepoint_undo(&w->cx, w->db));
    return w->interned ? interner_forget(&w->cx, &w->interner) : ERR_OK;
}

/* Refused: p->error, and nothing written. A returned error is a fault: the group must be undone. */
static err run_one(struct writer *w, struct prepared *p)
{
    if (p->work)
        return run_work(w, p);
    p->error = writer_prove(w, p);
    if (p->error)
        return db_in_transaction(w->db) ? w->fault : p->error;
    return p->changes ? writer_apply(w, p) : ERR_OK;
}

static err too_large(struct ctx *cx)
{
    return ctx_fail(cx, ERR_LIMIT, (str){ 0 },
                    S("the change needs more memory than one may use; send it in parts"));
}

/* The commit's ctx becomes the writer's for a while: its connection, no deadline (an interrupted
 * write would undo the group), and an arena that jumps to here when its cap is passed. */
static err guarded(struct writer *w, struct prepared *p)
{
    struct ctx *cx = p->cx;
    jmp_buf over, *const their_over = cx->arena->over;
    struct db *const their_db = cx->db;
    int64_t const their_deadline = cx->deadline_ms;
    cx->arena->over = &over;
    cx->db = w->db;
    cx->deadline_ms = 0;
    err wrong = ERR_LIMIT;
    if (setjmp(over) == 0) {
        wrong = run_one(w, p);
    } else {
        cx->arena->cap_bytes += 64 * 1024; /* for the sentence that says so */
        wrong = too_large(cx);
    }
    cx->arena->over = their_over;
    cx->db = their_db;
    cx->deadline_ms = their_deadline;
    return wrong;
}

static err begin(struct writer *w)
{
    arena_reset(&w->arena);
    w->cx.issues = (struct issues){ .arena = &w->arena };
    w->fault = ERR_OK;
    w->changes = NULL;
    w->changes_count = w->changes_cap = 0;
    if (w->stale)
        TRY(interner_forget(&w->cx, &w->interner));
    w->stale = false;
    int64_t now = clock_now_ms();
    w->at_ms = now > w->at_ms ? now : w->at_ms;
    return db_begin(&w->cx, w->db, true);
}

static err finish(struct writer *w)
{
    TRY(writer_flush(w));
    TRY(interner_flush(&w->cx, &w->interner));
    return db_commit(&w->cx, w->db);
}

static err attempt(struct writer *w, struct prepared *group)
{
    TRY(begin(w));
    for (struct prepared *p = group; p; p = p->next)
        TRY(guarded(w, p));
    return finish(w);
}

/* As attempt, but the writer's own memory has a cap too. */
static err attempt_guarded(struct writer *w, struct prepared *group)
{
    jmp_buf over;
    w->arena.over = &over;
    if (setjmp(over) == 0) {
        err wrong = attempt(w, group);
        w->arena.over = NULL;
        return wrong;
    }
    w->arena.over = NULL;
    arena_reset(&w->arena);
    w->cx.issues = (struct issues){ .arena = &w->arena };
    return too_large(&w->cx);
}

/* Nothing of the group has happened: numbers, caches and answers back to before. */
static void undo(struct writer *w, struct prepared *group)
{
    db_rollback(w->db);
    w->seq = atomic_load(&w->store->seq);
    w->stale = true;
    for (struct prepared *p = group; p; p = p->next) {
        p->snapshot_seq = -1; /* prove every condition again */
        for (size_t i = 0; p->commit && i < p->commit->ops_count; i++) {
            p->ops[i].before_rows.resolved = p->ops[i].after_rows.resolved = false;
            p->ops[i].before.ident.rid = p->ops[i].before.version.vid ? p->ops[i].before.ident.rid
                                                                      : 0;
        }
    }
}

static void take_issues(struct prepared *p, const struct issues *from)
{
    for (size_t i = 0; i < from->kept; i++)
        issues_note(&p->cx->issues, from->list[i]);
}

/* The store's public numbers follow what is on disk. */
static void publish(struct writer *w)
{
    struct store *store = w->store;
    for (size_t i = 0; i < STORE_TYPES_MAX; i++) {
        atomic_store_explicit(&store->live[i], w->interner.tally[i].live, memory_order_relaxed);
        atomic_store_explicit(&store->versions[i], w->interner.tally[i].versions,
                              memory_order_relaxed);
    }
    /* Watches are told also of a group without versions: a timer that was put is looked at. */
    int64_t before = atomic_exchange(&store->seq, w->seq);
    pthread_mutex_lock(&store->watches.lock);
    for (size_t i = 0; i < store->watches.count; i++)
        store->watches.list[i]->changed(store->watches.list[i], w->seq);
    pthread_mutex_unlock(&store->watches.lock);
    if (w->type_seq[w->search_parameter] > before)
        reindex_wake(store);
}

static void answer(struct prepared *group)
{
    while (group) {
        struct prepared *next = group->next; /* finished may free the arena p lives in */
        group->finished(group);
        group = next;
    }
}

static void run_alone(struct writer *w, struct prepared *p)
{
    err wrong = attempt_guarded(w, p);
    if (wrong) {
        undo(w, p);
        p->error = wrong;
        if (p->cx->issues.kept == p->issues_kept)
            take_issues(p, &w->cx.issues);
    } else {
        publish(w);
    }
    answer(p);
}

static void run_each(struct writer *w, struct prepared *group)
{
    while (group) {
        struct prepared *p = group;
        group = p->next;
        p->next = NULL;
        p->cx->issues.count = p->cx->issues.kept = p->issues_kept; /* those of the attempt go */
        run_alone(w, p);
    }
}

static void run_group(struct writer *w, struct prepared *group)
{
    if (!group->next) {
        run_alone(w, group);
        return;
    }
    if (attempt_guarded(w, group)) {
        undo(w, group);
        run_each(w, group);
        return;
    }
    publish(w);
    answer(group);
}

static void look_after_wal(struct writer *w)
{
    int64_t pages = db_wal_pages(w->db), left = 0;
    if (pages >= WAL_MOST_PAGES && db_checkpoint(&w->cx, w->db, &left))
        w->cx.issues.count = w->cx.issues.kept = 0; /* will be tried again; writes report it */
    if (pages >= WAL_CARE_PAGES)
        care_wake(w->store);
}

static void *run(void *self)
{
    struct writer *w = self;
    for (struct prepared *group; (group = take_group(w));) {
        run_group(w, group);
        look_after_wal(w);
    }
    return NULL;
}

bool writer_queue(struct store *store, struct prepared *p)
{
    struct writer *w = store->writer;
    p->next = NULL;
    p->issues_kept = p->cx->issues.kept;
    pthread_mutex_lock(&w->lock);
    bool taken = !w->closing && w->queued < QUEUE_MAX;
    if (taken) {
        if (w->tail)
            w->tail->next = p;
        else
            w->head = p;
        w->tail = p;
        w->queued++;
        pthread_cond_signal(&w->arrived);
    }
    pthread_mutex_unlock(&w->lock);
    return taken;
}

static err read_end(struct ctx *cx, struct writer *w)
{
    struct db_stmt *stmt = db_use(cx, w->db, store_sql, SQL_SEQ_LAST);
    bool row;
    TRY(db_step(cx, stmt, &row));
    w->seq = row ? db_int(stmt, 0) : 0;
    w->at_ms = row ? db_int(stmt, 1) : 0;
    db_reset(stmt);
    for (size_t i = 0; i < STORE_TYPES_MAX; i++)
        w->type_seq[i] = w->seq;
    return ERR_OK;
}

err writer_start(struct ctx *cx, struct store *store, struct db *db)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
    store->writer = w;
    w->store = store;
    w->db = db;
    w->search_parameter = fhir_resource_find(S("SearchParameter"));
    w->arena = arena_make(WRITER_MEMORY_BYTES);
    w->cx = ctx_make(&w->arena);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->arrived, NULL);
    TRY(interner_open(cx, &w->interner, db));
    TRY(read_end(cx, w));
    publish(w);
    if (pthread_create(&w->thread, NULL, run, w))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    w->running = true;
    return ERR_OK;
}

void writer_stop(struct store *store)
{
    struct writer *w = store->writer;
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_broadcast(&w->arrived);
    pthread_mutex_unlock(&w->lock);
    if (w->running)
        pthread_join(w->thread, NULL);
    interner_close(&w->interner);
    arena_free(&w->arena);
    pthread_cond_destroy(&w->arrived);
    pthread_mutex_destroy(&w->lock);
    free(w);
    store->writer = NULL;
}
