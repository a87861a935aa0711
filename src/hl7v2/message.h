/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/ctx.h"

/*
 * hl7: reads an HL7 version 2 message, and writes one.
 *
 * Source   HL7 v2.5.1 chapter 2 (encoding rules, escapes); delimiters are those the MSH states.
 * Shapes   a message is its segments in order, each kept as received, Z segments too. Places are
 *          named as in the standard, counted from 1: PID-3.4.1 is sub-component 1 of component 4
 *          of field 3. MSH-1 is the field separator itself.
 * Missing  { NULL, 0 }: empty or absent, which means "no change". { "", 0 }: two quotes, which
 *          means "delete what you have".
 * Errors   ERR_INVALID the header or a segment name is malformed, with the segment's number;
 *          ERR_LIMIT more than HL7_SEGMENTS_MAX segments.
 * Memory   slices of the text given; hl7_text copies when there is an escape to resolve.
 * Limits   text is UTF-8: hl7_to_utf8 first.
 */
enum { HL7_SEGMENTS_MAX = 10000 };

struct hl7_delimiters {
    char field, component, repetition, escape, subcomponent;
};
struct hl7_segment {
    str name;  /* "PID" */
    str text;  /* the whole segment without its end */
};
struct hl7_message {
    struct hl7_delimiters delimiters;
    struct hl7_segment *segments;
    size_t count;
    str type, event;     /* MSH-9.1, MSH-9.2: "ADT", "A01" */
    str control_id;      /* MSH-10 */
    str application, facility; /* of the sender: MSH-3.1, MSH-4.1 */
};

err hl7_parse(struct ctx *cx, str text, struct hl7_message *out) MUST_USE;

/* A place in a segment: field, repetition from 0, component, sub-component; 0 for the whole. */
struct hl7_place {
    int field, repetition, component, subcomponent;
};
const struct hl7_segment *hl7_segment(const struct hl7_message *message, const char *name);
/* The next segment of that name after `after`; NULL: no more. */
const struct hl7_segment *hl7_segment_next(const struct hl7_message *message,
                                           const struct hl7_segment *after, const char *name);
/* As received, with escapes and inner delimiters. */
str hl7_raw(const struct hl7_message *message, const struct hl7_segment *segment,
            struct hl7_place place);
int hl7_repetitions(const struct hl7_message *message, const struct hl7_segment *segment,
                    int field);
/* Escapes resolved. A part of a field that is two quotes is "given and empty" as well. */
str hl7_text(struct arena *arena, const struct hl7_message *message,
             const struct hl7_segment *segment, struct hl7_place place);
/* Short forms: component c of field f, first repetition. segment NULL: absent. */
str hl7_get(struct arena *arena, const struct hl7_message *message,
            const struct hl7_segment *segment, int field, int component);

/* MSH-18 of the first bytes: converts to UTF-8. ERR_INVALID: unknown set, or not valid in it. */
err hl7_to_utf8(struct ctx *cx, str bytes, str *out) MUST_USE;

/* Writing: hl7_add escapes the delimiters |^~\& and line ends within `text`. */
void hl7_add(struct buf *buf, str text);

/* An HL7 time (YYYY[MM[DD[HHMM[SS[.S]]]]][+/-ZZZZ]) as FHIR writes it, to the precision given. A
 * time of day without an offset is taken in `zone_minutes` east of UTC, or by United Kingdom law
 * (of the two instants a clock shows twice in October, the first). { NULL, 0 }: not a time. */
enum { HL7_ZONE_UK = 10000 };
str hl7_to_fhir_time(struct arena *arena, str text, int zone_minutes);
/* The instant of it (its first, when it is a day or less), in ms; false: not a time. */
bool hl7_to_instant(str text, int zone_minutes, int64_t *out);
