/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/graphql.h"
#include "rest/operation.h"

/*
 * graphql_run: answers a GraphQL query over the record.
 *
 * Source   hl7.org/fhir/R4/graphql.html.
 * Shapes   at system level Patient(id:), PatientList(...), PatientConnection(...) for each type; at
 *          instance level the resource's own elements. Within a resource
 *          ObservationList(_reference: patient) follows references backwards, and `resource` in a
 *          Reference forwards. Lists take element arguments, fhirpath, _offset and _count.
 *          Directives: skip, include, first, flatten, singleton, slice. __schema and __type tell
 *          what there is (graphql_schema.h).
 * Missing  an element that is not there is null; a list that is not there is null.
 * Errors   ERR_INVALID: an unknown field, argument, fragment, directive or variable; ERR_LIMIT: the
 *          cost limit, counted in fields and resources.
 */
struct graphql_ask {
    const struct operation_ask *ask;
    struct graphql_definition *document;
    str operation_name;          /* not given: the only one */
    struct json variables;
    struct json root;            /* instance level: the resource; absent at system level */
};
/* {"data":{...}} */
err graphql_run(const struct graphql_ask *ask, str *out) MUST_USE;

/* The tree of an answer: flattening moves values up, so nothing is written before the end. */
struct graphql_out {
    str key;
    enum { OUT_RAW, OUT_OBJECT, OUT_LIST } kind;
    str raw;                     /* JSON text */
    bool single;                 /* @singleton: stays one value where its parent is flattened */
    struct graphql_out *first, *last, *next;
};
struct graphql_run {
    struct ctx *cx;
    const struct graphql_ask *ask;
    const struct graphql_definition *operation;
    size_t cost, schema_cost;
    int depth;
};
struct graphql_node {
    struct json value;
    uint16_t type;               /* fhir_types; FHIR_NONE: unknown */
};

/* The parent's member of this key, made when it is not there. */
struct graphql_out *graphql_member(struct graphql_run *run, struct graphql_out *parent, str key);
/* NULL: the document has no such fragment. */
const struct graphql_definition *graphql_fragment(const struct graphql_run *run, str name);
/* By @skip and @include. */
err graphql_is_left_out(struct graphql_run *run, const struct graphql_selection *s,
                        bool *out) MUST_USE;
struct graphql_out *graphql_child(struct graphql_run *run, struct graphql_out *parent, str key);
err graphql_spend(struct graphql_run *run, size_t cost) MUST_USE;
/* An argument's text with variables put in; absent: not given or null. */
err graphql_argument(struct graphql_run *run, const struct graphql_selection *field,
                     const char *name, str *out) MUST_USE;
/* *value becomes what the variable stands for; NULL: nothing. */
err graphql_resolve(struct graphql_run *run, const struct graphql_value **value) MUST_USE;
err graphql_select(struct graphql_run *run, struct graphql_node node,
                   const struct graphql_selection *selections, struct graphql_out *out) MUST_USE;

/* graphql_find.c: *done is true when the field was one that searches or reads. */
err graphql_find(struct graphql_run *run, struct graphql_node node,
                 const struct graphql_selection *field, struct graphql_out *out, bool *done)
    MUST_USE;
/* The resource a Reference points to, as the field `resource`. */
err graphql_follow(struct graphql_run *run, struct json reference,
                   const struct graphql_selection *field, struct graphql_out *out) MUST_USE;
