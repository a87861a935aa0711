/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "fhir/def.h"
#include "view/view_table_sql.h"

enum { PAGE = 500, MEMORY = 1 << 30 };

/* One rebuild: its own write connection, so that it works beside a server too. */
struct rebuild {
    struct ctx *cx;             /* emptied after each page */
    struct kept_place place;
    const struct view_rebuild *how;
    int64_t seq;                /* the log is in the new table up to here */
    int64_t done, total;
};

static err apply(struct rebuild *r, const struct store_version *version, bool known)
{
    struct kept_rows kept = { 0 };
    struct json body;
    r->place.rid = version->rid;
    r->place.pid = version->pid;
    if (known)
        TRY(view_table_cut(r->cx, &r->place, 0));
    if (version->method == STORE_DELETED)
        return ERR_OK;
    TRY(json_parse(r->cx, version->body, &body));
    TRY(view_table_rows(r->cx, r->place.kept, body, &kept));
    for (size_t i = 0; i < kept.rows.rows_count; i++)
        TRY(view_table_put(r->cx, &r->place, i, &kept.rows));
    if (!str_given(kept.fault))
        return ERR_OK;
    struct db_stmt *stmt = db_use(r->cx, r->place.db, view_own_sql, VIEW_FAULT_PUT);
    db_bind_text(stmt, 1, r->place.kept->name);
    db_bind_int(stmt, 2, version->rid);
    db_bind_text(stmt, 3, kept.fault);
    return db_run(r->cx, stmt);
}

/* A server that waits for the write lock looks again only now and then: it is let in. */
static err end_page(struct rebuild *r, err error)
{
    static const struct timespec pause = { .tv_nsec = 2000000 };
    if (!error)
        error = db_commit(r->cx, r->place.db);
    if (error)
        db_rollback(r->place.db);
    nanosleep(&pause, NULL);
    return error;
}

static err apply_page(struct rebuild *r, const struct store_versions *page)
{
    err error = db_begin(r->cx, r->place.db, true);
    for (size_t i = 0; i < page->count && !error; i++)
        error = apply(r, &page->list[i], false);
    return end_page(r, error);
}

static err last_seq(struct rebuild *r, int64_t *out)
{
    struct store_history query = { .resource = FHIR_NONE, .count = 1 };
    struct store_versions newest;
    TRY(store_history(r->cx, r->how->store, &query, &newest));
    *out = newest.count ? newest.list[0].seq : 0;
    return ERR_OK;
}

static err fill(struct rebuild *r)
{
    struct store_scan scan = { .resource = r->place.kept->resource, .count = PAGE };
    struct store_versions page = { .more = true };
    struct arena_mark mark = arena_mark(r->cx->arena);
    while (page.more) {
        TRY(store_scan(r->cx, r->how->store, &scan, &page));
        TRY(apply_page(r, &page));
        if (page.count)
            scan.after_rid = page.list[page.count - 1].rid;
        r->done += (int64_t)page.count;
        if (r->how->progress)
            r->how->progress(r->how->self, r->place.kept->name, r->done, r->total);
        page.more = page.count == PAGE;
        arena_rewind(r->cx->arena, mark);
    }
    return ERR_OK;
}

/* The log from r->seq on; *more when there may be further pages. */
static err catch_up_page(struct rebuild *r, bool *more)
{
    struct store_versions page;
    TRY(store_log(r->cx, r->how->store, r->seq, PAGE, &page));
    for (size_t i = 0; i < page.count; i++) {
        if (page.list[i].resource == r->place.kept->resource)
            TRY(apply(r, &page.list[i], true));
        r->seq = page.list[i].seq;
    }
    *more = page.count == PAGE;
    return ERR_OK;
}

static err catch_up(struct rebuild *r)
{
    struct arena_mark mark = arena_mark(r->cx->arena);
    for (bool more = true; more;) {
        TRY(db_begin(r->cx, r->place.db, true));
        TRY(end_page(r, catch_up_page(r, &more)));
        arena_rewind(r->cx->arena, mark);
    }
    return ERR_OK;
}

static err exec_on(struct rebuild *r, const char *before, const char *after)
{
    return db_exec(r->cx, r->place.db,
                   arena_printf(r->cx->arena, "%s\"view_%.*s%s", before,
                                STR_ARG(r->place.kept->name), after).p);
}

/* The last of the log and the exchange, while nobody else can write. */
static err exchange(struct rebuild *r)
{
    struct ctx *cx = r->cx;
    str name = r->place.kept->name;
    for (bool more = true; more;)
        TRY(catch_up_page(r, &more));
    TRY(exec_on(r, "DROP TABLE IF EXISTS ", "\""));
    TRY(db_exec(cx, r->place.db,
                arena_printf(cx->arena, "ALTER TABLE \"view_%.*s__new\" RENAME TO \"view_%.*s\"",
                             STR_ARG(name), STR_ARG(name)).p));
    struct db_stmt *stmt = db_use(cx, r->place.db, view_own_sql, VIEW_META_PUT);
    db_bind_text(stmt, 1, name);
    db_bind_text(stmt, 2, r->place.kept->hash);
    return db_run(cx, stmt);
}

static err start(struct rebuild *r)
{
    struct ctx *cx = r->cx;
    TRY(db_exec(cx, r->place.db, view_schema));
    TRY(exec_on(r, "DROP TABLE IF EXISTS ", "__new\""));
    TRY(db_exec(cx, r->place.db, r->place.kept->create_new));
    struct db_stmt *stmt = db_use(cx, r->place.db, view_own_sql, VIEW_FAULT_CLEAR);
    db_bind_text(stmt, 1, r->place.kept->name);
    TRY(db_run(cx, stmt));
    int64_t *counts = arena_array(cx->arena, fhir_resources_count, sizeof *counts);
    TRY(store_counts(cx, r->how->store, counts));
    r->total = counts[r->place.kept->resource];
    return last_seq(r, &r->seq);
}

static err run(struct rebuild *r)
{
    TRY(start(r));
    int64_t mark = clock_now_ms(); /* two rebuilds of a view take longer than that */
    TRY(fill(r));
    TRY(view_table_make_indexes(r->cx, r->place.db, r->place.kept, mark));
    TRY(catch_up(r));
    TRY(db_begin(r->cx, r->place.db, true));
    return end_page(r, exchange(r));
}

err view_tables_rebuild(struct ctx *cx, const struct view_tables *tables, size_t index,
                        const struct view_rebuild *how)
{
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/record.db",
                                                       STR_ARG(how->folder)) };
    struct arena memory = arena_make(MEMORY);
    struct ctx inner = ctx_make(&memory);
    struct rebuild r = { .cx = &inner, .how = how,
                         .place = { NULL, tables, &tables->list[index], true, 0, 0 } };
    inner.now_ms = cx->now_ms;
    err error = db_open(cx, &options, &r.place.db);
    if (!error) {
        error = run(&r);
        db_close(r.place.db);
    }
    for (size_t i = 0; i < inner.issues.kept; i++)
        issues_add(&cx->issues, inner.issues.list[i].kind, (str){ 0 },
                   arena_copy(cx->arena, inner.issues.list[i].text));
    ctx_release(&inner);
    arena_free(&memory);
    return error;
}
