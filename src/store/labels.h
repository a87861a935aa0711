/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"
#include "store/store.h"

/*
 * labels: the different values a token or uri parameter has among a type's resources, found by
 * skipping from one to the next in the index, not by reading resources.
 *
 * Errors   ERR_IO from the disk. A value only hidden resources carry is left out.
 * Limits   LABELS_MAX values of one parameter.
 */
enum { LABELS_MAX = 1000 };

struct label {
    str system, code; /* a uri: code alone */
};
struct labels {
    struct label *list;
    size_t count, cap;
    bool more;        /* there are over LABELS_MAX */
};
/* Adds those of one type that are not in the list yet. param: "_tag", "_security", "_profile". */
err labels_add(struct ctx *cx, struct store *store, uint16_t resource, str param,
               struct labels *labels) MUST_USE;

extern const struct stmt labels_sql[]; /* ended by a zero row */
