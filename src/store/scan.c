/* SPDX-License-Identifier: Apache-2.0 */
#include "store/version.h"

static err give(struct ctx *cx, struct store *store, struct db_stmt *stmt,
                err (*each)(struct ctx *cx, const struct store_version *version, void *self),
                void *self)
{
    struct version_row row;
    TRY(version_from(cx, store, cx->db, stmt, &row));
    struct store_version *v = &row.version;
    v->body = version_splice(cx->arena, row.body, v->vid, v->at_ms);
    return version_visible(cx, &row.ident, v->body) ? each(cx, v, self) : ERR_OK;
}

err store_scan(struct ctx *cx, struct store *store, int64_t from, int64_t to,
               err (*each)(struct ctx *cx, const struct store_version *version, void *self),
               void *self)
{
    bool borrowed, more = true;
    TRY(store_borrow(cx, store, &borrowed));
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_SCAN);
    db_bind_int(stmt, 1, from);
    db_bind_int(stmt, 2, to);
    err wrong = db_step(cx, stmt, &more);
    while (!wrong && more) {
        struct arena_mark mark = arena_mark(cx->arena);
        wrong = give(cx, store, stmt, each, self);
        if (!wrong) {
            arena_rewind(cx->arena, mark);
            wrong = db_step(cx, stmt, &more);
        }
    }
    if (more)
        db_reset(stmt);
    store_give_back(cx, store, borrowed);
    return wrong;
}

err store_rids_end(struct ctx *cx, struct store *store, uint16_t resource, int64_t *out)
{
    bool borrowed, row = false;
    TRY(store_borrow(cx, store, &borrowed));
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_LAST_RID);
    db_bind_int(stmt, 1, store_rid((uint16_t)(resource + 1), 0));
    err wrong = db_step(cx, stmt, &row);
    if (row) {
        int64_t last = db_int(stmt, 0), first = store_rid(resource, 0);
        *out = last >= first ? last + 1 : first;
        db_reset(stmt);
    }
    store_give_back(cx, store, borrowed);
    return wrong;
}
