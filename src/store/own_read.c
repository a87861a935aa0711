/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"
#include "store/own.h"
#include "store/search.h"

enum { TAKEN_MOST = 100 };

static const struct {
    const char *type;
    enum fhir_search_kind kind;
} kinds[] = {
    { "number", FHIR_SEARCH_NUMBER },       { "date", FHIR_SEARCH_DATE },
    { "string", FHIR_SEARCH_STRING },       { "token", FHIR_SEARCH_TOKEN },
    { "reference", FHIR_SEARCH_REFERENCE }, { "quantity", FHIR_SEARCH_QUANTITY },
    { "uri", FHIR_SEARCH_URI },             { "composite", FHIR_SEARCH_COMPOSITE },
};

str own_kind_name(enum fhir_search_kind kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return str_of(kinds[i].type);
    return S("");
}

bool own_kind_find(str name, enum fhir_search_kind *out)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(name, str_of(kinds[i].type))) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

/* What `special` asks is written in words, for people: no program can take it up. */
static err read_kind(struct ctx *cx, struct json body, enum fhir_search_kind *out)
{
    str type = json_string(cx->arena, json_get(body, S("type")));
    if (own_kind_find(type, out))
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, S("SearchParameter.type"),
                     "a search parameter of type \"%.*s\" cannot be added%s: use number, date, "
                     "string, token, reference, quantity, uri or composite, or leave its status "
                     "draft", STR_ARG(type), str_eq(type, S("special"))
                     ? ", for what it means is said in words and not by its expression" : "");
}

/* A name a query can carry: '.' ':' and a leading '_' mean something there. */
static err check_code(struct ctx *cx, str code)
{
    bool good = code.n > 0 && code.n <= 64;
    for (size_t i = 0; i < code.n && good; i++) {
        char c = code.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (i > 0 && (c == '-' || c == '_'));
    }
    return good ? ERR_OK
                : ctx_failf(cx, ERR_RULE, S("SearchParameter.code"),
                            "\"%.*s\" cannot be a parameter's code: 1 to 64 letters, digits, - "
                            "and _, beginning with a letter or digit", STR_ARG(code));
}

static err check_expression(struct ctx *cx, str expression)
{
    const struct path *path;
    if (!expression.n || expression.n > OWN_EXPRESSION_MAX)
        return ctx_failf(cx, ERR_RULE, S("SearchParameter.expression"),
                         "an active SearchParameter needs a FHIRPath expression of at most %d "
                         "bytes", OWN_EXPRESSION_MAX);
    size_t before = cx->issues.kept;
    if (!path_compile(cx, expression, &path))
        return ERR_OK;
    str why = cx->issues.kept > before ? cx->issues.list[before].text : S("it cannot be read");
    cx->issues.kept = cx->issues.count = before;
    return ctx_failf(cx, ERR_RULE, S("SearchParameter.expression"), "the expression is not "
                     "FHIRPath: %.*s", STR_ARG(why));
}

/* R4's own definition posted again changes nothing. */
static err add_wish(struct ctx *cx, const struct own_wish *wish, struct own_wishes *out)
{
    struct fhir_param_range range = fhir_resource_params[wish->resource];
    for (uint16_t i = range.from; i < range.from + range.count; i++) {
        if (!str_eq(fhir_params[i].code, wish->code))
            continue;
        if (str_eq(fhir_params[i].url, wish->url))
            return ERR_OK;
        return ctx_failf(cx, ERR_RULE, S("SearchParameter.code"),
                         "\"%.*s\" is FHIR's own search parameter of %.*s: take another code",
                         STR_ARG(wish->code), STR_ARG(fhir_resource_name(wish->resource)));
    }
    out->list = arena_grow(cx->arena, out->list, out->count, &out->cap, sizeof *wish);
    out->list[out->count++] = *wish;
    return ERR_OK;
}

static bool is_standard(str url)
{
    return str_starts(url, S("http://hl7.org/fhir/SearchParameter/"));
}

static bool any_known(str url)
{
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        struct fhir_param_range range = fhir_resource_params[r];
        for (uint16_t i = range.from; i < range.from + range.count; i++)
            if (str_eq(fhir_params[i].url, url))
                return true;
    }
    return false;
}

static err add_bases(struct ctx *cx, struct json body, struct own_wish wish,
                     struct own_wishes *out)
{
    for (struct json_walk w = json_walk(json_get(body, S("base"))); json_next(&w);) {
        str base = json_string(cx->arena, w.value);
        uint16_t type = fhir_type_find(base);
        if (type == FHIR_NONE || fhir_types[type].kind != FHIR_RESOURCE)
            return ctx_failf(cx, ERR_RULE, S("SearchParameter.base"),
                             "\"%.*s\" is not a resource type", STR_ARG(base));
        for (uint16_t r = 0; r < fhir_resources_count; r++) {
            wish.resource = r;
            if (fhir_type_is(fhir_resources[r], type))
                TRY(add_wish(cx, &wish, out));
        }
    }
    return ERR_OK;
}

/* Do two SearchParameters ask for the same code of one type? */
static const struct own_wish *meets(const struct own_wishes *a, const struct own_wishes *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (a->list[i].resource == b->list[k].resource)
                return &b->list[k];
    return NULL;
}

/* Asked of the record, not of the published set: another may have been posted just now. */
static err check_taken(struct ctx *cx, struct store *store, const struct own_wish *wish,
                       const struct own_wishes *wishes)
{
    int64_t rids[TAKEN_MOST];
    struct search_rids found = { rids, COUNT(rids), 0 };
    struct buf query = buf_make(cx->arena, QUERY_BYTES_MAX);
    buf_add(&query, S("status=active&code="));
    query_encode(&query, wish->code);
    TRY(search_condition(cx, store, fhir_resource_find(S("SearchParameter")), buf_str(&query),
                         &found));
    for (size_t i = 0; i < found.count; i++) {
        struct own_wishes others = { 0 };
        struct issues before = cx->issues;
        struct json body;
        bool there;
        TRY(plan_body(cx, store, rids[i], &body, &there));
        if (!there || rids[i] == wish->source)
            continue;
        err without = own_read(cx, store, body, rids[i], false, &others);
        cx->issues = before; /* that one is without effect */
        const struct own_wish *other = without ? NULL : meets(wishes, &others);
        if (other)
            return ctx_failf(cx, ERR_RULE, S("SearchParameter.code"),
                             "\"%.*s\" is a search parameter of %.*s already, by %.*s: retire that "
                             "one, or take another code", STR_ARG(wish->code),
                             STR_ARG(fhir_resource_name(other->resource)), STR_ARG(other->url));
    }
    return ERR_OK;
}

err own_read(struct ctx *cx, struct store *store, struct json body, int64_t source, bool strict,
             struct own_wishes *out)
{
    struct own_wish wish = {
        .code = json_string(cx->arena, json_get(body, S("code"))),
        .url = json_string(cx->arena, json_get(body, S("url"))),
        .expression = json_string(cx->arena, json_get(body, S("expression"))), .source = source,
    };
    if (!json_string_is(json_get(body, S("status")), S("active")) ||
        (is_standard(wish.url) && any_known(wish.url)))
        return ERR_OK;
    TRY(check_code(cx, wish.code));
    TRY(read_kind(cx, body, &wish.kind));
    TRY(check_expression(cx, wish.expression));
    if (wish.kind == FHIR_SEARCH_COMPOSITE)
        TRY(own_composite_read(cx, store, body, &wish.expression));
    TRY(add_bases(cx, body, wish, out));
    return strict && out->count ? check_taken(cx, store, &wish, out) : ERR_OK;
}

/* Two that were posted in one moment: the older has the code, and the younger is told so. */
static str taken_by(struct ctx *cx, struct store *store, const struct own_wishes *wishes,
                    int64_t source)
{
    for (size_t i = 0; i < wishes->count; i++) {
        const struct own_wish *wish = &wishes->list[i];
        const struct own_param *other = own_find(store->layout, wish->resource, wish->code);
        if (other && other->source != source)
            return arena_printf(cx->arena, "\"%.*s\" of %.*s is taken by %.*s, which is older: "
                                "this one takes effect when that one is retired",
                                STR_ARG(wish->code), STR_ARG(fhir_resource_name(wish->resource)),
                                STR_ARG(other->url));
    }
    return (str){ 0 };
}

err own_explain(struct ctx *cx, struct store *store, struct json body, int64_t source, str *out)
{
    struct own_wishes wishes = { 0 };
    size_t before = cx->issues.kept;
    *out = (str){ 0 };
    err wrong = own_read(cx, store, body, source, false, &wishes);
    if (wrong == ERR_RULE && cx->issues.kept > before) {
        *out = cx->issues.list[before].text;
        cx->issues.kept = cx->issues.count = before;
        return ERR_OK;
    }
    if (!wrong && !wishes.count)
        *out = json_string_is(json_get(body, S("status")), S("active"))
                   ? S("it is one of FHIR's own, which are always there")
                   : S("only a SearchParameter whose status is active takes effect");
    if (!wrong && wishes.count)
        *out = taken_by(cx, store, &wishes, source);
    return wrong;
}
