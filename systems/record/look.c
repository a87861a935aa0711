/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/look.h"
#include "systems/record/follow.h"
#include "assets.h"
#include "auth/gate.h"
#include "base/local.h"
#include "fhir/datetime.h"
#include "fhir/validate.h"
#include "json/write.h"
#include "module/module.h"
#include "record_look.html.h"
#include "store/access.h"
#include "store/search.h"
#include "ui/browse.h"
#include "ui_banner.html.h"
#include "ui_components.html.h"
#include "ui_page.html.h"

enum { TABS_MAX = 12 };

static const char *const islands[] = {
    ASSET_TABLE_JS, ASSET_DIALOG_JS, ASSET_OUTBOX_JS, ASSET_LOOKUP_JS,
};

/* ---- sets ---- */

static err take(struct ctx *cx, const struct search_page *page, struct record_set *out)
{
    out->items = arena_array(cx->arena, page->entries_count + 1, sizeof *out->items);
    for (size_t i = 0; i < page->entries_count; i++) {
        const struct store_version *version = &page->entries[i].version;
        struct record_item *item = &out->items[out->count];
        if (page->entries[i].mode != SEARCH_MATCH)
            continue;
        *item = (struct record_item){ .id = version->id, .resource = version->resource,
                                      .vid = version->vid, .seq = version->seq,
                                      .at_ms = version->at_ms, .pid = version->pid };
        TRY(json_parse(cx, version->body, &item->body));
        out->count++;
    }
    out->more = str_given(page->next_query);
    out->total = page->has_total ? page->total : -1;
    return ERR_OK;
}

err record_find(struct ctx *cx, struct store *store, const char *type, str query, size_t max,
                struct record_set *out)
{
    uint16_t resource = fhir_resource_find(str_of(type));
    struct search_request search = { .resource = resource, .query = query, .count_default = max,
                                     .count_max = max };
    struct search_page page = { 0 };
    *out = (struct record_set){ .total = -1 };
    if (!access_type(cx->access, resource))
        return ERR_OK;
    TRY(search_run(cx, store, &search, &page));
    return take(cx, &page, out);
}

err record_count(struct ctx *cx, struct store *store, const char *type, str query, int64_t *out)
{
    struct record_set set;
    TRY(record_find(cx, store, type, arena_printf(cx->arena, "%.*s&_summary=count",
                                                  STR_ARG(query)), 1, &set));
    *out = set.total < 0 ? 0 : set.total;
    return ERR_OK;
}

err record_read(struct ctx *cx, struct store *store, const char *type, str id,
                struct record_item *out)
{
    struct store_version version;
    TRY(store_read(cx, store, fhir_resource_find(str_of(type)), id, &version));
    *out = (struct record_item){ .id = version.id, .resource = version.resource,
                                 .vid = version.vid, .seq = version.seq, .at_ms = version.at_ms };
    return json_parse(cx, version.body, &out->body);
}

bool record_may(const struct ctx *cx, const char *type, char letter)
{
    return !cx->user || role_may(cx->user->asker.role, fhir_resource_find(str_of(type)), letter);
}

bool record_permits(const struct ctx *cx, str permission)
{
    return !cx->user || role_permits(cx->user->asker.role, permission);
}

/* ---- texts ---- */

str record_text(struct ctx *cx, struct json object, const char *key)
{
    return json_string(cx->arena, json_get(object, str_of(key)));
}

str record_concept(struct ctx *cx, struct json resource, const char *key)
{
    struct json concept = json_get(resource, str_of(key));
    return ui_concept_text(cx, json_is(concept, JSON_ARRAY) ? json_at(concept, 0) : concept);
}

bool record_has_code(struct json concept, const char *code)
{
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), str_of(code)))
            return true;
    return false;
}

str record_reference_id(struct ctx *cx, struct json resource, const char *key, const char *type)
{
    struct json value = json_get(resource, str_of(key));
    struct json element = json_is(value, JSON_ARRAY) ? json_at(value, 0) : value;
    struct validate_reference reference;
    str text = record_text(cx, element, "reference");
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_eq(reference.type, str_of(type)))
        return (str){ 0 };
    return reference.id;
}

str record_when(struct ctx *cx, struct json resource)
{
    static const char *const dates[] = {
        "effectiveDateTime", "onsetDateTime", "occurrenceDateTime", "performedDateTime",
        "authoredOn", "date", "start", "issued", "recordedDate", "created", "recorded", "sent"
    };
    static const char *const periods[] = { "period", "effectivePeriod", "executionPeriod" };
    for (size_t i = 0; i < COUNT(dates); i++)
        if (json_is(json_get(resource, str_of(dates[i])), JSON_STRING))
            return record_text(cx, resource, dates[i]);
    for (size_t i = 0; i < COUNT(periods); i++) {
        str start = record_text(cx, json_get(resource, str_of(periods[i])), "start");
        if (start.n)
            return start;
    }
    return S("");
}

str record_shown_when(struct ctx *cx, str date_time)
{
    struct datetime when;
    if (date_time.n <= 10 || !datetime_parse(date_time, DATETIME_AS_DATE_TIME, &when))
        return ui_date(cx, date_time);
    return arena_printf(cx->arena, "%.*s", STR_ARG(ui_time(cx, when.low_ms)));
}

str record_brief_when(struct ctx *cx, str date_time)
{
    struct datetime when;
    if (date_time.n <= 10 || !datetime_parse(date_time, DATETIME_AS_DATE_TIME, &when))
        return ui_date(cx, date_time);
    struct clock_civil at = local_civil(when.low_ms), now = local_civil(cx->now_ms);
    if (at.year != now.year)
        return ui_date(cx, str_slice(date_time, 0, 10));
    str day = ui_time(cx, when.low_ms); /* "22 Nov 2026, 10:42" */
    size_t month = str_find_char(day, ' ') + 4;
    return arena_printf(cx->arena, "%.*s, %02d:%02d", STR_ARG(str_slice(day, 0, month)), at.hour,
                        at.minute);
}

str record_person(struct ctx *cx, struct store *store, struct json reference)
{
    struct validate_reference parts;
    struct store_version version;
    struct json body;
    str shown = record_text(cx, reference, "display"), text = record_text(cx, reference,
                                                                          "reference");
    if (shown.n || !text.n)
        return shown.n ? shown : S("Not known");
    size_t count = cx->issues.count, kept = cx->issues.kept;
    if (validate_read_reference(text, &parts) && parts.resource != FHIR_NONE &&
        store_read(cx, store, parts.resource, parts.id, &version) == ERR_OK &&
        json_parse(cx, version.body, &body) == ERR_OK)
        shown = ui_resource_text(cx, body);
    cx->issues.count = count;
    cx->issues.kept = kept;
    return shown.n ? shown : text;
}

str record_json_text(struct ctx *cx, str text)
{
    struct buf buf = buf_make(cx->arena, 4 * text.n + 64);
    struct json_writer w = json_writer(&buf);
    json_str(&w, text);
    return buf_str(&buf);
}

/* ---- a page about one patient ---- */

static bool has_system(const char *name)
{
    for (size_t i = 0; modules[i]; i++)
        if (strcmp(modules[i]->name, name) == 0)
            return true;
    return false;
}

static void draw_tabs(struct record_look *look, const char *current)
{
    static const struct { const char *path, *text, *system; } tabs[] = {
        { "", "Summary", NULL },
        { "", "Observations", "obs" },
        { "timeline", "Timeline", NULL },
        { "results", "Results", NULL },
        { "notes", "Notes", NULL },
        { "medicines", "Medicines", NULL },
        { "documents", "Documents", NULL },
        { "tasks", "Tasks", NULL },
        { "appointments", "Appointments", NULL },
    };
    struct ui_tab drawn[TABS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(tabs); i++) {
        const char *system = tabs[i].system ? tabs[i].system : "record";
        if (tabs[i].system && !has_system(system))
            continue;
        str href = arena_printf(look->cx->arena, "/%s/patient/%.*s%s%s", system,
                                STR_ARG(look->patient), tabs[i].path[0] ? "/" : "", tabs[i].path);
        drawn[count++] = (struct ui_tab){ href.p, tabs[i].text,
                                          !tabs[i].system && !strcmp(tabs[i].path, current) };
    }
    str seen = arena_printf(look->cx->arena, "/seen/%.*s", STR_ARG(look->patient));
    drawn[count++] = (struct ui_tab){ seen.p, "Who has looked", false };
    ui_tabs(&look->out, drawn, count);
}

err record_look_open(struct http_request *request, struct http_response *response,
                     struct record_look *look)
{
    *look = (struct record_look){ .request = request, .response = response, .cx = request->cx,
                                  .store = request->store, .patient = request->captures[0],
                                  .seq = store_seq(request->store) };
    TRY(store_reader(request->cx, request->store));
    return ui_banner_read(request->cx, request->store, look->patient, &look->banner);
}

void record_look_head(struct record_look *look, const char *tab, str title)
{
    const struct ui_patient *who = &look->banner.who;
    look->page = ui_page_for(look->request, arena_printf(look->cx->arena, "%.*s: %.*s",
                                                         STR_ARG(ui_patient_name(look->cx, who)),
                                                         STR_ARG(title)));
    look->page.heading = title;
    if (!tab)
        look->page.as_of = (str){ 0 }; /* the banner says when it was read */
    look->page.section = "/record";
    look->page.islands = islands;
    look->page.islands_count = COUNT(islands);
    if (tab) /* what is read; a form is not told to change under its writer */
        follow_patient(look->request, look->patient, look->seq, &look->page);
    look->out = ui_page_buf(look->request);
    ui_page_open(&look->out, &look->page);
    ui_banner_draw(&look->out, look->cx, &look->banner);
    if (tab)
        draw_tabs(look, tab);
}

err record_look_send(struct record_look *look)
{
    ui_page_close(&look->out, &look->page);
    return ui_page_send(look->request, look->response, &look->out);
}

err record_look_refuse(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    bool may_break = cx->user && cx->user->asker.role->may_break_glass;
    struct ui_page page = ui_page_for(request, S("This record is not open to you"));
    struct buf out = ui_page_buf(request);
    cx->issues.count = cx->issues.kept = 0;
    response->status = 404;
    page.section = "/record";
    page.as_of = (str){ 0 };
    ui_page_open(&out, &page);
    record_refusal(&out, request->captures[0], may_break);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
