/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/def.h"

/*
 * def_tables: what tools/fhirdef.js writes and only def.c reads.
 *
 * Shapes   name tables use open addressing with linear probing; FHIR_NONE marks a free slot. The
 *          hash is name_hash of def.c, repeated in tools/fhirdef.js.
 */
struct fhir_slots {
    uint32_t from;  /* first slot of the type in fhir_element_slots */
    uint16_t mask;  /* slots - 1 */
};
struct fhir_compartment {
    str name;
    const char *const *const *params; /* one entry a resource; NULL: not in the compartment */
};

/* One definition in fhir_texts, sorted by url. */
struct fhir_text_row {
    str url;
    uint32_t from, bytes;
};

/* The elements of one of R4's own types, deflated, behind the definitions in fhir_texts. */
struct fhir_core_row {
    str name;
    uint32_t from, bytes, plain_bytes;
};

extern const struct fhir_core_row fhir_core_rows[];
extern const uint32_t fhir_core_rows_count;
extern const char fhir_texts[];
extern const struct fhir_text_row fhir_text_rows[];
extern const uint32_t fhir_text_rows_count;
extern const struct fhir_slots fhir_type_slots[];
extern const uint16_t fhir_element_slots[]; /* position in the type's elements */
extern const uint16_t fhir_type_names[];    /* index into fhir_types */
extern const uint16_t fhir_type_names_mask;
extern const uint16_t fhir_target_lists_count;
extern const struct fhir_compartment fhir_compartments[];
extern const uint16_t fhir_compartments_count;
