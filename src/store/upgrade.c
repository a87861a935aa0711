/* SPDX-License-Identifier: Apache-2.0 */
#include "store/upgrade.h"
#include "store/layout.h"
#include "store/own.h"

enum { GROUP = 500 };
enum { HAS_WORDS, KNOWN };
static const struct stmt upgrade_sql[] = {
    [HAS_WORDS] = { "is there a table of words",
        "SELECT 1 FROM sqlite_schema WHERE name = 'words'", NULL },
    [KNOWN] = { "how many slots the record knows",
        "SELECT length(value) - length(replace(value, char(10), '')) FROM meta "
        "WHERE name = 'index_layout'", NULL },
    { 0 },
};

struct upgrade {
    struct store *store;
    struct db *db;
    struct interner interner;
    bool words;
    int64_t first_slot; /* rows of slots from here on are missing */
};

static err look(struct ctx *cx, struct db *db, size_t which, int64_t *out)
{
    struct db_stmt *stmt = db_use(cx, db, upgrade_sql, which);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

/* What is missing of one resource. */
static err rows_of(struct ctx *cx, struct upgrade *u, const struct store_version *v,
                   struct index_rows **out)
{
    struct index_rows *rows = arena_zero(cx->arena, sizeof *rows);
    struct json body;
    size_t kept = 0;
    TRY(json_parse(cx, v->body, &body));
    TRY(index_extract(cx, u->store->layout, v->resource, body, rows));
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].slot >= u->first_slot)
            rows->rows[kept++] = rows->rows[i];
    rows->count = kept;
    if (u->words)
        TRY(words_of(cx, body, &rows->words));
    TRY(index_resolve(cx, &u->interner.in, rows));
    rows->rid = v->rid;
    rows->pid = v->pid;
    *out = rows;
    return ERR_OK;
}

static err fill_type(struct ctx *cx, struct upgrade *u, uint16_t resource)
{
    struct store_scan scan = { .resource = resource, .count = GROUP };
    struct store_versions page = { .more = true };
    while (page.more) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(store_scan(cx, u->store, &scan, &page));
        struct index_change *changes = arena_array(cx->arena, page.count + 1, sizeof *changes);
        for (size_t i = 0; i < page.count; i++)
            TRY(rows_of(cx, u, &page.list[i], &changes[i].after));
        TRY(index_apply(cx, u->db, changes, page.count));
        if (page.count)
            scan.after_rid = page.list[page.count - 1].rid;
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

static err fill(struct ctx *cx, struct upgrade *u)
{
    if (u->words)
        TRY(db_exec(cx, u->db, words_schema));
    TRY(interner_open(cx, &u->interner, u->db));
    err wrong = ERR_OK;
    for (uint16_t r = 0; r < fhir_resources_count && !wrong; r++) {
        interner_fresh(&u->interner, cx->arena);
        if (u->interner.tally[r].live)
            wrong = fill_type(cx, u, r);
    }
    if (!wrong)
        wrong = interner_flush(cx, &u->interner);
    interner_close(&u->interner);
    if (!wrong)
        wrong = index_layout_save(cx, u->db, u->store->layout);
    return wrong;
}

err upgrade_store(struct ctx *cx, struct store *store, struct db *db, bool new_slots)
{
    struct upgrade u = { .store = store, .db = db, .first_slot = INT64_MAX };
    struct db *const before = cx->db;
    int64_t has_words, known;
    TRY(look(cx, db, HAS_WORDS, &has_words));
    TRY(look(cx, db, KNOWN, &known));
    u.words = !has_words;
    if (!u.words && !new_slots)
        return ERR_OK;
    if (new_slots)
        u.first_slot = known + 1;
    cx->db = db;
    err wrong = db_begin(cx, db, true);
    if (!wrong)
        wrong = fill(cx, &u);
    if (!wrong)
        wrong = db_commit(cx, db);
    if (wrong)
        db_rollback(db);
    cx->db = before;
    return wrong;
}
