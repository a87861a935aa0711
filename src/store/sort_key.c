/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sort_key.h"
#include "store/compile.h"
#include <stdlib.h>

size_t sort_by_rows_most = 400;
enum { KEYS_TOK, KEYS_REF, KEYS_TXT, KEYS_DAY, KEYS_NUM, KEYS_ID, KEYS_SEQ, KEYS_LINK };

/* clang-format off */
const struct stmt sort_sql[] = {
    [KEYS_TOK] = { "codes to sort by",
        "SELECT t.rid, c.code FROM tok t CROSS JOIN code c ON c.cid=t.cid WHERE t.slot=?1",
        "SEARCH t USING PRIMARY KEY (slot=?)" },
    [KEYS_REF] = { "references to sort by",
        "SELECT r.rid, i.id FROM ref r CROSS JOIN ident i ON i.rid=r.target WHERE r.slot=?1",
        "SEARCH r USING PRIMARY KEY (slot=?)" },
    [KEYS_TXT] = { "texts to sort by", "SELECT rid, folded FROM txt WHERE slot=?1",
        "SEARCH txt USING PRIMARY KEY (slot=?)" },
    [KEYS_DAY] = { "dates to sort by", "SELECT rid, lo FROM day WHERE slot=?1",
        "SEARCH day USING PRIMARY KEY (slot=?)" },
    [KEYS_NUM] = { "numbers to sort by", "SELECT rid, value FROM num WHERE slot=?1",
        "SEARCH num USING PRIMARY KEY (slot=?)" },
    [KEYS_ID] = { "id to sort by", "SELECT id FROM ident WHERE rid=?1",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid=?)" },
    [KEYS_SEQ] = { "last change to sort by", "SELECT seq FROM ident WHERE rid=?1",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid=?)" },
    [KEYS_LINK] = { "references to follow", "SELECT rid, target FROM ref WHERE slot=?1",
        "SEARCH ref USING PRIMARY KEY (slot=?)" },
    { 0 },
};
/* clang-format on */

/* One sort over one set, from the hop it has reached. */
struct level {
    struct ctx *cx;
    struct search *search;
    const struct query_sort *sort;
    size_t hop;
    const struct sort_set *set;
    struct sort_key *keys;
};

/* A double as an integer of the same order. */
static int64_t ordered_bits(double value)
{
    int64_t bits;
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

int sort_key_compare(const struct sort_key *a, const struct sort_key *b, bool descending)
{
    if (!a->given || !b->given)
        return (int)b->given - (int)a->given;
    int order = (a->number > b->number) - (a->number < b->number);
    order = order ? order : str_cmp(a->text, b->text);
    return descending ? -order : order;
}

/* True: it is now the key. */
static bool is_better(struct sort_key *now, struct sort_key key, bool descending)
{
    bool better = !now->given || sort_key_compare(&key, now, descending) < 0;
    if (better)
        *now = key;
    return better;
}

static bool offer(struct level *level, size_t at, struct sort_key key)
{
    return is_better(&level->keys[at], key, level->sort->descending);
}

static struct sort_key key_of_row(const struct index_row *row)
{
    switch ((enum index_table)row->table) {
    case INDEX_TXT: return (struct sort_key){ true, 0, row->system };
    case INDEX_DAY: return (struct sort_key){ true, row->lo, { 0 } };
    case INDEX_NUM: return (struct sort_key){ true, ordered_bits(row->number), { 0 } };
    default: return (struct sort_key){ true, 0, row->text };
    }
}

static bool reads(const struct layout_param *param, const struct index_row *row)
{
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].slot == row->slot &&
            (param->slots[i].target == FHIR_NONE || param->slots[i].target == row->target))
            return true;
    return false;
}

/* Where a rid stands, or where it would. */
static size_t place_of(const struct sort_set *set, int64_t rid)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->rids[middle] < rid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool find_place(const struct sort_set *set, int64_t rid, size_t *at)
{
    *at = place_of(set, rid);
    return *at < set->count && set->rids[*at] == rid;
}

/* The set's stretch of one type; false when there is none. */
static bool stretch(const struct sort_set *set, uint16_t resource, size_t *from, size_t *to)
{
    *from = place_of(set, store_rid(resource, 0));
    *to = place_of(set, store_rid((uint16_t)(resource + 1), 0));
    return *from < *to;
}

static const struct snapshot_was *was_of(const struct sort_set *set, int64_t rid)
{
    return set->snapshots ? snapshot_find(&set->snapshots[store_rid_resource(rid)], rid) : NULL;
}

static bool born_since(const struct sort_set *set, int64_t rid)
{
    return set->linked && set->snapshots &&
           snapshot_born(&set->snapshots[store_rid_resource(rid)], rid);
}

static err read_rows(struct ctx *cx, struct search *search, struct sort_set *set)
{
    set->rows = arena_array(cx->arena, set->count + 1, sizeof *set->rows);
    for (size_t i = 0; i < set->count; i++) {
        const struct snapshot_was *was = was_of(set, set->rids[i]);
        bool found;
        if (was)
            set->rows[i] = was->rows;
        else if (!born_since(set, set->rids[i]))
            TRY(plan_rows(cx, search->store, search->from.layout, set->rids[i], &set->rows[i],
                          &found));
    }
    return ERR_OK;
}

static err read_snapshots(struct ctx *cx, struct search *search, struct sort_set *set)
{
    size_t from, to;
    if (!search->query.cursor.n)
        return ERR_OK;
    set->snapshots = arena_array(cx->arena, STORE_TYPES_MAX, sizeof *set->snapshots);
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if (stretch(set, r, &from, &to))
            TRY(snapshot_since(cx, search->store, r, search->began_seq, &set->snapshots[r]));
    return ERR_OK;
}

err sort_set_read(struct ctx *cx, struct search *search, struct sort_set *set)
{
    TRY(read_snapshots(cx, search, set));
    return set->count <= sort_by_rows_most ? read_rows(cx, search, set) : ERR_OK;
}

/* --- a resource's own keys --- */

static const struct layout_param *param_of(const struct level *level, uint16_t resource)
{
    str code = level->hop < level->sort->hops_count ? level->sort->hops[level->hop].code
                                                    : level->sort->code;
    return layout_param(level->search->from.layout, resource, code);
}

struct sort_key sort_key_of(const struct layout_param *param, const struct index_rows *rows,
                            bool descending)
{
    struct sort_key key = { 0 };
    for (size_t i = 0; i < rows->count; i++)
        if (reads(param, &rows->rows[i]))
            is_better(&key, key_of_row(&rows->rows[i]), descending);
    return key;
}

static void keys_from_rows(struct level *level, size_t at, const struct index_rows *rows)
{
    const struct layout_param *param = param_of(level, store_rid_resource(level->set->rids[at]));
    if (param)
        level->keys[at] = sort_key_of(param, rows, level->sort->descending);
}

/* Many: one pass over the parameter's slot. */
static err keys_from_slot(struct level *level, uint16_t slot)
{
    struct ctx *cx = level->cx;
    static const size_t statements[INDEX_TABLES] = { KEYS_TOK, KEYS_REF, KEYS_TXT, KEYS_DAY,
                                                     KEYS_NUM };
    uint8_t table = level->search->from.layout->slots[slot].table;
    struct db_stmt *stmt = db_use(cx, cx->db, sort_sql, statements[table]);
    db_bind_int(stmt, 1, slot);
    for (;;) {
        bool row;
        size_t at;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (!find_place(level->set, db_int(stmt, 0), &at))
            continue;
        struct sort_key key = { .given = true };
        if (table == INDEX_DAY)
            key.number = index_at_lo(db_int(stmt, 1));
        else if (table == INDEX_NUM)
            key.number = ordered_bits(db_real(stmt, 1));
        else
            key.text = db_text(stmt, 1);
        if (offer(level, at, key))
            level->keys[at].text = arena_copy(cx->arena, key.text);
    }
}

/* The id's text, or for _lastUpdated the place in the log. */
static err keys_from_ident(struct level *level, bool id)
{
    struct ctx *cx = level->cx;
    for (size_t e = 0; e < level->set->count; e++) {
        const struct snapshot_was *was = was_of(level->set, level->set->rids[e]);
        struct db_stmt *stmt = db_use(cx, cx->db, sort_sql, id ? KEYS_ID : KEYS_SEQ);
        bool row;
        db_bind_int(stmt, 1, level->set->rids[e]);
        TRY(db_step(cx, stmt, &row));
        if (row)
            level->keys[e] = id ? (struct sort_key){ true, 0, arena_copy(cx->arena,
                                                                         db_text(stmt, 0)) }
                                : (struct sort_key){ true, was ? was->seq : db_int(stmt, 0),
                                                     { 0 } };
        db_reset(stmt);
    }
    return ERR_OK;
}

/* What changed since the search began: as it was then. */
static void keys_then(struct level *level)
{
    for (size_t e = 0; level->set->snapshots && e < level->set->count; e++) {
        const struct snapshot_was *was = was_of(level->set, level->set->rids[e]);
        if (!was && !born_since(level->set, level->set->rids[e]))
            continue;
        level->keys[e] = (struct sort_key){ 0 };
        if (was)
            keys_from_rows(level, e, &was->rows);
    }
}

static err own_keys(struct level *level)
{
    const struct sort_set *set = level->set;
    bool id = str_eq(level->sort->code, S("_id"));
    if (id || str_eq(level->sort->code, S("_lastUpdated")))
        return keys_from_ident(level, id);
    for (size_t e = 0; set->rows && e < set->count; e++)
        keys_from_rows(level, e, &set->rows[e]);
    if (set->rows)
        return ERR_OK;
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        size_t from, to;
        const struct layout_param *param = stretch(set, r, &from, &to) ? param_of(level, r) : NULL;
        for (uint16_t i = 0; param && i < param->slots_count; i++)
            TRY(keys_from_slot(level, param->slots[i].slot));
    }
    keys_then(level);
    return ERR_OK;
}

/* --- through references --- */

struct link {
    int64_t to;
    size_t from; /* place in the level's set */
};
struct links {
    struct link *list;
    size_t count, cap;
};

static void add_link(struct ctx *cx, struct links *links, struct link link)
{
    links->list = arena_grow(cx->arena, links->list, links->count, &links->cap, sizeof link);
    links->list[links->count++] = link;
}

static int compare_links(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    return (x->to > y->to) - (x->to < y->to);
}

static err links_from_rows(struct level *level, size_t at, const struct index_rows *rows,
                           struct links *out)
{
    const struct layout_param *param = param_of(level, store_rid_resource(level->set->rids[at]));
    uint16_t type = level->sort->hops[level->hop].type;
    for (size_t i = 0; param && i < rows->count; i++) {
        const struct index_row *row = &rows->rows[i];
        int64_t to;
        if (row->table != INDEX_REF || row->target == INDEX_ELSEWHERE || !reads(param, row) ||
            (type != FHIR_NONE && row->target != type))
            continue;
        TRY(compile_rid(level->cx, row->target, row->text, &to));
        if (to)
            add_link(level->cx, out, (struct link){ to, at });
    }
    return ERR_OK;
}

static bool leads_to(const struct level *level, const struct layout_param_slot *slot, int64_t to)
{
    uint16_t resource = store_rid_resource(to), type = level->sort->hops[level->hop].type;
    return resource != INDEX_ELSEWHERE && (type == FHIR_NONE || resource == type) &&
           (slot->target == FHIR_NONE || resource == slot->target);
}

static err links_from_slot(struct level *level, const struct layout_param_slot *slot,
                           struct links *out)
{
    struct ctx *cx = level->cx;
    struct db_stmt *stmt = db_use(cx, cx->db, sort_sql, KEYS_LINK);
    db_bind_int(stmt, 1, slot->slot);
    for (;;) {
        bool row;
        size_t at;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        int64_t to = db_int(stmt, 1);
        if (leads_to(level, slot, to) && find_place(level->set, db_int(stmt, 0), &at) &&
            !was_of(level->set, level->set->rids[at]))
            add_link(cx, out, (struct link){ to, at });
    }
}

static err find_links(struct level *level, struct links *out)
{
    const struct sort_set *set = level->set;
    size_t from, to;
    for (size_t e = 0; e < set->count; e++) {
        const struct snapshot_was *was = was_of(set, set->rids[e]);
        if (set->rows)
            TRY(links_from_rows(level, e, &set->rows[e], out));
        else if (was)
            TRY(links_from_rows(level, e, &was->rows, out));
    }
    for (uint16_t r = 0; !set->rows && r < fhir_resources_count; r++) {
        const struct layout_param *param = stretch(set, r, &from, &to) ? param_of(level, r) : NULL;
        for (uint16_t i = 0; param && i < param->slots_count; i++)
            if (level->search->from.layout->slots[param->slots[i].slot].table == INDEX_REF)
                TRY(links_from_slot(level, &param->slots[i], out));
    }
    if (out->count)
        qsort(out->list, out->count, sizeof *out->list, compare_links);
    return ctx_late(level->cx);
}

/* Leaves out what is not there, or not for the asker: it must not show in the order either. */
static err keep_visible(struct level *level, struct sort_set *set, int64_t *rids)
{
    struct ctx *cx = level->cx;
    struct plan plan = { 0 };
    struct query all = { .resource = FHIR_NONE };
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct posting one = { .kind = POSTING_RID, .value = rids[i] };
        struct hits hits = { 0 };
        bool seen = was_of(set, rids[i]) != NULL;
        if (store_rid_resource(rids[i]) != all.resource) {
            all.resource = store_rid_resource(rids[i]);
            TRY(plan_make(cx, level->search->store, level->search->from.layout, &all, &plan));
        }
        struct arena_mark mark = arena_mark(cx->arena);
        if (!seen && !plan.nothing && !born_since(set, rids[i]))
            TRY(posting_collect(cx, &one, &hits));
        if (hits.count)
            TRY(plan_accepts(cx, level->search->store, &plan, &hits.list[0], &seen));
        arena_rewind(cx->arena, mark);
        if (seen)
            rids[kept++] = rids[i];
    }
    set->count = kept;
    return ERR_OK;
}

static err level_keys(struct level *level);

/* The keys of what is referred to, offered to what refers to it. */
static err linked_keys(struct level *level)
{
    struct ctx *cx = level->cx;
    struct links links = { 0 };
    TRY(find_links(level, &links));
    int64_t *rids = arena_array(cx->arena, links.count, sizeof *rids);
    struct sort_set set = { .rids = rids, .linked = true };
    for (size_t i = 0; i < links.count; i++)
        if (!set.count || rids[set.count - 1] != links.list[i].to)
            rids[set.count++] = links.list[i].to;
    TRY(read_snapshots(cx, level->search, &set));
    TRY(keep_visible(level, &set, rids));
    if (set.count <= sort_by_rows_most)
        TRY(read_rows(cx, level->search, &set));
    struct level next = *level;
    next.hop++;
    next.set = &set;
    next.keys = arena_array(cx->arena, set.count, sizeof *next.keys);
    TRY(level_keys(&next));
    for (size_t i = 0; i < links.count; i++) {
        size_t at;
        if (find_place(&set, links.list[i].to, &at) && next.keys[at].given)
            offer(level, links.list[i].from, next.keys[at]);
    }
    return ERR_OK;
}

static err level_keys(struct level *level)
{
    return level->hop < level->sort->hops_count ? linked_keys(level) : own_keys(level);
}

err sort_keys(struct ctx *cx, struct search *search, const struct query_sort *sort,
              const struct sort_set *set, struct sort_key *keys)
{
    struct level level = { .cx = cx, .search = search, .sort = sort, .set = set, .keys = keys };
    return level_keys(&level);
}
