/* SPDX-License-Identifier: Apache-2.0 */
#include "store/own.h"

const char own_schema[] =
    "CREATE TABLE IF NOT EXISTS own_param(slot INTEGER PRIMARY KEY, resource INTEGER NOT NULL,"
    " code TEXT NOT NULL, kind INTEGER NOT NULL, expression TEXT NOT NULL, url TEXT NOT NULL,"
    " source INTEGER NOT NULL, state INTEGER NOT NULL, wanted INTEGER NOT NULL,"
    " at_rid INTEGER NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL);";

enum { OWN_ALL };
static const struct stmt own_sql[] = {
    [OWN_ALL] = { "the server's own parameters",
        "SELECT slot, resource, code, kind, expression, url, source, state, wanted, done, total "
        "FROM own_param ORDER BY slot", NULL },
    { 0 },
};

const struct own_set *own_current(const struct index_layout *layout)
{
    return atomic_load_explicit(&layout->own, memory_order_acquire);
}

int64_t own_generation(const struct index_layout *layout)
{
    const struct own_set *set = own_current(layout);
    return set ? set->generation : 0;
}

const struct own_param *own_find(const struct index_layout *layout, uint16_t resource, str code)
{
    const struct own_set *set = own_current(layout);
    for (size_t i = 0; set && i < set->types[resource].count; i++)
        if (str_eq(set->types[resource].list[i]->indexed.code, code))
            return set->types[resource].list[i];
    return NULL;
}

static const struct own_param *find_slot(const struct own_set *set, uint16_t resource,
                                         uint16_t slot)
{
    for (size_t i = 0; set && i < set->types[resource].count; i++)
        if (set->types[resource].list[i]->slot == slot)
            return set->types[resource].list[i];
    return NULL;
}

/* A row of own_param as it is published. Its program is the last set's when there is one. */
static err make_param(struct ctx *cx, struct store *store, struct db_stmt *row,
                      enum own_state state, const struct own_param **out)
{
    struct arena *arena = &store->own_arena;
    uint16_t resource = (uint16_t)db_int(row, 1), slot = (uint16_t)db_int(row, 0);
    const struct own_param *last = find_slot(own_current(store->layout), resource, slot);
    *out = last;
    if (last && last->state == state && str_eq(last->url, db_text(row, 5)) &&
        last->source == db_int(row, 6))
        return ERR_OK;
    struct own_param *param = arena_zero(arena, sizeof *param);
    struct layout_param common = {
        .code = arena_copy(arena, db_text(row, 2)), .resource = resource,
        .kind = (enum fhir_search_kind)db_int(row, 3), .slots_count = 1, .slots_cap = 1,
        .expression = arena_copy(arena, db_text(row, 4)), .identifier_slot = FHIR_NONE,
        .own = param,
    };
    struct ctx inner = *cx;
    inner.arena = arena;
    param->composite = last ? last->composite : NULL;
    if (last)
        param->path = last->path;
    else if (common.kind == FHIR_SEARCH_COMPOSITE)
        TRY(own_composite_make(&inner, common.expression, resource, &param->path,
                               &param->composite));
    else
        TRY(path_compile(&inner, common.expression, &param->path));
    param->indexed = param->slow = common;
    param->slots[0] = (struct layout_param_slot){ slot, FHIR_NONE };
    param->slots[1] = (struct layout_param_slot){ 0, FHIR_NONE };
    param->indexed.slots = &param->slots[0];
    param->slow.slots = &param->slots[1];
    param->slow.path = param->path;
    param->url = arena_copy(arena, db_text(row, 5));
    param->source = db_int(row, 6);
    param->state = state;
    param->slot = slot;
    *out = param;
    return ERR_OK;
}

static void add_param(struct arena *arena, struct own_type *type, const struct own_param *param)
{
    const struct own_param **list = arena_array(arena, type->count + 1, sizeof *list);
    if (type->count)
        memcpy(list, type->list, type->count * sizeof *list);
    list[type->count++] = param;
    type->list = list;
}

/* A parameter being dropped is not one, unless it is to come back. */
static err read_set(struct ctx *cx, struct store *store, struct db *db, struct own_set *set)
{
    struct db_stmt *stmt = db_use(cx, db, own_sql, OWN_ALL);
    for (bool row = true;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        enum own_state state = (enum own_state)db_int(stmt, 7);
        const struct own_param *param;
        if (state == OWN_DROPPING && !db_int(stmt, 8))
            continue;
        str key = arena_copy(cx->arena, store->layout->slots[db_int(stmt, 0)].key);
        if (!layout_own_slot(store->layout, key, (uint16_t)db_int(stmt, 1),
                             own_row_kind((enum fhir_search_kind)db_int(stmt, 3),
                                          db_text(stmt, 4))))
            continue;
        err bad = make_param(cx, store, stmt, state == OWN_DROPPING ? OWN_WAITING : state, &param);
        if (bad) {
            db_reset(stmt);
            return bad;
        }
        add_param(&store->own_arena, &set->types[param->indexed.resource], param);
        set->count++;
    }
}

err own_publish(struct ctx *cx, struct store *store, struct db *db)
{
    struct own_set *set = arena_zero(&store->own_arena, sizeof *set);
    set->types = arena_array(&store->own_arena, fhir_resources_count, sizeof *set->types);
    set->generation = own_generation(store->layout) + 1;
    TRY(read_set(cx, store, db, set));
    atomic_store_explicit(&store->layout->own, set, memory_order_release);
    return ERR_OK;
}

err own_list(struct ctx *cx, struct store *store, struct own_status **out, size_t *count)
{
    size_t cap = 0;
    bool borrowed;
    *out = NULL;
    *count = 0;
    TRY(store_borrow(cx, store, &borrowed));
    struct db_stmt *stmt = db_use(cx, cx->db, own_sql, OWN_ALL);
    for (bool row = true; row;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        enum own_state state = (enum own_state)db_int(stmt, 7);
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        (*out)[(*count)++] = (struct own_status){
            .code = arena_copy(cx->arena, db_text(stmt, 2)),
            .kind = own_kind_name((enum fhir_search_kind)db_int(stmt, 3)),
            .url = arena_copy(cx->arena, db_text(stmt, 5)),
            .resource = (uint16_t)db_int(stmt, 1), .source = db_int(stmt, 6),
            .done = db_int(stmt, 9), .total = db_int(stmt, 10),
            .state = state == OWN_DROPPING && db_int(stmt, 8) ? OWN_WAITING : state };
    }
    store_give_back(cx, store, borrowed);
    return ERR_OK;
}

const char *own_state_name(enum own_state state)
{
    static const char *const names[] = { "waiting", "building", "active", "dropping" };
    return names[state];
}
