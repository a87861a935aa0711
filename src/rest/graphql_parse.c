/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql.h"

struct reader {
    struct ctx *cx;
    str text;
    size_t at;       /* after the current word */
    str word;        /* the current one; empty at the end */
    bool is_string;
    int depth, nodes;
};

static err fail(struct reader *r, const char *expected)
{
    size_t line = 1, column = 1, start = r->word.n ? (size_t)(r->word.p - r->text.p) : r->at;
    for (size_t i = 0; i < start && i < r->text.n; i++) {
        column = r->text.p[i] == '\n' ? 1 : column + 1;
        line += r->text.p[i] == '\n';
    }
    return ctx_failf(r->cx, ERR_INVALID, S("query"), "GraphQL line %zu column %zu: expected %s, "
                     "found %.*s", line, column, expected,
                     STR_ARG(r->word.n ? str_slice(r->word, 0, 40) : S("the end")));
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void skip_space(struct reader *r)
{
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        if (c == '#')
            while (r->at + 1 < r->text.n && r->text.p[r->at + 1] != '\n')
                r->at++;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ',')
            break;
    }
}

/* A string's word is its inside with the escapes left in. */
static err take_string(struct reader *r)
{
    bool block = str_starts(str_slice(r->text, r->at, r->text.n), S("\"\"\""));
    size_t quotes = block ? 3 : 1, from = r->at + quotes, at = from;
    while (at < r->text.n) {
        if (r->text.p[at] == '\\' && !block)
            at++;
        else if (r->text.p[at] == '\n' && !block)
            break;
        else if (r->text.p[at] == '"' &&
                 (!block || str_starts(str_slice(r->text, at, r->text.n), S("\"\"\"")))) {
            r->word = str_slice(r->text, from, at);
            r->is_string = true;
            r->at = at + quotes;
            return ERR_OK;
        }
        at++;
    }
    r->word = str_slice(r->text, r->at, r->at + 1);
    return fail(r, "the closing quote of a string");
}

static err next(struct reader *r)
{
    skip_space(r);
    r->is_string = false;
    r->word = (str){ r->text.p + r->at, 0 };
    if (r->at >= r->text.n)
        return ERR_OK;
    char c = r->text.p[r->at];
    size_t end = r->at + 1;
    if (c == '"')
        return take_string(r);
    if (is_name(c) || c == '-')
        while (end < r->text.n && (is_name(r->text.p[end]) ||
                                   ((c == '-' || (c >= '0' && c <= '9')) &&
                                    strchr(".+-", r->text.p[end]))))
            end++;
    else if (c == '.')
        while (end < r->text.n && r->text.p[end] == '.' && end < r->at + 3)
            end++;
    else if (!strchr("!$():=@[]{}|&", c))
        return fail(r, "a name or a mark of GraphQL");
    r->word = str_slice(r->text, r->at, end);
    r->at = end;
    return ERR_OK;
}

static bool is(const struct reader *r, const char *mark)
{
    return !r->is_string && str_eq(r->word, str_of(mark));
}

static err expect(struct reader *r, const char *mark)
{
    return is(r, mark) ? next(r) : fail(r, mark);
}

static err take_name(struct reader *r, str *out)
{
    if (r->is_string || r->word.n == 0 || !is_name(r->word.p[0]) ||
        (r->word.p[0] >= '0' && r->word.p[0] <= '9'))
        return fail(r, "a name");
    *out = r->word;
    return next(r);
}

static void *make(struct reader *r, size_t bytes)
{
    r->nodes++;
    return arena_zero(r->cx->arena, bytes);
}

static err deeper(struct reader *r)
{
    if (++r->depth > 4 * GRAPHQL_DEPTH_MAX || r->nodes > GRAPHQL_NODES_MAX)
        return ctx_fail(r->cx, ERR_LIMIT, S("query"), S("this GraphQL query is too large or too "
                                                        "deeply nested"));
    return ERR_OK;
}

/* The escapes are those of JSON. */
static err unescape(struct reader *r, str *text)
{
    if (str_find_char(*text, '\\') == STR_NONE)
        return ERR_OK;
    struct json value;
    TRY(json_parse(r->cx, arena_printf(r->cx->arena, "\"%.*s\"", STR_ARG(*text)), &value));
    *text = json_string(r->cx->arena, value);
    return ERR_OK;
}

static err take_value(struct reader *r, struct graphql_value **out)
{
    struct graphql_value *value = make(r, sizeof *value);
    *out = value;
    TRY(deeper(r));
    if (is(r, "[")) {
        value->kind = GRAPHQL_LIST;
        TRY(next(r));
        for (struct graphql_value **last = &value->items; !is(r, "]"); last = &(*last)->next)
            TRY(take_value(r, last));
        r->depth--;
        return next(r);
    }
    r->depth--;
    value->kind = r->is_string ? GRAPHQL_STRING : GRAPHQL_SCALAR;
    if (is(r, "$")) {
        value->kind = GRAPHQL_VARIABLE;
        TRY(next(r));
        return take_name(r, &value->text);
    }
    if (!r->is_string && (r->word.n == 0 || (!is_name(r->word.p[0]) && r->word.p[0] != '-')))
        return fail(r, "a value");
    if (is(r, "null"))
        value->kind = GRAPHQL_NULL;
    value->text = r->word;
    if (r->is_string)
        TRY(unescape(r, &value->text));
    return next(r);
}

static err take_arguments(struct reader *r, struct graphql_argument **last)
{
    if (!is(r, "("))
        return ERR_OK;
    TRY(next(r));
    for (; !is(r, ")"); last = &(*last)->next) {
        *last = make(r, sizeof **last);
        TRY(take_name(r, &(*last)->name));
        TRY(expect(r, ":"));
        TRY(take_value(r, &(*last)->value));
    }
    return next(r);
}

static err take_directives(struct reader *r, struct graphql_directive **last)
{
    for (; is(r, "@"); last = &(*last)->next) {
        *last = make(r, sizeof **last);
        TRY(next(r));
        TRY(take_name(r, &(*last)->name));
        TRY(take_arguments(r, &(*last)->arguments));
    }
    return ERR_OK;
}

static err take_selections(struct reader *r, struct graphql_selection **last);

static err take_spread(struct reader *r, struct graphql_selection *selection)
{
    TRY(next(r));
    if (is(r, "on")) {
        TRY(next(r));
        TRY(take_name(r, &selection->on));
    } else if (!is(r, "{") && !is(r, "@")) {
        TRY(take_name(r, &selection->spread));
        return take_directives(r, &selection->directives);
    }
    selection->is_inline = true;
    TRY(take_directives(r, &selection->directives));
    return take_selections(r, &selection->selections);
}

static err take_field(struct reader *r, struct graphql_selection *selection)
{
    TRY(take_name(r, &selection->name));
    selection->alias = selection->name;
    if (is(r, ":")) {
        TRY(next(r));
        TRY(take_name(r, &selection->name));
    }
    TRY(take_arguments(r, &selection->arguments));
    TRY(take_directives(r, &selection->directives));
    return is(r, "{") ? take_selections(r, &selection->selections) : ERR_OK;
}

static err take_selections(struct reader *r, struct graphql_selection **last)
{
    TRY(deeper(r));
    TRY(expect(r, "{"));
    if (is(r, "}"))
        return fail(r, "a field");
    for (; !is(r, "}"); last = &(*last)->next) {
        *last = make(r, sizeof **last);
        TRY(is(r, "...") ? take_spread(r, *last) : take_field(r, *last));
    }
    r->depth--;
    return next(r);
}

/* *required: the whole type ends in '!'. */
static err skip_type(struct reader *r, bool *required)
{
    str name;
    int lists = 0;
    for (; is(r, "["); lists++)
        TRY(next(r));
    TRY(take_name(r, &name));
    if ((*required = is(r, "!")))
        TRY(next(r));
    for (; lists > 0; lists--) {
        TRY(expect(r, "]"));
        if ((*required = is(r, "!")))
            TRY(next(r));
    }
    return ERR_OK;
}

/* ($id: String! = "1", ...): types are not needed, values say what they are. */
static err take_variables(struct reader *r, struct graphql_argument **last)
{
    if (!is(r, "("))
        return ERR_OK;
    TRY(next(r));
    for (; !is(r, ")"); last = &(*last)->next) {
        *last = make(r, sizeof **last);
        TRY(expect(r, "$"));
        TRY(take_name(r, &(*last)->name));
        TRY(expect(r, ":"));
        TRY(skip_type(r, &(*last)->required));
        if (is(r, "=")) {
            TRY(next(r));
            TRY(take_value(r, &(*last)->value));
        }
    }
    return next(r);
}

static err take_definition(struct reader *r, struct graphql_definition *out)
{
    struct graphql_directive *ignored = NULL;
    if (is(r, "fragment")) {
        out->fragment = true;
        TRY(next(r));
        TRY(take_name(r, &out->name));
        TRY(expect(r, "on"));
        TRY(take_name(r, &out->on));
    } else if (!is(r, "{")) {
        if (!is(r, "query"))
            return fail(r, "query, fragment or {");
        TRY(next(r));
        if (!is(r, "{") && !is(r, "(") && !is(r, "@"))
            TRY(take_name(r, &out->name));
        TRY(take_variables(r, &out->defaults));
    }
    TRY(take_directives(r, &ignored));
    return take_selections(r, &out->selections);
}

err graphql_parse(struct ctx *cx, str text, struct graphql_definition **out)
{
    struct reader reader = { .cx = cx, .text = text };
    struct graphql_definition **last = out;
    *out = NULL;
    if (text.n > GRAPHQL_TEXT_MAX)
        return ctx_failf(cx, ERR_LIMIT, S("query"), "a GraphQL query may have %d bytes",
                         GRAPHQL_TEXT_MAX);
    TRY(next(&reader));
    do {
        *last = make(&reader, sizeof **last);
        TRY(take_definition(&reader, *last));
        last = &(*last)->next;
    } while (reader.word.n || reader.is_string);
    return ERR_OK;
}
