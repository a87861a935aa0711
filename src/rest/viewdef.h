/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "view/view_bulk.h"
#include <stdio.h>

/*
 * viewdef: $viewdefinition-run and $viewdefinition-export, the operations of SQL on FHIR.
 *
 * Source   SQL on FHIR v2, operations (sql-on-fhir.org).
 * Shapes   the body is a Parameters (viewResource, viewReference, _format, header, _limit, _since,
 *          patient, resource) or a ViewDefinition itself. run answers with the rows; export with
 *          202 and a Content-Location that tells the progress, then the places of the files.
 * Errors   422 a view that is wrong, or a resource that breaks its rules; 404 no such export; 503
 *          a file that is not made yet.
 * Limits   VIEWDEF_JOBS_MAX exports at a time. Files are kept for VIEWDEF_KEPT_MS after their end,
 *          and not past a restart; whoever asks again within a day of the start has them made
 *          again, of the record as it is then and of what they may see. A DELETE ends that.
 */
enum { VIEWDEF_JOBS_MAX = 16, VIEWDEF_VIEWS_MAX = 50, VIEWDEF_KEPT_MS = 3600000 };
extern const struct route viewdef_routes[]; /* ended by a zero row */

err viewdef_open(struct ctx *cx, struct store *store) MUST_USE; /* makes its table */
void viewdef_stop(void); /* ends every export; before the store is closed */

/* What a request asks for. For viewdef_*.c. */
struct viewdef_ask {
    struct http_request *request;
    struct json parameters;        /* of the body; absent: a ViewDefinition alone */
    struct json definitions[VIEWDEF_VIEWS_MAX];
    str names[VIEWDEF_VIEWS_MAX];  /* of an export's outputs */
    size_t views_count;
    enum view_format format;
    bool no_head;
    int64_t limit, since_ms;
    str patient;                   /* id; not given: all */
};
err viewdef_read(struct http_request *request, struct http_response *response,
                 struct viewdef_ask *out) MUST_USE;
/* A source over the store with the ask's filters. */
err viewdef_source(const struct viewdef_ask *ask, const struct view *view,
                   struct view_source *out) MUST_USE;
const char *viewdef_media(enum view_format format);
/* Answers with a file from its start; it is closed at the end of the answer. */
void viewdef_stream(struct http_response *response, FILE *file, enum view_format format);
http_handler viewdef_export_start, viewdef_export_status, viewdef_export_cancel,
    viewdef_export_file;
