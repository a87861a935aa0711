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
 *          A composite's slot holds what its first component finds; each candidate's elements are
 *          then held to all components (own_composite.c).
 * Errors   ERR_RULE says why a SearchParameter cannot take effect.
 * Memory   sets are kept until the store closes; a set shares what did not change.
 * Limits   OWN_SLOTS_MAX (type, code) pairs in a record's life; OWN_EXPRESSION_MAX bytes an
 *          expression, OWN_COMPONENTS_MAX components.
 */
enum { OWN_SLOTS_MAX = 4000, OWN_EXPRESSION_MAX = 2000, OWN_COMPONENTS_MAX = 8 };

struct own_component {
    struct layout_param param;    /* its path is evaluated on an element of the composite */
    struct layout_param_slot slot;
};
struct own_composite {
    const struct path *elements;  /* the composite's own expression */
    struct own_component *parts;
    size_t count;
    struct layout_param first;    /* the first part by the composite's rows */
};
struct own_param {
    struct layout_param indexed;  /* reads its slot */
    struct layout_param slow;     /* evaluated on the body */
    struct layout_param_slot slots[2];
    const struct path *path;
    const struct own_composite *composite; /* NULL: it is none */
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
bool own_kind_find(str name, enum fhir_search_kind *out);
/* What the rows of its slot are: a composite's are its first component's. */
enum fhir_search_kind own_row_kind(enum fhir_search_kind kind, str expression);

/* ---- Composites (own_composite.c) ---- */
/* Reads SearchParameter.component into one text that says it all, as own_param keeps it. */
err own_composite_read(struct ctx *cx, struct store *store, struct json body, str *out) MUST_USE;
/* From that text, in cx's arena; *path yields what is indexed. */
err own_composite_make(struct ctx *cx, str text, uint16_t resource, const struct path **path,
                       const struct own_composite **out) MUST_USE;
/* Does an element of the body answer all parts of one of the criterion's values? */
struct query_criterion;
err own_composite_matches(struct ctx *cx, const struct index_layout *layout,
                          const struct query_criterion *criterion, struct json body,
                          bool *out) MUST_USE;

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
