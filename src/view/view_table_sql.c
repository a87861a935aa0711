/* SPDX-License-Identifier: Apache-2.0 */
#include "view/view_table_sql.h"

enum { SQL_MAX = 64 * 1024 };

const char view_schema[] =
    "CREATE TABLE IF NOT EXISTS view_meta (name TEXT PRIMARY KEY, hash TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS view_fault (name TEXT NOT NULL, rid INTEGER NOT NULL,"
    " text TEXT NOT NULL, PRIMARY KEY (name, rid)) WITHOUT ROWID;";

/* clang-format off */
const struct stmt view_own_sql[] = {
    [VIEW_META_GET] = { "definition of a kept view", "SELECT hash FROM view_meta WHERE name = ?1",
        "SEARCH view_meta USING PRIMARY KEY" },
    [VIEW_META_PUT] = { "set definition of a kept view",
        "INSERT OR REPLACE INTO view_meta VALUES (?1, ?2)", NULL },
    [VIEW_META_ALL] = { "kept views", "SELECT name FROM view_meta", NULL },
    [VIEW_META_DROP] = { "forget a kept view", "DELETE FROM view_meta WHERE name = ?1",
        "SEARCH view_meta USING PRIMARY KEY" },
    [VIEW_FAULT_PUT] = { "note a fault of a view",
        "INSERT OR REPLACE INTO view_fault VALUES (?1, ?2, ?3)", NULL },
    [VIEW_FAULT_DROP] = { "forget a fault of a view",
        "DELETE FROM view_fault WHERE name = ?1 AND rid = ?2",
        "SEARCH view_fault USING PRIMARY KEY" },
    [VIEW_FAULT_CLEAR] = { "forget all faults of a view",
        "DELETE FROM view_fault WHERE name = ?1", "SEARCH view_fault USING PRIMARY KEY" },
    [VIEW_EXISTS] = { "is there such a table",
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'view_' || ?1", NULL },
    [VIEW_OWN_COUNT] = { 0 },
};
/* clang-format on */

static const char *affinity(enum view_kind kind)
{
    return kind == VIEW_BOOLEAN || kind == VIEW_INTEGER ? "INTEGER"
           : kind == VIEW_DECIMAL                       ? "NUMERIC"
                                                        : "TEXT";
}

static const char *text_of(struct ctx *cx, const struct buf *buf)
{
    return arena_cstr(cx->arena, buf_str(buf));
}

static const char *create_sql(struct ctx *cx, const struct kept *kept)
{
    struct buf buf = buf_make(cx->arena, SQL_MAX);
    size_t count;
    const struct view_column *columns = view_columns(kept->view, &count);
    buf_printf(&buf, "CREATE TABLE \"view_%.*s__new\" (rid INTEGER NOT NULL, row INTEGER NOT NULL,"
                     " pid INTEGER NOT NULL", STR_ARG(kept->name));
    for (size_t i = 0; i < count; i++)
        buf_printf(&buf, ", \"%.*s\" %s", STR_ARG(columns[i].name), affinity(columns[i].kind));
    buf_add(&buf, S(", PRIMARY KEY (rid, row)) WITHOUT ROWID"));
    return text_of(cx, &buf);
}

static const char *put_sql(struct ctx *cx, const struct kept *kept, const char *suffix)
{
    struct buf buf = buf_make(cx->arena, SQL_MAX);
    size_t count;
    view_columns(kept->view, &count);
    buf_printf(&buf, "INSERT OR REPLACE INTO \"view_%.*s%s\" VALUES (?1, ?2, ?3",
               STR_ARG(kept->name), suffix);
    for (size_t i = 0; i < count; i++)
        buf_printf(&buf, ", ?%zu", i + 4);
    buf_char(&buf, ')');
    return text_of(cx, &buf);
}

static const char *cut_sql(struct ctx *cx, const struct kept *kept, const char *suffix)
{
    return arena_printf(cx->arena, "DELETE FROM \"view_%.*s%s\" WHERE rid = ?1 AND row >= ?2",
                        STR_ARG(kept->name), suffix).p;
}

static const char *match_sql(struct ctx *cx, const struct kept *kept)
{
    struct buf buf = buf_make(cx->arena, SQL_MAX);
    size_t count;
    const struct view_column *columns = view_columns(kept->view, &count);
    buf_printf(&buf, "SELECT 1 FROM \"view_%.*s\" WHERE rid = ?1 AND row = ?2 AND pid = ?3",
               STR_ARG(kept->name));
    for (size_t i = 0; i < count; i++)
        buf_printf(&buf, " AND \"%.*s\" IS ?%zu", STR_ARG(columns[i].name), i + 4);
    return text_of(cx, &buf);
}

static const char *count_sql(struct ctx *cx, const struct kept *kept)
{
    return arena_printf(cx->arena, "SELECT count(*) FROM \"view_%.*s\"", STR_ARG(kept->name)).p;
}

static bool is_reserved(str name)
{
    return str_eq_nocase(name, S("rid")) || str_eq_nocase(name, S("row")) ||
           str_eq_nocase(name, S("pid"));
}

err view_table_write_sql(struct ctx *cx, struct view_tables *tables, size_t index)
{
    struct kept *kept = &tables->list[index];
    struct stmt *sql = &tables->sql[index * VIEW_STMTS];
    size_t count;
    const struct view_column *columns = view_columns(kept->view, &count);
    for (size_t i = 0; i < count; i++)
        if (is_reserved(columns[i].name))
            return ctx_failf(cx, ERR_INVALID, kept->name,
                             "a column of a kept view may not be named %.*s",
                             STR_ARG(columns[i].name));
    kept->create_new = create_sql(cx, kept);
    sql[VIEW_PUT] = (struct stmt){ "put a view's row", put_sql(cx, kept, ""), NULL };
    sql[VIEW_CUT] = (struct stmt){ "cut a view's rows", cut_sql(cx, kept, ""), NULL };
    sql[VIEW_NEW_PUT] = (struct stmt){ "put a new view's row", put_sql(cx, kept, "__new"), NULL };
    sql[VIEW_NEW_CUT] = (struct stmt){ "cut a new view's rows", cut_sql(cx, kept, "__new"), NULL };
    sql[VIEW_MATCH] = (struct stmt){ "match a view's row", match_sql(cx, kept), NULL };
    sql[VIEW_COUNT] = (struct stmt){ "count a view's rows", count_sql(cx, kept), NULL };
    return ERR_OK;
}

err view_table_make_indexes(struct ctx *cx, struct db *db, const struct kept *kept, int64_t mark)
{
    for (size_t i = 0; i < kept->indexes_count; i++)
        TRY(db_exec(cx, db,
                    arena_printf(cx->arena,
                                 "CREATE INDEX \"view_%.*s_%zu_%lld\" ON \"view_%.*s__new\" (%.*s)",
                                 STR_ARG(kept->name), i + 1, (long long)mark, STR_ARG(kept->name),
                                 STR_ARG(kept->indexes[i])).p));
    return ERR_OK;
}

/* ---- rows ---- */

err view_table_rows(struct ctx *cx, const struct kept *kept, struct json body,
                    struct kept_rows *out)
{
    struct ctx inner = ctx_make(cx->arena); /* its issues are the view's, not the writer's */
    inner.now_ms = cx->now_ms;
    *out = (struct kept_rows){ 0 };
    if (view_run(&inner, kept->view, body, &out->rows) != ERR_OK) {
        out->rows = (struct view_rows){ 0 };
        out->fault = inner.issues.kept ? inner.issues.list[0].text : S("the view failed");
    }
    return ERR_OK;
}

static void bind_value(struct db_stmt *stmt, int at, const struct view_value *value)
{
    int64_t number;
    if (value->kind == VIEW_NULL)
        db_bind_null(stmt, at);
    else if (value->kind == VIEW_BOOLEAN)
        db_bind_int(stmt, at, value->text.n == 4);
    else if (value->kind == VIEW_INTEGER && str_to_i64(value->text, &number))
        db_bind_int(stmt, at, number);
    else
        db_bind_text(stmt, at, value->text);
}

static struct db_stmt *use(struct ctx *cx, const struct kept_place *place, enum view_stmt which)
{
    size_t index = (size_t)(place->kept - place->tables->list);
    return db_use(cx, place->db, place->tables->sql, index * VIEW_STMTS + which);
}

static struct db_stmt *bind_row(struct ctx *cx, const struct kept_place *place,
                                enum view_stmt which, size_t at, const struct view_rows *rows)
{
    size_t count;
    view_columns(place->kept->view, &count);
    struct db_stmt *stmt = use(cx, place, which);
    db_bind_int(stmt, 1, place->rid);
    db_bind_int(stmt, 2, (int64_t)at);
    db_bind_int(stmt, 3, place->pid);
    for (size_t i = 0; i < count; i++)
        bind_value(stmt, (int)i + 4, &rows->values[at * count + i]);
    return stmt;
}

err view_table_put(struct ctx *cx, const struct kept_place *place, size_t at,
                   const struct view_rows *rows)
{
    return db_run(cx, bind_row(cx, place, place->fresh ? VIEW_NEW_PUT : VIEW_PUT, at, rows));
}

err view_table_match(struct ctx *cx, const struct kept_place *place, size_t at,
                     const struct view_rows *rows, bool *out)
{
    struct db_stmt *stmt = bind_row(cx, place, VIEW_MATCH, at, rows);
    TRY(db_step(cx, stmt, out));
    if (*out)
        db_reset(stmt);
    return ERR_OK;
}

err view_table_cut(struct ctx *cx, const struct kept_place *place, size_t from)
{
    struct db_stmt *stmt = use(cx, place, place->fresh ? VIEW_NEW_CUT : VIEW_CUT);
    db_bind_int(stmt, 1, place->rid);
    db_bind_int(stmt, 2, (int64_t)from);
    return db_run(cx, stmt);
}
