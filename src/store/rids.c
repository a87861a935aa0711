/* SPDX-License-Identifier: Apache-2.0 */
#include "store/version.h"

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
