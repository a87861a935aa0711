/* SPDX-License-Identifier: Apache-2.0 */
#include "store/snapshot.h"
#include "store/compile.h"
#include <stdlib.h>

enum { SEQ_LAST, CHANGED, WAS, ID_OF };
/* clang-format off */
static const struct stmt snapshot_sql[] = {
    [SEQ_LAST] = { "end of the log, for a page", "SELECT max(seq) FROM version", "SEARCH version" },
    [CHANGED] = { "resources changed since",
        "SELECT rid FROM version WHERE rid >> 36 = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        "SEARCH version USING INDEX version_by_type (<expr>=? AND seq>?)" },
    [WAS] = { "version current then",
        "SELECT vid, seq, method FROM version WHERE rid = ?1 AND seq <= ?2 "
        "ORDER BY vid DESC LIMIT 1",
        "SEARCH version USING INDEX version_by_rid (rid=?)" },
    [ID_OF] = { "id of a changed resource", "SELECT id FROM ident WHERE rid = ?1",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid=?)" },
    { 0 },
};
/* clang-format on */

err snapshot_last(struct ctx *cx, int64_t *seq)
{
    struct db_stmt *stmt = db_use(cx, cx->db, snapshot_sql, SEQ_LAST);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *seq = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

static err changed_rids(struct ctx *cx, uint16_t resource, int64_t seq, struct hits *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, snapshot_sql, CHANGED);
    db_bind_int(stmt, 1, resource);
    db_bind_int(stmt, 2, seq);
    db_bind_int(stmt, 3, SNAPSHOT_MOST + 1);
    for (bool row = true; row;) {
        TRY(db_step(cx, stmt, &row));
        if (row)
            hits_add(cx, out, (struct hit){ .rid = db_int(stmt, 0) });
    }
    hits_sort(out, ORDER_RID);
    return ERR_OK;
}

/* vid 0: it did not exist then. */
static err version_then(struct ctx *cx, int64_t rid, int64_t seq, int64_t *vid, int64_t *was_seq)
{
    struct db_stmt *stmt = db_use(cx, cx->db, snapshot_sql, WAS);
    bool row;
    db_bind_int(stmt, 1, rid);
    db_bind_int(stmt, 2, seq);
    TRY(db_step(cx, stmt, &row));
    bool there = row && db_int(stmt, 2) != STORE_DELETED;
    *vid = there ? db_int(stmt, 0) : 0;
    *was_seq = there ? db_int(stmt, 1) : 0;
    db_reset(stmt);
    return ERR_OK;
}

static err rows_then(struct ctx *cx, struct store *store, int64_t rid, int64_t vid,
                     struct index_rows *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, snapshot_sql, ID_OF);
    struct store_version version;
    struct json body;
    bool row;
    db_bind_int(stmt, 1, rid);
    TRY(db_step(cx, stmt, &row));
    str id = row ? arena_copy(cx->arena, db_text(stmt, 0)) : S("");
    db_reset(stmt);
    TRY(store_vread(cx, store, store_rid_resource(rid), id, vid, &version));
    TRY(json_parse(cx, version.body, &body));
    return index_extract(cx, store_layout(store), store_rid_resource(rid), body, out);
}

err snapshot_since(struct ctx *cx, struct store *store, uint16_t resource, int64_t seq,
                   struct snapshot *out)
{
    struct hits changed = { 0 };
    *out = (struct snapshot){ 0 };
    TRY(changed_rids(cx, resource, seq, &changed));
    if (changed.count > SNAPSHOT_MOST)
        return ERR_OK;
    out->list = arena_array(cx->arena, changed.count, sizeof *out->list);
    out->born = arena_array(cx->arena, changed.count, sizeof *out->born);
    for (size_t i = 0; i < changed.count; i++) {
        struct snapshot_was was = { .rid = changed.list[i].rid };
        int64_t vid;
        size_t issues = cx->issues.count;
        TRY(version_then(cx, was.rid, seq, &vid, &was.seq));
        if (!vid) {
            out->born[out->born_count++] = was.rid;
            continue;
        }
        if (rows_then(cx, store, was.rid, vid, &was.rows) != ERR_OK) { /* not to be seen */
            cx->issues.count = cx->issues.kept = issues;
            continue;
        }
        out->list[out->count++] = was;
    }
    return ERR_OK;
}

const struct snapshot_was *snapshot_find(const struct snapshot *snapshot, int64_t rid)
{
    size_t low = 0, high = snapshot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->list[middle].rid < rid)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < snapshot->count && snapshot->list[low].rid == rid;
    return found ? &snapshot->list[low] : NULL;
}

bool snapshot_born(const struct snapshot *snapshot, int64_t rid)
{
    for (size_t i = 0; i < snapshot->born_count; i++)
        if (snapshot->born[i] == rid)
            return true;
    return false;
}
