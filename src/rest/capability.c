/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/capability.h"
#include "base/clock.h"
#include "fhir/def.h"
#include "rest/bulk.h"
#include "rest/call.h"
#include "rest/operation.h"
#include "rest/rest.h"
#include "rest/subscription.h"
#include "store/own_status.h"

/* Written from the same tables the server runs on, so that it cannot differ from the server. */

static void write_codes(struct json_writer *w, const char *key, const char *const *codes,
                        const char *member)
{
    json_key(w, key);
    json_open(w, '[');
    for (; *codes; codes++) {
        if (!member) {
            json_str(w, str_of(*codes));
            continue;
        }
        json_open(w, '{');
        json_put_str(w, member, str_of(*codes));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static const char *const kinds[] = {
    [FHIR_SEARCH_NUMBER] = "number",       [FHIR_SEARCH_DATE] = "date",
    [FHIR_SEARCH_STRING] = "string",       [FHIR_SEARCH_TOKEN] = "token",
    [FHIR_SEARCH_REFERENCE] = "reference", [FHIR_SEARCH_COMPOSITE] = "composite",
    [FHIR_SEARCH_QUANTITY] = "quantity",   [FHIR_SEARCH_URI] = "uri",
    [FHIR_SEARCH_SPECIAL] = "special",
};

/* The server's own search parameters. */
struct own {
    struct own_status *list;
    size_t count;
};

static void write_params(struct json_writer *w, uint16_t resource, const struct own *own)
{
    struct fhir_param_range range = fhir_resource_params[resource];
    json_key(w, "searchParam");
    json_open(w, '[');
    for (uint16_t i = range.from; i < range.from + range.count; i++) {
        json_open(w, '{');
        json_put_str(w, "name", fhir_params[i].code);
        json_put_str(w, "definition", fhir_params[i].url);
        json_put_str(w, "type", str_of(kinds[fhir_params[i].kind]));
        json_close(w, '}');
    }
    for (size_t i = 0; i < own->count; i++) {
        const struct own_status *one = &own->list[i];
        if (one->resource != resource || one->state != OWN_ACTIVE)
            continue;
        json_open(w, '{');
        json_put_str(w, "name", one->code);
        if (one->url.n)
            json_put_str(w, "definition", one->url);
        json_put_str(w, "type", one->kind);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_operation(struct json_writer *w, const struct operation *operation)
{
    json_open(w, '{');
    json_put_str(w, "name", str_of(operation->name + 1));
    json_put_str(w, "definition", str_of(operation->definition));
    json_put_str(w, "documentation", str_of(operation->doc));
    json_close(w, '}');
}

static void write_operations(struct json_writer *w, unsigned levels, str type)
{
    static const struct operation *const tables[] = { operations, bulk_operations };
    bool any = false;
    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct operation *o = tables[i]; o->name; o++) {
            if (!(o->levels & levels) || !o->definition || (type.n && !operation_is_for(o, type)))
                continue;
            if (!any) {
                json_key(w, "operation");
                json_open(w, '[');
            }
            any = true;
            write_operation(w, o);
        }
    if (any)
        json_close(w, ']');
}

static void write_includes(struct json_writer *w, uint16_t resource)
{
    struct fhir_param_range range = fhir_resource_params[resource];
    str type = fhir_resource_name(resource);
    json_key(w, "searchInclude");
    json_open(w, '[');
    json_str(w, S("*"));
    for (uint16_t i = range.from; i < range.from + range.count; i++) {
        if (fhir_params[i].kind != FHIR_SEARCH_REFERENCE)
            continue;
        char text[160];
        int n = snprintf(text, sizeof text, "%.*s:%.*s", STR_ARG(type),
                         STR_ARG(fhir_params[i].code));
        json_str(w, (str){ text, (size_t)n });
    }
    json_close(w, ']');
}

static void write_resource(struct json_writer *w, uint16_t resource, const struct own *own)
{
    static const char *const interactions[] = {
        "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create",
        "search-type", NULL,
    };
    static const char *const policies[] = { "literal", "logical", "local", NULL };
    str name = fhir_resource_name(resource);
    char profile[160];
    int n = snprintf(profile, sizeof profile, "http://hl7.org/fhir/StructureDefinition/%.*s",
                     STR_ARG(name));
    json_open(w, '{');
    json_put_str(w, "type", name);
    json_put_str(w, "profile", (str){ profile, (size_t)n });
    write_codes(w, "interaction", interactions, "code");
    json_put_str(w, "versioning", S("versioned-update"));
    json_put_bool(w, "readHistory", true);
    json_put_bool(w, "updateCreate", true);
    json_put_bool(w, "conditionalCreate", true);
    json_put_str(w, "conditionalRead", S("full-support"));
    json_put_bool(w, "conditionalUpdate", true);
    json_put_str(w, "conditionalDelete", S("single"));
    write_codes(w, "referencePolicy", policies, NULL);
    write_includes(w, resource);
    write_params(w, resource, own);
    write_operations(w, OPERATION_TYPE | OPERATION_INSTANCE, name);
    if (str_eq(name, S("Subscription")))
        rest_subscriptions_topics(w);
    json_close(w, '}');
}

static void write_head(struct json_writer *w, struct rest_call *call)
{
    static const char *const formats[] = { "application/fhir+json", "json", "application/fhir+xml",
                                           "xml", NULL };
    static const char *const patches[] = { "application/json-patch+json",
                                           "application/xml-patch+xml", "application/fhir+json",
                                           NULL };
    char at[CLOCK_TEXT];
    clock_write(call->cx->now_ms, at);
    json_put_str(w, "resourceType", S("CapabilityStatement"));
    json_put_str(w, "name", S("Frontline"));
    json_put_str(w, "title", S("Frontline FHIR R4 server"));
    json_put_str(w, "status", S("active"));
    json_put_str(w, "date", (str){ at, CLOCK_TEXT });
    json_put_str(w, "kind", S("instance"));
    json_key(w, "software");
    json_open(w, '{');
    json_put_str(w, "name", S("Frontline"));
    json_put_str(w, "version", S(FRONTLINE_VERSION));
    json_close(w, '}');
    json_put_raw(w, "instantiates",
                 S("[\"http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data\"]"));
    json_key(w, "implementation");
    json_open(w, '{');
    json_put_str(w, "description", S("Frontline, the digital front line of a health service"));
    json_put_str(w, "url", call->base);
    json_close(w, '}');
    json_put_str(w, "fhirVersion", S("4.0.1"));
    write_codes(w, "format", formats, NULL);
    write_codes(w, "patchFormat", patches, NULL);
}

/* Where SMART apps sign in: they look here when they do not know smart-configuration. */
static void write_security(struct json_writer *w, struct http_request *request)
{
    static const struct { const char *name, *path; } uris[] = {
        { "authorize", "/auth/authorize" }, { "token", "/auth/token" },
        { "register", "/auth/register" },   { "introspect", "/auth/introspect" },
        { "revoke", "/auth/revoke" },
    };
    json_key(w, "security");
    json_open(w, '{');
    json_put_bool(w, "cors", false);
    json_put_raw(w, "service", S("[{\"coding\":[{\"system\":\"http://terminology.hl7.org/"
                                 "CodeSystem/restful-security-service\",\"code\":"
                                 "\"SMART-on-FHIR\"}]}]"));
    json_key(w, "extension");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "url",
                 S("http://fhir-registry" ".smarthealthit.org/StructureDefinition/oauth-uris"));
    json_key(w, "extension");
    json_open(w, '[');
    for (size_t i = 0; i < COUNT(uris); i++) {
        json_open(w, '{');
        json_put_str(w, "url", str_of(uris[i].name));
        json_put_str(w, "valueUri", arena_printf(request->cx->arena, "%.*s%s",
                                                 STR_ARG(request->base_url), uris[i].path));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

static void write_rest(struct json_writer *w, struct http_request *request,
                       const struct own *own)
{
    static const char *const interactions[] = { "transaction", "batch", "search-system",
                                                "history-system", NULL };
    json_key(w, "rest");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "mode", S("server"));
    rest_subscriptions_describe(w, request->base_url);
    if (rest_limits()->sign_in)
        write_security(w, request);
    json_key(w, "resource");
    json_open(w, '[');
    for (uint16_t i = 0; i < fhir_resources_count; i++)
        write_resource(w, i, own);
    json_close(w, ']');
    write_codes(w, "interaction", interactions, "code");
    write_operations(w, OPERATION_SYSTEM, (str){ 0 });
    json_close(w, '}');
    json_close(w, ']');
}

err rest_metadata(struct http_request *request, struct http_response *response)
{
    struct rest_call *call;
    struct own own;
    TRY(rest_begin(request, response, &call));
    TRY(own_list(call->cx, call->store, &own.list, &own.count));
    struct buf buf = buf_make(call->cx->arena, REST_TEXT_MAX), shaped = buf;
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    write_head(&w, call);
    write_rest(&w, request, &own);
    json_close(&w, '}');
    TRY(rest_write_shaped(call, &shaped, buf_str(&buf)));
    return rest_send(call, 200, buf_str(&shaped));
}
