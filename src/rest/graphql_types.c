/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql_types.h"
#include "rest/graphql_schema.h"

/* ---- names ---- */

/* FHIR's primitives by the names GraphQL has for them; the rest are scalars of their own. */
static const struct { const char *fhir, *graphql; } scalars[] = {
    { "boolean", "Boolean" }, { "string", "String" }, { "integer", "Int" }, { "id", "ID" },
};

str graphql_type_name(struct arena *arena, uint16_t type)
{
    str name = fhir_types[type].name;
    for (size_t i = 0; fhir_types[type].kind == FHIR_PRIMITIVE && i < COUNT(scalars); i++)
        if (str_eq(name, str_of(scalars[i].fhir)))
            return str_of(scalars[i].graphql);
    if (str_find_char(name, '.') == STR_NONE)
        return name;
    char *out = arena_alloc(arena, name.n);
    size_t n = 0;
    bool upper = false;
    for (size_t i = 0; i < name.n; i++) { /* "Patient.contact": PatientContact */
        char c = name.p[i];
        if (c != '.')
            out[n++] = upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        upper = c == '.';
    }
    return (str){ out, n };
}

/* Is it this type's name in GraphQL? Without making the name: all types may be tried. */
static bool is_named(uint16_t type, str name)
{
    str full = fhir_types[type].name;
    size_t n = 0;
    bool upper = false;
    for (size_t i = 0; i < full.n; i++) {
        char c = full.p[i];
        if (c == '.') {
            upper = true;
            continue;
        }
        c = upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        upper = false;
        if (n >= name.n || name.p[n++] != c)
            return false;
    }
    return n == name.n;
}

uint16_t graphql_type_find(str name)
{
    for (size_t i = 0; i < COUNT(scalars); i++) {
        if (str_eq(name, str_of(scalars[i].graphql)))
            return fhir_type_find(str_of(scalars[i].fhir));
        if (str_eq(name, str_of(scalars[i].fhir)))
            return FHIR_NONE; /* GraphQL has a name of its own for it */
    }
    for (uint16_t t = 0; t < fhir_types_count; t++)
        if (is_named(t, name))
            return t;
    return FHIR_NONE;
}

/* "general-practitioner" has no place in GraphQL: general_practitioner. */
static str argument_name(struct arena *arena, str code)
{
    if (str_find_char(code, '-') == STR_NONE)
        return code;
    char *out = arena_alloc(arena, code.n);
    for (size_t i = 0; i < code.n; i++)
        out[i] = code.p[i] == '-' ? '_' : code.p[i];
    return (str){ out, code.n };
}

/* ---- types ---- */

static void add(struct arena *arena, struct meta_list *list, struct meta item)
{
    list->items = arena_grow(arena, list->items, list->count, &list->cap, sizeof item);
    list->items[list->count++] = item;
}

static bool is_listed(uint16_t type)
{
    const struct fhir_type *t = &fhir_types[type];
    return !t->is_abstract || str_eq(t->name, S("Resource")) || str_eq(t->name, S("Element"));
}

struct meta_list meta_types(struct arena *arena)
{
    struct meta_list list = { 0 };
    add(arena, &list, (struct meta){ .kind = META_TYPE, .what = META_QUERY });
    for (uint16_t t = 0; t < fhir_types_count; t++)
        if (is_listed(t))
            add(arena, &list, (struct meta){ .kind = META_TYPE, .what = META_FHIR, .type = t });
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        uint16_t type = fhir_resources[r];
        add(arena, &list, (struct meta){ .kind = META_TYPE, .what = META_CONNECTION,
                                         .type = type });
        add(arena, &list, (struct meta){ .kind = META_TYPE, .what = META_EDGE, .type = type });
    }
    return list;
}

bool meta_find(str name, struct meta *out)
{
    static const struct { const char *suffix; enum meta_what what; } made[] = {
        { "Connection", META_CONNECTION }, { "Edge", META_EDGE },
    };
    uint16_t type = graphql_type_find(name);
    *out = (struct meta){ .kind = META_TYPE, .what = META_FHIR, .type = type };
    if (type != FHIR_NONE)
        return is_listed(type);
    for (size_t i = 0; i < COUNT(made); i++) {
        str suffix = str_of(made[i].suffix);
        if (!str_ends(name, suffix))
            continue;
        type = fhir_type_find(str_slice(name, 0, name.n - suffix.n));
        out->what = made[i].what;
        out->type = type;
        return type != FHIR_NONE && fhir_types[type].resource != FHIR_NONE;
    }
    out->what = META_QUERY;
    return str_eq(name, S("Query"));
}

static bool is_interface(const struct meta *type)
{
    return type->what == META_FHIR && str_eq(fhir_types[type->type].name, S("Resource"));
}

const char *meta_kind_name(const struct meta *type)
{
    if (type->required)
        return "NON_NULL";
    if (type->list)
        return "LIST";
    if (type->what == META_SCALAR ||
        (type->what == META_FHIR && fhir_types[type->type].kind == FHIR_PRIMITIVE))
        return "SCALAR";
    return is_interface(type) ? "INTERFACE" : "OBJECT";
}

bool meta_is_object(const struct meta *type)
{
    return strcmp(meta_kind_name(type), "OBJECT") == 0;
}

str meta_name(struct arena *arena, const struct meta *type)
{
    if (type->required || type->list)
        return (str){ 0 };
    switch (type->what) {
    case META_SCALAR: return type->scalar;
    case META_QUERY: return S("Query");
    case META_CONNECTION:
        return arena_printf(arena, "%.*sConnection", STR_ARG(fhir_types[type->type].name));
    case META_EDGE: return arena_printf(arena, "%.*sEdge", STR_ARG(fhir_types[type->type].name));
    case META_FHIR: break;
    }
    return graphql_type_name(arena, type->type);
}

bool meta_unwrap(const struct meta *type, struct meta *out)
{
    *out = *type;
    if (type->required)
        out->required = false;
    else
        out->list = false;
    return type->required || type->list;
}

struct meta_list meta_interfaces(struct arena *arena, const struct meta *type)
{
    struct meta_list list = { 0 };
    if (type->what == META_FHIR && fhir_types[type->type].kind == FHIR_RESOURCE &&
        !is_interface(type))
        add(arena, &list, (struct meta){ .kind = META_TYPE, .what = META_FHIR,
                                         .type = fhir_type_find(S("Resource")) });
    return list;
}

struct meta_list meta_possible(struct arena *arena, const struct meta *type)
{
    struct meta_list list = { 0 };
    for (uint16_t r = 0; is_interface(type) && r < fhir_resources_count; r++)
        add(arena, &list, (struct meta){ .kind = META_TYPE, .what = META_FHIR,
                                         .type = fhir_resources[r] });
    return list;
}

/* ---- fields ---- */

static struct meta scalar_field(str name, const char *scalar)
{
    return (struct meta){ .kind = META_FIELD, .what = META_SCALAR, .name = name,
                          .scalar = str_of(scalar) };
}

static void add_element(struct arena *arena, struct meta_list *list,
                        const struct fhir_element *element)
{
    bool primitive = fhir_types[element->type].kind == FHIR_PRIMITIVE, many = element->max > 1;
    struct meta field = { .kind = META_FIELD, .what = META_FHIR, .type = element->type,
                          .name = element->json_name, .list = many,
                          .args = many ? META_LIST_ARGS : META_NO_ARGS };
    add(arena, list, field);
    if (!primitive || fhir_types[element->type].primitive == FHIR_XHTML)
        return;
    field.type = fhir_type_find(S("Element")); /* its id and extensions */
    field.name = arena_printf(arena, "_%.*s", STR_ARG(element->json_name));
    add(arena, list, field);
}

/* Does a reference parameter of the resource name the type among its targets? */
static bool refers_to(uint16_t resource, uint16_t type)
{
    struct fhir_param_range range = fhir_resource_params[resource];
    for (uint16_t p = range.from; p < range.from + range.count; p++) {
        if (fhir_params[p].kind != FHIR_SEARCH_REFERENCE || fhir_params[p].targets == FHIR_NONE)
            continue;
        const struct fhir_target_list *targets = &fhir_target_lists[fhir_params[p].targets];
        for (uint16_t i = 0; i < targets->count; i++)
            if (targets->types[i] == type)
                return true;
    }
    return false;
}

static void add_searches(struct arena *arena, struct meta_list *list, uint16_t resource,
                         enum meta_arguments args)
{
    uint16_t type = fhir_resources[resource];
    str name = fhir_types[type].name;
    add(arena, list, (struct meta){ .kind = META_FIELD, .what = META_FHIR, .type = type,
                                    .list = true, .args = args,
                                    .name = arena_printf(arena, "%.*sList", STR_ARG(name)) });
    add(arena, list, (struct meta){ .kind = META_FIELD, .what = META_CONNECTION, .type = type,
                                    .args = args, .connection = true,
                                    .name = arena_printf(arena, "%.*sConnection",
                                                         STR_ARG(name)) });
}

static struct meta_list fhir_fields(struct arena *arena, uint16_t type)
{
    struct meta_list list = { 0 };
    const struct fhir_type *t = &fhir_types[type];
    for (uint16_t e = 0; t->kind != FHIR_PRIMITIVE && e < t->elements_count; e++)
        add_element(arena, &list, &t->elements[e]);
    if (t->kind == FHIR_RESOURCE)
        add(arena, &list, scalar_field(S("resourceType"), "String"));
    if (str_eq(t->name, S("Reference")))
        add(arena, &list, (struct meta){ .kind = META_FIELD, .what = META_FHIR,
                                         .type = fhir_type_find(S("Resource")),
                                         .name = S("resource"), .args = META_RESOURCE_ARGS });
    for (uint16_t r = 0; t->resource != FHIR_NONE && r < fhir_resources_count; r++)
        if (refers_to(r, type))
            add_searches(arena, &list, r, META_REVERSE_ARGS);
    return list;
}

static struct meta_list query_fields(struct arena *arena)
{
    struct meta_list list = { 0 };
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        uint16_t type = fhir_resources[r];
        add(arena, &list, (struct meta){ .kind = META_FIELD, .what = META_FHIR, .type = type,
                                         .name = fhir_types[type].name, .args = META_ID_ARGS });
        add_searches(arena, &list, r, META_SEARCH_ARGS);
    }
    return list;
}

static struct meta_list connection_fields(struct arena *arena, uint16_t type)
{
    static const struct { const char *name, *scalar; } rows[] = {
        { "count", "Int" }, { "offset", "Int" }, { "pagesize", "Int" }, { "first", "ID" },
        { "previous", "ID" }, { "next", "ID" }, { "last", "ID" },
    };
    struct meta_list list = { 0 };
    for (size_t i = 0; i < COUNT(rows); i++)
        add(arena, &list, scalar_field(str_of(rows[i].name), rows[i].scalar));
    add(arena, &list, (struct meta){ .kind = META_FIELD, .what = META_EDGE, .type = type,
                                     .list = true, .name = S("edges") });
    return list;
}

static struct meta_list edge_fields(struct arena *arena, uint16_t type)
{
    struct meta_list list = { 0 };
    add(arena, &list, scalar_field(S("mode"), "code"));
    add(arena, &list, scalar_field(S("score"), "decimal"));
    add(arena, &list, (struct meta){ .kind = META_FIELD, .what = META_FHIR, .type = type,
                                     .name = S("resource") });
    return list;
}

struct meta_list meta_fields(struct arena *arena, const struct meta *type)
{
    if (!type->required && !type->list)
        switch (type->what) {
        case META_FHIR: return fhir_fields(arena, type->type);
        case META_QUERY: return query_fields(arena);
        case META_CONNECTION: return connection_fields(arena, type->type);
        case META_EDGE: return edge_fields(arena, type->type);
        case META_SCALAR: break;
        }
    return (struct meta_list){ 0 };
}

struct meta meta_type_of(const struct meta *thing)
{
    return (struct meta){ .kind = META_TYPE, .what = thing->what, .type = thing->type,
                          .list = thing->list, .required = thing->required,
                          .scalar = thing->scalar };
}

/* ---- arguments ---- */

static void add_input(struct arena *arena, struct meta_list *list, str name, const char *scalar)
{
    add(arena, list, (struct meta){ .kind = META_INPUT, .what = META_SCALAR, .name = name,
                                    .scalar = str_of(scalar) });
}

/* Each search parameter takes several values: all of them must hold. */
static void add_search(struct arena *arena, struct meta_list *list, uint16_t type)
{
    struct fhir_param_range range = fhir_resource_params[fhir_types[type].resource];
    for (uint16_t p = range.from; p < range.from + range.count; p++) {
        add_input(arena, list, argument_name(arena, fhir_params[p].code), "String");
        list->items[list->count - 1].list = true;
    }
}

/* Items of a list are chosen by what stands in them. */
static void add_choice(struct arena *arena, struct meta_list *list, const struct meta *field)
{
    const struct fhir_type *t = &fhir_types[field->type];
    add_input(arena, list, S("fhirpath"), "String");
    add_input(arena, list, S("_offset"), "Int");
    add_input(arena, list, S("_count"), "Int");
    for (uint16_t e = 0; t->kind != FHIR_PRIMITIVE && e < t->elements_count; e++)
        if (fhir_types[t->elements[e].type].kind == FHIR_PRIMITIVE && t->elements[e].max == 1)
            add_input(arena, list, t->elements[e].json_name, "String");
}

struct meta_list meta_args(struct arena *arena, const struct meta *thing)
{
    struct meta_list list = { 0 };
    bool searches = thing->args == META_SEARCH_ARGS || thing->args == META_REVERSE_ARGS;
    if (thing->args == META_REVERSE_ARGS || thing->args == META_ID_ARGS ||
        thing->args == META_IF_ARGS || thing->args == META_PATH_ARGS) {
        add_input(arena, &list, thing->args == META_ID_ARGS ? S("id")
                                : thing->args == META_IF_ARGS ? S("if")
                                : thing->args == META_PATH_ARGS ? S("path") : S("_reference"),
                  thing->args == META_IF_ARGS ? "Boolean"
                  : thing->args == META_ID_ARGS ? "ID" : "String");
        list.items[0].required = true;
    }
    if (thing->args == META_SEARCH_ARGS)
        add_search(arena, &list, thing->type);
    if (searches) {
        add_input(arena, &list, S("_count"), "Int");
        add_input(arena, &list, S("_sort"), "String");
    }
    if (searches && thing->connection)
        add_input(arena, &list, S("_cursor"), "ID");
    if (thing->args == META_LIST_ARGS)
        add_choice(arena, &list, thing);
    if (thing->args == META_RESOURCE_ARGS) {
        add_input(arena, &list, S("type"), "code");
        add_input(arena, &list, S("optional"), "Boolean");
    }
    return list;
}

struct meta_list meta_directives(struct arena *arena)
{
    static const struct { const char *name; enum meta_arguments args; } rows[] = {
        { "skip", META_IF_ARGS }, { "include", META_IF_ARGS }, { "flatten", META_NO_ARGS },
        { "first", META_NO_ARGS }, { "singleton", META_NO_ARGS }, { "slice", META_PATH_ARGS },
    };
    struct meta_list list = { 0 };
    for (size_t i = 0; i < COUNT(rows); i++)
        add(arena, &list, (struct meta){ .kind = META_DIRECTIVE, .name = str_of(rows[i].name),
                                         .args = rows[i].args });
    return list;
}
