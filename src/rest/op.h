/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/operation.h"
#include "store/commit.h"

struct map;

/*
 * op: the operations themselves, one file a family, and the little they share.
 *
 * Source   hl7.org/fhir/R4/operations.html; each function's file names its page.
 */
#define FRONTLINE_OP "https://frontline.example/fhir/OperationDefinition/"
typedef err op_run(const struct operation_ask *ask, struct operation_answer *out);

op_run op_meta, op_meta_add, op_meta_delete;           /* op_meta.c */
op_run op_status;                                      /* op_status.c */
op_run op_everything;                                  /* op_everything.c */
op_run op_lastn, op_stats;                             /* op_observation.c */
op_run op_document;                                    /* op_document.c */
op_run op_match;                                       /* op_match.c */
op_run op_merge, op_unmerge;                           /* op_merge.c */
op_run op_subscription_status, op_subscription_events, /* subscription.c */
    op_subscription_token, op_subscription_secret, op_subscription_topics;
op_run op_snapshot;                                    /* op_snapshot.c */
op_run op_graphql;                                     /* op_graphql.c */

/* Opens a Bundle of a type and leaves its entry array open; op_close_bundle ends both. */
void op_open_bundle(struct json_writer *w, const char *type);
void op_close_bundle(struct json_writer *w);
/* An entry with fullUrl and resource; mode NULL: no search element. */
void op_write_entry(const struct operation_ask *ask, struct json_writer *w,
                    const struct store_version *version, const char *mode);

/* "Patient/1", "Patient/1/_history/2" or this server's URL of it: false for anything else. */
struct op_reference {
    uint16_t resource;
    str id;
};
bool op_read_reference(const struct operation_ask *ask, str text, struct op_reference *out);

/* Resources already in an answer, by "Type/id". */
struct op_seen {
    struct map *map;
    struct arena *arena;
};
struct op_seen op_seen_make(struct arena *arena);
bool op_seen_add(struct op_seen *seen, uint16_t resource, str id); /* false: it was there */
/* Calls fn for each Reference.reference anywhere in a value. */
err op_each_reference(struct json value, err (*fn)(void *self, struct json reference), void *self);
/* A patch by a function: commits what `change` makes of the current version; waits for it. */
err op_change(const struct operation_ask *ask, struct commit_op *op);
