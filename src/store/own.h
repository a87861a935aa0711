/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/layout.h"
#include "store/own_status.h"
#include "store/state.h"

/*
 * own: the server's own search parameters, given to it as active SearchParameter resources.
 *
 * Source   hl7.org/fhir/R4/searchparameter.html.
 * Shapes   each (type, code) of an active SearchParameter has a slot of the index and a row of
 *          own_param with its state. BUILDING: new versions are indexed, a thread goes through the
 *          resources that were there before (reindex.c). ACTIVE: searched by its rows. DROPPING: no
 *          longer wanted, its rows are being taken out. Until a parameter is active its question is
 *          asked of each resource's body: slow, never incomplete.
 *          The set is published as a whole and never changed; a commit prepared with an older set
 *          is prepared again by the writer.
 * Errors   ERR_RULE says why a SearchParameter cannot take effect.
 * Memory   sets are kept until the store closes; a set shares what did not change.
 * Limits   OWN_SLOTS_MAX (type, code) pairs in a record's life; OWN_EXPRESSION_MAX bytes.
 */
enum { OWN_SLOTS_MAX = 4000, OWN_EXPRESSION_MAX = 2000 };

struct own_param {
    struct layout_param indexed;  /* reads its slot */
    struct layout_param slow;     /* evaluated on the body */
    struct layout_param_slot slots[2];
    const struct path *path;
    str url;
    int64_t source;               /* rid of its SearchParameter */
    enum own_state state;
    uint16_t slot;
};
struct own_type {
    const struct own_param **list;
    size_t count;
};
struct own_set {
    int64_t generation;
    struct own_type *types;       /* by resource */
    size_t count;
};
const struct own_set *own_current(const struct index_layout *layout); /* NULL: none */
int64_t own_generation(const struct index_layout *layout);
const struct own_param *own_find(const struct index_layout *layout, uint16_t resource, str code);

str own_kind_name(enum fhir_search_kind kind);

/* What a SearchParameter asks for: one a type. */
struct own_wish {
    uint16_t resource;
    enum fhir_search_kind kind;
    str code, expression, url;
    int64_t source;
};
struct own_wishes {
    struct own_wish *list;
    size_t count, cap;
};
/* Of one resource; not active: none. ERR_RULE when it cannot take effect, with the reason.
 * `strict`: also when another SearchParameter has the code already. */
err own_read(struct ctx *cx, struct store *store, struct json body, int64_t source, bool strict,
             struct own_wishes *out) MUST_USE;
/* Brings the table to what the active SearchParameters say, and publishes. On reindex's thread. */
err own_sync(struct ctx *cx, struct store *store) MUST_USE;
/* Reads the table and publishes: at opening, and in store_write's work. */
err own_publish(struct ctx *cx, struct store *store, struct db *db) MUST_USE;
extern const char own_schema[];
