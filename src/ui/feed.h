/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"
#include "ui/live.h"

/*
 * feed: follows the log and lets each board draw what changed for the screens that look at it.
 *
 * Shapes   a view gets the versions committed since it was last called, oldest first, with a ctx
 *          that has a reader as new as the last of them; it publishes fragments by live_publish, or
 *          live_publish_missed where nobody looks.
 * Units    FEED_GATHER_MS: commits this close together are drawn once. Rounds begin FEED_PACE_MS
 *          apart, so that however many commits there are, drawing stays a small part of the work.
 *          FEED_BATCH versions a call.
 * Missing  `versions` NULL: something changed that could not be read; tell the screens to reload.
 * Errors   none come out: a view that cannot draw says so by live_publish_reload.
 * Memory   the ctx and its arena are the call's. A feed lives from feed_start to feed_stop.
 * Limits   one thread for all views; a view must be done in a few milliseconds.
 * Hazards  H-013 stale board.
 */
enum { FEED_GATHER_MS = 30, FEED_PACE_MS = 100, FEED_BATCH = 500 };

struct feed_view {
    void (*changed)(struct ctx *cx, struct store *store, struct live *live,
                    const struct store_versions *versions, int64_t seq);
};

/* May this person see a whole ward? A stream shows what is drawn for everybody. */
bool feed_may_follow(const struct ctx *cx, str ward);
/*
 * Answers GET ?ward=ID or ?patient=ID with the stream of that channel, named by its prefix and the
 * id. ERR_INVALID without either, ERR_FORBIDDEN, or what reading that patient answers.
 */
err feed_open(struct http_request *request, struct http_response *response, const char *wards,
              const char *patients) MUST_USE;

struct feed;
/* Follows from the store's present end. `views` is ended by NULL and lives as long as the feed. */
err feed_start(struct ctx *cx, struct store *store, struct live *live,
               const struct feed_view *const *views, struct feed **out) MUST_USE;
void feed_stop(struct feed *feed); /* before store_close; NULL is fine */
