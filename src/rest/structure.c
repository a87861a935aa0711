/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/structure.h"
#include "http/text.h"
#include "rest/terminology.h"
#include "store/search.h"

enum { POSTED_MOST = 10 };
static const char core[] = "http://hl7.org/fhir/StructureDefinition/";

static err find_posted(struct ctx *cx, struct store *store, str url, str version, str *out)
{
    int64_t rids[POSTED_MOST];
    struct search_rids hits = { .rids = rids, .max = POSTED_MOST };
    struct buf query = buf_make(cx->arena, REST_TEXT_MAX);
    struct store_version found;
    buf_add(&query, S("url="));
    http_encode(&query, url);
    if (str_given(version)) {
        buf_add(&query, S("&version="));
        http_encode(&query, version);
    }
    TRY(search_condition(cx, store, fhir_resource_find(S("StructureDefinition")), buf_str(&query),
                         &hits));
    if (!hits.count)
        return ERR_NOT_FOUND;
    TRY(store_read_rid(cx, store, hits.rids[hits.count - 1], &found));
    *out = found.body;
    return ERR_OK;
}

err structure_find(struct ctx *cx, struct store *store, str canonical, str *out)
{
    str version = canonical, url;
    str_next(&version, '|', &url);
    err posted = url.n ? find_posted(cx, store, url, version, out) : ERR_NOT_FOUND;
    if (posted != ERR_NOT_FOUND)
        return posted;
    struct profile_set *set = terminology_profiles(cx);
    str text = set ? profile_set_definition(set, url) : (str){ 0 };
    struct json json;
    if (!str_given(text) || json_parse(cx, text, &json) != ERR_OK ||
        !json_string_is(json_get(json, S("resourceType")), S("StructureDefinition")) ||
        (str_given(version) && !json_string_is(json_get(json, S("version")), version)))
        return ERR_NOT_FOUND;
    *out = text;
    return ERR_OK;
}

/* ---- bindings ---- */

static err no_element(struct ctx *cx, str context)
{
    return ctx_failf(cx, ERR_INVALID, S("context"), "there is no element \"%.*s\": write "
                     "STRUCTUREDEFINITION-URL#path, such as "
                     "http://hl7.org/fhir/StructureDefinition/Patient#Patient.gender",
                     STR_ARG(str_slice(context, 0, 200)));
}

/* R4's own tables: value sets of required and extensible bindings. */
static err core_binding(struct ctx *cx, str context, str path, str *out)
{
    str rest = path, name;
    str_next(&rest, '.', &name);
    uint16_t type = fhir_type_find(name);
    const struct fhir_element *element = NULL;
    while (type != FHIR_NONE && str_next(&rest, '.', &name)) {
        bool choice = str_ends(name, S("[x]"));
        str head = choice ? str_slice(name, 0, name.n - 3) : name;
        element = NULL;
        for (uint16_t i = 0; i < fhir_types[type].elements_count && !element; i++) {
            const struct fhir_element *e = &fhir_types[type].elements[i];
            bool bound = e->binding != FHIR_NONE || e->advised != FHIR_NONE;
            if (choice ? str_eq(e->name, head) && bound : str_eq(e->json_name, head))
                element = e;
        }
        if (!element)
            return no_element(cx, context);
        type = element->type;
    }
    if (!element)
        return no_element(cx, context);
    *out = element->binding != FHIR_NONE ? fhir_value_sets[element->binding].url
           : element->advised != FHIR_NONE ? fhir_advised_sets[element->advised] : (str){ 0 };
    return ERR_OK;
}

/* What a profile's own elements say; not given: they leave it to the base. */
static str said_binding(struct ctx *cx, struct json definition, str path)
{
    static const char *const lists[] = { "differential", "snapshot" };
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct json elements = json_get(json_get(definition, str_of(lists[i])), S("element"));
        for (struct json_walk w = json_walk(elements); json_next(&w);) {
            str set = json_string(cx->arena,
                                  json_get(json_get(w.value, S("binding")), S("valueSet")));
            if (set.n && (json_string_is(json_get(w.value, S("id")), path) ||
                          json_string_is(json_get(w.value, S("path")), path)))
                return set;
        }
    }
    return (str){ 0 };
}

static err profile_binding(struct ctx *cx, struct store *store, str context, str url, str path,
                           str *out)
{
    for (int depth = 0; depth < PROFILE_DEPTH_MAX; depth++) {
        struct json definition;
        str text, name = str_starts(url, str_of(core)) ? str_slice(url, sizeof core - 1, url.n)
                                                       : (str){ 0 };
        if (str_given(name) && fhir_type_find(name) != FHIR_NONE)
            return core_binding(cx, context, path, out);
        err got = structure_find(cx, store, url, &text);
        if (got == ERR_NOT_FOUND)
            return ctx_failf(cx, ERR_NOT_FOUND, S("context"),
                             "this server has no StructureDefinition %.*s", STR_ARG(url));
        TRY(got);
        TRY(json_parse(cx, text, &definition));
        *out = said_binding(cx, definition, path);
        if (str_given(*out))
            return ERR_OK;
        url = json_string(cx->arena, json_get(definition, S("baseDefinition")));
    }
    return no_element(cx, context);
}

err structure_binding(struct ctx *cx, struct store *store, str context, str *out)
{
    str path = context, url = { 0 };
    if (str_find_char(context, '#') != STR_NONE)
        str_next(&path, '#', &url);
    *out = (str){ 0 };
    if (str_given(url))
        TRY(profile_binding(cx, store, context, url, path, out));
    else
        TRY(core_binding(cx, context, path, out));
    if (str_given(*out))
        return ERR_OK;
    return ctx_failf(cx, ERR_NOT_FOUND, S("context"), "\"%.*s\" is bound to no value set this "
                     "server knows of", STR_ARG(str_slice(context, 0, 200)));
}
