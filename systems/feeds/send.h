/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/link.h"
#include "jobs/due.h"

/*
 * feeds_send: the destinations that are told over HL7 v2 what was done here.
 *
 * Source   HL7 v2.5.1 chapter 2 (acknowledgement); Minimal Lower Layer Protocol, plain or over TLS.
 * Shapes   [hl7v2] send lists them, with blanks or commas between: HOST:PORT, or tls:HOST:PORT.
 *          Each has one connection, kept open and made anew when it breaks, and its own queue in
 *          the outbox: messages about one patient go one after the other, in the order of the
 *          log, each until it is answered AA or CA; other patients' overtake one that cannot be
 *          delivered.
 * Errors   AE, CE, no answer within FEEDS_ANSWER_MS, no connection: tried again after 1 s, 2 s, 4 s
 *          ... up to an hour, parked after the outbox's limit. AR, CR: the message will never be
 *          taken as it is, so it is parked at once. What is parked is shown at /feeds and sent
 *          again, or given up, by a person.
 * Units    a destination that has taken nothing for `stuck_ms` while there was something to
 *          send is stuck: told in the log, at /feeds and in the metrics.
 * Limits   FEEDS_DESTINATIONS_MAX. Thread-safe.
 * Hazards  H-044 another system believes a patient to be where they are not.
 */
enum { FEEDS_ANSWER_MS = 10000, FEEDS_ANSWER_BYTES = 65536, FEEDS_DESTINATIONS_MAX = 16 };
extern const struct due_kind feeds_sending;

struct feeds_send_options {
    str destinations, name;      /* name: "APPLICATION|FACILITY" of ours */
    int64_t stuck_ms;            /* after which one that takes nothing is stuck */
    struct hl7_tls_files tls;    /* for those called over TLS */
};
/* Once, before the consumers start. ERR_INVALID: an address or a file cannot be used. */
err feeds_send_open(struct ctx *cx, const struct feeds_send_options *options) MUST_USE;
void feeds_send_close(void);
size_t feeds_destinations_count(void);
str feeds_destination_name(size_t index);
str feeds_own_name(void);

struct feeds_destination {
    str name, error;             /* error: of the last failure, empty when the last went well */
    int64_t taken, failed, refused, last_ms, failing_since_ms; /* 0: never; not failing */
    bool connected, stuck;
};
/* Copies into cx's arena. */
struct feeds_destination feeds_destination_at(struct ctx *cx, size_t index);
struct buf;
void feeds_send_metrics(struct ctx *cx, struct buf *out);
