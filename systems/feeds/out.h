/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/consumer.h"
#include "jobs/due.h"

/*
 * feeds_out: tells other systems over HL7 v2 what was done here: admissions, moves, discharges.
 *
 * Source   HL7 v2.5.1 chapter 3 (ADT), chapter 2 (acknowledgement).
 * Shapes   a consumer of the log makes one ADT message of each version of an Encounter that
 *          somebody made here; what came by a feed is not sent back. A01 admitted, A02 moved, A03
 *          discharged, A11 admission cancelled, A13 discharge cancelled, A08 anything else about a
 *          stay under way. The outbox sends them one after the other, in the order of the log, each
 *          until it is answered AA or CA. The control id is "FL" and the log's seq, so whoever gets
 *          one twice can tell.
 * Errors   any other answer, or none within FEEDS_ANSWER_MS: tried again with back-off, parked
 *          after the outbox's limit, and shown (frontline consumers, /admin/background).
 * Missing  no hl7v2.send: nothing is made.
 * Hazards  H-044 another system believes a patient to be where they are not.
 */
enum { FEEDS_ANSWER_MS = 10000, FEEDS_ANSWER_BYTES = 65536 };
extern const struct consumer feeds_adt_out;
extern const struct due_kind feeds_send;
/* "192.0.2.7:2575", and "APPLICATION|FACILITY" of ours; once, before the consumers start. */
void feeds_send_to(str address, str name);
