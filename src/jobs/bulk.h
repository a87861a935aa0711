/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "store/access.h"
#include "store/store.h"

/*
 * bulk: exports and imports that outlast a request, one after the other in the background.
 *
 * Source   Bulk Data Access 2 (hl7.org/fhir/uv/bulkdata/export.html).
 * Shapes   a job is a row of table bulk and a folder DATA/bulk/ID with its files. Its spec is JSON,
 *          so that it goes on after a restart: an export with the types whose file is not whole
 *          yet, an import from its beginning (what is there already is left as it is).
 * Errors   a job that cannot be done is FAILED with the reason; a fault of the disk too.
 * Limits   BULK_JOBS_MAX unfinished ones; one is forgotten, its files removed, BULK_KEPT_MS after
 *          its end. The filter of whoever asked is part of the spec.
 */
enum { BULK_JOBS_MAX = 50, BULK_KEPT_MS = 24 * 3600 * 1000, BULK_FILTERS_MAX = 50 };
enum bulk_state { BULK_WAITING, BULK_RUNNING, BULK_DONE, BULK_FAILED, BULK_CANCELLED };

struct bulk_filter {
    uint16_t resource;
    str query;               /* search parameters without '?' */
};
struct bulk_spec {
    bool is_import;
    str url;                 /* what was asked, for the manifest */
    str who;
    uint64_t types[ACCESS_TYPES_WORDS]; /* exports: all zero is every type */
    int64_t since_ms;
    bool patients_only;      /* only what is in a patient's compartment */
    str group;               /* only its members; not given: all patients */
    str elements;            /* "id,name,Observation.status"; not given: whole resources */
    struct bulk_filter filters[BULK_FILTERS_MAX];
    size_t filters_count;
    const struct store_access *access;
};
struct bulk_report {
    enum bulk_state state;
    str url, who, error;
    bool is_import;
    uint64_t types[ACCESS_TYPES_WORDS]; /* exports: of what there may be files */
    int64_t created_ms, ended_ms, expires_ms;
    int64_t done, total;     /* resources; total 0: not known */
    str output;              /* when done: JSON array of { "type", "file", "count" }; of
                                errors.ndjson and deleted.ndjson, too, when there are any */
};
struct bulk;
/* `audit`: where it is noted whose data each export holds; NULL: nobody signs in. */
struct audit_log;
err bulk_start(struct ctx *cx, struct store *store, str folder, struct audit_log *audit,
               struct bulk **out) MUST_USE;
void bulk_stop(struct bulk *bulk); /* a running job goes on at the next start */
/* `input`: the NDJSON of an import. */
err bulk_submit(struct ctx *cx, struct bulk *bulk, const struct bulk_spec *spec, str input,
                str *id) MUST_USE;
err bulk_look(struct ctx *cx, struct bulk *bulk, str id, struct bulk_report *out) MUST_USE;
/* Ends it if it runs, and forgets it with its files. */
err bulk_cancel(struct ctx *cx, struct bulk *bulk, str id) MUST_USE;
/* The place on disk of a finished job's file; ERR_NOT_FOUND. */
err bulk_file(struct ctx *cx, struct bulk *bulk, str id, str name, str *path) MUST_USE;
