/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/follow.h"
#include "base/clock.h"
#include "base/map.h"
#include <stdatomic.h>

#define WARDS "record-ward/"
#define PATIENTS "record/"
enum { PLACES_UP = 5, EXPECT_MS = 60000 };

/* When a page was last drawn: nobody looks, nothing is looked for. */
static _Atomic int64_t drawn_ms;

static str channel_of(struct ctx *cx, bool ward, str id)
{
    return arena_printf(cx->arena, "%s%.*s", ward ? WARDS : PATIENTS, STR_ARG(id));
}

static void follow(struct http_request *request, bool ward, str id, int64_t seq,
                   struct ui_page *page)
{
    struct ctx *cx = request->cx;
    atomic_store(&drawn_ms, clock_monotonic_ms());
    page->live_seq = (uint64_t)seq;
    page->live_url = arena_printf(cx->arena, "/record/live?%s=%.*s", ward ? "ward" : "patient",
                                  STR_ARG(id));
    live_expect(request->live, channel_of(cx, ward, id));
}

void follow_patient(struct http_request *request, str patient, int64_t seq, struct ui_page *page)
{
    follow(request, false, patient, seq, page);
}

void follow_ward(struct http_request *request, str ward, int64_t seq, struct ui_page *page)
{
    if (feed_may_follow(request->cx, ward))
        follow(request, true, ward, seq, page);
}

err follow_get(struct http_request *request, struct http_response *response)
{
    return feed_open(request, response, WARDS, PATIENTS);
}

/* ---- what changed ---- */

struct telling {
    struct ctx *cx;
    struct store *store;
    struct live *live;
    int64_t seq;
    struct map told; /* channels, once a round */
};

static void tell(struct telling *t, bool ward, str id)
{
    str channel = channel_of(t->cx, ward, id);
    if (!map_add(&t->told, channel, 1, NULL))
        return;
    if (live_watched(t->live, channel))
        live_publish_more(t->live, channel, t->seq);
    else
        live_publish_missed(t->live, channel, t->seq);
}

/* The place itself, and what it is part of, up to the ward and beyond. */
static void tell_places(struct telling *t, str place)
{
    for (int up = 0; place.n && up < PLACES_UP; up++) {
        struct record_item item;
        tell(t, true, place);
        if (record_read(t->cx, t->store, "Location", place, &item) != ERR_OK)
            return;
        place = record_reference_id(t->cx, item.body, "partOf", "Location");
    }
}

static void tell_stay(struct telling *t, struct json stay)
{
    for (struct json_walk w = json_walk(json_get(stay, S("location"))); json_next(&w);)
        tell_places(t, record_reference_id(t->cx, w.value, "location", "Location"));
}

static void tell_patient(struct telling *t, int64_t pid)
{
    struct store_version patient;
    struct record_set stays;
    if (store_read_rid(t->cx, t->store, pid, &patient) != ERR_OK)
        return;
    tell(t, false, patient.id);
    if (record_find(t->cx, t->store, "Encounter",
                    arena_printf(t->cx->arena, "patient=Patient/%.*s&status=in-progress,onleave",
                                 STR_ARG(patient.id)), 5, &stays) != ERR_OK)
        return;
    for (size_t i = 0; i < stays.count; i++)
        tell_stay(t, stays.items[i].body);
}

static void changed(struct ctx *cx, struct store *store, struct live *live,
                    const struct store_versions *versions, int64_t seq)
{
    struct telling t = { cx, store, live, seq, map_make(cx->arena) };
    uint16_t patient = fhir_resource_find(S("Patient")), stay = fhir_resource_find(S("Encounter"));
    struct map pids = map_make(cx->arena);
    size_t count = 0;
    bool looked = clock_monotonic_ms() - atomic_load(&drawn_ms) < EXPECT_MS;
    if (!versions || (live_streams(live) == 0 && !looked))
        return; /* what is drawn from now on shows all of it */
    for (size_t i = 0; i < versions->count; i++) {
        const struct store_version *version = &versions->list[i];
        struct json body;
        if (store_rid_resource(version->pid) != patient)
            continue;
        str key = arena_printf(cx->arena, "%lld", (long long)version->pid);
        if (version->resource == stay && version->body.n &&
            json_parse(cx, version->body, &body) == ERR_OK)
            tell_stay(&t, body); /* also where it ended */
        if (map_add(&pids, key, 1, NULL) && count++ < FOLLOW_PATIENTS)
            tell_patient(&t, version->pid);
    }
    cx->issues.count = cx->issues.kept = 0;
}

const struct feed_view record_feed = { changed };
