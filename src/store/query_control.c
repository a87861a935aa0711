/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"

/*
 * The parameters that shape the answer rather than choose what matches, and the whole query string.
 */
static err bad_value(struct ctx *cx, str name, str value, const char *wanted)
{
    return ctx_failf(cx, ERR_INVALID, name, "\"%.*s\" is not %s", STR_ARG(value), wanted);
}

static err read_count(struct ctx *cx, struct query *query, str name, str value)
{
    uint64_t count;
    if (!str_to_u64(value, &count))
        return bad_value(cx, name, value, "a whole number of entries");
    query->count = count > QUERY_COUNT_MAX ? QUERY_COUNT_MAX : (size_t)count;
    query->has_count = true;
    return ERR_OK;
}

static err read_total(struct ctx *cx, struct query *query, str name, str value)
{
    if (str_eq(value, S("none")))
        query->total = SEARCH_TOTAL_NONE;
    else if (str_eq(value, S("estimate")))
        query->total = SEARCH_TOTAL_ESTIMATE;
    else if (str_eq(value, S("accurate")))
        query->total = SEARCH_TOTAL_ACCURATE;
    else
        return bad_value(cx, name, value, "none, estimate or accurate");
    return ERR_OK;
}

static err read_summary(struct ctx *cx, struct query *query, str name, str value)
{
    static const struct { const char *word; enum search_summary summary; } words[] = {
        { "false", SEARCH_FULL }, { "true", SEARCH_SUMMARY_TRUE }, { "text", SEARCH_SUMMARY_TEXT },
        { "data", SEARCH_SUMMARY_DATA }, { "count", SEARCH_SUMMARY_COUNT },
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(value, str_of(words[i].word))) {
            query->summary = words[i].summary;
            return ERR_OK;
        }
    return bad_value(cx, name, value, "true, false, text, data or count");
}

static err bad_include(struct ctx *cx, str name, str value, const char *why)
{
    return ctx_failf(cx, ERR_INVALID, name,
                     "\"%.*s\" %s; write Type:parameter, Type:parameter:Target, Type:* or *",
                     STR_ARG(value), why);
}

/* Type:param[:Target], Type:*, *; names may carry :iterate (or its old name, :recurse). */
static err read_include(struct ctx *cx, const struct query_source *from, struct query *query,
                        str name, str value)
{
    struct query_include include = { .source = FHIR_NONE, .target = FHIR_NONE,
                                     .reverse = str_starts(name, S("_revinclude")),
                                     .iterate = str_find_char(name, ':') != STR_NONE };
    str rest = value, type = { 0 }, code = { 0 }, target = { 0 };
    str_next(&rest, ':', &type);
    str_next(&rest, ':', &code);
    str_next(&rest, ':', &target);
    include.wildcard = str_eq(type, S("*")) || str_eq(code, S("*"));
    if (!str_eq(type, S("*"))) {
        include.source = fhir_resource_find(type);
        if (include.source == FHIR_NONE)
            return bad_include(cx, name, value, "does not begin with a resource type");
    }
    if (!include.wildcard) {
        include.param = code.n ? layout_param(from->layout, include.source, code) : NULL;
        TRY(query_own(cx, from, &include.param));
        TRY(query_need_index(cx, include.param));
        if (!include.param || include.param->kind != FHIR_SEARCH_REFERENCE)
            return bad_include(cx, name, value, "names no reference parameter of that type");
    }
    if (target.n && (include.target = fhir_resource_find(target)) == FHIR_NONE)
        return bad_include(cx, name, value, "ends in something that is no resource type");
    if (query->includes_count == QUERY_INCLUDES_MAX)
        return ctx_failf(cx, ERR_LIMIT, name, "at most %d includes", QUERY_INCLUDES_MAX);
    query->includes = arena_grow(cx->arena, query->includes, query->includes_count,
                                 &query->includes_cap, sizeof include);
    query->includes[query->includes_count++] = include;
    return ERR_OK;
}

static err read_types(struct ctx *cx, struct query *query, str name, str value)
{
    str rest = value, one;
    if (!query->types)
        query->types = arena_array(cx->arena, fhir_resources_count, sizeof *query->types);
    while (str_next(&rest, ',', &one)) {
        uint16_t type = fhir_resource_find(one);
        if (type == FHIR_NONE)
            return bad_value(cx, name, one, "a resource type");
        bool known = query->resource != FHIR_NONE && type != query->resource;
        for (size_t i = 0; i < query->types_count; i++)
            known = known || query->types[i] == type;
        if (!known)
            query->types[query->types_count++] = type;
    }
    return ERR_OK;
}

static bool is_include(str name)
{
    static const char *const names[] = { "_include", "_revinclude", "_include:iterate",
        "_revinclude:iterate", "_include:recurse", "_revinclude:recurse" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_of(names[i])))
            return true;
    return false;
}

static err read_contained(struct ctx *cx, struct query *query, str name, str value)
{
    static const char *const words[] = { "false", "true", "both" };
    if (str_eq(name, S("_containedType"))) {
        query->contained_alone = str_eq(value, S("contained"));
        return query->contained_alone || str_eq(value, S("container"))
                   ? ERR_OK : bad_value(cx, name, value, "container or contained");
    }
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(value, str_of(words[i]))) {
            query->contained = (enum query_contained)i;
            return ERR_OK;
        }
    return bad_value(cx, name, value, "false, true or both");
}

/* _include:foo, and a query by name: there is none. */
static err refuse_control(struct ctx *cx, str name)
{
    bool include = str_starts(name, S("_include:")) || str_starts(name, S("_revinclude:"));
    if (include)
        return ctx_failf(cx, ERR_INVALID, name, "\"%.*s\": the only modifier of _include and "
                         "_revinclude is :iterate", STR_ARG(name));
    if (str_eq(name, S("_query")))
        return ctx_fail(cx, ERR_INVALID, name, S("_query: this server has no named queries; "
                                                 "write the parameters themselves"));
    return ERR_OK;
}

/* *taken: the name was a result parameter. */
static err read_control(struct ctx *cx, const struct query_source *from, struct query *query,
                        str name, str value, bool *taken)
{
    *taken = true;
    if (str_eq(name, S("_count")))
        return read_count(cx, query, name, value);
    if (str_eq(name, S("_total")))
        return read_total(cx, query, name, value);
    if (str_eq(name, S("_summary")))
        return read_summary(cx, query, name, value);
    if (str_eq(name, S("_sort")))
        return query_read_sort(cx, from, query, value);
    if (is_include(name))
        return read_include(cx, from, query, name, value);
    if (str_eq(name, S("_type")))
        return read_types(cx, query, name, value);
    if (str_eq(name, S("_contained")) || str_eq(name, S("_containedType")))
        return read_contained(cx, query, name, value);
    if (str_eq(name, S("_elements")))
        query->elements = value;
    else if (str_eq(name, S("_page")))
        query->cursor = value;
    else if (!str_eq(name, S("_format")) && !str_eq(name, S("_pretty")))
        *taken = false;
    return *taken ? ERR_OK : refuse_control(cx, name);
}

/* At the root the types say which other names are known, wherever _type stands. */
static err read_types_first(struct ctx *cx, struct query *query, str text)
{
    str pair, name;
    while (text.p && str_next(&text, '&', &pair)) {
        str value = pair;
        str_next(&value, '=', &name);
        if (value.p && str_eq(query_decode(cx->arena, name), S("_type")))
            TRY(read_types(cx, query, S("_type"), query_decode(cx->arena, value)));
    }
    return ERR_OK;
}

static void keep(struct buf *kept, str name, str value)
{
    if (kept->n)
        buf_char(kept, '&');
    query_encode(kept, name);
    buf_char(kept, '=');
    query_encode(kept, value);
}

err query_parse(struct ctx *cx, const struct query_source *from, uint16_t resource, str text,
                struct query *out)
{
    *out = (struct query){ .resource = resource };
    if (text.n > QUERY_BYTES_MAX)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 },
                         "a search takes at most %d bytes of parameters; this has %zu",
                         QUERY_BYTES_MAX, text.n);
    if (resource == FHIR_NONE)
        TRY(read_types_first(cx, out, text));
    struct buf kept = buf_make(cx->arena, 4 * QUERY_BYTES_MAX);
    str rest = text, pair, name;
    while (rest.p && str_next(&rest, '&', &pair)) {
        if (!pair.n)
            continue;
        str value = pair;
        str_next(&value, '=', &name);
        name = query_decode(cx->arena, name);
        value = value.p ? query_decode(cx->arena, value) : S("");
        bool taken;
        TRY(read_control(cx, from, out, name, value, &taken));
        if (taken && from->condition && !str_eq(name, S("_format")))
            return ctx_failf(cx, ERR_INVALID, name,
                             "\"%.*s\" shapes an answer; a condition takes only what matches",
                             STR_ARG(name));
        if (!taken)
            TRY(query_add(cx, from, out, name, value, 0));
        if (!str_eq(name, S("_page")))
            keep(&kept, name, value);
    }
    out->kept = buf_str(&kept);
    return ERR_OK;
}
