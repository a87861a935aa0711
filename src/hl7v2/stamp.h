/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/work.h"

/*
 * hl7_stamps: when each part of a resource was last said, so that the order in which messages
 * arrive makes no difference: what an earlier message says stands until a later one says it again.
 *
 * Shapes   kept in the resource as extensions hl7v2-snapshot, one an instant: `at`, and `of`, the
 *          names of what was said then. An extension with an instant alone, as they once were
 *          written, is of everything.
 * Limits   HL7_STAMPS_MAX parts of one resource.
 */
enum { HL7_STAMPS_MAX = 32 };
struct hl7_stamp {
    str part, at; /* at: as FHIR writes it */
    int64_t at_ms;
};
struct hl7_stamps {
    struct hl7_stamp list[HL7_STAMPS_MAX];
    size_t count;
};
void hl7_stamps_read(struct hl7_work *work, struct json body, struct hl7_stamps *out);
/* Has nobody said this later than the message at work? Notes that it does. */
bool hl7_stamps_take(struct hl7_work *work, struct hl7_stamps *stamps, const char *part);
/* The list of extensions, those of others kept. Sorts the stamps. */
str hl7_stamps_write(struct hl7_work *work, struct hl7_stamps *stamps, struct json before);
