/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/subscription.h"

/*
 * notification: what a subscriber is told, as the Bundle of the Subscriptions R5 Backport for R4.
 *
 * Source   backport-subscription-notification-r4 and backport-subscription-status-r4, 1.1.0.
 * Shapes   a Bundle of type history; its first entry is a Parameters (the status), then one entry
 *          an event: by fullUrl alone for id-only, with the version that set it off for
 *          full-resource. What cx's access does not let be seen has its number alone.
 * Memory   cx's arena.
 */
struct subscription_event;
struct buf;
struct notification {
    const struct subscription *subscription;
    const char *type;      /* "handshake" "heartbeat" "event-notification" "query-event" ... */
    str status, base, error;
    int64_t rid, last;     /* last: events since it started */
    int64_t from, to;      /* numbers of the events told; to 0: none */
    enum subscription_content content;
};
err notification_write(struct ctx *cx, struct store *store, const struct notification *n,
                       str *out) MUST_USE;
/* The Parameters alone, as $status gives it. */
void notification_write_status(struct ctx *cx, const struct notification *n,
                               const struct subscription_event *events, size_t count,
                               struct buf *out);
