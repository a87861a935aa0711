/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include <stdatomic.h>
#include "fhir/path.h"
#include "store/index.h"

/*
 * layout: which paths of which type feed which slots, and which slots a search parameter reads.
 *
 * Shapes   plain paths of a type are a trie of JSON names that one walk over the tape follows; what
 *          is no plain path is a FHIRPath program. A parameter lists its slots; `patient` reads the
 *          slot of `subject` but only targets of type Patient.
 * Memory   built once in the layout's arena, read-only afterwards.
 */
enum layout_shape {
    SHAPE_NONE, SHAPE_CODEABLE, SHAPE_CODING, SHAPE_IDENTIFIER, SHAPE_CONTACT, SHAPE_TOKEN,
    SHAPE_DECEASED, SHAPE_REFERENCE, SHAPE_CANONICAL, SHAPE_RESOURCE, SHAPE_REFERENCE_IDENTIFIER,
    SHAPE_STRING, SHAPE_URI, SHAPE_DATE, SHAPE_PERIOD, SHAPE_TIMING, SHAPE_QUANTITY, SHAPE_MONEY,
    SHAPE_RANGE, SHAPE_NUMBER, SHAPE_CONTAINED
};

struct layout_slot {
    str key;             /* "Observation.code#tok": stands in the numbering kept in meta */
    uint16_t resource;
    uint8_t table;       /* enum index_table */
    bool single;         /* a resource has at most one row here (num: one a coding of its code) */
    bool by;             /* num rows carry the code they are about */
    bool implied_system; /* token of type code: its system is the binding's, not written */
    bool used;           /* false: a number kept from an earlier layout */
    uint16_t binding;    /* fhir_value_sets, FHIR_NONE */
};
struct layout_leaf {
    uint16_t slot;
    uint8_t shape;
    bool by;
    str member, equals;  /* only values whose `member` is `equals`; not given: all */
};
struct layout_node {
    str key;             /* JSON name that leads here */
    bool first_only;     /* of an array only the first item */
    uint16_t leaves_count, children_count, leaves_cap, children_cap;
    struct layout_leaf *leaves;
    struct layout_node *children;
};
struct layout_program {
    uint16_t slot;
    uint8_t kind;        /* enum fhir_search_kind */
    const struct path *path;
    struct layout_program *next;
};
struct layout_param_slot {
    uint16_t slot;
    uint16_t target;     /* references only to this resource type; FHIR_NONE: any */
};
struct layout_param {
    str code, expression;
    uint16_t resource;
    enum fhir_search_kind kind;
    const struct fhir_param *def;
    uint16_t slots_count, slots_cap;
    struct layout_param_slot *slots;
    const struct path *path;  /* one of the server's own while it is not indexed yet */
    const struct own_param *own;
    uint16_t identifier_slot; /* references: tokens of Reference.identifier; FHIR_NONE */
};
struct layout_type {
    struct layout_node root;
    struct layout_program *programs;
    struct layout_param *params;
    uint16_t params_count;
    uint16_t patient_slots_count, at_slots_count;
    uint16_t *patient_slots; /* in the order they are tried */
    uint16_t *at_slots;      /* the slots of the parameter that gives the clinical date */
    const struct layout_param *at_param;
    uint16_t contained_slot; /* tokens: types of the resources within; 0: none */
};
struct index_layout {
    struct arena *arena;
    struct layout_type *types; /* by resource */
    struct layout_slot *slots; /* by number; slot 0 is not used */
    uint16_t slots_count, slots_cap;
    struct map by_key;
    str base_url;
    _Atomic(const struct own_set *) own; /* the server's own parameters (own.h); NULL: none */
};

struct own_set;

/* NULL: the type has no such parameter. Also the server's own. */
const struct layout_param *layout_param(const struct index_layout *layout, uint16_t resource,
                                        str code);

/* A reference known by its identifier alone is one, unless only those to one type count. */
static inline bool layout_counts_identifier(const struct layout_param *param)
{
    return param->identifier_slot != FHIR_NONE && param->slots_count > 0 &&
           param->slots[0].target == FHIR_NONE;
}
/* The resource types a reference parameter may point to; 0: any. */
uint16_t layout_targets(const struct layout_param *param, const uint16_t **types);
static inline uint16_t layout_target(uint16_t type) { return fhir_types[type].resource; }

/* What a value of FHIR type `type` yields for a parameter of this kind; SHAPE_NONE: nothing. */
enum layout_shape layout_shape_of(enum fhir_search_kind kind, str type);
enum index_table layout_table_of(enum layout_shape shape);
enum index_table layout_table_of_kind(enum fhir_search_kind kind);
/* The slot of one of the server's own parameters, by its key; 0: there is no room for more. On the
 * writer's thread; to be saved with index_layout_save. */
uint16_t layout_own_slot(struct index_layout *layout, str key, uint16_t resource,
                         enum fhir_search_kind kind);

/* A search expression's branch as plain steps; false: it needs FHIRPath. */
enum layout_step_kind { STEP_NAME, STEP_AS, STEP_WHERE, STEP_RESOLVE, STEP_FIRST, STEP_DECEASED };
struct layout_step {
    enum layout_step_kind kind;
    str name, equals; /* the element; AS and RESOLVE: the type; WHERE: member and its value */
};
enum { LAYOUT_STEPS_MAX = 16, LAYOUT_PATH_MAX = 400 };
struct layout_branch {
    struct layout_step steps[LAYOUT_STEPS_MAX];
    size_t count;
};
/* The next branch between top-level '|' of *rest; false when there is none left. */
bool layout_next_branch(str *rest, str *branch);
bool layout_parse_branch(str branch, struct layout_branch *out);
