/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"
#include "store/reindex.h"
#include "store/terms.h"
#include "store/upgrade.h"
#include "store/writer.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 8192, READERS_DEFAULT = 32, READER_WAIT_S = 10 };

err store_open_db(struct ctx *cx, struct store *store, bool write, struct db **out)
{
    struct db_options options = {
        .path = store->path, .create = write && !store->read_only, .read_only = !write,
        .cache_bytes = write ? store->cache_bytes : STORE_READ_CACHE_BYTES,
        .map = store->map, .page_bytes = PAGE_BYTES,
    };
    return db_open(cx, &options, out);
}

/* --- the pool of readers --- */

static err take_reader(struct ctx *cx, struct store *store, struct db **out)
{
    struct store_readers *readers = &store->readers;
    struct db *db = NULL;
    pthread_mutex_lock(&readers->lock);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += READER_WAIT_S;
    int late = 0;
    while (!readers->idle_count && readers->open_count == readers->max && !late)
        late = pthread_cond_timedwait(&readers->freed, &readers->lock, &until);
    if (!readers->idle_count && readers->open_count == readers->max) {
        pthread_mutex_unlock(&readers->lock);
        return ctx_fail(cx, ERR_BUSY, (str){ 0 },
                        S("too much is being read at once; try again in a moment"));
    }
    if (readers->idle_count)
        db = readers->idle[--readers->idle_count];
    else
        readers->open_count++;
    pthread_mutex_unlock(&readers->lock);
    if (!db && store_open_db(cx, store, false, &db)) {
        pthread_mutex_lock(&readers->lock);
        readers->open_count--;
        pthread_cond_signal(&readers->freed);
        pthread_mutex_unlock(&readers->lock);
        return ERR_IO;
    }
    *out = db;
    return ERR_OK;
}

static void put_reader(struct store *store, struct db *db)
{
    struct store_readers *readers = &store->readers;
    pthread_mutex_lock(&readers->lock);
    readers->idle[readers->idle_count++] = db;
    pthread_cond_signal(&readers->freed);
    pthread_mutex_unlock(&readers->lock);
}

/* What a ctx has been lent; kept in its arena, so that a jump out of the request gives it back
 * too. */
struct loan {
    struct store *store;
    struct ctx *cx;
    struct db *db; /* NULL: given back already */
};

static void end_loan(void *self)
{
    struct loan *loan = self;
    if (!loan->db)
        return;
    db_rollback(loan->db);
    put_reader(loan->store, loan->db);
    loan->cx->db = NULL;
    loan->db = NULL;
}

static err lend(struct ctx *cx, struct store *store)
{
    struct loan *loan = arena_zero(cx->arena, sizeof *loan);
    ctx_defer(cx, end_loan, loan);
    TRY(take_reader(cx, store, &cx->db));
    *loan = (struct loan){ store, cx, cx->db };
    return ERR_OK;
}

err store_reader(struct ctx *cx, struct store *store)
{
    if (cx->db)
        return ERR_OK;
    TRY(lend(cx, store));
    return db_begin(cx, cx->db, false);
}

void store_reader_end(struct ctx *cx)
{
    if (cx->db)
        ctx_undefer(cx, end_loan);
}

err store_borrow(struct ctx *cx, struct store *store, bool *borrowed)
{
    *borrowed = !cx->db;
    return cx->db ? ERR_OK : lend(cx, store);
}

void store_give_back(struct ctx *cx, struct store *store, bool borrowed)
{
    (void)store;
    if (borrowed && cx->db)
        ctx_undefer(cx, end_loan);
}

/* --- opening --- */

static err make_folder(struct ctx *cx, struct store *store, bool create)
{
    struct stat info;
    const char *folder = arena_cstr(&store->arena, store->folder);
    if (create && mkdir(folder, 0750) && errno != EEXIST)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "the data folder %s cannot be made: %s", folder,
                         strerror(errno));
    if (stat(folder, &info) || !S_ISDIR(info.st_mode))
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 },
                         "there is no data folder %s; give another, or make it by frontline serve "
                         "or frontline import", folder);
    return ERR_OK;
}

/* The lock is the kernel's, on an open file: it ends with the process however that ends. */
static err take_lock(struct ctx *cx, struct store *store)
{
    str path = arena_printf(&store->arena, "%.*s/lock", STR_ARG(store->folder));
    store->lock = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (store->lock < 0)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%s cannot be opened: %s; check the owner of the "
                         "data folder, and that the disk is writable", path.p, strerror(errno));
    char pid[16] = "";
    if (flock(store->lock, LOCK_EX | LOCK_NB) == 0) {
        int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
        if (ftruncate(store->lock, 0) || pwrite(store->lock, pid, (size_t)n, 0) != n)
            return ERR_OK; /* only the number for people is missing */
        return ERR_OK;
    }
    ssize_t got = pread(store->lock, pid, sizeof pid - 1, 0);
    str who = str_trim((str){ pid, got > 0 ? (size_t)got : 0 });
    return ctx_failf(cx, ERR_BUSY, (str){ 0 },
                     "the data folder %.*s is in use by process %.*s; stop it first",
                     STR_ARG(store->folder), STR_ARG(who));
}

/* Patients' data are not for everyone on the machine; SQLite gives its other files the same mode.
 * Made before SQLite opens it: closing a handle beside it would drop its locks. */
static void make_file(const struct store *store, bool create)
{
    int file = create ? open(store->path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0640) : -1;
    if (file >= 0)
        close(file); /* what is wrong with it, opening the database tells */
}

static err open_own(struct ctx *cx, struct store *store, struct db *db)
{
    TRY(db_exec(cx, db, own_schema));
    return own_publish(cx, store, db);
}

static err open_writer(struct ctx *cx, struct store *store, const struct store_options *options,
                       struct db **out)
{
    bool changed = false;
    TRY(take_lock(cx, store));
    make_file(store, options->create);
    TRY(store_open_db(cx, store, true, out));
    TRY(schema_open(cx, *out, options->create));
    TRY(dict_open(cx, &store->dicts, *out));
    TRY(index_layout_build(cx, &store->arena, *out, &store->layout, &changed));
    TRY(open_own(cx, store, *out));
    TRY(upgrade_store(cx, store, *out, changed));
    TRY(care_start(cx, store)); /* before the writer, which wakes it */
    TRY(writer_start(cx, store, *out));
    return reindex_start(cx, store);
}

/* Without a writer the public numbers are read once. */
static err open_reader(struct ctx *cx, struct store *store, struct db *db)
{
    struct interner interner = { 0 };
    bool changed, row;
    TRY(schema_open(cx, db, false));
    TRY(dict_open(cx, &store->dicts, db));
    TRY(index_layout_build(cx, &store->arena, db, &store->layout, &changed));
    TRY(own_publish(cx, store, db));
    TRY(interner_open(cx, &interner, db));
    for (size_t i = 0; i < STORE_TYPES_MAX; i++) {
        atomic_store(&store->live[i], interner.tally[i].live);
        atomic_store(&store->versions[i], interner.tally[i].versions);
    }
    interner_close(&interner);
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_SEQ_LAST);
    TRY(db_step(cx, stmt, &row));
    atomic_store(&store->seq, row ? db_int(stmt, 0) : 0);
    db_reset(stmt);
    return ERR_OK;
}

static err open_all(struct ctx *cx, struct store *store, const struct store_options *options)
{
    TRY(make_folder(cx, store, options->create && !options->read_only));
    if (!options->read_only)
        return open_writer(cx, store, options, &store->db);
    struct db *db = NULL;
    TRY(store_open_db(cx, store, false, &db));
    put_reader(store, db);
    store->readers.open_count++;
    return open_reader(cx, store, db);
}

err store_open(struct ctx *cx, const struct store_options *options, struct store **out)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
    store->arena = arena_make((size_t)64 << 20);
    store->own_arena = arena_make((size_t)256 << 20);
    store->lock = -1;
    store->read_only = options->read_only;
    store->cache_bytes = options->cache_bytes ? options->cache_bytes : STORE_CACHE_BYTES;
    store->map = db_map_make(STORE_MAP_BYTES); /* none: slower, not wrong */
    store->folder = str_of(arena_cstr(&store->arena, options->folder));
    store->path = arena_printf(&store->arena, "%.*s/record.db", STR_ARG(store->folder));
    int max = options->readers_max ? options->readers_max : READERS_DEFAULT;
    store->readers.max = max < READERS_MAX ? max : READERS_MAX;
    pthread_mutex_init(&store->readers.lock, NULL);
    pthread_cond_init(&store->readers.freed, NULL);
    pthread_mutex_init(&store->watches.lock, NULL);
    store_terms_make(store);
    err wrong = open_all(cx, store, options);
    if (wrong) {
        store_close(store);
        return wrong;
    }
    *out = store;
    return ERR_OK;
}

void store_close(struct store *store)
{
    care_stop(store);
    reindex_stop(store);
    writer_stop(store);
    care_free(store);
    for (int i = 0; i < store->readers.idle_count; i++)
        db_close(store->readers.idle[i]);
    db_close(store->db);
    db_map_free(store->map);
    dict_close(&store->dicts);
    if (store->lock >= 0)
        close(store->lock);
    pthread_cond_destroy(&store->readers.freed);
    pthread_mutex_destroy(&store->readers.lock);
    pthread_mutex_destroy(&store->watches.lock);
    term_free(store->own_terms);
    arena_free(&store->own_arena);
    arena_free(&store->arena);
    free(store);
}

void store_set_base(struct store *store, str base_url)
{
    index_layout_set_base(store->layout, base_url);
}

const struct index_layout *store_layout(struct store *store)
{
    return store->layout;
}

void store_watch(struct store *store, const struct store_watch *watch)
{
    pthread_mutex_lock(&store->watches.lock);
    if (store->watches.count < STORE_WATCHES_MAX)
        store->watches.list[store->watches.count++] = watch;
    pthread_mutex_unlock(&store->watches.lock);
}

void store_unwatch(struct store *store, const struct store_watch *watch)
{
    struct store_watches *watches = &store->watches;
    pthread_mutex_lock(&watches->lock);
    for (size_t i = 0; i < watches->count; i++)
        if (watches->list[i] == watch)
            watches->list[i--] = watches->list[--watches->count];
    pthread_mutex_unlock(&watches->lock);
}
