/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/receive.h"

/*
 * hl7_again: what waits for a bed gets it when the stay that has it leaves, whoever says so.
 *
 * Source   a bed has one stay and a patient one bed (H-012), and messages come in any order: so a
 *          stay told after its bed was given to the next lies in none (tag bed-taken), and a
 *          message that would put a stay in another's bed is on hold.
 * Shapes   called with each version of an Encounter, from the log: so nothing is missed by a crash,
 *          and a bed freed on the board counts like one freed by a message. Stays first, then
 *          messages, in order of their time; those for whom it is still taken are left.
 * Errors   the store's; another's claim is none.
 * Limits   HL7_AGAIN_MAX stays and as many messages that wait are looked at.
 * Hazards  H-012 two patients in one bed; H-331 a stay that never was.
 */
enum { HL7_AGAIN_MAX = 200 };
err hl7_again(struct ctx *cx, const struct hl7_receiver *receiver,
              const struct store_version *version) MUST_USE;
