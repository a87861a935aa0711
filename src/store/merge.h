/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/commit.h"

/*
 * merge: the operations that make two records of one person one, and those that make them two
 * again: what $merge, the records officer's screen and HL7 v2 A40 have in common.
 *
 * Source   hl7.org/fhir/R4/patient-definitions.html#Patient.link; HL7 v2 A40.
 * Shapes   the retired patient becomes inactive with a link replaced-by, the survivor gets a link
 *          replaces, and every reference to the retired one is turned to the survivor, with an
 *          extension that says where it came from, after those of earlier merges. Back, the last
 *          of them is followed, so entries made for the survivor stay. All of it is one commit;
 *          nothing is deleted. A merge that is told late, when the survivor was itself merged
 *          into another, is `onward`: the references go to the end of that way and say each step
 *          of it.
 * Errors   ERR_LIMIT more than MERGE_MAX resources; those of reading.
 * Memory   cx's arena; the merge must live until the commit is over: the operations look at it.
 * Hazards  H-003 wrong merge: reversible, every change is a version.
 */
enum { MERGE_MAX = 50000 };
#define MERGE_AT_URL "https://frontline.example/fhir/StructureDefinition/merged-at"
#define MERGE_FROM_URL "https://frontline.example/fhir/StructureDefinition/merged-from"

struct merge {
    str source, target;           /* "Patient/1": retired, survivor */
    int64_t source_vid, target_vid; /* as they were looked at; 0: as they are */
    const str *onward;            /* whom the target was merged into since, in order */
    size_t onward_count;
    str said_at;                  /* when it happened, kept with the links; not given: not known */
    bool undo;
    struct commit_op *ops;        /* filled: the two patients first */
    size_t count, cap;
    struct merge_pointing *pointing; /* its own: what refers to the one, as it was looked at */
};
err merge_prepare(struct ctx *cx, struct store *store, struct merge *merge) MUST_USE;
/* For the commit's `holds`, its `holds_self` the merge: ERR_PRECONDITION when something new refers
 * to the retired record meanwhile, which would be left with it. Prepare again. */
err merge_holds(struct ctx *cx, struct store *store, const struct commit *commit) MUST_USE;
