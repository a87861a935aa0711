/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/check.h"
#include "store/state.h"

/* check_work: what the two files of check share. Private to check. */
struct check_work {
    struct store *store;
    struct check_report *report;
    struct check_options options;
    struct arena *faults; /* where their texts live */
};
void check_fault(struct check_work *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void check_progress(const struct check_work *w, const char *what, int64_t done, int64_t total);
str check_name(struct ctx *cx, int64_t rid); /* "Patient/x" */
/* Every index row is what the bodies yield, and none is missing. */
err check_index(struct ctx *cx, struct check_work *w) MUST_USE;
/* The same for words; `expected` is the index made anew. */
err check_words(struct ctx *cx, struct check_work *w, struct db *expected) MUST_USE;
