/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * db: one small API over the database engine. Everything above speaks in statement sets.
 *
 * Shapes   a statement set is a table of struct stmt, ended by a zero row; a connection prepares a
 *          set once. A statement is run by binding values in order, then stepping rows.
 * Errors   ERR_IO: disk full, read-only, corrupt (the issue says which and what to do); ERR_BUSY: a
 *          lock was not got in time; ERR_CONFLICT: a uniqueness constraint said no.
 * Memory   text and blobs of a row are valid until the next step; copy what must live.
 * Limits   a connection belongs to one thread at a time.
 */
struct stmt {
    const char *name; /* for logs, metrics and the plan test: "free beds of a ward" */
    const char *sql;
    const char *plan; /* what EXPLAIN QUERY PLAN must contain; NULL for writes by primary key */
};
struct db;
struct db_stmt;

struct db_options {
    str path;
    bool create, read_only;
    int64_t cache_bytes, mmap_bytes;
};
err db_open(struct ctx *cx, const struct db_options *options, struct db **out) MUST_USE;
void db_close(struct db *db);

/* The set's statements, prepared on this connection and kept until it closes. */
struct db_stmt *db_use(struct ctx *cx, struct db *db, const struct stmt *set, size_t index);

void db_bind_int(struct db_stmt *stmt, int at, int64_t value); /* at: 1, 2, ... */
void db_bind_real(struct db_stmt *stmt, int at, double value);
void db_bind_text(struct db_stmt *stmt, int at, str text); /* not copied: keep until reset */
void db_bind_blob(struct db_stmt *stmt, int at, str bytes);
void db_bind_null(struct db_stmt *stmt, int at);

/* *row is true while there is a row; resets the statement by itself after the last one. */
err db_step(struct ctx *cx, struct db_stmt *stmt, bool *row) MUST_USE;
err db_run(struct ctx *cx, struct db_stmt *stmt) MUST_USE; /* no rows expected; resets */
void db_reset(struct db_stmt *stmt);                      /* leave a row set early */
int64_t db_changes(struct db *db);                         /* rows changed by the last write */

int64_t db_int(struct db_stmt *stmt, int column); /* columns from 0 */
double db_real(struct db_stmt *stmt, int column);
str db_text(struct db_stmt *stmt, int column);
str db_blob(struct db_stmt *stmt, int column);
bool db_is_null(struct db_stmt *stmt, int column);

err db_exec(struct ctx *cx, struct db *db, const char *sql) MUST_USE; /* schema and pragmas */
err db_begin(struct ctx *cx, struct db *db, bool write) MUST_USE;
err db_commit(struct ctx *cx, struct db *db) MUST_USE;
void db_rollback(struct db *db);
err db_savepoint(struct ctx *cx, struct db *db) MUST_USE; /* one level, named by the layer */
err db_savepoint_keep(struct ctx *cx, struct db *db) MUST_USE;
void db_savepoint_undo(struct db *db);
