/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"
#include "rest/target.h"

/*
 * operation: FHIR operations as one table. A row is an operation; its function reads parameters and
 * writes a resource.
 *
 * Source   hl7.org/fhir/R4/operations.html.
 * Errors   404 for an operation that is not in the table at that level; ERR_INVALID for a parameter
 *          it does not take (lenient: left out): nothing that was asked is silently not done.
 */
enum operation_level { OPERATION_SYSTEM = 1, OPERATION_TYPE = 2, OPERATION_INSTANCE = 4 };
struct operation_ask {
    struct rest_call *call;
    uint16_t resource;      /* FHIR_NONE at system level */
    str id;                 /* not given above instance level */
    str query;              /* of the URL */
    struct json parameters; /* the body: a Parameters resource, or another; absent for GET */
    str body_text;
};
struct operation_answer {
    int status;             /* 0: 200 */
    str body;               /* JSON of a resource; empty: none */
    str content_type;       /* given when the body is no resource: it is sent as it is */
};
struct operation {
    const char *name;       /* "$validate" */
    const char *types;      /* "Patient Encounter"; NULL: any */
    unsigned levels;
    bool writes;            /* not to be called by GET */
    err (*run)(const struct operation_ask *ask, struct operation_answer *out);
    const char *doc, *definition; /* canonical URL; NULL: our own */
    const char *params;     /* "url version": those it takes; NULL: any, it looks itself */
};
extern const struct operation operations[]; /* ended by a zero row */
bool operation_is_for(const struct operation *operation, str type);

/* A parameter by name, from the URL or from Parameters.parameter: its text; not given: absent. */
str operation_text(const struct operation_ask *ask, const char *name);
/* A parameter that may be given more than once: walk from operation_walk(ask) while it is true. */
struct operation_walk {
    const struct operation_ask *ask;
    str query;
    struct json_walk body;
};
struct operation_walk operation_walk(const struct operation_ask *ask);
bool operation_next_text(struct operation_walk *walk, const char *name, str *out);
/* Its value[x] or resource within a Parameters body; absent when it came by URL or not at all. */
struct json operation_value(const struct operation_ask *ask, const char *name);
struct json operation_resource(const struct operation_ask *ask, const char *name);
err operation_count(const struct operation_ask *ask, const char *name, size_t fallback,
                    size_t *out) MUST_USE;
err operation_flag(const struct operation_ask *ask, const char *name, bool fallback, bool *out)
    MUST_USE;

/* For a GET entry of a bundle. */
err operation_get(struct rest_call *call, const struct target *target, struct target_answer *out)
    MUST_USE;
http_handler rest_operation_system, rest_operation_type, rest_operation_instance;
