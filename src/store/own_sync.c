/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"
#include "store/own.h"
#include "store/search.h"

enum { OWN_SOURCES_MAX = 20000 };
enum { ROW_GET, ROW_PUT, ROW_SOURCE, ROWS_SLOTS, ROW_DROP, ROW_WANT };
static const struct stmt sync_sql[] = {
    [ROW_GET] = { "an own parameter", "SELECT state, url, source FROM own_param WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [ROW_PUT] = { "a new own parameter",
        "INSERT INTO own_param VALUES(?1,?2,?3,?4,?5,?6,?7,1,1,0,0,?8)", NULL },
    [ROW_SOURCE] = { "where an own parameter comes from",
        "UPDATE own_param SET url=?2, source=?3 WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [ROWS_SLOTS] = { "slots of own parameters", "SELECT slot, state, wanted FROM own_param", NULL },
    [ROW_DROP] = { "an own parameter goes",
        "UPDATE own_param SET state=3, wanted=0, done=0 WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    [ROW_WANT] = { "an own parameter is to come back",
        "UPDATE own_param SET wanted=?2 WHERE slot=?1",
        "SEARCH own_param USING INTEGER PRIMARY KEY (rowid=?)" },
    { 0 },
};

static bool is_taken(const struct own_wishes *wishes, size_t count, const struct own_wish *wish)
{
    for (size_t i = 0; i < count; i++)
        if (wishes->list[i].resource == wish->resource &&
            str_eq(wishes->list[i].code, wish->code))
            return true;
    return false;
}

/* What all active SearchParameters ask for; of two with one code the older. */
static err read_wishes(struct ctx *cx, struct store *store, struct own_wishes *out)
{
    int64_t *rids = arena_array(cx->arena, OWN_SOURCES_MAX, sizeof *rids);
    struct search_rids found = { rids, OWN_SOURCES_MAX, 0 };
    TRY(search_condition(cx, store, fhir_resource_find(S("SearchParameter")), S("status=active"),
                         &found));
    struct hits sorted = { 0 };
    for (size_t i = 0; i < found.count; i++)
        hits_add(cx, &sorted, (struct hit){ .rid = rids[i] });
    hits_sort(&sorted, ORDER_RID);
    for (size_t i = 0; i < sorted.count; i++) {
        struct own_wishes one = { 0 };
        struct json body;
        bool there;
        size_t issues = cx->issues.count;
        TRY(plan_body(cx, store, sorted.list[i].rid, &body, &there));
        if (!there || own_read(cx, store, body, sorted.list[i].rid, false, &one)) {
            cx->issues.count = cx->issues.kept = issues; /* stored, without effect */
            continue;
        }
        for (size_t k = 0, before = out->count; k < one.count; k++) {
            if (is_taken(out, before, &one.list[k]))
                continue;
            out->list = arena_grow(cx->arena, out->list, out->count, &out->cap,
                                   sizeof *out->list);
            out->list[out->count++] = one.list[k];
        }
    }
    return ERR_OK;
}

/* One round of bringing the table to the wishes, on the writer's thread. */
struct sync {
    struct store *store;
    const struct own_wishes *wishes;
    bool *wanted; /* by slot */
    bool changed;
};

static err put_row(struct ctx *cx, struct db *db, struct sync *sync, uint16_t slot,
                   const struct own_wish *wish)
{
    struct db_stmt *stmt = db_use(cx, db, sync_sql, ROW_PUT);
    db_bind_int(stmt, 1, slot);
    db_bind_int(stmt, 2, wish->resource);
    db_bind_text(stmt, 3, wish->code);
    db_bind_int(stmt, 4, wish->kind);
    db_bind_text(stmt, 5, wish->expression);
    db_bind_text(stmt, 6, wish->url.p ? wish->url : S(""));
    db_bind_int(stmt, 7, wish->source);
    db_bind_int(stmt, 8, atomic_load(&sync->store->live[wish->resource]));
    sync->changed = true;
    return db_run(cx, stmt);
}

static err set_source(struct ctx *cx, struct db *db, uint16_t slot, const struct own_wish *wish)
{
    struct db_stmt *stmt = db_use(cx, db, sync_sql, ROW_SOURCE);
    db_bind_int(stmt, 1, slot);
    db_bind_text(stmt, 2, wish->url.p ? wish->url : S(""));
    db_bind_int(stmt, 3, wish->source);
    return db_run(cx, stmt);
}

static err sync_wish(struct ctx *cx, struct db *db, struct sync *sync,
                     const struct own_wish *wish)
{
    str key = arena_printf(cx->arena, "own:%.*s:%.*s:%d:%.*s",
                           STR_ARG(fhir_resource_name(wish->resource)), STR_ARG(wish->code),
                           (int)wish->kind, STR_ARG(wish->expression));
    uint16_t slot = layout_own_slot(sync->store->layout, key, wish->resource,
                                    own_row_kind(wish->kind, wish->expression));
    bool row;
    if (!slot)
        return ERR_OK; /* full: it stays without effect, and its status says so */
    sync->wanted[slot] = true;
    struct db_stmt *stmt = db_use(cx, db, sync_sql, ROW_GET);
    db_bind_int(stmt, 1, slot);
    TRY(db_step(cx, stmt, &row));
    bool same = row && db_int(stmt, 2) == wish->source && str_eq(db_text(stmt, 1), wish->url);
    db_reset(stmt);
    if (!row)
        return put_row(cx, db, sync, slot, wish);
    sync->changed = sync->changed || !same;
    return same ? ERR_OK : set_source(cx, db, slot, wish);
}

static err mark(struct ctx *cx, struct db *db, struct sync *sync, size_t which, uint16_t slot)
{
    struct db_stmt *stmt = db_use(cx, db, sync_sql, which);
    db_bind_int(stmt, 1, slot);
    if (which == ROW_WANT)
        db_bind_int(stmt, 2, sync->wanted[slot]);
    sync->changed = true;
    return db_run(cx, stmt);
}

static err mark_rows(struct ctx *cx, struct db *db, struct sync *sync)
{
    struct { uint16_t slot; bool dropping, wanted; } *rows =
        arena_array(cx->arena, OWN_SLOTS_MAX, sizeof *rows);
    size_t count = 0;
    struct db_stmt *stmt = db_use(cx, db, sync_sql, ROWS_SLOTS);
    for (bool row = true; row && count < OWN_SLOTS_MAX;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        rows[count].slot = (uint16_t)db_int(stmt, 0);
        rows[count].dropping = db_int(stmt, 1) == OWN_DROPPING;
        rows[count++].wanted = db_int(stmt, 2);
    }
    db_reset(stmt);
    for (size_t i = 0; i < count; i++) {
        bool wanted = sync->wanted[rows[i].slot];
        if (!wanted && !rows[i].dropping)
            TRY(mark(cx, db, sync, ROW_DROP, rows[i].slot));
        else if (rows[i].dropping && wanted != rows[i].wanted)
            TRY(mark(cx, db, sync, ROW_WANT, rows[i].slot));
    }
    return ERR_OK;
}

static err write_wishes(struct ctx *cx, struct db *db, void *self)
{
    struct sync *sync = self;
    sync->changed = false;
    sync->wanted = arena_array(cx->arena, (size_t)UINT16_MAX + 1, sizeof *sync->wanted);
    for (size_t i = 0; i < sync->wishes->count; i++)
        TRY(sync_wish(cx, db, sync, &sync->wishes->list[i]));
    TRY(mark_rows(cx, db, sync));
    if (!sync->changed)
        return ERR_OK;
    TRY(index_layout_save(cx, db, sync->store->layout));
    return own_publish(cx, sync->store, db);
}

err own_sync(struct ctx *cx, struct store *store)
{
    struct own_wishes wishes = { 0 };
    struct sync sync = { .store = store, .wishes = &wishes };
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    TRY(read_wishes(cx, store, &wishes));
    store_give_back(cx, store, borrowed);
    bool idle = !wishes.count && !(own_current(store->layout) &&
                                   own_current(store->layout)->count);
    return idle ? ERR_OK : store_write(cx, store, write_wishes, &sync);
}
