/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/validate.h"

/*
 * validate_in: what the files of validate share.
 *
 * Shapes   a place is one step of the way from the root to what is being looked at; steps live on
 *          the C stack and are written out as FHIRPath only when there is a fault to report.
 */
struct validate_place {
    const struct validate_place *up; /* NULL at the root, whose name is the resource type */
    str name;
    const struct fhir_element *element; /* for .ofType(X) of a choice; may be NULL */
    size_t index;       /* of an item of an array; VALIDATE_NO_INDEX */
};
#define VALIDATE_NO_INDEX ((size_t)-1)

struct validate {
    struct ctx *cx;
    struct json container;  /* the resource whose contained ones a "#id" may name */
    size_t faults;
    bool inside_contained;
};

str validate_path(struct arena *arena, const struct validate_place *place);

/* Adds one fault. `code` is an IssueType: structure, required, value, code-invalid, not-found. */
void validate_fault(struct validate *v, const struct validate_place *place, const char *code,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

void validate_binding(struct validate *v, const struct validate_place *place,
                      const struct fhir_element *element, struct json value);
void validate_check_reference(struct validate *v, const struct validate_place *place,
                              const struct fhir_element *element, struct json value);
