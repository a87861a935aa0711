/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/browse.h"
#include "assets.h"
#include "fhir/def.h"
#include "http/text.h"
#include "store/search.h"
#include "store/store.h"
#include "ui/banner.h"
#include "ui_banner.html.h"
#include "ui_browse.html.h"
#include "ui_components.html.h"
#include "ui_page.html.h"

static const char *const islands[] = { ASSET_TABLE_JS };

static struct ui_page browse_page(const struct http_request *request, str title)
{
    struct ui_page page = ui_page_for(request, title);
    page.islands = islands;
    page.islands_count = COUNT(islands);
    return page;
}

static err find_type(struct http_request *request, uint16_t *out)
{
    *out = fhir_resource_find(request->captures[0]);
    if (*out == FHIR_NONE)
        return ctx_failf(request->cx, ERR_NOT_FOUND, S(""), "FHIR R4 has no resource type %.*s",
                         STR_ARG(request->captures[0]));
    return ERR_OK;
}

/* ---- a list ---- */

static err row_of(struct ctx *cx, const struct store_version *version, struct ui_browse_row *out)
{
    struct json resource;
    TRY(json_parse(cx, version->body, &resource));
    *out = (struct ui_browse_row){ .id = version->id, .when = ui_time(cx, version->at_ms) };
    out->text = ui_resource_text(cx, resource);
    if (!out->text.n)
        out->text = version->id;
    return ERR_OK;
}

static err take_page(struct ctx *cx, const struct search_page *page, struct ui_browse_list *list)
{
    struct ui_browse_row *rows = arena_array(cx->arena, page->entries_count + 1, sizeof *rows);
    for (size_t i = 0; i < page->entries_count; i++)
        if (page->entries[i].mode == SEARCH_MATCH)
            TRY(row_of(cx, &page->entries[i].version, &rows[list->rows_count++]));
    list->rows = rows;
    list->next = page->next_query;
    list->has_total = page->has_total;
    list->total = (uint64_t)page->total;
    return ERR_OK;
}

/* A refused search is not a refused page: its reason stands by the field. */
static err run_search(struct http_request *request, uint16_t type, struct ui_browse_list *list)
{
    struct ctx *cx = request->cx;
    struct search_request search = { .resource = type, .query = list->query,
                                     .count_default = UI_BROWSE_PAGE,
                                     .count_max = UI_BROWSE_PAGE };
    struct search_page page = { 0 };
    err found = search_run(cx, request->store, &search, &page);
    if (found == ERR_INVALID || found == ERR_LIMIT) {
        list->fault = cx->issues.kept ? cx->issues.list[0].text : S("not a search");
        return ERR_OK;
    }
    TRY(found);
    return take_page(cx, &page, list);
}

static err list_get(struct http_request *request, struct http_response *response)
{
    uint16_t type;
    TRY(find_type(request, &type));
    TRY(store_reader(request->cx, request->store));
    struct ui_browse_list list = { .type = request->captures[0] };
    list.query = http_query_value(request->cx->arena, request->query, S("q"));
    TRY(run_search(request, type, &list));
    if (list.fault.n)
        response->status = 400;
    struct ui_page page = browse_page(request, list.type);
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    ui_browse_list_body(&out, request->cx, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- one resource ---- */

/* The reference that says whom a resource is about; absent for most administrative ones. */
static struct json patient_reference(struct json resource)
{
    static const char *const elements[] = { "subject", "patient", "beneficiary", "individual" };
    for (size_t i = 0; i < COUNT(elements); i++) {
        struct json reference = json_get(json_get(resource, str_of(elements[i])), S("reference"));
        if (json_is(reference, JSON_STRING))
            return reference;
    }
    return (struct json){ 0 };
}

/* Draws the banner of the patient a resource is, or is about. One that cannot be read is left out:
 * the resource may be seen where its patient may not. */
static void draw_banner(struct http_request *request, struct json resource, struct buf *out)
{
    struct ctx *cx = request->cx;
    bool is_patient = json_string_is(json_get(resource, S("resourceType")), S("Patient"));
    str reference = json_string(cx->arena, patient_reference(resource));
    struct ui_banner banner;
    if (!is_patient && !str_starts(reference, S("Patient/")))
        return;
    str id = is_patient ? json_string(cx->arena, json_get(resource, S("id")))
                        : str_slice(reference, 8, reference.n);
    size_t count = cx->issues.count, kept = cx->issues.kept;
    if (ui_banner_read(cx, request->store, id, &banner) == ERR_OK)
        ui_banner_draw(out, cx, &banner);
    cx->issues.count = count;
    cx->issues.kept = kept;
}

static void draw_tabs(struct http_request *request, struct buf *out, size_t current)
{
    struct arena *arena = request->cx->arena;
    str path = arena_printf(arena, "/browse/%.*s/%.*s", STR_ARG(request->captures[0]),
                            STR_ARG(request->captures[1]));
    str history = arena_printf(arena, "%.*s/history", STR_ARG(path));
    struct ui_tab tabs[] = {
        { arena_cstr(arena, path), "Resource", current == 0 },
        { arena_cstr(arena, history), "History", current == 1 },
    };
    ui_tabs(out, tabs, COUNT(tabs));
}

static err resource_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    uint16_t type;
    TRY(find_type(request, &type));
    TRY(store_reader(cx, request->store));
    struct store_version version;
    struct json resource;
    TRY(store_read(cx, request->store, type, request->captures[1], &version));
    TRY(json_parse(cx, version.body, &resource));
    struct ui_browse_resource shown = {
        .type = request->captures[0], .id = version.id, .when = ui_time(cx, version.at_ms),
        .version = arena_printf(cx->arena, "%lld", (long long)version.vid),
        .json = ui_json_html(cx, resource),
    };
    struct ui_page page = browse_page(request, arena_printf(cx->arena, "%.*s %.*s",
                                                            STR_ARG(shown.type),
                                                            STR_ARG(shown.id)));
    page.back_href = arena_printf(cx->arena, "/browse/%.*s", STR_ARG(shown.type));
    page.back_text = shown.type;
    page.as_of = (str){ 0 };
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    draw_banner(request, resource, &out);
    draw_tabs(request, &out, 0);
    ui_browse_resource_body(&out, &shown);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* ---- its history ---- */

static str change_text(enum store_method method)
{
    switch (method) {
    case STORE_CREATED: return S("Created");
    case STORE_UPDATED: return S("Changed");
    case STORE_DELETED: return S("Deleted");
    }
    return S("");
}

static err history_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    uint16_t type;
    TRY(find_type(request, &type));
    TRY(store_reader(cx, request->store));
    struct store_history query = { .resource = type, .id = request->captures[1],
                                   .count = UI_BROWSE_PAGE };
    struct store_versions versions;
    TRY(store_history(cx, request->store, &query, &versions));
    struct ui_browse_row *rows = arena_array(cx->arena, versions.count + 1, sizeof *rows);
    for (size_t i = 0; i < versions.count; i++)
        rows[i] = (struct ui_browse_row){
            .id = versions.list[i].id, .when = ui_time(cx, versions.list[i].at_ms),
            .code = arena_printf(cx->arena, "%lld", (long long)versions.list[i].vid),
            .change = change_text(versions.list[i].method),
        };
    struct ui_browse_list list = { .type = request->captures[0], .rows = rows,
                                   .rows_count = versions.count };
    struct ui_page page = browse_page(request, arena_printf(cx->arena, "History of %.*s %.*s",
                                                            STR_ARG(list.type),
                                                            STR_ARG(query.id)));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    draw_tabs(request, &out, 1);
    ui_browse_history_body(&out, &list);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

/* clang-format off */
const struct route ui_browse_routes[] = {
    { "GET", "/browse/{type}", "fhir.search", list_get, "Search results, for people", ROUTE_SLOW },
    { "GET", "/browse/{type}/{id}", "fhir.read", resource_get, "A resource, for people",
      ROUTE_SLOW },
    { "GET", "/browse/{type}/{id}/history", "fhir.history", history_get, "Its versions, for people",
      ROUTE_SLOW },
    { 0 },
};
/* clang-format on */
