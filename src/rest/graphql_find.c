/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql_run.h"
#include "http/text.h"
#include "rest/op.h"
#include "rest/rest.h"

/* ---- from arguments to a search ------------------------------------------------------------ */

static void add_param(struct buf *query, str name, str value)
{
    if (query->n)
        buf_char(query, '&');
    buf_add(query, name);
    buf_char(query, '=');
    http_encode(query, value);
}

/* A name of GraphQL has no '-': general_practitioner stands for general-practitioner. */
static str param_name(struct graphql_run *run, uint16_t resource, str name)
{
    if (fhir_param_find(resource, name))
        return name;
    char *copy = arena_alloc(run->cx->arena, name.n);
    for (size_t i = 0; i < name.n; i++)
        copy[i] = name.p[i] == '_' && i ? '-' : name.p[i];
    str dashed = { copy, name.n };
    return fhir_param_find(resource, dashed) ? dashed : name;
}

static err add_argument(struct graphql_run *run, uint16_t resource,
                        const struct graphql_argument *argument, struct buf *query)
{
    const struct graphql_value *value = argument->value;
    TRY(graphql_resolve(run, &value));
    if (!value || value->kind == GRAPHQL_NULL)
        return ERR_OK;
    str name = param_name(run, resource, argument->name);
    if (value->kind != GRAPHQL_LIST) {
        add_param(query, name, value->text);
        return ERR_OK;
    }
    for (const struct graphql_value *item = value->items; item; item = item->next) {
        const struct graphql_value *one = item;
        TRY(graphql_resolve(run, &one));
        if (one)
            add_param(query, name, one->text);
    }
    return ERR_OK;
}

static err make_query(struct graphql_run *run, uint16_t resource, struct graphql_node node,
                      const struct graphql_selection *field, str *out)
{
    struct buf query = buf_make(run->cx->arena, REST_TEXT_MAX);
    struct arena *arena = run->cx->arena;
    for (const struct graphql_argument *a = field->arguments; a; a = a->next) {
        str text;
        if (!str_eq(a->name, S("_reference"))) {
            TRY(add_argument(run, resource, a, &query));
            continue;
        }
        TRY(graphql_argument(run, field, "_reference", &text));
        if (node.type == FHIR_NONE)
            return ctx_fail(run->cx, ERR_INVALID, S("query"),
                            S("_reference stands within a resource only"));
        str id = json_string(arena, json_get(node.value, S("id")));
        add_param(&query, param_name(run, resource, text),
                  arena_printf(arena, "%.*s/%.*s", STR_ARG(fhir_types[node.type].name),
                               STR_ARG(id)));
    }
    *out = buf_str(&query);
    return ERR_OK;
}

static err search(struct graphql_run *run, uint16_t resource, str query, struct search_page *out)
{
    struct search_request request = { .resource = resource, .query = query,
                                      .count_default = rest_limits()->page,
                                      .count_max = rest_limits()->page_max };
    const struct operation_ask *ask = run->ask->ask;
    TRY(search_run(run->cx, ask->call->store, &request, out));
    return graphql_spend(run, 1 + out->entries_count);
}

/* ---- what is found ------------------------------------------------------------------------ */

static err write_resource(struct graphql_run *run, str body,
                          const struct graphql_selection *selections, struct graphql_out *out)
{
    struct graphql_node node = { .type = FHIR_NONE };
    if (!selections)
        return ctx_fail(run->cx, ERR_INVALID, S("query"),
                        S("a resource has elements: say which, as { name { text } }"));
    TRY(json_parse(run->cx, body, &node.value));
    out->kind = OUT_OBJECT;
    return graphql_select(run, node, selections, out);
}

static err read_one(struct graphql_run *run, uint16_t resource,
                    const struct graphql_selection *field, struct graphql_out *out)
{
    struct store_version version;
    str id = { 0 };
    TRY(graphql_argument(run, field, "id", &id));
    if (!str_given(id))
        TRY(graphql_argument(run, field, "_id", &id));
    if (!str_given(id))
        return ctx_failf(run->cx, ERR_INVALID, S("query"), "%.*s needs id: \"...\"; "
                         "%.*sList searches", STR_ARG(field->name), STR_ARG(field->name));
    TRY(rest_check_id(run->cx, id));
    TRY(graphql_spend(run, 1));
    TRY(store_read(run->cx, run->ask->ask->call->store, resource, id, &version));
    return write_resource(run, version.body, field->selections, out);
}

static err write_list(struct graphql_run *run, const struct search_page *page,
                      const struct graphql_selection *selections, struct graphql_out *out)
{
    out->kind = OUT_LIST;
    for (size_t i = 0; i < page->entries_count; i++)
        if (page->entries[i].mode == SEARCH_MATCH)
            TRY(write_resource(run, page->entries[i].version.body, selections,
                               graphql_child(run, out, (str){ 0 })));
    return ERR_OK;
}

static void put_text(struct graphql_run *run, struct graphql_out *out, str text)
{
    struct buf buf = buf_make(run->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_str(&w, text);
    out->raw = buf_str(&buf);
}

static err write_edges(struct graphql_run *run, const struct search_page *page,
                       const struct graphql_selection *edges, str type, struct graphql_out *list)
{
    list->kind = OUT_LIST;
    if (!edges->selections)
        return ctx_fail(run->cx, ERR_INVALID, S("query"),
                        S("an edge has mode, score and resource: say which, as edges { mode }"));
    for (size_t i = 0; i < page->entries_count; i++) {
        if (page->entries[i].mode != SEARCH_MATCH)
            continue;
        struct graphql_out *edge = graphql_child(run, list, (str){ 0 });
        edge->kind = OUT_OBJECT;
        for (const struct graphql_selection *s = edges->selections; s; s = s->next) {
            struct graphql_out *out = graphql_child(run, edge, s->alias);
            if (str_eq(s->name, S("mode")))
                out->raw = S("\"match\"");
            else if (str_eq(s->name, S("resource")))
                TRY(write_resource(run, page->entries[i].version.body, s->selections, out));
            else if (str_eq(s->name, S("__typename")))
                put_text(run, out, arena_printf(run->cx->arena, "%.*sEdge", STR_ARG(type)));
            else if (!str_eq(s->name, S("score")))
                return ctx_failf(run->cx, ERR_INVALID, S("query"), "an edge has mode, score and "
                                 "resource, not %.*s", STR_ARG(s->name));
        }
    }
    return ERR_OK;
}

static err write_connection(struct graphql_run *run, const struct search_page *page,
                            const struct graphql_selection *field, str type,
                            struct graphql_out *out)
{
    /* `offset`, `previous` and `last` are FHIR's, and unknown where pages follow a cursor. */
    static const char *const known[] = { "count", "offset", "pagesize", "first", "previous",
                                         "next", "last", "edges", "__typename" };
    out->kind = OUT_OBJECT;
    if (!field->selections)
        return ctx_failf(run->cx, ERR_INVALID, S("query"), "%.*s has elements of its own: say "
                         "which, as %.*s { count edges { resource { id } } }",
                         STR_ARG(field->name), STR_ARG(field->name));
    for (const struct graphql_selection *s = field->selections; s; s = s->next) {
        bool is_known = false;
        for (size_t i = 0; i < COUNT(known); i++)
            is_known = is_known || str_eq(s->name, str_of(known[i]));
        if (!is_known)
            return ctx_failf(run->cx, ERR_INVALID, S("query"), "there is no field %.*s in a "
                             "connection; it has count, offset, pagesize, first, previous, next, "
                             "last and edges", STR_ARG(s->name));
        struct graphql_out *at = graphql_child(run, out, s->alias);
        if (str_eq(s->name, S("edges")))
            TRY(write_edges(run, page, s, type, at));
        else if (str_eq(s->name, S("__typename")))
            put_text(run, at, arena_printf(run->cx->arena, "%.*sConnection", STR_ARG(type)));
        else if (str_eq(s->name, S("count")) && page->has_total)
            at->raw = arena_printf(run->cx->arena, "%lld", (long long)page->total);
        else if (str_eq(s->name, S("pagesize")))
            at->raw = arena_printf(run->cx->arena, "%zu", page->entries_count);
        else if (str_eq(s->name, S("next")) && str_given(page->next_query))
            put_text(run, at, page->next_query);
        else if (str_eq(s->name, S("first")))
            put_text(run, at, page->self_query);
    }
    return ERR_OK;
}

/* _cursor is what `next` of an earlier answer said: a whole query. */
static err find_many(struct graphql_run *run, uint16_t resource, struct graphql_node node,
                     const struct graphql_selection *field, bool connection,
                     struct search_page *out)
{
    str query = { 0 }, cursor = { 0 };
    TRY(graphql_argument(run, field, "_cursor", &cursor));
    if (str_given(cursor))
        return search(run, resource, cursor, out);
    TRY(make_query(run, resource, node, field, &query));
    if (connection)
        query = arena_printf(run->cx->arena, "%.*s%s_total=accurate", STR_ARG(query),
                             query.n ? "&" : "");
    return search(run, resource, query, out);
}

err graphql_find(struct graphql_run *run, struct graphql_node node,
                 const struct graphql_selection *field, struct graphql_out *out, bool *done)
{
    str name = field->name;
    bool list = str_ends(name, S("List")), connection = str_ends(name, S("Connection"));
    str type = str_slice(name, 0, name.n - (list ? 4 : connection ? 10 : 0));
    uint16_t resource = name.n > 4 ? fhir_resource_find(type) : FHIR_NONE;
    bool top = json_is(node.value, JSON_ABSENT), many = list || connection;
    /* "List" alone is a type of its own, and a resource's elements never start in upper case. */
    if (resource == FHIR_NONE && (resource = fhir_resource_find(name)) != FHIR_NONE)
        many = list = connection = false;
    if (resource == FHIR_NONE || (!top && !many))
        return ERR_OK;
    *done = true;
    struct graphql_out *at = graphql_child(run, out, field->alias);
    if (!many)
        return read_one(run, resource, field, at);
    struct search_page page = { 0 };
    TRY(find_many(run, resource, node, field, connection, &page));
    return connection ? write_connection(run, &page, field, fhir_resource_name(resource), at)
                      : write_list(run, &page, field->selections, at);
}

err graphql_follow(struct graphql_run *run, struct json reference,
                   const struct graphql_selection *field, struct graphql_out *out)
{
    struct ctx *cx = run->cx;
    struct op_reference found;
    struct store_version version;
    str type = { 0 }, text = json_string(cx->arena, json_get(reference, S("reference")));
    TRY(graphql_argument(run, field, "type", &type));
    TRY(graphql_spend(run, 1));
    if (!op_read_reference(run->ask->ask, text, &found) ||
        (str_given(type) && !str_eq(type, fhir_resource_name(found.resource))))
        return ERR_OK;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err wrong = store_read(cx, run->ask->ask->call->store, found.resource, found.id, &version);
    if (wrong == ERR_NOT_FOUND || wrong == ERR_GONE) { /* null: it may not be ours to have */
        cx->issues.kept = kept;
        cx->issues.count = count;
        return ERR_OK;
    }
    TRY(wrong);
    return write_resource(run, version.body, field->selections, out);
}
