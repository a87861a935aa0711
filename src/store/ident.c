/* SPDX-License-Identifier: Apache-2.0 */
#include "store/state.h"

/*
 * The caches are direct-mapped: a newcomer takes the place of whoever was there, so they need no
 * bookkeeping and cannot grow. Texts too long for a place are simply not kept.
 */
enum {
    IDENT_PLACES = 1 << 16, IDENT_TEXT = 66,  /* an id has at most 64 characters */
    CODE_PLACES = 1 << 15, CODE_TEXT = 102,
    UNIT_PLACES = 1 << 8, UNIT_TEXT = 102
};
struct ident_place {
    int64_t rid;
    uint16_t resource;
    uint8_t bytes;
    char id[IDENT_TEXT];
};
struct pair_place { /* a few texts end to end, with their lengths */
    int64_t number;
    uint8_t lengths[3];
    char text[CODE_TEXT];
};
struct intern_cache {
    struct ident_place idents[IDENT_PLACES];
    struct pair_place codes[CODE_PLACES], units[UNIT_PLACES];
};

static struct ident_place *ident_place(struct interner *interner, uint16_t resource, str id)
{
    size_t at = (str_hash(id) + resource * 7919u) & (IDENT_PLACES - 1);
    return &interner->cache->idents[at];
}

static void row_of(struct db_stmt *stmt, struct ident_row *out)
{
    *out = (struct ident_row){ db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2), db_int(stmt, 3),
                               db_int(stmt, 4) != 0, db_int(stmt, 5) != 0 };
}

err ident_find(struct ctx *cx, struct db *db, uint16_t resource, str id, struct ident_row *out)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_IDENT_FIND);
    db_bind_int(stmt, 1, resource);
    db_bind_text(stmt, 2, id);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (row)
        row_of(stmt, out);
    else
        *out = (struct ident_row){ .deleted = true };
    db_reset(stmt);
    return ERR_OK;
}

err ident_of_rid(struct ctx *cx, struct db *db, int64_t rid, struct ident_row *out, str *id)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_IDENT_BY_RID);
    db_bind_int(stmt, 1, rid);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = (struct ident_row){ .deleted = true };
    *id = (str){ 0 };
    if (row) {
        row_of(stmt, out);
        *id = arena_copy(cx->arena, db_text(stmt, 6));
    }
    db_reset(stmt);
    return ERR_OK;
}

static err mint_rid(struct ctx *cx, struct interner *interner, uint16_t resource, str id,
                    int64_t *out)
{
    struct store_tally *tally = &interner->tally[resource];
    int64_t rid = store_rid(resource, tally->next + 1);
    struct db_stmt *stmt = db_use(cx, interner->db, store_sql, SQL_IDENT_MENTION);
    db_bind_int(stmt, 1, rid);
    db_bind_text(stmt, 2, id);
    db_bind_int(stmt, 3, AT_NONE);
    TRY(db_run(cx, stmt));
    tally->next++;
    tally->dirty = true;
    *out = rid;
    return ERR_OK;
}

/* A type and an id as one key. */
static str key_of(struct arena *arena, uint16_t resource, str id)
{
    char *key = arena_alloc(arena, sizeof resource + id.n);
    memcpy(key, &resource, sizeof resource);
    memcpy(key + sizeof resource, id.p, id.n);
    return (str){ key, sizeof resource + id.n };
}

void interner_fresh(struct interner *interner, struct arena *arena)
{
    interner->fresh = map_make(arena);
}

static void keep_ident(struct interner *interner, uint16_t resource, str id, int64_t rid)
{
    struct ident_place *place = ident_place(interner, resource, id);
    if (id.n > IDENT_TEXT)
        return;
    *place = (struct ident_place){ .rid = rid, .resource = resource, .bytes = (uint8_t)id.n };
    memcpy(place->id, id.p, id.n);
}

void interner_learn(struct interner *interner, uint16_t resource, str id, int64_t rid)
{
    keep_ident(interner, resource, id, rid);
    map_set(&interner->fresh, key_of(interner->fresh.arena, resource, id), (uint64_t)rid);
}

static err find_or_mint_ident(struct ctx *cx, struct interner *interner, uint16_t resource, str id,
                              int64_t *out)
{
    uint64_t fresh;
    if (interner->fresh.count &&
        map_get(&interner->fresh, key_of(cx->arena, resource, id), &fresh)) {
        *out = (int64_t)fresh;
        return ERR_OK;
    }
    struct ident_row row;
    TRY(ident_find(cx, interner->db, resource, id, &row));
    if (!row.rid)
        TRY(mint_rid(cx, interner, resource, id, &row.rid));
    *out = row.rid;
    return ERR_OK;
}

static err intern_ident(struct ctx *cx, const struct index_interner *in, uint16_t resource, str id,
                        int64_t *out)
{
    struct interner *interner = in->self;
    struct ident_place *place = ident_place(interner, resource, id);
    if (place->rid && place->resource == resource && str_eq((str){ place->id, place->bytes }, id)) {
        *out = place->rid;
        return ERR_OK;
    }
    TRY(find_or_mint_ident(cx, interner, resource, id, out));
    keep_ident(interner, resource, id, *out);
    return ERR_OK;
}

static bool pair_is(const struct pair_place *place, const str *parts, size_t count)
{
    if (!place->number)
        return false;
    const char *at = place->text;
    for (size_t i = 0; i < count; at += place->lengths[i++])
        if (!str_eq((str){ at, place->lengths[i] }, parts[i]))
            return false;
    return true;
}

static void pair_keep(struct pair_place *place, const str *parts, size_t count, int64_t number)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += parts[i].n;
    if (bytes > CODE_TEXT)
        return;
    place->number = number;
    char *at = place->text;
    for (size_t i = 0; i < count; at += parts[i++].n) {
        place->lengths[i] = (uint8_t)parts[i].n;
        if (parts[i].n)
            memcpy(at, parts[i].p, parts[i].n);
    }
}

static str or_empty(str text)
{
    return text.p ? text : S("");
}

static err first_int(struct ctx *cx, struct db_stmt *stmt, bool *found, int64_t *out)
{
    TRY(db_step(cx, stmt, found));
    if (*found) {
        *out = db_int(stmt, 0);
        db_reset(stmt);
    }
    return ERR_OK;
}

/* What the cache does not know is more often new (an identifier) than old: put first, then look. */
static err find_or_mint_code(struct ctx *cx, struct interner *interner, str system, str code,
                             int64_t *out)
{
    struct db_stmt *put = db_use(cx, interner->db, store_sql, SQL_CODE_PUT);
    db_bind_int(put, 1, interner->last_cid + 1);
    db_bind_text(put, 2, system);
    db_bind_text(put, 3, code);
    TRY(db_run(cx, put));
    if (db_changes(interner->db)) {
        *out = ++interner->last_cid;
        return ERR_OK;
    }
    struct db_stmt *find = db_use(cx, interner->db, store_sql, SQL_CODE_FIND);
    db_bind_text(find, 1, code);
    db_bind_text(find, 2, system);
    bool found;
    TRY(first_int(cx, find, &found, out));
    return found ? ERR_OK : ctx_fail(cx, ERR_BUG, (str){ 0 }, S("a code could not be interned"));
}

static err intern_code(struct ctx *cx, const struct index_interner *in, str system, str code,
                       int64_t *out)
{
    struct interner *interner = in->self;
    str parts[] = { or_empty(system), or_empty(code) };
    size_t at = (str_hash(parts[0]) * 31 + str_hash(parts[1])) & (CODE_PLACES - 1);
    struct pair_place *place = &interner->cache->codes[at];
    if (pair_is(place, parts, 2)) {
        *out = place->number;
        return ERR_OK;
    }
    TRY(find_or_mint_code(cx, interner, parts[0], parts[1], out));
    pair_keep(place, parts, 2, *out);
    return ERR_OK;
}

static err intern_unit(struct ctx *cx, const struct index_interner *in, str system, str code,
                       str human, int64_t *out)
{
    struct interner *interner = in->self;
    str parts[] = { or_empty(system), or_empty(code), or_empty(human) };
    size_t at = (str_hash(parts[0]) * 31 + str_hash(parts[1]) * 7 + str_hash(parts[2])) &
                (UNIT_PLACES - 1);
    struct pair_place *place = &interner->cache->units[at];
    if (pair_is(place, parts, 3)) {
        *out = place->number;
        return ERR_OK;
    }
    bool found = false;
    for (size_t sql = SQL_UNIT_FIND; !found && sql <= SQL_UNIT_PUT; sql++) {
        struct db_stmt *stmt = db_use(cx, interner->db, store_sql, sql);
        for (int i = 0; i < 3; i++)
            db_bind_text(stmt, i + 1, parts[i]);
        TRY(first_int(cx, stmt, &found, out));
    }
    pair_keep(place, parts, 3, *out);
    return ERR_OK;
}

static err read_numbers(struct ctx *cx, struct interner *interner)
{
    memset(interner->tally, 0, sizeof interner->tally);
    struct db_stmt *stmt = db_use(cx, interner->db, store_sql, SQL_TALLY_ALL);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        int64_t resource = db_int(stmt, 0);
        if (resource >= 0 && resource < (int64_t)COUNT(interner->tally))
            interner->tally[resource] = (struct store_tally){ db_int(stmt, 1), db_int(stmt, 2),
                                                              db_int(stmt, 3), false };
    }
    bool found;
    return first_int(cx, db_use(cx, interner->db, store_sql, SQL_CODE_LAST), &found,
                     &interner->last_cid);
}

err interner_open(struct ctx *cx, struct interner *interner, struct db *db)
{
    interner->db = db;
    interner->in = (struct index_interner){ intern_code, intern_ident, intern_unit, interner };
    interner->cache = calloc(1, sizeof *interner->cache);
    if (!interner->cache)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory for the store's caches"));
    return read_numbers(cx, interner);
}

void interner_close(struct interner *interner)
{
    free(interner->cache);
}

err interner_forget(struct ctx *cx, struct interner *interner)
{
    memset(interner->cache, 0, sizeof *interner->cache);
    interner->fresh = (struct map){ 0 };
    return read_numbers(cx, interner);
}

err interner_flush(struct ctx *cx, struct interner *interner)
{
    for (size_t i = 0; i < COUNT(interner->tally); i++) {
        struct store_tally *tally = &interner->tally[i];
        if (!tally->dirty)
            continue;
        struct db_stmt *stmt = db_use(cx, interner->db, store_sql, SQL_TALLY_PUT);
        db_bind_int(stmt, 1, (int64_t)i);
        db_bind_int(stmt, 2, tally->next);
        db_bind_int(stmt, 3, tally->live);
        db_bind_int(stmt, 4, tally->versions);
        TRY(db_run(cx, stmt));
        tally->dirty = false;
    }
    return ERR_OK;
}
