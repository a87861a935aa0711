/* SPDX-License-Identifier: Apache-2.0 */
#include "db/map.h"
#include "base/clock.h"
#include <assert.h>

struct db_stmt {
    sqlite3_stmt *prepared;
    struct db *db;
    int why_not; /* the engine's code when it could not be prepared */
};
struct prepared_set {
    const struct stmt *set;
    struct db_stmt *stmts;
    size_t count;
};
struct db {
    sqlite3 *handle;
    struct prepared_set sets[DB_SETS_MAX];
    size_t sets_count;
    int64_t deadline_ms; /* of the step that runs */
    int64_t wal_pages;
    struct mapped_file mapped;
};

enum { PROGRESS_STEPS = 20000 }; /* of the engine's machine between looks at the deadline */

/* clang-format off */
static const struct { int code; err kind; const char *text; } faults[] = {
    { SQLITE_FULL, ERR_IO,
      "the disk that holds the data is full; nothing was written. Free some space and try again" },
    { SQLITE_READONLY, ERR_IO,
      "the data cannot be written: the folder, its files or the disk are read-only; "
      "mount it writable or correct the owner, then try again" },
    { SQLITE_CORRUPT, ERR_IO,
      "the database file is damaged; stop the server, keep a copy, run frontline check and "
      "restore the last backup" },
    { SQLITE_NOTADB, ERR_IO,
      "the file is not a Frontline database; give the right data folder or restore a backup" },
    { SQLITE_CANTOPEN, ERR_IO,
      "the database cannot be opened: check that the folder exists, may be read and written, and "
      "that file handles are left (ulimit -n)" },
    { SQLITE_PERM, ERR_IO, "the data folder may not be used by this user; correct its owner" },
    { SQLITE_IOERR, ERR_IO, "the disk reported a fault; nothing was written. Look at its health" },
    { SQLITE_BUSY, ERR_BUSY, "the database is busy; try again in a moment" },
    { SQLITE_LOCKED, ERR_BUSY, "the database is busy; try again in a moment" },
    { SQLITE_NOMEM, ERR_BUSY, "out of memory; try again in a moment" },
    { SQLITE_INTERRUPT, ERR_BUSY, "stopped at its time limit; narrow the request and try again" },
    { SQLITE_TOOBIG, ERR_LIMIT, "a value is larger than the database takes" },
    { SQLITE_CONSTRAINT, ERR_CONFLICT, "another row holds this value already" },
};
/* clang-format on */

/* Turns the engine's code into an err with a sentence that says what to do. */
static err report(struct ctx *cx, struct db *db, int code)
{
    int primary = code & 0xff;
    if (code == SQLITE_IOERR_NOMEM)
        primary = SQLITE_NOMEM;
    const char *detail = db && db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    for (size_t i = 0; i < COUNT(faults); i++)
        if (faults[i].code == primary)
            return ctx_failf(cx, faults[i].kind, (str){ 0 }, "%s (%s, code %d)", faults[i].text,
                             detail, code);
    return ctx_failf(cx, ERR_BUG, (str){ 0 }, "a database statement is wrong: %s (code %d)", detail,
                     code);
}

static int look_at_deadline(void *self)
{
    const struct db *db = self;
    return db->deadline_ms && clock_monotonic_ms() >= db->deadline_ms;
}

static int note_wal(void *self, sqlite3 *handle, const char *name, int pages)
{
    (void)handle, (void)name;
    ((struct db *)self)->wal_pages = pages;
    return SQLITE_OK;
}

static err pragma(struct ctx *cx, struct db *db, const char *format, int64_t value)
{
    char sql[80];
    snprintf(sql, sizeof sql, format, (long long)value);
    return db_exec(cx, db, sql);
}

/* FULL: a commit is on disk before it is answered. NORMAL was measured to lose acknowledged writes
 * when power is cut. Checkpoints are the store's, off the writer's path. */
static err set_up(struct ctx *cx, struct db *db, const struct db_options *options)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
    sqlite3_progress_handler(db->handle, PROGRESS_STEPS, look_at_deadline, db);
    if (options->create && options->page_bytes)
        TRY(pragma(cx, db, "PRAGMA page_size=%lld", options->page_bytes));
    if (!options->read_only)
        TRY(db_exec(cx, db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                            "PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY"));
    sqlite3_wal_hook(db->handle, note_wal, db);
    if (options->cache_bytes)
        TRY(pragma(cx, db, "PRAGMA cache_size=-%lld", options->cache_bytes / 1024));
    if (options->map && map_attach(options->map, sqlite3_db_filename(db->handle, "main"),
                                   db->handle, &db->mapped))
        TRY(db_exec(cx, db, "PRAGMA mmap_size=1")); /* any: map.c knows how far it goes */
    return db_exec(cx, db, "PRAGMA schema_version"); /* reads the file: is it a database? */
}

err db_open(struct ctx *cx, const struct db_options *options, struct db **out)
{
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return report(cx, NULL, SQLITE_NOMEM);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                (options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                (options->create && !options->read_only ? SQLITE_OPEN_CREATE : 0);
    int code = sqlite3_open_v2(arena_cstr(cx->arena, options->path), &db->handle, flags, NULL);
    err wrong = code == SQLITE_OK ? set_up(cx, db, options) : report(cx, db, code);
    if (wrong) {
        db_close(db);
        return wrong;
    }
    *out = db;
    return ERR_OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->sets_count; i++) {
        for (size_t s = 0; s < db->sets[i].count; s++)
            sqlite3_finalize(db->sets[i].stmts[s].prepared);
        free(db->sets[i].stmts);
    }
    int code = sqlite3_close(db->handle);
    assert(code == SQLITE_OK);
    (void)code;
    free(db);
}

static struct prepared_set *add_set(struct db *db, const struct stmt *set)
{
    size_t count = 0;
    while (set[count].sql)
        count++;
    assert(db->sets_count < DB_SETS_MAX && "raise DB_SETS_MAX");
    struct db_stmt *stmts = calloc(count, sizeof *stmts);
    if (!stmts)
        return NULL;
    db->sets[db->sets_count] = (struct prepared_set){ set, stmts, count };
    return &db->sets[db->sets_count++];
}

static struct prepared_set *find_set(struct db *db, const struct stmt *set)
{
    for (size_t i = 0; i < db->sets_count; i++)
        if (db->sets[i].set == set)
            return &db->sets[i];
    return add_set(db, set);
}

struct db_stmt *db_use(struct ctx *cx, struct db *db, const struct stmt *set, size_t index)
{
    struct prepared_set *found = find_set(db, set);
    if (!found) {
        struct db_stmt *failed = arena_zero(cx->arena, sizeof *failed);
        *failed = (struct db_stmt){ .db = db, .why_not = SQLITE_NOMEM };
        return failed;
    }
    assert(index < found->count);
    struct db_stmt *stmt = &found->stmts[index];
    stmt->db = db;
    if (!stmt->prepared)
        stmt->why_not = sqlite3_prepare_v3(db->handle, set[index].sql, -1,
                                           SQLITE_PREPARE_PERSISTENT, &stmt->prepared, NULL);
    return stmt;
}

/* A failed bind (a wrong place, no memory) must not run with the value of the time before. */
static void bound(struct db_stmt *stmt, int code)
{
    if (code != SQLITE_OK && stmt->why_not == SQLITE_OK)
        stmt->why_not = code;
}

void db_bind_int(struct db_stmt *stmt, int at, int64_t value)
{
    if (stmt->prepared)
        bound(stmt, sqlite3_bind_int64(stmt->prepared, at, value));
}

void db_bind_real(struct db_stmt *stmt, int at, double value)
{
    if (stmt->prepared)
        bound(stmt, sqlite3_bind_double(stmt->prepared, at, value));
}

void db_bind_text(struct db_stmt *stmt, int at, str text)
{
    if (stmt->prepared)
        bound(stmt, sqlite3_bind_text64(stmt->prepared, at, text.p, text.n, SQLITE_STATIC,
                                        SQLITE_UTF8));
}

void db_bind_blob(struct db_stmt *stmt, int at, str bytes)
{
    if (stmt->prepared)
        bound(stmt, sqlite3_bind_blob64(stmt->prepared, at, bytes.p, bytes.n, SQLITE_STATIC));
}

void db_bind_null(struct db_stmt *stmt, int at)
{
    if (stmt->prepared)
        bound(stmt, sqlite3_bind_null(stmt->prepared, at));
}

err db_step(struct ctx *cx, struct db_stmt *stmt, bool *row)
{
    int code = stmt->why_not;
    if (code == SQLITE_OK) {
        stmt->db->deadline_ms = cx->deadline_ms;
        code = sqlite3_step(stmt->prepared);
    }
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return ERR_OK;
    db_reset(stmt); /* before the report: adding an issue may jump to the arena's `over` */
    return code == SQLITE_DONE ? ERR_OK : report(cx, stmt->db, code);
}

err db_run(struct ctx *cx, struct db_stmt *stmt)
{
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (row)
        db_reset(stmt);
    return ERR_OK;
}

void db_reset(struct db_stmt *stmt)
{
    if (stmt->prepared) {
        sqlite3_reset(stmt->prepared);
        stmt->why_not = SQLITE_OK;
    }
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_int(struct db_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->prepared, column);
}

double db_real(struct db_stmt *stmt, int column)
{
    return sqlite3_column_double(stmt->prepared, column);
}

str db_text(struct db_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt->prepared, column);
    return (str){ text, text ? (size_t)sqlite3_column_bytes(stmt->prepared, column) : 0 };
}

str db_blob(struct db_stmt *stmt, int column)
{
    const char *bytes = sqlite3_column_blob(stmt->prepared, column);
    return (str){ bytes, bytes ? (size_t)sqlite3_column_bytes(stmt->prepared, column) : 0 };
}

bool db_is_null(struct db_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt->prepared, column) == SQLITE_NULL;
}

err db_exec(struct ctx *cx, struct db *db, const char *sql)
{
    db->deadline_ms = 0;
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ERR_OK : report(cx, db, code);
}

enum { BEGIN_READ, BEGIN_WRITE, COMMIT, SAVEPOINT, SAVEPOINT_KEEP, SAVEPOINT_UNDO };
static const struct stmt transaction_sql[] = {
    [BEGIN_READ] = { "begin reading", "BEGIN", NULL },
    [BEGIN_WRITE] = { "begin writing", "BEGIN IMMEDIATE", NULL },
    [COMMIT] = { "commit", "COMMIT", NULL },
    [SAVEPOINT] = { "set a savepoint", "SAVEPOINT one", NULL },
    [SAVEPOINT_KEEP] = { "keep since the savepoint", "RELEASE one", NULL },
    [SAVEPOINT_UNDO] = { "undo since the savepoint", "ROLLBACK TO one", NULL },
    { 0 },
};

static err run_fixed(struct ctx *cx, struct db *db, size_t index)
{
    return db_run(cx, db_use(cx, db, transaction_sql, index));
}

err db_begin(struct ctx *cx, struct db *db, bool write)
{
    return run_fixed(cx, db, write ? BEGIN_WRITE : BEGIN_READ);
}

err db_commit(struct ctx *cx, struct db *db)
{
    err wrong = run_fixed(cx, db, COMMIT);
    if (wrong)
        db_rollback(db);
    return wrong;
}

/* Statements left in the middle (a jump out of their loop) would hold the transaction open. */
void db_rollback(struct db *db)
{
    for (sqlite3_stmt *s = sqlite3_next_stmt(db->handle, NULL); s;
         s = sqlite3_next_stmt(db->handle, s))
        if (sqlite3_stmt_busy(s))
            sqlite3_reset(s);
    if (db_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

err db_savepoint(struct ctx *cx, struct db *db)
{
    return run_fixed(cx, db, SAVEPOINT);
}

err db_savepoint_keep(struct ctx *cx, struct db *db)
{
    return run_fixed(cx, db, SAVEPOINT_KEEP);
}

/* ROLLBACK TO leaves the savepoint on the stack; releasing it takes it off. */
err db_savepoint_undo(struct ctx *cx, struct db *db)
{
    TRY(run_fixed(cx, db, SAVEPOINT_UNDO));
    return run_fixed(cx, db, SAVEPOINT_KEEP);
}

bool db_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

int64_t db_wal_pages(struct db *db)
{
    return db->wal_pages;
}

err db_checkpoint(struct ctx *cx, struct db *db, int64_t *left)
{
    int pages = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        return report(cx, db, code);
    *left = pages > moved ? pages - moved : 0;
    return ERR_OK;
}

err db_plan(struct ctx *cx, struct db *db, const char *sql, str *out)
{
    sqlite3_stmt *prepared = NULL;
    str explain = arena_printf(cx->arena, "EXPLAIN QUERY PLAN %s", sql);
    int code = sqlite3_prepare_v2(db->handle, explain.p, (int)explain.n, &prepared, NULL);
    if (code != SQLITE_OK)
        return report(cx, db, code);
    str plan = S("");
    while (sqlite3_step(prepared) == SQLITE_ROW)
        plan = arena_printf(cx->arena, "%.*s%s\n", STR_ARG(plan),
                            (const char *)sqlite3_column_text(prepared, 3));
    sqlite3_finalize(prepared);
    *out = plan;
    return ERR_OK;
}

/* ---- copying ---- */

enum { COPY_PAGES = 2000 };

/* A read transaction is held over it all, so a commit by others does not begin the copy again. */
static err copy_pages(struct ctx *cx, struct db *db, sqlite3 *to,
                      bool (*go_on)(void *self, int64_t done, int64_t total), void *self)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", db->handle, "main");
    int code = SQLITE_OK;
    bool wanted = true;
    if (!backup)
        return report(cx, db, sqlite3_errcode(to));
    while (wanted && (code = sqlite3_backup_step(backup, COPY_PAGES)) == SQLITE_OK)
        wanted = !go_on || go_on(self, sqlite3_backup_pagecount(backup) -
                                           sqlite3_backup_remaining(backup),
                                 sqlite3_backup_pagecount(backup));
    sqlite3_backup_finish(backup);
    if (!wanted)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("the copy was stopped"));
    return code == SQLITE_DONE ? ERR_OK : report(cx, NULL, code);
}

err db_copy(struct ctx *cx, struct db *db, str path,
            bool (*go_on)(void *self, int64_t done, int64_t total), void *self)
{
    sqlite3 *to = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(arena_cstr(cx->arena, path), &to, flags, NULL);
    err wrong = code == SQLITE_OK ? db_begin(cx, db, false) : report(cx, NULL, code);
    if (!wrong)
        wrong = db_exec(cx, db, "SELECT count(*) FROM sqlite_master");
    if (!wrong)
        wrong = copy_pages(cx, db, to, go_on, self);
    db_rollback(db);
    if (sqlite3_close(to) != SQLITE_OK && !wrong)
        wrong = report(cx, NULL, SQLITE_IOERR);
    return wrong;
}
