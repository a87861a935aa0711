/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/call.h"
#include "fhir/xml.h"
#include "http/outcome.h"
#include "http/text.h"
#include "rest/rest.h"
#include "rest/shape.h"

static struct rest_limits limits = { 20, 1000 };

void rest_configure(const struct rest_limits *wanted)
{
    limits = *wanted;
}

const struct rest_limits *rest_limits(void)
{
    return &limits;
}

err rest_fail(struct rest_call *call, int status, const char *code, str text)
{
    call->response->status = status;
    issues_note(&call->cx->issues,
                (struct issue){ .kind = ERR_INVALID, .code = code, .text = text });
    return ERR_INVALID;
}

/* ---- which format ----------------------------------------------------------------------- */

static bool find_media(str media, enum rest_media *out)
{
    static const struct { const char *name; enum rest_media media; } known[] = {
        { "application/fhir+json", REST_JSON }, { "application/json", REST_JSON },
        { "text/json", REST_JSON },             { "json", REST_JSON },
        { "*/*", REST_JSON },                   { "application/*", REST_JSON },
        { "text/html", REST_JSON },             { "html", REST_JSON },
        { "application/fhir+xml", REST_XML },   { "application/xml", REST_XML },
        { "text/xml", REST_XML },               { "xml", REST_XML },
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq_nocase(media, str_of(known[i].name))) {
            *out = known[i].media;
            return true;
        }
    return false;
}

static bool version_is_ours(str params)
{
    str version = http_media_param(params, "fhirVersion");
    return !str_given(version) || str_eq(version, S("4.0")) || str_eq(version, S("4.0.1"));
}

/* The best of an Accept list; a browser, which asks for HTML first, gets JSON to look at. */
static bool choose_media(str accept, struct rest_format *format)
{
    struct http_accept item;
    int best = 0;
    enum rest_media media;
    if (!str_given(accept) || str_eq(accept, S("*/*")) || accept.n == 0)
        return true;
    while (http_next_accept(&accept, &item)) {
        if (str_eq_nocase(item.media, S("text/html"))) {
            *format = (struct rest_format){ .media = REST_JSON, .pretty = true };
            return true;
        }
        if (item.q_milli > best && find_media(item.media, &media) && version_is_ours(item.params)) {
            best = item.q_milli;
            format->media = media;
        }
    }
    return best > 0;
}

static bool read_summary(str text, enum search_summary *out)
{
    static const struct { const char *word; enum search_summary summary; } words[] = {
        { "true", SEARCH_SUMMARY_TRUE }, { "text", SEARCH_SUMMARY_TEXT },
        { "data", SEARCH_SUMMARY_DATA }, { "count", SEARCH_SUMMARY_COUNT },
        { "false", SEARCH_FULL },
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(text, str_of(words[i].word))) {
            *out = words[i].summary;
            return true;
        }
    return false;
}

static err read_control(struct rest_call *call, str name, str value)
{
    struct rest_format *format = &call->format;
    if (str_eq(name, S("_pretty"))) {
        format->pretty = str_eq(value, S("true"));
    } else if (str_eq(name, S("_format"))) {
        size_t semicolon = str_find_char(value, ';');
        /* An unescaped '+' of application/fhir+json arrives as a space. */
        str media = str_slice(value, 0, semicolon);
        if (str_starts(media, S("application/fhir ")))
            media = str_ends(media, S("xml")) ? S("xml") : S("json");
        if (!find_media(str_trim(media), &format->media))
            return rest_fail(call, 406, "not-supported",
                             S("_format takes json or xml (application/fhir+json, "
                               "application/fhir+xml)"));
    } else if (str_eq(name, S("_summary"))) {
        if (!read_summary(value, &format->summary))
            return rest_fail(call, 400, "invalid",
                             S("_summary takes true, text, data, count or false"));
    } else if (str_eq(name, S("_elements"))) {
        format->elements = value;
    }
    return ERR_OK;
}

err rest_read_controls(struct rest_call *call, str query)
{
    struct http_param param;
    while (http_next_param(&query, &param)) {
        str value;
        if (param.name.n == 0 || param.name.p[0] != '_')
            continue;
        if (!http_decode(call->cx->arena, param.value, true, &value))
            return rest_fail(call, 400, "invalid", S("the query holds a malformed %-escape"));
        TRY(read_control(call, param.name, value));
    }
    if (call->format.summary != SEARCH_FULL && call->format.elements.n)
        return rest_fail(call, 400, "invalid", S("give _summary or _elements, not both"));
    return ERR_OK;
}

static void read_prefer(struct rest_call *call)
{
    str prefer = http_header(call->request, "Prefer"), item;
    while (str_next(&prefer, ',', &item)) {
        str part;
        while (str_next(&item, ';', &part)) {
            part = str_trim(part);
            if (str_eq_nocase(part, S("return=minimal")))
                call->returns = REST_RETURN_MINIMAL;
            else if (str_eq_nocase(part, S("return=representation")))
                call->returns = REST_RETURN_RESOURCE;
            else if (str_eq_nocase(part, S("return=OperationOutcome")))
                call->returns = REST_RETURN_OUTCOME;
            else if (str_eq_nocase(part, S("handling=lenient")))
                call->lenient = true;
        }
    }
}

static bool asks_format(str query)
{
    return str_find(query, S("_format=")) != STR_NONE;
}

err rest_begin(struct http_request *request, struct http_response *response,
               struct rest_call **out)
{
    struct ctx *cx = request->cx;
    struct rest_call *call = arena_zero(cx->arena, sizeof *call);
    *call = (struct rest_call){ .request = request, .response = response, .cx = cx,
                                .store = request->store };
    struct buf base = buf_make(cx->arena, 1024);
    buf_add(&base, request->base_url);
    buf_add(&base, S("/fhir"));
    call->base = buf_str(&base);
    if (!choose_media(http_header(request, "Accept"), &call->format) &&
        !asks_format(request->query))
        return rest_fail(call, 406, "not-supported",
                         S("this server writes application/fhir+json and application/fhir+xml, "
                           "FHIR version 4.0"));
    if (request->query.n)
        TRY(rest_read_controls(call, request->query));
    read_prefer(call);
    *out = call;
    return ERR_OK;
}

/* ---- what is sent ----------------------------------------------------------------------- */

bool rest_media_is(str content_type, str media)
{
    return str_eq_nocase(str_trim(str_slice(content_type, 0, str_find_char(content_type, ';'))),
                         media);
}

err rest_body(struct rest_call *call, struct json *out)
{
    str type = http_header(call->request, "Content-Type");
    size_t semicolon = str_find_char(type, ';');
    str params = semicolon == STR_NONE ? (str){ 0 } : str_slice(type, semicolon + 1, type.n);
    str charset = http_media_param(params, "charset");
    enum rest_media media = REST_JSON;
    if (str_given(type) && (!find_media(str_trim(str_slice(type, 0, semicolon)), &media) ||
                            str_find_char(str_slice(type, 0, semicolon), '*') != STR_NONE))
        return rest_fail(call, 415, "not-supported",
                         S("send the resource as application/fhir+json or application/fhir+xml"));
    if (str_given(charset) && !str_eq_nocase(charset, S("utf-8")) &&
        !str_eq_nocase(charset, S("utf8")))
        return rest_fail(call, 415, "not-supported", S("send the resource in UTF-8"));
    if (!version_is_ours(params))
        return rest_fail(call, 415, "not-supported", S("this server reads FHIR version 4.0"));
    if (call->request->body.n == 0)
        return rest_fail(call, 400, "required", S("the body is empty; send a resource"));
    return media == REST_XML ? fhir_xml_read(call->cx, call->request->body, out)
                             : json_parse(call->cx, call->request->body, out);
}

err rest_type(struct rest_call *call, str name, uint16_t *out)
{
    *out = fhir_resource_find(name);
    if (*out != FHIR_NONE)
        return ERR_OK;
    return rest_fail(call, 404, "not-supported",
                     arena_printf(call->cx->arena, "%.*s is not a resource type of FHIR R4",
                                  STR_ARG(str_slice(name, 0, 100))));
}

err rest_check_id(struct ctx *cx, str id)
{
    bool sound = id.n > 0 && id.n <= 64;
    for (size_t i = 0; sound && i < id.n; i++) {
        char c = id.p[i];
        sound = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
                c == '.';
    }
    if (sound)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, (str){ 0 },
                     "\"%.*s\" is not an id: 1 to 64 letters, digits, '-' or '.'",
                     STR_ARG(str_slice(id, 0, 100)));
}

/* ---- what is answered ------------------------------------------------------------------- */

bool rest_is_shaped(const struct rest_format *format)
{
    return format->elements.n > 0 || format->summary == SEARCH_SUMMARY_TRUE ||
           format->summary == SEARCH_SUMMARY_TEXT || format->summary == SEARCH_SUMMARY_DATA;
}

err rest_write_shaped(struct rest_call *call, struct buf *out, str body)
{
    struct json parsed;
    if (!rest_is_shaped(&call->format)) {
        buf_add(out, body);
        return ERR_OK;
    }
    TRY(json_parse(call->cx, body, &parsed));
    shape_write(out, parsed, call->format.summary, call->format.elements);
    return ERR_OK;
}

static err render(struct rest_call *call, str body)
{
    struct http_response *response = call->response;
    response->content_type = S("application/fhir+json; charset=utf-8");
    response->body = body;
    if (!call->format.pretty && call->format.media == REST_JSON)
        return ERR_OK;
    struct json parsed;
    struct buf text = buf_make(call->cx->arena, REST_TEXT_MAX);
    TRY(json_parse(call->cx, body, &parsed));
    if (call->format.media == REST_XML) {
        TRY(fhir_xml_write(call->cx, parsed, call->format.pretty, &text));
        response->content_type = S("application/fhir+xml; charset=utf-8");
    } else {
        json_pretty(&text, parsed);
        buf_char(&text, '\n');
    }
    response->body = buf_str(&text);
    return ERR_OK;
}

err rest_send(struct rest_call *call, int status, str body)
{
    call->response->status = status;
    return render(call, body);
}

void rest_put_version(struct rest_call *call, const struct store_version *version)
{
    struct arena *arena = call->cx->arena;
    char *date = arena_alloc(arena, HTTP_DATE_TEXT);
    http_date_write(version->at_ms, date);
    struct buf etag = buf_make(arena, 32);
    buf_add(&etag, S("W/\""));
    buf_i64(&etag, version->vid);
    buf_char(&etag, '"');
    http_put_header(call->response, S("ETag"), buf_str(&etag));
    http_put_header(call->response, S("Last-Modified"), (str){ date, HTTP_DATE_TEXT });
}

err rest_send_version(struct rest_call *call, int status, const struct store_version *version)
{
    rest_put_version(call, version);
    if (!rest_is_shaped(&call->format))
        return rest_send(call, status, version->body);
    struct buf shaped = buf_make(call->cx->arena, REST_TEXT_MAX);
    TRY(rest_write_shaped(call, &shaped, version->body));
    return rest_send(call, status, buf_str(&shaped));
}

err rest_send_outcome(struct rest_call *call, int status)
{
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    http_outcome_write(&buf, &call->cx->issues);
    return rest_send(call, status, buf_str(&buf));
}

void rest_fault(struct http_request *request, struct http_response *response, err kind)
{
    http_fault(request, response, kind);
    if (!str_starts(request->path, S("/fhir")))
        return;
    struct rest_call call = { .request = request, .response = response, .cx = request->cx };
    choose_media(http_header(request, "Accept"), &call.format);
    if (request->query.n)
        (void)!rest_read_controls(&call, request->query);
    response->status = response->status < 400 ? err_http_status(kind) : response->status;
    if (render(&call, response->body) != ERR_OK)
        response->content_type = S("application/fhir+json; charset=utf-8");
}
