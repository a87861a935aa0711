/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"
#include <assert.h>

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

str query_decode(struct arena *arena, str text)
{
    if (str_find_char(text, '%') == STR_NONE && str_find_char(text, '+') == STR_NONE)
        return text;
    char *p = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex_of(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_of(text.p[i + 2]) : -1;
        if (low >= 0) {
            p[n++] = (char)(high * 16 + low);
            i += 2;
        } else
            p[n++] = text.p[i] == '+' ? ' ' : text.p[i];
    }
    return (str){ p, n };
}

void query_encode(struct buf *buf, str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~,:|/$*", c));
        if (plain) {
            buf_char(buf, c);
            continue;
        }
        buf_char(buf, '%');
        buf_char(buf, digits[(unsigned char)c >> 4]);
        buf_char(buf, digits[(unsigned char)c & 15]);
    }
}

bool query_split(str *rest, char mark, str *head)
{
    if (!rest->p)
        return false;
    size_t at = 0;
    while (at < rest->n && rest->p[at] != mark)
        at += rest->p[at] == '\\' && at + 1 < rest->n ? 2 : 1;
    *head = str_slice(*rest, 0, at);
    *rest = at < rest->n ? str_slice(*rest, at + 1, rest->n) : (str){ 0 };
    return true;
}

str query_unescape(struct arena *arena, str text)
{
    if (str_find_char(text, '\\') == STR_NONE)
        return text;
    char *p = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool escape = text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] &&
                      strchr(",|$\\", text.p[i + 1]);
        p[n++] = text.p[escape ? ++i : i];
    }
    return (str){ p, n };
}

/* How many letters two names differ by; more than 3 is "far". */
static int distance(str a, str b)
{
    enum { LONGEST = 40, FAR = 9 };
    int row[LONGEST + 1];
    if (a.n > LONGEST || b.n > LONGEST)
        return FAR;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a.n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.n; j++) {
            int change = diagonal + !str_eq_nocase(str_slice(a, i - 1, i), str_slice(b, j - 1, j));
            diagonal = row[j];
            int best = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[b.n];
}

static str nearest(const struct index_layout *layout, uint16_t resource, str code)
{
    const struct layout_type *type = &layout->types[resource];
    str best = { 0 };
    int least = code.n < 4 ? 2 : 3;
    for (uint16_t i = 0; i < type->params_count; i++) {
        int far = distance(code, type->params[i].code);
        if (far < least) {
            least = far;
            best = type->params[i].code;
        }
    }
    return best;
}

/* An error, or in lenient mode a warning and the parameter is left out. */
static err refuse(struct ctx *cx, const struct query_source *from, str name, str text)
{
    if (!from->warnings)
        return ctx_fail(cx, ERR_INVALID, name, text);
    issues_note(from->warnings, (struct issue){ .kind = ERR_INVALID, .severity = ISSUE_WARNING,
                                                .path = name, .text = text });
    return ERR_OK;
}

static err unknown_param(struct ctx *cx, const struct query_source *from, uint16_t resource,
                         str code)
{
    str type = resource == FHIR_NONE ? S("every type") : fhir_resource_name(resource);
    str near = resource == FHIR_NONE ? (str){ 0 } : nearest(from->layout, resource, code);
    const char *left_out = from->warnings ? "; it was left out" : "";
    str text = near.p ? arena_printf(cx->arena,
                                     "\"%.*s\" is not a search parameter of %.*s; "
                                     "did you mean \"%.*s\"?%s",
                                     STR_ARG(code), STR_ARG(type), STR_ARG(near), left_out)
                      : arena_printf(cx->arena, "\"%.*s\" is not a search parameter of %.*s%s",
                                     STR_ARG(code), STR_ARG(type), left_out);
    return refuse(cx, from, code, text);
}

static const struct {
    const char *name;
    enum query_modifier modifier;
    unsigned kinds; /* a bit a search kind */
} modifiers[] = {
#define ANY_KIND 0xffffu
    { "missing", MOD_MISSING, ANY_KIND & ~(1u << FHIR_SEARCH_COMPOSITE) },
    { "exact", MOD_EXACT, 1u << FHIR_SEARCH_STRING },
    { "contains", MOD_CONTAINS, 1u << FHIR_SEARCH_STRING | 1u << FHIR_SEARCH_URI },
    { "not", MOD_NOT, 1u << FHIR_SEARCH_TOKEN },
    { "text", MOD_TEXT, 1u << FHIR_SEARCH_TOKEN | 1u << FHIR_SEARCH_STRING },
    { "code-text", MOD_CODE_TEXT, 1u << FHIR_SEARCH_TOKEN },
    { "text-advanced", MOD_TEXT_ADVANCED, 1u << FHIR_SEARCH_TOKEN },
    { "of-type", MOD_OF_TYPE, 1u << FHIR_SEARCH_TOKEN },
    { "identifier", MOD_IDENTIFIER, 1u << FHIR_SEARCH_REFERENCE },
    { "above", MOD_ABOVE, 1u << FHIR_SEARCH_URI | 1u << FHIR_SEARCH_TOKEN },
    { "below", MOD_BELOW, 1u << FHIR_SEARCH_URI | 1u << FHIR_SEARCH_TOKEN },
    { "in", MOD_IN, 1u << FHIR_SEARCH_TOKEN },
    { "not-in", MOD_NOT_IN, 1u << FHIR_SEARCH_TOKEN },
};

/* True: the modifier is known and fits; criterion filled. */
static bool read_modifier(struct query_criterion *criterion, str modifier)
{
    enum fhir_search_kind kind = criterion->param ? criterion->param->kind : FHIR_SEARCH_TOKEN;
    if (criterion->what == QUERY_TEXT || criterion->what == QUERY_CONTENT)
        return false;
    for (size_t i = 0; i < COUNT(modifiers); i++)
        if (str_eq(modifier, str_of(modifiers[i].name)) && (modifiers[i].kinds >> kind & 1)) {
            if (modifiers[i].modifier == MOD_IDENTIFIER &&
                criterion->param->identifier_slot == FHIR_NONE)
                return false; /* no Reference.identifier is kept of it */
            criterion->modifier = modifiers[i].modifier;
            return true;
        }
    uint16_t type = fhir_resource_find(modifier);
    if (kind == FHIR_SEARCH_REFERENCE && type != FHIR_NONE) {
        criterion->modifier = MOD_TYPE;
        criterion->type = type;
        return true;
    }
    return false;
}

static err add_criterion(struct ctx *cx, struct query *query, struct query_criterion criterion)
{
    if (query->criteria_count == QUERY_CRITERIA_MAX)
        return ctx_failf(cx, ERR_LIMIT, criterion.shown, "a search takes at most %d criteria",
                         QUERY_CRITERIA_MAX);
    query->criteria = arena_grow(cx->arena, query->criteria, query->criteria_count,
                                 &query->criteria_cap, sizeof criterion);
    query->criteria[query->criteria_count++] = criterion;
    return ERR_OK;
}

static err read_missing(struct ctx *cx, struct query_criterion *criterion, str value)
{
    criterion->missing = str_eq(value, S("true"));
    if (!criterion->missing && !str_eq(value, S("false")))
        return ctx_fail(cx, ERR_INVALID, criterion->shown, S(":missing takes true or false"));
    return ERR_OK;
}

static err read_values(struct ctx *cx, const struct query_source *from,
                       struct query_criterion *criterion, str value)
{
    size_t cap = 0;
    str rest = value, one;
    while (query_split(&rest, ',', &one)) {
        if (criterion->values_count == QUERY_VALUES_MAX)
            return ctx_failf(cx, ERR_LIMIT, criterion->shown,
                             "a criterion takes at most %d values", QUERY_VALUES_MAX);
        criterion->values = arena_grow(cx->arena, criterion->values, criterion->values_count, &cap,
                                       sizeof *criterion->values);
        struct query_value *at = &criterion->values[criterion->values_count];
        *at = (struct query_value){ 0 };
        bool words = criterion->what == QUERY_TEXT || criterion->what == QUERY_CONTENT ||
                     criterion->modifier == MOD_TEXT_ADVANCED;
        if (words)
            TRY(words_parse(cx, criterion->shown, query_unescape(cx->arena, one), &at->words));
        else
            TRY(query_value(cx, from, criterion, one, at));
        criterion->values_count++;
    }
    return ERR_OK;
}

static err add_param(struct ctx *cx, const struct query_source *from, struct query *query,
                     struct query_criterion criterion, str modifier, str value)
{
    if (str_given(modifier) && !read_modifier(&criterion, modifier))
        return refuse(cx, from, criterion.shown,
                      arena_printf(cx->arena,
                                   "\":%.*s\" is not a modifier of the parameter \"%.*s\"%s",
                                   STR_ARG(modifier), STR_ARG(criterion.param->code),
                                   from->warnings ? "; it was left out" : ""));
    if (value.n == 0)
        return ERR_OK; /* R4: a parameter without a value is ignored */
    bool terms = criterion.modifier == MOD_IN || criterion.modifier == MOD_NOT_IN ||
                 ((criterion.modifier == MOD_ABOVE || criterion.modifier == MOD_BELOW) &&
                  criterion.param->kind == FHIR_SEARCH_TOKEN);
    if (criterion.modifier == MOD_MISSING)
        TRY(read_missing(cx, &criterion, value));
    else if (terms)
        TRY(query_codes(cx, from, &criterion, value));
    else
        TRY(read_values(cx, from, &criterion, value));
    return add_criterion(cx, query, criterion);
}

const uint16_t *query_targets(struct arena *arena, const struct layout_param *param,
                              uint16_t named, size_t *count)
{
    uint16_t *one = arena_array(arena, 1, sizeof *one);
    one[0] = named;
    *count = 1;
    if (named != FHIR_NONE)
        return one;
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].target != FHIR_NONE) {
            one[0] = param->slots[i].target;
            return one;
        }
    const uint16_t *types;
    *count = layout_targets(param, &types);
    uint16_t *all = arena_array(arena, fhir_resources_count, sizeof *all);
    for (size_t i = 0; i < *count; i++)
        all[i] = layout_target(types[i]);
    for (uint16_t i = 0; i < fhir_resources_count && *count == 0; i++)
        all[i] = i;
    *count = *count ? *count : fhir_resources_count;
    return all;
}

/* A query within another: on a chain's or _has's other type. Chains that may step to any type grow
 * by powers, so they are counted before anything runs. */
static err make_inner(struct ctx *cx, struct query *outer, str shown, uint16_t resource,
                      struct query **out)
{
    if (!outer->inner_count)
        outer->inner_count = arena_zero(cx->arena, sizeof *outer->inner_count);
    if (++*outer->inner_count > QUERY_INNER_MAX)
        return ctx_failf(cx, ERR_LIMIT, shown, "this chain leads to more than %d questions: name "
                         "the type of each reference (subject:Patient.name)", QUERY_INNER_MAX);
    *out = arena_zero(cx->arena, sizeof **out);
    (*out)->resource = resource;
    (*out)->inner_count = outer->inner_count;
    return ERR_OK;
}

/* reference[:Type].rest=value: one inner query for each type that has such a parameter. */
static err add_chain(struct ctx *cx, const struct query_source *from, struct query *query,
                     struct query_criterion criterion, str rest, int depth)
{
    str value = criterion.raw;
    if (criterion.param->kind != FHIR_SEARCH_REFERENCE)
        return refuse(cx, from, criterion.shown,
                      arena_printf(cx->arena, "\"%.*s\" is no reference, so nothing can be "
                                   "chained to it", STR_ARG(criterion.param->code)));
    TRY(query_need_index(cx, criterion.param));
    size_t count;
    const uint16_t *targets = query_targets(cx->arena, criterion.param, criterion.type, &count);
    criterion.what = QUERY_CHAIN;
    criterion.inner = arena_array(cx->arena, count + 1, sizeof *criterion.inner);
    str head = rest, code;
    size_t dot = str_find_char(rest, '.');
    head = dot == STR_NONE ? rest : str_slice(rest, 0, dot);
    str_next(&head, ':', &code);
    for (size_t i = 0; i < count; i++) {
        bool known = layout_param(from->layout, targets[i], code) || str_eq(code, S("_has")) ||
                     str_eq(code, S("_list")) || str_eq(code, S("_filter"));
        if (!known)
            continue;
        struct query *inner = NULL;
        TRY(make_inner(cx, query, criterion.shown, targets[i], &inner));
        TRY(query_add(cx, from, inner, rest, value, depth + 1));
        if (inner->criteria_count)
            criterion.inner[criterion.inner_count++] = inner;
    }
    if (!criterion.inner_count)
        return refuse(cx, from, criterion.shown,
                      arena_printf(cx->arena, "\"%.*s\" is not a search parameter of any type "
                                   "that \"%.*s\" refers to", STR_ARG(code),
                                   STR_ARG(criterion.param->code)));
    return add_criterion(cx, query, criterion);
}

/* _has:Type:reference:rest=value */
static err add_has(struct ctx *cx, const struct query_source *from, struct query *query, str name,
                   str value, int depth)
{
    str rest = name, word, type = { 0 }, code = { 0 };
    str_next(&rest, ':', &word);
    bool whole = str_next(&rest, ':', &type) && str_next(&rest, ':', &code) && rest.n;
    uint16_t resource = fhir_resource_find(type);
    if (!whole || resource == FHIR_NONE)
        return refuse(cx, from, name, S("_has is written _has:Type:reference:parameter"));
    struct query_criterion criterion = { .what = QUERY_HAS, .type = resource, .shown = name,
                                         .raw = value,
                                         .param = layout_param(from->layout, resource, code) };
    if (!criterion.param)
        return unknown_param(cx, from, resource, code);
    TRY(query_own(cx, from, &criterion.param));
    TRY(query_need_index(cx, criterion.param));
    if (criterion.param->kind != FHIR_SEARCH_REFERENCE)
        return refuse(cx, from, name, S("the second word of _has must be a reference parameter"));
    struct query *inner = NULL;
    TRY(make_inner(cx, query, name, resource, &inner));
    TRY(query_add(cx, from, inner, rest, value, depth + 1));
    if (!inner->criteria_count)
        return ERR_OK;
    criterion.inner = arena_array(cx->arena, 1, sizeof *criterion.inner);
    criterion.inner[0] = inner;
    criterion.inner_count = 1;
    return add_criterion(cx, query, criterion);
}

static enum query_what special_of(str code)
{
    static const struct { const char *code; enum query_what what; } specials[] = {
        { "_id", QUERY_ID }, { "_lastUpdated", QUERY_UPDATED },
        { "_text", QUERY_TEXT }, { "_content", QUERY_CONTENT },
        { "_list", QUERY_LIST }, { "_filter", QUERY_FILTER }, { "near", QUERY_NEAR },
    };
    for (size_t i = 0; i < COUNT(specials); i++)
        if (str_eq(code, str_of(specials[i].code)))
            return specials[i].what;
    return QUERY_PARAM;
}

/* At the root: a name of a type's own is known when every type asked for has it. */
static uint16_t lacking(const struct query_source *from, const struct query *query, str code)
{
    for (size_t i = 0; i < query->types_count; i++)
        if (!layout_param(from->layout, query->types[i], code))
            return query->types[i];
    return FHIR_NONE;
}

err query_add(struct ctx *cx, const struct query_source *from, struct query *query, str name,
              str value, int depth)
{
    if (depth > QUERY_DEPTH_MAX)
        return ctx_failf(cx, ERR_LIMIT, name, "chains go at most %d steps", QUERY_DEPTH_MAX);
    if (str_starts(name, S("_has:")))
        return add_has(cx, from, query, name, value, depth);
    size_t dot = str_find_char(name, '.');
    str head = dot == STR_NONE ? name : str_slice(name, 0, dot);
    str code, modifier = head;
    str_next(&modifier, ':', &code);
    struct query_criterion criterion = { .type = FHIR_NONE, .shown = name, .raw = value,
                                         .what = special_of(code) };
    uint16_t resource = query->resource == FHIR_NONE ? 0 : query->resource;
    if (query->resource == FHIR_NONE && code.n && code.p[0] != '_') {
        uint16_t without = lacking(from, query, code);
        if (!query->types_count || without != FHIR_NONE)
            return unknown_param(cx, from, without, code);
        resource = query->types[0];
    }
    criterion.param = layout_param(from->layout, resource, code);
    bool special = criterion.what == QUERY_LIST || criterion.what == QUERY_FILTER;
    if (!criterion.param && !special && query->resource != FHIR_NONE)
        TRY(query_new_own(cx, from, resource, code, &criterion.param));
    TRY(query_own(cx, from, &criterion.param));
    if (!criterion.param && !special)
        return unknown_param(cx, from, query->resource, code);
    if (criterion.what == QUERY_NEAR && !str_eq(fhir_resource_name(resource), S("Location")))
        criterion.what = QUERY_PARAM;
    if (dot == STR_NONE)
        return add_param(cx, from, query, criterion, modifier, value);
    if (str_given(modifier) && (criterion.type = fhir_resource_find(modifier)) == FHIR_NONE)
        return refuse(cx, from, name, arena_printf(cx->arena, "\"%.*s\" is not a resource type",
                                                   STR_ARG(modifier)));
    return add_chain(cx, from, query, criterion, str_slice(name, dot + 1, name.n), depth);
}
