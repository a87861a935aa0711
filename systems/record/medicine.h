/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"

/*
 * medicine: what the patient took before they came, what is prescribed now, and what was decided
 * about each.
 *
 * Source   medicines reconciliation as record.md 1.5 and PRSB "medications and changes" ask for it.
 * Shapes   a MedicationRequest of category community is a medicine from before. The decision about
 *          it is a MedicationStatement based on it, one a request: continue, pause, stop, not
 *          taken, with the reason. Statements without a request are medicines the patient told of.
 * Missing  a medicine nobody has decided about is listed first, as "not decided".
 * Errors   POST: ERR_RULE a reason is missing; ERR_CONFLICT somebody decided meanwhile.
 * Limits   MEDICINE_MAX medicines.
 * Hazards  H-110 a medicine from before the stay forgotten.
 */
enum { MEDICINE_MAX = 100 };
struct medicine_row {
    str id, name, dose, since, category;
    bool before, decided;     /* before: from before the stay */
    str decision, why, by;    /* decision: a status */
    uint64_t vid;             /* of the decision; 0: none */
    uint64_t drawn;           /* the version of the medicine that is shown */
    bool goes_on;
    bool outdated;            /* the medicine was changed after it was decided about */
    str href;
};
struct medicine_list {
    str patient;
    struct medicine_row *rows;
    size_t rows_count, open;
    size_t here;              /* of them prescribed on this stay */
    struct medicine_row *told;
    size_t told_count;
    bool may_write;
};
/* What was decided about a medicine from before the stay, beside it wherever it is listed. */
struct home_line;
void medicine_mark(struct record_look *look, const struct record_item *item,
                   struct home_line *line);
err medicine_draw(struct record_look *look) MUST_USE;
http_handler medicine_decide_post;
