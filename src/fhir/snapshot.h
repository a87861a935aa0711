/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/profile.h"

/*
 * snapshot: the whole list of elements that a StructureDefinition's differential stands for.
 *
 * Source   hl7.org/fhir/R4/profiling.html#snapshot, elementdefinition.html#interpretation.
 * Shapes   the base's snapshot (R4's own are carried packed, as published; a profile's is made the
 *          same way) as a tree, the differential laid on it element by element; where it says
 *          something of an element of a datatype, or of a profile on one, that type's elements are
 *          put in. A new slice begins as the element it is cut from, with min 0.
 * Errors   ERR_RULE names the element that is not there, or the base nobody has; ERR_LIMIT past the
 *          limits.
 * Memory   the result is in cx's arena.
 * Limits   PROFILE_DEPTH_MAX bases deep, SNAPSHOT_ELEMENTS_MAX elements.
 */
enum { SNAPSHOT_ELEMENTS_MAX = 20000 };

/* Where other definitions come from. ERR_NOT_FOUND, without an issue: nobody has it. */
struct snapshot_source {
    err (*find)(struct ctx *cx, const struct snapshot_source *source, str url, str *out);
    void *self;
};
/* The definition's JSON with a snapshot made new. */
err snapshot_make(struct ctx *cx, const struct snapshot_source *source, struct json definition,
                  str *out) MUST_USE;
/* The elements of R4's own definition of a type, as JSON; not given: it has none. */
str snapshot_of_core(struct ctx *cx, str type);
