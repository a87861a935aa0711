/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/due.h"
#include "jobs/consumer.h"
#include "jobs/topic.h"
#include "store/commit.h"

/*
 * subscription: tells others what changed, as they asked for it by a Subscription.
 *
 * Source   Subscriptions R5 Backport 1.1.0 for R4 (hl7.org/fhir/uv/subscriptions-backport):
 *          criteria is the topic's URL, filters and payload are extensions; notifications are
 *          Bundles of type history whose first entry is a SubscriptionStatus as Parameters.
 * Shapes   a consumer of the log numbers the events of each subscription 1, 2, 3 ... without gap,
 *          in the transaction that also puts their delivery into the outbox (jobs/due.h).
 *          Rest-hooks are called from there, one call after the other for each subscription, at
 *          least once; websockets and event streams are served by jobs/push.h.
 *          requested -> (handshake answered with 2xx) active -> error after the last attempt, off
 *          by the client, at `end`, or when the creator's grant is revoked. R4's own kind,
 *          criteria a search, is served too: an empty POST, or the resource by PUT to
 *          endpoint/Type/id.
 * Errors   a Subscription that could never work is refused when it is written: ERR_RULE with the
 *          element. A receiver that fails is tried again after 1 s, 2 s, 4 s ...
 * Missing  payload content not given: empty. maxCount not given: SUBSCRIPTION_BATCH. A resource
 *          that the creator may not see any more is left out; its event keeps its number.
 * Units    seconds in names; UTC milliseconds.
 * Limits   the last `keep` events of each are kept for $events.
 * Hazards  H-050 notification lost, repeated or out of order; H-051 notification tells
 *          what its receiver may not know.
 */
enum {
    SUBSCRIPTION_FILTERS_MAX = 16, SUBSCRIPTION_HEADERS_MAX = 16, SUBSCRIPTION_BATCH = 100,
    SUBSCRIPTION_TIMEOUT_S = 10, SUBSCRIPTION_TIMEOUT_MAX_S = 60, SUBSCRIPTION_MAX = 10000
};
enum subscription_channel { SUBSCRIPTION_REST_HOOK, SUBSCRIPTION_WEBSOCKET, SUBSCRIPTION_SSE };
enum subscription_content { SUBSCRIPTION_EMPTY, SUBSCRIPTION_ID_ONLY, SUBSCRIPTION_FULL };

struct subscription_filter {
    uint16_t resource;  /* FHIR_NONE: what the topic is about */
    str query;
};
struct subscription_header {
    str name, value;
};
/* A Subscription resource, read. */
struct subscription {
    str id, status, topic, endpoint;
    enum subscription_channel channel;
    enum subscription_content content;
    bool xml, plain;    /* plain: R4's own kind, criteria a search: the resource itself is sent */
    struct subscription_header headers[SUBSCRIPTION_HEADERS_MAX];
    size_t headers_count;
    struct subscription_filter filters[SUBSCRIPTION_FILTERS_MAX];
    size_t filters_count;
    int64_t heartbeat_s, timeout_s, max_count, end_ms; /* 0: none given */
};
err subscription_read(struct ctx *cx, struct json body, struct subscription *out) MUST_USE;

struct gate;
struct audit_log;
struct push;
struct reach;
struct subscriptions_options {
    struct store *store;
    struct gate *gate;
    struct audit_log *audit;   /* NULL: nobody signs in */
    const struct reach *reach; /* whom rest-hooks may call */
    str topics;                /* folder; empty: none */
    str base;                  /* "http://127.0.0.1:8080/fhir", for fullUrls and references */
    int attempts;              /* of a delivery; then the subscription is in error */
    int64_t keep;              /* events */
    int streams_max;           /* open websockets and streams */
};
struct subscriptions;
/* Opens the tables and adds the commit part that judges Subscriptions as they are written. */
err subscriptions_open(struct ctx *cx, const struct subscriptions_options *options,
                       struct subscriptions **out) MUST_USE;
const struct consumer *subscriptions_consumer(struct subscriptions *subscriptions);
enum { SUBSCRIPTION_KINDS = 2 };
const struct due_kind *subscriptions_due(struct subscriptions *subscriptions); /* so many */
/* Once the outbox runs, and before the consumers do. */
err subscriptions_start(struct ctx *cx, struct subscriptions *subscriptions,
                        struct due *due) MUST_USE;
/* Lets go of calls under way and ends streams; before due_stop and http_stop. */
void subscriptions_stop(struct subscriptions *subscriptions);
void subscriptions_close(struct subscriptions *subscriptions); /* when nothing uses it any more */

/* For the operations: what is known of a subscription beside its resource. */
struct subscription_state {
    int64_t rid, last, sent, from_seq, spoke_ms;
    str kept;     /* who made it: auth/gate.h */
    str secret, error;
};
err subscription_state_find(struct ctx *cx, struct store *store, str id,
                            struct subscription_state *out) MUST_USE;
err subscription_new_secret(struct ctx *cx, struct store *store, str id, str *out) MUST_USE;
const struct topic_files *subscriptions_topics(const struct subscriptions *subscriptions);
struct push *subscriptions_push(struct subscriptions *subscriptions);
