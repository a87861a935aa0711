/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "store/store.h"

/*
 * people: who might be meant by a surname and a first name, from the index of names alone, so that
 * as much work is done among ten thousand patients as among ten million.
 *
 * Shapes   the rows of each name are read up to PEOPLE_ROWS. When one name is rare, those few are
 *          the answer and the caller compares the other; else those who have both are. Of a name
 *          with more rows than that, up to PEOPLE_PROBES of the rarer one are looked up. A row
 *          has the date of birth beside the name, so nobody is read to know it.
 * Missing  a first name not given: everybody of the surname, and the other way round.
 * Errors   ERR_IO.
 * Memory   cx's arena; a bit for each number of a patient.
 * Limits   PEOPLE_MOST numbers; `more` says that there were more, or that rows were left unread.
 *          Only patients cx's access lets see are counted.
 */
enum { PEOPLE_MOST = 60, PEOPLE_ROWS = 40000, PEOPLE_PROBES = 8000 };
struct people_name {
    const str *list;    /* folded; any of these */
    size_t count;       /* 0: not asked */
    bool whole;         /* the name is one of them; else it begins with one */
    str typed;          /* what begins this is taken whole: it would begin all that typed begins */
};
struct people_ask {
    struct people_name family, given;
    const int64_t *days;   /* born on one of these: instants of their midnights; NULL: on any */
    size_t days_count;
};
struct people {
    int64_t rids[PEOPLE_MOST];
    size_t count;
    bool more;
};
err people_named(struct ctx *cx, struct store *store, const struct people_ask *ask,
                 struct people *out) MUST_USE;
