/* SPDX-License-Identifier: Apache-2.0 */
#include "store/check_work.h"
#include "store/layout.h"

/*
 * The index the bodies yield is built anew in a database of its own, by the same extraction and the
 * same writing, and both are then walked side by side in key order: one pass, whatever their size.
 */
enum { GROUP = 500 };

/* --- the index as it should be --- */

struct expected {
    struct check_work *w;
    struct db *db;
    struct index_interner in; /* looks up, never mints */
    bool *unfinished;         /* by slot: own parameters still being indexed, or taken out */
};

static err find_number(struct ctx *cx, struct db_stmt *stmt, int64_t *out)
{
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = row ? db_int(stmt, 0) : -1; /* no row has this number: it shows as missing */
    db_reset(stmt);
    return ERR_OK;
}

static str or_empty(str text)
{
    return text.p ? text : S("");
}

static err look_up_code(struct ctx *cx, const struct index_interner *in, str system, str code,
                        int64_t *cid)
{
    (void)in;
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_CODE_FIND);
    db_bind_text(stmt, 1, or_empty(code));
    db_bind_text(stmt, 2, or_empty(system));
    return find_number(cx, stmt, cid);
}

static err look_up_ident(struct ctx *cx, const struct index_interner *in, uint16_t resource,
                         str id, int64_t *rid)
{
    (void)in;
    struct ident_row row;
    TRY(ident_find(cx, cx->db, resource, id, &row));
    *rid = row.rid ? row.rid : -1;
    return ERR_OK;
}

static err look_up_unit(struct ctx *cx, const struct index_interner *in, str system, str code,
                        str human, int64_t *uid)
{
    (void)in;
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_UNIT_FIND);
    db_bind_text(stmt, 1, or_empty(system));
    db_bind_text(stmt, 2, or_empty(code));
    db_bind_text(stmt, 3, or_empty(human));
    return find_number(cx, stmt, uid);
}

static err rows_of(struct ctx *cx, struct expected *e, const struct store_version *v,
                   struct index_rows **out)
{
    static uint16_t patient = FHIR_NONE;
    struct index_rows *rows = arena_zero(cx->arena, sizeof *rows);
    struct json body;
    struct store_body stored; /* as the writer saw it: without versionId and lastUpdated */
    TRY(json_parse(cx, v->body, &body));
    TRY(body_write(cx, body, v->id, NULL, &stored));
    TRY(json_parse(cx, stored.text, &body));
    TRY(index_extract(cx, e->w->store->layout, v->resource, body, rows));
    TRY(words_of(cx, body, &rows->words));
    TRY(index_resolve(cx, &e->in, rows));
    rows->rid = rows->pid = v->rid;
    if (patient == FHIR_NONE)
        patient = fhir_resource_find(S("Patient"));
    if (rows->patient.n)
        TRY(look_up_ident(cx, &e->in, patient, rows->patient, &rows->pid));
    if (rows->pid != v->pid)
        check_fault(e->w, "%.*s/%.*s is filed under patient rid %lld, but belongs to rid %lld",
                    STR_ARG(fhir_resource_name(v->resource)), STR_ARG(v->id), (long long)v->pid,
                    (long long)rows->pid);
    *out = rows;
    return ERR_OK;
}

static err add_page(struct ctx *cx, struct expected *e, const struct store_versions *page)
{
    struct index_change *changes = arena_array(cx->arena, page->count + 1, sizeof *changes);
    for (size_t i = 0; i < page->count; i++)
        TRY(rows_of(cx, e, &page->list[i], &changes[i].after));
    TRY(db_begin(cx, e->db, true));
    TRY(index_apply(cx, e->db, changes, page->count));
    return db_commit(cx, e->db);
}

static err add_type(struct ctx *cx, struct expected *e, uint16_t resource, int64_t *done)
{
    struct store_scan scan = { .resource = resource, .count = GROUP };
    struct store_versions page = { .more = true };
    while (page.more) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(store_scan(cx, e->w->store, &scan, &page));
        if (page.count) {
            TRY(add_page(cx, e, &page));
            scan.after_rid = page.list[page.count - 1].rid;
        }
        *done += (int64_t)page.count;
        arena_rewind(cx->arena, mark);
        if (e->w->options.progress)
            e->w->options.progress(e->w->options.self, "index", *done, e->w->report->resources);
    }
    return ERR_OK;
}

/* --- the two side by side --- */

/* Columns in key order, then the rest: i integer, t text, r real; `rid` is the one of the rid. */
static const struct compared {
    const char *table, *columns;
    int rid;
} tables[] = {
    { "tok", "iiiii", 3 }, { "ref", "iiiii", 3 }, { "txt", "itiiti", 3 },
    { "day", "iiiiiii", 3 }, { "num", "iiiriii", 5 },
};
enum { WALK_UNFINISHED = INDEX_TABLES };
static const struct stmt walk_sql[] = {
    { "walk tok", "SELECT slot, cid, at, rid, pid FROM tok ORDER BY slot, cid, at, rid", NULL },
    { "walk ref", "SELECT slot, target, at, rid, pid FROM ref ORDER BY slot, target, at, rid",
      NULL },
    { "walk txt", "SELECT slot, folded, at, rid, exact, pid FROM txt "
      "ORDER BY slot, folded, at, rid, exact", NULL },
    { "walk day", "SELECT slot, span, lo, rid, hi, at, pid FROM day "
      "ORDER BY slot, span, lo, rid, hi", NULL },
    { "walk num", "SELECT slot, by, unit, value, at, rid, pid FROM num "
      "ORDER BY slot, by, unit, value, at, rid", NULL },
    [WALK_UNFINISHED] = { "parameters on their way", "SELECT slot FROM own_param WHERE state<>2",
                          NULL },
    { 0 },
};

static int compare_column(char kind, struct db_stmt *a, struct db_stmt *b, int column)
{
    if (kind == 't')
        return str_cmp(db_text(a, column), db_text(b, column));
    if (kind == 'r') {
        double left = db_real(a, column), right = db_real(b, column);
        return (left > right) - (left < right);
    }
    int64_t left = db_int(a, column), right = db_int(b, column);
    return (left > right) - (left < right);
}

static int compare(const struct compared *t, struct db_stmt *a, struct db_stmt *b)
{
    for (int i = 0; t->columns[i]; i++) {
        int order = compare_column(t->columns[i], a, b, i);
        if (order)
            return order;
    }
    return 0;
}

static void report(struct ctx *cx, struct check_work *w, const struct compared *t,
                   struct db_stmt *row, bool missing)
{
    struct arena_mark mark = arena_mark(cx->arena);
    const struct index_layout *layout = w->store->layout;
    int64_t slot = db_int(row, 0);
    str key = slot > 0 && slot < layout->slots_count ? layout->slots[slot].key : S("unknown slot");
    str values = S("");
    for (int i = 1; t->columns[i]; i++)
        values = arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(values), i > 1 ? ", " : "",
                              STR_ARG(db_text(row, i)));
    check_fault(w, "index %s: row (%.*s: %.*s) of %.*s %s", t->table, STR_ARG(key),
                STR_ARG(values), STR_ARG(check_name(cx, db_int(row, t->rid))),
                missing ? "is missing" : "should not be there");
    arena_rewind(cx->arena, mark);
}

static err walk(struct ctx *cx, struct expected *e, size_t table)
{
    const struct compared *t = &tables[table];
    struct db_stmt *is = db_use(cx, cx->db, walk_sql, table);
    struct db_stmt *should = db_use(cx, e->db, walk_sql, table);
    bool has_is, has_should;
    TRY(db_step(cx, is, &has_is));
    TRY(db_step(cx, should, &has_should));
    while (has_is || has_should) {
        int order = !has_is ? 1 : !has_should ? -1 : compare(t, is, should);
        int64_t slot = db_int(order < 0 ? is : should, 0);
        if (order && !(slot > 0 && slot <= UINT16_MAX && e->unfinished[slot]))
            report(cx, e->w, t, order < 0 ? is : should, order > 0);
        e->w->report->index_rows += order <= 0;
        if (order <= 0)
            TRY(db_step(cx, is, &has_is));
        if (order >= 0)
            TRY(db_step(cx, should, &has_should));
    }
    return ERR_OK;
}

static err find_unfinished(struct ctx *cx, struct expected *e)
{
    struct db_stmt *stmt = db_use(cx, cx->db, walk_sql, WALK_UNFINISHED);
    e->unfinished = arena_array(cx->arena, (size_t)UINT16_MAX + 1, sizeof *e->unfinished);
    for (bool row = true;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        e->unfinished[db_int(stmt, 0)] = true;
    }
}

static err build_and_walk(struct ctx *cx, struct expected *e)
{
    int64_t done = 0;
    TRY(db_exec(cx, e->db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF"));
    TRY(db_exec(cx, e->db, store_schema)); /* the index refers to its tables */
    TRY(db_exec(cx, e->db, index_schema));
    TRY(db_exec(cx, e->db, words_schema));
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        TRY(add_type(cx, e, r, &done));
    TRY(find_unfinished(cx, e));
    for (size_t i = 0; i < COUNT(tables); i++)
        TRY(walk(cx, e, i));
    return check_words(cx, e->w, e->db);
}

/* A file without a name: in memory as far as that goes, then where the machine keeps what is
 * temporary, so that the disk of the data may be full, or may only be read. */
err check_index(struct ctx *cx, struct check_work *w)
{
    struct db_options options = { .path = S(""), .create = true, .page_bytes = 8192,
                                  .cache_bytes = (int64_t)1 << 30 };
    struct expected e = { .w = w, .in = { look_up_code, look_up_ident, look_up_unit, NULL } };
    TRY(db_open(cx, &options, &e.db));
    err wrong = build_and_walk(cx, &e);
    db_close(e.db);
    return wrong;
}
