/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/operation_validate.h"
#include "fhir/validate.h"
#include "http/outcome.h"
#include "rest/terminology.h"

static struct profile_live *in_force;

void operation_validate_use(struct profile_live *profiles)
{
    in_force = profiles;
}

enum mode { MODE_NONE, MODE_CREATE, MODE_UPDATE, MODE_DELETE, MODE_PROFILE };

static err read_mode(const struct operation_ask *ask, enum mode *out)
{
    static const char *const names[] = { "", "create", "update", "delete", "profile" };
    str text = operation_text(ask, "mode");
    *out = MODE_NONE;
    if (!str_given(text))
        return ERR_OK;
    for (size_t i = 1; i < COUNT(names); i++)
        if (str_eq(text, str_of(names[i])))
            *out = (enum mode)i;
    if (*out == MODE_NONE)
        return ctx_fail(ask->call->cx, ERR_INVALID, S("mode"),
                        S("mode is create, update, delete or profile"));
    return ERR_OK;
}

/* What to validate: a parameter, the body itself, or what is stored. Absent for a bare delete. */
static err find_resource(const struct operation_ask *ask, struct json *out)
{
    bool wrapped = json_string_is(json_get(ask->parameters, S("resourceType")), S("Parameters"));
    bool is_parameters = ask->resource != FHIR_NONE &&
                         str_eq(fhir_resource_name(ask->resource), S("Parameters"));
    struct json resource = operation_resource(ask, "resource");
    if (resource.doc || (ask->parameters.doc && (!wrapped || is_parameters))) {
        *out = resource.doc ? resource : ask->parameters;
        return ERR_OK;
    }
    struct store_version stored;
    if (!str_given(ask->id))
        return ctx_fail(ask->call->cx, ERR_INVALID, S("resource"),
                        S("send the resource to validate, alone or as parameter \"resource\""));
    TRY(store_read(ask->call->cx, ask->call->store, ask->resource, ask->id, &stored));
    return json_parse(ask->call->cx, stored.body, out);
}

/* A reference into this record; what the asker may not see is as if it were not there. */
static struct json resolve(struct ctx *cx, const struct path_host *host, str reference)
{
    const struct operation_ask *ask = host->self;
    struct validate_reference read;
    struct store_version stored;
    struct json found = { 0 };
    if (!validate_read_reference(reference, &read) || !str_given(read.id) ||
        read.resource == FHIR_NONE)
        return found;
    if (str_given(read.base) && !str_eq(read.base, ask->call->base))
        return found;
    struct issues before = cx->issues;
    bool there = store_read(cx, ask->call->store, read.resource, read.id, &stored) == ERR_OK &&
                 json_parse(cx, stored.body, &found) == ERR_OK;
    cx->issues = before; /* not to be found is no fault of what refers to it */
    return there ? found : (struct json){ 0 };
}

/* What the packages do not settle is asked of the terminology operations' engine, which knows what
 * was posted and loaded, too. */
static enum profile_answer coded(struct ctx *cx, void *self, str value_set, str system, str code)
{
    const struct term_set *set;
    struct issues before = cx->issues;
    (void)self;
    if (!terminology_term())
        return PROFILE_UNKNOWN;
    if (term_get_set(cx, terminology_term(), value_set, &set) != ERR_OK) {
        cx->issues = before; /* that a set is not known is said as a warning */
        return PROFILE_UNKNOWN;
    }
    if (term_set_find(set, system, code))
        return PROFILE_YES;
    bool open = str_given(system) ? term_set_is_open(set, system) : set->open_count > 0;
    return open ? PROFILE_UNKNOWN : PROFILE_NO;
}

/* What the address says against what was sent. */
static void check_address(const struct operation_ask *ask, enum mode mode, struct json resource)
{
    struct ctx *cx = ask->call->cx;
    str type = json_string(cx->arena, json_get(resource, S("resourceType")));
    str id = json_string(cx->arena, json_get(resource, S("id")));
    str wanted = fhir_resource_name(ask->resource);
    if (str_given(type) && !str_eq(type, wanted))
        issues_note(&cx->issues, (struct issue){
            .kind = ERR_INVALID, .severity = ISSUE_ERROR, .code = "invalid", .path = type,
            .text = arena_printf(cx->arena, "is a %.*s, but was sent to %.*s", STR_ARG(type),
                                 STR_ARG(wanted)) });
    if (mode == MODE_UPDATE && str_given(ask->id) && !str_eq(id, ask->id))
        issues_note(&cx->issues, (struct issue){
            .kind = ERR_INVALID, .severity = ISSUE_ERROR, .code = "invalid",
            .path = arena_printf(cx->arena, "%.*s.id", STR_ARG(type)),
            .text = S("the id is not that of the address: an update would be refused") });
}

static err answer(const struct operation_ask *ask, struct operation_answer *out)
{
    struct buf body = buf_make(ask->call->cx->arena, REST_TEXT_MAX);
    http_outcome_write(&body, &ask->call->cx->issues);
    *out = (struct operation_answer){ 200, buf_str(&body) };
    return ERR_OK;
}

err operation_validate(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct path_host host = { .resolve = resolve, .self = (void *)(uintptr_t)ask };
    struct profile_request request = { .profile = operation_text(ask, "profile"), .host = &host,
                                       .coded = coded };
    struct store_version stored;
    enum mode mode;
    if (!in_force)
        return ctx_fail(cx, ERR_BUSY, S(""), S("the definitions are not loaded yet: try again"));
    TRY(read_mode(ask, &mode));
    if (mode == MODE_DELETE && str_given(ask->id)) {
        TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &stored));
        return answer(ask, out);
    }
    TRY(find_resource(ask, &request.resource));
    err got = profile_check(cx, profile_live_use(cx, in_force), &request);
    if (got != ERR_OK && got != ERR_RULE && got != ERR_INVALID)
        return got;
    check_address(ask, mode, request.resource);
    return answer(ask, out);
}
