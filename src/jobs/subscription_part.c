/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/secret.h"
#include "jobs/subscription_work.h"

static uint16_t filter_type(const struct subscription_filter *filter, const struct topic *topic)
{
    return filter->resource == FHIR_NONE ? topic->triggers[0].resource : filter->resource;
}

static bool is_about(const struct topic *topic, uint16_t resource)
{
    for (size_t i = 0; i < topic->triggers_count; i++)
        if (topic->triggers[i].resource == resource)
            return true;
    return false;
}

static bool takes(const struct topic *topic, uint16_t resource, str parameter)
{
    for (size_t i = 0; i < topic->filters_count; i++) {
        const struct topic_filter *filter = &topic->filters[i];
        bool here = filter->resource == FHIR_NONE || filter->resource == resource;
        if (here && str_eq(filter->parameter, parameter))
            return true;
    }
    return topic->filters_count == 0;
}

/* Every parameter of a filter, up to its modifier or chain. */
static err check_parameters(struct ctx *cx, const struct topic *topic, uint16_t resource, str query)
{
    str part;
    while (str_next(&query, '&', &part)) {
        size_t end = 0;
        while (end < part.n && part.p[end] != '=' && part.p[end] != ':' && part.p[end] != '.')
            end++;
        if (end && !takes(topic, resource, str_slice(part, 0, end)))
            return ctx_failf(cx, ERR_RULE, S("Subscription.criteria.extension"),
                             "the topic %.*s cannot be filtered by %.*s", STR_ARG(topic->url),
                             STR_ARG(str_slice(part, 0, end)));
    }
    return ERR_OK;
}

err subscription_check_filters(struct ctx *cx, struct store *store, const struct subscription *s,
                               const struct topic *topic)
{
    for (size_t i = 0; i < s->filters_count; i++) {
        uint16_t resource = filter_type(&s->filters[i], topic);
        if (!is_about(topic, resource))
            return ctx_failf(cx, ERR_RULE, S("Subscription.criteria.extension"),
                             "the topic %.*s is not about %.*s", STR_ARG(topic->url),
                             STR_ARG(fhir_resource_name(resource)));
        TRY(check_parameters(cx, topic, resource, s->filters[i].query));
        size_t issues = cx->issues.kept;
        if (search_body_check(cx, store, resource, s->filters[i].query) == ERR_OK)
            continue;
        str why = cx->issues.kept > issues ? cx->issues.list[issues].text : S("");
        cx->issues.kept = cx->issues.count = issues;
        return ctx_failf(cx, ERR_RULE, S("Subscription.criteria.extension"), "%.*s: %.*s",
                         STR_ARG(s->filters[i].query), STR_ARG(why));
    }
    return ERR_OK;
}

/* What it asks for, as against its state. */
static bool asks_the_same(struct json a, struct json b)
{
    static const str members[] = {
        { "criteria", 8 }, { "_criteria", 9 }, { "channel", 7 }, { "extension", 9 },
    };
    for (size_t i = 0; i < COUNT(members); i++) {
        struct json x = json_get(a, members[i]), y = json_get(b, members[i]);
        if (json_kind(x) != json_kind(y) || (json_kind(x) != JSON_ABSENT && !json_same(x, y, true)))
            return false;
    }
    return true;
}

static bool is_our_own(const struct commit_change *change)
{
    return str_eq(change->commit->who, SUBSCRIPTION_WHO) &&
           str_eq(change->commit->why, SUBSCRIPTION_WHY);
}

err subscription_judge(struct ctx *cx, const struct commit_part *part,
                       const struct commit_change *change, void **prepared)
{
    struct subscriptions *subs = part->self;
    struct subscription s;
    struct topic *topic;
    *prepared = NULL;
    if (change->op->resource != fhir_resource_find(S("Subscription")) ||
        json_kind(change->after) == JSON_ABSENT || is_our_own(change))
        return ERR_OK;
    TRY(subscription_read(cx, change->after, &s));
    if (str_eq(s.status, S("requested")) || str_eq(s.status, S("active"))) {
        topic = arena_alloc(cx->arena, sizeof *topic);
        TRY(topic_find(cx, subs->options.store, &subs->topics, s.topic, topic));
        TRY(subscription_check_filters(cx, subs->options.store, &s, topic));
    }
    struct subscription_owner *owner = arena_alloc(cx->arena, sizeof *owner);
    *owner = (struct subscription_owner){
        .kept = gate_keep(cx->arena, cx->user), .secret = secret_text(cx->arena),
        .anew = json_kind(change->before) == JSON_ABSENT ||
                !asks_the_same(change->before, change->after) };
    *prepared = owner;
    return ERR_OK;
}

err subscription_write_owner(struct ctx *cx, const struct commit_part *part, struct db *db,
                             const struct commit_change *change, void *prepared)
{
    struct subscription_owner *owner = prepared;
    (void)part;
    if (!owner)
        return ERR_OK;
    owner->rid = change->op->version.rid;
    owner->id = change->op->version.id;
    return subscription_put_owner(cx, db, owner);
}
