/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/landing.h"
#include "assets.h"
#include "auth/gate.h"
#include "store/access.h"
#include "store/store.h"
#include "ui/feed.h"
#include "ui/home.h"
#include "ui_landing.html.h"
#include "ui_page.html.h"

static int by_count(const void *a, const void *b)
{
    const struct ui_landing_type *one = a, *other = b;
    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    return str_cmp(one->name, other->name);
}

static err count_types(struct ctx *cx, struct store *store, struct ui_landing *out)
{
    int64_t *counts = arena_array(cx->arena, fhir_resources_count, sizeof *counts);
    struct ui_landing_type *types = arena_array(cx->arena, fhir_resources_count, sizeof *types);
    TRY(store_reader(cx, store));
    TRY(store_counts(cx, store, counts));
    for (uint16_t i = 0; i < fhir_resources_count; i++) {
        if (counts[i] <= 0 || !access_type(cx->access, i))
            continue;
        types[out->types_count++] = (struct ui_landing_type){ fhir_resource_name(i),
                                                              (uint64_t)counts[i] };
        out->total += (uint64_t)counts[i];
    }
    qsort(types, out->types_count, sizeof *types, by_count);
    out->types = types;
    out->seq = (uint64_t)store_seq(store);
    return ERR_OK;
}

/* Counts are the whole record's: for somebody to whom a part of it is not there, they would tell
 * of it. */
static bool sees_all(const struct store_access *access)
{
    return !access || (access->any_patient && !access->hidden_count && !access->dissents_count &&
                       !access->narrows_count);
}

err ui_landing_get(struct http_request *request, struct http_response *response)
{
    static const char *const islands[] = { ASSET_TABLE_JS };
    const struct user *user = request->cx->user;
    if (user && role_permits(user->asker.role, S("app.home"))) {
        response->status = 303; /* a patient's first page is their own */
        http_put_header(response, S("Location"), S("/my"));
        return ERR_OK;
    }
    if (user && !role_permits(user->asker.role, S("admin.people")))
        return ui_home_show(request, response);
    struct ui_page page = ui_page_for(request, S("Frontline"));
    page.islands = islands;
    page.islands_count = COUNT(islands);
    struct ui_landing landing = { .systems = page.nav, .systems_count = page.nav_count,
                                  .base_url = request->base_url };
    if (sees_all(request->cx->access)) {
        TRY(count_types(request->cx, request->store, &landing));
        landing.counted = true;
        page.live_seq = landing.seq;
        page.live_url = S("/live");
        live_expect(request->live, S("landing"));
    }
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    ui_landing_body(&out, request->cx, &landing);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err ui_landing_live(struct http_request *request, struct http_response *response)
{
    if (!sees_all(request->cx->access))
        return ctx_fail(request->cx, ERR_FORBIDDEN, (str){ 0 },
                        S("counts of the whole record are for those who reach all of it"));
    return live_open(request->live, S("landing"), request, response);
}

/* Whoever may see fewer types gets the counts of those with the next page only. */
static void draw_change(struct ctx *cx, struct store *store, struct live *live,
                        const struct store_versions *versions, int64_t seq)
{
    struct ui_landing landing = { 0 };
    if (!live_watched(live, S("landing"))) {
        live_publish_missed(live, S("landing"), seq);
        return;
    }
    if (!versions || count_types(cx, store, &landing) != ERR_OK) {
        live_publish_reload(live, S("landing"), seq);
        return;
    }
    struct buf out = buf_make(cx->arena, LIVE_EVENT_BYTES);
    ui_landing_tiles(&out, cx, &landing);
    live_publish(live, S("landing"), seq, buf_str(&out));
}

const struct feed_view ui_landing_feed = { .changed = draw_change };
