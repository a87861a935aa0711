/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/find.h"
#include "http/outcome.h"
#include "http/text.h"
#include "rest/rest.h"

static void write_link(struct json_writer *w, const char *relation, str url, str query)
{
    json_open(w, '{');
    json_put_str(w, "relation", str_of(relation));
    json_key(w, "url");
    buf_char(w->buf, '"');
    json_escape(w->buf, url);
    if (query.n) {
        buf_char(w->buf, '?');
        json_escape(w->buf, query);
    }
    buf_char(w->buf, '"');
    w->comma = true;
    json_close(w, '}');
}

static str url_of(struct rest_call *call, const struct find_target *target)
{
    struct buf url = buf_make(call->cx->arena, 4096);
    buf_add(&url, call->base);
    if (str_given(target->compartment)) {
        buf_char(&url, '/');
        buf_add(&url, target->compartment);
        buf_char(&url, '/');
        buf_add(&url, target->compartment_id);
        if (target->resource == FHIR_NONE)
            buf_add(&url, S("/*"));
    }
    if (target->resource != FHIR_NONE) {
        buf_char(&url, '/');
        buf_add(&url, fhir_resource_name(target->resource));
    }
    return buf_str(&url);
}

static err write_entry(struct rest_call *call, struct json_writer *w,
                       const struct search_entry *entry)
{
    const struct store_version *v = &entry->version;
    struct buf *buf = w->buf;
    str type = fhir_resource_name(v->resource);
    json_open(w, '{');
    json_key(w, "fullUrl");
    buf_char(buf, '"');
    json_escape(buf, call->base);
    buf_char(buf, '/');
    buf_add(buf, type);
    buf_char(buf, '/');
    buf_add(buf, v->id);
    if (entry->contained.n) { /* R4: the container's address with the id within */
        buf_char(buf, '#');
        json_escape(buf, entry->contained_id);
    }
    buf_add(buf, S("\",\"resource\":"));
    if (entry->mode == SEARCH_MATCH)
        TRY(rest_write_shaped(call, buf, entry->contained.n ? entry->contained : v->body));
    else
        buf_add(buf, v->body);
    buf_add(buf, entry->mode == SEARCH_MATCH ? S(",\"search\":{\"mode\":\"match\"}")
                                             : S(",\"search\":{\"mode\":\"include\"}"));
    json_close(w, '}');
    return ERR_OK;
}

static void write_warnings(struct json_writer *w, const struct issues *warnings)
{
    if (!warnings->kept)
        return;
    json_open(w, '{');
    json_key(w, "resource");
    http_outcome_write(w->buf, warnings);
    w->comma = true;
    json_key(w, "search");
    json_raw(w, S("{\"mode\":\"outcome\"}"));
    json_close(w, '}');
}

static size_t size_of(const struct search_page *page)
{
    size_t bytes = 2048;
    for (size_t i = 0; i < page->entries_count; i++)
        bytes += page->entries[i].version.body.n + 256;
    return bytes;
}

static err write_bundle(struct rest_call *call, const struct find_target *target,
                        const struct search_page *page, str *out)
{
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    str url = url_of(call, target);
    (void)!buf_room(&buf, size_of(page));
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "type", S("searchset"));
    if (page->has_total)
        json_put_u64(&w, "total", (uint64_t)page->total);
    json_key(&w, "link");
    json_open(&w, '[');
    write_link(&w, "self", url, page->self_query);
    if (str_given(page->next_query))
        write_link(&w, "next", url, page->next_query);
    json_close(&w, ']');
    if (page->entries_count || page->warnings.kept) {
        json_key(&w, "entry");
        json_open(&w, '[');
        for (size_t i = 0; i < page->entries_count; i++)
            TRY(write_entry(call, &w, &page->entries[i]));
        write_warnings(&w, &page->warnings);
        json_close(&w, ']');
    }
    json_close(&w, '}');
    *out = buf_str(&buf);
    return ERR_OK;
}

err find_bundle(struct rest_call *call, const struct find_target *target, str *out)
{
    struct search_request request = {
        .resource = target->resource, .query = target->query,
        .compartment = target->compartment, .compartment_id = target->compartment_id,
        .lenient = call->lenient,
        .count_default = rest_limits()->page, .count_max = rest_limits()->page_max,
    };
    struct search_page page = { 0 };
    TRY(store_reader(call->cx, call->store));
    TRY(search_run(call->cx, call->store, &request, &page));
    call->format.summary = page.summary;
    return write_bundle(call, target, &page, out);
}

static err send_bundle(struct rest_call *call, const struct find_target *target)
{
    str body;
    TRY(find_bundle(call, target, &body));
    return rest_send(call, 200, body);
}

/* A form body and the query count as one. */
static err whole_query(struct rest_call *call, str *out)
{
    struct http_request *request = call->request;
    *out = request->query;
    if (request->method != HTTP_POST || request->body.n == 0)
        return ERR_OK;
    if (!rest_media_is(http_header(request, "Content-Type"),
                       S("application/x-www-form-urlencoded")))
        return rest_fail(call, 415, "not-supported",
                         S("send the search as application/x-www-form-urlencoded"));
    str body = str_trim(request->body);
    *out = request->query.n ? arena_printf(call->cx->arena, "%.*s&%.*s", STR_ARG(request->query),
                                           STR_ARG(body)) : body;
    return rest_read_controls(call, body);
}

err rest_find(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct find_target target = { .resource = FHIR_NONE };
    TRY(rest_begin(request, response, &call));
    if (str_given(request->captures[0]))
        TRY(rest_type(call, request->captures[0], &target.resource));
    TRY(whole_query(call, &target.query));
    return send_bundle(call, &target);
}

/* Patient/1/Observation, or Patient/1/ and a star for every type. */
err rest_find_compartment(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct find_target target = { .resource = FHIR_NONE, .compartment = request->captures[0],
                                  .compartment_id = request->captures[1] };
    uint16_t compartment;
    TRY(rest_begin(request, response, &call));
    TRY(rest_type(call, target.compartment, &compartment));
    TRY(rest_check_id(call->cx, target.compartment_id));
    if (!str_eq(request->captures[2], S("*")))
        TRY(rest_type(call, request->captures[2], &target.resource));
    TRY(whole_query(call, &target.query));
    return send_bundle(call, &target);
}
