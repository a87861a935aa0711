/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/*
 * hl7: the messages of the HL7 v2 load (hl7.c): what one hospital's systems say of its patients.
 *
 * Shapes   MIX mixed: twenty messages a patient, from registration to a merge: A28 A05 A01 A02 A03
 *          A04 A08 A11 A12 A13 A31 A40, SIU S12 S15, MDM T02, two ORU R01 of 20 results each.
 *          adt: the same without results, documents and bookings. oru: results alone.
 *          A line is one sender's connection: patients of different lines never meet.
 */
enum { HL7_BENCH_MAX = 16384 };
struct hl7_mix {
    const char *name;
    const char *const *steps; /* ended by NULL */
};
const struct hl7_mix *hl7_mix_find(const char *name); /* NULL: none */
/* Writes message `step` of a line, without its frame; returns its length. */
size_t hl7_mix_write(const struct hl7_mix *mix, unsigned line, unsigned step, char *out,
                     size_t room);
