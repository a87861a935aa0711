/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/ack.h"

/*
 * hl7_watch: how each sender's feed is doing, and whether one has fallen silent.
 *
 * Source   a hospital's feed that stops is noticed by nobody until a patient is missing: H-043.
 * Shapes   a sender is "APPLICATION|FACILITY" of its messages; those with a file of their own are
 *          expected from the start, so that one which never sends is noticed, too.
 * Units    UTC milliseconds.
 * Limits   HL7_WATCH_MAX senders; counters are process-wide and only grow. Thread-safe.
 * Hazards  H-043 a feed stops and nobody notices.
 */
enum { HL7_WATCH_MAX = 128, HL7_WATCH_NAME = 96, HL7_WATCH_ANY = -1 };
struct hl7_watched {
    char name[HL7_WATCH_NAME];
    size_t name_bytes;
    int64_t last_ms, began_ms;  /* last_ms 0: no message yet */
    int64_t counts[HL7_REJECTED + 1];
    int64_t limit_ms;           /* silence allowed to it, 0: any; HL7_WATCH_ANY: the general */
    bool silent, expected;
};
void hl7_watch_expect(str application, str facility, int64_t limit_ms, int64_t now_ms);
/* It was heard before this program began: its silence goes on. */
void hl7_watch_recall(str application, str facility, int64_t last_ms);
void hl7_watch_note(const struct hl7_message *message, enum hl7_outcome outcome, int64_t limit_ms,
                    int64_t now_ms);
/* Marks and logs those that have said nothing for so long, or for their own limit; 0: any. */
void hl7_watch_check(int64_t now_ms, int64_t silent_ms);
/* Copies of all; returns how many. */
size_t hl7_watch_list(struct hl7_watched out[HL7_WATCH_MAX]);
struct buf;
void hl7_watch_metrics(struct buf *out, int64_t now_ms);
