/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * live: tells every open screen of a board what changed, a quarter of a second after the commit.
 *
 * Source   Server-sent events: html.spec.whatwg.org, section 9.2.
 * Shapes   a channel is a name ("beds/ward-3") with a ring of its last events. An event carries the
 *          log's seq as its id and HTML elements whose ids say what they replace (the browser's
 *          side is web/islands/live.ts). A stream holds no events, only its place in the ring:
 *          however slow a screen is, it costs the same memory.
 * Units    seq is the log position; LIVE_BEAT_MS between signs of life.
 * Missing  a screen whose place is no longer in the ring, or away longer, is told "reload".
 * Errors   live_open: ERR_BUSY when `streams_max` are open or there are too many channels;
 *          ERR_INVALID when the position is no number.
 * Memory   a channel's ring stays until live_free. Events too large for it become "reload".
 * Limits   LIVE_RING events a channel, LIVE_RING_BYTES of text. Any thread may publish; it never
 *          waits for a screen.
 * Hazards  H-013 stale board: the beat is what a screen's "not live since" is measured by.
 */
enum {
    LIVE_BEAT_MS = 10000,
    LIVE_RING = 1024,
    LIVE_RING_BYTES = 1 << 20,
    LIVE_EVENT_BYTES = 256 << 10,
};

struct live;
struct live_options {
    int streams_max;
    int64_t start_seq; /* the log when the program started: what came before was not published */
    int64_t beat_ms;   /* 0: LIVE_BEAT_MS; tests use less */
};
struct live *live_make(const struct live_options *options);
void live_free(struct live *live); /* after http_stop: no stream may be open */

/*
 * Answers a GET with the event stream of a channel, from the request's Last-Event-ID or ?after=.
 * A position of 0 or none given means "from now".
 */
err live_open(struct live *live, str channel, struct http_request *request,
              struct http_response *response) MUST_USE;

/* The elements of `html` changed at `seq`. Events of a channel must come in the order of seq. */
void live_publish(struct live *live, str channel, int64_t seq, str html);
/* Elements came or went: screens offer to show them, and move nothing by themselves. */
void live_publish_more(struct live *live, str channel, int64_t seq);
/* What the screens of this channel show can no longer be mended by parts: they reload. */
void live_publish_reload(struct live *live, str channel, int64_t seq);

/*
 * What draws fragments may save itself the work where nobody looks, but must say that it did:
 *   if (live_watched(...)) live_publish(...); else live_publish_missed(...);
 * live_expect, called when a page is drawn, keeps its channel watched until its stream opens.
 */
bool live_watched(struct live *live, str channel);
void live_publish_missed(struct live *live, str channel, int64_t seq);
void live_expect(struct live *live, str channel);

size_t live_streams(struct live *live);
