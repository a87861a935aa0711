/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/bundle.h"
#include "auth/gate.h"
#include "base/base64.h"
#include "base/clock.h"
#include "http/outcome.h"
#include "http/text.h"
#include "rest/target.h"
#include "rest/write.h"

static str text_of(struct rest_call *call, struct json object, str key)
{
    return json_string(call->cx->arena, json_get(object, key));
}

err bundle_read_entry(struct rest_call *call, struct json entry, struct bundle_entry *out)
{
    struct ctx *cx = call->cx;
    out->request = json_get(entry, S("request"));
    out->resource = json_get(entry, S("resource"));
    out->full_url = text_of(call, entry, S("fullUrl"));
    out->url = text_of(call, out->request, S("url"));
    str method = text_of(call, out->request, S("method"));
    if (!json_is(out->request, JSON_OBJECT) || !str_given(out->url) || !str_given(method))
        return ctx_fail(cx, ERR_INVALID, S("request"),
                        S("each entry needs request.method and request.url"));
    if (!http_method_find(method, &out->method) || out->method == HTTP_OPTIONS)
        return ctx_failf(cx, ERR_INVALID, S("request.method"), "\"%.*s\" is not one of GET, HEAD, "
                         "POST, PUT, PATCH and DELETE", STR_ARG(str_slice(method, 0, 50)));
    return ERR_OK;
}

err bundle_note_read(struct rest_call *call, const struct bundle_entry *entry)
{
    bool reads = entry->method == HTTP_GET || entry->method == HTTP_HEAD;
    bool refused = entry->status == 403 || entry->status == 404;
    if (!str_given(entry->url) || (!reads && !refused))
        return ERR_OK;
    return gate_note_part(call->request, entry->method, entry->url, entry->status);
}

void bundle_place_issues(struct rest_call *call, size_t from, const struct bundle_entry *entry)
{
    struct issues *issues = &call->cx->issues;
    for (size_t i = from; i < issues->kept; i++) {
        str path = issues->list[i].path;
        if (str_starts(path, S("Bundle.entry")))
            continue;
        bool typed = path.n && path.p[0] >= 'A' && path.p[0] <= 'Z';
        size_t dot = typed ? str_find_char(path, '.') : 0;
        str rest = typed ? (dot == STR_NONE ? S("") : str_slice(path, dot, path.n)) : path;
        issues->list[i].path = arena_printf(
            call->cx->arena, "Bundle.entry[%zu]%s%.*s", entry->at,
            typed ? ".resource" : rest.n ? "." : "", STR_ARG(rest));
    }
}

/* A patch in a bundle is a Binary with a JSON or XML Patch in it, or Parameters with a FHIRPath
 * Patch. */
static err take_patch(struct rest_call *call, struct bundle_entry *entry, struct write_ask *ask)
{
    struct ctx *cx = call->cx;
    str type = text_of(call, entry->resource, S("resourceType"));
    if (str_eq(type, S("Parameters"))) {
        ask->patch = entry->resource;
        ask->patch_type = S("application/fhir+json");
        return ERR_OK;
    }
    str data = text_of(call, entry->resource, S("data")), decoded;
    ask->patch_type = text_of(call, entry->resource, S("contentType"));
    if (!str_eq(type, S("Binary")) || !base64_decode(cx->arena, data, &decoded))
        return ctx_fail(cx, ERR_INVALID, S("resource"),
                        S("a patch is a Binary whose data is a JSON or XML Patch, or Parameters"));
    if (rest_media_is(ask->patch_type, S("application/xml-patch+xml"))) {
        ask->patch_xml = decoded.n ? decoded : S("");
        return ERR_OK;
    }
    return json_parse(cx, decoded, &ask->patch);
}

static err take_headers(struct rest_call *call, struct bundle_entry *entry, struct write_ask *ask)
{
    ask->if_match = text_of(call, entry->request, S("ifMatch"));
    ask->if_none_match = text_of(call, entry->request, S("ifNoneMatch"));
    str exist = text_of(call, entry->request, S("ifNoneExist"));
    if (entry->method == HTTP_POST && str_given(exist)) {
        size_t mark = str_find_char(exist, '?');
        ask->condition = mark == STR_NONE ? exist : str_slice(exist, mark + 1, exist.n);
        if (ask->condition.n == 0)
            return ctx_fail(call->cx, ERR_INVALID, S("request.ifNoneExist"), S("it is empty"));
    }
    return ERR_OK;
}

err bundle_make_op(struct rest_call *call, struct bundle_entry *entry, struct commit_op *out)
{
    struct ctx *cx = call->cx;
    struct target target;
    TRY(target_read(call, entry->url, &target));
    struct write_ask ask = { .method = entry->method, .resource = target.resource,
                             .id = target.id };
    bool plain = target.resource != FHIR_NONE && !target.history && !target.operation.n &&
                 !target.compartment.n;
    bool condition = entry->method != HTTP_POST && !str_given(target.id);
    if (!plain || (entry->method == HTTP_POST && str_given(target.id)) ||
        (condition && target.query.n == 0))
        return ctx_failf(cx, ERR_INVALID, S("request.url"), "%.*s cannot be done to \"%.*s\"",
                         STR_ARG(http_method_name(entry->method)),
                         STR_ARG(str_slice(entry->url, 0, 200)));
    if (condition)
        ask.condition = target.query;
    TRY(take_headers(call, entry, &ask));
    if (entry->method != HTTP_DELETE && !json_is(entry->resource, JSON_OBJECT))
        return ctx_fail(cx, ERR_INVALID, S("resource"), S("this entry needs a resource"));
    if (entry->method == HTTP_PATCH)
        TRY(take_patch(call, entry, &ask));
    else
        ask.body = entry->resource;
    TRY(write_make_op(call, &ask, out));
    out->full_url = entry->full_url;
    return ERR_OK;
}

err bundle_take_op(struct rest_call *call, struct bundle_entry *entry)
{
    const struct commit_op *op = entry->op;
    entry->status = write_status(op);
    entry->version = op->version;
    if (op->verb != COMMIT_DELETE && call->returns == REST_RETURN_RESOURCE)
        entry->body = op->version.body;
    if (call->returns == REST_RETURN_OUTCOME) {
        struct issues none = { .arena = call->cx->arena };
        struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
        http_outcome_write(&buf, &none);
        entry->outcome = buf_str(&buf);
    }
    return ERR_OK;
}

/* ---- the answer -------------------------------------------------------------------------- */

static str status_text(struct arena *arena, int status)
{
    static const struct { int status; const char *text; } texts[] = {
        { 200, "200 OK" }, { 201, "201 Created" }, { 204, "204 No Content" },
        { 304, "304 Not Modified" }, { 400, "400 Bad Request" }, { 404, "404 Not Found" },
        { 409, "409 Conflict" }, { 410, "410 Gone" }, { 412, "412 Precondition Failed" },
        { 422, "422 Unprocessable Entity" },
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].status == status)
            return str_of(texts[i].text);
    return arena_printf(arena, "%d", status);
}

static void write_response(struct rest_call *call, struct json_writer *w,
                           const struct bundle_entry *entry)
{
    char at[CLOCK_TEXT];
    struct arena *arena = call->cx->arena;
    const struct store_version *v = &entry->version;
    json_key(w, "response");
    json_open(w, '{');
    json_put_str(w, "status", status_text(arena, entry->status));
    if (v->vid) {
        if (entry->op && entry->op->verb != COMMIT_DELETE)
            json_put_str(w, "location", arena_printf(arena, "%.*s/%.*s", STR_ARG(call->base),
                                                     STR_ARG(write_location(arena, v))));
        json_put_str(w, "etag", arena_printf(arena, "W/\"%lld\"", (long long)v->vid));
        clock_write(v->at_ms, at);
        json_put_str(w, "lastModified", (str){ at, CLOCK_TEXT });
    }
    if (entry->outcome.n)
        json_put_raw(w, "outcome", entry->outcome);
    json_close(w, '}');
}

err bundle_answer(struct rest_call *call, const char *type, const struct bundle_entry *entries,
                  size_t count)
{
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "type", str_of(type));
    if (count) {
        json_key(&w, "entry");
        json_open(&w, '[');
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_version *v = &entries[i].version;
        json_open(&w, '{');
        if (v->vid && entries[i].body.n)
            json_put_str(&w, "fullUrl", arena_printf(call->cx->arena, "%.*s/%.*s/%.*s",
                                                     STR_ARG(call->base),
                                                     STR_ARG(fhir_resource_name(v->resource)),
                                                     STR_ARG(v->id)));
        if (entries[i].body.n)
            json_put_raw(&w, "resource", entries[i].body);
        write_response(call, &w, &entries[i]);
        json_close(&w, '}');
    }
    if (count)
        json_close(&w, ']');
    json_close(&w, '}');
    return rest_send(call, 200, buf_str(&buf));
}

err rest_bundle(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct json bundle;
    TRY(rest_begin(request, response, &call));
    TRY(rest_body(call, &bundle));
    struct json type = json_get(bundle, S("type")), entries = json_get(bundle, S("entry"));
    if (!json_string_is(json_get(bundle, S("resourceType")), S("Bundle")))
        return ctx_fail(call->cx, ERR_INVALID, S("resourceType"),
                        S("only a Bundle can be posted here; post other resources to their type"));
    if (!json_is(entries, JSON_ABSENT) && !json_is(entries, JSON_ARRAY))
        return ctx_fail(call->cx, ERR_INVALID, S("Bundle.entry"), S("entry must be an array"));
    if (json_count(entries) > BUNDLE_ENTRIES_MAX)
        return ctx_failf(call->cx, ERR_LIMIT, S("Bundle.entry"), "a bundle may have %d entries",
                         BUNDLE_ENTRIES_MAX);
    if (json_string_is(type, S("transaction")))
        return transaction_run(call, entries);
    if (json_string_is(type, S("batch")))
        return batch_run(call, entries);
    return ctx_fail(call->cx, ERR_INVALID, S("Bundle.type"),
                    S("Bundle.type must be transaction or batch"));
}
