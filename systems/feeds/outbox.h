/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/feeds/send.h"
#include "ui/page.h"

/*
 * feeds_outbox: what waits to be sent to other systems, as people look after it.
 *
 * Source   systems/feeds/send.h; the outbox is jobs/due.h.
 * Shapes   one row a message that failed or is parked, newest first; what merely waits is counted.
 *          Sent again, it is due at once with no failures. Given up, it is dropped with a line in
 *          the log that says who and why; the messages about that patient behind it go on.
 * Errors   ERR_NOT_FOUND it was sent meanwhile; ERR_INVALID no reason was given.
 * Limits   FEEDS_OUT_LIST are shown.
 * Hazards  H-044 another system believes a patient to be where they are not.
 */
enum { FEEDS_OUT_LIST = 50 };
struct feeds_out {
    int64_t number, failures;
    str control, destination, event, error, due, text; /* text: a segment a line */
    bool parked;
};
struct feeds_outbox {
    struct feeds_out *unsent;
    size_t unsent_count;
    int64_t *waiting;            /* by destination */
    struct feeds_destination *destinations;
    size_t destinations_count, stuck;
};
struct feeds_out_page {
    struct ui_page page;
    struct feeds_out one;
    str fault;
};
err feeds_outbox_read(struct ctx *cx, struct store *store, struct feeds_outbox *out) MUST_USE;
int64_t feeds_waiting(const struct feeds_outbox *outbox, const struct feeds_destination *one);
http_handler feeds_out_get, feeds_out_post;
