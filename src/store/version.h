/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/state.h"

/*
 * version: a row of the log as the store's own files see it, before the access filter. Private.
 */
struct version_row {
    struct ident_row ident;
    struct store_version version; /* body not filled: splice it */
    struct store_body body;
    int64_t at;    /* of the current version */
    bool closed;   /* hidden by whose it is or by its newest labels: its body was not read */
};
str version_splice(struct arena *arena, struct store_body body, int64_t vid, int64_t at_ms);
/* From a row of a statement that gives IDENT and VERSION. What cx's filter hides is found out from
 * the row and the index, before the body: a hidden one costs the same, however large it is. */
err version_from(struct ctx *cx, struct store *store, struct db *db, struct db_stmt *stmt,
                 struct version_row *out) MUST_USE;
uint16_t version_type(struct db_stmt *stmt); /* of the row, unread */
int64_t version_seq(struct db_stmt *stmt);
/* The current version on cx's connection; ident.rid 0: never mentioned, version.vid 0: only that.
 * */
err version_current(struct ctx *cx, struct store *store, uint16_t resource, str id,
                    struct version_row *out) MUST_USE;
/* Whether cx's access filter lets this version be seen. body as served or stored; empty for a
 * deletion. What cannot be told is hidden. */
bool version_visible(struct ctx *cx, struct store *store, const struct version_row *row, str body);
/* The same for who writes: the type is the writer's own affair (commit_part.ask). */
bool version_reachable(struct ctx *cx, struct store *store, const struct version_row *row);
/* Is the current version of this rid there and visible? False when that cannot be told. */
bool version_rid_visible(struct ctx *cx, struct store *store, int64_t rid);
