/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"
#include "store/plan.h"

/*
 * :in and :not-in become the value set's codes, :above and :below the codes over and under one in
 * its code system. Value sets and code systems are those the program carries and those in the
 * record.
 */
enum { CODES_MOST = 20000 };

struct codes {
    struct ctx *cx;
    const struct query_source *from;
    struct query_criterion *criterion;
    size_t cap;
};

static err add_code(struct codes *codes, str system, str code)
{
    struct query_criterion *criterion = codes->criterion;
    if (criterion->values_count == CODES_MOST)
        return ctx_failf(codes->cx, ERR_LIMIT, criterion->shown,
                         "the value set has more than %d codes", CODES_MOST);
    criterion->values = arena_grow(codes->cx->arena, criterion->values, criterion->values_count,
                                   &codes->cap, sizeof *criterion->values);
    criterion->values[criterion->values_count++] =
        (struct query_value){ .has_system = true, .system = system, .code = code };
    return ERR_OK;
}

/* A resource of the record by its url; absent when there is none. */
static err find_by_url(struct codes *codes, const char *type, str url, struct json *out)
{
    struct buf text = buf_make(codes->cx->arena, QUERY_BYTES_MAX);
    int64_t rids[1];
    struct search_rids found = { rids, COUNT(rids), 0 };
    bool there = false;
    *out = (struct json){ 0 };
    if (!codes->from->store)
        return ERR_OK;
    size_t bar = str_find_char(url, '|');
    buf_add(&text, S("url="));
    query_encode(&text, bar == STR_NONE ? url : str_slice(url, 0, bar));
    TRY(search_condition(codes->cx, codes->from->store, fhir_resource_find(str_of(type)),
                         buf_str(&text), &found));
    if (found.count)
        TRY(plan_body(codes->cx, codes->from->store, rids[0], out, &there));
    return ERR_OK;
}

static str text_at(struct codes *codes, struct json object, const char *name)
{
    return json_string(codes->cx->arena, json_get(object, str_of(name)));
}

static err add_value_set(struct codes *codes, str url, int depth);

static err add_include(struct codes *codes, struct json include, int depth)
{
    str system = text_at(codes, include, "system");
    struct json concepts = json_get(include, S("concept"));
    if (json_count(json_get(include, S("filter"))))
        return ctx_fail(codes->cx, ERR_RULE, codes->criterion->shown,
                        S("the value set is defined by a filter; expand it and list its codes"));
    for (struct json_walk w = json_walk(json_get(include, S("valueSet"))); json_next(&w);)
        TRY(add_value_set(codes, json_string(codes->cx->arena, w.value), depth + 1));
    for (struct json_walk w = json_walk(concepts); json_next(&w);)
        TRY(add_code(codes, system, text_at(codes, w.value, "code")));
    return system.n && !json_count(concepts) ? add_code(codes, system, S("")) : ERR_OK;
}

static err add_expansion(struct codes *codes, struct json contains)
{
    for (struct json_walk w = json_walk(contains); json_next(&w);) {
        str code = text_at(codes, w.value, "code");
        if (code.n)
            TRY(add_code(codes, text_at(codes, w.value, "system"), code));
        TRY(add_expansion(codes, json_get(w.value, S("contains"))));
    }
    return ERR_OK;
}

static err add_value_set(struct codes *codes, str url, int depth)
{
    uint16_t carried = fhir_value_set_find(url);
    struct json body;
    if (depth > QUERY_DEPTH_MAX)
        return ctx_fail(codes->cx, ERR_LIMIT, url, S("the value sets include one another"));
    TRY(find_by_url(codes, "ValueSet", url, &body));
    if (json_is(body, JSON_OBJECT)) {
        struct json expanded = json_get(json_get(body, S("expansion")), S("contains"));
        if (json_count(expanded))
            return add_expansion(codes, expanded);
        struct json compose = json_get(body, S("compose"));
        if (json_count(json_get(compose, S("exclude"))))
            return ctx_fail(codes->cx, ERR_RULE, codes->criterion->shown,
                            S("the value set excludes codes; store it with its expansion"));
        for (struct json_walk w = json_walk(json_get(compose, S("include"))); json_next(&w);)
            TRY(add_include(codes, w.value, depth));
        return ERR_OK;
    }
    if (carried == FHIR_NONE || !fhir_value_sets[carried].codes_count)
        return ctx_failf(codes->cx, ERR_NOT_FOUND, codes->criterion->shown,
                         "no value set \"%.*s\" is known here", STR_ARG(url));
    for (uint32_t i = 0; i < fhir_value_sets[carried].codes_count; i++)
        TRY(add_code(codes, fhir_value_sets[carried].codes[i].system,
                     fhir_value_sets[carried].codes[i].code));
    return ERR_OK;
}

/* Walks the system's tree: below takes the code and all under it, above the way down to it. */
static err walk_concepts(struct codes *codes, struct json concepts, const struct query_value *asked,
                         bool inside, bool *found)
{
    bool below = codes->criterion->modifier == MOD_BELOW;
    for (struct json_walk w = json_walk(concepts); json_next(&w);) {
        str code = text_at(codes, w.value, "code");
        bool here = str_eq(code, asked->code), under = false;
        TRY(walk_concepts(codes, json_get(w.value, S("concept")), asked, inside || here, &under));
        if (below ? inside || here : here || under)
            TRY(add_code(codes, asked->system, code));
        *found = *found || here || under;
    }
    return ERR_OK;
}

static err add_tree(struct codes *codes, str text)
{
    struct query_criterion plain = *codes->criterion;
    struct query_value asked = { 0 };
    struct json body;
    bool found = false;
    plain.modifier = MOD_NONE;
    TRY(query_value(codes->cx, codes->from, &plain, text, &asked));
    if (!asked.has_system || !asked.code.n)
        return ctx_fail(codes->cx, ERR_INVALID, codes->criterion->shown,
                        S(":above and :below take system|code"));
    TRY(find_by_url(codes, "CodeSystem", asked.system, &body));
    TRY(walk_concepts(codes, json_get(body, S("concept")), &asked, false, &found));
    return found ? ERR_OK : add_code(codes, asked.system, asked.code);
}

err query_codes(struct ctx *cx, const struct query_source *from, struct query_criterion *criterion,
                str text)
{
    struct codes codes = { .cx = cx, .from = from, .criterion = criterion };
    bool sets = criterion->modifier == MOD_IN || criterion->modifier == MOD_NOT_IN;
    str rest = text, one;
    while (query_split(&rest, ',', &one))
        TRY(sets ? add_value_set(&codes, query_unescape(cx->arena, one), 0)
                 : add_tree(&codes, one));
    if (criterion->modifier != MOD_NOT_IN)
        criterion->modifier = MOD_NONE; /* from here on codes like any others */
    return ERR_OK;
}
