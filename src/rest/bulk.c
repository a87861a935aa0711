/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/bulk.h"
#include "auth/audit_log.h"
#include "auth/decide.h"
#include "auth/gate.h"
#include "base/clock.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "json/write.h"
#include "rest/call.h"
#include "rest/op.h"
#include "store/search.h"
#include <stdio.h>

static struct bulk *bulk;

void rest_bulk_use(struct bulk *the_bulk)
{
    bulk = the_bulk;
}

/* --- what is asked --- */

static err wrong(struct rest_call *call, const char *parameter, const char *what, str value)
{
    return ctx_failf(call->cx, ERR_INVALID, str_of(parameter), "%s: %.*s", what,
                     (int)(value.n > 200 ? 200 : value.n), value.p ? value.p : "");
}

static err read_types(struct rest_call *call, str list, struct bulk_spec *spec)
{
    str name;
    while (str_next(&list, ',', &name)) {
        uint16_t resource = fhir_resource_find(str_trim(name));
        if (resource == FHIR_NONE)
            return wrong(call, "_type", "there is no such type", name);
        spec->types[resource / 64] |= (uint64_t)1 << (resource % 64);
    }
    return ERR_OK;
}

static err read_since(struct rest_call *call, str text, struct bulk_spec *spec)
{
    struct datetime instant;
    if (!datetime_parse(text, DATETIME_AS_INSTANT, &instant))
        return wrong(call, "_since", "not an instant such as 2026-11-22T08:00:00Z", text);
    spec->since_ms = instant.low_ms;
    return ERR_OK;
}

/* "Observation?status=final"; several may stand in one parameter, each with its '?'. */
static err read_filters(struct rest_call *call, str list, struct bulk_spec *spec)
{
    str one;
    while (str_next(&list, ',', &one)) {
        size_t mark = str_find_char(one, '?');
        uint16_t resource = fhir_resource_find(str_trim(str_slice(one, 0, mark)));
        struct bulk_filter *last = spec->filters_count ? &spec->filters[spec->filters_count - 1]
                                                       : NULL;
        if (mark == STR_NONE && last) { /* a comma within the one before */
            last->query = arena_printf(call->cx->arena, "%.*s,%.*s", STR_ARG(last->query),
                                       STR_ARG(one));
            continue;
        }
        if (mark == STR_NONE || resource == FHIR_NONE)
            return wrong(call, "_typeFilter", "write TYPE?PARAMETERS", one);
        if (spec->filters_count == BULK_FILTERS_MAX)
            return wrong(call, "_typeFilter", "too many filters", S(""));
        spec->filters[spec->filters_count++] = (struct bulk_filter){
            resource, str_slice(one, mark + 1, one.n) };
    }
    return ERR_OK;
}

static err read_format(struct rest_call *call, str text)
{
    static const char *const known[] = { "application/fhir+ndjson", "application/ndjson",
                                         "ndjson" };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(text, str_of(known[i])))
            return ERR_OK;
    return wrong(call, "_outputFormat", "only application/fhir+ndjson is written", text);
}

static err read_parameter(struct rest_call *call, str name, str value, struct bulk_spec *spec)
{
    if (str_eq(name, S("_type")))
        return read_types(call, value, spec);
    if (str_eq(name, S("_since")))
        return read_since(call, value, spec);
    if (str_eq(name, S("_typeFilter")))
        return read_filters(call, value, spec);
    if (str_eq(name, S("_outputFormat")))
        return read_format(call, value);
    if (str_eq(name, S("_elements"))) {
        spec->elements = value;
        return ERR_OK;
    }
    if (call->lenient || str_eq(name, S("_format")) || str_eq(name, S("_pretty")))
        return ERR_OK;
    return ctx_failf(call->cx, ERR_INVALID, name, "$export takes no parameter %.*s; it takes: "
                     "_type _since _typeFilter _elements _outputFormat",
                     STR_ARG(str_slice(name, 0, 100)));
}

static err read_query(struct rest_call *call, struct bulk_spec *spec)
{
    struct http_param param;
    str query = call->request->query, name, value;
    while (http_next_param(&query, &param)) {
        if (!http_decode(call->cx->arena, param.name, true, &name) ||
            !http_decode(call->cx->arena, param.value, true, &value))
            return wrong(call, "parameter", "a malformed % escape", param.value);
        TRY(read_parameter(call, name, value, spec));
    }
    return ERR_OK;
}

/* A Parameters resource: value[x] whatever its type. */
static err read_body(struct rest_call *call, struct bulk_spec *spec)
{
    struct json body;
    if (!call->request->body.n)
        return ERR_OK;
    TRY(rest_body(call, &body));
    for (struct json_walk w = json_walk(json_get(body, S("parameter"))); json_next(&w);) {
        str name = json_string(call->cx->arena, json_get(w.value, S("name"))), value = S("");
        for (struct json_walk m = json_walk(w.value); json_next(&m);)
            if (str_starts(json_string(call->cx->arena, m.key), S("value")))
                value = json_string(call->cx->arena, m.value);
        TRY(read_parameter(call, name, value, spec));
    }
    return ERR_OK;
}

static err check_async(struct rest_call *call)
{
    str prefer = http_header(call->request, "Prefer");
    if (str_find(prefer, S("respond-async")) != STR_NONE)
        return ERR_OK;
    return ctx_fail(call->cx, ERR_INVALID, S("Prefer"),
                    S("this takes longer than a request: send Prefer: respond-async"));
}

/* A filter is a search: what is wrong with it is told now, not by a job that fails. */
static err check_filters(struct rest_call *call, const struct bulk_spec *spec)
{
    for (size_t i = 0; i < spec->filters_count; i++)
        TRY(search_body_check(call->cx, call->store, spec->filters[i].resource,
                              spec->filters[i].query));
    return ERR_OK;
}

/* "id,name,Patient.birthDate": elements of the type, or of some type. */
static err check_elements(struct rest_call *call, str list)
{
    str one, name;
    while (str_next(&list, ',', &one)) {
        str rest = str_trim(one);
        bool typed = str_find_char(rest, '.') != STR_NONE, known = false;
        uint16_t only = FHIR_NONE;
        if (typed) {
            str_next(&rest, '.', &name);
            only = fhir_resource_find(name);
        }
        str_next(&rest, '.', &name);
        for (uint16_t r = 0; r < fhir_resources_count && !known; r++) {
            const struct fhir_type *type = &fhir_types[fhir_resources[r]];
            for (uint16_t e = 0; e < type->elements_count && (!typed || r == only); e++)
                known = known || str_eq(type->elements[e].name, name) ||
                        str_eq(type->elements[e].json_name, name);
        }
        if (!known)
            return wrong(call, "_elements", "no resource has this element", one);
    }
    return ERR_OK;
}

static err accept(struct rest_call *call, struct bulk_spec *spec, str input)
{
    struct http_request *request = call->request;
    str id;
    spec->url = arena_printf(call->cx->arena, "%.*s%.*s%s%.*s", STR_ARG(request->base_url),
                             STR_ARG(request->path), request->query.n ? "?" : "",
                             STR_ARG(request->query));
    spec->who = call->cx->user ? audit_who(call->cx->arena, call->cx->user) : S("");
    spec->access = access_copy(call->cx->arena, call->cx->access);
    TRY(bulk_submit(call->cx, bulk, spec, input, &id));
    call->response->status = 202;
    http_put_header(call->response, S("Content-Location"),
                    arena_printf(call->cx->arena, "%.*s/$bulk/%.*s", STR_ARG(call->base),
                                 STR_ARG(id)));
    return ERR_OK;
}

static err export_of(struct http_request *request, struct http_response *response,
                     bool patients_only, str group)
{
    struct rest_call *call;
    struct bulk_spec *spec = arena_zero(request->cx->arena, sizeof *spec);
    struct store_version version;
    spec->patients_only = patients_only;
    spec->group = group;
    TRY(rest_begin(request, response, &call));
    TRY(check_async(call));
    TRY(read_query(call, spec));
    if (request->method == HTTP_POST)
        TRY(read_body(call, spec));
    TRY(check_filters(call, spec));
    if (spec->elements.n)
        TRY(check_elements(call, spec->elements));
    if (group.n)
        TRY(store_read(call->cx, call->store, fhir_resource_find(S("Group")), group, &version));
    return accept(call, spec, S(""));
}

static err export_system(struct http_request *request, struct http_response *response)
{
    return export_of(request, response, false, S(""));
}

static err export_patients(struct http_request *request, struct http_response *response)
{
    return export_of(request, response, true, S(""));
}

static err export_group(struct http_request *request, struct http_response *response)
{
    return export_of(request, response, true, request->captures[0]);
}

/* Whoever imports in bulk must be allowed to write every type: the entries are not looked at one by
 * one with their relationships. */
static err check_importer(struct rest_call *call)
{
    const struct user *user = call->cx->user;
    for (uint16_t r = 0; user && r < fhir_resources_count; r++) {
        struct decide_thing thing = { .resource = r };
        if (!decide(&user->asker, DECIDE_CREATE, &thing).allowed ||
            !decide(&user->asker, DECIDE_UPDATE, &thing).allowed)
            return ctx_failf(call->cx, ERR_FORBIDDEN, (str){ 0 },
                             "a bulk import needs the right to create and update every type "
                             "(system/*.cu); %.*s is refused", STR_ARG(fhir_resource_name(r)));
    }
    return ERR_OK;
}

static err import_ndjson(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct bulk_spec *spec = arena_zero(request->cx->arena, sizeof *spec);
    str type = http_header(request, "Content-Type");
    spec->is_import = true;
    TRY(rest_begin(request, response, &call));
    TRY(check_async(call));
    TRY(check_importer(call));
    if (!rest_media_is(type, S("application/fhir+ndjson")) &&
        !rest_media_is(type, S("application/ndjson")) &&
        !rest_media_is(type, S("application/x-ndjson"))) {
        response->status = 415;
        return ctx_fail(call->cx, ERR_INVALID, S("Content-Type"),
                        S("send the resources as application/fhir+ndjson, one a line"));
    }
    return accept(call, spec, request->body);
}

/* --- looking --- */

static void put_instant(struct json_writer *w, const char *key, int64_t at_ms)
{
    char text[CLOCK_TEXT];
    clock_write(at_ms, text);
    json_put_str(w, key, (str){ text, CLOCK_TEXT });
}

/* Which list of the manifest a file stands in. */
static const char *list_of(str file)
{
    return str_eq(file, S("errors.ndjson")) ? "error"
           : str_eq(file, S("deleted.ndjson")) ? "deleted" : "output";
}

static void put_files(struct rest_call *call, struct json_writer *w, str id, struct json output,
                      const char *list)
{
    json_key(w, list);
    json_open(w, '[');
    for (struct json_walk walk = json_walk(output); json_next(&walk);) {
        str file = json_string(call->cx->arena, json_get(walk.value, S("file")));
        struct json count = json_get(walk.value, S("count"));
        if (strcmp(list_of(file), list) != 0)
            continue;
        json_open(w, '{');
        json_put_str(w, "type", json_string(call->cx->arena, json_get(walk.value, S("type"))));
        json_put_str(w, "url", arena_printf(call->cx->arena, "%.*s/$bulk/%.*s/%.*s",
                                            STR_ARG(call->base), STR_ARG(id), STR_ARG(file)));
        if (count.doc)
            json_put_raw(w, "count", json_text(count));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static err send_manifest(struct rest_call *call, str id, const struct bulk_report *report)
{
    struct buf buf = buf_make(call->cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    struct json output;
    TRY(json_parse(call->cx, report->output, &output));
    json_open(&w, '{');
    put_instant(&w, "transactionTime", report->created_ms);
    json_put_str(&w, "request", report->url);
    json_put_bool(&w, "requiresAccessToken", call->cx->user != NULL);
    put_files(call, &w, id, output, "output");
    put_files(call, &w, id, output, "deleted");
    put_files(call, &w, id, output, "error");
    if (report->is_import) {
        json_key(&w, "extension");
        json_raw(&w, report->output);
    }
    json_close(&w, '}');
    char expires[HTTP_DATE_TEXT];
    http_date_write(report->expires_ms, expires);
    http_put_header(call->response, S("Expires"),
                    arena_copy(call->cx->arena, (str){ expires, HTTP_DATE_TEXT }));
    call->response->content_type = S("application/json");
    call->response->body = buf_str(&buf);
    return ERR_OK;
}

/* One app's tokens differ: files made with a wider one are not for a narrower. */
static bool covers(struct ctx *cx, const struct bulk_report *report)
{
    const struct decide_asker *asker = &cx->user->asker;
    struct store_access mine = decide_filter(cx->arena, asker, DECIDE_SEARCH, &cx->user->patients);
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if ((report->types[r / 64] >> (r % 64) & 1) &&
            (!access_type(&mine, r) || decide_is_narrowed(asker, DECIDE_SEARCH, r)))
            return false;
    return true;
}

/* A job is its asker's: another is told what somebody without it would be told. */
static err look_own(struct ctx *cx, str id, struct bulk_report *out)
{
    TRY(bulk_look(cx, bulk, id, out));
    if (!cx->user || (str_eq(out->who, audit_who(cx->arena, cx->user)) && covers(cx, out)))
        return ERR_OK;
    return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("there is no such job, or no longer"));
}

static err look(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct bulk_report report;
    str id = request->captures[0];
    TRY(rest_begin(request, response, &call));
    TRY(look_own(call->cx, id, &report));
    if (report.state == BULK_DONE)
        return send_manifest(call, id, &report);
    if (report.state == BULK_FAILED) {
        response->status = 422;
        return ctx_fail(call->cx, ERR_RULE, (str){ 0 }, report.error);
    }
    response->status = 202;
    str progress = report.state == BULK_WAITING ? S("waiting")
                   : report.total ? arena_printf(call->cx->arena, "%lld of %lld resources",
                                                 (long long)report.done, (long long)report.total)
                                  : arena_printf(call->cx->arena, "%lld resources",
                                                 (long long)report.done);
    http_put_header(response, S("X-Progress"), progress);
    http_put_header(response, S("Retry-After"), S("1"));
    return ERR_OK;
}

static err cancel(struct http_request *request, struct http_response *response)
{
    struct bulk_report report;
    TRY(look_own(request->cx, request->captures[0], &report));
    TRY(bulk_cancel(request->cx, bulk, request->captures[0]));
    response->status = 202;
    return ERR_OK;
}

static int64_t read_some(void *self, char *out, size_t room)
{
    size_t got = fread(out, 1, room, self);
    return got ? (int64_t)got : -1;
}

static void close_file(void *self)
{
    fclose(self);
}

static err send_file(struct http_request *request, struct http_response *response)
{
    struct bulk_report report;
    str path;
    TRY(look_own(request->cx, request->captures[0], &report));
    TRY(bulk_file(request->cx, bulk, request->captures[0], request->captures[1], &path));
    FILE *file = fopen(arena_cstr(request->cx->arena, path), "rb");
    if (!file)
        return ctx_fail(request->cx, ERR_NOT_FOUND, (str){ 0 }, S("there is no such file"));
    response->content_type = S("application/fhir+ndjson");
    response->stream = read_some;
    response->stream_end = close_file;
    response->stream_self = file;
    return ERR_OK;
}

#define BULK_OP "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
const struct operation bulk_operations[] = {
    { "$export", NULL, OPERATION_SYSTEM, false, NULL, "Export the whole record", BULK_OP "export" },
    { "$export", "Patient", OPERATION_TYPE, false, NULL, "Export all patients",
      BULK_OP "patient-export" },
    { "$export", "Group", OPERATION_INSTANCE, false, NULL, "Export the patients of a group",
      BULK_OP "group-export" },
    { "$import", NULL, OPERATION_SYSTEM, true, NULL, "Import resources in bulk, as NDJSON",
      FRONTLINE_OP "import" },
    { 0 },
};

/* clang-format off */
const struct route bulk_routes[] = {
    { "GET",    "/fhir/$export", "fhir.export", export_system, "Export the whole record",
      ROUTE_SLOW },
    { "POST",   "/fhir/$export", "fhir.export", export_system, "Export the whole record",
      ROUTE_SLOW },
    { "GET",    "/fhir/Patient/$export", "fhir.export", export_patients, "Export all patients",
      ROUTE_SLOW },
    { "POST",   "/fhir/Patient/$export", "fhir.export", export_patients, "Export all patients",
      ROUTE_SLOW },
    { "GET",    "/fhir/Group/{id}/$export", "fhir.export", export_group,
      "Export the patients of a group", ROUTE_SLOW },
    { "POST",   "/fhir/Group/{id}/$export", "fhir.export", export_group,
      "Export the patients of a group", ROUTE_SLOW },
    { "POST",   "/fhir/$import", "fhir.import", import_ndjson, "Import resources in bulk",
      ROUTE_SLOW },
    { "GET",    "/fhir/$bulk/{id}", "fhir.read", look, "How far an export or import is",
      ROUTE_SLOW },
    { "DELETE", "/fhir/$bulk/{id}", "fhir.read", cancel, "End and forget an export or import",
      ROUTE_SLOW },
    { "GET",    "/fhir/$bulk/{id}/{file}", "fhir.read", send_file, "A file of an export",
      ROUTE_SLOW },
    { 0 },
};
/* clang-format on */
