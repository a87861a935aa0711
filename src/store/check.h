/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"

/*
 * check: proves that the record on disk is whole.
 *
 * Checks   the database file itself; the log without gap and in order of time; the versions of
 *          every resource without gap, its current one the last; every body unpacks, parses and is
 *          the resource it stands for; the index holds exactly the rows the bodies yield; claims
 *          hold and none is held without reason; the counts.
 * Shapes   faults are sentences that name table, key and resource. The store may be open read-only,
 *          beside a running server: it is checked as of one instant.
 * Memory   an index of the same size is built in memory, as far as 1 GB goes, then in a file where
 *          the machine keeps such ($TMPDIR, /var/tmp): the disk of the data needs no room.
 * Limits   CHECK_FAULTS_MAX faults are kept, all are counted.
 */
enum { CHECK_FAULTS_MAX = 50 };
struct check_report {
    int64_t versions, resources, index_rows, claims; /* looked at */
    str faults[CHECK_FAULTS_MAX];
    int64_t faults_count;
};
struct check_options {
    /* Now and then: `done` of `total` units of `what`. May be NULL. */
    void (*progress)(void *self, const char *what, int64_t done, int64_t total);
    void *self;
};
/* An error is what kept it from looking (the disk); faults are in the report. */
err store_check(struct ctx *cx, struct store *store, const struct check_options *options,
                struct check_report *out) MUST_USE;
