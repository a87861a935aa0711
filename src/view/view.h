/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "fhir/path.h"

/*
 * view: rows and columns out of resources, as a ViewDefinition says.
 *
 * Source   SQL on FHIR v2 (sql-on-fhir.org): select, column, forEach, forEachOrNull, repeat,
 *          unionAll, where, constant, collection, %rowIndex. Every function of our FHIRPath may be
 *          used.
 * Shapes   a view is compiled from the ViewDefinition's JSON; running it on one resource gives no
 *          row, one or many, each with a value a column. Columns stand in the order of the
 *          definition: a select's own columns, then its nested selects', then its unions'.
 * Missing  no value is VIEW_NULL; a collection column without items is the JSON array [].
 * Errors   ERR_INVALID the definition is wrong, with the path of the element that is; ERR_RULE a
 *          resource yields what the view forbids (several values without `collection`, a `where`
 *          that is no Boolean); ERR_LIMIT over VIEW_ROWS_MAX rows from one resource.
 * Memory   a view lives in the arena it was compiled in, is read-only and thread-safe; rows live in
 *          cx's arena.
 */
enum { VIEW_COLUMNS_MAX = 500, VIEW_ROWS_MAX = 100000, VIEW_DEPTH_MAX = 20, VIEW_PATHS_MAX = 20 };

enum view_kind { VIEW_NULL, VIEW_BOOLEAN, VIEW_INTEGER, VIEW_DECIMAL, VIEW_TEXT, VIEW_JSON };
struct view_value {
    enum view_kind kind;
    str text;       /* as written in JSON; a text without quotes and escapes */
};
struct view_column {
    str name, type; /* type as declared; not given: unknown */
    bool collection;
    enum view_kind kind; /* of the declared type; VIEW_JSON for a collection */
};
struct view_rows {
    struct view_value *values; /* rows_count times view_columns */
    size_t rows_count;
};

struct view;
err view_compile(struct ctx *cx, struct json definition, const struct view **out) MUST_USE;
uint16_t view_type(const struct view *view);      /* index into fhir_types */
str view_resource(const struct view *view);       /* "Patient" */
str view_name(const struct view *view);           /* ViewDefinition.name, or "" */
const struct view_column *view_columns(const struct view *view, size_t *count);
/* No rows for a resource of another type, or one that `where` leaves out. */
err view_run(struct ctx *cx, const struct view *view, struct json resource,
             struct view_rows *out) MUST_USE;

/* Rows as text. csv: RFC 4180, nulls empty; ndjson: an object a line; json: objects in one
 * array. */
enum view_format { VIEW_NDJSON, VIEW_CSV, VIEW_JSON_ARRAY };
void view_write_head(struct buf *buf, const struct view *view, enum view_format format);
/* `first`: no row was written before; cleared by the first one. */
void view_write_rows(struct buf *buf, const struct view *view, enum view_format format,
                     const struct view_rows *rows, bool *first);
void view_write_tail(struct buf *buf, enum view_format format);
