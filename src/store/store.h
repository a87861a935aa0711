/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "fhir/def.h"
#include "json/json.h"

/*
 * store: the record on disk. Versions are never rewritten; every change has its place in one log.
 *
 * Source   FHIR R4 RESTful API, versions and history (hl7.org/fhir/R4/http.html).
 * Shapes   a resource has a `rid`: its type in the high bits, a number counted up within the type
 *          in the low 36; it is minted at the first mention, so a reference to something not yet
 *          there already has one. The log's `seq` counts committed versions 1, 2, 3 ... without
 *          gap.
 * Units    instants in UTC milliseconds. vid is the FHIR versionId, from 1.
 * Errors   ERR_NOT_FOUND never existed; ERR_GONE deleted (the deleting version is in *out);
 *          ERR_IO from the disk. A failed call leaves nothing changed.
 * Memory   bodies are unpacked into cx's arena.
 * Limits   one process at a time owns a data folder (a lock file says which).
 */
enum { STORE_RID_BITS = 36 };
static inline int64_t store_rid(uint16_t resource, int64_t number)
{
    return (int64_t)resource << STORE_RID_BITS | number;
}
static inline uint16_t store_rid_resource(int64_t rid) { return (uint16_t)(rid >> STORE_RID_BITS); }

enum store_method { STORE_CREATED = 1, STORE_UPDATED, STORE_DELETED };
struct store_version {
    int64_t rid, seq, at_ms;
    int64_t vid;
    int64_t pid;              /* rid of the patient in whose compartment it is, or its own */
    uint16_t resource;        /* position in fhir_resources */
    enum store_method method;
    str id;
    str body;                 /* minified JSON with id and meta as served; empty when deleted */
};

struct store;
struct db;
struct index_layout;
struct store_options {
    str folder;
    bool create, read_only;   /* read_only takes no lock: beside a server, for export and check */
    int64_t cache_bytes;      /* 0: a default that suits the machine */
    int readers_max;          /* read connections; 0: default */
};
err store_open(struct ctx *cx, const struct store_options *options, struct store **out) MUST_USE;
void store_close(struct store *store); /* finishes what was accepted */

/* Gives cx a read connection with a snapshot, returned when the request ends (ctx_defer). A read
 * by a cx without one borrows a connection for that call alone. */
err store_reader(struct ctx *cx, struct store *store) MUST_USE;
/* Gives it back now: a request that waits for the writer must not keep others from reading. */
void store_reader_end(struct ctx *cx);
const struct index_layout *store_layout(struct store *store);
/* "http://host/fhir": references under it are to this record. Once, before the first request. */
void store_set_base(struct store *store, str base_url);

/* Runs `work` on the writer thread, in a savepoint of its transaction, and returns when it is on
 * disk: for rows that are not resources (a consumer's position, a session). It may run more than
 * once, so it changes nothing but the database. */
err store_write(struct ctx *cx, struct store *store,
                err (*work)(struct ctx *cx, struct db *db, void *self), void *self) MUST_USE;
/* Tables another layer keeps in the record: CREATE TABLE IF NOT EXISTS. */
err store_tables(struct ctx *cx, struct store *store, const char *schema) MUST_USE;

/* Called on the writer thread after each group is on disk, with the last seq. Must be short. */
struct store_watch {
    void (*changed)(const struct store_watch *watch, int64_t seq);
    void *self;
};
void store_watch(struct store *store, const struct store_watch *watch);
void store_unwatch(struct store *store, const struct store_watch *watch);

err store_read(struct ctx *cx, struct store *store, uint16_t resource, str id,
               struct store_version *out) MUST_USE;
err store_vread(struct ctx *cx, struct store *store, uint16_t resource, str id, int64_t vid,
                struct store_version *out) MUST_USE;
err store_read_rid(struct ctx *cx, struct store *store, int64_t rid,
                   struct store_version *out) MUST_USE;

/* The end of a type's rids: one past the last. */
err store_rids_end(struct ctx *cx, struct store *store, uint16_t resource, int64_t *out) MUST_USE;

/* The type of the one live resource with this id, whatever its type; FHIR_NONE: none or several. */
err store_find_id(struct ctx *cx, struct store *store, str id, uint16_t *out) MUST_USE;

/* Newest first. resource FHIR_NONE: whole system; id not given: whole type. */
struct store_history {
    uint16_t resource;
    str id;
    int64_t since_ms, before_seq; /* 0: no bound; before_seq is the page cursor */
    int64_t at_ms;                /* versions current at this instant or later; 0: all */
    size_t count;
};
struct store_versions {
    struct store_version *list;
    size_t count;
    int64_t total;            /* all that match, not only this page */
    bool more;
};
err store_history(struct ctx *cx, struct store *store, const struct store_history *query,
                  struct store_versions *out) MUST_USE;

/* Follows the log: versions with seq > after, oldest first, at most `count`. */
err store_log(struct ctx *cx, struct store *store, int64_t after, size_t count,
              struct store_versions *out) MUST_USE;
/* The same of some types: those of others are passed over unread. */
struct store_following {
    int64_t after;
    size_t count;
    const bool *wanted;       /* by type */
    int64_t reached;          /* filled: the log was looked through up to here */
};
err store_follow(struct ctx *cx, struct store *store, struct store_following *following,
                 struct store_versions *out) MUST_USE;

/* Walks the live resources of a type in rid order: those after `after_rid`, changed at `since_ms` or
 * later (0: all), up to rid `last_rid` (0: all); at most `count`. total is not filled. */
struct store_scan {
    uint16_t resource;
    int64_t after_rid, last_rid, since_ms;
    size_t count;
};
err store_scan(struct ctx *cx, struct store *store, const struct store_scan *scan,
               struct store_versions *out) MUST_USE;
int64_t store_seq(struct store *store); /* last committed */

/* Live resources by type, for the landing page and metrics. counts has fhir_resources_count
 * places. */
err store_counts(struct ctx *cx, struct store *store, int64_t *counts) MUST_USE;
