/* SPDX-License-Identifier: Apache-2.0 */
#include "store/compile.h"

/*
 * _filter: a small language of its own (hl7.org/fhir/R4/search_filter.html). Each comparison
 * becomes a query of one criterion; its resources are a set, and the sets are joined.
 *
 *   given eq "peter" and (birthdate ge 2014 or not (gender eq male))
 */
enum { FILTER_DEPTH_MAX = 30, FILTER_SET_MOST = 1000000 };

struct filter {
    const struct compile *on;
    const struct query_criterion *criterion;
    struct query_source from;
    str rest;
    int depth;
};

static err malformed(struct filter *f, const char *wanted)
{
    return ctx_failf(f->on->cx, ERR_INVALID, f->criterion->shown, "_filter: %s before \"%.*s\"",
                     wanted, STR_ARG(str_slice(f->rest, 0, 40)));
}

static bool take(struct filter *f, str what)
{
    f->rest = str_trim(f->rest);
    if (!str_starts(f->rest, what))
        return false;
    bool letter = what.p[0] >= 'a' && what.p[0] <= 'z';
    if (letter && f->rest.n > what.n && f->rest.p[what.n] != ' ' && f->rest.p[what.n] != '(')
        return false;
    f->rest = str_slice(f->rest, what.n, f->rest.n);
    return true;
}

static str take_word(struct filter *f)
{
    f->rest = str_trim(f->rest);
    size_t n = 0;
    while (n < f->rest.n && f->rest.p[n] != ' ' && f->rest.p[n] != ')' && f->rest.p[n] != '(')
        n++;
    str word = str_slice(f->rest, 0, n);
    f->rest = str_slice(f->rest, n, f->rest.n);
    return word;
}

/* A word, or text in double quotes; marks that a search value gives a meaning to are escaped. */
static err take_value(struct filter *f, str *out)
{
    struct buf text = buf_make(f->on->cx->arena, QUERY_BYTES_MAX);
    f->rest = str_trim(f->rest);
    if (!str_starts(f->rest, S("\""))) {
        *out = take_word(f);
        return out->n ? ERR_OK : malformed(f, "a value is missing");
    }
    size_t at = 1;
    for (; at < f->rest.n && f->rest.p[at] != '"'; at++) {
        if (f->rest.p[at] == '\\' && at + 1 < f->rest.n)
            at++;
        if (f->rest.p[at] == ',' || f->rest.p[at] == '$' || f->rest.p[at] == '\\')
            buf_char(&text, '\\');
        buf_char(&text, f->rest.p[at]);
    }
    if (at >= f->rest.n)
        return malformed(f, "a closing quote is missing");
    f->rest = str_slice(f->rest, at + 1, f->rest.n);
    *out = buf_str(&text);
    return ERR_OK;
}

/* How an operator is said in an ordinary search. */
static const struct {
    const char *name, *modifier, *prefix;
    bool complement;
} operators[] = {
    { "eq", "", "", false },          { "ne", "", "", true },
    { "co", ":contains", "", false }, { "sw", "", "", false },
    { "gt", "", "gt", false },        { "lt", "", "lt", false },
    { "ge", "", "ge", false },        { "le", "", "le", false },
    { "ap", "", "ap", false },        { "sa", "", "sa", false },
    { "eb", "", "eb", false },        { "pr", ":missing", "", true },
    { "ss", ":below", "", false },    { "sb", ":above", "", false },
    { "in", ":in", "", false },       { "ni", ":not-in", "", false },
    { "re", "", "", false },          { "ew", ":contains", "", false },
    { "po", "", "", false },
};

static err everything(struct filter *f, struct hits *out)
{
    struct query all = { .resource = f->on->query->resource };
    return compile_matches(f->on, &all, FILTER_SET_MOST, out);
}

/* left without right, both sorted by rid; or, with `keep`, what is in both. */
static void sieve(struct hits *left, const struct hits *right, bool keep)
{
    size_t n = 0;
    for (size_t i = 0; i < left->count; i++)
        if (hits_have(right, ORDER_RID, &left->list[i]) == keep)
            left->list[n++] = left->list[i];
    left->count = n;
}

static err complement(struct filter *f, struct hits *set)
{
    struct hits all = { 0 };
    TRY(everything(f, &all));
    sieve(&all, set, false);
    *set = all;
    return ERR_OK;
}

/* What no ordinary search can say: ends with, and overlaps. */
static err refine(struct filter *f, struct query *query, str operator)
{
    bool ends = str_eq(operator, S("ew")), overlaps = str_eq(operator, S("po"));
    for (size_t i = 0; i < query->criteria_count && (ends || overlaps); i++) {
        struct query_criterion *c = &query->criteria[i];
        for (size_t k = 0; k < c->inner_count; k++)
            TRY(refine(f, c->inner[k], operator));
        if (c->inner_count)
            continue;
        bool date = c->what == QUERY_UPDATED ||
                    (c->what == QUERY_PARAM && c->param->kind == FHIR_SEARCH_DATE);
        if (overlaps && !date)
            return ctx_failf(f->on->cx, ERR_INVALID, f->criterion->shown,
                             "_filter: po compares dates and periods; \"%.*s\" is neither",
                             STR_ARG(c->shown));
        if (ends && c->what == QUERY_PARAM)
            c->modifier = MOD_ENDS;
        for (size_t v = 0; v < c->values_count && overlaps; v++)
            c->values[v].prefix = PREFIX_PO;
    }
    return ERR_OK;
}

static err compare(struct filter *f, struct hits *out)
{
    struct ctx *cx = f->on->cx;
    str name = take_word(f), operator = take_word(f), value;
    if (!name.n || !operator.n)
        return malformed(f, "a comparison is missing");
    TRY(take_value(f, &value));
    for (size_t i = 0; i < COUNT(operators); i++) {
        if (!str_eq(operator, str_of(operators[i].name)))
            continue;
        const struct layout_param *param = layout_param(f->on->layout, f->on->query->resource,
                                                        name);
        bool same = i < 2 && param && param->kind == FHIR_SEARCH_STRING;
        str full = arena_printf(cx->arena, "%.*s%s", STR_ARG(name),
                                same ? ":exact" : operators[i].modifier);
        struct query *query = arena_zero(cx->arena, sizeof *query);
        query->resource = f->on->query->resource;
        value = arena_printf(cx->arena, "%s%.*s", operators[i].prefix, STR_ARG(value));
        TRY(query_add(cx, &f->from, query, full, value, 0));
        TRY(refine(f, query, operator));
        TRY(compile_matches(f->on, query, FILTER_SET_MOST, out));
        return operators[i].complement ? complement(f, out) : ERR_OK;
    }
    return ctx_failf(cx, ERR_INVALID, f->criterion->shown,
                     "_filter: \"%.*s\" is not an operator; there are eq ne co sw ew gt lt ge le "
                     "ap sa eb pr po ss sb in ni re", STR_ARG(operator));
}

static err any_of(struct filter *f, struct hits *out);

static err one(struct filter *f, struct hits *out)
{
    bool not = take(f, S("not"));
    if (!take(f, S("(")))
        return not ? malformed(f, "'(' is missing") : compare(f, out);
    if (++f->depth > FILTER_DEPTH_MAX)
        return ctx_fail(f->on->cx, ERR_LIMIT, f->criterion->shown, S("_filter nests too deep"));
    TRY(any_of(f, out));
    f->depth--;
    if (!take(f, S(")")))
        return malformed(f, "')' is missing");
    return not ? complement(f, out) : ERR_OK;
}

static err all_of(struct filter *f, struct hits *out)
{
    TRY(one(f, out));
    while (take(f, S("and"))) {
        struct hits next = { 0 };
        TRY(one(f, &next));
        sieve(out, &next, true);
    }
    return ERR_OK;
}

static err any_of(struct filter *f, struct hits *out)
{
    TRY(all_of(f, out));
    while (take(f, S("or"))) {
        struct hits next = { 0 };
        TRY(all_of(f, &next));
        for (size_t i = 0; i < next.count; i++)
            hits_add(f->on->cx, out, next.list[i]);
        hits_sort(out, ORDER_RID);
    }
    return ERR_OK;
}

err compile_filter(const struct compile *on, struct clause *clause)
{
    struct filter f = { .on = on, .criterion = clause->criterion,
                        .from = { .layout = on->layout, .store = on->store },
                        .rest = clause->criterion->raw };
    struct hits set = { 0 };
    clause->opaque = true;
    TRY(any_of(&f, &set));
    f.rest = str_trim(f.rest);
    if (f.rest.n)
        return malformed(&f, "'and' or 'or' is missing");
    for (size_t i = 0; i < set.count; i++)
        clause_add(on->cx, clause, (struct posting){ .kind = POSTING_RID,
                                                     .value = set.list[i].rid });
    return ERR_OK;
}
