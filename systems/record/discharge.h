/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/note.h"

/*
 * discharge: the summary that goes to the GP: drawn from the record, sent as a FHIR document.
 *
 * Source   PRSB eDischarge headings (note.c); hl7.org/fhir/R4/documents.html.
 * Shapes   POST .../entry/discharge/{id}/send makes, in one commit, a DocumentReference of the
 *          patient that holds the document Bundle (Composition, Patient, author, stay, practice)
 *          and a Communication to the practice, status in-progress, which send.h takes up; or
 *          starts anew what was refused.
 * Missing  a signature: a draft is not sent. An address for the practice: ERR_RULE, and the page
 *          offers print.
 * Errors   ERR_RULE not signed, or sent already in this version; ERR_CONFLICT changed since read.
 * Limits   DISCHARGE_BYTES the Bundle.
 * Hazards  H-105 a draft taken for a signed one.
 */
enum { DISCHARGE_BYTES = 1 << 20 };
http_handler discharge_send_post;
