/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search_run.h"
#include "store/compile.h"

/*
 * _contained: resources within others. The index knows which resources hold one of a type; what is
 * within is asked of the body. Answers come by container: its type, then its rid, then the place
 * within. Source: hl7.org/fhir/R4/search.html#contained.
 */
struct inside {
    struct ctx *cx;
    struct search *search;
    struct query query;      /* for the type within */
    struct cids cids;        /* of its name */
    struct plan visible;     /* of the container's type, with no criteria */
    struct query all;
    size_t most;             /* answers wanted; 0: count only */
    int64_t total;
    bool more;
    /* Where the answers go on: after this. */
    bool resumed;
    uint16_t type, container;
    int64_t rid, index;
    /* Of the last answer given. */
    uint16_t last_type, last_container;
    int64_t last_rid, last_index;
};

static err bad_ask(struct ctx *cx, str name)
{
    return ctx_failf(cx, ERR_INVALID, name,
                     "\"%.*s\" cannot be asked of contained resources: they answer by their own "
                     "elements alone, without chains, _has, _list, _filter, _lastUpdated, sorting "
                     "and compartments", STR_ARG(name));
}

err search_check_contained(struct ctx *cx, const struct search *search)
{
    const struct query *query = &search->query;
    if (query->contained == CONTAINED_FALSE)
        return ERR_OK;
    for (size_t i = 0; i < query->criteria_count; i++) {
        enum query_what what = query->criteria[i].what;
        if (what != QUERY_PARAM && what != QUERY_ID && what != QUERY_TEXT &&
            what != QUERY_CONTENT && what != QUERY_NEAR)
            return bad_ask(cx, query->criteria[i].shown);
    }
    if (query->sorts_count)
        return bad_ask(cx, S("_sort"));
    return search->request->compartment.n ? bad_ask(cx, search->request->compartment) : ERR_OK;
}

static bool id_answers(struct ctx *cx, const struct query_criterion *criterion, struct json body)
{
    str id = json_string(cx->arena, json_get(body, S("id")));
    bool found = false;
    if (criterion->modifier == MOD_MISSING)
        return criterion->missing == !id.n;
    for (size_t v = 0; v < criterion->values_count; v++)
        found = found || str_eq(criterion->values[v].text, id);
    return found != (criterion->modifier == MOD_NOT);
}

static err answers(struct inside *in, struct json body, bool *out)
{
    struct ctx *cx = in->cx;
    *out = true;
    for (size_t i = 0; i < in->query.criteria_count && *out; i++) {
        const struct query_criterion *criterion = &in->query.criteria[i];
        if (criterion->what == QUERY_ID)
            *out = id_answers(cx, criterion, body);
        else
            TRY(plan_verify(cx, in->search->from.layout, criterion, body, out));
    }
    return ERR_OK;
}

static err keep(struct inside *in, int64_t rid, int64_t index, struct json body)
{
    struct search_page *page = in->search->page;
    size_t before = page->entries_count;
    if (in->most && page->entries_count == in->most) {
        in->more = true;
        return ERR_OK;
    }
    in->total++;
    if (!in->most)
        return ERR_OK;
    TRY(search_add_entry(in->cx, in->search, SEARCH_MATCH, rid));
    if (page->entries_count == before)
        return ERR_OK;
    if (in->search->query.contained_alone) {
        struct search_entry *entry = &page->entries[before];
        entry->contained = arena_copy(in->cx->arena, json_text(body));
        entry->contained_id = json_string(in->cx->arena, json_get(body, S("id")));
    }
    in->last_type = in->query.resource;
    in->last_container = store_rid_resource(rid);
    in->last_rid = rid;
    in->last_index = index;
    return ERR_OK;
}

/* The container's contained resources of the type; one answer a container unless they are asked
 * for alone. */
static err look_in(struct inside *in, const struct hit *hit, int64_t after)
{
    struct ctx *cx = in->cx;
    struct json body;
    bool found, whole = !in->search->query.contained_alone;
    int64_t index = -1;
    str type = fhir_resource_name(in->query.resource);
    TRY(plan_body(cx, in->search->store, hit->rid, &body, &found));
    for (struct json_walk w = json_walk(found ? json_get(body, S("contained"))
                                              : (struct json){ 0 });
         json_next(&w) && !in->more;) {
        bool good;
        if (++index <= after || !json_string_is(json_get(w.value, S("resourceType")), type))
            continue;
        TRY(answers(in, w.value, &good));
        if (good)
            TRY(keep(in, hit->rid, whole ? INT32_MAX : index, w.value));
        if (good && whole)
            break;
    }
    return ctx_late(cx);
}

static err find_holders(struct inside *in, uint16_t container, struct hits *out)
{
    uint16_t slot = in->search->from.layout->types[container].contained_slot;
    for (size_t i = 0; slot && i < in->cids.count; i++) {
        struct posting posting = { .kind = POSTING_TOK, .slot = slot, .value = in->cids.list[i] };
        TRY(posting_collect(in->cx, &posting, out));
    }
    hits_sort(out, ORDER_RID);
    return ERR_OK;
}

static err look_in_type(struct inside *in, uint16_t container)
{
    struct ctx *cx = in->cx;
    struct hits holders = { 0 };
    bool here = in->resumed && in->type == in->query.resource && in->container == container;
    TRY(find_holders(in, container, &holders));
    if (!holders.count)
        return ERR_OK;
    in->all = (struct query){ .resource = container };
    TRY(plan_make(cx, in->search->store, in->search->from.layout, &in->all, &in->visible));
    for (size_t i = 0; i < holders.count && !in->more && !in->visible.nothing; i++) {
        const struct hit *hit = &holders.list[i];
        int64_t after = here && hit->rid == in->rid ? in->index : -1;
        bool seen;
        if (here && hit->rid < in->rid)
            continue;
        TRY(plan_accepts(cx, in->search->store, &in->visible, hit, &seen));
        if (seen)
            TRY(look_in(in, hit, after));
    }
    return ERR_OK;
}

static err look_for_type(struct inside *in, uint16_t type)
{
    const struct layout_slot plain = { .table = INDEX_TOK, .binding = FHIR_NONE };
    struct query_value value = { .has_system = true, .system = S(""),
                                 .code = fhir_resource_name(type) };
    TRY(search_query(in->cx, in->search, type, &in->query));
    in->cids = (struct cids){ 0 };
    TRY(compile_cids(in->cx, &plain, &value, &in->cids));
    for (uint16_t c = 0; c < fhir_resources_count && !in->more; c++)
        if (!in->resumed || in->type != type || c >= in->container)
            TRY(look_in_type(in, c));
    return ERR_OK;
}

static err look_everywhere(struct inside *in)
{
    const struct search *search = in->search;
    bool begun = !in->resumed;
    for (size_t i = 0; i < search->types_count && !in->more; i++) {
        begun = begun || search->types[i] == in->type;
        if (begun && access_type(in->cx->access, search->types[i]))
            TRY(look_for_type(in, search->types[i]));
    }
    return ERR_OK;
}

/* "c_TYPE_CONTAINER_RID_INDEX", or "c" alone: from the first contained one on. */
static err read_place(struct inside *in)
{
    str rest = in->search->query.cursor, word[5] = { { 0 } };
    uint64_t type, container;
    for (size_t i = 0; i < COUNT(word); i++)
        str_next(&rest, '_', &word[i]);
    if (!str_given(word[1]))
        return ERR_OK;
    in->resumed = str_to_u64(word[1], &type) && str_to_u64(word[2], &container) &&
                  str_to_i64(word[3], &in->rid) && str_to_i64(word[4], &in->index) && !rest.p &&
                  type < fhir_resources_count && container < fhir_resources_count;
    if (!in->resumed)
        return ctx_fail(in->cx, ERR_INVALID, S("_page"),
                        S("this is not a page of this search; start again without _page"));
    in->type = (uint16_t)type;
    in->container = (uint16_t)container;
    return ERR_OK;
}

bool search_is_within(const struct search *search)
{
    str cursor = search->query.cursor;
    return search->query.contained == CONTAINED_TRUE || str_eq(cursor, S("c")) ||
           str_starts(cursor, S("c_"));
}

err search_contained(struct ctx *cx, struct search *search)
{
    struct inside in = { .cx = cx, .search = search, .most = search->count };
    if (search->query.cursor.n && search_is_within(search))
        TRY(read_place(&in));
    if (search->page->entries_count >= search->count) {
        search->next = S("c"); /* the page is full of others */
        search->whole = false;
        return ERR_OK;
    }
    TRY(look_everywhere(&in));
    if (in.more)
        search->next = arena_printf(cx->arena, "c_%u_%u_%lld_%lld", in.last_type,
                                    in.last_container, (long long)in.last_rid,
                                    (long long)in.last_index);
    search->whole = !in.more && !search->query.cursor.n;
    return ERR_OK;
}

err search_count_contained(struct ctx *cx, struct search *search, int64_t *out)
{
    struct inside in = { .cx = cx, .search = search };
    TRY(look_everywhere(&in));
    *out = in.total;
    return ERR_OK;
}
