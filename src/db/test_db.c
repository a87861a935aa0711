/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE db
#include "base/test.h"
#include "base/clock.h"
#include "db/db.h"
#include "db/test_fault.h"
#include <sqlite3.h>
#include <sys/stat.h>

enum { PUT, GET, ALL, SLOW, WRONG };
static const struct stmt set[] = {
    [PUT] = { "put", "INSERT INTO thing VALUES (?1, ?2, ?3, ?4)", NULL },
    [GET] = { "get", "SELECT name, size, bytes FROM thing WHERE id = ?1", "SEARCH thing USING" },
    [ALL] = { "all", "SELECT id FROM thing ORDER BY id", NULL },
    [SLOW] = { "slow", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                       "SELECT max(i) FROM n", NULL },
    [WRONG] = { "wrong", "SELECT nothing FROM nowhere", NULL },
    { 0 },
};

static struct db *opened(struct ctx *cx, str folder)
{
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/t.db", STR_ARG(folder)),
                                  .create = true, .page_bytes = 8192 };
    struct db *db = NULL;
    cr_assert(db_open(cx, &options, &db) == ERR_OK);
    cr_assert(db_exec(cx, db, "CREATE TABLE IF NOT EXISTS thing (id INTEGER PRIMARY KEY, name TEXT,"
                              " size REAL, bytes BLOB)") == ERR_OK);
    return db;
}

static err put(struct ctx *cx, struct db *db, int64_t id, str name)
{
    struct db_stmt *stmt = db_use(cx, db, set, PUT);
    db_bind_int(stmt, 1, id);
    db_bind_text(stmt, 2, name);
    db_bind_real(stmt, 3, 0.5);
    db_bind_null(stmt, 4);
    return db_run(cx, stmt);
}

static int64_t count_of(struct ctx *cx, struct db *db)
{
    struct db_stmt *stmt = db_use(cx, db, set, ALL);
    int64_t count = 0;
    bool row;
    while (db_step(cx, stmt, &row) == ERR_OK && row)
        count++;
    return count;
}

static bool says(const struct ctx *cx, const char *what)
{
    return cx->issues.kept &&
           str_find(cx->issues.list[cx->issues.kept - 1].text, str_of(what)) != STR_NONE;
}

TEST(db_gives_back_what_was_put)
{
    str folder = test_folder(cx);
    struct db *db = opened(cx, folder);
    EXPECT_INT("put", put(cx, db, 7, S("seven")), ERR_OK);
    struct db_stmt *get = db_use(cx, db, set, GET);
    db_bind_int(get, 1, 7);
    bool row = false;
    EXPECT_INT("step", db_step(cx, get, &row), ERR_OK);
    EXPECT("row", row);
    EXPECT_STR("text", db_text(get, 0), S("seven"));
    EXPECT("real", db_real(get, 1) == 0.5);
    EXPECT("null", db_is_null(get, 2) && !str_given(db_blob(get, 2)));
    EXPECT_INT("end", db_step(cx, get, &row), ERR_OK);
    EXPECT("no more", !row);
    EXPECT_INT("same key", put(cx, db, 7, S("again")), ERR_CONFLICT);
    EXPECT_INT("wrong SQL", db_run(cx, db_use(cx, db, set, WRONG)), ERR_BUG);
    str plan;
    EXPECT_INT("plan", db_plan(cx, db, set[GET].sql, &plan), ERR_OK);
    EXPECT("plan says", str_find(plan, str_of(set[GET].plan)) != STR_NONE);
    db_close(db);
}

static struct db *mapped(struct ctx *cx, str folder, struct db_map *map, bool read_only)
{
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/t.db", STR_ARG(folder)),
                                  .create = !read_only, .read_only = read_only, .map = map,
                                  .page_bytes = 4096, .cache_bytes = 65536 };
    struct db *db = NULL;
    cr_assert(db_open(cx, &options, &db) == ERR_OK);
    return db;
}

/* Puts rows `from` to `to`, each with a page of bytes, and moves them into the file. */
static void grow(struct ctx *cx, struct db *writer, int64_t from, int64_t to)
{
    static const char page[4096] = "bytes";
    int64_t left = 1;
    cr_assert(db_begin(cx, writer, true) == ERR_OK);
    for (int64_t id = from; id < to; id++)
        cr_assert(put(cx, writer, id, (str){ page, sizeof page }) == ERR_OK);
    cr_assert(db_commit(cx, writer) == ERR_OK);
    cr_assert(db_checkpoint(cx, writer, &left) == ERR_OK);
}

/* Every page is read, by what is in it. */
static int64_t whole_of(struct ctx *cx, struct db *db)
{
    int64_t count = 0;
    for (int64_t id = 0; id < 1000; id++) {
        struct db_stmt *get = db_use(cx, db, set, GET);
        bool row;
        db_bind_int(get, 1, id);
        cr_assert(db_step(cx, get, &row) == ERR_OK);
        count += row && db_text(get, 0).n == 4096 && str_starts(db_text(get, 0), S("bytes"));
        db_reset(get);
    }
    return count;
}

/* A map of 64 KiB ends within the file; 1 byte is no map at all. */
TEST(connections_share_a_map_that_grows_and_shrinks_with_the_file)
{
    static const int64_t rooms[] = { (int64_t)1 << 30, 64 << 10, 1 };
    for (size_t i = 0; i < COUNT(rooms); i++) {
        str folder = test_folder(cx);
        struct db_map *map = db_map_make(rooms[i]);
        struct db *writer = mapped(cx, folder, map, false);
        EXPECT_INT("table", db_exec(cx, writer, "CREATE TABLE thing (id INTEGER PRIMARY KEY, name "
                                                "TEXT, size REAL, bytes BLOB)"), ERR_OK);
        grow(cx, writer, 0, 100);
        struct db *one = mapped(cx, folder, map, true), *other = mapped(cx, folder, map, true);
        EXPECT_INT("first", whole_of(cx, one), 100);
        EXPECT_INT("begin", db_begin(cx, other, false), ERR_OK);
        EXPECT_INT("first, by another", whole_of(cx, other), 100);
        grow(cx, writer, 100, 300);
        EXPECT_INT("grown", whole_of(cx, one), 300);
        EXPECT_INT("snapshot", whole_of(cx, other), 100);
        EXPECT_INT("end", db_commit(cx, other), ERR_OK);
        EXPECT_INT("grown, by another", whole_of(cx, other), 300);
        EXPECT_INT("shrunk", db_exec(cx, writer, "DELETE FROM thing WHERE id >= 20; VACUUM"),
                   ERR_OK);
        EXPECT_INT("shrunk, in the log", whole_of(cx, one), 20);
        grow(cx, writer, 20, 30);
        EXPECT_INT("shrunk, in the file", whole_of(cx, other), 30);
        grow(cx, writer, 30, 400);
        EXPECT_INT("grown again", whole_of(cx, one), 400);
        EXPECT_INT("by the writer", whole_of(cx, writer), 400);
        db_close(one);
        db_close(other);
        db_close(writer);
        db_map_free(map);
    }
}

TEST(savepoint_undoes_only_its_own)
{
    str folder = test_folder(cx);
    struct db *db = opened(cx, folder);
    EXPECT_INT("begin", db_begin(cx, db, true), ERR_OK);
    EXPECT_INT("first", put(cx, db, 1, S("kept")), ERR_OK);
    EXPECT_INT("savepoint", db_savepoint(cx, db), ERR_OK);
    EXPECT_INT("second", put(cx, db, 2, S("undone")), ERR_OK);
    EXPECT_INT("undo", db_savepoint_undo(cx, db), ERR_OK);
    EXPECT_INT("commit", db_commit(cx, db), ERR_OK);
    EXPECT_INT("left", count_of(cx, db), 1);
    EXPECT("outside", !db_in_transaction(db));
    db_close(db);
}

TEST(reader_keeps_its_snapshot_while_others_write)
{
    str folder = test_folder(cx);
    struct db *writer = opened(cx, folder), *reader = opened(cx, folder);
    EXPECT_INT("begin", db_begin(cx, reader, false), ERR_OK);
    EXPECT_INT("before", count_of(cx, reader), 0);
    EXPECT_INT("put", put(cx, writer, 1, S("x")), ERR_OK);
    EXPECT("in the log", db_wal_pages(writer) > 0);
    EXPECT_INT("snapshot", count_of(cx, reader), 0);
    EXPECT_INT("end", db_commit(cx, reader), ERR_OK);
    EXPECT_INT("after", count_of(cx, reader), 1);
    int64_t left = 99;
    EXPECT_INT("checkpoint", db_checkpoint(cx, writer, &left), ERR_OK);
    EXPECT_INT("all moved", left, 0);
    db_close(reader);
    db_close(writer);
}

TEST(statement_stops_at_the_deadline)
{
    str folder = test_folder(cx);
    struct db *db = opened(cx, folder);
    cx->deadline_ms = clock_monotonic_ms() + 30;
    bool row;
    EXPECT_INT("stopped", db_step(cx, db_use(cx, db, set, SLOW), &row), ERR_BUSY);
    EXPECT("says so", says(cx, "time limit"));
    cx->deadline_ms = 0;
    EXPECT_INT("usable", put(cx, db, 1, S("x")), ERR_OK);
    db_close(db);
}

TEST(what_cannot_be_opened_says_why)
{
    struct db *db = NULL;
    struct db_options options = { .path = S("/nowhere/at/all.db"), .create = true };
    EXPECT_INT("no folder", db_open(cx, &options, &db), ERR_IO);
    EXPECT("hint", says(cx, "check that the folder exists"));
    str folder = test_folder(cx);
    str path = arena_printf(cx->arena, "%.*s/t.db", STR_ARG(folder));
    FILE *file = fopen(path.p, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    options.path = path;
    EXPECT_INT("not one", db_open(cx, &options, &db), ERR_IO);
    EXPECT("hint", says(cx, "not a Frontline database"));
}

TEST(read_only_connection_refuses_to_write)
{
    str folder = test_folder(cx);
    struct db *db = opened(cx, folder), *reader = NULL;
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/t.db", STR_ARG(folder)),
                                  .read_only = true };
    EXPECT_INT("open", db_open(cx, &options, &reader), ERR_OK);
    EXPECT_INT("refused", put(cx, reader, 1, S("x")), ERR_IO);
    EXPECT("hint", says(cx, "read-only"));
    db_close(reader);
    db_close(db);
}

/* Each kind of fault, at each of its calls: the statement reports it, nothing is half there, and
 * the connection works on. */
TEST(every_fault_of_the_disk_is_reported_and_survived)
{
    static const struct { const char *name; enum fault_kind kind; int code; err expected; } rows[] = {
        { "disk full", FAULT_WRITE, SQLITE_FULL, ERR_IO },
        { "write fails", FAULT_WRITE, SQLITE_IOERR_WRITE, ERR_IO },
        { "sync fails", FAULT_SYNC, SQLITE_IOERR_FSYNC, ERR_IO },
        { "no memory", FAULT_MEMORY, SQLITE_NOMEM, ERR_BUSY },
    };
    fault_install();
    str folder = test_folder(cx);
    struct db *db = opened(cx, folder);
    int64_t kept = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int64_t at = 0; at < 12; at++) {
            fault_arm(rows[i].kind, at, rows[i].code, 0);
            err begun = db_begin(cx, db, true), done = begun;
            if (!begun)
                done = put(cx, db, 1000 * (int64_t)i + at, S("x"));
            if (!begun && !done)
                done = db_commit(cx, db);
            db_rollback(db);
            EXPECT(rows[i].name, done == ERR_OK || done == rows[i].expected);
            kept += done == ERR_OK;
            fault_disarm();
            EXPECT_INT(rows[i].name, count_of(cx, db), kept);
        }
    EXPECT_INT("works on", put(cx, db, 99999, S("x")), ERR_OK);
    db_close(db);
}
