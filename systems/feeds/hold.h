/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/receive.h"
#include "hl7v2/watch.h"
#include "jobs/consumer.h"
#include "systems/feeds/outbox.h"
#include "ui/page.h"

/*
 * feeds_hold: the HL7 v2 feeds as people look after them: who sends, who has fallen silent, and the
 * messages that could not be applied, to be seen, mended and taken again.
 *
 * Source   record.md 1.9; HL7 v2.5.1 chapter 2.
 * Shapes   a message on hold is a Communication of status on-hold whose category is its trigger
 *          event. Taken again, it becomes completed in the commit that applies it; the first text
 *          stays in its history. Set aside, it is stopped, with who and why.
 * Errors   ERR_RULE: it could not be applied this time either, with the reason; ERR_INVALID: no
 *          reason was given for setting it aside.
 * Limits   the FEEDS_LIST newest are shown.
 * Hazards  H-040 a message is lost; H-043 a feed stops and nobody notices.
 */
enum { FEEDS_LIST = 100, FEEDS_TEXT_MAX = 4 << 20 };
struct feeds_held {
    str id, from, control, event, reason, received;
};
struct feeds_page {
    struct ui_page page;
    struct feeds_held *held;
    size_t held_count;
    struct hl7_watched *senders;
    size_t senders_count, silent;
    struct feeds_outbox outbox;
    bool more;
};
struct feeds_message {
    struct ui_page page;
    struct feeds_held held;
    str text, fault;      /* lines; fault: why it was refused just now */
    bool open;            /* still on hold */
};
http_handler feeds_get, feeds_message_get, feeds_message_post;
str feeds_name(const struct hl7_watched *sender);
str feeds_last(struct ctx *cx, const struct hl7_watched *sender);
str feeds_last_taken(struct ctx *cx, const struct feeds_destination *one);
extern const struct consumer feeds_again;
/* Who sent the newest 500 messages of the record, for hl7_watch: a feed that is silent stays so
 * through a restart. */
err feeds_recall(struct ctx *cx, struct store *store) MUST_USE;
/* What takes messages again; once, before the server starts. */
void feeds_use(const struct hl7_receiver *receiver);
