/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reindex.h"
#include "base/clock.h"
#include "store/compile.h"
#include "store/writer.h"

enum { CHUNK = 200, DROP_CHUNK = 2000, RETRY_MS = 1000 };
#define REINDEX_MEMORY_BYTES ((size_t)512 << 20)

struct reindex {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake, running;
    _Atomic bool closing, changed; /* changed: SearchParameters, since they were last taken up */
    size_t chunk;                  /* resources a step: fewer after one that was too large */
};

enum { NEXT, AT, MOVE, DONE, GONE, DROP_FIRST };
/* clang-format off */
static const struct stmt reindex_sql[] = {
    [NEXT] = { "what is to be indexed",
        "SELECT slot, resource, state, at_rid, done FROM own_param WHERE state IN (1, 3) "
        "ORDER BY state DESC, slot LIMIT 1", NULL },
    [AT] = { "how far an own parameter is", "SELECT state, at_rid FROM own_param WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [MOVE] = { "an own parameter goes on",
        "UPDATE own_param SET at_rid=?2, done=done+?3, total=max(?4, done+?3) WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [DONE] = { "an own parameter is indexed", "UPDATE own_param SET state=2 WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [GONE] = { "an own parameter is gone", "DELETE FROM own_param WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [DROP_FIRST + INDEX_TOK] = { "take out tokens", "DELETE FROM tok WHERE (slot, cid, at, rid) IN "
        "(SELECT slot, cid, at, rid FROM tok WHERE slot=?1 LIMIT ?2)",
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid=? AND at=? AND rid=?)" },
    [DROP_FIRST + INDEX_REF] = { "take out references",
        "DELETE FROM ref WHERE (slot, target, at, rid) IN "
        "(SELECT slot, target, at, rid FROM ref WHERE slot=?1 LIMIT ?2)",
        "SEARCH ref USING PRIMARY KEY (slot=? AND target=? AND at=? AND rid=?)" },
    [DROP_FIRST + INDEX_TXT] = { "take out texts",
        "DELETE FROM txt WHERE (slot, folded, at, rid, exact) IN "
        "(SELECT slot, folded, at, rid, exact FROM txt WHERE slot=?1 LIMIT ?2)",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=? AND at=? AND rid=? AND exact=?)" },
    [DROP_FIRST + INDEX_DAY] = { "take out dates",
        "DELETE FROM day WHERE (slot, span, lo, rid, hi) IN "
        "(SELECT slot, span, lo, rid, hi FROM day WHERE slot=?1 LIMIT ?2)",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND lo=? AND rid=? AND hi=?)" },
    [DROP_FIRST + INDEX_NUM] = { "take out numbers",
        "DELETE FROM num WHERE (slot, by, unit, value, at, rid) IN "
        "(SELECT slot, by, unit, value, at, rid FROM num WHERE slot=?1 LIMIT ?2)",
        "SEARCH num USING PRIMARY KEY (slot=? AND by=? AND unit=? AND value=? AND at=? AND "
        "rid=?)" },
    { 0 },
};
/* clang-format on */

/* A piece of work, from the table. */
struct piece {
    struct store *store;
    uint16_t slot, resource;
    enum own_state state;
    int64_t at_rid, done;
    struct store_versions page;
    struct index_rows *rows; /* of each of the page */
    bool finished;
};

static err next_piece(struct ctx *cx, struct store *store, struct piece *out, bool *any)
{
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    struct db_stmt *stmt = db_use(cx, cx->db, reindex_sql, NEXT);
    TRY(db_step(cx, stmt, any));
    if (*any)
        *out = (struct piece){ .store = store, .slot = (uint16_t)db_int(stmt, 0),
                               .resource = (uint16_t)db_int(stmt, 1),
                               .state = (enum own_state)db_int(stmt, 2),
                               .at_rid = db_int(stmt, 3), .done = db_int(stmt, 4) };
    db_reset(stmt);
    store_give_back(cx, store, borrowed);
    return ERR_OK;
}

/* The parameter's rows alone. */
static err rows_of(struct ctx *cx, const struct piece *piece, str body, struct index_rows *out)
{
    struct json parsed;
    size_t kept = 0;
    TRY(json_parse(cx, body, &parsed));
    TRY(index_extract(cx, piece->store->layout, piece->resource, parsed, out));
    for (size_t i = 0; i < out->count; i++)
        if (out->rows[i].slot == piece->slot)
            out->rows[kept++] = out->rows[i];
    out->count = kept;
    return ERR_OK;
}

/* One resource in the writer's transaction: as it is now, if it changed since it was read. */
static err add_change(struct ctx *cx, struct db *db, struct piece *piece, size_t index,
                      struct index_change *out)
{
    struct store_version *v = &piece->page.list[index], now;
    struct index_rows *rows = &piece->rows[index];
    struct ident_row ident;
    str id;
    (void)db;
    TRY(ident_of_rid(cx, cx->db, v->rid, &ident, &id));
    if (ident.deleted || !ident.vid)
        return ERR_OK;
    if (ident.seq != v->seq) {
        TRY(store_read_rid(cx, piece->store, v->rid, &now));
        TRY(rows_of(cx, piece, now.body, rows));
    }
    struct writer *writer = piece->store->writer;
    rows->resolved = false;
    TRY(index_resolve(cx, &writer->interner.in, rows));
    rows->rid = v->rid;
    rows->pid = ident.pid;
    out->after = rows;
    return ERR_OK;
}

/* It may have been dropped, or moved on, since the chunk was read. */
static err is_current(struct ctx *cx, struct db *db, const struct piece *piece, bool *out)
{
    struct db_stmt *stmt = db_use(cx, db, reindex_sql, AT);
    db_bind_int(stmt, 1, piece->slot);
    TRY(db_step(cx, stmt, out));
    *out = *out && db_int(stmt, 0) == (int64_t)piece->state && db_int(stmt, 1) == piece->at_rid;
    db_reset(stmt);
    return ERR_OK;
}

static err move_on(struct ctx *cx, struct db *db, struct piece *piece)
{
    const struct store_versions *page = &piece->page;
    if (page->count) {
        struct db_stmt *stmt = db_use(cx, db, reindex_sql, MOVE);
        db_bind_int(stmt, 1, piece->slot);
        db_bind_int(stmt, 2, page->list[page->count - 1].rid);
        db_bind_int(stmt, 3, (int64_t)page->count);
        db_bind_int(stmt, 4, atomic_load(&piece->store->live[piece->resource]));
        TRY(db_run(cx, stmt));
    }
    if (page->more)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, db, reindex_sql, DONE);
    db_bind_int(stmt, 1, piece->slot);
    TRY(db_run(cx, stmt));
    return own_publish(cx, piece->store, db);
}

static err write_chunk(struct ctx *cx, struct db *db, void *self)
{
    struct piece *piece = self;
    struct index_change *changes = arena_array(cx->arena, piece->page.count + 1, sizeof *changes);
    size_t count = 0;
    bool current;
    TRY(is_current(cx, db, piece, &current));
    if (!current)
        return ERR_OK;
    piece->store->writer->interned = true;
    interner_fresh(&piece->store->writer->interner, cx->arena);
    for (size_t i = 0; i < piece->page.count; i++) {
        changes[count] = (struct index_change){ 0 };
        TRY(add_change(cx, db, piece, i, &changes[count]));
        count += changes[count].after != NULL;
    }
    TRY(index_apply(cx, db, changes, count));
    return move_on(cx, db, piece);
}

static err build_chunk(struct ctx *cx, struct piece *piece, size_t most)
{
    struct store_scan scan = { .resource = piece->resource, .after_rid = piece->at_rid,
                               .count = most };
    TRY(store_scan(cx, piece->store, &scan, &piece->page));
    piece->rows = arena_array(cx->arena, piece->page.count + 1, sizeof *piece->rows);
    for (size_t i = 0; i < piece->page.count; i++)
        TRY(rows_of(cx, piece, piece->page.list[i].body, &piece->rows[i]));
    return store_write(cx, piece->store, write_chunk, piece);
}

static err drop_chunk(struct ctx *cx, struct db *db, void *self)
{
    struct piece *piece = self;
    uint8_t table = piece->store->layout->slots[piece->slot].table;
    struct db_stmt *stmt = db_use(cx, db, reindex_sql, (size_t)DROP_FIRST + table);
    db_bind_int(stmt, 1, piece->slot);
    db_bind_int(stmt, 2, DROP_CHUNK);
    TRY(db_run(cx, stmt));
    piece->finished = db_changes(db) < DROP_CHUNK;
    if (!piece->finished)
        return ERR_OK;
    stmt = db_use(cx, db, reindex_sql, GONE);
    db_bind_int(stmt, 1, piece->slot);
    TRY(db_run(cx, stmt));
    return own_publish(cx, piece->store, db);
}

/* Takes up what changed, then works piece by piece. *idle: nothing is left. */
static err one_step(struct ctx *cx, struct reindex *r, bool *idle)
{
    struct piece piece;
    bool any;
    if (atomic_exchange(&r->changed, false)) {
        err wrong = own_sync(cx, r->store);
        if (wrong)
            atomic_store(&r->changed, true);
        TRY(wrong);
    }
    TRY(next_piece(cx, r->store, &piece, &any));
    if (!any) {
        *idle = true;
        return ERR_OK;
    }
    if (piece.state == OWN_BUILDING)
        return build_chunk(cx, &piece, r->chunk);
    TRY(store_write(cx, r->store, drop_chunk, &piece));
    if (piece.finished)
        atomic_store(&r->changed, true); /* it may be wanted again */
    return ERR_OK;
}

/* A fault is met again after a while; what was done is in the table. */
static bool step_guarded(struct reindex *r, bool *idle)
{
    jmp_buf over;
    struct arena arena = arena_make(REINDEX_MEMORY_BYTES);
    arena.over = &over;
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = clock_now_ms();
    volatile bool good = false;
    if (setjmp(over) == 0)
        good = one_step(&cx, r, idle) == ERR_OK;
    r->chunk = good ? CHUNK : r->chunk / 2 + 1;
    ctx_release(&cx);
    arena_free(&arena);
    return good;
}

static void rest(struct reindex *r, bool idle)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_MS / 1000;
    pthread_mutex_lock(&r->lock);
    if (idle)
        while (!r->wake && !r->closing)
            pthread_cond_wait(&r->woken, &r->lock);
    else if (!r->wake && !r->closing)
        pthread_cond_timedwait(&r->woken, &r->lock, &until);
    r->wake = false;
    pthread_mutex_unlock(&r->lock);
}

static void *run(void *self)
{
    struct reindex *r = self;
    while (!r->closing) {
        bool idle = false, good = step_guarded(r, &idle);
        if (!r->closing && (idle || !good))
            rest(r, idle && good);
    }
    return NULL;
}

void reindex_wake(struct store *store)
{
    struct reindex *r = store->reindex;
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->wake = true;
    atomic_store(&r->changed, true);
    pthread_cond_signal(&r->woken);
    pthread_mutex_unlock(&r->lock);
}

err reindex_start(struct ctx *cx, struct store *store)
{
    struct reindex *r = arena_zero(&store->own_arena, sizeof *r);
    r->store = store;
    r->chunk = CHUNK;
    atomic_store(&r->changed, true);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->woken, NULL);
    store->reindex = r;
    if (pthread_create(&r->thread, NULL, run, r))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    r->running = true;
    return ERR_OK;
}

void reindex_stop(struct store *store)
{
    struct reindex *r = store->reindex;
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_cond_signal(&r->woken);
    pthread_mutex_unlock(&r->lock);
    if (r->running)
        pthread_join(r->thread, NULL);
    r->running = false;
}
