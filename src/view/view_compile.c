/* SPDX-License-Identifier: Apache-2.0 */
#include "view/view_compile.h"
#include "fhir/def.h"

/* Where in the definition the compiler stands, for messages. */
struct place {
    const struct place *outer;
    const char *name;
    size_t index;  /* STR_NONE: no list */
};
struct compiler {
    struct ctx *cx;
    struct view *view;
    str *variables;  /* names of the constants, and rowIndex */
    size_t columns_cap;
    int depth;
};

static void write_place(struct buf *buf, const struct place *place)
{
    if (!place)
        return;
    write_place(buf, place->outer);
    buf_printf(buf, "%s%s", buf->n ? "." : "", place->name);
    if (place->index != STR_NONE)
        buf_printf(buf, "[%zu]", place->index);
}

static str place_text(struct ctx *cx, const struct place *place)
{
    struct buf buf = buf_make(cx->arena, 1000);
    write_place(&buf, place);
    return buf_str(&buf);
}

static err fail(struct compiler *c, const struct place *place, const char *text)
{
    return ctx_fail(c->cx, ERR_INVALID, place_text(c->cx, place), str_of(text));
}

static struct place inside(const struct place *outer, const char *name)
{
    return (struct place){ outer, name, STR_NONE };
}

/* ---- expressions ---- */

static err compile_path(struct compiler *c, struct json text, const struct place *place,
                        const struct path **out)
{
    if (!json_is(text, JSON_STRING))
        return fail(c, place, "a FHIRPath expression in quotes is needed here");
    err error = path_compile(c->cx, json_string(c->cx->arena, text), out);
    if (!error)
        error = path_check_variables(c->cx, *out, c->variables, c->view->constants_count + 1);
    if (!error)
        error = path_check_types(c->cx, *out);
    if (error && c->cx->issues.kept)
        c->cx->issues.list[c->cx->issues.kept - 1].path = place_text(c->cx, place);
    return error ? ERR_INVALID : ERR_OK;
}

/* ---- constants ---- */

static bool is_name(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool later = (c >= '0' && c <= '9') || c == '_';
        if (!letter && !(later && i > 0))
            return false;
    }
    return name.n > 0;
}

/* valueString, valueDateTime ...: the FHIR type of a constant's value. */
static uint16_t constant_type(str key)
{
    char name[40];
    if (key.n <= 5 || key.n - 5 >= sizeof name || !str_starts(key, S("value")))
        return FHIR_NONE;
    memcpy(name, key.p + 5, key.n - 5);
    name[0] = (char)(name[0] | 0x20); /* lower case: primitive types begin so */
    uint16_t type = fhir_type_find((str){ name, key.n - 5 });
    return type != FHIR_NONE && fhir_types[type].kind == FHIR_PRIMITIVE ? type : FHIR_NONE;
}

/* R5's integer64, which R4 does not have: JSON writes it as a string. */
static bool read_integer64(struct ctx *cx, str key, struct json value, struct path_item *out)
{
    int64_t number;
    if (!str_eq(key, S("valueInteger64")) || !str_to_i64(json_string(cx->arena, value), &number))
        return false;
    *out = (struct path_item){ .kind = PATH_INTEGER, .type = FHIR_NONE, .integer = number };
    return true;
}

static err compile_constant(struct compiler *c, struct json constant, const struct place *place,
                            struct path_variable *out)
{
    size_t found = 0;
    out->name = json_string(c->cx->arena, json_get(constant, S("name")));
    if (!is_name(out->name))
        return fail(c, place, "a constant needs a name of letters, digits and _");
    struct path_item *item = arena_zero(c->cx->arena, sizeof *item);
    for (struct json_walk w = json_walk(constant); json_next(&w);) {
        str key = json_string(c->cx->arena, w.key);
        if (!str_starts(key, S("value")))
            continue;
        *item = (struct path_item){ .kind = PATH_NODE, .type = constant_type(key),
                                    .node = w.value, .name = S("value") };
        found++;
        if (read_integer64(c->cx, key, w.value, item))
            continue;
        if (item->type == FHIR_NONE || json_is(w.value, JSON_OBJECT) ||
            json_is(w.value, JSON_ARRAY) || json_is(w.value, JSON_NULL))
            return fail(c, place, "a constant's value must be of a primitive type");
    }
    if (found != 1)
        return fail(c, place, "a constant needs one value, such as valueString");
    out->value = (struct path_result){ item, 1 };
    return ERR_OK;
}

static err list_of(struct compiler *c, struct json owner, const char *name,
                   const struct place *outer, struct json *out)
{
    struct place place = inside(outer, name);
    *out = json_get(owner, str_of(name));
    if (out->doc && !json_is(*out, JSON_ARRAY))
        return fail(c, &place, "a list is needed here");
    return ERR_OK;
}

static err compile_constants(struct compiler *c, struct json definition)
{
    struct json list;
    struct view *view = c->view;
    TRY(list_of(c, definition, "constant", NULL, &list));
    size_t count = json_count(list);
    view->constants = arena_array(c->cx->arena, count + 1, sizeof *view->constants);
    c->variables = arena_array(c->cx->arena, count + 1, sizeof *c->variables);
    for (struct json_walk w = json_walk(list); json_next(&w); view->constants_count++) {
        struct place place = { NULL, "constant", view->constants_count };
        struct path_variable *constant = &view->constants[view->constants_count];
        TRY(compile_constant(c, w.value, &place, constant));
        for (size_t i = 0; i < view->constants_count; i++)
            if (str_eq(constant->name, c->variables[i]))
                return fail(c, &place, "two constants have this name");
        c->variables[view->constants_count] = constant->name;
    }
    c->variables[count] = S("rowIndex");
    return ERR_OK;
}

/* ---- columns ---- */

static enum view_kind kind_of_type(str type)
{
    static const struct { const char *name; enum view_kind kind; } kinds[] = {
        { "boolean", VIEW_BOOLEAN }, { "integer", VIEW_INTEGER }, { "integer64", VIEW_INTEGER },
        { "positiveInt", VIEW_INTEGER }, { "unsignedInt", VIEW_INTEGER },
        { "decimal", VIEW_DECIMAL },
    };
    size_t slash = type.n;
    while (slash > 0 && type.p[slash - 1] != '/' && type.p[slash - 1] != '.')
        slash--;
    type = str_slice(type, slash, type.n);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq_nocase(type, str_of(kinds[i].name)))
            return kinds[i].kind;
    return VIEW_TEXT;
}

static err add_column(struct compiler *c, struct json column, const struct place *place)
{
    struct view *view = c->view;
    struct json name = json_get(column, S("name")), type = json_get(column, S("type"));
    struct json collection = json_get(column, S("collection"));
    struct view_column made = { .name = json_string(c->cx->arena, name),
                                .type = json_string(c->cx->arena, type) };
    if (!json_is(name, JSON_STRING) || !is_name(made.name))
        return fail(c, place, "a column needs a name of letters, digits and _");
    if (type.doc && !json_is(type, JSON_STRING))
        return fail(c, place, "a column's type is a name in quotes");
    if (collection.doc && !json_is(collection, JSON_TRUE) && !json_is(collection, JSON_FALSE))
        return fail(c, place, "collection is true or false");
    made.collection = json_is(collection, JSON_TRUE);
    made.kind = made.collection ? VIEW_JSON : kind_of_type(made.type);
    if (view->columns_count == VIEW_COLUMNS_MAX)
        return fail(c, place, "the view has too many columns");
    view->columns = arena_grow(c->cx->arena, view->columns, view->columns_count, &c->columns_cap,
                               sizeof made);
    view->columns[view->columns_count++] = made;
    return ERR_OK;
}

static err compile_columns(struct compiler *c, struct json select, const struct place *outer,
                           struct view_select *out)
{
    struct json list;
    TRY(list_of(c, select, "column", outer, &list));
    out->first = c->view->columns_count;
    out->columns = arena_array(c->cx->arena, json_count(list) + 1, sizeof *out->columns);
    for (struct json_walk w = json_walk(list); json_next(&w); out->columns_count++) {
        struct place place = { outer, "column", out->columns_count };
        struct place at_path = inside(&place, "path");
        TRY(add_column(c, w.value, &place));
        TRY(compile_path(c, json_get(w.value, S("path")), &at_path,
                         &out->columns[out->columns_count]));
    }
    out->width = out->columns_count;
    return ERR_OK;
}

/* ---- selects ---- */

static err compile_each(struct compiler *c, struct json select, const struct place *outer,
                        struct view_select *out)
{
    static const struct { const char *name; enum view_each each; } kinds[] = {
        { "forEach", VIEW_FOR_EACH }, { "forEachOrNull", VIEW_FOR_EACH_OR_NULL },
        { "repeat", VIEW_REPEAT },
    };
    struct json given = { 0 };
    out->paths = arena_array(c->cx->arena, VIEW_PATHS_MAX, sizeof *out->paths);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct json value = json_get(select, str_of(kinds[i].name));
        if (value.doc && given.doc)
            return fail(c, outer, "forEach, forEachOrNull and repeat exclude one another");
        if (value.doc)
            out->each = kinds[i].each;
        given = value.doc ? value : given;
    }
    if (out->each == VIEW_ONCE)
        return ERR_OK;
    struct place place = inside(outer, kinds[out->each - 1].name);
    if (out->each != VIEW_REPEAT) {
        out->paths_count = 1;
        return compile_path(c, given, &place, &out->paths[0]);
    }
    if (!json_is(given, JSON_ARRAY) || !json_count(given))
        return fail(c, &place, "repeat is a list of FHIRPath expressions");
    for (struct json_walk w = json_walk(given); json_next(&w); out->paths_count++) {
        if (out->paths_count == VIEW_PATHS_MAX)
            return fail(c, &place, "repeat has too many expressions");
        TRY(compile_path(c, w.value, &place, &out->paths[out->paths_count]));
    }
    return ERR_OK;
}

static err compile_select(struct compiler *c, struct json select, const struct place *place,
                          struct view_select *out);

static err compile_nested(struct compiler *c, struct json select, const struct place *outer,
                          struct view_select *out)
{
    struct json list;
    TRY(list_of(c, select, "select", outer, &list));
    out->selects = arena_array(c->cx->arena, json_count(list) + 1, sizeof *out->selects);
    for (struct json_walk w = json_walk(list); json_next(&w); out->selects_count++) {
        struct place place = { outer, "select", out->selects_count };
        struct view_select *nested = &out->selects[out->selects_count];
        TRY(compile_select(c, w.value, &place, nested));
        out->width += nested->width;
    }
    return ERR_OK;
}

/* Every branch must have the columns of the first: names, order and, where both say it, types. The
 * columns of later branches are checked and given up again. */
static err same_columns(struct compiler *c, size_t first, size_t width, size_t branch,
                        const struct place *place)
{
    struct view_column *columns = c->view->columns;
    if (c->view->columns_count - branch != width)
        return fail(c, place, "every branch of unionAll needs the same columns");
    for (size_t i = 0; i < width; i++) {
        const struct view_column *a = &columns[first + i], *b = &columns[branch + i];
        if (!str_eq(a->name, b->name) || a->collection != b->collection ||
            (a->type.n && b->type.n && !str_eq(a->type, b->type)))
            return fail(c, place, "every branch of unionAll needs the same columns in the same "
                                  "order, with the same types");
    }
    return ERR_OK;
}

/* A later branch fills the places of the first. */
static void move_columns(struct view_select *select, size_t back)
{
    select->first -= back;
    for (size_t i = 0; i < select->selects_count; i++)
        move_columns(&select->selects[i], back);
    for (size_t i = 0; i < select->unions_count; i++)
        move_columns(&select->unions[i], back);
}

static err compile_unions(struct compiler *c, struct json select, const struct place *outer,
                          struct view_select *out)
{
    struct json list;
    size_t first = c->view->columns_count, width = 0;
    TRY(list_of(c, select, "unionAll", outer, &list));
    out->unions = arena_array(c->cx->arena, json_count(list) + 1, sizeof *out->unions);
    for (struct json_walk w = json_walk(list); json_next(&w); out->unions_count++) {
        struct place place = { outer, "unionAll", out->unions_count };
        size_t branch = c->view->columns_count;
        TRY(compile_select(c, w.value, &place, &out->unions[out->unions_count]));
        width = out->unions[0].width;
        if (out->unions_count) {
            TRY(same_columns(c, first, width, branch, &place));
            move_columns(&out->unions[out->unions_count], branch - first);
            c->view->columns_count = branch;
        }
    }
    out->width += width;
    return ERR_OK;
}

static err compile_select(struct compiler *c, struct json select, const struct place *place,
                          struct view_select *out)
{
    if (!json_is(select, JSON_OBJECT))
        return fail(c, place, "an object is needed here");
    if (++c->depth > VIEW_DEPTH_MAX)
        return fail(c, place, "selects are nested too deep");
    TRY(compile_each(c, select, place, out));
    TRY(compile_columns(c, select, place, out));
    TRY(compile_nested(c, select, place, out));
    TRY(compile_unions(c, select, place, out));
    c->depth--;
    if (out->width == 0)
        return fail(c, place, "a select needs at least one column");
    return ERR_OK;
}

/* ---- the whole ---- */

static err compile_where(struct compiler *c, struct json definition)
{
    struct json list;
    struct view *view = c->view;
    TRY(list_of(c, definition, "where", NULL, &list));
    view->where = arena_array(c->cx->arena, json_count(list) + 1, sizeof *view->where);
    for (struct json_walk w = json_walk(list); json_next(&w); view->where_count++) {
        struct place place = { NULL, "where", view->where_count };
        struct place at_path = inside(&place, "path");
        TRY(compile_path(c, json_get(w.value, S("path")), &at_path,
                         &view->where[view->where_count]));
    }
    return ERR_OK;
}

static err no_name_twice(struct compiler *c)
{
    const struct view *view = c->view;
    for (size_t i = 0; i < view->columns_count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(view->columns[i].name, view->columns[j].name))
                return ctx_failf(c->cx, ERR_INVALID, S("select"), "two columns are named %.*s",
                                 STR_ARG(view->columns[i].name));
    return ERR_OK;
}

err view_compile(struct ctx *cx, struct json definition, const struct view **out)
{
    struct view *view = arena_zero(cx->arena, sizeof *view);
    struct compiler c = { .cx = cx, .view = view };
    struct place at_resource = inside(NULL, "resource"), at_select = inside(NULL, "select");
    str resource = json_string(cx->arena, json_get(definition, S("resource")));
    if (!resource.n || fhir_resource_find(resource) == FHIR_NONE)
        return fail(&c, &at_resource, "a view needs the resource type it reads, such as Patient");
    view->type = fhir_type_find(resource);
    str name = json_string(cx->arena, json_get(definition, S("name")));
    view->name = str_given(name) ? name : S("");
    if (!json_is(json_get(definition, S("select")), JSON_ARRAY) ||
        !json_count(json_get(definition, S("select"))))
        return fail(&c, &at_select, "a view needs at least one select");
    TRY(compile_constants(&c, definition));
    TRY(compile_nested(&c, definition, NULL, &view->root));
    TRY(no_name_twice(&c));
    TRY(compile_where(&c, definition));
    *out = view;
    return ERR_OK;
}

uint16_t view_type(const struct view *view)
{
    return view->type;
}

str view_resource(const struct view *view)
{
    return fhir_types[view->type].name;
}

str view_name(const struct view *view)
{
    return view->name;
}

const struct view_column *view_columns(const struct view *view, size_t *count)
{
    *count = view->columns_count;
    return view->columns;
}
