/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"

/* Source   FHIR R4 hl7.org/fhir/R4/fhirpath.html#functions; type(), is(), as(), ofType(): FHIRPath
 *          sections 5.10 and 6.3; getResourceKey(), getReferenceKey(): SQL on FHIR v2. */

/* ---- types ---- */

static err check_type(struct path_machine *m, const struct path_type_name *type)
{
    bool known = type->fhir != FHIR_NONE || type->system >= 0;
    if (known || type->space == PATH_SYSTEM || m->run->untyped)
        return ERR_OK;
    return path_fail(m, ERR_RULE, "there is no type %.*s", STR_ARG(type->name));
}

static err run_is(struct path_machine *m, struct path_call *call)
{
    TRY(check_type(m, &call->code->type));
    if (call->in.count == 0)
        return ERR_OK;
    return path_push_bool(m, path_item_is(&m->stack[call->in.from], &call->code->type, false));
}

static err keep_type(struct path_machine *m, struct path_call *call)
{
    struct path_type_name type = call->code->type;
    if (m->run->for_view)
        path_type_for_view(m->cx->arena, &type);
    TRY(check_type(m, &type));
    for (uint32_t i = 0; i < call->in.count; i++) {
        const struct path_item *item = &m->stack[call->in.from + i];
        if (path_item_is(item, &type, true))
            TRY(path_push(m, *item));
    }
    return ERR_OK;
}

static err run_as(struct path_machine *m, struct path_call *call)
{
    if (call->in.count > 1 && !m->run->lenient)
        return path_fail(m, ERR_RULE, "as() works on one item, found %u", call->in.count);
    return keep_type(m, call);
}

static err run_type(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        str name = path_item_type_name(m->cx->arena, &m->stack[call->in.from + i]);
        size_t dot = str_find_char(name, '.');
        struct path_item type = { .kind = PATH_TYPE, .type = FHIR_NONE,
                                  .text = str_slice(name, 0, dot),
                                  .unit = str_slice(name, dot + 1, name.n) };
        TRY(path_push(m, type));
    }
    return ERR_OK;
}

/* ---- elements ---- */

static err run_extension(struct path_machine *m, struct path_call *call)
{
    str url = S("");
    bool given;
    TRY(path_arg_string(m, call, 0, &url, &given));
    for (uint32_t i = 0; given && i < call->in.count; i++) {
        const struct path_item *item = &m->stack[call->in.from + i];
        bool primitive = item->kind == PATH_NODE && item->type != FHIR_NONE &&
                         fhir_types[item->type].kind == FHIR_PRIMITIVE;
        struct json list = item->kind != PATH_NODE
                               ? (struct json){ 0 }
                               : json_get(primitive ? item->extra : item->node, S("extension"));
        struct path_item extension = { .kind = PATH_NODE, .name = S("extension"),
                                       .type = item->type == FHIR_NONE
                                                   ? FHIR_NONE
                                                   : fhir_type_find(S("Extension")) };
        for (struct json_walk w = json_walk(list); json_next(&w);) {
            extension.node = w.value;
            TRY(path_step(m, 1));
            if (json_string_is(json_get(w.value, S("url")), url))
                TRY(path_push(m, extension));
        }
    }
    return ERR_OK;
}

static err run_has_value(struct path_machine *m, struct path_call *call)
{
    struct path_item value;
    const struct path_item *item = &m->stack[call->in.from];
    bool single = call->in.count == 1 && path_value(m->cx, item, &value);
    bool primitive = single && (item->kind != PATH_NODE || value.kind != PATH_QUANTITY);
    if (str_eq(call->code->name, S("hasValue")))
        return path_push_bool(m, primitive);
    return primitive ? path_push(m, value) : ERR_OK;
}

static err run_html_checks(struct path_machine *m, struct path_call *call)
{
    return call->in.count ? path_push_bool(m, true) : ERR_OK;
}

/* The input as it is, unless a modifier extension not in the list stands on it. */
static err run_check_modifiers(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item item = m->stack[call->in.from + i];
        struct json list = item.kind == PATH_NODE ? json_get(item.node, S("modifierExtension"))
                                                  : (struct json){ 0 };
        for (struct json_walk w = json_walk(list); json_next(&w);) {
            bool allowed = false;
            for (size_t k = 0; k < call->code->args_count && !allowed; k++) {
                str url = S("");
                bool given;
                TRY(path_arg_string(m, call, k, &url, &given));
                allowed = given && json_string_is(json_get(w.value, S("url")), url);
            }
            if (!allowed)
                return path_fail(m, ERR_RULE, "an unknown modifier extension stands here");
        }
    }
    call->out = call->in.from;
    return ERR_OK;
}

/* ---- references ---- */

static str reference_text(struct path_machine *m, const struct path_item *item)
{
    struct path_item value;
    if (item->kind == PATH_NODE && json_is(item->node, JSON_OBJECT))
        return json_string(m->cx->arena, json_get(item->node, S("reference")));
    if (path_value(m->cx, item, &value) && value.kind == PATH_STRING)
        return value.text;
    return (str){ 0 };
}

static struct json find_contained(struct path_machine *m, str id)
{
    const struct json places[] = { path_place(m, false).node, path_place(m, true).node };
    for (size_t i = 0; i < COUNT(places); i++) {
        if (id.n == 0 || json_string_is(json_get(places[i], S("id")), id))
            return places[i];
        struct json_walk w = json_walk(json_get(places[i], S("contained")));
        while (json_next(&w))
            if (json_string_is(json_get(w.value, S("id")), id))
                return w.value;
    }
    return (struct json){ 0 };
}

static bool is_entry(struct path_machine *m, struct json entry, str reference)
{
    if (json_string_is(json_get(entry, S("fullUrl")), reference))
        return true;
    struct json resource = json_get(entry, S("resource"));
    str type = json_string(m->cx->arena, json_get(resource, S("resourceType")));
    str id = json_string(m->cx->arena, json_get(resource, S("id")));
    return type.n && id.n && reference.n == type.n + 1 + id.n && str_starts(reference, type) &&
           reference.p[type.n] == '/' && str_ends(reference, id);
}

/* Within the input alone: contained resources, and the entries of a Bundle. */
static struct json find_within(struct path_machine *m, str reference)
{
    if (reference.n && reference.p[0] == '#')
        return find_contained(m, str_slice(reference, 1, reference.n));
    struct json root = path_place(m, true).node;
    if (json_string_is(json_get(root, S("resourceType")), S("Bundle")))
        for (struct json_walk w = json_walk(json_get(root, S("entry"))); json_next(&w);)
            if (is_entry(m, w.value, reference))
                return json_get(w.value, S("resource"));
    return (struct json){ 0 };
}

/* The type and id a reference's text names: "Patient/1", ".../Patient/1/_history/2". */
static bool reference_parts(str reference, str *type, str *id)
{
    size_t history = str_find(reference, S("/_history/"));
    reference = str_slice(reference, 0, history);
    size_t slash = reference.n;
    while (slash > 0 && reference.p[slash - 1] != '/')
        slash--;
    if (slash == 0 || slash == reference.n)
        return false;
    *id = str_slice(reference, slash, reference.n);
    size_t from = slash - 1;
    while (from > 0 && reference.p[from - 1] != '/')
        from--;
    *type = str_slice(reference, from, slash - 1);
    return fhir_resource_find(*type) != FHIR_NONE;
}

static err resolve_one(struct path_machine *m, str reference)
{
    const struct path_host *host = m->run->host;
    str type, id;
    struct json found = find_within(m, reference);
    if (!found.doc && host && host->resolve)
        found = host->resolve(m->cx, host, reference);
    if (found.doc)
        return path_push(m, path_item_of(found, FHIR_NONE));
    if (!m->run->lenient || !reference_parts(reference, &type, &id))
        return ERR_OK;
    /* Not at hand, but its text tells its type: enough for `resolve() is Patient`. */
    struct path_item named = { .kind = PATH_NODE, .name = S(""), .type = fhir_type_find(type) };
    return path_push(m, named);
}

static err run_resolve(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item item = m->stack[call->in.from + i];
        str reference = reference_text(m, &item);
        TRY(path_step(m, 10));
        if (reference.n)
            TRY(resolve_one(m, reference));
    }
    return ERR_OK;
}

static err run_resource_key(struct path_machine *m, struct path_call *call)
{
    for (uint32_t i = 0; i < call->in.count; i++) {
        const struct path_item *item = &m->stack[call->in.from + i];
        if (item->kind != PATH_NODE)
            continue;
        str id = json_string(m->cx->arena, json_get(item->node, S("id")));
        if (str_given(id))
            TRY(path_push_text(m, PATH_STRING, id));
    }
    return ERR_OK;
}

static err run_reference_key(struct path_machine *m, struct path_call *call)
{
    const struct path_type_name *wanted = &call->code->type;
    bool typed = call->code->args_count > 0;
    if (typed)
        TRY(check_type(m, wanted));
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_item item = m->stack[call->in.from + i];
        str reference = reference_text(m, &item), type = S(""), id = S("");
        if (!reference.n || reference.p[0] == '#')
            continue;
        if (!reference_parts(reference, &type, &id)) {
            if (typed || !str_starts(reference, S("urn:")))
                continue;
            id = str_slice(reference, str_starts(reference, S("urn:uuid:")) ? 9 : 0, reference.n);
        }
        if (!typed || str_eq(type, wanted->name))
            TRY(path_push_text(m, PATH_STRING, id));
    }
    return ERR_OK;
}

/* ---- what the host knows ---- */

static err run_member_of(struct path_machine *m, struct path_call *call)
{
    const struct path_host *host = m->run->host;
    str value_set = S("");
    bool given, truth = false;
    TRY(path_arg_string(m, call, 0, &value_set, &given));
    if (!given || call->in.count == 0 || !host || !host->member_of)
        return ERR_OK;
    err got = host->member_of(m->cx, host, m->stack[call->in.from], value_set, &truth);
    if (got == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(got);
    return path_push_bool(m, truth);
}

static err run_subsumes(struct path_machine *m, struct path_call *call)
{
    const struct path_host *host = m->run->host;
    struct path_span other;
    bool truth = false;
    TRY(path_exec_span(m, path_arg(call->code, 0), &other));
    call->out = m->top;
    if (call->in.count != 1 || other.count != 1 || !host || !host->subsumes)
        return ERR_OK;
    struct path_item a = m->stack[call->in.from], b = m->stack[other.from];
    bool by = str_eq(call->code->name, S("subsumedBy"));
    err got = host->subsumes(m->cx, host, by ? b : a, by ? a : b, &truth);
    if (got == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(got);
    return path_push_bool(m, truth);
}

/* Core definitions are decided by the type alone where no host validates. */
static err run_conforms_to(struct path_machine *m, struct path_call *call)
{
    static const char core[] = "http://hl7.org/fhir/StructureDefinition/";
    const struct path_host *host = m->run->host;
    const struct path_item item = m->stack[call->in.from];
    str profile = S("");
    bool given, truth = false;
    TRY(path_arg_string(m, call, 0, &profile, &given));
    if (!given || call->in.count == 0 || item.kind != PATH_NODE)
        return ERR_OK;
    bool is_core = str_starts(profile, str_of(core));
    uint16_t type = is_core ? fhir_type_find(str_slice(profile, sizeof core - 1, profile.n))
                            : FHIR_NONE;
    if (type != FHIR_NONE && (item.type == FHIR_NONE || !fhir_type_is(item.type, type)))
        return path_push_bool(m, false);
    if (host && host->conforms) {
        TRY(host->conforms(m->cx, host, item.node, profile, &truth));
        return path_push_bool(m, truth);
    }
    if (type == FHIR_NONE)
        return path_fail(m, ERR_RULE, "the profile %.*s is not known", STR_ARG(profile));
    return path_push_bool(m, true);
}

/* clang-format off */
const struct path_function path_functions_fhir[] = {
    { "is", 1, 1, run_is, PATH_SINGLE | PATH_TYPE_ARG, "Boolean" },
    { "as", 1, 1, run_as, PATH_TYPE_ARG, "type" },
    { "ofType", 1, 1, keep_type, PATH_TYPE_ARG, "type" },
    { "type", 0, 0, run_type, 0, "any" },
    { "extension", 1, 1, run_extension, 0, "Extension" },
    { "hasValue", 0, 0, run_has_value, 0, "Boolean" },
    { "getValue", 0, 0, run_has_value, 0, "any" },
    { "htmlChecks", 0, 0, run_html_checks, 0, "Boolean" },
    { "checkModifiers", 1, PATH_ARGS_MAX, run_check_modifiers, 0, "in" },
    { "resolve", 0, 0, run_resolve, 0, "any" },
    { "getResourceKey", 0, 0, run_resource_key, 0, "String" },
    { "getReferenceKey", 0, 1, run_reference_key, PATH_TYPE_ARG, "String" },
    { "memberOf", 1, 1, run_member_of, PATH_SINGLE, "Boolean" },
    { "subsumes", 1, 1, run_subsumes, 0, "Boolean" },
    { "subsumedBy", 1, 1, run_subsumes, 0, "Boolean" },
    { "conformsTo", 1, 1, run_conforms_to, PATH_SINGLE, "Boolean" },
    { 0 },
};
