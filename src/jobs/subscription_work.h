/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/gate.h"
#include "jobs/subscription.h"
#include <stdatomic.h>

/*
 * subscription_work: what the files of a running subscription share. Private.
 *
 * subscription.c        a Subscription resource, read
 * subscription_state.c  the tables: who made it, its secret, its numbered events
 * subscription_part.c   judges Subscriptions as they are written
 * subscription_match.c  the log's consumer: whose event is this change
 * subscription_send.c   the outbox: handshakes, notifications and heartbeats to rest-hooks
 * subscriptions.c       the whole: opened, started, stopped
 */
struct followed; /* subscription_match.c's: an active subscription, compiled */

struct subscriptions {
    struct subscriptions_options options;
    struct topic_files topics;
    struct commit_part part;
    struct consumer consumer;
    struct due_kind kinds[2];  /* deliveries; heartbeats */
    struct due *due;
    struct push *push;
    _Atomic bool stop;
    struct arena arena;        /* the consumer thread's */
    struct followed *followed, *free;
    size_t followed_count;
    bool loaded;
};
#define SUBSCRIPTION_DUE S("subscription")
#define SUBSCRIPTION_BEAT S("heartbeat")
#define SUBSCRIPTION_WHO S("frontline") /* of our own changes of status */
#define SUBSCRIPTION_WHY S("subscription")

/* subscription_state.c: on the writer's connection, unless `store` is given. */
err subscription_schema(struct ctx *cx, struct store *store) MUST_USE;
struct subscription_owner {
    int64_t rid;
    str id, kept, secret;
    bool anew;    /* what it asks for changed: it is the writer's from now on */
};
err subscription_put_owner(struct ctx *cx, struct db *db,
                           const struct subscription_owner *owner) MUST_USE;
/* from_seq: events after it count; proved: the address that answered a handshake. */
enum subscription_field { SUBSCRIPTION_SET_FROM, SUBSCRIPTION_SET_SENT, SUBSCRIPTION_SET_SPOKE,
                          SUBSCRIPTION_SET_PROVED, SUBSCRIPTION_SET_SECRET };
struct subscription_set {
    int64_t rid, number;
    enum subscription_field field;
    str text;
};
err subscription_set(struct ctx *cx, struct store *store,
                     const struct subscription_set *set) MUST_USE;
err subscription_forget(struct ctx *cx, struct db *db, void *rid) MUST_USE;
err subscription_proved(struct ctx *cx, struct store *store, str id, str *out) MUST_USE;

struct subscription_event {
    int64_t number, at_ms, vid;
    uint16_t resource;
    str id;
    enum store_method method;
};
/* Gives a change its next number for one subscription and puts its delivery into the outbox; does
 * nothing when it has one already. */
struct subscription_hit {
    int64_t rid, keep;
    str id;
    bool outbox;
};
err subscription_add_event(struct ctx *cx, struct db *db, const struct subscription_hit *hit,
                           const struct store_version *version) MUST_USE;
struct subscription_events {
    int64_t rid, from, to;
    struct subscription_event *list; /* out */
    size_t count;
};
err subscription_events(struct ctx *cx, struct store *store,
                        struct subscription_events *events) MUST_USE;

/* subscription_send.c: writes the resource's status, if it is not that already. What its owner has
 * switched off stays off. */
struct subscription_status {
    const char *status;  /* "active", "error", "off", "requested" */
    const char *from;    /* only when it is this one now; NULL: any */
    str error;           /* not given: the element is taken away */
};
err subscription_put_status(struct ctx *cx, struct store *store, str id,
                            const struct subscription_status *status) MUST_USE;
err subscription_deliver(struct ctx *cx, struct store *store, const struct due_item *item,
                         void *self) MUST_USE;
err subscription_beat(struct ctx *cx, struct store *store, const struct due_item *item,
                      void *self) MUST_USE;
/* subscription_part.c */
err subscription_judge(struct ctx *cx, const struct commit_part *part,
                       const struct commit_change *change, void **prepared) MUST_USE;
err subscription_write_owner(struct ctx *cx, const struct commit_part *part, struct db *db,
                             const struct commit_change *change, void *prepared) MUST_USE;
/* Is each filter one that this topic takes, and a search that can be asked? */
err subscription_check_filters(struct ctx *cx, struct store *store, const struct subscription *s,
                               const struct topic *topic) MUST_USE;
/* subscription_match.c */
err subscription_consume(struct ctx *cx, struct store *store, const struct store_version *version,
                         void *self) MUST_USE;
void subscription_unfollow_all(struct subscriptions *subs);
