/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/push.h"
#include "jobs/subscription_work.h"

err subscriptions_open(struct ctx *cx, const struct subscriptions_options *options,
                       struct subscriptions **out)
{
    struct subscriptions *subs = arena_zero(cx->arena, sizeof *subs);
    subs->options = *options;
    subs->arena = arena_make((size_t)1 << 30);
    subs->part = (struct commit_part){ .name = "subscriptions", .self = subs,
                                       .prepare = subscription_judge,
                                       .write = subscription_write_owner };
    subs->consumer = (struct consumer){
        .name = "subscriptions", .about = "numbers the events of topic-based Subscriptions",
        .from_now = true, .consume = subscription_consume, .self = subs };
    subs->kinds[0] = (struct due_kind){ .name = "subscription", .attempts_max = INT32_MAX,
                                        .run = subscription_deliver, .self = subs, .away = true };
    subs->kinds[1] = (struct due_kind){ .name = "heartbeat", .run = subscription_beat,
                                        .self = subs, .away = true };
    TRY(topic_files_read(cx, options->topics, &subs->topics));
    TRY(subscription_schema(cx, options->store));
    commit_add_part(options->store, &subs->part);
    *out = subs;
    return ERR_OK;
}

const struct consumer *subscriptions_consumer(struct subscriptions *subs)
{
    return &subs->consumer;
}

const struct due_kind *subscriptions_due(struct subscriptions *subs)
{
    return subs->kinds;
}

const struct topic_files *subscriptions_topics(const struct subscriptions *subs)
{
    return &subs->topics;
}

struct push *subscriptions_push(struct subscriptions *subs)
{
    return subs->push;
}

err subscriptions_start(struct ctx *cx, struct subscriptions *subs, struct due *due)
{
    subs->due = due;
    return push_start(cx, &(struct push_options){
        .store = subs->options.store, .gate = subs->options.gate, .audit = subs->options.audit,
        .base = subs->options.base, .streams_max = subs->options.streams_max }, &subs->push);
}

void subscriptions_stop(struct subscriptions *subs)
{
    atomic_store(&subs->stop, true);
    if (subs->push)
        push_stop(subs->push);
}

void subscriptions_close(struct subscriptions *subs)
{
    if (subs->push)
        push_free(subs->push);
    subs->push = NULL;
    subscription_unfollow_all(subs);
    arena_free(&subs->arena);
}
