/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"

/*
 * commit: the only way anything is written. One commit is all or nothing.
 *
 * Shapes   a commit holds one or more operations in the order FHIR demands (the caller sorts a
 *          transaction DELETE, POST, PUT, PATCH). References by fullUrl (urn:uuid, or the URL) and
 *          conditional references ("Patient?identifier=x") anywhere in the bodies are resolved.
 *          Conditions are tried on the request thread and proved again by the writer inside its
 *          transaction: when the answer changed meanwhile the writer prepares the commit anew, so
 *          two hundred equal conditional creates yield one resource.
 * Errors   on error nothing of the commit is written, `failed` says which operation.
 *          ERR_PRECONDITION If-Match or several matches; ERR_CONFLICT a claim is held (the issue
 *          names the holder). A 2xx answer means it is on disk.
 * Memory   everything lives in cx's arena; the writer uses cx while the request waits.
 */
enum commit_verb { COMMIT_CREATE, COMMIT_UPDATE, COMMIT_PATCH, COMMIT_DELETE };
enum commit_outcome { COMMIT_CREATED, COMMIT_UPDATED, COMMIT_UNCHANGED, COMMIT_MATCHED, COMMIT_DELETED };

struct commit_op {
    enum commit_verb verb;
    uint16_t resource;
    str id;                /* empty: minted, or found by condition */
    str condition;         /* search parameters without '?'; not given: unconditional */
    str full_url;          /* what other operations may call this one */
    int64_t if_match_vid;  /* 0: no condition; holds of an update that changes nothing, too */
    bool if_none_match;    /* If-None-Match: * (ERR_PRECONDITION when there is one already) */
    /* An update to the same content writes nothing: COMMIT_UNCHANGED. A create with an id that was
     * there before leaves what is there: COMMIT_MATCHED (else it is ERR_CONFLICT). */
    bool skip_unchanged;
    /* An update of what the asker may not see or what never was is ERR_NOT_FOUND alike: an id that
     * is tried does not tell whether it is taken. */
    bool known_only;
    /* The route's own permission covers this write, not the letters of its type: a nurse who moves
     * a patient changes the state of a bed, not the directory of places. Audited all the same. */
    bool granted;
    struct json body;      /* create and update: validated by the caller */
    /* PATCH: makes the new body (validated) from the current one. */
    err (*patch)(struct ctx *cx, const struct commit_op *op, struct json before, struct json *after);
    const void *patch_self;
    /* filled by the commit. Deleting what is not there is COMMIT_UNCHANGED, version.vid 0 when it
     * never was. An update that makes or revives a resource is COMMIT_CREATED. */
    enum commit_outcome outcome;
    struct store_version version;
};
struct commit {
    struct commit_op *ops;
    size_t ops_count;
    /* Asked for a urn that is no op's full_url; *out not given: it is left. May be NULL. */
    err (*resolve)(struct ctx *cx, const struct commit *commit, str urn, str *out);
    void *resolve_self;
    /* Asked by the writer, on its connection, before it writes: is what the operations were made from
     * still so? ERR_PRECONDITION: it is not. May be NULL. */
    err (*holds)(struct ctx *cx, struct store *store, const struct commit *commit);
    const void *holds_self;
    str who, why;                     /* kept with the log for the audit; not given: nothing kept */
    size_t failed;                    /* which op an error concerns */
    void (*done)(struct commit *);    /* called on the writer thread; must be short */
    void *self;
    err error;
    struct ctx *cx;
    void *prepared;                   /* commit.c's own */
};

/* Prepares on this thread. *waiting true: `done` will be called, with commit->error, once it is on
 * disk or refused, and until then cx is the writer's. *waiting false: it is finished, `done` is
 * not called (an error, or nothing had to be written). */
err commit_submit(struct ctx *cx, struct store *store, struct commit *commit,
                  bool *waiting) MUST_USE;
/* Submits and waits. Not from the writer thread. */
err commit_run(struct ctx *cx, struct store *store, struct commit *commit) MUST_USE;

/* A claim: what must be unique. A system computes claims from a resource; the writer enforces
 * them. */
struct claim {
    const char *kind;   /* "one active stay a bed" */
    str key;
};
struct claim_refused {
    const struct commit *commit;
    const struct claim *claim;
    struct json before; /* the resource as it is and stays */
    str id;
    int64_t vid;
};
struct claim_rule {
    const char *kind;
    const char *resource; /* type it is computed from */
    /* Adds at most CLAIMS_MAX claims the resource makes while it is as it is. It may read what the
     * resource refers to (a bed's Location), nothing that changes as stays come and go. */
    err (*claims)(struct ctx *cx, struct store *store, struct json resource, struct claim *out,
                  size_t *count);
    const char *refusal;  /* text for the loser: "bed %s is held by %s" gets key and holder */
    /* A resource that was there would have made this claim anew, and was refused: what somebody
     * must know although nothing of the commit is written. On the writer's connection; may be
     * NULL. The issues of cx say by whom the claim is held. */
    err (*refused)(struct ctx *cx, struct db *db, const struct claim_refused *refused);
};
enum { CLAIMS_MAX = 16 };
/* Set once, before the first commit; ended by NULL; must outlive the store. */
void commit_set_claim_rules(struct store *store, const struct claim_rule *const *rules);

/*
 * A part: rows another layer keeps in step with the resources (views, the audit chain), written in
 * the transaction of the change itself. `prepare` runs on the request thread and may run again
 * when the answer changed; `write` runs on the writer thread and must not look at conditions.
 */
struct commit_change {
    const struct commit_op *op; /* its version is complete when write is called */
    const struct commit *commit;
    int64_t rid, pid;           /* 0 in prepare when not minted yet */
    /* In prepare, when cx has an access filter: the patient the new version is about. Its id, and
     * its rid, 0 when nothing mentions it yet; empty: it is about none. */
    str about;
    int64_t about_pid;
    struct json before, after;  /* absent: created, deleted. Without versionId and lastUpdated */
};
struct commit_part {
    const char *name;
    void *self;
    /* Before the record is looked at: what is asked must not depend on it. May be NULL. */
    err (*ask)(struct ctx *cx, const struct commit_part *part, const struct commit_op *op);
    err (*prepare)(struct ctx *cx, const struct commit_part *part,
                   const struct commit_change *change, void **prepared);
    err (*write)(struct ctx *cx, const struct commit_part *part, struct db *db,
                 const struct commit_change *change, void *prepared);
};
enum { COMMIT_PARTS_MAX = 8 };
void commit_add_part(struct store *store, const struct commit_part *part); /* before the first commit */
