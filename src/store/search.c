/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search_run.h"
#include "store/compile.h"
#include <stdio.h>

enum { COUNT_DEFAULT = 50, COUNT_MAX = 1000 };

/*
 * A cursor is what the next page starts after: "d_TYPE_AT_RID_SEQ" for answers in the order of
 * clinical dates, "i_TYPE_AT_RID_SEQ_KEY..." for those in the order of a range, "s_..." for sorted
 * ones (sort.c), "c_..." for contained ones (contained.c).
 * SEQ is the log's end when the search began. The server keeps nothing, so it never expires.
 */
static err bad_cursor(struct ctx *cx)
{
    return ctx_fail(cx, ERR_INVALID, S("_page"),
                    S("this is not a page of this search; start again without _page"));
}

static bool read_at(str text, int64_t *out)
{
    *out = AT_NONE;
    return str_eq(text, S("none")) || str_to_i64(text, out);
}

static bool read_key(str rest, struct index_key *out)
{
    str word;
    int64_t number[5], *fields[] = { &number[0], &out->by, &out->unit, &out->at, &number[1] };
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!str_next(&rest, '_', &word) || !read_at(word, fields[i]))
            return false;
    out->slot = (uint16_t)number[0];
    memcpy(&out->value, &number[1], sizeof out->value);
    return !rest.p && out->value == out->value;
}

static err read_cursor(struct ctx *cx, struct search *search, size_t *type,
                       struct place *after)
{
    str rest = search->query.cursor, seq, word[4] = { { 0 } };
    int64_t *began = &search->began_seq;
    uint64_t resource;
    for (size_t i = 0; i < COUNT(word); i++)
        str_next(&rest, '_', &word[i]);
    bool keyed = str_eq(word[0], S("i"));
    if (!str_next(&rest, '_', &seq) || !str_to_i64(seq, began))
        return bad_cursor(cx);
    if ((!keyed && !str_eq(word[0], S("d"))) || !str_to_u64(word[1], &resource) ||
        !read_at(word[2], &after->hit.at) || !str_to_i64(word[3], &after->hit.rid) ||
        (keyed && !read_key(rest, &after->key)))
        return bad_cursor(cx);
    after->key.rid = after->hit.rid;
    for (size_t i = 0; i < search->types_count; i++)
        if (search->types[i] == resource) {
            *type = i;
            return ERR_OK;
        }
    return bad_cursor(cx);
}

static void put_at(struct buf *out, int64_t at)
{
    buf_char(out, '_');
    if (at == AT_NONE)
        buf_add(out, S("none"));
    else
        buf_i64(out, at);
}

static str write_cursor(struct ctx *cx, const struct place *place, int64_t began_seq)
{
    struct buf out = buf_make(cx->arena, 256);
    const struct index_key *key = &place->key;
    int64_t value;
    memcpy(&value, &key->value, sizeof value);
    buf_printf(&out, "%c_%u", key->slot ? 'i' : 'd', store_rid_resource(place->hit.rid));
    put_at(&out, place->hit.at);
    put_at(&out, place->hit.rid);
    put_at(&out, began_seq);
    if (key->slot) {
        put_at(&out, key->slot);
        put_at(&out, key->by);
        put_at(&out, key->unit);
        put_at(&out, key->at);
        put_at(&out, value);
    }
    return buf_str(&out);
}

err search_query(struct ctx *cx, const struct search *search, uint16_t resource,
                 struct query *out)
{
    TRY(query_parse(cx, &search->from, resource, search->request->query, out));
    const struct search_request *request = search->request;
    if (!request->compartment.n || resource == FHIR_NONE)
        return ERR_OK;
    struct query_criterion inside = { .what = QUERY_COMPARTMENT, .type = resource,
                                      .shown = request->compartment,
                                      .raw = request->compartment_id };
    out->criteria = arena_grow(cx->arena, out->criteria, out->criteria_count, &out->criteria_cap,
                               sizeof inside);
    out->criteria[out->criteria_count++] = inside;
    return ERR_OK;
}

static err find_types(struct ctx *cx, struct search *search)
{
    const struct search_request *request = search->request;
    search->types = arena_array(cx->arena, fhir_resources_count, sizeof *search->types);
    bool compartment = request->compartment.n > 0;
    if (compartment && request->resource != FHIR_NONE &&
        !fhir_compartment_params(request->compartment, request->resource))
        return ctx_failf(cx, ERR_NOT_FOUND, request->compartment,
                         "%.*s is not in the compartment of a %.*s",
                         STR_ARG(fhir_resource_name(request->resource)),
                         STR_ARG(request->compartment));
    for (uint16_t i = 0; i < fhir_resources_count; i++) {
        bool wanted = request->resource == FHIR_NONE || request->resource == i;
        bool listed = search->query.types_count == 0;
        for (size_t t = 0; t < search->query.types_count; t++)
            listed = listed || search->query.types[t] == i;
        if (wanted && listed &&
            (!compartment || fhir_compartment_params(request->compartment, i)))
            search->types[search->types_count++] = i;
    }
    return ERR_OK;
}

static void keep_answer(struct ctx *cx, struct search *search, const struct place *place)
{
    hits_add(cx, &search->hits, place->hit);
    if (search->hits.count == search->count)
        search->last = *place;
}

/* One type's answers after `after`, until the page is full (count + 1 hits are asked for). */
static err gather_type(struct ctx *cx, struct search *search, uint16_t resource,
                       const struct place *after, size_t most)
{
    struct query query;
    struct plan plan;
    struct stream stream;
    struct moved moved;
    TRY(search_query(cx, search, resource, &query));
    TRY(plan_make(cx, search->store, search->from.layout, &query, &plan));
    if (plan.nothing)
        return ERR_OK;
    TRY(plan_stream(cx, &plan, after, &stream));
    TRY(moved_find(cx, search, &plan, after, &moved));
    moved.stream = &stream;
    for (bool any = true; any && search->hits.count < most;) {
        struct place place;
        TRY(moved_next(cx, search, &moved, &place, &any));
        while (search->hits.count < most && moved_is_before(&moved, any ? &place : NULL))
            keep_answer(cx, search, &moved.list[moved.next++]);
        if (any && search->hits.count < most)
            keep_answer(cx, search, &place);
    }
    return ERR_OK;
}

static err gather(struct ctx *cx, struct search *search)
{
    struct place after = { 0 };
    size_t first = 0;
    bool has_after = search->query.cursor.n > 0;
    TRY(has_after ? read_cursor(cx, search, &first, &after)
                  : snapshot_last(cx, &search->began_seq));
    for (size_t i = first; i < search->types_count && search->hits.count <= search->count; i++)
        TRY(gather_type(cx, search, search->types[i], has_after && i == first ? &after : NULL,
                        search->count + 1));
    search->whole = !has_after && search->hits.count <= search->count;
    if (search->hits.count <= search->count)
        return ERR_OK;
    search->hits.count = search->count;
    search->next = write_cursor(cx, &search->last, search->began_seq);
    return ERR_OK;
}

err search_add_entry(struct ctx *cx, struct search *search, enum search_mode mode, int64_t rid)
{
    struct search_page *page = search->page;
    struct store_version version;
    size_t issues = cx->issues.count;
    err bad = store_read_rid(cx, search->store, rid, &version);
    if (bad == ERR_NOT_FOUND || bad == ERR_GONE) { /* a reference to what is not there */
        cx->issues.count = cx->issues.kept = issues;
        return ERR_OK;
    }
    TRY(bad);
    access_see(cx->access, version.pid);
    page->entries = arena_grow(cx->arena, page->entries, page->entries_count,
                               &search->entries_cap, sizeof *page->entries);
    page->entries[page->entries_count++] = (struct search_entry){ .mode = mode,
                                                                 .version = version };
    return ERR_OK;
}

static void write_links(struct ctx *cx, struct search *search)
{
    struct search_page *page = search->page;
    str kept = search->query.kept;
    const char *and = kept.n ? "&" : "";
    page->self_query = kept;
    if (search->query.cursor.n)
        page->self_query = arena_printf(cx->arena, "%.*s%s_page=%.*s", STR_ARG(kept), and,
                                        STR_ARG(search->query.cursor));
    if (search->next.n)
        page->next_query = arena_printf(cx->arena, "%.*s%s_page=%.*s", STR_ARG(kept), and,
                                        STR_ARG(search->next));
}

static err find_matches(struct ctx *cx, struct search *search)
{
    bool within = search->query.contained != CONTAINED_FALSE && search_is_within(search);
    if (search_is_sorted(search))
        TRY(search_sort(cx, search));
    else if (!within)
        TRY(gather(cx, search));
    for (size_t i = 0; i < search->hits.count; i++)
        TRY(search_add_entry(cx, search, SEARCH_MATCH, search->hits.list[i].rid));
    bool both = search->query.contained == CONTAINED_BOTH && !search->next.n;
    return within || both ? search_contained(cx, search) : ERR_OK;
}

static err fill_page(struct ctx *cx, struct search *search)
{
    struct search_page *page = search->page;
    bool count_only = search->query.summary == SEARCH_SUMMARY_COUNT || search->count == 0;
    TRY(search_check_contained(cx, search));
    if (!count_only) {
        TRY(find_matches(cx, search));
        if (search->whole) {
            page->has_total = true;
            page->total = (int64_t)page->entries_count;
        }
        TRY(search_include(cx, search));
    }
    bool wanted = count_only || search->query.total != SEARCH_TOTAL_NONE;
    if (wanted && !page->has_total) {
        TRY(search_count(cx, search, &page->total));
        page->has_total = true;
    }
    if (page->estimated)
        issues_note(&page->warnings, (struct issue){
            .code = "informational", .severity = ISSUE_INFORMATION, .path = S("Bundle.total"),
            .text = S("the total is an estimate, from a sample: ask with _total=accurate for the "
                      "exact one") });
    write_links(cx, search);
    return ERR_OK;
}

err search_run(struct ctx *cx, struct store *store, const struct search_request *request,
               struct search_page *out)
{
    *out = (struct search_page){ .warnings = { .arena = cx->arena } };
    struct search search = { .store = store, .request = request, .page = out };
    search.from = (struct query_source){ .layout = store_layout(store), .request = request,
                                         .store = store,
                                         .warnings = request->lenient ? &out->warnings : NULL,
                                         .notes = &out->warnings };
    if (!cx->db)
        TRY(store_reader(cx, store));
    TRY(query_parse(cx, &search.from, request->resource, request->query, &search.query));
    search.from.warnings = request->lenient ? &search.quiet : NULL; /* told once */
    search.from.notes = NULL;
    search.quiet = (struct issues){ .arena = cx->arena };
    TRY(find_types(cx, &search));
    size_t most = request->count_max ? request->count_max : COUNT_MAX;
    search.count = search.query.has_count ? search.query.count
                   : request->count_default ? request->count_default : COUNT_DEFAULT;
    search.count = search.count < most ? search.count : most;
    out->summary = search.query.summary;
    out->elements = search.query.elements;
    TRY(fill_page(cx, &search));
    if (!out->entries_count && (!out->has_total || !out->total))
        access_miss(cx->access);
    return ERR_OK;
}

err search_condition(struct ctx *cx, struct store *store, uint16_t resource, str query,
                     struct search_rids *out)
{
    struct search_request request = { .resource = resource, .query = query };
    struct query_source from = { .layout = store_layout(store), .request = &request,
                                 .store = store,
                                 .condition = true };
    struct query parsed;
    struct plan plan;
    struct stream stream;
    out->count = 0;
    if (!cx->db)
        TRY(store_reader(cx, store));
    TRY(query_parse(cx, &from, resource, query, &parsed));
    if (!parsed.criteria_count)
        return ctx_fail(cx, ERR_PRECONDITION, (str){ 0 },
                        S("a condition needs at least one search parameter with a value"));
    TRY(plan_make(cx, store, from.layout, &parsed, &plan));
    plan_whole(&plan);
    if (!plan.nothing)
        TRY(plan_stream(cx, &plan, NULL, &stream));
    while (!plan.nothing && out->count < out->max) {
        struct hit hit;
        bool any, accepted;
        TRY(stream_next(cx, &stream, &hit, &any));
        if (!any)
            break;
        TRY(plan_accepts(cx, store, &plan, &hit, &accepted));
        if (accepted)
            out->rids[out->count++] = hit.rid;
    }
    if (!out->count)
        access_miss(cx->access);
    return ERR_OK;
}
