/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql_run.h"
#include "rest/op.h"

/*
 * $graphql on the system and on a resource.
 *
 * Source   hl7.org/fhir/R4/graphql.html: GET with ?query=, POST of application/graphql, or POST of
 *          JSON with query, variables and operationName.
 */
static err take_query(const struct operation_ask *ask, struct graphql_ask *out, str *query)
{
    struct arena *arena = ask->call->cx->arena;
    str type = http_header(ask->call->request, "Content-Type");
    *query = operation_text(ask, "query");
    if (str_given(*query))
        return ERR_OK;
    if (rest_media_is(type, S("application/graphql"))) {
        *query = ask->body_text;
    } else if (json_is(ask->parameters, JSON_OBJECT)) {
        *query = json_string(arena, json_get(ask->parameters, S("query")));
        out->operation_name = json_string(arena, json_get(ask->parameters, S("operationName")));
        out->variables = json_get(ask->parameters, S("variables"));
    }
    if (query->n)
        return ERR_OK;
    return ctx_fail(ask->call->cx, ERR_INVALID, S("query"),
                    S("send a GraphQL query: ?query=, application/graphql, or JSON {\"query\"}"));
}

err op_graphql(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct graphql_ask graphql = { .ask = ask };
    str query;
    TRY(take_query(ask, &graphql, &query));
    TRY(graphql_parse(cx, query, &graphql.document));
    TRY(store_reader(cx, ask->call->store));
    if (str_given(ask->id)) {
        struct store_version version;
        TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &version));
        TRY(json_parse(cx, version.body, &graphql.root));
    }
    out->content_type = S("application/json; charset=utf-8");
    return graphql_run(&graphql, &out->body);
}
