/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sort.h"
#include <stdlib.h>

/*
 * By a text, the last change or the id the index stands in order already, so a page costs what it
 * shows however many answers there are. A resource counts at the row that is its key: of several
 * texts the lowest, or the highest when descending. Those without a key, last in any order, are
 * left to sort.c, as is a walk that finds few answers.
 */
enum { CHUNK = 128, SLOTS_MOST = 16 };
size_t sort_walk_most = 10000;
enum { WALK_TEXT, WALK_TEXT_DOWN, WALK_SEQ, WALK_SEQ_DOWN, WALK_ID, WALK_ID_DOWN };

/* clang-format off */
const struct stmt walk_sql[] = {
    [WALK_TEXT] = { "resources from a text on",
        "SELECT at, rid, pid, folded FROM txt WHERE slot=?1 AND (folded, at, rid) > (?2, ?3, ?4) "
        "ORDER BY folded, at, rid LIMIT ?5",
        "SEARCH txt USING PRIMARY KEY (slot=? AND (folded,at,rid)>(?,?,?))" },
    [WALK_TEXT_DOWN] = { "resources from a text back",
        "SELECT at, rid, pid, folded FROM txt WHERE slot=?1 AND (folded, at, rid) < (?2, ?3, ?4) "
        "ORDER BY folded DESC, at DESC, rid DESC LIMIT ?5",
        "SEARCH txt USING PRIMARY KEY (slot=? AND (folded,at,rid)<(?,?,?))" },
    [WALK_SEQ] = { "resources by their last change",
        "SELECT i.at, i.rid, i.pid, v.seq FROM version v CROSS JOIN ident i ON i.rid=v.rid "
        "WHERE v.rid >> 36 = ?1 AND v.seq > ?2 AND i.seq=v.seq AND i.deleted=0 "
        "ORDER BY v.seq LIMIT ?3",
        "SEARCH v USING INDEX version_by_type (<expr>=? AND seq>?)" },
    [WALK_SEQ_DOWN] = { "resources by their last change, newest first",
        "SELECT i.at, i.rid, i.pid, v.seq FROM version v CROSS JOIN ident i ON i.rid=v.rid "
        "WHERE v.rid >> 36 = ?1 AND v.seq < ?2 AND i.seq=v.seq AND i.deleted=0 "
        "ORDER BY v.seq DESC LIMIT ?3",
        "SEARCH v USING INDEX version_by_type (<expr>=? AND seq<?)" },
    [WALK_ID] = { "resources by id",
        "SELECT at, rid, pid, id FROM ident WHERE rid >> 36 = ?1 AND id > ?2 AND deleted=0 "
        "ORDER BY id LIMIT ?3",
        "SEARCH ident USING INDEX ident_by_id (<expr>=? AND id>?)" },
    [WALK_ID_DOWN] = { "resources by id, last first",
        "SELECT at, rid, pid, id FROM ident WHERE rid >> 36 = ?1 AND id < ?2 AND deleted=0 "
        "ORDER BY id DESC LIMIT ?3",
        "SEARCH ident USING INDEX ident_by_id (<expr>=? AND id<?)" },
    { 0 },
};
/* clang-format on */

struct row {
    struct hit hit;
    struct sort_key key;
};
/* One range read a chunk at a time. */
struct reader {
    uint16_t slot;
    struct row rows[CHUNK], last;
    size_t count, next;
    bool started, ended;
};
struct walk {
    struct sorting *sorting;
    const struct query_sort *sort;
    const struct layout_param *param; /* WALK_TEXT */
    size_t statement;
    struct reader *readers;
    size_t readers_count;
    struct query query;
    struct plan plan;
    struct snapshot snapshot;
    struct sort_entry *then; /* what changed since the search began, where it stood */
    size_t then_count, then_next;
};

/* Whether the index stands in the order asked for, and by what. */
static bool choose(struct walk *walk)
{
    const struct search *search = walk->sorting->search;
    const struct query_sort *sort = walk->sort;
    if (walk->sorting->sorts_count != 1 || sort->hops_count ||
        search->request->resource == FHIR_NONE)
        return false;
    bool id = str_eq(sort->code, S("_id")), seq = str_eq(sort->code, S("_lastUpdated"));
    walk->statement = (size_t)(id ? WALK_ID : seq ? WALK_SEQ : WALK_TEXT) + sort->descending;
    walk->readers_count = 1;
    if (id || seq)
        return true;
    const struct index_layout *layout = search->from.layout;
    walk->param = layout_param(layout, search->request->resource, sort->code);
    walk->readers_count = walk->param ? walk->param->slots_count : 0;
    for (uint16_t i = 0; walk->param && i < walk->param->slots_count; i++)
        if (layout->slots[walk->param->slots[i].slot].table != INDEX_TXT)
            return false;
    return walk->readers_count > 0 && walk->readers_count <= SLOTS_MOST;
}

bool sort_walks(const struct sorting *sorting)
{
    struct walk walk = { .sorting = (struct sorting *)(uintptr_t)sorting,
                         .sort = &sorting->sorts[0] };
    return choose(&walk);
}

static void bind_start(struct walk *walk, const struct reader *reader, struct db_stmt *stmt)
{
    bool down = walk->sort->descending, text = walk->param != NULL;
    const struct row *last = &reader->last;
    bool by_seq = walk->statement == WALK_SEQ || walk->statement == WALK_SEQ_DOWN;
    db_bind_int(stmt, 1, text ? reader->slot : walk->plan.query->resource);
    if (by_seq)
        db_bind_int(stmt, 2, reader->started ? last->key.number : down ? INT64_MAX : -1);
    else if (reader->started)
        db_bind_text(stmt, 2, last->key.text);
    else if (down)
        db_bind_blob(stmt, 2, S("")); /* after every text */
    else
        db_bind_text(stmt, 2, S(""));
    if (text) {
        int64_t end = down ? INT64_MAX : INT64_MIN;
        db_bind_int(stmt, 3, reader->started ? last->hit.at : end);
        db_bind_int(stmt, 4, reader->started ? last->hit.rid : end);
    }
    db_bind_int(stmt, text ? 5 : 3, CHUNK);
}

static err refill(struct walk *walk, struct reader *reader)
{
    struct ctx *cx = walk->sorting->cx;
    if (reader->next < reader->count || reader->ended)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, cx->db, walk_sql, walk->statement);
    bind_start(walk, reader, stmt);
    bool by_seq = walk->statement == WALK_SEQ || walk->statement == WALK_SEQ_DOWN;
    reader->next = reader->count = 0;
    for (bool row = true;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        struct row *to = &reader->rows[reader->count++];
        to->hit = (struct hit){ db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) };
        to->key = (struct sort_key){ true, by_seq ? db_int(stmt, 3) : 0, { 0 } };
        if (!by_seq)
            to->key.text = arena_copy(cx->arena, db_text(stmt, 3));
    }
    reader->ended = reader->count < CHUNK;
    if (reader->count)
        reader->last = reader->rows[reader->count - 1];
    reader->started = true;
    return ctx_late(cx);
}

static int compare_rows(struct walk *walk, struct row *a, struct row *b)
{
    const struct sort_entry x = { a->hit.at, a->hit.rid, &a->key };
    const struct sort_entry y = { b->hit.at, b->hit.rid, &b->key };
    return sort_compare(&x, &y, walk->sorting);
}

/* The next row of all readers; *any false at the end. */
static err next_row(struct walk *walk, struct row *out, bool *any)
{
    struct reader *best = NULL;
    for (size_t i = 0; i < walk->readers_count; i++) {
        struct reader *reader = &walk->readers[i];
        TRY(refill(walk, reader));
        if (reader->next < reader->count &&
            (!best || compare_rows(walk, &reader->rows[reader->next],
                                   &best->rows[best->next]) < 0))
            best = reader;
    }
    *any = best != NULL;
    if (best)
        *out = best->rows[best->next++];
    return ERR_OK;
}

/* A resource with several texts counts at one of them. */
static err is_its_key(struct walk *walk, const struct row *row, bool *out)
{
    struct ctx *cx = walk->sorting->cx;
    struct search *search = walk->sorting->search;
    const struct index_layout *layout = search->from.layout;
    struct index_rows rows;
    *out = true;
    if (!walk->param || (walk->readers_count == 1 && layout->slots[walk->readers[0].slot].single))
        return ERR_OK;
    struct arena_mark mark = arena_mark(cx->arena);
    TRY(plan_rows(cx, search->store, layout, row->hit.rid, &rows, out));
    if (*out) {
        struct sort_key key = sort_key_of(walk->param, &rows, walk->sort->descending);
        *out = sort_key_compare(&key, &row->key, false) == 0;
    }
    arena_rewind(cx->arena, mark);
    return ERR_OK;
}

static err is_answer(struct walk *walk, int64_t rid, bool *out)
{
    struct ctx *cx = walk->sorting->cx;
    struct posting one = { .kind = POSTING_RID, .value = rid };
    struct hits found = { 0 };
    TRY(posting_collect(cx, &one, &found));
    *out = found.count > 0;
    return *out ? plan_accepts(cx, walk->sorting->search->store, &walk->plan, &found.list[0], out)
                : ERR_OK;
}

static int compare_then(const void *a, const void *b, void *sorting)
{
    return sort_compare(a, b, sorting);
}

/* What changed since the search began stands where it stood; an id does not change. */
static err read_then(struct walk *walk, const struct sort_entry *after)
{
    struct ctx *cx = walk->sorting->cx;
    struct search *search = walk->sorting->search;
    bool by_id = walk->statement == WALK_ID || walk->statement == WALK_ID_DOWN;
    if (!after || by_id)
        return ERR_OK;
    TRY(snapshot_since(cx, search->store, walk->plan.query->resource, search->began_seq,
                       &walk->snapshot));
    walk->then = arena_array(cx->arena, walk->snapshot.count + 1, sizeof *walk->then);
    for (size_t i = 0; i < walk->snapshot.count; i++) {
        const struct snapshot_was *was = &walk->snapshot.list[i];
        struct sort_key *key = arena_zero(cx->arena, sizeof *key);
        *key = walk->param ? sort_key_of(walk->param, &was->rows, walk->sort->descending)
                           : (struct sort_key){ true, was->seq, { 0 } };
        struct sort_entry entry = { was->rows.at, was->rid, key };
        bool wanted = key->given && sort_compare(&entry, after, walk->sorting) > 0;
        if (wanted)
            TRY(is_answer(walk, was->rid, &wanted));
        if (wanted)
            walk->then[walk->then_count++] = entry;
    }
    if (walk->then_count)
        qsort_r(walk->then, walk->then_count, sizeof *walk->then, compare_then, walk->sorting);
    return ERR_OK;
}

static void keep(struct walk *walk, struct sort_entry entry)
{
    walk->sorting->entries[walk->sorting->count++] = entry;
}

/* Puts an answer on the page, after what stood before it. */
static void keep_row(struct walk *walk, const struct row *row, size_t most)
{
    struct sort_key *key = arena_alloc(walk->sorting->cx->arena, sizeof *key);
    *key = row->key;
    struct sort_entry entry = { row->hit.at, row->hit.rid, key };
    while (walk->then_next < walk->then_count && walk->sorting->count < most &&
           sort_compare(&walk->then[walk->then_next], &entry, walk->sorting) < 0)
        keep(walk, walk->then[walk->then_next++]);
    if (walk->sorting->count < most)
        keep(walk, entry);
}

/* Until the page and one more are full; *full false: the rows ended, or too few were answers. */
static err fill(struct walk *walk, size_t most, bool *full)
{
    struct sorting *sorting = walk->sorting;
    struct row row, before = { 0 };
    bool any = true;
    for (size_t looked = 0; sorting->count < most && looked < sort_walk_most; looked++) {
        TRY(next_row(walk, &row, &any));
        if (!any)
            break;
        bool wanted = row.hit.rid != before.hit.rid &&
                      !snapshot_find(&walk->snapshot, row.hit.rid);
        if (wanted)
            TRY(plan_accepts(sorting->cx, sorting->search->store, &walk->plan, &row.hit, &wanted));
        if (wanted)
            TRY(is_its_key(walk, &row, &wanted));
        before = row;
        if (wanted)
            keep_row(walk, &row, most);
    }
    *full = sorting->count == most;
    return ERR_OK;
}

/* Few matches are sooner gathered than looked for in the order of everything. */
static err plan_walk(struct walk *walk, bool *worth)
{
    struct ctx *cx = walk->sorting->cx;
    struct search *search = walk->sorting->search;
    bool small;
    TRY(search_query(cx, search, search->request->resource, &walk->query));
    walk->query.sorts_count = 0;
    TRY(plan_make(cx, search->store, search->from.layout, &walk->query, &walk->plan));
    TRY(plan_is_small(cx, &walk->plan, &small));
    *worth = !walk->plan.nothing && !small;
    plan_whole(&walk->plan);
    walk->plan.driver = NULL;
    walk->plan.dated_driver = false;
    return ERR_OK;
}

static void start(struct walk *walk, const struct sort_entry *after)
{
    walk->readers = arena_array(walk->sorting->cx->arena, walk->readers_count,
                                sizeof *walk->readers);
    for (size_t i = 0; i < walk->readers_count; i++) {
        struct reader *reader = &walk->readers[i];
        reader->slot = walk->param ? walk->param->slots[i].slot : 0;
        reader->started = after != NULL;
        if (after)
            reader->last = (struct row){ { after->at, after->rid, 0 }, after->keys[0] };
    }
}

err sort_walk(struct sorting *sorting, const struct sort_entry *after, bool *walked)
{
    struct walk *walk = arena_zero(sorting->cx->arena, sizeof *walk);
    size_t most = sorting->search->count + 1;
    *walked = false;
    walk->sorting = sorting;
    walk->sort = &sorting->sorts[0];
    if (!choose(walk) || (after && !after->keys[0].given))
        return ERR_OK;
    TRY(plan_walk(walk, walked));
    if (!*walked)
        return ERR_OK;
    TRY(read_then(walk, after));
    start(walk, after);
    sorting->entries = arena_array(sorting->cx->arena, most, sizeof *sorting->entries);
    TRY(fill(walk, most, walked));
    if (!*walked)
        sorting->count = 0;
    return ERR_OK;
}
