/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "json/json.h"

/*
 * path: FHIRPath. An expression is compiled once to a small program, then run on a JSON tape without
 * copying it.
 *
 * Source   FHIRPath N1 (2.0.0, hl7.org/fhirpath) and FHIR R4 (hl7.org/fhir/R4/fhirpath.html).
 * Shapes   a result is a collection of struct path_item: a node of the tape with its FHIR type, or a
 *          value the program made.
 * Errors   ERR_INVALID at compile time names line and column; ERR_RULE at run time (a singleton was
 *          expected, say); ERR_LIMIT when the step or depth budget is used up.
 * Memory   a program lives in the arena it was compiled in and is read-only afterwards (thread-safe);
 *          results live in cx's arena.
 */
enum path_kind {
    PATH_NODE,      /* an element of the input: node and type; its primitive value by path_item_text */
    PATH_BOOLEAN, PATH_STRING, PATH_INTEGER, PATH_DECIMAL, PATH_DATE, PATH_DATE_TIME, PATH_TIME,
    PATH_QUANTITY
};
struct path_item {
    enum path_kind kind;
    uint16_t type;      /* PATH_NODE: index into fhir_types, FHIR_NONE when untyped */
    bool boolean;       /* PATH_BOOLEAN */
    int64_t integer;    /* PATH_INTEGER */
    struct json node;   /* PATH_NODE */
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
/* What a program may ask of its surroundings; every field may be NULL (then the function is empty). */
struct path_host {
    /* resolve(): the resource a reference points to; absent when it cannot be found. */
    struct json (*resolve)(struct ctx *cx, const struct path_host *host, str reference);
    err (*member_of)(struct ctx *cx, const struct path_host *host, struct path_item coded,
                     str value_set, bool *out);
    err (*subsumes)(struct ctx *cx, const struct path_host *host, struct path_item a,
                    struct path_item b, bool *out);
    err (*conforms)(struct ctx *cx, const struct path_host *host, struct json node, str profile,
                    bool *out);
    void *self;
};
struct path_variable {
    str name;                 /* without % */
    struct path_result value;
};
struct path_run {
    struct json input;        /* the focus; its type from resourceType unless input_type is given */
    uint16_t input_type;      /* FHIR_NONE: find out, or untyped when there is no resourceType */
    struct json resource, root_resource; /* %resource, %rootResource; absent: the input */
    const struct path_variable *variables;
    size_t variables_count;
    const struct path_host *host;
    bool untyped;             /* evaluate over any JSON, without FHIR's types */
    int64_t steps_max;        /* 0: PATH_STEPS_MAX */
};
enum { PATH_STEPS_MAX = 1000000, PATH_DEPTH_MAX = 200, PATH_TEXT_MAX = 16384 };

err path_compile(struct ctx *cx, str expression, const struct path **out) MUST_USE;
err path_eval(struct ctx *cx, const struct path *path, const struct path_run *run,
              struct path_result *out) MUST_USE;
/* The usual short form: typed, focus = resource = root. */
err path_eval_on(struct ctx *cx, const struct path *path, struct json resource,
                 struct path_result *out) MUST_USE;

/* The singleton-to-boolean rule: empty is `fallback`. ERR_RULE for several items. */
err path_truth(struct ctx *cx, const struct path_result *result, bool fallback, bool *out) MUST_USE;
/* A primitive's text (string unescaped, number as written, "true"); { NULL, 0 } for anything else. */
str path_item_text(struct arena *arena, const struct path_item *item);
/* "System.Boolean", "FHIR.Patient"... as type().namespace + name. */
str path_item_type_name(struct arena *arena, const struct path_item *item);
