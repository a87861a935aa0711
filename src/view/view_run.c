/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/def.h"
#include "json/write.h"
#include "view/view_compile.h"

/* Rows of one select: `count` times its width. */
struct rows {
    struct view_value *values;
    size_t count, cap, width;
};
struct runner {
    struct ctx *cx;
    const struct view *view;
    struct path_run run;
    struct path_variable *variables; /* constants, then rowIndex */
    struct path_item row_index;
    size_t rows_made;
};

static void set_focus(struct runner *r, const struct path_item *focus)
{
    r->run.focus = focus;
    r->run.input = (struct json){ 0 };
}

/* ---- one column ---- */

static str quoted(struct ctx *cx, str text)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX / 4);
    struct json_writer w = json_writer(&buf);
    json_str(&w, text);
    return buf_str(&buf);
}

static struct view_value value_of(struct ctx *cx, const struct path_item *item)
{
    struct path_item value;
    if (!path_item_value(cx, item, &value) ||
        (value.kind == PATH_QUANTITY && item->kind == PATH_NODE)) {
        if (!item->node.doc)
            return (struct view_value){ 0 };
        return (struct view_value){ VIEW_JSON, json_text(item->node) };
    }
    switch (value.kind) {
    case PATH_BOOLEAN:
        return (struct view_value){ VIEW_BOOLEAN, value.boolean ? S("true") : S("false") };
    case PATH_INTEGER:
        return (struct view_value){ VIEW_INTEGER, path_item_text(cx->arena, &value) };
    case PATH_DECIMAL:
        return (struct view_value){ VIEW_DECIMAL, value.text };
    default:
        return (struct view_value){ VIEW_TEXT, path_item_text(cx->arena, &value) };
    }
}

static struct view_value list_of(struct ctx *cx, const struct path_result *result)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX / 4);
    buf_char(&buf, '[');
    for (size_t i = 0; i < result->count; i++) {
        struct view_value value = value_of(cx, &result->items[i]);
        if (i)
            buf_char(&buf, ',');
        buf_add(&buf, value.kind == VIEW_TEXT   ? quoted(cx, value.text)
                      : value.kind == VIEW_NULL ? S("null")
                                                : value.text);
    }
    buf_char(&buf, ']');
    return (struct view_value){ VIEW_JSON, buf_str(&buf) };
}

static err several(struct runner *r, const struct view_column *column, size_t count)
{
    return ctx_failf(r->cx, ERR_RULE, column->name,
                     "column %.*s has %zu values in one row: set \"collection\": true, or take "
                     "one, as with first()",
                     STR_ARG(column->name), count);
}

static err column_value(struct runner *r, const struct path *path, const struct view_column *column,
                        struct view_value *out)
{
    struct path_result result;
    TRY(path_eval(r->cx, path, &r->run, &result));
    if (column->collection)
        *out = list_of(r->cx, &result);
    else if (result.count > 1)
        return several(r, column, result.count);
    else
        *out = result.count ? value_of(r->cx, result.items) : (struct view_value){ 0 };
    return ERR_OK;
}

/* ---- rows ---- */

static struct view_value *add_row(struct runner *r, struct rows *rows)
{
    if (rows->count == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 1;
        struct view_value *moved = arena_alloc(r->cx->arena, cap * (rows->width + 1) *
                                                                  sizeof *moved);
        if (rows->count)
            memcpy(moved, rows->values, rows->count * rows->width * sizeof *moved);
        rows->values = moved;
        rows->cap = cap;
    }
    return &rows->values[rows->width * rows->count++];
}

static err count_rows(struct runner *r, size_t count)
{
    r->rows_made += count;
    if (r->rows_made <= VIEW_ROWS_MAX)
        return ERR_OK;
    return ctx_fail(r->cx, ERR_LIMIT, S(""), S("one resource makes too many rows of this view"));
}

/* Every row of a beside every row of b. */
static err product(struct runner *r, const struct rows *a, const struct rows *b, struct rows *out)
{
    *out = (struct rows){ .width = a->width + b->width };
    for (size_t i = 0; i < a->count; i++) {
        TRY(count_rows(r, b->count));
        for (size_t j = 0; j < b->count; j++) {
            struct view_value *row = add_row(r, out);
            if (a->width)
                memcpy(row, a->values + i * a->width, a->width * sizeof *row);
            memcpy(row + a->width, b->values + j * b->width, b->width * sizeof *row);
        }
    }
    return ERR_OK;
}

static err append(struct runner *r, struct rows *to, const struct rows *more)
{
    TRY(count_rows(r, more->count));
    for (size_t i = 0; i < more->count; i++)
        memcpy(add_row(r, to), more->values + i * more->width, more->width * sizeof *to->values);
    return ERR_OK;
}

static err run_select(struct runner *r, const struct view_select *select,
                      const struct path_item *focus, struct rows *out);

static err run_unions(struct runner *r, const struct view_select *select,
                      const struct path_item *focus, struct rows *out)
{
    *out = (struct rows){ .width = select->unions[0].width };
    for (size_t i = 0; i < select->unions_count; i++) {
        struct rows branch;
        TRY(run_select(r, &select->unions[i], focus, &branch));
        TRY(append(r, out, &branch));
    }
    return ERR_OK;
}

/* The rows of a select on one item: its columns, times its selects, times its unions. On NULL, what
 * forEachOrNull gives for nothing, every path finds nothing. */
static err run_on(struct runner *r, const struct view_select *select, const struct path_item *focus,
                  struct rows *out)
{
    struct rows rows = { .width = select->columns_count }, part, both;
    struct view_value *row = add_row(r, &rows);
    set_focus(r, focus);
    for (size_t i = 0; i < select->columns_count; i++)
        TRY(column_value(r, select->columns[i], &r->view->columns[select->first + i], &row[i]));
    for (size_t i = 0; i < select->selects_count && rows.count; i++) {
        TRY(run_select(r, &select->selects[i], focus, &part));
        TRY(product(r, &rows, &part, &both));
        rows = both;
    }
    if (select->unions_count && rows.count) {
        TRY(run_unions(r, select, focus, &part));
        TRY(product(r, &rows, &part, &both));
        rows = both;
    }
    *out = rows;
    return ERR_OK;
}

/* ---- what a select iterates over ---- */

static err find_repeated(struct runner *r, const struct view_select *select,
                         const struct path_item *at, struct path_result *found, size_t *cap,
                         int depth)
{
    if (depth > JSON_DEPTH_MAX)
        return ctx_fail(r->cx, ERR_LIMIT, S("repeat"), S("repeat does not come to an end"));
    for (size_t i = 0; i < select->paths_count; i++) {
        struct path_result children;
        set_focus(r, at);
        TRY(path_eval(r->cx, select->paths[i], &r->run, &children));
        TRY(count_rows(r, children.count));
        for (size_t k = 0; k < children.count; k++) {
            if (children.items[k].kind == PATH_NODE && at &&
                children.items[k].node.doc == at->node.doc &&
                children.items[k].node.at == at->node.at)
                continue; /* an expression that gives its own input would never end */
            found->items = arena_grow(r->cx->arena, found->items, found->count, cap,
                                      sizeof *found->items);
            found->items[found->count++] = children.items[k];
            TRY(find_repeated(r, select, &children.items[k], found, cap, depth + 1));
        }
    }
    return ERR_OK;
}

static err items_of(struct runner *r, const struct view_select *select,
                    const struct path_item *focus, struct path_result *out)
{
    size_t cap = 0;
    *out = (struct path_result){ 0 };
    if (select->each == VIEW_REPEAT)
        return find_repeated(r, select, focus, out, &cap, 0);
    set_focus(r, focus);
    return path_eval(r->cx, select->paths[0], &r->run, out);
}

static err run_each(struct runner *r, const struct view_select *select,
                    const struct path_item *focus, struct rows *out)
{
    struct path_result items;
    int64_t outer_index = r->row_index.integer;
    TRY(items_of(r, select, focus, &items));
    *out = (struct rows){ .width = select->width };
    for (size_t i = 0; i < items.count; i++) {
        struct rows rows;
        r->row_index.integer = (int64_t)i;
        TRY(run_on(r, select, &items.items[i], &rows));
        TRY(append(r, out, &rows));
    }
    if (select->each == VIEW_FOR_EACH_OR_NULL && items.count == 0) {
        r->row_index.integer = 0;
        TRY(run_on(r, select, NULL, out));
    }
    r->row_index.integer = outer_index;
    return ERR_OK;
}

static err run_select(struct runner *r, const struct view_select *select,
                      const struct path_item *focus, struct rows *out)
{
    if (select->each == VIEW_ONCE)
        return run_on(r, select, focus, out);
    return run_each(r, select, focus, out);
}

/* ---- the whole ---- */

static err passes(struct runner *r, bool *out)
{
    *out = true;
    for (size_t i = 0; i < r->view->where_count && *out; i++) {
        struct path_result result;
        struct path_item value;
        TRY(path_eval(r->cx, r->view->where[i], &r->run, &result));
        bool boolean = result.count == 1 && path_item_value(r->cx, result.items, &value) &&
                       value.kind == PATH_BOOLEAN;
        if (result.count && !boolean)
            return ctx_failf(r->cx, ERR_RULE, S("where"),
                             "where[%zu] must give one Boolean, or nothing", i);
        *out = result.count && value.boolean;
    }
    return ERR_OK;
}

err view_run(struct ctx *cx, const struct view *view, struct json resource, struct view_rows *out)
{
    struct path_item focus = path_item_of(resource, FHIR_NONE);
    struct runner r = { .cx = cx, .view = view };
    struct rows rows;
    bool passed;
    *out = (struct view_rows){ 0 };
    if (focus.type != view->type)
        return ERR_OK;
    r.row_index = (struct path_item){ .kind = PATH_INTEGER, .type = FHIR_NONE };
    r.variables = arena_alloc(cx->arena, (view->constants_count + 1) * sizeof *r.variables);
    if (view->constants_count)
        memcpy(r.variables, view->constants, view->constants_count * sizeof *r.variables);
    r.variables[view->constants_count] =
        (struct path_variable){ S("rowIndex"), { &r.row_index, 1 } };
    r.run = (struct path_run){ .input = resource, .input_type = FHIR_NONE, .focus = &focus,
                               .resource = resource, .root_resource = resource,
                               .variables = r.variables, .for_view = true,
                               .variables_count = view->constants_count + 1 };
    TRY(passes(&r, &passed));
    if (!passed)
        return ERR_OK;
    TRY(run_on(&r, &view->root, &focus, &rows));
    *out = (struct view_rows){ rows.values, rows.count };
    return ERR_OK;
}
