/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include "fhir/path_quantity.h"

extern const struct path_function path_functions_encode[];

const struct path_function *path_function_find(str name)
{
    static const struct path_function *const tables[] = {
        path_functions_collection, path_functions_text, path_functions_encode, path_functions_math,
        path_functions_convert, path_functions_fhir, path_functions_date,
    };
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct path_function *f = tables[i]; f->name; f++)
            if (str_eq(name, str_of(f->name)))
                return f;
    return NULL;
}

err path_compile(struct ctx *cx, str expression, const struct path **out)
{
    struct path *path = arena_zero(cx->arena, sizeof *path);
    TRY(path_parse(cx, arena_copy(cx->arena, expression), path));
    *out = path;
    return ERR_OK;
}

static struct path_item input_item(const struct path_run *run)
{
    if (run->focus)
        return *run->focus;
    if (run->untyped)
        return (struct path_item){ .kind = PATH_NODE, .type = FHIR_NONE, .node = run->input,
                                   .name = S("") };
    return path_item_of(run->input, run->input_type ? run->input_type : FHIR_NONE);
}

struct path_item path_place(const struct path_machine *m, bool root)
{
    const struct path_run *run = m->run;
    struct json node = root && run->root_resource.doc ? run->root_resource : run->resource;
    if (!node.doc)
        return m->context ? *m->context : (struct path_item){ .kind = PATH_NODE };
    struct path_item item = path_item_of(node, FHIR_NONE);
    if (run->untyped)
        item.type = FHIR_NONE;
    return item;
}

/* JSON arrays at the root of untyped input are collections. */
static err run_on_items(struct path_machine *m, const struct path *path)
{
    if (!m->run->untyped || !json_is(m->run->input, JSON_ARRAY) || m->run->focus)
        return path_exec(m, path->root);
    for (struct json_walk w = json_walk(m->run->input); json_next(&w);) {
        struct path_item item = { .kind = PATH_NODE, .type = FHIR_NONE, .node = w.value,
                                  .name = S("") };
        m->self = &item;
        TRY(path_exec(m, path->root));
    }
    return ERR_OK;
}

err path_eval(struct ctx *cx, const struct path *path, const struct path_run *run,
              struct path_result *out)
{
    struct path_item first[PATH_STACK_ITEMS];
    struct path_item input = input_item(run);
    bool given = run->focus || (run->input.doc && !json_is(run->input, JSON_NULL));
    struct path_machine m = {
        .cx = cx, .path = path, .run = run, .stack = first, .cap = PATH_STACK_ITEMS,
        .steps = run->steps_max ? run->steps_max : PATH_STEPS_MAX,
        .self = given ? &input : NULL, .context = given ? &input : NULL,
    };
    TRY(run_on_items(&m, path));
    *out = path_keep(&m, (struct path_span){ 0, m.top });
    return ERR_OK;
}

err path_eval_on(struct ctx *cx, const struct path *path, struct json resource,
                 struct path_result *out)
{
    struct path_run run = { .input = resource, .input_type = FHIR_NONE, .lenient = true };
    return path_eval(cx, path, &run, out);
}

err path_truth(struct ctx *cx, const struct path_result *result, bool fallback, bool *out)
{
    struct path_item value;
    if (result->count > 1)
        return ctx_failf(cx, ERR_RULE, S(""), "one Boolean is expected, found %zu items",
                         result->count);
    if (result->count == 0)
        *out = fallback;
    else
        *out = !path_value(cx, result->items, &value) || value.kind != PATH_BOOLEAN ||
               value.boolean;
    return ERR_OK;
}

bool path_item_value(struct ctx *cx, const struct path_item *item, struct path_item *out)
{
    return path_value(cx, item, out);
}

str path_item_text(struct arena *arena, const struct path_item *item)
{
    struct ctx cx = { .arena = arena };
    struct path_item value;
    if (!path_value(&cx, item, &value))
        return (str){ 0 };
    switch (value.kind) {
    case PATH_BOOLEAN:
        return value.boolean ? S("true") : S("false");
    case PATH_INTEGER:
        return arena_printf(arena, "%lld", (long long)value.integer);
    case PATH_QUANTITY:
        return item->kind == PATH_NODE ? (str){ 0 } : path_quantity_write(arena, &value);
    default:
        return value.text;
    }
}

static str system_name(enum path_kind kind)
{
    static const char *const names[] = {
        [PATH_NODE] = "Any", [PATH_BOOLEAN] = "Boolean", [PATH_STRING] = "String",
        [PATH_INTEGER] = "Integer", [PATH_DECIMAL] = "Decimal", [PATH_DATE] = "Date",
        [PATH_DATE_TIME] = "DateTime", [PATH_TIME] = "Time", [PATH_QUANTITY] = "Quantity",
        [PATH_TYPE] = "SimpleTypeInfo",
    };
    return str_of(names[kind]);
}

str path_item_type_name(struct arena *arena, const struct path_item *item)
{
    struct path_item value;
    if (item->kind != PATH_NODE)
        return arena_printf(arena, "System.%.*s", STR_ARG(system_name(item->kind)));
    if (item->type == FHIR_NONE) {
        bool simple = path_value(NULL, item, &value);
        return arena_printf(arena, "System.%.*s",
                            STR_ARG(simple ? system_name(value.kind) : S("Any")));
    }
    const struct fhir_type *type = &fhir_types[item->type];
    str name = type->name;
    if (type->kind == FHIR_BACKBONE) /* inline elements have no name of their own */
        name = type->base != FHIR_NONE ? fhir_types[type->base].name : S("BackboneElement");
    return arena_printf(arena, "FHIR.%.*s", STR_ARG(name));
}

struct path_result path_item_children(struct ctx *cx, const struct path_item *item, str name)
{
    struct path_item first[PATH_STACK_ITEMS];
    struct path_code code = { .op = PATH_OP_CHILD, .name = name };
    struct path path = { .text = name };
    struct path_run run = { .input_type = FHIR_NONE };
    struct path_machine m = { .cx = cx, .path = &path, .run = &run, .stack = first,
                              .cap = PATH_STACK_ITEMS, .steps = PATH_STEPS_MAX };
    if (path_push_children(&m, item, &code) != ERR_OK)
        return (struct path_result){ 0 };
    return path_keep(&m, (struct path_span){ 0, m.top });
}
