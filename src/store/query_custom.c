/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"
#include "store/plan.h"

/*
 * A SearchParameter resource in the record takes effect with the next search: its expression is
 * evaluated on the resources the other criteria leave. It has no rows in the index, so by itself it
 * looks at every resource of the type, within the search's time limit.
 */
static const struct {
    const char *type;
    enum fhir_search_kind kind;
} kinds[] = {
    { "number", FHIR_SEARCH_NUMBER },       { "date", FHIR_SEARCH_DATE },
    { "string", FHIR_SEARCH_STRING },       { "token", FHIR_SEARCH_TOKEN },
    { "reference", FHIR_SEARCH_REFERENCE }, { "quantity", FHIR_SEARCH_QUANTITY },
    { "uri", FHIR_SEARCH_URI },
};

static err make_param(struct ctx *cx, uint16_t resource, struct json body,
                      const struct layout_param **out)
{
    str type = json_string(cx->arena, json_get(body, S("type")));
    str expression = json_string(cx->arena, json_get(body, S("expression")));
    struct layout_param *param = arena_zero(cx->arena, sizeof *param);
    struct layout_param_slot *slot = arena_zero(cx->arena, sizeof *slot);
    bool known = false;
    slot->target = FHIR_NONE;
    *param = (struct layout_param){ .code = json_string(cx->arena, json_get(body, S("code"))),
                                    .expression = expression, .resource = resource,
                                    .slots_count = 1, .slots = slot,
                                    .identifier_slot = FHIR_NONE };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(type, str_of(kinds[i].type))) {
            param->kind = kinds[i].kind;
            known = true;
        }
    if (!known || !expression.n)
        return ctx_failf(cx, ERR_RULE, param->code,
                         "the SearchParameter \"%.*s\" cannot be searched by: it needs an "
                         "expression and a type other than composite and special",
                         STR_ARG(param->code));
    TRY(path_compile(cx, expression, &param->path));
    *out = param;
    return ERR_OK;
}

err query_custom(struct ctx *cx, const struct query_source *from, uint16_t resource, str code,
                 const struct layout_param **out)
{
    uint16_t type = fhir_resource_find(S("SearchParameter"));
    struct buf text = buf_make(cx->arena, QUERY_BYTES_MAX);
    int64_t rids[1];
    struct search_rids found = { rids, COUNT(rids), 0 };
    bool there;
    *out = NULL;
    if (!from->store || resource == type || !code.n || code.n > 64)
        return ERR_OK;
    buf_add(&text, S("status:not=retired&code="));
    query_encode(&text, code);
    buf_add(&text, S("&base="));
    query_encode(&text, fhir_resource_name(resource));
    TRY(search_condition(cx, from->store, type, buf_str(&text), &found));
    struct json body;
    if (found.count)
        TRY(plan_body(cx, from->store, rids[0], &body, &there));
    return found.count && there ? make_param(cx, resource, body, out) : ERR_OK;
}
