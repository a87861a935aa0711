/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/listing.h"
#include "assets.h"
#include "base/map.h"
#include "beds_board.html.h"
#include "beds_lists.html.h"
#include "systems/beds/dialog.h"
#include "systems/beds/follow.h"
#include "ui_page.html.h"

enum { SENT_BYTES = 16 << 20, ROW_BYTES = 32 << 10, EVENT_BYTES = LIVE_EVENT_BYTES - 4096 };
#define ROW "item-"

static const struct beds_list lists[] = {
    { "cleaning", beds_cleaning_draw },   { "infection", beds_infection_draw },
    { "outliers", beds_outliers_draw },   { "requests", beds_requests_draw },
    { "worklist", beds_worklist_draw },   { "discharges", beds_discharges_draw },
    { "site", beds_site_draw },
};

/* What was sent last of each list: ids to hashes. The feed's thread alone. */
static struct sent {
    struct arena arena;
    struct map rows;
    uint64_t ids; /* hash of all ids */
    bool known;
} sent[COUNT(lists)];

/* ---- fragments ---- */

struct buf beds_listed_buf(const struct beds_listed *listed)
{
    return buf_make(listed->cx->arena, ROW_BYTES);
}

void beds_listed_add(struct beds_listed *listed, str id, const struct buf *html)
{
    listed->list = arena_grow(listed->cx->arena, listed->list, listed->count, &listed->cap,
                              sizeof *listed->list);
    listed->list[listed->count++] = (struct beds_fragment){ id, buf_str(html) };
}

void beds_listed_count(struct beds_listed *listed, str list, size_t count)
{
    struct buf html = beds_listed_buf(listed);
    beds_count(&html, list, count);
    beds_listed_add(listed, arena_printf(listed->cx->arena, "count-%.*s", STR_ARG(list)), &html);
}

int beds_item_order(const void *a, const void *b)
{
    const struct beds_item *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

/* ---- pages ---- */

static str channel_of(struct ctx *cx, const char *name)
{
    return arena_printf(cx->arena, "beds/list/%s", name);
}

void beds_list_expect(struct http_request *request, const char *name)
{
    beds_follow_expect();
    live_expect(request->live, channel_of(request->cx, name));
}

struct ui_page beds_list_page(struct http_request *request, const char *name, const char *title,
                              int64_t seq)
{
    static const char *const islands[] = { ASSET_TABLE_JS, ASSET_DIALOG_JS };
    struct ui_page page = beds_page_for(request, str_of(title), seq);
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.live_url = arena_printf(request->cx->arena, "/beds/live?list=%s", name);
    page.live_part = ROW;
    return page;
}

void beds_list_open(struct buf *out, const struct ui_page *page, const char *name,
                    const struct ui_done *done)
{
    char here[32];
    snprintf(here, sizeof here, "/beds/%s", name);
    ui_page_open(out, page);
    beds_icons(out);
    beds_sections(out, str_of(here));
    ui_done_draw(out, done);
}

err beds_list_live(struct http_request *request, str name, struct http_response *response)
{
    for (size_t i = 0; i < COUNT(lists); i++)
        if (str_eq(name, str_of(lists[i].name)))
            return live_open(request->live, channel_of(request->cx, lists[i].name), request,
                             response);
    return ctx_failf(request->cx, ERR_NOT_FOUND, S("list"), "there is no list %.*s",
                     STR_ARG(name));
}

/* ---- telling ---- */

static void forget(struct sent *was)
{
    arena_free(&was->arena);
    was->arena = arena_make(SENT_BYTES);
    was->rows = map_make(&was->arena);
    was->known = false;
}

/* Fragments that differ from what was sent last, and which rows there are if that changed. */
static void gather(struct sent *was, const struct beds_listed *listed, struct buf *out)
{
    struct buf ids = buf_make(listed->cx->arena, EVENT_BYTES);
    for (size_t i = 0; i < listed->count; i++) {
        const struct beds_fragment *one = &listed->list[i];
        uint64_t hash = str_hash(one->html), before;
        bool found = map_get(&was->rows, one->id, &before);
        if (str_starts(one->id, S(ROW)))
            buf_printf(&ids, "%s%.*s", ids.n ? " " : "", STR_ARG(one->id));
        if (!was->known || !found || before != hash)
            buf_add(out, one->html);
    }
    uint64_t all = str_hash(buf_str(&ids));
    if (!was->known || all != was->ids || ids.full)
        buf_printf(out, "<data id=\"listed\" hidden data-live-part=\"" ROW
                   "\" data-live-keep=\"%.*s\"></data>", STR_ARG(buf_str(&ids)));
    out->full |= ids.full;
    was->ids = all;
}

/* Only what is on the list now: a row that left and comes back as it was is sent again. */
static void remember(struct sent *was, const struct beds_listed *listed)
{
    forget(was);
    for (size_t i = 0; i < listed->count; i++)
        map_set(&was->rows, arena_copy(&was->arena, listed->list[i].id),
                str_hash(listed->list[i].html));
    was->known = true;
}

static void tell(struct ctx *cx, struct store *store, struct live *live, size_t at, int64_t seq)
{
    struct beds_listed listed = { .cx = cx };
    struct buf html = buf_make(cx->arena, EVENT_BYTES);
    str channel = channel_of(cx, lists[at].name);
    err wrong = lists[at].draw(cx, store, &listed);
    if (!wrong) {
        gather(&sent[at], &listed, &html);
        remember(&sent[at], &listed);
    }
    if (wrong || html.full) {
        forget(&sent[at]);
        live_publish_reload(live, channel, seq);
    } else if (html.n) {
        live_publish(live, channel, seq, buf_str(&html));
    }
}

static bool concerns(const struct store_versions *versions)
{
    static const char *const types[] = { "Encounter", "Location", "Patient", "Flag",
                                         "Observation", "ServiceRequest", "Task" };
    for (size_t i = 0; versions && i < versions->count; i++)
        for (size_t k = 0; k < COUNT(types); k++)
            if (str_eq(fhir_resource_name(versions->list[i].resource), str_of(types[k])))
                return true;
    return !versions;
}

void beds_lists_tell(struct ctx *cx, struct store *store, struct live *live,
                     const struct store_versions *versions, int64_t seq)
{
    bool any = concerns(versions);
    for (size_t i = 0; i < COUNT(lists) && any; i++) {
        str channel = channel_of(cx, lists[i].name);
        if (!sent[i].rows.arena)
            forget(&sent[i]);
        if (live_watched(live, channel)) {
            tell(cx, store, live, i, seq);
            continue;
        }
        live_publish_missed(live, channel, seq);
        if (sent[i].known)
            forget(&sent[i]);
    }
}
