/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "json/json.h"

/*
 * path: FHIRPath. An expression is compiled once to a small program, then run on a JSON tape
 * without copying it.
 *
 * Source   FHIRPath N1 (2.0.0, hl7.org/fhirpath) with the functions of 2.1/3.0 that the official
 *          suite tries, and FHIR R4 (hl7.org/fhir/R4/fhirpath.html).
 * Shapes   a result is a collection of struct path_item: a node of the tape with its FHIR type, or
 *          a value the program made.
 * Errors   ERR_INVALID at compile time names line and column; ERR_RULE at run time (a singleton was
 *          expected, say) and from path_check (an element the type does not have); ERR_LIMIT when
 *          the step, depth or memory budget is used up.
 * Memory   a program lives in the arena it was compiled in and is read-only afterwards
 *          (thread-safe); results live in cx's arena.
 */
enum path_kind {
    PATH_NODE,      /* an element of the input; its primitive value by path_item_text */
    PATH_BOOLEAN, PATH_STRING, PATH_INTEGER, PATH_DECIMAL, PATH_DATE, PATH_DATE_TIME, PATH_TIME,
    PATH_QUANTITY,
    PATH_TYPE       /* of type(): text is the namespace, unit the name */
};
struct path_item {
    enum path_kind kind;
    uint16_t type;      /* PATH_NODE: index into fhir_types, FHIR_NONE when untyped */
    bool boolean;       /* PATH_BOOLEAN */
    bool calendar;      /* PATH_QUANTITY: the unit is a calendar word (week), not UCUM's 'wk' */
    int64_t integer;    /* PATH_INTEGER */
    struct json node;   /* PATH_NODE; absent when only the extra is there */
    struct json extra;  /* PATH_NODE of a primitive: its "_name" twin, with id and extensions */
    str name;           /* PATH_NODE: the element it was reached by, "" at the root */
    str text;           /* STRING, DECIMAL, DATE, DATE_TIME, TIME; QUANTITY: the number */
    str unit;           /* QUANTITY: a UCUM code or a calendar word ("week"), without quotes */
};
struct path_result {
    struct path_item *items;
    size_t count;
};

struct path;
/* What a program may ask of its surroundings; every field may be NULL (then the function is
 * empty). */
struct path_host {
    /* resolve(): the resource a reference points to; absent when it cannot be found. Contained
     * resources and the entries of an input Bundle are found without it. */
    struct json (*resolve)(struct ctx *cx, const struct path_host *host, str reference);
    /* ERR_NOT_FOUND, without an issue: not known; the function's answer is empty. */
    err (*member_of)(struct ctx *cx, const struct path_host *host, struct path_item coded,
                     str value_set, bool *out);
    err (*subsumes)(struct ctx *cx, const struct path_host *host, struct path_item a,
                    struct path_item b, bool *out);
    err (*conforms)(struct ctx *cx, const struct path_host *host, struct json node, str profile,
                    bool *out);
    /* trace(): what passes by; NULL: nothing is written. */
    void (*trace)(struct ctx *cx, const struct path_host *host, str name,
                  const struct path_result *items);
    void *self;
};
struct path_variable {
    str name;                 /* without % */
    struct path_result value;
};
struct path_run {
    struct json input;        /* the focus; its type from resourceType unless input_type is given */
    uint16_t input_type;      /* 0 or FHIR_NONE: by resourceType, or untyped without one */
    struct json resource, root_resource; /* %resource, %rootResource; absent: the input */
    const struct path_item *focus;       /* instead of input: an item of an earlier result */
    const struct path_variable *variables;
    size_t variables_count;
    const struct path_host *host;
    bool untyped;             /* evaluate over any JSON, without FHIR's types */
    /* As the definitions' own expressions expect: `as` of many items filters, and a reference that
     * resolve() cannot follow still answers `is` by the type its text names. */
    bool lenient;
    bool for_view;            /* as SQL on FHIR has it: join() of nothing is '' */
    int64_t steps_max;        /* 0: PATH_STEPS_MAX */
};
enum { PATH_STEPS_MAX = 1000000, PATH_DEPTH_MAX = 200, PATH_TEXT_MAX = 16384 };

err path_compile(struct ctx *cx, str expression, const struct path **out) MUST_USE;
/* Refuses what can be seen to be wrong before running on this type: unknown elements, functions of
 * order on unordered collections, criteria that are no booleans. */
err path_check(struct ctx *cx, const struct path *path, uint16_t input_type) MUST_USE;
/* Refuses a %name that is neither FHIRPath's own, nor defined in the expression, nor in the
 * list. */
err path_check_variables(struct ctx *cx, const struct path *path, const str *names,
                         size_t names_count) MUST_USE;
/* Refuses is, as, ofType and getReferenceKey of a type that neither FHIR nor System has. */
err path_check_types(struct ctx *cx, const struct path *path) MUST_USE;
err path_eval(struct ctx *cx, const struct path *path, const struct path_run *run,
              struct path_result *out) MUST_USE;
/* The usual short form: typed, lenient, focus = resource = root. */
err path_eval_on(struct ctx *cx, const struct path *path, struct json resource,
                 struct path_result *out) MUST_USE;

/* The singleton-to-boolean rule: empty is `fallback`. ERR_RULE for several items. */
err path_truth(struct ctx *cx, const struct path_result *result, bool fallback, bool *out) MUST_USE;
/* A FHIR primitive or Quantity as the System value it stands for; false when it has none (a complex
 * element, or a primitive with extensions alone). */
bool path_item_value(struct ctx *cx, const struct path_item *item, struct path_item *out);
/* A primitive's text (string unescaped, number as written, "true"); { NULL, 0 } for anything
 * else. */
str path_item_text(struct arena *arena, const struct path_item *item);
/* "System.Boolean", "FHIR.Patient"... as type().namespace + name. */
str path_item_type_name(struct arena *arena, const struct path_item *item);
/* The children of a node named `name` ("value" finds valueQuantity), appended to nothing: a list in
 * cx's arena. */
struct path_result path_item_children(struct ctx *cx, const struct path_item *item, str name);
struct path_item path_item_of(struct json node, uint16_t type); /* FHIR_NONE: from resourceType */
