/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/ack.h"
#include "hl7v2/sender.h"
#include "store/commit.h"

/*
 * hl7_receive: takes one message into the record and answers it.
 *
 * Source   HL7 v2.5.1 chapters 2, 3, 4, 7, 9, 10.
 * Shapes   every message becomes one commit, together with a Communication that holds it as it
 *          came. Its identifier is (application, facility, control id): that is the claim which
 *          keeps a message from being applied twice. A message that is understood but cannot be
 *          applied is kept as a Communication on-hold, the quarantine, with the reason.
 *          A batch (FHS or BHS first) is its messages one by one, answered by one batch of their
 *          answers; one that fails holds up none of the others.
 * Errors   none: whatever happens is in the answer. AA and CA only once the commit is on disk.
 * Memory   cx's arena; give it a fresh one a message. The answer is framed.
 * Limits   at most HL7_TRIES commits when others change the same records meanwhile.
 * Hazards  H-012 two patients in one bed: a bed that is taken puts the message in quarantine.
 */
enum { HL7_TRIES = 8 };
struct hl7_receiver {
    struct store *store;
    const struct hl7_senders *senders;
    bool tries_again; /* a message that is refused is given once more: it is not counted yet */
};
/* Returns the outcome, of a batch the last one's. */
enum hl7_outcome hl7_receive(struct ctx *cx, const struct hl7_receiver *receiver, str bytes,
                             struct buf *answer);

/* Once more, what is on hold as this. */
void hl7_take_held(struct ctx *cx, const struct hl7_receiver *receiver, struct json communication);

/* The claims of the messages applied: for the table of a module. */
extern const struct claim_rule *const hl7_claims[];
