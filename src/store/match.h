/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/posting.h"

/*
 * match: does a resource with these rows answer a criterion? The slow, exact way: the last word
 * where the index alone cannot say, and what the index's answers are held to in the tests.
 *
 * Limits   one resource at a time: chains, _has, lists and texts are the caller's.
 */
bool match_rows(const struct index_layout *layout, const struct query_criterion *criterion,
                const struct index_rows *rows, int64_t now_ms);

/* Ranges of numbers a value stands for, inclusive, in its own unit; at most two (ne). */
struct match_range {
    double least, most;
};
/* In the row's unit. 0 ranges: the units cannot be compared. */
size_t match_ranges(const struct query_value *value, str system, str code, str human,
                    struct match_range out[2]);
/* True when a code row without system means this system by its element's binding. */
bool match_implied(const struct layout_slot *slot, str system, str code);
