/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search_run.h"
#include "store/compile.h"
#include <stdlib.h>

/*
 * Answers sorted by any parameter: all matches are gathered, each gets its keys, and the page is
 * cut behind the cursor, which holds the keys of the last entry. Of several values a resource sorts
 * by its lowest, or its highest when descending; one without any comes last either way.
 */
enum { SORT_MOST = 500000, BY_ROWS_MOST = 400 };
enum { KEYS_TOK, KEYS_REF, KEYS_TXT, KEYS_DAY, KEYS_NUM, KEYS_ID, KEYS_SEQ };

/* clang-format off */
static const struct stmt sort_sql[] = {
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
    { 0 },
};
/* clang-format on */

struct key {
    bool given;
    int64_t number; /* dates as at-keys, numbers as ordered bits */
    str text;
};
struct entry {
    int64_t rid;
    struct key *keys;
};
struct sorting {
    struct ctx *cx;
    struct search *search;
    const struct query_sort *sorts;
    size_t sorts_count;
    struct entry *entries; /* by rid while the keys are found */
    size_t count;
};

bool search_is_sorted(const struct search *search)
{
    const struct query *query = &search->query;
    if (!query->sorts_count)
        return false;
    if (search->request->resource == FHIR_NONE || query->sorts_count > 1)
        return true;
    const struct layout_param *at = search->from.layout->types[query->resource].at_param;
    return !at || query->sorts[0].param != at;
}

/* A double as an integer of the same order. */
static int64_t ordered_bits(double value)
{
    int64_t bits;
    value = value == 0 ? 0 : value;
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static int compare_keys(const struct key *a, const struct key *b, bool descending)
{
    if (!a->given || !b->given)
        return (int)b->given - (int)a->given;
    int order = (a->number > b->number) - (a->number < b->number);
    order = order ? order : str_cmp(a->text, b->text);
    return descending ? -order : order;
}

static int compare_entries(const void *left, const void *right, void *self)
{
    const struct entry *a = left, *b = right;
    const struct sorting *sorting = self;
    for (size_t i = 0; i < sorting->sorts_count; i++) {
        int order = compare_keys(&a->keys[i], &b->keys[i], sorting->sorts[i].descending);
        if (order)
            return order;
    }
    return (a->rid > b->rid) - (a->rid < b->rid);
}

static void offer(struct entry *entry, size_t which, struct key key, bool descending)
{
    struct key *now = &entry->keys[which];
    if (!now->given || compare_keys(&key, now, descending) < 0)
        *now = key;
}

static struct key key_of_row(const struct index_row *row)
{
    switch ((enum index_table)row->table) {
    case INDEX_TXT: return (struct key){ true, 0, row->system };
    case INDEX_DAY: return (struct key){ true, index_day_key(row), { 0 } };
    case INDEX_NUM: return (struct key){ true, ordered_bits(row->number), { 0 } };
    default: return (struct key){ true, 0, row->text };
    }
}

static bool reads(const struct layout_param *param, const struct index_row *row)
{
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].slot == row->slot)
            return true;
    return false;
}

/* Few matches: their keys from their own rows. */
static err keys_from_rows(struct sorting *sorting)
{
    struct ctx *cx = sorting->cx;
    for (size_t e = 0; e < sorting->count; e++) {
        struct index_rows rows;
        bool found;
        struct entry *entry = &sorting->entries[e];
        TRY(plan_rows(cx, sorting->search->store, sorting->search->from.layout, entry->rid, &rows,
                      &found));
        const struct layout_type *type =
            &sorting->search->from.layout->types[store_rid_resource(entry->rid)];
        for (size_t s = 0; found && s < sorting->sorts_count; s++) {
            const struct query_sort *sort = &sorting->sorts[s];
            const struct layout_param *param =
                sort->param ? layout_param(sorting->search->from.layout,
                                           (uint16_t)(type - sorting->search->from.layout->types),
                                           sort->param->code) : NULL;
            for (size_t i = 0; param && i < rows.count; i++)
                if (reads(param, &rows.rows[i]))
                    offer(entry, s, key_of_row(&rows.rows[i]), sort->descending);
        }
    }
    return ERR_OK;
}

static struct entry *find_entry(struct sorting *sorting, int64_t rid)
{
    size_t low = 0, high = sorting->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorting->entries[middle].rid < rid)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < sorting->count && sorting->entries[low].rid == rid;
    return found ? &sorting->entries[low] : NULL;
}

/* Many matches: one pass over the parameter's slot. */
static err keys_from_slot(struct sorting *sorting, size_t which, uint16_t slot)
{
    struct ctx *cx = sorting->cx;
    static const size_t statements[INDEX_TABLES] = { KEYS_TOK, KEYS_REF, KEYS_TXT, KEYS_DAY,
                                                     KEYS_NUM };
    uint8_t table = sorting->search->from.layout->slots[slot].table;
    struct db_stmt *stmt = db_use(cx, cx->db, sort_sql, statements[table]);
    bool descending = sorting->sorts[which].descending;
    db_bind_int(stmt, 1, slot);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        struct entry *entry = find_entry(sorting, db_int(stmt, 0));
        if (!entry)
            continue;
        struct key key = { .given = true };
        if (table == INDEX_DAY)
            key.number = db_int(stmt, 1);
        else if (table == INDEX_NUM)
            key.number = ordered_bits(db_real(stmt, 1));
        else
            key.text = db_text(stmt, 1);
        if (!entry->keys[which].given ||
            compare_keys(&key, &entry->keys[which], descending) < 0) {
            key.text = arena_copy(cx->arena, key.text);
            entry->keys[which] = key;
        }
    }
}

/* The id's text, or for _lastUpdated the place in the log. */
static err keys_from_ident(struct sorting *sorting, size_t which)
{
    struct ctx *cx = sorting->cx;
    bool id = sorting->sorts[which].param == NULL;
    for (size_t e = 0; e < sorting->count; e++) {
        struct db_stmt *stmt = db_use(cx, cx->db, sort_sql, id ? KEYS_ID : KEYS_SEQ);
        bool row;
        db_bind_int(stmt, 1, sorting->entries[e].rid);
        TRY(db_step(cx, stmt, &row));
        if (row)
            sorting->entries[e].keys[which] =
                id ? (struct key){ true, 0, arena_copy(cx->arena, db_text(stmt, 0)) }
                   : (struct key){ true, db_int(stmt, 0), { 0 } };
        db_reset(stmt);
    }
    return ERR_OK;
}

static void key_then(struct sorting *sorting, const struct snapshot_was *was, size_t which)
{
    const struct query_sort *sort = &sorting->sorts[which];
    struct entry *entry = find_entry(sorting, was->rid);
    if (!entry || !sort->param) /* an id never changes */
        return;
    if (!sort->param->slots_count) { /* _lastUpdated */
        entry->keys[which] = (struct key){ true, was->seq, { 0 } };
        return;
    }
    const struct layout_param *param = layout_param(
        sorting->search->from.layout, store_rid_resource(was->rid), sort->param->code);
    entry->keys[which] = (struct key){ 0 };
    for (size_t r = 0; param && r < was->rows.count; r++)
        if (reads(param, &was->rows.rows[r]))
            offer(entry, which, key_of_row(&was->rows.rows[r]), sort->descending);
}

/* Keys of what changed since the search began: as they were then. */
static err keys_then(struct sorting *sorting)
{
    struct search *search = sorting->search;
    for (size_t t = 0; t < search->types_count; t++) {
        struct snapshot snapshot;
        TRY(snapshot_since(sorting->cx, search->store, search->types[t], search->began_seq,
                           &snapshot));
        for (size_t i = 0; i < snapshot.count; i++)
            for (size_t s = 0; s < sorting->sorts_count; s++)
                key_then(sorting, &snapshot.list[i], s);
    }
    return ERR_OK;
}

static err find_keys(struct sorting *sorting)
{
    bool by_rows = sorting->count <= BY_ROWS_MOST;
    if (by_rows)
        TRY(keys_from_rows(sorting));
    for (size_t s = 0; s < sorting->sorts_count; s++) {
        const struct query_sort *sort = &sorting->sorts[s];
        if (!sort->param || !sort->param->slots_count)
            TRY(keys_from_ident(sorting, s));
        for (size_t t = 0; !by_rows && sort->param && t < sorting->search->types_count; t++) {
            const struct layout_param *param = layout_param(
                sorting->search->from.layout, sorting->search->types[t], sort->param->code);
            for (uint16_t i = 0; param && i < param->slots_count; i++)
                TRY(keys_from_slot(sorting, s, param->slots[i].slot));
        }
    }
    return ERR_OK;
}

static err gather_matches(struct ctx *cx, struct search *search, struct hits *out)
{
    for (size_t t = 0; t < search->types_count; t++) {
        struct query *query = arena_zero(cx->arena, sizeof *query);
        struct compile on = { cx, search->store, search->from.layout, query };
        TRY(search_query(cx, search, search->types[t], query));
        query->sorts_count = 0;
        TRY(compile_matches(&on, query, SORT_MOST - out->count, out));
    }
    hits_sort(out, ORDER_RID);
    return ERR_OK;
}

/* "s_SEQ_RID_KEY_KEY...": a key is '-' when missing, else its number and its text in hex. */
static str write_cursor(struct sorting *sorting, const struct entry *entry)
{
    struct buf out = buf_make(sorting->cx->arena, 64 * 1024);
    buf_printf(&out, "s_%lld_%lld", (long long)sorting->search->began_seq,
               (long long)entry->rid);
    for (size_t i = 0; i < sorting->sorts_count; i++) {
        const struct key *key = &entry->keys[i];
        if (!key->given) {
            buf_add(&out, S("_-"));
            continue;
        }
        buf_printf(&out, "_%lld.", (long long)key->number);
        for (size_t c = 0; c < key->text.n; c++)
            buf_printf(&out, "%02x", (unsigned char)key->text.p[c]);
    }
    return buf_str(&out);
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_key(struct ctx *cx, str text, struct key *out)
{
    *out = (struct key){ 0 };
    if (str_eq(text, S("-")))
        return true;
    str number, rest = text;
    if (!str_next(&rest, '.', &number) || !str_to_i64(number, &out->number) || rest.n % 2)
        return false;
    char *p = arena_alloc(cx->arena, rest.n / 2 + 1);
    for (size_t i = 0; i < rest.n; i += 2) {
        int high = nibble(rest.p[i]), low = nibble(rest.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        p[i / 2] = (char)(high * 16 + low);
    }
    out->given = true;
    out->text = (str){ p, rest.n / 2 };
    return true;
}

static err read_cursor(struct sorting *sorting, struct entry *out)
{
    struct ctx *cx = sorting->cx;
    str rest = sorting->search->query.cursor, word = { 0 };
    out->keys = arena_array(cx->arena, sorting->sorts_count, sizeof *out->keys);
    bool good = str_next(&rest, '_', &word) && str_eq(word, S("s")) &&
                str_next(&rest, '_', &word) && str_to_i64(word, &sorting->search->began_seq) &&
                str_next(&rest, '_', &word) && str_to_i64(word, &out->rid);
    for (size_t i = 0; i < sorting->sorts_count && good; i++)
        good = str_next(&rest, '_', &word) && read_key(cx, word, &out->keys[i]);
    if (!good || rest.p)
        return ctx_fail(cx, ERR_INVALID, S("_page"),
                        S("this is not a page of this search; start again without _page"));
    return ERR_OK;
}

err search_sort(struct ctx *cx, struct search *search)
{
    struct hits hits = { 0 };
    struct sorting sorting = { .cx = cx, .search = search, .sorts = search->query.sorts,
                               .sorts_count = search->query.sorts_count };
    TRY(gather_matches(cx, search, &hits));
    sorting.count = hits.count;
    sorting.entries = arena_array(cx->arena, hits.count, sizeof *sorting.entries);
    struct key *keys = arena_array(cx->arena, hits.count * sorting.sorts_count, sizeof *keys);
    for (size_t i = 0; i < hits.count; i++)
        sorting.entries[i] = (struct entry){ hits.list[i].rid, keys + i * sorting.sorts_count };
    TRY(find_keys(&sorting));
    struct entry after;
    TRY(search->query.cursor.n ? read_cursor(&sorting, &after)
                               : snapshot_last(cx, &search->began_seq));
    if (search->query.cursor.n)
        TRY(keys_then(&sorting));
    if (sorting.count)
        qsort_r(sorting.entries, sorting.count, sizeof *sorting.entries, compare_entries,
                &sorting);
    size_t from = 0;
    while (search->query.cursor.n && from < sorting.count &&
           compare_entries(&sorting.entries[from], &after, &sorting) <= 0)
        from++;
    search->whole = from == 0 && sorting.count <= search->count;
    for (size_t i = from; i < sorting.count && i < from + search->count; i++)
        hits_add(cx, &search->hits, (struct hit){ .rid = sorting.entries[i].rid });
    if (sorting.count > from + search->count)
        search->next = write_cursor(&sorting, &sorting.entries[from + search->count - 1]);
    search->page->has_total = true;
    search->page->total = (int64_t)sorting.count;
    return ERR_OK;
}
