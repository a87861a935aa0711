/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/gate.h"
#include "db/db.h"

/*
 * audit: who looked at or changed what, in a chain that cannot be rewritten unseen.
 *
 * Source   FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent.html); obligations.md: append-only,
 *          hash-chained, as long-lived as the record; no audit, no operation.
 * Shapes   entries count 1, 2, 3 without gap. A row of `audit_block` in the record's own file is a
 *          block of neighbours: their texts, a line each, packed when there are many; and
 *          hash = SHA-256(hash of the block before, number of its first entry, the texts). The
 *          entry of a write is a block of its own, written in the transaction of the write; those
 *          of reads and refusals go in groups (audit_log.h). `audit_of` finds the blocks that
 *          concern a patient; it is derived, and an entry's text has the last word.
 * Units    at_ms in UTC milliseconds.
 * Missing  a request with nobody behind it (--open) is not audited: there is no who.
 * Errors   ERR_IO when entries cannot be written: then requests are refused, reads too, until the
 *          disk takes them again.
 * Limits   AUDIT_QUEUE_MAX entries wait; more: ERR_BUSY. AUDIT_BLOCK_MAX entries a block.
 * Hazards  H-010 access that nobody can trace.
 */
enum {
    AUDIT_FLUSH_MS = 250, AUDIT_QUEUE_MAX = 100000, AUDIT_BLOCK_MAX = 15000, AUDIT_HASH_BYTES = 32,
    AUDIT_PIDS_MAX = 1000
};

enum audit_act {
    AUDIT_READ, AUDIT_SEARCH, AUDIT_CREATE, AUDIT_UPDATE, AUDIT_DELETE, AUDIT_HISTORY,
    AUDIT_OPERATION, AUDIT_EXPORT, AUDIT_PAGE, AUDIT_BREAK_GLASS, AUDIT_REVIEW,
    AUDIT_SIGN_IN, AUDIT_SIGN_OUT, AUDIT_ACCOUNT, AUDIT_ACTS
};
enum audit_outcome { AUDIT_DONE, AUDIT_FAILED, AUDIT_REFUSED };
struct audit_entry {
    int64_t at_ms;
    str who;        /* user name; "client:ID" for a service */
    str person;     /* "Practitioner/7": who that is in the record; may be empty */
    str role;
    enum audit_act act;
    str what;       /* "Patient/1/_history/2", or the path and query of a search */
    enum audit_outcome outcome;
    str request_id;
    str address;    /* where the asker sat */
    str client;     /* the app they used; empty: Frontline's own pages */
    str behalf;     /* "Patient/1": for whom a proxy acted; may be empty */
    str purpose;    /* v3-ActReason: TREAT, BTG ... */
    str reason;     /* in words, for break-glass and review */
    const int64_t *pids; /* rids of the patients it concerns, ascending */
    size_t pids_count;
    bool more;      /* and others, beyond AUDIT_PIDS_MAX */
};

extern const char audit_schema[];
extern const struct stmt audit_sql[]; /* for the test of plans */

/* The entry as the text that is hashed and stored: one JSON array without line ends. */
str audit_text(struct arena *arena, const struct audit_entry *entry);
err audit_read_text(struct ctx *cx, str text, struct audit_entry *out) MUST_USE;
void audit_hash(struct arena *arena, const unsigned char before[AUDIT_HASH_BYTES], int64_t n,
                str text, unsigned char out[AUDIT_HASH_BYTES]);

/* A block: the texts of `count` entries, each ended by a line feed, and whom they concern. */
struct audit_block {
    str texts;
    size_t count;
    const int64_t *pids; /* ascending, without repeats */
    size_t pids_count;
};
/* Appends to the chain inside the caller's transaction on the writer's connection. */
err audit_append_block(struct ctx *cx, struct db *db, const struct audit_block *block) MUST_USE;
err audit_append(struct ctx *cx, struct db *db, const struct audit_entry *entry) MUST_USE;

/* The number of the last group that came from the journals (audit_log.h); 0: none. In the
 * transaction that brings its entries. */
err audit_take(struct ctx *cx, struct db *db, int64_t serial) MUST_USE;
err audit_taken(struct ctx *cx, struct db *db, int64_t *serial) MUST_USE;

struct audit_head {
    int64_t n;
    unsigned char hash[AUDIT_HASH_BYTES];
};
err audit_head(struct ctx *cx, struct db *db, struct audit_head *out) MUST_USE;
/* Walks the whole chain; ERR_RULE names the first entry that does not follow from its elder. */
err audit_verify(struct ctx *cx, struct db *db, struct audit_head *out) MUST_USE;
/* ERR_RULE unless the chain had this head when it was that long. After audit_verify. */
err audit_verify_head(struct ctx *cx, struct db *db, const struct audit_head *published) MUST_USE;
str audit_head_hex(struct arena *arena, const struct audit_head *head);

/* One block as stored, oldest or newest first. */
struct audit_row {
    int64_t n;      /* number of its last entry */
    int64_t count;
    str texts;
};
err audit_unpack(struct ctx *cx, str bytes, int64_t text_bytes, str *out) MUST_USE;

/* audit_event.c: the entry as a FHIR AuditEvent with id "n". `name` gives a patient's id; NULL:
 * patients are left out. */
struct audit_namer {
    err (*patient)(struct ctx *cx, void *self, int64_t pid, str *id);
    void *self;
};
err audit_event(struct ctx *cx, int64_t n, const struct audit_entry *entry,
                const struct audit_namer *namer, str *out) MUST_USE;
const char *audit_act_text(enum audit_act act); /* "looked at", for screens */
char audit_act_letter(enum audit_act act);      /* AuditEvent.action */
