/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * out: one NDJSON file a resource type, written a resource at a time.
 *
 *   out_add(out, "{'resourceType':'Flag','id':'%s'", id); out_add(out, "}"); out_end(out,
 *          OUT_FLAG);
 *
 * Source   NDJSON (ndjson.org).
 * Shapes   templates are JSON with ' for ", so that they can be read; none of the texts that go in
 *          may hold either. An apostrophe is written as \\u0027.
 * Errors   a failed write is remembered and reported by out_close.
 * Limits   OUT_RESOURCE_BYTES a resource, asserted.
 */
enum { OUT_RESOURCE_BYTES = 32768 };
enum out_type {
    OUT_ALLERGY, OUT_APPOINTMENT, OUT_CARE_TEAM, OUT_COMPOSITION, OUT_CONDITION, OUT_REPORT,
    OUT_DOCUMENT,
    OUT_ENCOUNTER, OUT_EPISODE, OUT_FLAG, OUT_SERVICE, OUT_IMMUNIZATION, OUT_LOCATION,
    OUT_MEDICATION_REQUEST, OUT_OBSERVATION, OUT_ORGANIZATION, OUT_PATIENT, OUT_PRACTITIONER,
    OUT_ROLE, OUT_RELATED, OUT_REQUEST, OUT_TASK, OUT_TYPES
};
struct out {
    FILE *files[OUT_TYPES];
    char *text;
    size_t n;
    uint64_t resources, bytes;
};
err out_open(struct ctx *cx, struct out *out, str folder) MUST_USE;
err out_close(struct ctx *cx, struct out *out) MUST_USE;
void out_add(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_end(struct out *out, enum out_type type);
const char *out_type_name(enum out_type type);

/* A dateTime as text, for the length of one call: out_add(out, "%s", out_when(at).text). */
struct out_text {
    char text[32];
};
struct out_text out_when(int64_t at_ms);
struct out_text out_date(int64_t at_ms); /* the London calendar day */
