/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "fhir/def.h"

/*
 * access: what one asker may see, as a filter every read of the store applies.
 *
 * Shapes   decided once, before the handler (src/auth), and handed on in struct ctx's user or by
 *          argument. A resource is visible when its type is allowed, its patient is (or it belongs
 *          to none) and did not dissent, it carries none of the hidden labels, and it answers one
 *          of the queries its type is narrowed to. What is not visible is answered exactly as if
 *          it did not exist: in reads, searches, totals, includes, chains, history and exports.
 *          A version is hidden by its own labels and by those of the newest there is.
 * Missing  a NULL struct store_access means "everything": only the program itself asks so.
 * Memory   the caller's, until the request ends. Read-only but for `seen`.
 */
enum { ACCESS_TYPES_WORDS = 3, ACCESS_SEEN_MAX = 1000000 };
struct access_label {
    str system, code; /* of meta.security */
    bool lifts;       /* not for the patients of `lifted` */
};
/* A patient who dissents from this asker: to all of their record, or to one type of it. */
struct access_dissent {
    int64_t pid;
    uint16_t resource; /* FHIR_NONE: every type */
};
/* Only what answers one of a type's queries may be seen. */
struct query;
struct access_narrow {
    uint16_t resource;
    str text;                  /* as the scope said it */
    const struct query *query; /* parsed: store/narrow.h */
};
/* Whose data was given out, for the audit. */
struct access_seen {
    struct arena *arena;           /* the list grows in it */
    int64_t *pids;                 /* patients; neighbours differ */
    size_t count, cap;
    bool more;                     /* and others, beyond ACCESS_SEEN_MAX */
    bool changed;                  /* a write was made, and has its entry */
    bool refused;                  /* something there was asked for and not given ... */
    int64_t refused_pid;           /* ... of this patient; 0: of none */
    size_t missed;                 /* ids and searches that gave nothing, hidden or absent */
};
struct store_access {
    uint64_t types[ACCESS_TYPES_WORDS]; /* bit n: position n in fhir_resources may be seen */
    uint64_t alone[ACCESS_TYPES_WORDS]; /* those may not, where they are in no patient's record */
    bool any_patient;                   /* else only those of pids */
    const int64_t *pids;                /* rids of patients, ascending */
    size_t pids_count;
    const int64_t *lifted;              /* patients whose labels that lift are lifted; ascending */
    size_t lifted_count;
    const struct access_label *hidden;  /* resources labelled so are not there */
    size_t hidden_count;
    const struct access_dissent *dissents; /* by pid, ascending */
    size_t dissents_count;
    const struct access_narrow *narrows;
    size_t narrows_count;
    struct access_seen *seen;           /* NULL: nobody asks */
};

static inline bool access_type(const struct store_access *access, uint16_t resource)
{
    return !access || (access->types[resource / 64] >> (resource % 64) & 1);
}
/* A resource outside every patient compartment has pid equal to its own rid, and passes, unless its
 * type is one of `alone`. */
bool access_patient(const struct store_access *access, int64_t rid, int64_t pid);
/* Are the labels that lift lifted for this patient? */
bool access_lifts(const struct store_access *access, int64_t pid);
bool access_narrowed(const struct store_access *access, uint16_t resource);
/* Could it hide anything of the types it lets through? */
bool access_hides(const struct store_access *access);
/* Notes that something of this patient was given out; a pid that is no patient is not. */
void access_see(const struct store_access *access, int64_t pid);
/* Notes that something was asked for by its id that may not be seen. */
void access_refuse(const struct store_access *access, int64_t pid);
/* Notes that what was asked for is not there, or may not be seen: the time of the answer must not
 * tell which (gate.h). */
void access_miss(const struct store_access *access);
/* For work that goes on after the request: without narrowed types, lifted labels and `seen`. */
struct store_access *access_copy(struct arena *arena, const struct store_access *access);
