/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/viewdef.h"
#include "fhir/datetime.h"
#include "fhir/def.h"
#include "http/text.h"
#include "view/view_table.h"
#include <unistd.h>

/* ---- parameters ---- */

static struct json parameter(struct json parameters, str name)
{
    for (struct json_walk w = json_walk(json_get(parameters, S("parameter"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("name")), name))
            return w.value;
    return (struct json){ 0 };
}

/* The text of a part's value[x], a reference's too. */
static str value_text(struct ctx *cx, struct json part)
{
    for (struct json_walk w = json_walk(part); json_next(&w);) {
        str key = json_string(cx->arena, w.key);
        if (str_starts(key, S("value")))
            return json_is(w.value, JSON_OBJECT)
                       ? json_string(cx->arena, json_get(w.value, S("reference")))
                       : json_string(cx->arena, w.value);
    }
    return (str){ 0 };
}

/* From the body, else from the URL. */
static str text_of(const struct viewdef_ask *ask, const char *name)
{
    struct ctx *cx = ask->request->cx;
    str text = value_text(cx, parameter(ask->parameters, str_of(name)));
    return str_given(text) ? text
                           : http_query_value(cx->arena, ask->request->query, str_of(name));
}

static err bad(struct ctx *cx, struct http_response *response, int status, const char *text)
{
    response->status = status;
    return ctx_fail(cx, ERR_INVALID, S(""), str_of(text));
}

static bool find_format(str text, enum view_format *out)
{
    static const struct { const char *name; enum view_format format; } known[] = {
        { "ndjson", VIEW_NDJSON }, { "application/ndjson", VIEW_NDJSON },
        { "application/x-ndjson", VIEW_NDJSON }, { "application/fhir+ndjson", VIEW_NDJSON },
        { "csv", VIEW_CSV }, { "text/csv", VIEW_CSV }, { "json", VIEW_JSON_ARRAY },
        { "application/json", VIEW_JSON_ARRAY }, { "application/fhir+json", VIEW_JSON_ARRAY },
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq_nocase(text, str_of(known[i].name))) {
            *out = known[i].format;
            return true;
        }
    return false;
}

static err read_format(struct viewdef_ask *ask, struct http_response *response)
{
    struct http_accept item;
    str text = text_of(ask, "_format"), accept = http_header(ask->request, "Accept");
    ask->format = VIEW_NDJSON;
    if (str_given(text))
        return find_format(text, &ask->format)
                   ? ERR_OK
                   : bad(ask->request->cx, response, 406, "_format is ndjson, csv or json");
    while (accept.n && http_next_accept(&accept, &item))
        if (find_format(item.media, &ask->format))
            break;
    return ERR_OK;
}

static err read_numbers(struct viewdef_ask *ask, struct http_response *response)
{
    struct ctx *cx = ask->request->cx;
    str limit = text_of(ask, "_limit"), since = text_of(ask, "_since");
    struct datetime at;
    ask->no_head = str_eq(text_of(ask, "header"), S("false"));
    if (str_given(limit) && (!str_to_i64(limit, &ask->limit) || ask->limit <= 0))
        return bad(cx, response, 400, "_limit is a whole number, 1 or more");
    if (str_given(since)) {
        if (!datetime_parse(since, DATETIME_AS_SEARCH, &at))
            return bad(cx, response, 400, "_since is an instant");
        ask->since_ms = at.low_ms;
    }
    str patient = text_of(ask, "patient");
    ask->patient = str_starts(patient, S("Patient/")) ? str_slice(patient, 8, patient.n) : patient;
    return ERR_OK;
}

/* A view the systems keep, by "ViewDefinition/beds_stays" or its bare name. */
static err find_kept(struct ctx *cx, struct http_response *response, str name, struct json *out)
{
    if (str_starts(name, S("ViewDefinition/")))
        name = str_slice(name, 15, name.n);
    for (const struct view_file *f = view_files; f->system; f++)
        if (str_eq(name, arena_printf(cx->arena, "%s_%s", f->system, f->name)))
            return json_parse(cx, str_of(f->text), out);
    response->status = 404;
    return ctx_failf(cx, ERR_NOT_FOUND, S(""),
                     "no system keeps a view %.*s; send it as viewResource",
                     STR_ARG(str_slice(name, 0, 100)));
}

/* viewResource or viewReference, or view parts that hold one each with a name. */
static bool is_named(struct json part, const char *name)
{
    return json_string_is(json_get(part, S("name")), str_of(name));
}

/* The definition a parameter or part gives; absent when it is another one. */
static err definition_of(struct ctx *cx, struct http_response *response, struct json part,
                         struct json *out)
{
    *out = (struct json){ 0 };
    if (is_named(part, "viewReference"))
        return find_kept(cx, response, value_text(cx, part), out);
    if (!is_named(part, "viewResource"))
        return ERR_OK;
    *out = json_get(part, S("resource"));
    return out->doc ? ERR_OK : bad(cx, response, 400, "viewResource must hold a ViewDefinition");
}

static err add_view(struct viewdef_ask *ask, struct http_response *response,
                    struct json definition, str name)
{
    if (ask->views_count == VIEWDEF_VIEWS_MAX)
        return bad(ask->request->cx, response, 413, "too many views");
    ask->names[ask->views_count] = name;
    ask->definitions[ask->views_count++] = definition;
    return ERR_OK;
}

static err read_part(struct viewdef_ask *ask, struct http_response *response, struct json view)
{
    struct json definition = { 0 };
    str name = { 0 };
    for (struct json_walk w = json_walk(json_get(view, S("part"))); json_next(&w);) {
        struct json found;
        TRY(definition_of(ask->request->cx, response, w.value, &found));
        definition = found.doc ? found : definition;
        if (is_named(w.value, "name"))
            name = value_text(ask->request->cx, w.value);
    }
    return definition.doc ? add_view(ask, response, definition, name)
                          : bad(ask->request->cx, response, 400,
                                "a view part needs viewResource or viewReference");
}

static err read_views(struct viewdef_ask *ask, struct http_response *response)
{
    struct ctx *cx = ask->request->cx;
    for (struct json_walk w = json_walk(json_get(ask->parameters, S("parameter")));
         json_next(&w);) {
        struct json found;
        TRY(definition_of(cx, response, w.value, &found));
        if (found.doc)
            TRY(add_view(ask, response, found, (str){ 0 }));
        else if (is_named(w.value, "view"))
            TRY(read_part(ask, response, w.value));
    }
    return ERR_OK;
}

/* The one in the path: /fhir/ViewDefinition/beds_stays/$viewdefinition-run. */
static err read_path(struct viewdef_ask *ask, struct http_response *response)
{
    struct ctx *cx = ask->request->cx;
    str name = ask->request->captures[0];
    struct json definition;
    if (!name.n)
        return ask->views_count ? ERR_OK
                                : bad(cx, response, 400, "a ViewDefinition is needed: as the body, "
                                                         "or as parameter viewResource");
    TRY(find_kept(cx, response, name, &definition));
    return add_view(ask, response, definition, name);
}

err viewdef_read(struct http_request *request, struct http_response *response,
                 struct viewdef_ask *out)
{
    struct ctx *cx = request->cx;
    struct json body;
    *out = (struct viewdef_ask){ .request = request };
    if (!request->body.n) {
        TRY(read_path(out, response));
        TRY(read_format(out, response));
        return read_numbers(out, response);
    }
    if (json_parse(cx, request->body, &body) != ERR_OK) {
        response->status = 400;
        return ERR_INVALID;
    }
    str type = json_string(cx->arena, json_get(body, S("resourceType")));
    if (str_eq(type, S("Parameters")))
        out->parameters = body;
    else if (str_eq(type, S("ViewDefinition")) || json_get(body, S("select")).doc)
        out->definitions[out->views_count++] = body;
    else
        return bad(cx, response, 400, "the body must be a Parameters or a ViewDefinition");
    if (out->parameters.doc)
        TRY(read_views(out, response));
    TRY(read_path(out, response));
    TRY(read_format(out, response));
    return read_numbers(out, response);
}

err viewdef_source(const struct viewdef_ask *ask, const struct view *view, struct view_source *out)
{
    struct ctx *cx = ask->request->cx;
    struct store *store = ask->request->store;
    struct store_version patient;
    TRY(view_source_of_store(cx, store, view, out));
    out->since_ms = ask->since_ms;
    if (!ask->patient.n)
        return ERR_OK;
    TRY(store_read(cx, store, fhir_resource_find(S("Patient")), ask->patient, &patient));
    out->pid = patient.rid;
    return ERR_OK;
}

/* ---- the answer ---- */

const char *viewdef_media(enum view_format format)
{
    return format == VIEW_CSV      ? "text/csv; charset=utf-8"
           : format == VIEW_NDJSON ? "application/x-ndjson"
                                   : "application/json";
}

static int64_t read_on(void *self, char *out, size_t room)
{
    size_t got = fread(out, 1, room, self);
    return got ? (int64_t)got : -1;
}

static void close_file(void *self)
{
    fclose(self);
}

void viewdef_stream(struct http_response *response, FILE *file, enum view_format format)
{
    rewind(file);
    response->content_type = str_of(viewdef_media(format));
    response->stream = read_on;
    response->stream_end = close_file;
    response->stream_self = file;
}

static err write_file(void *self, str text)
{
    return fwrite(text.p, 1, text.n, self) == text.n ? ERR_OK : ERR_IO;
}

/* Resources sent along with the view, instead of the store's. */
static err inline_resources(const struct viewdef_ask *ask, struct view_source *out)
{
    struct ctx *cx = ask->request->cx;
    struct buf buf = buf_make(cx->arena, ask->request->body.n + 1024);
    for (struct json_walk w = json_walk(json_get(ask->parameters, S("parameter")));
         json_next(&w);) {
        struct json resource = json_get(w.value, S("resource"));
        if (!json_string_is(json_get(w.value, S("name")), S("resource")) || !resource.doc)
            continue;
        str text = json_text(resource);
        for (size_t i = 0; i < text.n; i++)
            buf_char(&buf, text.p[i] == '\n' || text.p[i] == '\r' ? ' ' : text.p[i]);
        buf_char(&buf, '\n');
    }
    *out = view_source_of_ndjson(buf_str(&buf));
    return ERR_OK;
}

/* A view or a resource that is wrong is 422, whatever kind of fault it was. */
static err run_into(const struct viewdef_ask *ask, struct http_response *response, FILE *file)
{
    struct ctx *cx = ask->request->cx;
    struct view_source source;
    struct view_bulk bulk = { .format = ask->format, .limit = ask->limit, .self = file,
                              .no_head = ask->no_head, .write = write_file, .threads = 2 };
    if (view_compile(cx, ask->definitions[0], &bulk.view) != ERR_OK) {
        response->status = 422;
        return ERR_RULE;
    }
    if (parameter(ask->parameters, S("resource")).doc)
        TRY(inline_resources(ask, &source));
    else
        TRY(viewdef_source(ask, bulk.view, &source));
    return view_bulk_run(cx, &bulk, &source);
}

static err viewdef_run(struct http_request *request, struct http_response *response)
{
    struct viewdef_ask *ask = arena_zero(request->cx->arena, sizeof *ask);
    TRY(viewdef_read(request, response, ask));
    FILE *file = tmpfile();
    if (!file)
        return ctx_fail(request->cx, ERR_IO, S(""), S("no room for the rows on disk"));
    err error = run_into(ask, response, file);
    if (error)
        fclose(file);
    else
        viewdef_stream(response, file, ask->format);
    return error;
}

#define RUN "Rows of a ViewDefinition over the record"
#define EXPORT "Files of ViewDefinitions over the record, made in the background"
/* clang-format off */
const struct route viewdef_routes[] = {
    { "POST", "/fhir/$viewdefinition-run", "fhir.search", viewdef_run, RUN, ROUTE_SLOW },
    { "POST", "/fhir/ViewDefinition/$viewdefinition-run", "fhir.search", viewdef_run, RUN,
      ROUTE_SLOW },
    { "POST", "/fhir/ViewDefinition/$run", "fhir.search", viewdef_run, RUN, ROUTE_SLOW },
    { "GET", "/fhir/ViewDefinition/{view}/$viewdefinition-run", "fhir.search", viewdef_run,
      "Rows of a view a system keeps", ROUTE_SLOW },
    { "POST", "/fhir/ViewDefinition/{view}/$viewdefinition-run", "fhir.search", viewdef_run,
      "Rows of a view a system keeps", ROUTE_SLOW },
    { "POST", "/fhir/$viewdefinition-export", "fhir.export", viewdef_export_start, EXPORT,
      ROUTE_SLOW },
    { "POST", "/fhir/ViewDefinition/$viewdefinition-export", "fhir.export", viewdef_export_start,
      EXPORT, ROUTE_SLOW },
    { "GET", "/fhir/$viewdefinition-export/{job}", "fhir.search", viewdef_export_status,
      "How far an export is, and its files", ROUTE_SLOW },
    { "DELETE", "/fhir/$viewdefinition-export/{job}", "fhir.search", viewdef_export_cancel,
      "End or forget an export", ROUTE_SLOW },
    { "GET", "/fhir/$viewdefinition-export/{job}/{file}", "fhir.search", viewdef_export_file,
      "A file of an export", ROUTE_SLOW },
    { 0 },
};
