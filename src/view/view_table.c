/* SPDX-License-Identifier: Apache-2.0 */
#include "view/view_table_sql.h"
#include "fhir/def.h"

/* Part of every hash: raised when tables are laid out differently. */
#define LAYOUT "1"

/* ---- definitions ---- */

static err read_indexes(struct ctx *cx, struct json definition, struct kept *kept)
{
    for (struct json_walk w = json_walk(json_get(definition, S("extension"))); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("url")), S(VIEW_INDEX_URL)))
            continue;
        str columns = json_string(cx->arena, json_get(w.value, S("valueString"))), rest = columns;
        for (size_t i = 0; i < columns.n; i++) {
            char c = columns.p[i];
            bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ',' ||
                         c == ' ' || (c >= '0' && c <= '9');
            if (!plain)
                return ctx_fail(cx, ERR_INVALID, kept->name, S("an index is a list of columns"));
        }
        if (!rest.n || kept->indexes_count == VIEW_INDEXES_MAX)
            return ctx_fail(cx, ERR_INVALID, kept->name, S("no columns, or too many indexes"));
        kept->indexes[kept->indexes_count++] = columns;
    }
    return ERR_OK;
}

static err make_kept(struct ctx *cx, const struct view_file *file, struct kept *kept)
{
    struct json definition;
    str text = str_of(file->text);
    kept->name = arena_printf(cx->arena, "%s_%s", file->system, file->name);
    kept->hash = arena_printf(cx->arena, "%016llx-" LAYOUT,
                              (unsigned long long)str_hash(text));
    if (str_find(text, S("versionId")) != STR_NONE || str_find(text, S("lastUpdated")) != STR_NONE)
        return ctx_fail(cx, ERR_INVALID, kept->name,
                        S("a kept view may not read meta.versionId or meta.lastUpdated"));
    TRY(json_parse(cx, text, &definition));
    TRY(view_compile(cx, definition, &kept->view));
    kept->resource = fhir_types[view_type(kept->view)].resource;
    return read_indexes(cx, definition, kept);
}

err view_tables_make(struct ctx *cx, const struct view_file *files, struct view_tables **out)
{
    struct view_tables *tables = arena_zero(cx->arena, sizeof *tables);
    size_t count = 0;
    while (files[count].system)
        count++;
    if (count > VIEW_TABLES_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("too many kept views"));
    tables->list = arena_array(cx->arena, count + 1, sizeof *tables->list);
    tables->sql = arena_array(cx->arena, count * VIEW_STMTS + 1, sizeof *tables->sql);
    for (; tables->count < count; tables->count++) {
        err error = make_kept(cx, &files[tables->count], &tables->list[tables->count]);
        if (!error)
            error = view_table_write_sql(cx, tables, tables->count);
        if (error)
            return ctx_failf(cx, error, S(""), "the view %s of %s is wrong",
                             files[tables->count].name, files[tables->count].system);
    }
    *out = tables;
    return ERR_OK;
}

size_t view_tables_count(const struct view_tables *tables)
{
    return tables->count;
}

str view_tables_name(const struct view_tables *tables, size_t index)
{
    return tables->list[index].name;
}

/* ---- within a commit ---- */

struct work {
    struct kept_rows before, after;
    bool concerned;
};

static err part_prepare(struct ctx *cx, const struct commit_part *part,
                        const struct commit_change *change, void **prepared)
{
    const struct view_tables *tables = part->self;
    struct work *work = NULL;
    *prepared = NULL;
    for (size_t i = 0; i < tables->count; i++) {
        const struct kept *kept = &tables->list[i];
        if (kept->resource != change->op->resource)
            continue;
        if (!work)
            *prepared = work = arena_array(cx->arena, tables->count, sizeof *work);
        work[i].concerned = true;
        if (change->before.doc)
            TRY(view_table_rows(cx, kept, change->before, &work[i].before));
        if (change->after.doc)
            TRY(view_table_rows(cx, kept, change->after, &work[i].after));
    }
    return ERR_OK;
}

static err note_fault(struct ctx *cx, const struct kept_place *place, str fault)
{
    bool is = str_given(fault);
    struct db_stmt *stmt = db_use(cx, place->db, view_own_sql,
                                  is ? VIEW_FAULT_PUT : VIEW_FAULT_DROP);
    db_bind_text(stmt, 1, place->kept->name);
    db_bind_int(stmt, 2, place->rid);
    if (is)
        db_bind_text(stmt, 3, fault);
    return db_run(cx, stmt);
}

/* All rows of the new body, since their patient may have changed with nothing else; what the old
 * one had beyond them goes. */
static err write_rows(struct ctx *cx, const struct kept_place *place, const struct work *work)
{
    const struct view_rows *before = &work->before.rows, *after = &work->after.rows;
    for (size_t i = 0; i < after->rows_count; i++)
        TRY(view_table_put(cx, place, i, after));
    if (before->rows_count > after->rows_count)
        TRY(view_table_cut(cx, place, after->rows_count));
    if (str_given(work->before.fault) || str_given(work->after.fault))
        TRY(note_fault(cx, place, work->after.fault));
    return ERR_OK;
}

static err part_write(struct ctx *cx, const struct commit_part *part, struct db *db,
                      const struct commit_change *change, void *prepared)
{
    const struct view_tables *tables = part->self;
    const struct work *work = prepared;
    for (size_t i = 0; work && i < tables->count; i++) {
        struct kept_place place = { db, tables, &tables->list[i], false, change->rid, change->pid };
        if (work[i].concerned)
            TRY(write_rows(cx, &place, &work[i]));
    }
    return ERR_OK;
}

/* ---- at start ---- */

static err stored_hash(struct ctx *cx, struct db *db, str name, str *out)
{
    bool row;
    struct db_stmt *stmt = db_use(cx, db, view_own_sql, VIEW_META_GET);
    *out = (str){ 0 };
    db_bind_text(stmt, 1, name);
    TRY(db_step(cx, stmt, &row));
    if (row) {
        *out = arena_copy(cx->arena, db_text(stmt, 0));
        db_reset(stmt);
    }
    return ERR_OK;
}

static bool is_kept(const struct view_tables *tables, str name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (str_eq(tables->list[i].name, name))
            return true;
    return false;
}

/* Tables of views that no system has any more. */
static err drop_gone(struct ctx *cx, struct db *db, const struct view_tables *tables)
{
    str gone[VIEW_TABLES_MAX];
    size_t count = 0;
    bool row;
    struct db_stmt *stmt = db_use(cx, db, view_own_sql, VIEW_META_ALL);
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        if (count < COUNT(gone) && !is_kept(tables, db_text(stmt, 0)))
            gone[count++] = arena_copy(cx->arena, db_text(stmt, 0));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(db_exec(cx, db, arena_printf(cx->arena, "DROP TABLE IF EXISTS \"view_%.*s\"",
                                         STR_ARG(gone[i])).p));
        stmt = db_use(cx, db, view_own_sql, VIEW_META_DROP);
        db_bind_text(stmt, 1, gone[i]);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err needed(struct ctx *cx, struct db *db, const struct view_tables *tables, bool *rebuild)
{
    TRY(db_exec(cx, db, view_schema));
    TRY(drop_gone(cx, db, tables));
    for (size_t i = 0; i < tables->count; i++) {
        str hash;
        TRY(stored_hash(cx, db, tables->list[i].name, &hash));
        rebuild[i] = !str_eq(hash, tables->list[i].hash);
    }
    return ERR_OK;
}

err view_tables_open(struct ctx *cx, struct view_tables *tables, const struct view_rebuild *how)
{
    struct db *db;
    bool rebuild[VIEW_TABLES_MAX] = { 0 };
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/record.db",
                                                       STR_ARG(how->folder)) };
    TRY(db_open(cx, &options, &db));
    err error = needed(cx, db, tables, rebuild);
    db_close(db);
    TRY(error);
    for (size_t i = 0; i < tables->count; i++)
        if (rebuild[i])
            TRY(view_tables_rebuild(cx, tables, i, how));
    tables->part = (struct commit_part){ .name = "views", .self = tables, .prepare = part_prepare,
                                         .write = part_write };
    if (tables->count)
        commit_add_part(how->store, &tables->part);
    return ERR_OK;
}
