/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_lex.h"
#include "fhir/path_program.h"

/*
 * Source   the grammar of FHIRPath 2.0.0, appendix A, by precedence climbing.
 */
struct parser {
    struct path_lexer lexer;
    int depth;
};

static struct ctx *cx_of(struct parser *p)
{
    return p->lexer.cx;
}

static err fail(struct parser *p, const char *what)
{
    return path_lex_fail(&p->lexer, p->lexer.token.at, what);
}

static err next(struct parser *p)
{
    return path_lex(&p->lexer);
}

static bool is_symbol(struct parser *p, const char *symbol)
{
    return p->lexer.token.kind == PATH_TOKEN_SYMBOL &&
           str_eq(p->lexer.token.text, str_of(symbol));
}

static bool is_word(struct parser *p, const char *word)
{
    return p->lexer.token.kind == PATH_TOKEN_NAME && str_eq(p->lexer.token.text, str_of(word));
}

static err expect(struct parser *p, const char *symbol, const char *what)
{
    return is_symbol(p, symbol) ? next(p) : fail(p, what);
}

static struct path_code *make(struct parser *p, enum path_op op, uint32_t at)
{
    struct path_code *code = arena_zero(cx_of(p)->arena, sizeof *code);
    code->op = op;
    code->at = at;
    code->depth = 1;
    code->root_type = FHIR_NONE;
    return code;
}

static err deepen(struct parser *p, struct path_code *code, const struct path_code *below)
{
    if (!below)
        return ERR_OK;
    if (below->depth >= PATH_CHAIN_MAX)
        return fail(p, "this expression chains too many steps");
    if (code->depth <= below->depth)
        code->depth = (uint16_t)(below->depth + 1);
    return ERR_OK;
}

static err parse_expression(struct parser *p, int level, struct path_code **out);

/* ---- types ---- */

bool path_type_of_name(str space, str name, struct path_type_name *out)
{
    static const struct { const char *name; enum path_kind kind; } systems[] = {
        { "Boolean", PATH_BOOLEAN }, { "String", PATH_STRING }, { "Integer", PATH_INTEGER },
        { "Decimal", PATH_DECIMAL }, { "Date", PATH_DATE }, { "DateTime", PATH_DATE_TIME },
        { "Time", PATH_TIME }, { "Quantity", PATH_QUANTITY },
    };
    struct path_type_name type = { .name = name, .fhir = FHIR_NONE, .system = -1 };
    type.space = !space.n                         ? PATH_ANY_SPACE
                 : str_eq(space, S("System"))     ? PATH_SYSTEM
                                                  : PATH_FHIR;
    if (type.space != PATH_FHIR)
        for (size_t i = 0; i < COUNT(systems); i++)
            if (str_eq(name, str_of(systems[i].name)))
                type.system = (int)systems[i].kind;
    if (type.space != PATH_SYSTEM)
        type.fhir = fhir_type_find(name);
    *out = type;
    return (type.space == PATH_ANY_SPACE || type.space == PATH_SYSTEM || str_eq(space, S("FHIR")));
}

void path_type_for_view(struct arena *arena, struct path_type_name *type)
{
    if (type->fhir != FHIR_NONE || type->space != PATH_ANY_SPACE || !type->name.n)
        return;
    char first = type->name.p[0];
    if (first < 'A' || first > 'Z')
        return;
    uint16_t found = fhir_type_find(arena_printf(arena, "%c%.*s", first - 'A' + 'a',
                                                 STR_ARG(str_slice(type->name, 1, type->name.n))));
    if (found != FHIR_NONE && fhir_types[found].kind == FHIR_PRIMITIVE)
        type->fhir = found;
}

static bool is_name_token(struct parser *p)
{
    return p->lexer.token.kind == PATH_TOKEN_NAME || p->lexer.token.kind == PATH_TOKEN_QUOTED_NAME;
}

static err parse_type(struct parser *p, struct path_type_name *out)
{
    str space = S(""), name;
    if (!is_name_token(p))
        return fail(p, "a type name is expected here");
    name = p->lexer.token.text;
    TRY(next(p));
    if (is_symbol(p, ".")) {
        space = name;
        TRY(next(p));
        if (!is_name_token(p))
            return fail(p, "a type name is expected here");
        name = p->lexer.token.text;
        TRY(next(p));
    }
    if (!path_type_of_name(space, name, out))
        return fail(p, "a type's namespace is System or FHIR");
    return ERR_OK;
}

/* ---- literals ---- */

static err parse_unit(struct parser *p, struct path_code *code)
{
    bool week, milli;
    struct path_token *token = &p->lexer.token;
    bool word = token->kind == PATH_TOKEN_NAME &&
                path_calendar_word(token->text, &week, &milli) != PATH_NO_PRECISION;
    if (!word && token->kind != PATH_TOKEN_STRING)
        return ERR_OK;
    code->literal.kind = PATH_QUANTITY;
    code->literal.unit = token->text;
    code->literal.calendar = word;
    return next(p);
}

static err parse_number(struct parser *p, struct path_code **out)
{
    str text = p->lexer.token.text;
    struct path_code *code = make(p, PATH_OP_LITERAL, p->lexer.token.at);
    int64_t value = 0;
    struct decimal decimal;
    if (!decimal_parse(text, &decimal))
        return fail(p, "a number of at most 38 digits is expected");
    code->literal.text = text;
    if (str_find_char(text, '.') == STR_NONE && str_to_i64(text, &value) && value <= INT32_MAX) {
        code->literal.kind = PATH_INTEGER;
        code->literal.integer = value;
    } else {
        code->literal.kind = PATH_DECIMAL;
    }
    *out = code;
    TRY(next(p));
    return parse_unit(p, code);
}

static err parse_date(struct parser *p, struct path_code **out)
{
    struct path_token token = p->lexer.token;
    struct path_code *code = make(p, PATH_OP_LITERAL, token.at);
    enum path_date_kind kind = token.kind == PATH_TOKEN_DATE   ? PATH_DATE_ONLY
                               : token.kind == PATH_TOKEN_TIME ? PATH_TIME_ONLY
                                                               : PATH_DATE_AND_TIME;
    struct path_date date;
    if (!path_date_parse(token.text, kind, &date))
        return fail(p, "this is no date or time");
    code->literal.kind = kind == PATH_DATE_ONLY   ? PATH_DATE
                         : kind == PATH_TIME_ONLY ? PATH_TIME
                                                  : PATH_DATE_TIME;
    bool bare = str_ends(token.text, S("T"));
    code->literal.text = str_slice(token.text, 0, token.text.n - bare);
    *out = code;
    return next(p);
}

static err parse_dollar(struct parser *p, struct path_code **out)
{
    str name = p->lexer.token.text;
    enum path_op op = str_eq(name, S("this"))    ? PATH_OP_THIS
                      : str_eq(name, S("index")) ? PATH_OP_INDEX
                                                 : PATH_OP_TOTAL;
    if (op == PATH_OP_TOTAL && !str_eq(name, S("total")))
        return fail(p, "only $this, $index and $total exist");
    *out = make(p, op, p->lexer.token.at);
    return next(p);
}

static err parse_text(struct parser *p, struct path_code **out)
{
    struct path_token token = p->lexer.token;
    bool external = token.kind == PATH_TOKEN_EXTERNAL;
    struct path_code *code = make(p, external ? PATH_OP_VARIABLE : PATH_OP_LITERAL, token.at);
    code->name = token.text;
    code->literal.kind = PATH_STRING;
    code->literal.text = token.text;
    *out = code;
    return next(p);
}

/* ---- names and calls ---- */

/* The type named by an argument of is(), as(), ofType(): Patient, FHIR.Patient, System.String. */
static err type_of_arg(struct parser *p, struct path_code *call, const struct path_code *arg)
{
    str space = S("");
    bool named = arg->op == PATH_OP_NAME;
    if (arg->op == PATH_OP_CHILD && arg->left && arg->left->op == PATH_OP_NAME) {
        space = arg->left->name;
        named = true;
    }
    if (!named || !path_type_of_name(space, arg->name, &call->type))
        return path_lex_fail(&p->lexer, arg->at, "a type name is expected here");
    return ERR_OK;
}

static err parse_args(struct parser *p, struct path_code *call)
{
    struct path_code *args[PATH_ARGS_MAX];
    size_t count = 0;
    while (!is_symbol(p, ")")) {
        if (count && !is_symbol(p, ","))
            return fail(p, "',' or ')' is expected here");
        if (count)
            TRY(next(p));
        if (count == PATH_ARGS_MAX)
            return fail(p, "too many arguments");
        TRY(parse_expression(p, 0, &args[count]));
        TRY(deepen(p, call, args[count++]));
    }
    call->args_count = (uint8_t)count;
    for (size_t i = 0; i < count && i < 2; i++)
        call->args[i] = args[i];
    if (count > 2) {
        call->more = arena_array(cx_of(p)->arena, count, sizeof *call->more);
        memcpy(call->more, args, count * sizeof *args);
    }
    return next(p);
}

static err check_call(struct parser *p, struct path_code *call)
{
    char text[160];
    call->function = path_function_find(call->name);
    if (!call->function) {
        snprintf(text, sizeof text, "there is no function %.*s()", (int)call->name.n % 100,
                 call->name.p);
        return path_lex_fail(&p->lexer, call->at, text);
    }
    if (call->args_count < call->function->args_least ||
        call->args_count > call->function->args_most) {
        snprintf(text, sizeof text, "%s() takes %d to %d arguments", call->function->name,
                 call->function->args_least, call->function->args_most);
        return path_lex_fail(&p->lexer, call->at, text);
    }
    bool typed = (call->function->flags & PATH_TYPE_ARG) && call->args_count;
    return typed ? type_of_arg(p, call, path_arg(call, 0)) : ERR_OK;
}

/* A name, or a name with arguments; `left` is NULL at the start of a path. */
static err parse_invocation(struct parser *p, struct path_code *left, struct path_code **out)
{
    struct path_token token = p->lexer.token;
    if (token.kind == PATH_TOKEN_DOLLAR && !left)
        return parse_dollar(p, out);
    if (!is_name_token(p))
        return fail(p, token.kind == PATH_TOKEN_END ? "the expression ends too early"
                                                    : "a name or a value is expected here");
    struct path_code *code = make(p, left ? PATH_OP_CHILD : PATH_OP_NAME, token.at);
    code->name = token.text;
    code->left = left;
    TRY(deepen(p, code, left));
    TRY(next(p));
    if (is_symbol(p, "(")) {
        code->op = PATH_OP_CALL;
        TRY(next(p));
        TRY(parse_args(p, code));
        TRY(check_call(p, code));
    } else if (!left) {
        code->root_type = fhir_type_find(code->name);
    }
    *out = code;
    return ERR_OK;
}

static err parse_group(struct parser *p, struct path_code **out)
{
    TRY(next(p));
    TRY(parse_expression(p, 0, out));
    return expect(p, ")", "')' is expected here");
}

static err parse_term(struct parser *p, struct path_code **out)
{
    struct path_token token = p->lexer.token;
    switch (token.kind) {
    case PATH_TOKEN_NUMBER:
        return parse_number(p, out);
    case PATH_TOKEN_DATE:
    case PATH_TOKEN_DATE_TIME:
    case PATH_TOKEN_TIME:
        return parse_date(p, out);
    case PATH_TOKEN_STRING:
    case PATH_TOKEN_EXTERNAL:
        return parse_text(p, out);
    default:
        break;
    }
    if (is_symbol(p, "("))
        return parse_group(p, out);
    if (is_symbol(p, "{")) {
        *out = make(p, PATH_OP_EMPTY, token.at);
        TRY(next(p));
        return expect(p, "}", "'}' is expected here");
    }
    if (is_word(p, "true") || is_word(p, "false")) {
        *out = make(p, PATH_OP_LITERAL, token.at);
        (*out)->literal.kind = PATH_BOOLEAN;
        (*out)->literal.boolean = token.text.n == 4;
        return next(p);
    }
    return parse_invocation(p, NULL, out);
}

static err parse_indexer(struct parser *p, struct path_code *left, struct path_code **out)
{
    struct path_code *code = make(p, PATH_OP_INDEXER, p->lexer.token.at);
    code->left = left;
    TRY(next(p));
    TRY(parse_expression(p, 0, &code->args[0]));
    code->args_count = 1;
    TRY(deepen(p, code, left));
    TRY(deepen(p, code, code->args[0]));
    *out = code;
    return expect(p, "]", "']' is expected here");
}

static err parse_postfix(struct parser *p, struct path_code **out)
{
    struct path_code *code;
    TRY(parse_term(p, &code));
    for (;;) {
        if (is_symbol(p, ".")) {
            TRY(next(p));
            TRY(parse_invocation(p, code, &code));
        } else if (is_symbol(p, "[")) {
            TRY(parse_indexer(p, code, &code));
        } else {
            *out = code;
            return ERR_OK;
        }
    }
}

static err parse_polarity(struct parser *p, struct path_code **out)
{
    if (!is_symbol(p, "-") && !is_symbol(p, "+"))
        return parse_postfix(p, out);
    struct path_code *code = make(p, is_symbol(p, "-") ? PATH_OP_NEGATE : PATH_OP_PLUS_SIGN,
                                  p->lexer.token.at);
    if (++p->depth > PATH_DEPTH_MAX)
        return fail(p, "this expression is nested too deep");
    TRY(next(p));
    TRY(parse_polarity(p, &code->args[0]));
    p->depth--;
    code->args_count = 1;
    *out = code;
    return deepen(p, code, code->args[0]);
}

/* ---- operators ---- */

enum { LEVEL_TYPE = 7, LEVEL_MOST = 9 };
/* clang-format off: from weakest to strongest. */
static const struct { const char *text; int level; enum path_op op; } operators[] = {
    { "implies", 0, PATH_OP_IMPLIES },
    { "or", 1, PATH_OP_OR }, { "xor", 1, PATH_OP_XOR },
    { "and", 2, PATH_OP_AND },
    { "in", 3, PATH_OP_IN }, { "contains", 3, PATH_OP_CONTAINS },
    { "=", 4, PATH_OP_EQUAL }, { "~", 4, PATH_OP_EQUIVALENT },
    { "!=", 4, PATH_OP_NOT_EQUAL }, { "!~", 4, PATH_OP_NOT_EQUIVALENT },
    { "<", 5, PATH_OP_LESS }, { "<=", 5, PATH_OP_LESS_EQUAL },
    { ">", 5, PATH_OP_GREATER }, { ">=", 5, PATH_OP_GREATER_EQUAL },
    { "|", 6, PATH_OP_UNION },
    { "is", LEVEL_TYPE, PATH_OP_IS }, { "as", LEVEL_TYPE, PATH_OP_AS },
    { "+", 8, PATH_OP_ADD }, { "-", 8, PATH_OP_SUBTRACT }, { "&", 8, PATH_OP_CONCATENATE },
    { "*", 9, PATH_OP_MULTIPLY }, { "/", 9, PATH_OP_DIVIDE },
    { "div", 9, PATH_OP_DIV }, { "mod", 9, PATH_OP_MOD },
};
/* clang-format on */

/* COUNT(operators) when the token is none. */
static size_t operator_at(struct parser *p)
{
    const struct path_token *token = &p->lexer.token;
    if (token->kind != PATH_TOKEN_NAME && token->kind != PATH_TOKEN_SYMBOL)
        return COUNT(operators);
    for (size_t i = 0; i < COUNT(operators); i++)
        if (str_eq(token->text, str_of(operators[i].text)))
            return i;
    return COUNT(operators);
}

static err parse_operator(struct parser *p, size_t which, struct path_code **left)
{
    struct path_code *code = make(p, operators[which].op, p->lexer.token.at);
    code->args[0] = *left;
    code->args_count = 2;
    TRY(next(p));
    TRY(deepen(p, code, *left));
    if (operators[which].level == LEVEL_TYPE) {
        TRY(parse_type(p, &code->type));
    } else {
        TRY(parse_expression(p, operators[which].level + 1, &code->args[1]));
        TRY(deepen(p, code, code->args[1]));
    }
    *left = code;
    return ERR_OK;
}

static err parse_expression(struct parser *p, int level, struct path_code **out)
{
    if (++p->depth > PATH_DEPTH_MAX)
        return fail(p, "this expression is nested too deep");
    TRY(parse_polarity(p, out));
    for (size_t which; (which = operator_at(p)) < COUNT(operators);) {
        if (operators[which].level < level)
            break;
        TRY(parse_operator(p, which, out));
    }
    p->depth--;
    return ERR_OK;
}

err path_parse(struct ctx *cx, str text, struct path *path)
{
    struct parser p = { .lexer = { .cx = cx, .text = text } };
    if (text.n > PATH_TEXT_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("a FHIRPath expression is too long"));
    TRY(next(&p));
    TRY(parse_expression(&p, 0, &path->root));
    if (p.lexer.token.kind != PATH_TOKEN_END)
        return fail(&p, "an operator is expected here, or the end");
    path->text = text;
    return ERR_OK;
}
