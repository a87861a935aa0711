/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "jobs/subscription.h"

/*
 * rest_subscription: what clients ask about their Subscriptions, and where they listen.
 *
 * Source   Subscriptions R5 Backport 1.1.0: $status, $events, $get-ws-binding-token.
 * Shapes   GET /subscriptions/ws is the WebSocket; GET /fhir/Subscription/{id}/$stream the event
 *          stream. A subscription is listened to by whoever made it; $events shows what the asker
 *          may see.
 * Errors   ERR_FORBIDDEN: somebody else's; ERR_RULE: not active, or of another channel.
 */
extern const struct route rest_subscription_routes[]; /* ended by a zero row */
/* Once, before the server starts. */
void rest_subscriptions_use(struct subscriptions *subscriptions);
struct json_writer;
/* For the CapabilityStatement: extensions of rest (WebSocket) and of Subscription (topics). */
void rest_subscriptions_describe(struct json_writer *w, str base_url);
void rest_subscriptions_topics(struct json_writer *w);
