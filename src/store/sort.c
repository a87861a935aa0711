/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"
#include "store/sort.h"
#include <stdlib.h>

/*
 * Answers sorted by any parameter: the index is walked where it stands in that order (sort_walk.c);
 * else all matches are gathered, each gets its keys (sort_key.c), and the page is cut behind the
 * cursor, which holds the keys of the last entry. Both give the same order.
 */
enum { SORT_MOST = 500000 };

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

int sort_compare(const void *left, const void *right, void *self)
{
    const struct sort_entry *a = left, *b = right;
    const struct sorting *sorting = self;
    for (size_t i = 0; i < sorting->sorts_count; i++) {
        int order = sort_key_compare(&a->keys[i], &b->keys[i], sorting->sorts[i].descending);
        if (order)
            return order;
    }
    int by_at = (a->at > b->at) - (a->at < b->at), by_rid = (a->rid > b->rid) - (a->rid < b->rid);
    if (!sorting->as_rows)
        return by_rid;
    int order = by_at ? by_at : by_rid;
    return sorting->sorts[0].descending ? -order : order;
}

/* A later page sees what changed as it was when the search began. */
static void dates_then(struct sorting *sorting, const struct sort_set *set)
{
    for (size_t i = 0; set->snapshots && i < sorting->count; i++) {
        struct sort_entry *entry = &sorting->entries[i];
        const struct snapshot_was *was =
            snapshot_find(&set->snapshots[store_rid_resource(entry->rid)], entry->rid);
        entry->at = was ? was->rows.at : entry->at;
    }
}

static err find_keys(struct sorting *sorting)
{
    struct ctx *cx = sorting->cx;
    int64_t *rids = arena_array(cx->arena, sorting->count, sizeof *rids);
    struct sort_key *keys = arena_array(cx->arena, sorting->count, sizeof *keys);
    for (size_t i = 0; i < sorting->count; i++)
        rids[i] = sorting->entries[i].rid;
    struct sort_set set = { .rids = rids, .count = sorting->count };
    TRY(sort_set_read(cx, sorting->search, &set));
    dates_then(sorting, &set);
    for (size_t s = 0; s < sorting->sorts_count; s++) {
        if (sorting->count)
            memset(keys, 0, sorting->count * sizeof *keys);
        TRY(sort_keys(cx, sorting->search, &sorting->sorts[s], &set, keys));
        for (size_t i = 0; i < sorting->count; i++)
            sorting->entries[i].keys[s] = keys[i];
        TRY(ctx_late(cx));
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

/* "s_SEQ_AT_RID_KEY_KEY...": a key is '-' when missing, else its number and its text in hex. */
static str write_cursor(struct sorting *sorting, const struct sort_entry *entry)
{
    struct buf out = buf_make(sorting->cx->arena, 64 * 1024);
    buf_printf(&out, "s_%lld_", (long long)sorting->search->began_seq);
    if (entry->at == AT_NONE)
        buf_add(&out, S("none"));
    else
        buf_i64(&out, entry->at);
    buf_printf(&out, "_%lld", (long long)entry->rid);
    for (size_t i = 0; i < sorting->sorts_count; i++) {
        const struct sort_key *key = &entry->keys[i];
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

static bool read_key(struct ctx *cx, str text, struct sort_key *out)
{
    *out = (struct sort_key){ 0 };
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

static bool read_at(str text, int64_t *out)
{
    *out = AT_NONE;
    return str_eq(text, S("none")) || str_to_i64(text, out);
}

static err read_cursor(struct sorting *sorting, struct sort_entry *out)
{
    struct ctx *cx = sorting->cx;
    str rest = sorting->search->query.cursor, word = { 0 };
    out->keys = arena_array(cx->arena, sorting->sorts_count, sizeof *out->keys);
    bool good = str_next(&rest, '_', &word) && str_eq(word, S("s")) &&
                str_next(&rest, '_', &word) && str_to_i64(word, &sorting->search->began_seq) &&
                str_next(&rest, '_', &word) && read_at(word, &out->at) &&
                str_next(&rest, '_', &word) && str_to_i64(word, &out->rid);
    for (size_t i = 0; i < sorting->sorts_count && good; i++)
        good = str_next(&rest, '_', &word) && read_key(cx, word, &out->keys[i]);
    if (!good || rest.p)
        return ctx_fail(cx, ERR_INVALID, S("_page"),
                        S("this is not a page of this search; start again without _page"));
    return ERR_OK;
}

static err gather_entries(struct sorting *sorting)
{
    struct ctx *cx = sorting->cx;
    struct hits hits = { 0 };
    TRY(gather_matches(cx, sorting->search, &hits));
    sorting->count = hits.count;
    sorting->entries = arena_array(cx->arena, hits.count, sizeof *sorting->entries);
    struct sort_key *keys = arena_array(cx->arena, hits.count * sorting->sorts_count, sizeof *keys);
    for (size_t i = 0; i < hits.count; i++)
        sorting->entries[i] = (struct sort_entry){ hits.list[i].at, hits.list[i].rid,
                                                   keys + i * sorting->sorts_count };
    TRY(find_keys(sorting));
    if (sorting->count)
        qsort_r(sorting->entries, sorting->count, sizeof *sorting->entries, sort_compare, sorting);
    return ERR_OK;
}

err search_sort(struct ctx *cx, struct search *search)
{
    struct sorting sorting = { .cx = cx, .search = search, .sorts = search->query.sorts,
                               .sorts_count = search->query.sorts_count };
    struct sort_entry after;
    bool later = search->query.cursor.n > 0, walked;
    size_t from = 0;
    sorting.as_rows = sort_walks(&sorting);
    TRY(later ? read_cursor(&sorting, &after) : snapshot_last(cx, &search->began_seq));
    TRY(sort_walk(&sorting, later ? &after : NULL, &walked));
    if (!walked) {
        TRY(gather_entries(&sorting));
        while (later && from < sorting.count &&
               sort_compare(&sorting.entries[from], &after, &sorting) <= 0)
            from++;
        search->whole = from == 0 && sorting.count <= search->count;
        search->page->has_total = true;
        search->page->total = (int64_t)sorting.count;
    }
    bool everything = !search->query.criteria_count && !search->request->compartment.n;
    if (walked && everything && !cx->access) { /* a number the store keeps */
        TRY(search_count(cx, search, &search->page->total));
        search->page->has_total = true;
    }
    for (size_t i = from; i < sorting.count && i < from + search->count; i++)
        hits_add(cx, &search->hits, (struct hit){ .rid = sorting.entries[i].rid });
    if (sorting.count > from + search->count)
        search->next = write_cursor(&sorting, &sorting.entries[from + search->count - 1]);
    return ERR_OK;
}
