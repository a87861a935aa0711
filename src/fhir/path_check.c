/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_lex.h"
#include "fhir/path_program.h"

/*
 * What an expression can mean is followed type by type, and refused where nothing is left: an
 * element no possible type has, text functions on complex elements, order where there is none.
 */
enum { TYPES_MAX = 24 };

/* What may stand at one place. */
struct shape {
    bool any;        /* not known */
    bool unordered;  /* children(), descendants() */
    uint16_t systems; /* bit n: enum path_kind n */
    uint8_t count;
    uint16_t types[TYPES_MAX];
};
struct checker {
    struct ctx *cx;
    const struct path *path;
    struct shape input;
};

static const struct shape anything = { .any = true };

static err fail(struct checker *c, const struct path_code *code, str what, str which, str rest)
{
    char text[240];
    snprintf(text, sizeof text, "%.*s%.*s%.*s", STR_ARG(what), STR_ARG(str_slice(which, 0, 80)),
             STR_ARG(rest));
    return path_fail_at(c->cx, ERR_RULE, c->path->text, code->at, text);
}

static struct shape of_system(enum path_kind kind)
{
    return (struct shape){ .systems = (uint16_t)(1u << kind) };
}

static void add_type(struct shape *shape, uint16_t type)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->types[i] == type)
            return;
    if (shape->count == TYPES_MAX || fhir_types[type].is_abstract)
        shape->any = true;
    else
        shape->types[shape->count++] = type;
}

static struct shape of_type(uint16_t type)
{
    struct shape shape = { 0 };
    add_type(&shape, type);
    return shape;
}

static struct shape both(const struct shape *a, const struct shape *b)
{
    struct shape sum = *a;
    sum.any = a->any || b->any;
    sum.unordered = a->unordered || b->unordered;
    sum.systems |= b->systems;
    for (size_t i = 0; i < b->count; i++)
        add_type(&sum, b->types[i]);
    return sum;
}

static bool is_nothing(const struct shape *s)
{
    return !s->any && !s->systems && !s->count;
}

static void add_elements(struct shape *out, uint16_t type, str name)
{
    const struct fhir_element *element = path_element_named(type, name);
    if (!element)
        return;
    if (!element->choice) {
        add_type(out, element->type);
        return;
    }
    const struct fhir_type *t = &fhir_types[type];
    for (uint16_t i = 0; i < t->elements_count; i++)
        if (str_eq(t->elements[i].name, name))
            add_type(out, t->elements[i].type);
}

static err child_of(struct checker *c, const struct shape *in, const struct path_code *code,
                    struct shape *out)
{
    *out = anything;
    out->unordered = in->unordered;
    bool types_info = in->systems >> PATH_TYPE & 1;
    if (in->any || is_nothing(in) || types_info)
        return ERR_OK;
    out->any = false;
    for (size_t i = 0; i < in->count; i++) {
        if (fhir_types[in->types[i]].kind == FHIR_PRIMITIVE && str_eq(code->name, S("value")))
            out->any = true;
        add_elements(out, in->types[i], code->name);
    }
    if (!is_nothing(out))
        return ERR_OK;
    str type = in->count ? fhir_types[in->types[0]].name : S("a System value");
    return fail(c, code, type, S(" has no element "), code->name);
}

static err check(struct checker *c, const struct path_code *code, const struct shape *self,
                 struct shape *out);

static err check_name(struct checker *c, const struct path_code *code, const struct shape *self,
                      struct shape *out)
{
    for (size_t i = 0; code->root_type != FHIR_NONE && i < self->count; i++)
        if (fhir_type_is(self->types[i], code->root_type)) {
            *out = of_type(self->types[i]);
            return ERR_OK;
        }
    return child_of(c, self, code, out);
}

static struct shape of_type_name(const struct path_type_name *type)
{
    if (type->fhir != FHIR_NONE)
        return of_type(type->fhir);
    return type->system >= 0 ? of_system((enum path_kind)type->system) : anything;
}

static bool all_complex(const struct shape *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (fhir_types[s->types[i]].kind == FHIR_PRIMITIVE)
            return false;
    return s->count > 0 && !s->any && !s->systems;
}

static err check_input(struct checker *c, const struct path_code *code, const struct shape *in)
{
    uint8_t flags = code->function->flags;
    if ((flags & PATH_ORDERED) && in->unordered)
        return fail(c, code, code->name, S("() needs an order, and children() has none"), S(""));
    if ((flags & PATH_STRING_IN) && all_complex(in))
        return fail(c, code, code->name, S("() works on text, not on "),
                    fhir_types[in->types[0]].name);
    return ERR_OK;
}

static bool may_be_boolean(const struct shape *s)
{
    bool found = s->any || is_nothing(s) || (s->systems >> PATH_BOOLEAN & 1);
    for (size_t i = 0; i < s->count; i++)
        found = found || fhir_types[s->types[i]].primitive == FHIR_BOOLEAN;
    return found;
}

static struct shape result_of(const struct path_code *code, const struct shape *in,
                              const struct shape *arg)
{
    struct path_type_name type;
    str result = str_of(code->function->result);
    if (str_eq(result, S("in")))
        return *in;
    if (str_eq(result, S("arg")))
        return *arg;
    if (str_eq(result, S("type")))
        return of_type_name(&code->type);
    if (str_eq(result, S("any")))
        return anything;
    path_type_of_name(str_eq(result, S("Extension")) ? S("FHIR") : S("System"), result, &type);
    return of_type_name(&type);
}

static err check_call(struct checker *c, const struct path_code *code, const struct shape *self,
                      struct shape *out)
{
    const struct path_function *f = code->function;
    struct shape in = *self, arg = anything;
    if (code->left)
        TRY(check(c, code->left, self, &in));
    TRY(check_input(c, code, &in));
    struct shape inner = f->flags & PATH_LAMBDA ? in : *self;
    if (str_eq(code->name, S("repeat")) || str_eq(code->name, S("repeatAll")))
        inner = anything; /* also runs on what it finds */
    for (size_t i = 0; i < code->args_count && !(f->flags & PATH_TYPE_ARG); i++) {
        struct shape one;
        TRY(check(c, path_arg(code, i), &inner, &one));
        arg = i ? arg : one;
    }
    if (str_eq(code->name, S("iif")) && !may_be_boolean(&arg))
        return fail(c, path_arg(code, 0), S("the criterion of iif() must be a Boolean"), S(""),
                    S(""));
    *out = result_of(code, &in, &arg);
    out->unordered = out->unordered || (f->flags & PATH_UNORDERED_OUT);
    return ERR_OK;
}

static err check_operator(struct checker *c, const struct path_code *code, const struct shape *self,
                          struct shape *out)
{
    struct shape a = anything, b = anything;
    TRY(check(c, code->args[0], self, &a));
    if (code->args_count == 2 && code->args[1])
        TRY(check(c, code->args[1], self, &b));
    if (code->op == PATH_OP_UNION)
        *out = both(&a, &b);
    else if (code->op == PATH_OP_AS)
        *out = of_type_name(&code->type);
    else if (code->op >= PATH_OP_LESS || code->op == PATH_OP_IS)
        *out = of_system(PATH_BOOLEAN);
    else
        *out = code->op == PATH_OP_CONCATENATE ? of_system(PATH_STRING) : anything;
    return ERR_OK;
}

static err check(struct checker *c, const struct path_code *code, const struct shape *self,
                 struct shape *out)
{
    struct shape in, index;
    switch (code->op) {
    case PATH_OP_LITERAL:
        *out = of_system(code->literal.kind);
        return ERR_OK;
    case PATH_OP_EMPTY:
        *out = (struct shape){ 0 };
        return ERR_OK;
    case PATH_OP_THIS:
        *out = *self;
        return ERR_OK;
    case PATH_OP_INDEX:
        *out = of_system(PATH_INTEGER);
        return ERR_OK;
    case PATH_OP_TOTAL:
        *out = anything;
        return ERR_OK;
    case PATH_OP_VARIABLE:
        *out = str_eq(code->name, S("context")) ? c->input : anything;
        return ERR_OK;
    case PATH_OP_NAME:
        return check_name(c, code, self, out);
    case PATH_OP_CHILD:
        TRY(check(c, code->left, self, &in));
        return child_of(c, &in, code, out);
    case PATH_OP_INDEXER:
        TRY(check(c, code->left, self, out));
        return check(c, code->args[0], self, &index);
    case PATH_OP_CALL:
        return check_call(c, code, self, out);
    default:
        return check_operator(c, code, self, out);
    }
}

err path_check(struct ctx *cx, const struct path *path, uint16_t input_type)
{
    struct checker c = { .cx = cx, .path = path, .input = anything };
    struct shape result;
    if (input_type != FHIR_NONE)
        c.input = of_type(input_type);
    return check(&c, path->root, &c.input, &result);
}

/* ---- variables ---- */

struct names {
    struct ctx *cx;
    const struct path *path;
    const str *given;
    size_t given_count;
    str defined[PATH_VARIABLES_MAX];
    size_t defined_count;
};

static bool is_known_variable(const struct names *n, str name)
{
    static const char *const own[] = { "context", "resource", "rootResource", "ucum", "sct",
                                       "loinc" };
    for (size_t i = 0; i < COUNT(own); i++)
        if (str_eq(name, str_of(own[i])))
            return true;
    for (size_t i = 0; i < n->given_count; i++)
        if (str_eq(name, n->given[i]))
            return true;
    for (size_t i = 0; i < n->defined_count; i++)
        if (str_eq(name, n->defined[i]))
            return true;
    return str_starts(name, S("vs-")) || str_starts(name, S("ext-"));
}

static err check_variables(struct names *n, const struct path_code *code)
{
    if (code->op == PATH_OP_VARIABLE && !is_known_variable(n, code->name)) {
        str text = arena_printf(n->cx->arena, "there is no constant or variable %%%.*s",
                                STR_ARG(code->name));
        return path_fail_at(n->cx, ERR_RULE, n->path->text, code->at,
                            arena_cstr(n->cx->arena, text));
    }
    if (code->left)
        TRY(check_variables(n, code->left));
    if (code->op == PATH_OP_CALL && str_eq(code->name, S("defineVariable")) &&
        path_arg(code, 0)->op == PATH_OP_LITERAL && n->defined_count < PATH_VARIABLES_MAX)
        n->defined[n->defined_count++] = path_arg(code, 0)->literal.text;
    for (size_t i = 0; i < code->args_count; i++)
        if (path_arg(code, i))
            TRY(check_variables(n, path_arg(code, i)));
    return ERR_OK;
}

err path_check_variables(struct ctx *cx, const struct path *path, const str *names,
                         size_t names_count)
{
    struct names n = { .cx = cx, .path = path, .given = names, .given_count = names_count };
    return check_variables(&n, path->root);
}

static bool names_type(const struct path_code *code)
{
    if (code->op == PATH_OP_CALL)
        return (code->function->flags & PATH_TYPE_ARG) && code->args_count > 0;
    return code->op == PATH_OP_IS || code->op == PATH_OP_AS;
}

static err check_types(struct ctx *cx, const struct path *path, const struct path_code *code)
{
    struct path_type_name type = code->type;
    if (names_type(code)) {
        path_type_for_view(cx->arena, &type);
        if (type.fhir == FHIR_NONE && type.system < 0)
            return path_fail_at(cx, ERR_RULE, path->text, code->at,
                                arena_printf(cx->arena, "there is no type %.*s",
                                             STR_ARG(type.name)).p);
    }
    if (code->left)
        TRY(check_types(cx, path, code->left));
    bool arguments = code->op != PATH_OP_CALL || !(code->function->flags & PATH_TYPE_ARG);
    for (size_t i = 0; i < code->args_count && arguments; i++)
        if (path_arg(code, i))
            TRY(check_types(cx, path, path_arg(code, i)));
    return ERR_OK;
}

err path_check_types(struct ctx *cx, const struct path *path)
{
    return check_types(cx, path, path->root);
}
