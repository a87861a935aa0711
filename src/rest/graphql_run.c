/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql_run.h"
#include "rest/graphql_schema.h"
#include "fhir/path.h"

struct graphql_out *graphql_child(struct graphql_run *run, struct graphql_out *parent, str key)
{
    struct graphql_out *child = arena_zero(run->cx->arena, sizeof *child);
    child->key = key;
    child->raw = S("null");
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    return child;
}

/* One response key stands once: a second field of that key adds to the first. */
struct graphql_out *graphql_member(struct graphql_run *run, struct graphql_out *parent, str key)
{
    for (struct graphql_out *at = parent->first; at; at = at->next)
        if (str_eq(at->key, key))
            return at;
    return graphql_child(run, parent, key);
}

err graphql_spend(struct graphql_run *run, size_t cost)
{
    run->cost += cost;
    if (run->cost > GRAPHQL_COST_MAX)
        return ctx_failf(run->cx, ERR_LIMIT, S("query"), "this GraphQL query costs more than %d "
                         "fields and resources; ask for less", GRAPHQL_COST_MAX);
    return ctx_late(run->cx);
}

static err unknown(struct graphql_run *run, const char *what, str name, str where)
{
    return ctx_failf(run->cx, ERR_INVALID, S("query"), "there is no %s %.*s%s%.*s", what,
                     STR_ARG(str_slice(name, 0, 100)), where.n ? " in " : "", STR_ARG(where));
}

/* ---- variables and directives ------------------------------------------------------------- */

err graphql_resolve(struct graphql_run *run, const struct graphql_value **value)
{
    const struct graphql_value *v = *value;
    if (!v || v->kind != GRAPHQL_VARIABLE)
        return ERR_OK;
    const struct graphql_argument *declared = run->operation->defaults;
    while (declared && !str_eq(declared->name, v->text))
        declared = declared->next;
    if (!declared)
        return unknown(run, "variable", v->text, (str){ 0 });
    struct json given = json_get(run->ask->variables, v->text);
    *value = declared->value;
    if (json_is(given, JSON_ABSENT))
        return ERR_OK;
    struct graphql_value *made = arena_zero(run->cx->arena, sizeof *made);
    made->kind = json_is(given, JSON_NULL) ? GRAPHQL_NULL
               : json_is(given, JSON_STRING) ? GRAPHQL_STRING : GRAPHQL_SCALAR;
    made->text = json_string(run->cx->arena, given);
    if (json_is(given, JSON_ARRAY)) {
        struct graphql_value **last = &made->items;
        made->kind = GRAPHQL_LIST;
        for (struct json_walk w = json_walk(given); json_next(&w); last = &(*last)->next) {
            *last = arena_zero(run->cx->arena, sizeof **last);
            (*last)->kind = GRAPHQL_STRING;
            (*last)->text = json_string(run->cx->arena, w.value);
        }
    }
    *value = made;
    return ERR_OK;
}

static err argument_of(struct graphql_run *run, const struct graphql_argument *list,
                       const char *name, str *out)
{
    *out = (str){ 0 };
    for (; list; list = list->next) {
        const struct graphql_value *value = list->value;
        if (!str_eq(list->name, str_of(name)))
            continue;
        TRY(graphql_resolve(run, &value));
        if (value && value->kind != GRAPHQL_NULL && value->kind != GRAPHQL_LIST)
            *out = value->text.p ? value->text : S("");
    }
    return ERR_OK;
}

err graphql_argument(struct graphql_run *run, const struct graphql_selection *field,
                     const char *name, str *out)
{
    return argument_of(run, field->arguments, name, out);
}

struct effects {
    bool left_out, first, flatten, singleton;
    str slice;
    uint64_t index;              /* of the item at hand, for $index */
};

static err take_directive(struct graphql_run *run, const struct graphql_directive *d,
                          struct effects *out)
{
    str text;
    bool skip = str_eq(d->name, S("skip"));
    if (skip || str_eq(d->name, S("include"))) {
        TRY(argument_of(run, d->arguments, "if", &text));
        if (!str_eq(text, S("true")) && !str_eq(text, S("false")))
            return ctx_failf(run->cx, ERR_INVALID, S("query"), "@%.*s needs if: true or false",
                             STR_ARG(d->name));
        out->left_out = out->left_out || str_eq(text, skip ? S("true") : S("false"));
        return ERR_OK;
    }
    if (str_eq(d->name, S("slice"))) {
        TRY(argument_of(run, d->arguments, "path", &out->slice));
        return str_given(out->slice) && out->slice.n
                   ? ERR_OK : ctx_fail(run->cx, ERR_INVALID, S("query"),
                                       S("@slice needs path: a FHIRPath expression, or $index"));
    }
    bool *flag = str_eq(d->name, S("first")) ? &out->first
               : str_eq(d->name, S("flatten")) ? &out->flatten
               : str_eq(d->name, S("singleton")) ? &out->singleton : NULL;
    if (!flag)
        return unknown(run, "directive", d->name, (str){ 0 });
    *flag = true;
    return ERR_OK;
}

static err effects_of(struct graphql_run *run, const struct graphql_selection *s,
                      struct effects *out)
{
    *out = (struct effects){ 0 };
    for (const struct graphql_directive *d = s->directives; d; d = d->next)
        TRY(take_directive(run, d, out));
    return ERR_OK;
}

err graphql_is_left_out(struct graphql_run *run, const struct graphql_selection *s, bool *out)
{
    struct effects effects;
    TRY(effects_of(run, s, &effects));
    *out = effects.left_out;
    return ERR_OK;
}

/* ---- elements ---------------------------------------------------------------------------- */

static err path_holds(struct graphql_run *run, struct json item, uint16_t type, str expression,
                      bool *out)
{
    const struct path *path;
    struct path_result result;
    struct path_run with = { .input = item, .input_type = type };
    TRY(path_compile(run->cx, expression, &path));
    TRY(path_eval(run->cx, path, &with, &result));
    return path_truth(run->cx, &result, false, out);
}

/* name(use: official), telecom(fhirpath: "rank = 1"): items where all of it holds. */
static err item_fits(struct graphql_run *run, struct json item, uint16_t type,
                     const struct graphql_selection *field, bool *out)
{
    *out = true;
    for (const struct graphql_argument *a = field->arguments; a && *out; a = a->next) {
        str text, name = a->name;
        if (str_eq(name, S("_count")) || str_eq(name, S("_offset")))
            continue;
        TRY(argument_of(run, a, arena_cstr(run->cx->arena, name), &text));
        if (str_eq(name, S("fhirpath"))) {
            TRY(path_holds(run, item, type, text, out));
            continue;
        }
        if (type != FHIR_NONE && !fhir_element_find(type, name))
            return unknown(run, "element for the argument", name, fhir_types[type].name);
        struct json have = json_get(item, name);
        *out = str_given(text) && str_eq(json_string(run->cx->arena, have), text);
    }
    return ERR_OK;
}

static err write_item(struct graphql_run *run, struct graphql_node node,
                      const struct graphql_selection *field, struct graphql_out *out)
{
    TRY(graphql_spend(run, 1));
    bool object = json_is(node.value, JSON_OBJECT);
    if (object != (field->selections != NULL))
        return ctx_failf(run->cx, ERR_INVALID, S("query"), object
                         ? "%.*s has elements of its own: say which, as %.*s { ... }"
                         : "%.*s is a plain value and takes no { ... } (%.*s)",
                         STR_ARG(field->name), STR_ARG(field->name));
    if (!object) {
        out->kind = OUT_RAW;
        out->raw = json_text(node.value);
        return ERR_OK;
    }
    out->kind = OUT_OBJECT;
    return graphql_select(run, node, field->selections, out);
}

static err window_of(struct graphql_run *run, const struct graphql_selection *field,
                     const struct effects *effects, uint64_t *from, uint64_t *count)
{
    str text;
    *from = 0;
    *count = effects->first ? 1 : UINT64_MAX;
    TRY(graphql_argument(run, field, "_offset", &text));
    if (str_given(text) && !str_to_u64(text, from))
        return ctx_fail(run->cx, ERR_INVALID, S("query"), S("_offset takes a whole number"));
    TRY(graphql_argument(run, field, "_count", &text));
    if (str_given(text) && !str_to_u64(text, count))
        return ctx_fail(run->cx, ERR_INVALID, S("query"), S("_count takes a whole number"));
    return ERR_OK;
}

static err several(struct graphql_run *run, str key)
{
    return ctx_failf(run->cx, ERR_RULE, S("query"), "%.*s is marked @singleton and has more than "
                     "one value here; add @first, or leave @singleton out", STR_ARG(key));
}

/* A value that stays one, though its parent is flattened away. */
static err lift_single(struct graphql_run *run, const struct graphql_out *at,
                       struct graphql_out *to)
{
    if (at->kind == OUT_RAW && str_eq(at->raw, S("null")))
        return ERR_OK;
    if (to->kind != OUT_RAW || !str_eq(to->raw, S("null")))
        return several(run, at->key);
    to->kind = at->kind, to->raw = at->raw, to->single = true;
    to->first = at->first, to->last = at->last;
    return ERR_OK;
}

/* Values of flattened items become lists of their parent. */
static err lift(struct graphql_run *run, struct graphql_out *from, struct graphql_out *parent)
{
    for (struct graphql_out *at = from->first; at; at = at->next) {
        struct graphql_out *list = graphql_member(run, parent, at->key);
        if (at->single) {
            TRY(lift_single(run, at, list));
            continue;
        }
        list->kind = OUT_LIST;
        if (at->kind == OUT_RAW && str_eq(at->raw, S("null")))
            continue;
        if (at->kind == OUT_LIST) {
            for (struct graphql_out *item = at->first; item; item = item->next) {
                struct graphql_out *copy = graphql_child(run, list, (str){ 0 });
                copy->kind = item->kind, copy->raw = item->raw;
                copy->first = item->first, copy->last = item->last;
            }
            continue;
        }
        struct graphql_out *copy = graphql_child(run, list, (str){ 0 });
        copy->kind = at->kind, copy->raw = at->raw;
        copy->first = at->first, copy->last = at->last;
    }
    return ERR_OK;
}

/* *key becomes "key.value": the value of the path, or with $index the item's place. */
static err slice_key(struct graphql_run *run, const struct graphql_node *item,
                     const struct effects *effects, str *key)
{
    const struct path *path;
    struct path_result result;
    struct path_run with = { .input = item->value, .input_type = item->type };
    if (str_eq(effects->slice, S("$index"))) {
        *key = arena_printf(run->cx->arena, "%.*s.%llu", STR_ARG(*key),
                            (unsigned long long)effects->index);
        return ERR_OK;
    }
    TRY(path_compile(run->cx, effects->slice, &path));
    TRY(path_eval(run->cx, path, &with, &result));
    str text = result.count ? path_item_text(run->cx->arena, &result.items[0]) : (str){ 0 };
    *key = arena_printf(run->cx->arena, "%.*s.%.*s", STR_ARG(*key), STR_ARG(text));
    return ERR_OK;
}

static err write_one(struct graphql_run *run, struct graphql_node item,
                     const struct graphql_selection *field, const struct effects *effects,
                     struct graphql_out *parent, bool as_list)
{
    str key = field->alias;
    if (effects->flatten) {
        struct graphql_out apart = { 0 };
        TRY(write_item(run, item, field, &apart));
        return lift(run, &apart, parent);
    }
    if (effects->slice.n) {
        TRY(slice_key(run, &item, effects, &key));
        as_list = false;
    }
    struct graphql_out *out = graphql_member(run, parent, key);
    if (as_list) {
        out->kind = OUT_LIST;
        out = graphql_child(run, out, (str){ 0 });
    }
    return write_item(run, item, field, out);
}

static err write_element(struct graphql_run *run, struct graphql_node node,
                         const struct graphql_selection *field, struct graphql_out *parent)
{
    struct effects effects;
    str name = field->name;
    bool twin = name.n && name.p[0] == '_';
    const struct fhir_element *element =
        node.type == FHIR_NONE ? NULL
                               : fhir_element_find(node.type, twin ? str_slice(name, 1, name.n)
                                                                   : name);
    if (node.type != FHIR_NONE && !element)
        return unknown(run, "field", name, fhir_types[node.type].name);
    TRY(effects_of(run, field, &effects));
    uint16_t type = !element ? FHIR_NONE : twin ? fhir_type_find(S("Element")) : element->type;
    struct json value = json_get(node.value, name);
    bool list = (element && element->max > 1) || json_is(value, JSON_ARRAY);
    uint64_t from, count, seen = 0;
    TRY(window_of(run, field, &effects, &from, &count));
    if (!effects.flatten && !effects.slice.n)
        graphql_member(run, parent, field->alias)->single = effects.singleton;
    if (!json_is(value, JSON_ARRAY) && !json_is(value, JSON_ABSENT)) {
        bool fits;
        TRY(item_fits(run, value, type, field, &fits));
        return fits ? write_one(run, (struct graphql_node){ value, type }, field, &effects, parent,
                                list && !effects.singleton) : ERR_OK;
    }
    for (struct json_walk w = json_walk(value); json_next(&w) && count;) {
        bool fits;
        TRY(item_fits(run, w.value, type, field, &fits));
        if (!fits || json_is(w.value, JSON_NULL) || seen++ < from)
            continue;
        count--;
        effects.index = seen - 1;
        if (effects.index > from && effects.singleton && !effects.flatten)
            return several(run, name);
        TRY(write_one(run, (struct graphql_node){ w.value, type }, field, &effects, parent,
                      !effects.singleton && !effects.first));
    }
    return ERR_OK;
}

/* ---- selections -------------------------------------------------------------------------- */

/* An inner resource (contained, or behind a reference) says its own type. */
static uint16_t type_of(struct graphql_node node)
{
    struct json named = json_get(node.value, S("resourceType"));
    if (!json_is(named, JSON_STRING))
        return node.type;
    return fhir_type_find(str_slice(json_text(named), 1, json_text(named).n - 1));
}

static bool concerns(uint16_t type, str on)
{
    uint16_t wanted = fhir_type_find(on);
    wanted = wanted == FHIR_NONE ? graphql_type_find(on) : wanted;
    return !on.n || type == FHIR_NONE || (wanted != FHIR_NONE && fhir_type_is(type, wanted));
}

static err write_field(struct graphql_run *run, struct graphql_node node,
                       const struct graphql_selection *field, struct graphql_out *out)
{
    bool done = false;
    str name = field->name;
    if (str_eq(name, S("__typename")) || str_eq(name, S("resourceType"))) {
        str type = node.type == FHIR_NONE ? S("Query")
                                          : graphql_type_name(run->cx->arena, node.type);
        graphql_member(run, out, field->alias)->raw =
            arena_printf(run->cx->arena, "\"%.*s\"", STR_ARG(type));
        return graphql_spend(run, 1);
    }
    bool reference = node.type != FHIR_NONE && str_eq(fhir_types[node.type].name, S("Reference"));
    if (reference && str_eq(name, S("resource")))
        return graphql_follow(run, node.value, field, graphql_member(run, out, field->alias));
    bool root = json_is(node.value, JSON_ABSENT) ||
                (node.value.doc == run->ask->root.doc && node.value.at == run->ask->root.at);
    if (root)
        TRY(graphql_schema(run, field, out, &done));
    if (!done)
        TRY(graphql_find(run, node, field, out, &done));
    if (done)
        return ERR_OK;
    if (json_is(node.value, JSON_ABSENT))
        return unknown(run, "field", name, S("the query; it has Patient, PatientList, "
                                             "PatientConnection and the like"));
    return write_element(run, node, field, out);
}

const struct graphql_definition *graphql_fragment(const struct graphql_run *run, str name)
{
    const struct graphql_definition *d = run->ask->document;
    while (d && !(d->fragment && str_eq(d->name, name)))
        d = d->next;
    return d;
}

static err write_spread(struct graphql_run *run, struct graphql_node node,
                        const struct graphql_selection *s, struct graphql_out *out)
{
    if (s->is_inline)
        return concerns(node.type, s->on) ? graphql_select(run, node, s->selections, out) : ERR_OK;
    const struct graphql_definition *d = graphql_fragment(run, s->spread);
    if (d)
        return concerns(node.type, d->on) ? graphql_select(run, node, d->selections, out) : ERR_OK;
    return unknown(run, "fragment", s->spread, (str){ 0 });
}

err graphql_select(struct graphql_run *run, struct graphql_node node,
                   const struct graphql_selection *selections, struct graphql_out *out)
{
    node.type = type_of(node);
    if (++run->depth > GRAPHQL_DEPTH_MAX)
        return ctx_failf(run->cx, ERR_LIMIT, S("query"), "a GraphQL query may nest %d deep",
                         GRAPHQL_DEPTH_MAX);
    for (const struct graphql_selection *s = selections; s; s = s->next) {
        struct effects effects;
        TRY(effects_of(run, s, &effects));
        if (effects.left_out)
            continue;
        TRY(s->name.n ? write_field(run, node, s, out) : write_spread(run, node, s, out));
    }
    run->depth--;
    return ERR_OK;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void write_out(struct json_writer *w, const struct graphql_out *out)
{
    if (out->kind == OUT_RAW) {
        json_raw(w, out->raw);
        return;
    }
    bool object = out->kind == OUT_OBJECT;
    json_open(w, object ? '{' : '[');
    for (const struct graphql_out *at = out->first; at; at = at->next) {
        if (object)
            json_key_str(w, at->key);
        write_out(w, at);
    }
    json_close(w, object ? '}' : ']');
}

static err check_variables(struct graphql_run *run)
{
    for (const struct graphql_argument *a = run->operation->defaults; a; a = a->next) {
        struct json given = json_get(run->ask->variables, a->name);
        bool missing = json_is(given, JSON_NULL) || (json_is(given, JSON_ABSENT) && !a->value);
        if (a->required && missing)
            return ctx_failf(run->cx, ERR_INVALID, S("variables"), "the variable $%.*s must be "
                             "given", STR_ARG(a->name));
    }
    return ERR_OK;
}

static err find_operation(struct graphql_run *run)
{
    size_t count = 0;
    for (const struct graphql_definition *d = run->ask->document; d; d = d->next) {
        bool named = run->ask->operation_name.n > 0;
        if (d->fragment || (named && !str_eq(d->name, run->ask->operation_name)))
            continue;
        run->operation = d;
        count++;
    }
    if (count == 1)
        return check_variables(run);
    return ctx_fail(run->cx, ERR_INVALID, S("operationName"),
                    S("the document must hold one query, or operationName say which"));
}

err graphql_run(const struct graphql_ask *ask, str *out)
{
    struct graphql_run run = { .cx = ask->ask->call->cx, .ask = ask };
    struct graphql_out data = { .kind = OUT_OBJECT };
    struct graphql_node root = { ask->root, FHIR_NONE };
    TRY(find_operation(&run));
    TRY(graphql_select(&run, root, run.operation->selections, &data));
    struct buf buf = buf_make(run.cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "data");
    write_out(&w, &data);
    json_close(&w, '}');
    *out = buf_str(&buf);
    return ERR_OK;
}
