/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/gate.h"
#include "db/db.h"

/*
 * audit: who looked at or changed what, in a chain that cannot be rewritten unseen.
 *
 * Source   FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent.html); obligations.md: append-only,
 *          hash-chained, as long-lived as the record; no audit, no operation.
 * Shapes   an entry is a row of `audit` in the record's own file: n counts 1, 2, 3 without gap, and
 *          hash = SHA-256(hash of n-1, n, the entry's text). Entries of writes are written in the
 *          transaction of the write; those of reads and refusals in groups, at most AUDIT_FLUSH_MS
 *          later. An entry is rendered as an AuditEvent when somebody asks for it.
 * Missing  a request with nobody behind it (--open) is not audited: there is no who.
 * Errors   ERR_IO when entries cannot be written: then requests are refused, reads too, until the
 *          disk takes them again.
 * Limits   AUDIT_QUEUE_MAX entries wait; more: ERR_BUSY.
 * Hazards  H-010 access that nobody can trace.
 */
enum { AUDIT_FLUSH_MS = 50, AUDIT_QUEUE_MAX = 100000, AUDIT_HASH_BYTES = 32 };

enum audit_act { AUDIT_READ, AUDIT_SEARCH, AUDIT_CREATE, AUDIT_UPDATE, AUDIT_DELETE, AUDIT_ACTS };
struct audit_entry {
    int64_t at_ms;
    str who;        /* user name; "client:ID" for a service */
    str role;
    enum audit_act act;
    str what;       /* "Patient/1/_history/2", or the path and query of a search */
    int64_t pid;    /* the patient it concerns; 0: none */
    bool refused;
    str request_id;
};

extern const char audit_schema[];
/* The entry as the text that is hashed and stored: one JSON array, fields in this order. */
str audit_text(struct arena *arena, const struct audit_entry *entry);
void audit_hash(const unsigned char before[AUDIT_HASH_BYTES], int64_t n, str text,
                unsigned char out[AUDIT_HASH_BYTES]);

/* Appends to the chain inside the caller's transaction on the writer's connection. */
err audit_append(struct ctx *cx, struct db *db, const struct audit_entry *entry) MUST_USE;

struct audit_head {
    int64_t n;
    unsigned char hash[AUDIT_HASH_BYTES];
};
err audit_head(struct ctx *cx, struct db *db, struct audit_head *out) MUST_USE;
/* Walks the whole chain; ERR_RULE names the first entry that does not follow from its elder. */
err audit_verify(struct ctx *cx, struct db *db, struct audit_head *out) MUST_USE;

/* The entry's text as a FHIR AuditEvent with id "n". */
err audit_event(struct ctx *cx, int64_t n, str text, str *out) MUST_USE;
