/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include "view/view_compile.h"

static void write_quoted_csv(struct buf *buf, str text)
{
    buf_char(buf, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_char(buf, '"');
        buf_char(buf, text.p[i]);
    }
    buf_char(buf, '"');
}

/* An empty text is quoted, so that it is not read as a missing value. */
static void write_csv_value(struct buf *buf, const struct view_value *value)
{
    bool plain = value->text.n > 0;
    for (size_t i = 0; i < value->text.n && plain; i++) {
        char c = value->text.p[i];
        plain = c != '"' && c != ',' && c != '\n' && c != '\r';
    }
    if (value->kind == VIEW_NULL || plain)
        buf_add(buf, value->kind == VIEW_NULL ? S("") : value->text);
    else
        write_quoted_csv(buf, value->text);
}

static void write_json_value(struct buf *buf, const struct view_value *value)
{
    if (value->kind == VIEW_NULL) {
        buf_add(buf, S("null"));
    } else if (value->kind == VIEW_TEXT) {
        buf_char(buf, '"');
        json_escape(buf, value->text);
        buf_char(buf, '"');
    } else {
        buf_add(buf, value->text);
    }
}

static void write_json_row(struct buf *buf, const struct view *view, const struct view_value *row)
{
    buf_char(buf, '{');
    for (size_t i = 0; i < view->columns_count; i++) {
        buf_add(buf, i ? S(",\"") : S("\""));
        buf_add(buf, view->columns[i].name);
        buf_add(buf, S("\":"));
        write_json_value(buf, &row[i]);
    }
    buf_char(buf, '}');
}

static void write_csv_row(struct buf *buf, const struct view *view, const struct view_value *row)
{
    for (size_t i = 0; i < view->columns_count; i++) {
        if (i)
            buf_char(buf, ',');
        write_csv_value(buf, &row[i]);
    }
    buf_add(buf, S("\r\n"));
}

void view_write_head(struct buf *buf, const struct view *view, enum view_format format)
{
    if (format == VIEW_JSON_ARRAY)
        buf_char(buf, '[');
    for (size_t i = 0; format == VIEW_CSV && i < view->columns_count; i++) {
        buf_add(buf, i ? S(",") : S(""));
        buf_add(buf, view->columns[i].name);
    }
    if (format == VIEW_CSV)
        buf_add(buf, S("\r\n"));
}

void view_write_rows(struct buf *buf, const struct view *view, enum view_format format,
                     const struct view_rows *rows, bool *first)
{
    for (size_t i = 0; i < rows->rows_count; i++) {
        const struct view_value *row = &rows->values[i * view->columns_count];
        if (format == VIEW_CSV) {
            write_csv_row(buf, view, row);
            continue;
        }
        if (format == VIEW_JSON_ARRAY && !*first)
            buf_char(buf, ',');
        write_json_row(buf, view, row);
        if (format == VIEW_NDJSON)
            buf_char(buf, '\n');
        *first = false;
    }
}

void view_write_tail(struct buf *buf, enum view_format format)
{
    if (format == VIEW_JSON_ARRAY)
        buf_add(buf, S("]\n"));
}
