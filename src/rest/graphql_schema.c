/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql_schema.h"
#include "rest/graphql_types.h"

/*
 * Introspection proper: selections over the objects of graphql_types.c. A row of `fields` is a
 * field of one of GraphQL's own types and the function that answers it.
 */
enum value_kind { VALUE_NULL, VALUE_RAW, VALUE_OBJECT, VALUE_LIST };
struct value {
    enum value_kind kind;
    str raw;
    const struct meta *items;
    size_t count;
};

static struct value raw(str text) { return (struct value){ .kind = VALUE_RAW, .raw = text }; }

static struct value flag(bool value) { return raw(value ? S("true") : S("false")); }

static struct value text(struct graphql_run *run, str value)
{
    struct buf buf = buf_make(run->cx->arena, 4096);
    struct json_writer w = json_writer(&buf);
    if (!str_given(value))
        return (struct value){ 0 };
    json_str(&w, value);
    return raw(buf_str(&buf));
}

static struct value one(struct graphql_run *run, struct meta object)
{
    struct meta *copy = arena_alloc(run->cx->arena, sizeof *copy);
    *copy = object;
    return (struct value){ .kind = VALUE_OBJECT, .items = copy, .count = 1 };
}

static struct value many(struct meta_list list)
{
    return (struct value){ .kind = VALUE_LIST, .items = list.items, .count = list.count };
}

static struct value nothing(struct graphql_run *run, const struct meta *m)
{
    (void)run, (void)m;
    return (struct value){ 0 };
}

static struct value no(struct graphql_run *run, const struct meta *m)
{
    (void)run, (void)m;
    return flag(false);
}

/* ---- __Schema ---- */

static struct value schema_types(struct graphql_run *run, const struct meta *m)
{
    (void)m;
    return many(meta_types(run->cx->arena));
}

static struct value schema_query(struct graphql_run *run, const struct meta *m)
{
    (void)m;
    return one(run, (struct meta){ .kind = META_TYPE, .what = META_QUERY });
}

static struct value schema_directives(struct graphql_run *run, const struct meta *m)
{
    (void)m;
    return many(meta_directives(run->cx->arena));
}

/* ---- __Type ---- */

static struct value type_kind(struct graphql_run *run, const struct meta *m)
{
    return text(run, str_of(meta_kind_name(m)));
}

static struct value type_name(struct graphql_run *run, const struct meta *m)
{
    return text(run, meta_name(run->cx->arena, m));
}

static struct value type_fields(struct graphql_run *run, const struct meta *m)
{
    struct meta_list list = meta_fields(run->cx->arena, m);
    return list.count ? many(list) : (struct value){ 0 };
}

static struct value type_interfaces(struct graphql_run *run, const struct meta *m)
{
    return meta_is_object(m) ? many(meta_interfaces(run->cx->arena, m)) : (struct value){ 0 };
}

static struct value type_possible(struct graphql_run *run, const struct meta *m)
{
    struct meta_list list = meta_possible(run->cx->arena, m);
    return list.count ? many(list) : (struct value){ 0 };
}

static struct value type_of(struct graphql_run *run, const struct meta *m)
{
    struct meta inner;
    return meta_unwrap(m, &inner) ? one(run, inner) : (struct value){ 0 };
}

/* ---- __Field, __InputValue, __Directive ---- */

static struct value thing_name(struct graphql_run *run, const struct meta *m)
{
    return text(run, m->name);
}

static struct value thing_type(struct graphql_run *run, const struct meta *m)
{
    return one(run, meta_type_of(m));
}

static struct value field_args(struct graphql_run *run, const struct meta *m)
{
    return many(meta_args(run->cx->arena, m));
}

static struct value directive_locations(struct graphql_run *run, const struct meta *m)
{
    (void)run, (void)m;
    return raw(S("[\"FIELD\",\"FRAGMENT_SPREAD\",\"INLINE_FRAGMENT\"]"));
}

typedef struct value answer(struct graphql_run *run, const struct meta *m);
static const struct {
    enum meta_object kind;
    const char *name;
    answer *answer;
} fields[] = {
    { META_SCHEMA, "description", nothing },       { META_SCHEMA, "types", schema_types },
    { META_SCHEMA, "queryType", schema_query },    { META_SCHEMA, "mutationType", nothing },
    { META_SCHEMA, "subscriptionType", nothing },  { META_SCHEMA, "directives", schema_directives },
    { META_TYPE, "kind", type_kind },              { META_TYPE, "name", type_name },
    { META_TYPE, "description", nothing },         { META_TYPE, "specifiedByURL", nothing },
    { META_TYPE, "fields", type_fields },          { META_TYPE, "interfaces", type_interfaces },
    { META_TYPE, "possibleTypes", type_possible }, { META_TYPE, "enumValues", nothing },
    { META_TYPE, "inputFields", nothing },         { META_TYPE, "ofType", type_of },
    { META_TYPE, "isOneOf", nothing },
    { META_FIELD, "name", thing_name },            { META_FIELD, "description", nothing },
    { META_FIELD, "args", field_args },            { META_FIELD, "type", thing_type },
    { META_FIELD, "isDeprecated", no },            { META_FIELD, "deprecationReason", nothing },
    { META_INPUT, "name", thing_name },            { META_INPUT, "description", nothing },
    { META_INPUT, "type", thing_type },            { META_INPUT, "defaultValue", nothing },
    { META_INPUT, "isDeprecated", no },            { META_INPUT, "deprecationReason", nothing },
    { META_DIRECTIVE, "name", thing_name },        { META_DIRECTIVE, "description", nothing },
    { META_DIRECTIVE, "locations", directive_locations },
    { META_DIRECTIVE, "args", field_args },        { META_DIRECTIVE, "isRepeatable", no },
};
static const char *const kinds[] = {
    [META_SCHEMA] = "__Schema", [META_TYPE] = "__Type", [META_FIELD] = "__Field",
    [META_INPUT] = "__InputValue", [META_DIRECTIVE] = "__Directive",
};

/* ---- selections ---- */

static err spend(struct graphql_run *run)
{
    if (++run->schema_cost > GRAPHQL_SCHEMA_COST_MAX)
        return ctx_failf(run->cx, ERR_LIMIT, S("query"), "this question about the schema has more "
                         "than %d values; ask for less of it", GRAPHQL_SCHEMA_COST_MAX);
    return run->schema_cost % 1024 ? ERR_OK : ctx_late(run->cx);
}

static err select_meta(struct graphql_run *run, const struct meta *m,
                       const struct graphql_selection *selections, struct graphql_out *out);

static err write_objects(struct graphql_run *run, const struct graphql_selection *field,
                         struct value value, struct graphql_out *out)
{
    if (!field->selections)
        return ctx_failf(run->cx, ERR_INVALID, S("query"), "%.*s has fields of its own: say which, "
                         "as %.*s { name }", STR_ARG(field->name), STR_ARG(field->name));
    if (value.kind == VALUE_OBJECT) {
        out->kind = OUT_OBJECT;
        return select_meta(run, value.items, field->selections, out);
    }
    out->kind = OUT_LIST;
    for (size_t i = 0; i < value.count; i++) {
        struct graphql_out *item = graphql_child(run, out, (str){ 0 });
        item->kind = OUT_OBJECT;
        TRY(select_meta(run, &value.items[i], field->selections, item));
    }
    return ERR_OK;
}

static err write_field(struct graphql_run *run, const struct meta *m,
                       const struct graphql_selection *field, struct graphql_out *out)
{
    TRY(spend(run));
    if (str_eq(field->name, S("__typename"))) {
        graphql_member(run, out, field->alias)->raw = text(run, str_of(kinds[m->kind])).raw;
        return ERR_OK;
    }
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (fields[i].kind != m->kind || !str_eq(field->name, str_of(fields[i].name)))
            continue;
        struct value value = fields[i].answer(run, m);
        struct graphql_out *at = graphql_member(run, out, field->alias);
        if (value.kind == VALUE_RAW)
            at->raw = value.raw;
        return value.kind >= VALUE_OBJECT ? write_objects(run, field, value, at) : ERR_OK;
    }
    return ctx_failf(run->cx, ERR_INVALID, S("query"), "there is no field %.*s in %s",
                     STR_ARG(str_slice(field->name, 0, 100)), kinds[m->kind]);
}

static err write_spread(struct graphql_run *run, const struct meta *m,
                        const struct graphql_selection *s, struct graphql_out *out)
{
    const struct graphql_selection *selections = s->selections;
    str on = s->on;
    if (!s->is_inline) {
        const struct graphql_definition *fragment = graphql_fragment(run, s->spread);
        if (!fragment)
            return ctx_failf(run->cx, ERR_INVALID, S("query"), "there is no fragment %.*s",
                             STR_ARG(str_slice(s->spread, 0, 100)));
        selections = fragment->selections;
        on = fragment->on;
    }
    bool concerns = !on.n || str_eq(on, str_of(kinds[m->kind]));
    return concerns ? select_meta(run, m, selections, out) : ERR_OK;
}

static err select_meta(struct graphql_run *run, const struct meta *m,
                       const struct graphql_selection *selections, struct graphql_out *out)
{
    if (++run->depth > GRAPHQL_DEPTH_MAX)
        return ctx_failf(run->cx, ERR_LIMIT, S("query"), "a GraphQL query may nest %d deep",
                         GRAPHQL_DEPTH_MAX);
    for (const struct graphql_selection *s = selections; s; s = s->next) {
        bool left_out;
        TRY(graphql_is_left_out(run, s, &left_out));
        if (!left_out)
            TRY(s->name.n ? write_field(run, m, s, out) : write_spread(run, m, s, out));
    }
    run->depth--;
    return ERR_OK;
}

err graphql_schema(struct graphql_run *run, const struct graphql_selection *field,
                   struct graphql_out *parent, bool *done)
{
    struct value value = { 0 };
    str name = { 0 };
    struct meta found;
    *done = str_eq(field->name, S("__schema")) || str_eq(field->name, S("__type"));
    if (!*done)
        return ERR_OK;
    if (str_eq(field->name, S("__schema"))) {
        value = one(run, (struct meta){ .kind = META_SCHEMA });
    } else {
        TRY(graphql_argument(run, field, "name", &name));
        if (!str_given(name))
            return ctx_fail(run->cx, ERR_INVALID, S("query"), S("__type needs name: \"...\""));
        if (meta_find(name, &found))
            value = one(run, found);
    }
    struct graphql_out *at = graphql_member(run, parent, field->alias);
    return value.kind ? write_objects(run, field, value, at) : ERR_OK;
}
