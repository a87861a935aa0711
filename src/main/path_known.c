/* SPDX-License-Identifier: Apache-2.0 */
#include "main/path_known.h"
#include "fhir/profile.h"
#include "term/set.h"

struct known {
    str data_dir;
    struct profile_set *set;
    struct term_source source;
    struct term *term;
};

static void drop(void *self)
{
    struct known *known = self;
    if (known->term)
        term_free(known->term);
    if (known->set)
        profile_set_free(known->set);
}

static bool is_kind(struct ctx *cx, str text, enum term_kind kind, str version)
{
    static const char *const types[] = {
        [TERM_CODE_SYSTEM] = "CodeSystem", [TERM_VALUE_SET] = "ValueSet",
        [TERM_CONCEPT_MAP] = "ConceptMap",
    };
    struct json json;
    return json_parse(cx, text, &json) == ERR_OK &&
           json_string_is(json_get(json, S("resourceType")), str_of(types[kind])) &&
           (!version.n || json_string_is(json_get(json, S("version")), version));
}

static err find(struct ctx *cx, const struct term_source *source, enum term_kind kind, str url,
                str version, str *out)
{
    const struct known *known = source->self;
    str text = url.n ? profile_set_definition(known->set, url) : (str){ 0 };
    if (!str_given(text) || !is_kind(cx, text, kind, version))
        return ERR_NOT_FOUND;
    *out = text;
    return ERR_OK;
}

static err load(struct ctx *cx, struct known *known)
{
    if (known->set)
        return ERR_OK;
    TRY(profile_set_load(cx, known->data_dir, &known->set));
    known->source = (struct term_source){ .find = find, .self = known };
    known->term = term_make(cx->arena, &known->source);
    return ERR_OK;
}

/* Not to know is no fault of the expression: ERR_NOT_FOUND alone tells it. */
static err forgive(struct ctx *cx, struct issues before, err got)
{
    if (got == ERR_NOT_FOUND)
        cx->issues = before;
    return got;
}

static bool has(const struct term_set *set, struct ctx *cx, struct json coding)
{
    str code = json_string(cx->arena, json_get(coding, S("code")));
    str system = json_string(cx->arena, json_get(coding, S("system")));
    return code.n && term_set_find(set, system, code);
}

static err member_of(struct ctx *cx, const struct path_host *host, struct path_item coded,
                     str value_set, bool *out)
{
    struct known *known = host->self;
    struct issues before = cx->issues;
    const struct term_set *set;
    TRY(load(cx, known));
    TRY(forgive(cx, before, term_get_set(cx, known->term, value_set, &set)));
    *out = false;
    if (coded.kind != PATH_NODE || !json_is(coded.node, JSON_OBJECT)) {
        str code = path_item_text(cx->arena, &coded);
        *out = code.n && term_set_find(set, (str){ 0 }, code);
        return ERR_OK;
    }
    *out = has(set, cx, coded.node);
    for (struct json_walk w = json_walk(json_get(coded.node, S("coding"))); json_next(&w);)
        *out = *out || has(set, cx, w.value);
    return ERR_OK;
}

/* A Coding, or the first coding of a concept. */
static struct json coding_of(const struct path_item *item)
{
    struct json list = json_get(item->node, S("coding"));
    return json_is(list, JSON_ARRAY) ? json_at(list, 0) : item->node;
}

static err subsumes(struct ctx *cx, const struct path_host *host, struct path_item a,
                    struct path_item b, bool *out)
{
    struct known *known = host->self;
    struct issues before = cx->issues;
    struct json x = coding_of(&a), y = coding_of(&b);
    str url = json_string(cx->arena, json_get(x, S("system")));
    const struct term_system *system;
    *out = false;
    TRY(load(cx, known));
    if (!str_eq(url, json_string(cx->arena, json_get(y, S("system")))))
        return ERR_OK;
    TRY(forgive(cx, before, term_get_system(cx, known->term, url, &system)));
    uint32_t wide = term_find(system, json_string(cx->arena, json_get(x, S("code"))));
    uint32_t narrow = term_find(system, json_string(cx->arena, json_get(y, S("code"))));
    if (wide == TERM_NONE || narrow == TERM_NONE)
        return ERR_NOT_FOUND;
    *out = wide == narrow || term_is_below(system, narrow, wide);
    return ERR_OK;
}

/* The faults a resource has against the profile are the answer's reason, not the expression's. */
static err conforms(struct ctx *cx, const struct path_host *host, struct json node, str profile,
                    bool *out)
{
    struct known *known = host->self;
    struct issues before = cx->issues;
    *out = true;
    if (!json_get(node, S("resourceType")).doc)
        return ERR_OK; /* a datatype's own definition: its type was looked at */
    TRY(load(cx, known));
    err got = profile_validate(cx, known->set, node, profile);
    cx->issues = before;
    *out = got == ERR_OK;
    if (got == ERR_NOT_FOUND)
        return ctx_failf(cx, ERR_RULE, S(""), "the profile %.*s is not known", STR_ARG(profile));
    return got == ERR_LIMIT ? got : ERR_OK;
}

void path_known_host(struct ctx *cx, str data_dir, struct path_host *host)
{
    struct known *known = arena_zero(cx->arena, sizeof *known);
    known->data_dir = data_dir;
    ctx_defer(cx, drop, known);
    host->member_of = member_of;
    host->subsumes = subsumes;
    host->conforms = conforms;
    host->self = known;
}
