/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"
#include "fhir/def.h"

/*
 * access: what one asker may see, as a filter every read of the store applies.
 *
 * Shapes   decided once, before the handler (src/auth), and handed on in struct ctx's user or by
 *          argument. A resource is visible when its type is allowed, its patient is (or it belongs
 *          to none), and it carries none of the hidden labels. What is not visible is answered
 *          exactly as if it did not exist: in reads, searches, totals, includes, chains, history
 *          and exports.
 * Missing  a NULL struct store_access means "everything": only the program itself asks so.
 * Memory   the caller's, until the request ends. Read-only.
 */
enum { ACCESS_TYPES_WORDS = 3 };
struct access_label {
    str system, code; /* of meta.security */
};
struct store_access {
    uint64_t types[ACCESS_TYPES_WORDS]; /* bit n: position n in fhir_resources may be seen */
    bool any_patient;                   /* else only those of pids */
    const int64_t *pids;                /* rids of patients, ascending */
    size_t pids_count;
    const struct access_label *hidden;  /* resources labelled so are not there */
    size_t hidden_count;
};

static inline bool access_type(const struct store_access *access, uint16_t resource)
{
    return !access || (access->types[resource / 64] >> (resource % 64) & 1);
}
/* A resource outside every patient compartment has pid equal to its own rid, and passes. */
bool access_patient(const struct store_access *access, int64_t rid, int64_t pid);
