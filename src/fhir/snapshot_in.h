/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/snapshot.h"
#include "json/write.h"

/* snapshot_in: what the files of snapshot share. Private. */
struct snapshot_layer {
    struct json said;
    str url;                    /* whose differential; not given: a snapshot's */
};
struct snapshot_node {
    str name, slice;            /* "value[x]"; slice not given: the element itself */
    struct snapshot_layer *layers; /* what is said of it: of the base first, its own last */
    size_t count, cap;
    size_t own;                 /* layers from here on were said of this slice itself */
    bool cut;                   /* a slice that was not in the base */
    str type_code;              /* of a slice of a choice: its one type */
    const char *slicing;        /* JSON; how it is sliced where nobody said so */
    struct snapshot_node *children, *slices, *next;
};
/* The last layer that has the member; absent. */
struct json snapshot_said(const struct snapshot_node *node, const char *member);
/* Element by element, in order, into an open array. */
void snapshot_write(struct ctx *cx, struct json_writer *w, const struct snapshot_node *root);
