/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "view/view_table.h"

/* view_table_sql: the statements of kept views, made from their definitions. For view_table*.c. */
enum view_stmt { VIEW_PUT, VIEW_CUT, VIEW_NEW_PUT, VIEW_NEW_CUT, VIEW_MATCH, VIEW_COUNT,
                 VIEW_STMTS };
enum view_own { VIEW_META_GET, VIEW_META_PUT, VIEW_META_ALL, VIEW_META_DROP, VIEW_FAULT_PUT,
                VIEW_FAULT_DROP, VIEW_FAULT_CLEAR, VIEW_EXISTS, VIEW_OWN_COUNT };
extern const struct stmt view_own_sql[];
extern const char view_schema[];

struct kept {
    str name, hash;             /* "beds_stays"; of its definition and of how tables are made */
    const struct view *view;
    uint16_t resource;          /* position in fhir_resources */
    const char *create_new;     /* the table under its name while it is being filled */
    str indexes[VIEW_INDEXES_MAX]; /* column lists */
    size_t indexes_count;
};
struct view_tables {
    struct kept *list;
    size_t count;
    struct stmt *sql;           /* VIEW_STMTS a view */
    struct commit_part part;
};
/* Fills create_new and the view's statements. */
err view_table_write_sql(struct ctx *cx, struct view_tables *tables, size_t index) MUST_USE;
/* CREATE INDEX for all, on the new table; `mark` keeps the names apart from the old table's. */
err view_table_make_indexes(struct ctx *cx, struct db *db, const struct kept *kept,
                            int64_t mark) MUST_USE;

/* The rows of a resource; a fault of the view gives none, and its text. */
struct kept_rows {
    struct view_rows rows;
    str fault;
};
err view_table_rows(struct ctx *cx, const struct kept *kept, struct json body,
                    struct kept_rows *out) MUST_USE;
/* Where rows go: the table, or the new one being filled. */
struct kept_place {
    struct db *db;
    const struct view_tables *tables;
    const struct kept *kept;
    bool fresh;
    int64_t rid, pid;
};
err view_table_put(struct ctx *cx, const struct kept_place *place, size_t at,
                   const struct view_rows *rows) MUST_USE;
/* Whether the row stands there as the view gives it. */
err view_table_match(struct ctx *cx, const struct kept_place *place, size_t at,
                     const struct view_rows *rows, bool *out) MUST_USE;
/* Drops the rows from `from` on. */
err view_table_cut(struct ctx *cx, const struct kept_place *place, size_t from) MUST_USE;
