/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"

/* The set answers what the caller's host does not: memberOf by its value sets, conformsTo by its
 * profiles. `self` of the own host is the check under way. */
static err member_of(struct ctx *cx, const struct path_host *host, struct path_item coded,
                     str value_set, bool *out)
{
    struct profile_check *c = host->self;
    if (c->host && c->host->member_of)
        return c->host->member_of(cx, c->host, coded, value_set, out);
    if (coded.kind != PATH_NODE) {
        *out = profile_value_set_has(c->set, value_set, (str){ 0 }, coded.text) == PROFILE_YES;
        return ERR_OK;
    }
    struct profile_item item = profile_item_of(coded.node, coded.type);
    *out = coded.type != FHIR_NONE && profile_item_in(c, value_set, &item) == PROFILE_YES;
    return ERR_OK;
}

static err conforms(struct ctx *cx, const struct path_host *host, struct json node, str url,
                    bool *out)
{
    struct profile_check *c = host->self;
    const struct profile *profile = profile_find(c->set, url);
    struct profile_item item = profile_item_of(node, profile_type_of(c, node));
    if (!profile)
        return ctx_failf(cx, ERR_RULE, S(""), "the profile %.*s is not loaded", STR_ARG(url));
    *out = item.type != FHIR_NONE && profile_conforms(c, profile, &item);
    return ERR_OK;
}

static struct json resolve(struct ctx *cx, const struct path_host *host, str reference)
{
    struct profile_check *c = host->self;
    (void)cx;
    return profile_resolve(c, reference);
}

static err subsumes(struct ctx *cx, const struct path_host *host, struct path_item a,
                    struct path_item b, bool *out)
{
    struct profile_check *c = host->self;
    if (c->host && c->host->subsumes)
        return c->host->subsumes(cx, c->host, a, b, out);
    return ctx_fail(cx, ERR_RULE, S(""), S("subsumption is not known here"));
}

/* Warnings come after all errors, so that they never crowd one out. */
static err finish(struct profile_check *c)
{
    if (*c->steps > PROFILE_STEPS_MAX)
        return ctx_fail(c->cx, ERR_LIMIT, S(""), S("too much to check: send it in parts"));
    for (size_t i = 0; i < c->warnings_count; i++)
        issues_note(&c->cx->issues, c->warnings[i]);
    if (c->left_out)
        issues_note(&c->cx->issues, (struct issue){
            .kind = ERR_RULE, .severity = ISSUE_INFORMATION, .code = "informational",
            .text = arena_printf(c->cx->arena, "%zu more warnings are left out", c->left_out) });
    return c->faults ? ERR_RULE : ERR_OK;
}

err profile_check(struct ctx *cx, struct profile_set *set, const struct profile_request *request)
{
    struct issue warnings[PROFILE_WARNINGS_MAX];
    struct path_host own = { .resolve = resolve, .member_of = member_of, .subsumes = subsumes,
                             .conforms = conforms };
    struct profile_check c = { .cx = cx, .set = set, .host = request->host, .own = &own,
                               .request = request,
                               .resource = request->resource, .root = request->resource,
                               .warnings = warnings };
    own.self = &c;
    size_t steps = 0;
    c.steps = &steps;
    const struct profile *asked = NULL;
    uint16_t core = profile_core_type(request->profile);
    if (str_given(request->profile) && core == FHIR_NONE) {
        asked = profile_find(set, request->profile);
        if (!asked)
            return ctx_failf(cx, ERR_NOT_FOUND, S(""), "the profile %.*s is not loaded",
                             STR_ARG(request->profile));
    }
    err got = validate_resource(cx, request->resource);
    if (got == ERR_INVALID)
        return got;
    c.faults = got != ERR_OK;
    struct profile_item item =
        profile_item_of(request->resource, profile_type_of(&c, request->resource));
    struct validate_place place = { NULL, fhir_types[item.type].name, NULL, VALIDATE_NO_INDEX };
    profile_walk(&c, request->resource, &place);
    if (asked)
        profile_check_against(&c, asked, &item, &place);
    if (core != FHIR_NONE && !fhir_type_is(item.type, core))
        profile_fault(&c, &place, "structure", "is not a %.*s", STR_ARG(fhir_types[core].name));
    return finish(&c);
}

err profile_validate(struct ctx *cx, struct profile_set *set, struct json resource, str profile)
{
    struct profile_request request = { .resource = resource, .profile = profile };
    return profile_check(cx, set, &request);
}
