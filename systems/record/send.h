/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "systems/record/look.h"

/*
 * send: takes a signed discharge summary to the practice's system, and says how far it is.
 *
 * Source   hl7.org/fhir/R4/documents.html: the document Bundle is POSTed as it is.
 * Shapes   what is to be sent is a Communication of status in-progress whose payload is the
 *          DocumentReference that holds the Bundle (discharge.h). A consumer of the log puts it
 *          into the outbox; any 2xx answer makes it completed, with the time. The Bundle's
 *          identifier and the header Idempotency-Key are the same at every try.
 * Missing  no destination for the practice (record.send_to): nothing is sent, and the page says so.
 * Errors   refused (4xx but 408 and 429, or an address that may not be called): the Communication
 *          is stopped, with the reason. Anything else is tried again with back-off and at last
 *          parked (jobs/due.h). Both are shown on the document with what to do.
 * Limits   SEND_ANSWER_MS a try.
 * Hazards  H-112 a summary believed sent that nobody has.
 */
enum { SEND_ANSWER_MS = 10000, SEND_ANSWER_BYTES = 65536 };

/* "A81001=https://gp.example/in *=https://mesh.example/in": by a practice's id or code; `allow` as
 * http/reach.h. Once, before the consumers start. */
err send_to(struct ctx *cx, str destinations, str allow) MUST_USE;
extern const struct consumer send_outbox;
extern const struct due_kind send_due;

/* How it stands with a note, for its page. */
struct send_view {
    bool shown, may_send, again; /* again: it was tried before */
    int64_t before; /* the version of the note that was sent last, when it is not this one; or 0 */
    str practice, url, state, todo;
    const char *chip;
    enum ui_tone tone;
};
err send_look(struct record_look *look, const struct record_item *note,
              struct send_view *out) MUST_USE;
/* The id of the document, and of the Communication, of one version of a note. */
str send_id(struct ctx *cx, const struct record_item *note, int64_t vid);
/* Where documents for a practice go; empty: nowhere. */
str send_url(struct ctx *cx, str id, struct json organization);
/* Starts anew what was refused or stands still. */
err send_again(struct ctx *cx, struct store *store, str id) MUST_USE;
