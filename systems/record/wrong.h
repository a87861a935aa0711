/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/file.h"
#include "systems/record/look.h"

/*
 * wrong: an entry that should not be there: marked, never deleted; or moved to the patient it is
 * about, with a trace on both records.
 *
 * Source   FHIR status entered-in-error; Provenance, hl7.org/fhir/R4/provenance.html; UI.md 15.
 * Shapes   GET and POST /record/patient/{patient}/wrong/{type}/{id}. Marking: the entry's status
 *          and a Provenance with the reason. Moving: besides, a copy for the other patient and a
 *          Provenance there whose source is the version it came from; a report takes the results
 *          it names along. All in one commit.
 * Missing  the other patient is named by a whole NHS or hospital number and the date of birth; both
 *          must be theirs.
 * Errors   ERR_RULE: no reason, a type that cannot be marked, marked already; ERR_NOT_FOUND: no
 *          such entry, or no patient with that number whom the asker may open.
 * Limits   WRONG_ENTRIES resources moved at once.
 * Hazards  H-104 an entry deleted instead of corrected, H-111 a correction that leaves no trace.
 */
enum { WRONG_ENTRIES = 100 };
struct wrong_form {
    struct record_look *look;
    str type, id, what, when;
    uint64_t vid; /* of the entry as the form shows it */
    struct ui_field reason, number, born;
    struct ui_option how[2];
    str chosen;
    str content;  /* what a document or report says, as text */
    struct record_file *files;
    size_t files_count;
};
/* The entry that the address names, once it is known to be this patient's. */
err wrong_read_item(struct record_look *look, struct record_item *item) MUST_USE;
http_handler wrong_get, wrong_post, wrong_item_get;
