/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * db: one small API over the database engine. Everything above speaks in statement sets.
 *
 * Shapes   a statement set is a table of struct stmt, ended by a zero row; a connection prepares a
 *          statement at its first use and keeps it. A statement is run by binding values in order,
 *          then stepping rows. cx's deadline ends a step that runs past it.
 * Errors   ERR_IO: disk full, read-only, corrupt (the issue says which and what to do); ERR_BUSY: a
 *          lock was not got in time, or the deadline passed; ERR_CONFLICT: a uniqueness constraint
 *          said no; ERR_LIMIT: a value larger than the engine takes; ERR_BUG: wrong SQL.
 * Memory   text and blobs of a row are valid until the next step; copy what must live.
 * Limits   a connection belongs to one thread at a time; DB_SETS_MAX sets a connection.
 */
struct stmt {
    const char *name; /* for logs, metrics and the plan test: "free beds of a ward" */
    const char *sql;
    const char *plan; /* what EXPLAIN QUERY PLAN must contain; NULL for writes by primary key */
};
struct db;
struct db_stmt;
struct db_map;
enum { DB_SETS_MAX = 96, DB_BUSY_MS = 5000 };

struct db_options {
    str path;
    bool create, read_only;
    struct db_map *map;  /* the file as memory, shared by its connections; NULL: by reading */
    int64_t cache_bytes;
    int64_t page_bytes; /* of a file being created; 0: the engine's own */
};
/* Room for a file of up to `most` bytes, made at the first db_open; address space, not memory.
 * NULL: out of memory. Freed after the last connection was closed. */
struct db_map *db_map_make(int64_t most);
void db_map_free(struct db_map *map);
err db_open(struct ctx *cx, const struct db_options *options, struct db **out) MUST_USE;
void db_close(struct db *db);

/* The set's statement, prepared on this connection and kept until it closes. Never NULL: a
 * statement that cannot be prepared reports why when it is stepped. */
struct db_stmt *db_use(struct ctx *cx, struct db *db, const struct stmt *set, size_t index);

void db_bind_int(struct db_stmt *stmt, int at, int64_t value); /* at: 1, 2, ... */
void db_bind_real(struct db_stmt *stmt, int at, double value);
void db_bind_text(struct db_stmt *stmt, int at, str text); /* not copied: keep until reset */
void db_bind_blob(struct db_stmt *stmt, int at, str bytes);
void db_bind_null(struct db_stmt *stmt, int at);

/* *row is true while there is a row; resets the statement by itself after the last one. */
err db_step(struct ctx *cx, struct db_stmt *stmt, bool *row) MUST_USE;
err db_run(struct ctx *cx, struct db_stmt *stmt) MUST_USE; /* no rows expected; resets */
void db_reset(struct db_stmt *stmt);                       /* leave a row set early */
int64_t db_changes(struct db *db);                         /* rows changed by the last write */

int64_t db_int(struct db_stmt *stmt, int column); /* columns from 0 */
double db_real(struct db_stmt *stmt, int column);
str db_text(struct db_stmt *stmt, int column);
str db_blob(struct db_stmt *stmt, int column);
bool db_is_null(struct db_stmt *stmt, int column);

err db_exec(struct ctx *cx, struct db *db, const char *sql) MUST_USE; /* schema and pragmas */
err db_begin(struct ctx *cx, struct db *db, bool write) MUST_USE;
err db_commit(struct ctx *cx, struct db *db) MUST_USE; /* on error nothing was committed */
/* Ends any transaction and any statement left in the middle; harmless when there is none. */
void db_rollback(struct db *db);
err db_savepoint(struct ctx *cx, struct db *db) MUST_USE; /* one level, named by the layer */
err db_savepoint_keep(struct ctx *cx, struct db *db) MUST_USE;
err db_savepoint_undo(struct ctx *cx, struct db *db) MUST_USE;
bool db_in_transaction(struct db *db);

/* The write-ahead log: its pages after this connection's last commit, and moving them into the
 * database file without waiting for anybody. *left counts pages that could not be moved yet. */
int64_t db_wal_pages(struct db *db);
err db_checkpoint(struct ctx *cx, struct db *db, int64_t *left) MUST_USE;

/* Copies the database as of one instant into a new file, beside whoever writes to it. `go_on` is
 * asked now and then, with pages done and in all; false: ERR_BUSY. May be NULL. */
err db_copy(struct ctx *cx, struct db *db, str path,
            bool (*go_on)(void *self, int64_t done, int64_t total), void *self) MUST_USE;

/* What EXPLAIN QUERY PLAN says of a statement, a line a step; for tests. */
err db_plan(struct ctx *cx, struct db *db, const char *sql, str *out) MUST_USE;
