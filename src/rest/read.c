/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/read.h"
#include "base/clock.h"
#include "http/text.h"
#include "rest/rest.h"

/* "W/\"3\", \"4\"" or "*": does the list name this version? */
bool read_etag_names(str list, int64_t vid)
{
    str item;
    uint64_t number;
    while (str_next(&list, ',', &item)) {
        item = str_trim(item);
        if (str_eq(item, S("*")))
            return true;
        if (str_starts(item, S("W/")))
            item = str_slice(item, 2, item.n);
        if (item.n >= 2 && item.p[0] == '"' && item.p[item.n - 1] == '"')
            item = str_slice(item, 1, item.n - 1);
        if (str_to_u64(item, &number) && number == (uint64_t)vid)
            return true;
    }
    return false;
}

bool read_is_unchanged(const struct read_conditions *conditions,
                       const struct store_version *version)
{
    if (str_given(conditions->if_none_match))
        return read_etag_names(conditions->if_none_match, version->vid);
    int64_t since_ms = str_given(conditions->if_modified_since)
                           ? http_date_parse(conditions->if_modified_since) : 0;
    if (since_ms == 0 && str_given(conditions->if_modified_since))
        since_ms = read_instant(conditions->if_modified_since);
    return since_ms && version->at_ms / 1000 <= since_ms / 1000;
}

int64_t read_instant(str text)
{
    struct clock_civil c = { .month = 1, .day = 1 };
    static const struct { size_t at, digits; char before; } fields[] = {
        { 0, 4, 0 }, { 5, 2, '-' }, { 8, 2, '-' }, { 11, 2, 'T' }, { 14, 2, ':' }, { 17, 2, ':' },
    };
    int *const places[] = { &c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second };
    size_t end = 0;
    for (size_t i = 0; i < COUNT(fields) && end == (i ? fields[i].at - 1 : 0); i++) {
        uint64_t value;
        if (!str_to_u64(str_slice(text, fields[i].at, fields[i].at + fields[i].digits), &value) ||
            (i && text.p[fields[i].at - 1] != fields[i].before))
            break;
        *places[i] = (int)value;
        end = fields[i].at + fields[i].digits;
    }
    if (end < 4 || c.month < 1 || c.month > 12 || c.day < 1 || c.hour > 23 || c.minute > 59 ||
        c.day > clock_month_days(c.year, c.month))
        return 0;
    str rest = str_slice(text, end, text.n);
    int64_t at_ms = clock_from_civil(c), scale = 100;
    if (rest.n && rest.p[0] == '.')
        for (rest = str_slice(rest, 1, rest.n); rest.n && rest.p[0] >= '0' && rest.p[0] <= '9';
             rest = str_slice(rest, 1, rest.n), scale /= 10)
            at_ms += (rest.p[0] - '0') * scale;
    uint64_t hours, minutes;
    if (rest.n == 0 || str_eq(rest, S("Z")))
        return at_ms;
    /* A '+' that was not escaped in the query arrives as a space. */
    bool zone = rest.n == 6 && strchr("+- ", rest.p[0]) &&
                str_to_u64(str_slice(rest, 1, 3), &hours) &&
                str_to_u64(str_slice(rest, 4, 6), &minutes);
    if (!zone)
        return 0;
    int64_t offset_ms = (int64_t)(hours * 60 + minutes) * 60000;
    return rest.p[0] == '-' ? at_ms + offset_ms : at_ms - offset_ms;
}

err read_version(struct rest_call *call, const struct read_target *target,
                 struct store_version *out)
{
    struct ctx *cx = call->cx;
    TRY(rest_check_id(cx, target->id));
    TRY(store_reader(cx, call->store));
    err result = target->vid ? store_vread(cx, call->store, target->resource, target->id,
                                           target->vid, out)
                             : store_read(cx, call->store, target->resource, target->id, out);
    if (result == ERR_GONE && out->vid)
        rest_put_version(call, out);
    return result;
}

err rest_read(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct store_version version = { 0 };
    struct read_target target = { .id = request->captures[1] };
    TRY(rest_begin(request, response, &call));
    TRY(rest_type(call, request->captures[0], &target.resource));
    if (str_given(request->captures[2])) {
        uint64_t vid;
        if (!str_to_u64(request->captures[2], &vid) || vid == 0 || vid > INT64_MAX)
            return rest_fail(call, 404, "not-found", S("there is no such version"));
        target.vid = (int64_t)vid;
    }
    TRY(read_version(call, &target, &version));
    struct read_conditions conditions = { http_header(request, "If-None-Match"),
                                          http_header(request, "If-Modified-Since") };
    if (!read_is_unchanged(&conditions, &version))
        return rest_send_version(call, 200, &version);
    rest_put_version(call, &version);
    response->status = 304;
    return ERR_OK;
}

/* ---- history ---------------------------------------------------------------------------- */

static err take_history_param(struct rest_call *call, struct store_history *query, str name,
                              str value)
{
    uint64_t number;
    int64_t *instant = str_eq(name, S("_since")) ? &query->since_ms
                     : str_eq(name, S("_at")) ? &query->at_ms : NULL;
    if (instant) {
        *instant = read_instant(value);
        if (*instant == 0)
            return ctx_failf(call->cx, ERR_INVALID, name, "%.*s takes an instant, as "
                             "2026-11-22T05:11:48Z", STR_ARG(name));
        return ERR_OK;
    }
    if (str_eq(name, S("_count")) || str_eq(name, S("_before"))) {
        if (!str_to_u64(value, &number) || number > INT64_MAX)
            return ctx_failf(call->cx, ERR_INVALID, name, "%.*s takes a whole number",
                             STR_ARG(name));
        if (str_eq(name, S("_count")))
            query->count = number > rest_limits()->page_max ? rest_limits()->page_max : number;
        else
            query->before_seq = (int64_t)number;
        return ERR_OK;
    }
    bool control = str_eq(name, S("_format")) || str_eq(name, S("_pretty")) ||
                   str_eq(name, S("_summary")) || str_eq(name, S("_elements"));
    if (control || call->lenient)
        return ERR_OK;
    return ctx_failf(call->cx, ERR_INVALID, name, "history does not know the parameter %.*s; it "
                     "takes _count, _since and _at", STR_ARG(str_slice(name, 0, 100)));
}

static err take_history_params(struct rest_call *call, str query_text, struct store_history *query)
{
    struct http_param param;
    query->count = rest_limits()->page;
    while (http_next_param(&query_text, &param)) {
        str value;
        if (!http_decode(call->cx->arena, param.value, true, &value))
            return rest_fail(call, 400, "invalid", S("the query holds a malformed %-escape"));
        TRY(take_history_param(call, query, param.name, value));
    }
    return ERR_OK;
}

static err write_history_entry(struct rest_call *call, struct json_writer *w,
                               const struct store_version *v)
{
    static const char *const methods[] = { "", "POST", "PUT", "DELETE" };
    static const char *const statuses[] = { "", "201 Created", "200 OK", "204 No Content" };
    char at[CLOCK_TEXT];
    struct arena *arena = call->cx->arena;
    str type = fhir_resource_name(v->resource);
    json_open(w, '{');
    json_put_str(w, "fullUrl", arena_printf(arena, "%.*s/%.*s/%.*s", STR_ARG(call->base),
                                            STR_ARG(type), STR_ARG(v->id)));
    if (v->method != STORE_DELETED) {
        json_key(w, "resource");
        TRY(rest_write_shaped(call, w->buf, v->body));
        w->comma = true;
    }
    json_key(w, "request");
    json_open(w, '{');
    json_put_str(w, "method", str_of(methods[v->method]));
    json_put_str(w, "url", v->method == STORE_CREATED
                               ? type : arena_printf(arena, "%.*s/%.*s", STR_ARG(type),
                                                     STR_ARG(v->id)));
    json_close(w, '}');
    json_key(w, "response");
    json_open(w, '{');
    json_put_str(w, "status", str_of(statuses[v->method]));
    json_put_str(w, "etag", arena_printf(arena, "W/\"%lld\"", (long long)v->vid));
    clock_write(v->at_ms, at);
    json_put_str(w, "lastModified", (str){ at, CLOCK_TEXT });
    json_close(w, '}');
    json_close(w, '}');
    return ERR_OK;
}

/* The query without the page cursor, to which the next page's is added. */
static str next_history_url(struct rest_call *call, str url, str query, int64_t before_seq)
{
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    struct http_param param;
    buf_add(&buf, url);
    buf_char(&buf, '?');
    while (http_next_param(&query, &param)) {
        if (str_eq(param.name, S("_before")))
            continue;
        buf_add(&buf, param.name);
        buf_char(&buf, '=');
        buf_add(&buf, param.value);
        buf_char(&buf, '&');
    }
    buf_printf(&buf, "_before=%lld", (long long)before_seq);
    return buf_str(&buf);
}

static void write_link(struct json_writer *w, const char *relation, str url)
{
    json_open(w, '{');
    json_put_str(w, "relation", str_of(relation));
    json_put_str(w, "url", url);
    json_close(w, '}');
}

static str history_url(struct rest_call *call, const struct store_history *query)
{
    struct buf url = buf_make(call->cx->arena, 4096);
    buf_add(&url, call->base);
    if (query->resource != FHIR_NONE) {
        buf_char(&url, '/');
        buf_add(&url, fhir_resource_name(query->resource));
    }
    if (query->id.n) {
        buf_char(&url, '/');
        buf_add(&url, query->id);
    }
    buf_add(&url, S("/_history"));
    return buf_str(&url);
}

err read_history(struct rest_call *call, struct store_history query, str text, str *out)
{
    struct ctx *cx = call->cx;
    struct store_versions page;
    TRY(take_history_params(call, text, &query));
    TRY(store_reader(cx, call->store));
    TRY(store_history(cx, call->store, &query, &page));
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    str url = history_url(call, &query);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "type", S("history"));
    json_put_u64(&w, "total", (uint64_t)page.total);
    json_key(&w, "link");
    json_open(&w, '[');
    write_link(&w, "self", text.n ? arena_printf(cx->arena, "%.*s?%.*s", STR_ARG(url),
                                                 STR_ARG(text)) : url);
    if (page.more && page.count)
        write_link(&w, "next", next_history_url(call, url, text, page.list[page.count - 1].seq));
    json_close(&w, ']');
    if (page.count && call->format.summary != SEARCH_SUMMARY_COUNT) {
        json_key(&w, "entry");
        json_open(&w, '[');
        for (size_t i = 0; i < page.count; i++)
            TRY(write_history_entry(call, &w, &page.list[i]));
        json_close(&w, ']');
    }
    json_close(&w, '}');
    *out = buf_str(&buf);
    return ERR_OK;
}

err rest_history(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct store_history query = { .resource = FHIR_NONE };
    str body;
    TRY(rest_begin(request, response, &call));
    if (str_given(request->captures[0]))
        TRY(rest_type(call, request->captures[0], &query.resource));
    if (str_given(request->captures[1]))
        TRY(rest_check_id(call->cx, request->captures[1]));
    query.id = request->captures[1];
    TRY(read_history(call, query, request->query, &body));
    return rest_send(call, 200, body);
}
