/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "store/access.h"
#include "store/store.h"

/*
 * export: writes what is current in the record as NDJSON, one file a type.
 *
 * Source   Bulk Data Access 2 (hl7.org/fhir/uv/bulkdata), NDJSON.
 * Shapes   FOLDER/Patient.ndjson and so on; a type without resources has no file. Bodies are copied
 *          as they are served, not parsed, in the order in which they came to be, so equal records
 *          give equal files. Each thread writes one type at a time.
 * Missing  since_ms 0: everything. types NULL: all.
 * Errors   ERR_IO names file and reason; what was written so far stays, under ".part".
 * Limits   reads one snapshot a type: a server may go on writing beside it.
 */
struct export_options {
    struct store *store;
    str folder;
    const uint64_t *types;             /* bits by resource, as in store_access; NULL: all */
    int64_t since_ms;
    const struct store_access *access; /* NULL: everything */
    bool keep_files;                   /* a type whose file is there is done: to resume */
    /* What to write instead of a body; *body not given: leave it out. NULL: bodies as they are. */
    err (*shape)(struct ctx *cx, void *self, const struct store_version *version, str *body);
    void *shape_self;
    int threads;                       /* 0: as suits the machine */
    /* Now and then, from any thread; false: stop (ERR_BUSY). May be NULL. */
    bool (*progress)(void *self, int64_t resources);
    void *self;
};
struct export_report {
    int64_t resources, bytes;
    int64_t *counts; /* by resource, in cx's arena */
};
err export_run(struct ctx *cx, const struct export_options *options,
               struct export_report *out) MUST_USE;
