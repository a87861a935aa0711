/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/operation.h"
#include "http/text.h"

bool operation_is_for(const struct operation *operation, str type)
{
    str types = str_of(operation->types), item;
    if (!str_given(types))
        return true;
    while (str_next(&types, ' ', &item))
        if (str_eq(item, type))
            return true;
    return false;
}

static struct json find_parameter(const struct operation_ask *ask, const char *name)
{
    struct json list = json_get(ask->parameters, S("parameter"));
    for (struct json_walk w = json_walk(list); json_next(&w);)
        if (json_string_is(json_get(w.value, S("name")), str_of(name)))
            return w.value;
    return (struct json){ 0 };
}

static struct json value_of(struct json parameter)
{
    for (struct json_walk w = json_walk(parameter); json_next(&w);) {
        str key = str_slice(json_text(w.key), 1, json_text(w.key).n - 1);
        if (str_starts(key, S("value")))
            return w.value;
    }
    return (struct json){ 0 };
}

struct json operation_value(const struct operation_ask *ask, const char *name)
{
    return value_of(find_parameter(ask, name));
}

struct operation_walk operation_walk(const struct operation_ask *ask)
{
    return (struct operation_walk){ ask, ask->query,
                                    json_walk(json_get(ask->parameters, S("parameter"))) };
}

bool operation_next_text(struct operation_walk *walk, const char *name, str *out)
{
    struct arena *arena = walk->ask->call->cx->arena;
    struct http_param param;
    while (http_next_param(&walk->query, &param))
        if (str_eq(param.name, str_of(name)) && http_decode(arena, param.value, true, out))
            return true;
    while (json_next(&walk->body)) {
        if (!json_string_is(json_get(walk->body.value, S("name")), str_of(name)))
            continue;
        *out = json_string(arena, value_of(walk->body.value));
        return true;
    }
    return false;
}

struct json operation_resource(const struct operation_ask *ask, const char *name)
{
    return json_get(find_parameter(ask, name), S("resource"));
}

str operation_text(const struct operation_ask *ask, const char *name)
{
    str text = http_query_value(ask->call->cx->arena, ask->query, str_of(name));
    if (str_given(text))
        return text;
    return json_string(ask->call->cx->arena, operation_value(ask, name));
}

err operation_count(const struct operation_ask *ask, const char *name, size_t fallback,
                    size_t *out)
{
    str text = operation_text(ask, name);
    uint64_t value = fallback;
    if (str_given(text) && (!str_to_u64(text, &value) || value > INT32_MAX))
        return ctx_failf(ask->call->cx, ERR_INVALID, str_of(name), "%s takes a whole number", name);
    *out = (size_t)value;
    return ERR_OK;
}

err operation_flag(const struct operation_ask *ask, const char *name, bool fallback, bool *out)
{
    str text = operation_text(ask, name);
    *out = str_given(text) ? str_eq(text, S("true")) : fallback;
    if (str_given(text) && !*out && !str_eq(text, S("false")))
        return ctx_failf(ask->call->cx, ERR_INVALID, str_of(name), "%s takes true or false", name);
    return ERR_OK;
}

static const struct operation *find_operation(str name, unsigned level, str type)
{
    for (const struct operation *o = operations; o->name; o++)
        if (str_eq(name, str_of(o->name)) && (o->levels & level) && operation_is_for(o, type))
            return o;
    return NULL;
}

static bool is_in(str list, str name)
{
    str item;
    while (str_next(&list, ' ', &item))
        if (str_eq(item, name))
            return true;
    return false;
}

static err check_param(const struct operation_ask *ask, const struct operation *operation,
                       str name)
{
    if (ask->call->lenient || is_in(str_of(operation->params), name) ||
        is_in(S("_format _pretty"), name))
        return ERR_OK;
    return ctx_failf(ask->call->cx, ERR_INVALID, name, "%s takes no parameter %.*s; it takes: %s",
                     operation->name, STR_ARG(str_slice(name, 0, 100)),
                     *operation->params ? operation->params : "none");
}

static err check_params(const struct operation_ask *ask, const struct operation *operation)
{
    struct http_param param;
    str query = ask->query, name;
    while (operation->params && http_next_param(&query, &param)) {
        if (!http_decode(ask->call->cx->arena, param.name, true, &name))
            return ctx_fail(ask->call->cx, ERR_INVALID, param.name, S("a malformed % escape"));
        TRY(check_param(ask, operation, name));
    }
    struct json list = json_get(ask->parameters, S("parameter"));
    if (!operation->params ||
        !json_string_is(json_get(ask->parameters, S("resourceType")), S("Parameters")))
        return ERR_OK;
    for (struct json_walk w = json_walk(list); json_next(&w);)
        TRY(check_param(ask, operation, json_string(ask->call->cx->arena,
                                                    json_get(w.value, S("name")))));
    return ERR_OK;
}

static err run(const struct operation_ask *ask, str name, bool get, struct operation_answer *out)
{
    struct rest_call *call = ask->call;
    unsigned level = ask->resource == FHIR_NONE ? OPERATION_SYSTEM
                   : str_given(ask->id) ? OPERATION_INSTANCE : OPERATION_TYPE;
    str type = ask->resource == FHIR_NONE ? (str){ 0 } : fhir_resource_name(ask->resource);
    const struct operation *operation = find_operation(name, level, type);
    if (!operation)
        return rest_fail(call, 404, "not-supported",
                         arena_printf(call->cx->arena, "there is no operation %.*s here; see "
                                      "/fhir/metadata", STR_ARG(str_slice(name, 0, 100))));
    if (operation->writes && get) {
        http_put_header(call->response, S("Allow"), S("POST"));
        return rest_fail(call, 405, "not-supported",
                         S("this operation changes the record: call it by POST"));
    }
    if (str_given(ask->id))
        TRY(rest_check_id(call->cx, ask->id));
    TRY(check_params(ask, operation));
    return operation->run(ask, out);
}

static err take_body(struct operation_ask *ask)
{
    struct http_request *request = ask->call->request;
    if (request->method != HTTP_POST || request->body.n == 0)
        return ERR_OK;
    ask->body_text = request->body;
    if (rest_media_is(http_header(request, "Content-Type"), S("application/graphql")))
        return ERR_OK;
    if (rest_media_is(http_header(request, "Content-Type"),
                      S("application/x-www-form-urlencoded"))) {
        ask->query = request->query.n
                         ? arena_printf(ask->call->cx->arena, "%.*s&%.*s", STR_ARG(request->query),
                                        STR_ARG(request->body)) : request->body;
        return ERR_OK;
    }
    return rest_body(ask->call, &ask->parameters);
}

static err serve(struct http_request *request, struct http_response *response, str type, str id,
                 str name)
{
    struct operation_ask ask = { .resource = FHIR_NONE, .id = id, .query = request->query };
    struct operation_answer answer = { 0 };
    TRY(rest_begin(request, response, &ask.call));
    if (str_given(type))
        TRY(rest_type(ask.call, type, &ask.resource));
    TRY(take_body(&ask));
    str full = arena_printf(request->cx->arena, "$%.*s", STR_ARG(name));
    TRY(run(&ask, full, request->method != HTTP_POST, &answer));
    if (answer.body.n == 0) {
        response->status = answer.status ? answer.status : 200;
        return ERR_OK;
    }
    if (!str_given(answer.content_type))
        return rest_send(ask.call, answer.status ? answer.status : 200, answer.body);
    response->content_type = answer.content_type;
    response->body = answer.body;
    return ERR_OK;
}

err rest_operation_system(struct http_request *request, struct http_response *response)
{
    return serve(request, response, (str){ 0 }, (str){ 0 }, request->captures[0]);
}

err rest_operation_type(struct http_request *request, struct http_response *response)
{
    return serve(request, response, request->captures[0], (str){ 0 }, request->captures[1]);
}

err rest_operation_instance(struct http_request *request, struct http_response *response)
{
    return serve(request, response, request->captures[0], request->captures[1],
                 request->captures[2]);
}

err operation_get(struct rest_call *call, const struct target *target, struct target_answer *out)
{
    struct operation_ask ask = { .call = call, .resource = target->resource, .id = target->id,
                                 .query = target->query };
    struct operation_answer answer = { 0 };
    TRY(run(&ask, target->operation, true, &answer));
    out->status = answer.status ? answer.status : 200;
    out->body = answer.body;
    return ERR_OK;
}
