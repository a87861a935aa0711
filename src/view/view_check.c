/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/def.h"
#include "view/view_table_sql.h"

enum { PAGE = 500 };

struct checking {
    struct kept_place place;
    void (*fault)(void *self, str text);
    void *self;
    int64_t rows;
};

static err check_resource(struct ctx *cx, struct checking *c, const struct store_version *version)
{
    struct kept_rows expected;
    struct json body;
    c->place.rid = version->rid;
    c->place.pid = version->pid;
    TRY(json_parse(cx, version->body, &body));
    TRY(view_table_rows(cx, c->place.kept, body, &expected));
    c->rows += (int64_t)expected.rows.rows_count;
    for (size_t i = 0; i < expected.rows.rows_count; i++) {
        bool there;
        TRY(view_table_match(cx, &c->place, i, &expected.rows, &there));
        if (!there)
            c->fault(c->self, arena_printf(cx->arena,
                                           "view_%.*s: row %zu of %.*s/%.*s is not as it must be",
                                           STR_ARG(c->place.kept->name), i,
                                           STR_ARG(fhir_resource_name(version->resource)),
                                           STR_ARG(version->id)));
    }
    return ERR_OK;
}

static err check_count(struct ctx *cx, struct checking *c, size_t index)
{
    bool row;
    struct db_stmt *stmt = db_use(cx, c->place.db, c->place.tables->sql,
                                  index * VIEW_STMTS + VIEW_COUNT);
    TRY(db_step(cx, stmt, &row));
    int64_t stored = row ? db_int(stmt, 0) : 0;
    if (row)
        db_reset(stmt);
    if (stored != c->rows)
        c->fault(c->self, arena_printf(cx->arena, "view_%.*s has %lld rows, the bodies yield %lld",
                                       STR_ARG(c->place.kept->name), (long long)stored,
                                       (long long)c->rows));
    return ERR_OK;
}

/* A table not made yet is made at the next start: no fault. */
static err exists(struct ctx *cx, const struct kept *kept, bool *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, view_own_sql, VIEW_EXISTS);
    db_bind_text(stmt, 1, kept->name);
    TRY(db_step(cx, stmt, out));
    if (*out)
        db_reset(stmt);
    return ERR_OK;
}

static err check_one(struct ctx *cx, struct checking *c, struct store *store, size_t index)
{
    struct store_scan scan = { .resource = c->place.kept->resource, .count = PAGE };
    struct store_versions page = { .more = true };
    while (page.more) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(store_scan(cx, store, &scan, &page));
        for (size_t i = 0; i < page.count; i++)
            TRY(check_resource(cx, c, &page.list[i]));
        if (page.count)
            scan.after_rid = page.list[page.count - 1].rid;
        page.more = page.count == PAGE;
        arena_rewind(cx->arena, mark);
    }
    return check_count(cx, c, index);
}

err view_tables_check(struct ctx *cx, const struct view_tables *tables, struct store *store,
                      void (*fault)(void *self, str text), void *self)
{
    TRY(store_reader(cx, store)); /* one snapshot for bodies and tables */
    for (size_t i = 0; i < tables->count; i++) {
        bool there;
        TRY(exists(cx, &tables->list[i], &there));
        if (!there)
            continue;
        struct checking c = { .place = { cx->db, tables, &tables->list[i], false, 0, 0 },
                              .fault = fault, .self = self };
        TRY(check_one(cx, &c, store, i));
    }
    return ERR_OK;
}
