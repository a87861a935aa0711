/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/subscription.h"
#include "base/clock.h"
#include "fhir/datetime.h"

#define BACKPORT "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"

static str text_of(struct ctx *cx, struct json object, const char *key)
{
    return json_string(cx->arena, json_get(object, str_of(key)));
}

/* The value[x] of the first extension of that name; absent when there is none. */
static struct json extension(struct ctx *cx, struct json element, const char *name)
{
    for (struct json_walk w = json_walk(json_get(element, S("extension"))); json_next(&w);) {
        str url = text_of(cx, w.value, "url");
        if (!str_starts(url, S(BACKPORT)) ||
            !str_eq(str_slice(url, sizeof BACKPORT - 1, url.n), str_of(name)))
            continue;
        for (struct json_walk m = json_walk(w.value); json_next(&m);)
            if (str_starts(str_slice(json_text(m.key), 1, json_text(m.key).n), S("value")))
                return m.value;
    }
    return (struct json){ 0 };
}

static err read_count(struct ctx *cx, struct json channel, const char *name, int64_t *out)
{
    struct json value = extension(cx, channel, name);
    *out = 0;
    if (json_kind(value) == JSON_ABSENT)
        return ERR_OK;
    if (!str_to_i64(json_text(value), out) || *out < 0 || *out > 100000000)
        return ctx_failf(cx, ERR_RULE, S("Subscription.channel.extension"),
                         "%s takes a whole number of up to nine digits", name);
    return ERR_OK;
}

static err read_channel_type(struct ctx *cx, struct json channel, struct subscription *out)
{
    str type = text_of(cx, channel, "type");
    struct json custom = extension(cx, json_get(channel, S("_type")), "backport-channel-type");
    if (json_string_is(json_get(custom, S("code")), S("sse"))) {
        out->channel = SUBSCRIPTION_SSE;
    } else if (str_eq(type, S("rest-hook"))) {
        out->channel = SUBSCRIPTION_REST_HOOK;
    } else if (str_eq(type, S("websocket"))) {
        out->channel = SUBSCRIPTION_WEBSOCKET;
    } else {
        return ctx_failf(cx, ERR_RULE, S("Subscription.channel.type"),
                         "%.*s is not served here; take rest-hook or websocket, or an event stream "
                         "by the extension backport-channel-type with code sse", STR_ARG(type));
    }
    return ERR_OK;
}

static err check_endpoint(struct ctx *cx, const struct subscription *s)
{
    bool web = str_starts(s->endpoint, S("https://")) || str_starts(s->endpoint, S("http://"));
    if (s->channel != SUBSCRIPTION_REST_HOOK)
        return ERR_OK;
    if (web && str_find_char(s->endpoint, '@') == STR_NONE && s->endpoint.n < 2000)
        return ERR_OK;
    return ctx_fail(cx, ERR_RULE, S("Subscription.channel.endpoint"),
                    S("a rest-hook needs an https address, without a name or password in it"));
}

static err read_payload(struct ctx *cx, struct json channel, struct subscription *out)
{
    static const struct { const char *code; enum subscription_content content; } contents[] = {
        { "empty", SUBSCRIPTION_EMPTY }, { "id-only", SUBSCRIPTION_ID_ONLY },
        { "full-resource", SUBSCRIPTION_FULL },
    };
    str media = text_of(cx, channel, "payload");
    media = str_trim(str_slice(media, 0, str_find_char(media, ';')));
    struct json content = extension(cx, json_get(channel, S("_payload")),
                                    "backport-payload-content");
    str code = json_string(cx->arena, content);
    out->xml = str_eq(media, S("application/fhir+xml"));
    if (media.n && !out->xml && !str_eq(media, S("application/fhir+json")) &&
        !str_eq(media, S("application/json")))
        return ctx_failf(cx, ERR_RULE, S("Subscription.channel.payload"), "%.*s is not written "
                         "here; take application/fhir+json or application/fhir+xml",
                         STR_ARG(media));
    if (out->plain) {
        out->content = media.n ? SUBSCRIPTION_FULL : SUBSCRIPTION_EMPTY;
        return ERR_OK;
    }
    for (size_t i = 0; i < COUNT(contents); i++)
        if (!str_given(code) || str_eq(code, str_of(contents[i].code))) {
            out->content = contents[i].content;
            return ERR_OK;
        }
    return ctx_failf(cx, ERR_RULE, S("Subscription.channel.payload.extension"),
                     "backport-payload-content takes empty, id-only or full-resource, not %.*s",
                     STR_ARG(code));
}

static bool is_token(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':' || name.p[i] == '(')
            return false;
    return name.n > 0;
}

/* Those the call itself writes, or that would change where it ends. */
static bool is_reserved(str name)
{
    static const char *const names[] = { "Host", "Content-Length", "Content-Type", "Connection",
                                         "Transfer-Encoding", "Upgrade", "Expect", "Te",
                                         "Trailer" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return str_starts(name, S("X-Frontline-"));
}

static err read_headers(struct ctx *cx, struct json channel, struct subscription *out)
{
    for (struct json_walk w = json_walk(json_get(channel, S("header"))); json_next(&w);) {
        str line = json_string(cx->arena, w.value);
        size_t colon = str_find_char(line, ':');
        str name = str_slice(line, 0, colon), value = { 0 };
        if (colon != STR_NONE)
            value = str_trim(str_slice(line, colon + 1, line.n));
        bool broken = str_find_char(line, '\r') != STR_NONE ||
                      str_find_char(line, '\n') != STR_NONE;
        if (colon == STR_NONE || !is_token(name) || is_reserved(name) || broken)
            return ctx_failf(cx, ERR_RULE, S("Subscription.channel.header"), "%.*s is not a header "
                             "line that may be sent: write Name: value", STR_ARG(line));
        if (out->headers_count == SUBSCRIPTION_HEADERS_MAX)
            return ctx_failf(cx, ERR_LIMIT, S("Subscription.channel.header"),
                             "at most %d headers", SUBSCRIPTION_HEADERS_MAX);
        out->headers[out->headers_count++] = (struct subscription_header){ name, value };
    }
    return ERR_OK;
}

static err add_filter(struct ctx *cx, str text, struct subscription *out)
{
    size_t mark = str_find_char(text, '?');
    str type = mark == STR_NONE ? S("") : str_slice(text, 0, mark);
    struct subscription_filter filter = { .resource = FHIR_NONE, .query = text };
    if (mark != STR_NONE)
        filter.query = str_slice(text, mark + 1, text.n);
    if (type.n)
        filter.resource = topic_resource(type);
    if ((type.n && filter.resource == FHIR_NONE) || !filter.query.n)
        return ctx_failf(cx, ERR_RULE, S("Subscription.criteria.extension"),
                         "%.*s is not a filter; write it as a search: "
                         "Encounter?patient=Patient/123", STR_ARG(text));
    if (out->filters_count == SUBSCRIPTION_FILTERS_MAX)
        return ctx_failf(cx, ERR_LIMIT, S("Subscription.criteria.extension"), "at most %d filters",
                         SUBSCRIPTION_FILTERS_MAX);
    out->filters[out->filters_count++] = filter;
    return ERR_OK;
}

static err read_criteria(struct ctx *cx, struct json body, struct subscription *out)
{
    str criteria = text_of(cx, body, "criteria");
    struct json topic = extension(cx, body, "backport-topic-canonical");
    struct json list = json_get(json_get(body, S("_criteria")), S("extension"));
    size_t mark = str_find_char(criteria, '?');
    out->topic = criteria;
    if (json_kind(topic) == JSON_ABSENT && mark != STR_NONE &&
        topic_resource(str_slice(criteria, 0, mark)) != FHIR_NONE &&
        !str_starts(criteria, S("http"))) { /* as R4 itself has it */
        out->plain = true;
        out->topic = arena_printf(cx->arena, TOPIC_BASE "%.*s",
                                  STR_ARG(str_slice(criteria, 0, mark)));
        return criteria.n > mark + 1 ? add_filter(cx, criteria, out) : ERR_OK;
    }
    if (json_kind(topic) != JSON_ABSENT) { /* as drafts of the guide had it */
        out->topic = json_string(cx->arena, topic);
        if (mark != STR_NONE)
            TRY(add_filter(cx, criteria, out));
    }
    if (str_find(out->topic, S(":")) == STR_NONE)
        return ctx_failf(cx, ERR_RULE, S("Subscription.criteria"),
                         "%.*s is not the URL of a topic: subscriptions here are by topic "
                         "(Subscriptions R5 Backport); put the topic's URL into criteria and "
                         "searches into its filter extension",
                         STR_ARG(str_slice(out->topic, 0, 200)));
    for (struct json_walk w = json_walk(list); json_next(&w);)
        if (str_eq(text_of(cx, w.value, "url"), S(BACKPORT "backport-filter-criteria")))
            TRY(add_filter(cx, text_of(cx, w.value, "valueString"), out));
    return ERR_OK;
}

err subscription_read(struct ctx *cx, struct json body, struct subscription *out)
{
    struct json channel = json_get(body, S("channel"));
    str end = text_of(cx, body, "end");
    *out = (struct subscription){ .id = text_of(cx, body, "id"),
                                  .status = text_of(cx, body, "status"),
                                  .endpoint = text_of(cx, channel, "endpoint") };
    TRY(read_criteria(cx, body, out));
    TRY(read_channel_type(cx, channel, out));
    TRY(check_endpoint(cx, out));
    TRY(read_payload(cx, channel, out));
    TRY(read_headers(cx, channel, out));
    TRY(read_count(cx, channel, "backport-heartbeat-period", &out->heartbeat_s));
    TRY(read_count(cx, channel, "backport-timeout", &out->timeout_s));
    TRY(read_count(cx, channel, "backport-max-count", &out->max_count));
    if (out->timeout_s > SUBSCRIPTION_TIMEOUT_MAX_S)
        out->timeout_s = SUBSCRIPTION_TIMEOUT_MAX_S;
    struct datetime at;
    if (end.n && datetime_parse(end, DATETIME_AS_DATE_TIME, &at))
        out->end_ms = at.high_ms;
    return ERR_OK;
}
