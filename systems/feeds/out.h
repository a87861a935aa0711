/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/consumer.h"
#include "jobs/due.h"

/*
 * feeds_out: tells other systems over HL7 v2 what was done here: admissions, moves, discharges.
 *
 * Source   HL7 v2.5.1 chapter 3 (ADT), chapter 2 (acknowledgement).
 * Shapes   a consumer of the log makes one ADT message of each version of an Encounter that
 *          somebody made here, for each destination (send.h); what came by a feed is not sent back.
 *          A01 admitted, A02 moved, A03 discharged, A11 admission cancelled, A13 discharge
 *          cancelled, A08 anything else about a stay under way. The control id is "FL" and the
 *          log's seq, so whoever gets one twice can tell.
 * Missing  no destination: nothing is made.
 * Hazards  H-044 another system believes a patient to be where they are not.
 */
extern const struct consumer feeds_adt_out;
