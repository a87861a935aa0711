/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/write.h"
#include "fhir/patch.h"
#include "fhir/patch_xml.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "json/patch.h"
#include "store/access.h"

static const char json_patch_type[] = "application/json-patch+json";
static const char xml_patch_type[] = "application/xml-patch+xml";

/* ---- what a request asks, as an operation of a commit -------------------------------------- */

static err check_body_type(struct rest_call *call, struct json body, uint16_t resource)
{
    struct ctx *cx = call->cx;
    struct json type = json_get(body, S("resourceType"));
    str expected = fhir_resource_name(resource);
    if (!json_is(body, JSON_OBJECT) || !json_is(type, JSON_STRING))
        return ctx_fail(cx, ERR_INVALID, S("resourceType"),
                        S("the body is not a resource: it has no resourceType"));
    if (!json_string_is(type, expected))
        return ctx_failf(cx, ERR_INVALID, S("resourceType"),
                         "the URL says %.*s, the body %.*s; they must agree", STR_ARG(expected),
                         STR_ARG(str_slice(json_text(type), 0, 100)));
    return ERR_OK;
}

static err check_body_id(struct rest_call *call, struct json body, str id)
{
    struct json given = json_get(body, S("id"));
    if (json_string_is(given, id))
        return ERR_OK;
    if (json_is(given, JSON_ABSENT))
        return ctx_failf(call->cx, ERR_INVALID, S("id"), "the body of an update must carry the id "
                         "of the URL, %.*s", STR_ARG(id));
    return ctx_failf(call->cx, ERR_INVALID, S("id"), "the id of the body is not that of the URL, "
                     "%.*s", STR_ARG(id));
}

static err read_if_match(struct rest_call *call, str text, int64_t *out)
{
    str item = str_trim(text);
    uint64_t vid;
    if (str_starts(item, S("W/")))
        item = str_slice(item, 2, item.n);
    if (item.n >= 2 && item.p[0] == '"' && item.p[item.n - 1] == '"')
        item = str_slice(item, 1, item.n - 1);
    if (!str_to_u64(item, &vid) || vid == 0 || vid > INT64_MAX)
        return ctx_failf(call->cx, ERR_PRECONDITION, (str){ 0 },
                         "If-Match names no version of this server: send W/\"n\" as the ETag had "
                         "it, not %.*s", STR_ARG(str_slice(text, 0, 100)));
    *out = (int64_t)vid;
    return ERR_OK;
}

struct patch_of {
    struct json patch;
    bool by_path; /* FHIRPath Patch: a Parameters resource */
    str xml;      /* XML Patch, when given */
};

/* Runs again when another change came first, so it holds nothing of its own. */
static err apply_patch(struct ctx *cx, const struct commit_op *op, struct json before,
                       struct json *after)
{
    const struct patch_of *of = op->patch_self;
    TRY(of->xml.p     ? fhir_patch_xml(cx, before, of->xml, after)
        : of->by_path ? fhir_patch(cx, before, of->patch, after)
                      : json_patch(cx, before, of->patch, after));
    if (!json_same(json_get(before, S("id")), json_get(*after, S("id")), true) ||
        !json_same(json_get(before, S("resourceType")), json_get(*after, S("resourceType")), true))
        return ctx_fail(cx, ERR_RULE, S("id"), S("a patch may not change resourceType or id"));
    return validate_resource(cx, *after);
}

/* A FHIRPath Patch comes as any resource does, in JSON or XML. */
static bool is_path_patch(str type)
{
    static const char *const types[] = { "application/fhir+json", "application/json",
                                         "application/fhir+xml", "application/xml" };
    for (size_t i = 0; i < COUNT(types); i++)
        if (rest_media_is(type, str_of(types[i])))
            return true;
    return false;
}

static err check_patch_type(struct rest_call *call, str type)
{
    if (rest_media_is(type, str_of(json_patch_type)) || is_path_patch(type) ||
        rest_media_is(type, str_of(xml_patch_type)))
        return ERR_OK;
    return rest_fail(call, 415, "not-supported",
                     S("send a patch as application/json-patch+json, as application/xml-patch+xml, "
                       "or as Parameters of a FHIRPath Patch in application/fhir+json"));
}

static err make_patch(struct rest_call *call, const struct write_ask *ask, struct commit_op *op)
{
    TRY(check_patch_type(call, ask->patch_type));
    struct patch_of *of = arena_alloc(call->cx->arena, sizeof *of);
    *of = (struct patch_of){ ask->patch, is_path_patch(ask->patch_type), ask->patch_xml };
    op->verb = COMMIT_PATCH;
    op->patch = apply_patch;
    op->patch_self = of;
    return ERR_OK;
}

static err make_body(struct rest_call *call, const struct write_ask *ask, struct commit_op *op)
{
    TRY(check_body_type(call, ask->body, ask->resource));
    bool update = ask->method == HTTP_PUT;
    op->verb = update ? COMMIT_UPDATE : COMMIT_CREATE;
    if (update && ask->id.n) {
        TRY(check_body_id(call, ask->body, ask->id));
    } else if (update) {
        str id = json_string(call->cx->arena, json_get(ask->body, S("id")));
        if (str_given(id))
            TRY(rest_check_id(call->cx, id));
        op->id = id;
    }
    op->body = ask->body;
    return validate_resource(call->cx, ask->body);
}

err write_make_op(struct rest_call *call, const struct write_ask *ask, struct commit_op *out)
{
    *out = (struct commit_op){ .resource = ask->resource, .id = ask->id,
                               .condition = ask->condition };
    if (ask->id.n)
        TRY(rest_check_id(call->cx, ask->id));
    if (ask->if_match.n && ask->method != HTTP_POST)
        TRY(read_if_match(call, ask->if_match, &out->if_match_vid));
    out->known_only = ask->method == HTTP_PUT && access_hides(call->cx->access);
    out->if_none_match = str_eq(str_trim(ask->if_none_match), S("*"));
    if (ask->method == HTTP_DELETE) {
        out->verb = COMMIT_DELETE;
        return ERR_OK;
    }
    if (ask->method == HTTP_PATCH)
        return make_patch(call, ask, out);
    return make_body(call, ask, out);
}

/* ---- single writes ----------------------------------------------------------------------- */

struct single {
    struct rest_call *call;
    struct commit commit;
    struct commit_op op;
};

int write_status(const struct commit_op *op)
{
    if (op->outcome == COMMIT_CREATED)
        return 201;
    return op->verb == COMMIT_DELETE ? 204 : 200;
}

str write_location(struct arena *arena, const struct store_version *version)
{
    return arena_printf(arena, "%.*s/%.*s/_history/%lld",
                        STR_ARG(fhir_resource_name(version->resource)), STR_ARG(version->id),
                        (long long)version->vid);
}

static err answer(struct rest_call *call, const struct commit_op *op)
{
    struct arena *arena = call->cx->arena;
    int status = write_status(op);
    if (op->verb == COMMIT_DELETE) {
        if (op->version.vid)
            rest_put_version(call, &op->version);
        if (call->returns == REST_RETURN_OUTCOME)
            return rest_send_outcome(call, 200);
        call->response->status = 204;
        return ERR_OK;
    }
    struct buf location = buf_make(arena, 4096);
    buf_add(&location, call->base);
    buf_char(&location, '/');
    buf_add(&location, write_location(arena, &op->version));
    http_put_header(call->response, S("Location"), buf_str(&location));
    if (call->returns == REST_RETURN_MINIMAL || call->returns == REST_RETURN_OUTCOME) {
        rest_put_version(call, &op->version);
        call->response->status = status;
        return call->returns == REST_RETURN_OUTCOME ? rest_send_outcome(call, status) : ERR_OK;
    }
    return rest_send_version(call, status, &op->version);
}

static err finish(struct http_request *request, struct http_response *response)
{
    struct single *single = request->self;
    (void)response;
    if (single->commit.error)
        return single->commit.error;
    return answer(single->call, &single->op);
}

static void wake(struct commit *commit)
{
    http_wake(commit->self);
}

static err submit(struct rest_call *call, const struct write_ask *ask)
{
    struct http_request *request = call->request;
    struct single *single = arena_zero(call->cx->arena, sizeof *single);
    bool waiting = false;
    single->call = call;
    TRY(write_make_op(call, ask, &single->op));
    single->commit = (struct commit){ .ops = &single->op, .ops_count = 1, .done = wake,
                                      .self = request, .cx = call->cx };
    request->self = single;
    TRY(commit_submit(call->cx, call->store, &single->commit, &waiting));
    if (waiting) {
        http_wait(request, finish);
        return ERR_OK;
    }
    return answer(call, &single->op);
}

/* The query of a conditional write without the parameters that shape the answer. */
static str condition_of(struct rest_call *call, str query)
{
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    struct http_param param;
    while (http_next_param(&query, &param)) {
        if (str_eq(param.name, S("_format")) || str_eq(param.name, S("_pretty")) ||
            str_eq(param.name, S("_summary")) || str_eq(param.name, S("_elements")))
            continue;
        if (buf.n)
            buf_char(&buf, '&');
        buf_add(&buf, param.name);
        buf_char(&buf, '=');
        buf_add(&buf, param.value);
    }
    return buf_str(&buf);
}

/* Everything but the body. An id of the URL and a condition exclude each other. */
static err take_ask(struct rest_call *call, struct write_ask *ask)
{
    struct http_request *request = call->request;
    ask->method = request->method;
    TRY(rest_type(call, request->captures[0], &ask->resource));
    ask->if_match = http_header(request, "If-Match");
    ask->if_none_match = http_header(request, "If-None-Match");
    ask->id = request->captures[1];
    if (str_given(ask->id))
        return rest_check_id(call->cx, ask->id);
    if (request->method == HTTP_POST)
        return ERR_OK;
    ask->condition = condition_of(call, request->query);
    if (ask->condition.n)
        return ERR_OK;
    return rest_fail(call, 400, "required",
                     S("without an id in the URL this needs a condition, as ?identifier=..."));
}

err rest_create(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct write_ask ask = { 0 };
    TRY(rest_begin(request, response, &call));
    TRY(take_ask(call, &ask));
    str exist = str_trim(http_header(request, "If-None-Exist"));
    if (str_given(exist)) {
        size_t mark = str_find_char(exist, '?');
        ask.condition = mark == STR_NONE ? exist : str_slice(exist, mark + 1, exist.n);
        if (ask.condition.n == 0)
            return rest_fail(call, 400, "invalid", S("If-None-Exist is empty"));
    }
    TRY(rest_body(call, &ask.body));
    return submit(call, &ask);
}

err rest_update(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct write_ask ask = { 0 };
    TRY(rest_begin(request, response, &call));
    TRY(take_ask(call, &ask));
    TRY(rest_body(call, &ask.body));
    return submit(call, &ask);
}

err rest_patch(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct write_ask ask = { 0 };
    TRY(rest_begin(request, response, &call));
    TRY(take_ask(call, &ask));
    ask.patch_type = http_header(request, "Content-Type");
    TRY(check_patch_type(call, ask.patch_type));
    if (rest_media_is(ask.patch_type, str_of(xml_patch_type)))
        ask.patch_xml = request->body.n ? request->body : S("");
    else if (is_path_patch(ask.patch_type))
        TRY(rest_body(call, &ask.patch));
    else
        TRY(json_parse(call->cx, request->body, &ask.patch));
    return submit(call, &ask);
}

err rest_delete(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct write_ask ask = { 0 };
    TRY(rest_begin(request, response, &call));
    TRY(take_ask(call, &ask));
    return submit(call, &ask);
}
