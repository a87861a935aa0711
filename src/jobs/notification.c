/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/notification.h"
#include "base/clock.h"
#include "base/random.h"
#include "jobs/subscription_work.h"
#include "json/write.h"

#define PROFILE "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
enum { NOTIFICATION_BYTES = 128 << 20 };

static str new_uuid(struct arena *arena)
{
    uint64_t a, b;
    random_secret(&a, sizeof a);
    random_secret(&b, sizeof b);
    return arena_printf(arena, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                        (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                        (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
                        (unsigned long long)(b & 0xffffffffffff));
}

static void put_parameter(struct json_writer *w, const char *name, const char *type, str value)
{
    json_open(w, '{');
    json_put_str(w, "name", str_of(name));
    json_put_str(w, type, value);
    json_close(w, '}');
}

static void put_reference(struct json_writer *w, const char *name, str reference)
{
    json_open(w, '{');
    json_put_str(w, "name", str_of(name));
    json_key(w, "valueReference");
    json_open(w, '{');
    json_put_str(w, "reference", reference);
    json_close(w, '}');
    json_close(w, '}');
}

static str number_text(struct arena *arena, int64_t number)
{
    return arena_printf(arena, "%lld", (long long)number);
}

/* The id is not given for an event that may not be seen. */
static void put_event(struct ctx *cx, const struct notification *n, struct json_writer *w,
                      const struct subscription_event *event)
{
    char at[CLOCK_TEXT];
    clock_write(event->at_ms, at);
    json_open(w, '{');
    json_put_str(w, "name", S("notification-event"));
    json_key(w, "part");
    json_open(w, '[');
    put_parameter(w, "event-number", "valueString", number_text(cx->arena, event->number));
    put_parameter(w, "timestamp", "valueInstant", (str){ at, CLOCK_TEXT });
    if (n->content != SUBSCRIPTION_EMPTY && event->id.n)
        put_reference(w, "focus", arena_printf(cx->arena, "%.*s/%.*s/%.*s", STR_ARG(n->base),
                                               STR_ARG(fhir_resource_name(event->resource)),
                                               STR_ARG(event->id)));
    json_close(w, ']');
    json_close(w, '}');
}

static void put_error(struct json_writer *w, str error)
{
    json_open(w, '{');
    json_put_str(w, "name", S("error"));
    json_key(w, "valueCodeableConcept");
    json_open(w, '{');
    json_put_str(w, "text", error);
    json_close(w, '}');
    json_close(w, '}');
}

static void write_status(struct ctx *cx, const struct notification *n, str id,
                         const struct subscription_event *events, size_t count,
                         struct json_writer *w)
{
    const struct subscription *s = n->subscription;
    json_open(w, '{');
    json_put_str(w, "resourceType", S("Parameters"));
    json_put_str(w, "id", id);
    json_put_raw(w, "meta", S("{\"profile\":[\"" PROFILE "backport-subscription-status-r4\"]}"));
    json_key(w, "parameter");
    json_open(w, '[');
    put_reference(w, "subscription", arena_printf(cx->arena, "%.*s/Subscription/%.*s",
                                                  STR_ARG(n->base), STR_ARG(s->id)));
    if (s->content != SUBSCRIPTION_EMPTY || !count) /* an empty payload tells nothing */
        put_parameter(w, "topic", "valueCanonical", s->topic);
    put_parameter(w, "status", "valueCode", n->status);
    put_parameter(w, "type", "valueCode", str_of(n->type));
    put_parameter(w, "events-since-subscription-start", "valueString",
                  number_text(cx->arena, n->last));
    for (size_t i = 0; i < count; i++)
        put_event(cx, n, w, &events[i]);
    if (n->error.n)
        put_error(w, n->error);
    json_close(w, ']');
    json_close(w, '}');
}

void notification_write_status(struct ctx *cx, const struct notification *n,
                               const struct subscription_event *events, size_t count,
                               struct buf *out)
{
    struct json_writer w = json_writer(out);
    write_status(cx, n, n->subscription->id, events, count, &w);
}

/* request and response, as every entry of a history has them. */
static void put_how(struct json_writer *w, const char *method, str url, const char *status)
{
    json_key(w, "request");
    json_open(w, '{');
    json_put_str(w, "method", str_of(method));
    json_put_str(w, "url", url);
    json_close(w, '}');
    json_key(w, "response");
    json_open(w, '{');
    json_put_str(w, "status", str_of(status));
    json_close(w, '}');
}

static void put_entry(struct ctx *cx, const struct notification *n, struct json_writer *w,
                      const struct subscription_event *event, str body)
{
    static const struct { const char *method, *status; } how[] = {
        [STORE_CREATED] = { "POST", "201" }, [STORE_UPDATED] = { "PUT", "200" },
        [STORE_DELETED] = { "DELETE", "204" },
    };
    str type = fhir_resource_name(event->resource);
    str url = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(type), STR_ARG(event->id));
    json_open(w, '{');
    json_put_str(w, "fullUrl",
                 arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(n->base), STR_ARG(url)));
    if (body.n)
        json_put_raw(w, "resource", body);
    put_how(w, how[event->method].method, event->method == STORE_CREATED ? type : url,
            how[event->method].status);
    json_close(w, '}');
}

/* The bodies, and away with the ids of what may not be seen. */
static err read_bodies(struct ctx *cx, struct store *store, struct subscription_event *events,
                       size_t count, str *bodies)
{
    for (size_t i = 0; i < count; i++) {
        struct store_version version = { 0 };
        size_t issues = cx->issues.kept;
        err found = store_vread(cx, store, events[i].resource, events[i].id, events[i].vid,
                                &version);
        cx->issues.kept = cx->issues.count = issues;
        if (found == ERR_NOT_FOUND)
            events[i].id = S("");
        else if (found && found != ERR_GONE)
            return found;
        bodies[i] = found ? S("") : version.body;
    }
    return ERR_OK;
}

static void write_bundle(struct ctx *cx, const struct notification *n,
                         const struct subscription_events *events, const str *bodies,
                         struct buf *out)
{
    struct json_writer w = json_writer(out);
    str uuid = new_uuid(cx->arena);
    char at[CLOCK_TEXT];
    clock_write(clock_now_ms(), at);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Bundle"));
    json_put_str(&w, "id", new_uuid(cx->arena));
    json_put_raw(&w, "meta", S("{\"profile\":[\"" PROFILE
                               "backport-subscription-notification-r4\"]}"));
    json_put_str(&w, "type", S("history"));
    json_put_str(&w, "timestamp", (str){ at, CLOCK_TEXT });
    json_key(&w, "entry");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "fullUrl", arena_printf(cx->arena, "urn:uuid:%.*s", STR_ARG(uuid)));
    json_key(&w, "resource");
    write_status(cx, n, uuid, events->list, events->count, &w);
    put_how(&w, "GET", arena_printf(cx->arena, "Subscription/%.*s/$status",
                                    STR_ARG(n->subscription->id)), "200");
    json_close(&w, '}');
    for (size_t i = 0; i < events->count && n->content != SUBSCRIPTION_EMPTY; i++)
        if (events->list[i].id.n)
            put_entry(cx, n, &w, &events->list[i],
                      n->content == SUBSCRIPTION_FULL ? bodies[i] : S(""));
    json_close(&w, ']');
    json_close(&w, '}');
}

err notification_write(struct ctx *cx, struct store *store, const struct notification *n, str *out)
{
    struct subscription_events events = { .rid = n->rid, .from = n->from, .to = n->to };
    struct buf buf = buf_make(cx->arena, NOTIFICATION_BYTES);
    if (n->to)
        TRY(subscription_events(cx, store, &events));
    str *bodies = arena_array(cx->arena, events.count + 1, sizeof *bodies);
    if (n->content != SUBSCRIPTION_EMPTY)
        TRY(read_bodies(cx, store, events.list, events.count, bodies));
    write_bundle(cx, n, &events, bodies, &buf);
    if (buf.full)
        return ctx_fail(cx, ERR_LIMIT, (str){ 0 }, S("the notification is too long; ask for fewer "
                                                     "events at a time by backport-max-count"));
    *out = buf_str(&buf);
    return ERR_OK;
}
