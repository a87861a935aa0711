/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/layout.h"
#include "store/value.h"

/*
 * index_value: turns one value of a resource into rows, by the shape its slot expects.
 *
 * Limits   INDEX_ROWS_MAX rows; what comes after is left out.
 */
struct index_walk {
    struct ctx *cx;
    const struct index_layout *layout;
    struct index_rows *rows;
};
void index_value(struct index_walk *walk, const struct layout_leaf *leaf, struct json value,
                 struct json parent);
/* One result of a FHIRPath expression. */
void index_item(struct index_walk *walk, enum fhir_search_kind kind, uint16_t slot,
                const struct path_item *item);

/* A part of a resource: one item of the element `name`, or all but that element. */
struct index_part {
    struct json body;
    str name;
    size_t index;
    bool without;
};
err index_extract_part(struct ctx *cx, const struct index_layout *layout, uint16_t resource,
                       const struct index_part *part, struct index_rows *out) MUST_USE;

/* The rows one of the server's own parameters yields that is not indexed yet, in slot 0. */
struct layout_param;
err index_slow(struct ctx *cx, const struct index_layout *layout,
               const struct layout_param *param, struct json body,
               struct index_rows *out) MUST_USE;

/* A reference's text taken apart: "Patient/1/_history/2" and the same under the server's base. */
struct index_reference {
    uint16_t target;  /* INDEX_ELSEWHERE: id is the whole URL */
    str id, version;  /* version not given: none */
};
/* False: a fragment, or nothing that can be found again. */
bool index_reference(const struct index_layout *layout, str text, struct index_reference *out);
