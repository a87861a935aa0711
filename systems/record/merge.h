/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/find.h"

/*
 * merge: two records of one person become one, by a records officer, and two again.
 *
 * Source   $merge and $unmerge (rest/op_merge.c), HL7 v2 A40.
 * Shapes   GET /record/merge?source=&target= compares the two and shows what would move and what
 *          speaks against it; POST with `confirm` does it. The survivor's page leads to $unmerge.
 * Missing  both records must be named; a conflict needs a tick that it was looked at.
 * Errors   those of $merge; ERR_RULE when a conflict was not confirmed.
 * Hazards  H-003 wrong merge.
 */
struct merge_warning {
    str text;
};
struct merge_page {
    struct ui_banner source, target;
    struct ui_field fields[2];
    str summary;                    /* "12 resources would move" */
    const struct merge_warning *warnings;
    size_t warnings_count;
    bool compared, undo;
    const struct issues *issues;
};
http_handler merge_get, merge_post;
