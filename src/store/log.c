/* SPDX-License-Identifier: Apache-2.0 */
#include "store/version.h"

/* The lowest seq whose at_ms is not below `at_ms`: at_ms never falls as seq grows. */
static err first_seq_at(struct ctx *cx, struct store *store, int64_t at_ms, int64_t *out)
{
    int64_t low = 1, high = store_seq(store) + 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_SEQ_AT);
        db_bind_int(stmt, 1, middle);
        bool row;
        TRY(db_step(cx, stmt, &row));
        bool below = row && db_int(stmt, 0) < at_ms;
        db_reset(stmt);
        low = below ? middle + 1 : low;
        high = below ? high : middle;
    }
    *out = low;
    return ERR_OK;
}

struct walk {
    enum store_sql page, count;
    int64_t key; /* rid or resource */
    bool any;
    int64_t least_seq;
};

static void bind_key(struct db_stmt *stmt, const struct walk *walk)
{
    if (walk->any)
        db_bind_null(stmt, 1);
    else
        db_bind_int(stmt, 1, walk->key);
}

/* _at: what was current at the instant or later: also the newest version before it of each. A
 * version is left out when a later one of the same resource is not after `at_ms`. */
static err superseded(struct ctx *cx, const struct version_row *row, int64_t at_ms, bool *out)
{
    static const struct stmt sql[] = {
        { "next version's instant", "SELECT at_ms FROM version WHERE rid = ?1 AND vid = ?2",
          "SEARCH version USING INDEX version_by_rid" },
        { 0 },
    };
    *out = false;
    if (!at_ms || row->version.at_ms >= at_ms)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, cx->db, sql, 0);
    db_bind_int(stmt, 1, row->ident.rid);
    db_bind_int(stmt, 2, row->version.vid + 1);
    bool next;
    TRY(db_step(cx, stmt, &next));
    *out = next && db_int(stmt, 0) <= at_ms;
    db_reset(stmt);
    return ERR_OK;
}

static err add_visible(struct ctx *cx, struct store *store, struct db_stmt *stmt, int64_t at_ms,
                       struct store_versions *out, size_t *cap)
{
    struct version_row row;
    bool old;
    TRY(version_from(cx, store, cx->db, stmt, &row));
    TRY(superseded(cx, &row, at_ms, &old));
    struct store_version *v = &row.version;
    if (v->method != STORE_DELETED && !row.closed)
        v->body = version_splice(cx->arena, row.body, v->vid, v->at_ms);
    if (old || !version_visible(cx, store, &row, v->body))
        return ERR_OK;
    out->list = arena_grow(cx->arena, out->list, out->count, cap, sizeof *out->list);
    out->list[out->count++] = *v;
    return ERR_OK;
}

/* One more than asked for tells whether there is more. */
static err gather(struct ctx *cx, struct store *store, struct db_stmt *stmt, size_t count,
                  int64_t at_ms, struct store_versions *out)
{
    size_t cap = 0;
    *out = (struct store_versions){ 0 };
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        err wrong = add_visible(cx, store, stmt, at_ms, out, &cap);
        if (wrong || out->count > count) {
            db_reset(stmt);
            TRY(wrong);
            break;
        }
    }
    out->more = out->count > count;
    out->count -= out->more;
    return ERR_OK;
}

/* Counting what may be seen means looking at each when a filter or _at applies. */
static err total_of(struct ctx *cx, struct store *store, const struct walk *walk, int64_t at_ms,
                    int64_t *out)
{
    bool counted = !cx->access && !at_ms;
    if (counted && walk->count == SQL_COUNT_TYPE && walk->least_seq <= 1) {
        *out = atomic_load(&store->versions[walk->key]);
        return ERR_OK;
    }
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, counted ? walk->count : walk->page);
    bind_key(stmt, walk);
    db_bind_int(stmt, 2, counted ? walk->least_seq : INT64_MAX);
    if (counted) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        *out = row ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return ERR_OK;
    }
    db_bind_int(stmt, 3, walk->least_seq);
    db_bind_int(stmt, 4, -1);
    struct arena_mark mark = arena_mark(cx->arena);
    struct store_versions all;
    TRY(gather(cx, store, stmt, SIZE_MAX - 1, at_ms, &all));
    *out = (int64_t)all.count;
    arena_rewind(cx->arena, mark);
    return ERR_OK;
}

static err find_walk(struct ctx *cx, struct store *store, const struct store_history *query,
                     struct walk *out)
{
    *out = (struct walk){ SQL_HISTORY_ALL, SQL_COUNT_ALL, 0, true, 1 };
    if (query->resource == FHIR_NONE)
        return ERR_OK;
    *out = (struct walk){ SQL_HISTORY_TYPE, SQL_COUNT_TYPE, query->resource, false, 1 };
    if (!str_given(query->id))
        return ERR_OK;
    struct version_row row;
    TRY(version_current(cx, store, query->resource, query->id, &row));
    if (!row.ident.rid || !row.ident.vid || !version_visible(cx, store, &row, row.body.text)) {
        access_miss(cx->access);
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no %.*s with id %.*s",
                         STR_ARG(fhir_resource_name(query->resource)), STR_ARG(query->id));
    }
    *out = (struct walk){ SQL_HISTORY_RID, SQL_COUNT_RID, row.ident.rid, false, 1 };
    return ERR_OK;
}

static err history(struct ctx *cx, struct store *store, const struct store_history *query,
                   struct store_versions *out)
{
    struct walk walk;
    int64_t total;
    TRY(find_walk(cx, store, query, &walk));
    if (query->since_ms)
        TRY(first_seq_at(cx, store, query->since_ms, &walk.least_seq));
    TRY(total_of(cx, store, &walk, query->at_ms, &total));
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, walk.page);
    bind_key(stmt, &walk);
    db_bind_int(stmt, 2, query->before_seq ? query->before_seq : INT64_MAX);
    db_bind_int(stmt, 3, walk.least_seq);
    db_bind_int(stmt, 4, -1);
    TRY(gather(cx, store, stmt, query->count, query->at_ms, out));
    for (size_t i = 0; i < out->count; i++)
        access_see(cx->access, out->list[i].pid);
    out->total = total;
    return ERR_OK;
}

err store_history(struct ctx *cx, struct store *store, const struct store_history *query,
                  struct store_versions *out)
{
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    err wrong = history(cx, store, query, out);
    store_give_back(cx, store, borrowed);
    return wrong;
}

err store_log(struct ctx *cx, struct store *store, int64_t after, size_t count,
              struct store_versions *out)
{
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_LOG);
    db_bind_int(stmt, 1, after);
    db_bind_int(stmt, 2, -1);
    err wrong = gather(cx, store, stmt, count, 0, out);
    store_give_back(cx, store, borrowed);
    return wrong;
}

enum { PASSED_OVER_MAX = 5000 }; /* in one go */

static err follow(struct ctx *cx, struct store *store, struct store_following *f,
                  struct store_versions *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_LOG);
    size_t cap = 0;
    bool row = true;
    *out = (struct store_versions){ 0 };
    f->reached = f->after;
    db_bind_int(stmt, 1, f->after);
    db_bind_int(stmt, 2, (int64_t)f->count + PASSED_OVER_MAX);
    while (out->count < f->count) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        err wrong = f->wanted[version_type(stmt)]
                        ? add_visible(cx, store, stmt, 0, out, &cap) : ERR_OK;
        f->reached = version_seq(stmt);
        if (wrong) {
            db_reset(stmt);
            return wrong;
        }
    }
    db_reset(stmt);
    return ERR_OK;
}

err store_follow(struct ctx *cx, struct store *store, struct store_following *following,
                 struct store_versions *out)
{
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    err wrong = follow(cx, store, following, out);
    store_give_back(cx, store, borrowed);
    return wrong;
}

static err scan(struct ctx *cx, struct store *store, const struct store_scan *scan,
                struct store_versions *out)
{
    int64_t least_seq = 1, last = store_rid((uint16_t)(scan->resource + 1), 0) - 1;
    int64_t first = store_rid(scan->resource, 0);
    if (scan->since_ms)
        TRY(first_seq_at(cx, store, scan->since_ms, &least_seq));
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_SCAN);
    db_bind_int(stmt, 1, scan->after_rid > first ? scan->after_rid : first);
    db_bind_int(stmt, 2, scan->last_rid ? scan->last_rid : last);
    db_bind_int(stmt, 3, least_seq);
    return gather(cx, store, stmt, scan->count, 0, out);
}

err store_scan(struct ctx *cx, struct store *store, const struct store_scan *query,
               struct store_versions *out)
{
    bool borrowed;
    *out = (struct store_versions){ 0 };
    if (!access_type(cx->access, query->resource))
        return ERR_OK;
    TRY(store_borrow(cx, store, &borrowed));
    err wrong = scan(cx, store, query, out);
    store_give_back(cx, store, borrowed);
    return wrong;
}

int64_t store_seq(struct store *store)
{
    return atomic_load(&store->seq);
}

err store_counts(struct ctx *cx, struct store *store, int64_t *counts)
{
    (void)cx;
    for (uint16_t i = 0; i < fhir_resources_count; i++)
        counts[i] = access_type(cx->access, i) ? atomic_load(&store->live[i]) : 0;
    return ERR_OK;
}
