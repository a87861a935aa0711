/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/entry.h"

/*
 * note: what is written in sentences, under headings: clinical notes, handovers by SBAR, discharge
 * summaries.
 *
 * Source   PRSB headings as record.md 1.5 names them (wording of the headings: unconfirmed against
 *          the current PRSB release); SBAR; Composition, hl7.org/fhir/R4/composition.html.
 * Shapes   a Composition with a section a heading. status: preliminary is a draft, final signed,
 *          amended changed after that, with the reason in an extension. attester professional
 *          signs, legal co-signs.
 * Missing  a heading with nothing under it is left out of the Composition.
 * Errors   ERR_RULE: nothing written at all; an amendment without a reason; signing twice;
 *          co-signing what one signed, or without the right to.
 * Hazards  H-105 a draft or an amended note taken for a signed one.
 */
enum note_act { NOTE_SIGN, NOTE_COSIGN };

/* The change that signs; ERR_RULE when it may not be. */
err note_sign(struct entry_change *change, enum note_act act) MUST_USE;
/* Signed notes are amended: status, reason, and the signature of the one who changes it. */
err note_amend(struct entry_change *change, str why) MUST_USE;
bool note_is_draft(struct json body);
/* A draft whose author is not the one who asks. */
bool note_is_anothers(struct ctx *cx, struct json body);
/* "Signed by A. Khan, 22 Nov 2026, 10:42"; empty: no such signature. */
str note_signature(struct ctx *cx, struct store *store, struct json body, const char *mode);
str note_reason(struct ctx *cx, struct json body); /* of the last amendment */
/* The text under the heading with this code. */
str note_section(struct ctx *cx, struct json body, const char *heading);
/* For a discharge summary: what the record knows, under its headings. */
err note_prefill_discharge(struct record_look *look, struct entry_value *values) MUST_USE;
/* For a handover: the last one, to be gone over. */
err note_prefill_handover(struct record_look *look, struct entry_value *values) MUST_USE;
