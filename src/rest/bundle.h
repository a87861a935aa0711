/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"

/*
 * bundle: batch and transaction.
 *
 * Source   hl7.org/fhir/R4/http.html#transaction.
 * Shapes   a transaction becomes one commit: deletes, creates, updates, patches, then reads;
 *          entries of the answer stand in the order of the request. A batch is its entries one by
 *          one.
 * Errors   of a transaction: the whole is refused, the issue's expression names Bundle.entry[n];
 *          of a batch: in the entry's own response.
 * Limits   BUNDLE_ENTRIES_MAX entries.
 */
enum { BUNDLE_ENTRIES_MAX = 200000 };
http_handler rest_bundle;

/* One entry, taken apart. */
struct bundle_entry {
    size_t at;                   /* position in the bundle */
    enum http_method method;
    str url, full_url;
    struct json resource, request;
    struct commit_op *op;        /* writes of a transaction */
    int status;                  /* of the answer */
    str body;                    /* a resource to go with it; empty: none */
    str outcome;                 /* an OperationOutcome; empty: none */
    struct store_version version;/* vid 0: none */
};
err bundle_read_entry(struct rest_call *call, struct json entry, struct bundle_entry *out) MUST_USE;
/* Issues added since `from` are about this entry: their paths are put under Bundle.entry[n]. */
void bundle_place_issues(struct rest_call *call, size_t from, const struct bundle_entry *entry);
/* The ask of a writing entry as a commit operation. */
err bundle_make_op(struct rest_call *call, struct bundle_entry *entry, struct commit_op *out)
    MUST_USE;
/* What a commit made of an entry. */
err bundle_take_op(struct rest_call *call, struct bundle_entry *entry) MUST_USE;
/* To the audit: that this entry was read, or refused. After it; a write has its own. */
err bundle_note_read(struct rest_call *call, const struct bundle_entry *entry) MUST_USE;
err bundle_answer(struct rest_call *call, const char *type, const struct bundle_entry *entries,
                  size_t count) MUST_USE;
err transaction_run(struct rest_call *call, struct json entries) MUST_USE;
err batch_run(struct rest_call *call, struct json entries) MUST_USE;
