/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/snapshot.h"
#include "rest/structure.h"
#include "rest/op.h"

/*
 * StructureDefinition $snapshot: all the elements a profile's differential stands for.
 *
 * Source   hl7.org/fhir/R4/structuredefinition-operation-snapshot.html.
 */
static const char core[] = "http://hl7.org/fhir/StructureDefinition/";

static err find(struct ctx *cx, const struct snapshot_source *source, str url, str *out)
{
    return structure_find(cx, source->self, url, out);
}

/* R4's own types are carried as their elements alone. */
static str core_definition(struct ctx *cx, uint16_t type)
{
    static const char *const kinds[] = { [FHIR_RESOURCE] = "resource",
        [FHIR_COMPLEX] = "complex-type", [FHIR_BACKBONE] = NULL,
        [FHIR_PRIMITIVE] = "primitive-type" };
    const struct fhir_type *t = &fhir_types[type];
    str elements = snapshot_of_core(cx, t->name);
    struct buf buf = buf_make(cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    if (!str_given(elements) || !kinds[t->kind])
        return (str){ 0 };
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("StructureDefinition"));
    json_put_str(&w, "id", t->name);
    json_put_str(&w, "url", arena_printf(cx->arena, "%s%.*s", core, STR_ARG(t->name)));
    json_put_str(&w, "version", S("4.0.1"));
    json_put_str(&w, "name", t->name);
    json_put_str(&w, "status", S("active"));
    json_put_str(&w, "kind", str_of(kinds[t->kind]));
    json_put_bool(&w, "abstract", t->is_abstract);
    json_put_str(&w, "type", t->name);
    if (t->base != FHIR_NONE) {
        json_put_str(&w, "baseDefinition", arena_printf(cx->arena, "%s%.*s", core,
                                                        STR_ARG(fhir_types[t->base].name)));
        json_put_str(&w, "derivation", S("specialization"));
    }
    json_key(&w, "snapshot");
    json_open(&w, '{');
    json_put_raw(&w, "element", elements);
    json_close(&w, '}');
    json_close(&w, '}');
    return buf_str(&buf);
}

static err by_url(const struct operation_ask *ask, str url, str *out)
{
    struct ctx *cx = ask->call->cx;
    str bare = str_slice(url, 0, str_find_char(url, '|'));
    if (str_starts(bare, str_of(core))) {
        uint16_t type = fhir_type_find(str_slice(bare, sizeof core - 1, bare.n));
        *out = type == FHIR_NONE ? (str){ 0 } : core_definition(cx, type);
        if (str_given(*out))
            return ERR_OK;
    }
    err got = structure_find(cx, ask->call->store, url, out);
    return got == ERR_NOT_FOUND
               ? ctx_failf(cx, ERR_NOT_FOUND, S("url"), "this server has no StructureDefinition "
                           "%.*s: post it, or add its package by frontline package add",
                           STR_ARG(str_slice(url, 0, 300))) : got;
}

/* In the body, alone or as `definition`; stored here; or by url. */
static err find_definition(const struct operation_ask *ask, struct json *out)
{
    struct ctx *cx = ask->call->cx;
    struct json given = operation_resource(ask, "definition");
    bool bare = json_string_is(json_get(ask->parameters, S("resourceType")),
                               S("StructureDefinition"));
    str url = operation_text(ask, "url"), text;
    struct store_version stored;
    *out = bare ? ask->parameters : given;
    if (bare || json_string_is(json_get(given, S("resourceType")), S("StructureDefinition")))
        return ERR_OK;
    if (str_given(ask->id)) {
        TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &stored));
        return json_parse(cx, stored.body, out);
    }
    if (!url.n)
        return ctx_fail(cx, ERR_INVALID, S("definition"),
                        S("say which: definition, a StructureDefinition in the body, url, or "
                          "/StructureDefinition/ID/$snapshot"));
    TRY(by_url(ask, url, &text));
    return json_parse(cx, text, out);
}

err op_snapshot(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct snapshot_source source = { .find = find, .self = ask->call->store };
    struct json definition;
    TRY(store_reader(cx, ask->call->store));
    TRY(find_definition(ask, &definition));
    return snapshot_make(cx, &source, definition, &out->body);
}
