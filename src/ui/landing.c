/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/landing.h"
#include "assets.h"
#include "store/access.h"
#include "store/store.h"
#include "ui_landing.html.h"
#include "ui_page.html.h"

static int by_count(const void *a, const void *b)
{
    const struct ui_landing_type *one = a, *other = b;
    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    return str_cmp(one->name, other->name);
}

static err count_types(struct http_request *request, struct ui_landing *out)
{
    struct ctx *cx = request->cx;
    int64_t *counts = arena_array(cx->arena, fhir_resources_count, sizeof *counts);
    struct ui_landing_type *types = arena_array(cx->arena, fhir_resources_count, sizeof *types);
    TRY(store_reader(cx, request->store));
    TRY(store_counts(cx, request->store, counts));
    for (uint16_t i = 0; i < fhir_resources_count; i++) {
        if (counts[i] <= 0 || !access_type(cx->access, i))
            continue;
        types[out->types_count++] = (struct ui_landing_type){ fhir_resource_name(i),
                                                              (uint64_t)counts[i] };
        out->total += (uint64_t)counts[i];
    }
    qsort(types, out->types_count, sizeof *types, by_count);
    out->types = types;
    out->seq = (uint64_t)store_seq(request->store);
    return ERR_OK;
}

err ui_landing_get(struct http_request *request, struct http_response *response)
{
    static const char *const islands[] = { ASSET_TABLE_JS };
    struct ui_page page = ui_page_for(request, S("Frontline"));
    page.islands = islands;
    page.islands_count = COUNT(islands);
    struct ui_landing landing = { .systems = page.nav, .systems_count = page.nav_count,
                                  .base_url = request->base_url };
    TRY(count_types(request, &landing));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    ui_landing_body(&out, request->cx, &landing);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
