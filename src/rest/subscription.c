/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/subscription.h"
#include "auth/gate.h"
#include "base/clock.h"
#include "http/text.h"
#include "jobs/notification.h"
#include "jobs/push.h"
#include "rest/op.h"

enum { IDS_MAX = 200, EVENTS_MOST = 1000 };
#define CAPABILITY "http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket"
#define TOPIC_CANONICAL                                                                            \
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"                           \
    "capabilitystatement-subscriptiontopic-canonical"

static struct subscriptions *used;

void rest_subscriptions_use(struct subscriptions *subscriptions)
{
    used = subscriptions;
}

/* ---- one subscription ---- */

struct found {
    struct subscription s;
    struct subscription_state state;
};

/* As the asker may see it. */
static err find(struct ctx *cx, struct store *store, str id, struct found *out)
{
    struct store_version version;
    struct json body;
    TRY(store_read(cx, store, fhir_resource_find(S("Subscription")), id, &version));
    TRY(json_parse(cx, version.body, &body));
    TRY(subscription_read(cx, body, &out->s));
    out->s.id = version.id;
    size_t issues = cx->issues.kept;
    if (subscription_state_find(cx, store, id, &out->state)) { /* written before, or imported */
        cx->issues.kept = cx->issues.count = issues;
        out->state = (struct subscription_state){ .rid = version.rid };
    }
    str error = json_string(cx->arena, json_get(body, S("error")));
    out->state.error = error.p ? error : S("");
    return ERR_OK;
}

static err check_own(struct ctx *cx, const struct found *found)
{
    if (gate_is_kept(cx->user, found->state.kept))
        return ERR_OK;
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                    S("somebody else made this subscription; make one of your own"));
}

static struct notification notification_of(const struct operation_ask *ask,
                                           const struct found *found, const char *type)
{
    return (struct notification){ .subscription = &found->s, .type = type,
                                  .status = found->s.status, .base = ask->call->base,
                                  .rid = found->state.rid, .last = found->state.last,
                                  .error = found->state.error };
}

/* ---- which ones: id and status may be repeated ---- */

struct asked {
    str list[IDS_MAX];
    size_t count;
};

static err add_asked(struct ctx *cx, struct asked *asked, str text)
{
    str word;
    while (str_next(&text, ',', &word)) {
        if (!word.n)
            continue;
        if (asked->count == IDS_MAX)
            return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "at most %d at once", IDS_MAX);
        asked->list[asked->count++] = word;
    }
    return ERR_OK;
}

static err read_asked(const struct operation_ask *ask, const char *name, struct asked *out)
{
    struct ctx *cx = ask->call->cx;
    struct json list = json_get(ask->parameters, S("parameter"));
    str query = ask->query;
    struct http_param param;
    *out = (struct asked){ 0 };
    while (http_next_param(&query, &param)) {
        str value;
        if (str_eq(param.name, str_of(name)) && http_decode(cx->arena, param.value, true, &value))
            TRY(add_asked(cx, out, value));
    }
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("name")), str_of(name)))
            continue;
        for (struct json_walk m = json_walk(w.value); json_next(&m);)
            if (str_starts(str_slice(json_text(m.key), 1, json_text(m.key).n), S("value")))
                TRY(add_asked(cx, out, json_string(cx->arena, m.value)));
    }
    return ERR_OK;
}

static bool is_asked(const struct asked *asked, str word)
{
    for (size_t i = 0; i < asked->count; i++)
        if (str_eq(asked->list[i], word))
            return true;
    return asked->count == 0;
}

/* All that the asker may see, when none is named. */
static err all_ids(const struct operation_ask *ask, struct asked *out)
{
    struct store_scan scan = { .resource = fhir_resource_find(S("Subscription")),
                               .count = IDS_MAX };
    struct store_versions page;
    TRY(store_scan(ask->call->cx, ask->call->store, &scan, &page));
    for (size_t i = 0; i < page.count; i++)
        out->list[out->count++] = page.list[i].id;
    return ERR_OK;
}

static err ids_of(const struct operation_ask *ask, struct asked *out)
{
    *out = (struct asked){ .count = 1 };
    out->list[0] = ask->id;
    if (str_given(ask->id))
        return ERR_OK;
    TRY(read_asked(ask, "id", out));
    return out->count ? ERR_OK : all_ids(ask, out);
}

/* ---- $status ---- */

static err add_status(const struct operation_ask *ask, struct json_writer *w, str id,
                      const struct asked *statuses)
{
    struct ctx *cx = ask->call->cx;
    struct found found;
    struct buf text = buf_make(cx->arena, 1 << 20);
    size_t issues = cx->issues.kept;
    if (find(cx, ask->call->store, id, &found) && !str_given(ask->id)) {
        cx->issues.kept = cx->issues.count = issues; /* one that is not there is left out */
        return ERR_OK;
    }
    if (cx->issues.kept > issues)
        return cx->issues.list[issues].kind;
    if (!is_asked(statuses, found.s.status))
        return ERR_OK;
    struct notification n = notification_of(ask, &found, "query-status");
    notification_write_status(cx, &n, NULL, 0, &text);
    json_open(w, '{');
    json_put_str(w, "fullUrl", arena_printf(cx->arena, "%.*s/Subscription/%.*s/$status",
                                            STR_ARG(ask->call->base), STR_ARG(id)));
    json_put_raw(w, "resource", buf_str(&text));
    json_put_raw(w, "search", S("{\"mode\":\"match\"}"));
    json_close(w, '}');
    return ERR_OK;
}

err op_subscription_status(const struct operation_ask *ask, struct operation_answer *out)
{
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    struct asked ids, statuses;
    TRY(ids_of(ask, &ids));
    TRY(read_asked(ask, "status", &statuses));
    op_open_bundle(&w, "searchset");
    for (size_t i = 0; i < ids.count; i++)
        TRY(add_status(ask, &w, ids.list[i], &statuses));
    op_close_bundle(&w);
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* ---- $events ---- */

static err read_number(const struct operation_ask *ask, const char *name, int64_t fallback,
                       int64_t *out)
{
    str text = operation_text(ask, name);
    *out = fallback;
    if (!str_given(text) || (str_to_i64(text, out) && *out >= 0))
        return ERR_OK;
    return ctx_failf(ask->call->cx, ERR_INVALID, str_of(name), "%s is the number of an event",
                     name);
}

static err read_content(const struct operation_ask *ask, const struct subscription *s,
                        enum subscription_content *out)
{
    static const struct { const char *code; enum subscription_content content; } contents[] = {
        { "empty", SUBSCRIPTION_EMPTY }, { "id-only", SUBSCRIPTION_ID_ONLY },
        { "full-resource", SUBSCRIPTION_FULL },
    };
    str text = operation_text(ask, "content");
    *out = s->content;
    for (size_t i = 0; i < COUNT(contents); i++)
        if (str_eq(text, str_of(contents[i].code)))
            *out = contents[i].content;
        else if (str_given(text) && i == 0 && str_find(S("empty id-only full-resource"), text) ==
                                                  STR_NONE)
            return ctx_fail(ask->call->cx, ERR_INVALID, S("content"),
                            S("content takes empty, id-only or full-resource"));
    return ERR_OK;
}

err op_subscription_events(const struct operation_ask *ask, struct operation_answer *out)
{
    struct found found;
    int64_t to;
    TRY(find(ask->call->cx, ask->call->store, ask->id, &found));
    struct notification n = notification_of(ask, &found, "query-event");
    TRY(read_number(ask, "eventsSinceNumber", 1, &n.from));
    TRY(read_number(ask, "eventsUntilNumber", found.state.last, &to));
    TRY(read_content(ask, &found.s, &n.content));
    /* EVENTS_MOST at a time: the rest is asked for from the next number. */
    n.from = n.from > 0 ? n.from : 1;
    n.to = to > n.from + EVENTS_MOST - 1 ? n.from + EVENTS_MOST - 1 : to;
    n.to = n.to >= n.from ? n.to : 0;
    return notification_write(ask->call->cx, ask->call->store, &n, &out->body);
}

/* ---- $get-ws-binding-token ---- */

static void put_value(struct json_writer *w, const char *name, const char *type, str value)
{
    json_open(w, '{');
    json_put_str(w, "name", str_of(name));
    json_put_str(w, type, value);
    json_close(w, '}');
}

static err take_bound(const struct operation_ask *ask, str id, bool named, struct push_token *token)
{
    struct ctx *cx = ask->call->cx;
    struct found found;
    TRY(find(cx, ask->call->store, id, &found));
    bool ours = found.s.channel == SUBSCRIPTION_WEBSOCKET &&
                gate_is_kept(cx->user, found.state.kept);
    if (!named && !ours)
        return ERR_OK;
    TRY(check_own(cx, &found));
    if (found.s.channel != SUBSCRIPTION_WEBSOCKET)
        return ctx_failf(cx, ERR_RULE, (str){ 0 }, "Subscription/%.*s is not of channel websocket",
                         STR_ARG(id));
    if (token->ids_count == PUSH_BOUND_MAX)
        return ctx_failf(cx, ERR_LIMIT, S("id"), "at most %d at once", PUSH_BOUND_MAX);
    token->ids[token->ids_count++] = found.s.id;
    return ERR_OK;
}

static str websocket_url(struct arena *arena, str base_url)
{
    bool secure = str_starts(base_url, S("https://"));
    str rest = str_slice(base_url, secure ? 8 : 7, base_url.n);
    return arena_printf(arena, "%s://%.*s/subscriptions/ws", secure ? "wss" : "ws", STR_ARG(rest));
}

err op_subscription_token(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct asked ids, named;
    struct push_token token = { .ids_count = 0 };
    TRY(ids_of(ask, &ids));
    TRY(read_asked(ask, "id", &named));
    for (size_t i = 0; i < ids.count; i++)
        TRY(take_bound(ask, ids.list[i], named.count || str_given(ask->id), &token));
    if (!token.ids_count)
        return ctx_fail(cx, ERR_RULE, S("id"), S("there is no Subscription of yours of channel "
                                                 "websocket; create one first"));
    TRY(push_token(cx, subscriptions_push(used), &token));
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    char at[CLOCK_TEXT];
    clock_write(token.expires_ms, at);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    put_value(&w, "token", "valueString", token.text);
    put_value(&w, "expiration", "valueDateTime", (str){ at, CLOCK_TEXT });
    for (size_t i = 0; i < token.ids_count; i++)
        put_value(&w, "subscription", "valueString", token.ids[i]);
    put_value(&w, "websocket-url", "valueUrl",
              websocket_url(cx->arena, ask->call->request->base_url));
    json_close(&w, ']');
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* ---- $signing-secret and $topics ---- */

err op_subscription_secret(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct found found;
    bool renew;
    TRY(find(cx, ask->call->store, ask->id, &found));
    TRY(check_own(cx, &found));
    TRY(operation_flag(ask, "renew", false, &renew));
    ctx_release(cx);
    if (renew)
        TRY(subscription_new_secret(cx, ask->call->store, ask->id, &found.state.secret));
    struct buf buf = buf_make(cx->arena, 4096);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    put_value(&w, "secret", "valueString", found.state.secret.p ? found.state.secret : S(""));
    put_value(&w, "header", "valueString", S("X-Hub-Signature-256"));
    json_close(&w, ']');
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

static void add_topic(void *self, str url)
{
    put_value(self, "topic", "valueCanonical", url);
}

err op_subscription_topics(const struct operation_ask *ask, struct operation_answer *out)
{
    struct buf buf = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    TRY(topic_each(ask->call->cx, ask->call->store, subscriptions_topics(used), add_topic, &w));
    json_close(&w, ']');
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* ---- where clients listen ---- */

static err stream_get(struct http_request *request, struct http_response *response)
{
    struct found found;
    TRY(find(request->cx, request->store, request->captures[0], &found));
    TRY(check_own(request->cx, &found));
    if (found.s.channel == SUBSCRIPTION_REST_HOOK || !str_eq(found.s.status, S("active")))
        return ctx_fail(request->cx, ERR_RULE, (str){ 0 },
                        S("only an active Subscription whose channel is sse or websocket can be "
                          "listened to"));
    ctx_release(request->cx); /* a stream may last for hours */
    return push_stream(subscriptions_push(used), request, response, found.s.id);
}

static err socket_get(struct http_request *request, struct http_response *response)
{
    return push_socket(subscriptions_push(used), request, response);
}

const struct route rest_subscription_routes[] = {
    { "GET", "/fhir/Subscription/{id}/$stream", "fhir.read", stream_get,
      "A subscription's notifications as server-sent events", 0 },
    { "GET", "/subscriptions/ws", "open", socket_get,
      "WebSocket for notifications: bind-with-token", 0 },
    { 0 },
};

/* ---- the CapabilityStatement ---- */

void rest_subscriptions_describe(struct json_writer *w, str base_url)
{
    char memory[1024];
    struct arena arena = arena_in(memory, sizeof memory, 65536);
    json_key(w, "extension");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "url", S(CAPABILITY));
    json_put_str(w, "valueUri", websocket_url(&arena, base_url));
    json_close(w, '}');
    json_close(w, ']');
    arena_free(&arena);
}

/* The named ones; those of each type's changes are listed by $topics. */
void rest_subscriptions_topics(struct json_writer *w)
{
    static const char *const urls[] = {
        TOPIC_BASE "encounter-start", TOPIC_BASE "encounter-end", TOPIC_BASE "Patient",
        TOPIC_BASE "Encounter", TOPIC_BASE "Observation",
    };
    json_key(w, "extension");
    json_open(w, '[');
    for (size_t i = 0; i < COUNT(urls); i++) {
        json_open(w, '{');
        json_put_str(w, "url", S(TOPIC_CANONICAL));
        json_put_str(w, "valueCanonical", str_of(urls[i]));
        json_close(w, '}');
    }
    json_close(w, ']');
}
