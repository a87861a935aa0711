/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_lex.h"
#include "fhir/path_program.h"
#include <stdarg.h>
#include <stdio.h>

/* ---- errors and budgets ---- */

err path_fail(struct path_machine *m, err kind, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return path_fail_at(m->cx, kind, m->path->text, m->now ? m->now->at : 0, text);
}

err path_step(struct path_machine *m, int64_t count)
{
    m->steps -= count;
    if (m->steps >= 0)
        return ERR_OK;
    return path_fail(m, ERR_LIMIT, "this expression takes too many steps on this input");
}

err path_text_made(struct path_machine *m, size_t bytes)
{
    m->text_bytes += bytes;
    if (m->text_bytes <= PATH_TEXT_BYTES_MAX)
        return ERR_OK;
    return path_fail(m, ERR_LIMIT, "this expression makes too much text");
}

/* ---- the stack ---- */

static err grow(struct path_machine *m)
{
    if (m->cap >= PATH_ITEMS_MAX)
        return path_fail(m, ERR_LIMIT, "this expression collects too many items");
    uint32_t cap = m->cap * 4 > PATH_ITEMS_MAX ? PATH_ITEMS_MAX : m->cap * 4;
    struct path_item *moved = arena_alloc(m->cx->arena, cap * sizeof *moved);
    memcpy(moved, m->stack, m->top * sizeof *moved);
    m->stack = moved;
    m->cap = cap;
    return ERR_OK;
}

err path_push(struct path_machine *m, struct path_item item)
{
    if (m->top == m->cap)
        TRY(grow(m));
    m->stack[m->top++] = item;
    return ERR_OK;
}

err path_push_bool(struct path_machine *m, bool value)
{
    return path_push(m, path_boolean(value));
}

/* Beyond 32 bits an Integer cannot be represented: empty. */
err path_push_int(struct path_machine *m, int64_t value)
{
    if (value > INT32_MAX || value < INT32_MIN)
        return ERR_OK;
    return path_push(m, path_integer(value));
}

err path_push_text(struct path_machine *m, enum path_kind kind, str text)
{
    return path_push(m, path_text_item(kind, text));
}

err path_push_decimal(struct path_machine *m, struct decimal value)
{
    return path_push_text(m, PATH_DECIMAL, decimal_write(m->cx->arena, value));
}

void path_drop(struct path_machine *m, uint32_t to, uint32_t from)
{
    uint32_t count = m->top - from;
    if (to != from && count)
        memmove(m->stack + to, m->stack + from, count * sizeof *m->stack);
    m->top = to + count;
}

struct path_result path_keep(struct path_machine *m, struct path_span span)
{
    struct path_item *items = NULL;
    if (span.count) {
        items = arena_alloc(m->cx->arena, span.count * sizeof *items);
        memcpy(items, m->stack + span.from, span.count * sizeof *items);
    }
    return (struct path_result){ items, span.count };
}

/* ---- running parts ---- */

err path_exec_span(struct path_machine *m, const struct path_code *code, struct path_span *out)
{
    uint32_t from = m->top, defined = m->defined_count;
    TRY(path_exec(m, code));
    m->defined_count = defined; /* what an argument defines is its own */
    *out = (struct path_span){ from, m->top - from };
    return ERR_OK;
}

err path_exec_on(struct path_machine *m, const struct path_code *code, const struct path_item *self,
                 int64_t index, struct path_span *out)
{
    const struct path_item *outer_self = m->self;
    int64_t outer_index = m->index;
    m->self = self;
    m->index = index;
    err error = path_exec_span(m, code, out);
    m->self = outer_self;
    m->index = outer_index;
    return error;
}

static err too_many(struct path_machine *m, uint32_t count)
{
    return path_fail(m, ERR_RULE, "one item is expected here, found %u", count);
}

err path_span_truth(struct path_machine *m, struct path_span span, int *out)
{
    struct path_item value;
    *out = -1;
    if (span.count > 1)
        return too_many(m, span.count);
    if (span.count == 0)
        return ERR_OK;
    const struct path_item *item = &m->stack[span.from];
    bool boolean = path_value(m->cx, item, &value) && value.kind == PATH_BOOLEAN;
    *out = !boolean || value.boolean;
    return ERR_OK;
}

err path_span_value(struct path_machine *m, struct path_span span, struct path_item *out,
                    bool *given)
{
    *given = false;
    if (span.count > 1)
        return too_many(m, span.count);
    if (span.count == 0)
        return ERR_OK;
    if (!path_value(m->cx, &m->stack[span.from], out)) {
        struct path_item *item = &m->stack[span.from];
        if (item->kind == PATH_NODE && item->type != FHIR_NONE &&
            fhir_types[item->type].kind == FHIR_PRIMITIVE)
            return ERR_OK; /* a primitive with extensions alone has no value */
        return path_fail(m, ERR_RULE, "a simple value is expected here, not an element");
    }
    *given = true;
    return ERR_OK;
}

err path_arg_value(struct path_machine *m, const struct path_call *call, size_t i,
                   struct path_item *out, bool *given)
{
    struct path_span span;
    uint32_t top = m->top;
    TRY(path_exec_span(m, path_arg(call->code, i), &span));
    TRY(path_span_value(m, span, out, given));
    m->top = top;
    return ERR_OK;
}

err path_arg_string(struct path_machine *m, const struct path_call *call, size_t i, str *out,
                    bool *given)
{
    struct path_item value;
    TRY(path_arg_value(m, call, i, &value, given));
    if (*given && value.kind != PATH_STRING)
        return path_fail(m, ERR_RULE, "argument %zu of %s() must be a String", i + 1,
                         call->code->function->name);
    if (*given)
        *out = value.text;
    return ERR_OK;
}

err path_arg_int(struct path_machine *m, const struct path_call *call, size_t i, int64_t *out,
                 bool *given)
{
    struct path_item value;
    TRY(path_arg_value(m, call, i, &value, given));
    if (*given && value.kind != PATH_INTEGER)
        return path_fail(m, ERR_RULE, "argument %zu of %s() must be an Integer", i + 1,
                         call->code->function->name);
    if (*given)
        *out = value.integer;
    return ERR_OK;
}

/* ---- terms ---- */

static err push_result(struct path_machine *m, const struct path_result *result)
{
    TRY(path_step(m, (int64_t)result->count));
    for (size_t i = 0; i < result->count; i++)
        TRY(path_push(m, result->items[i]));
    return ERR_OK;
}

static str well_known(struct path_machine *m, str name)
{
    if (str_eq(name, S("ucum")))
        return S("http://unitsofmeasure.org");
    if (str_eq(name, S("sct")))
        return S("http://snomed.info/sct");
    if (str_eq(name, S("loinc")))
        return S("http://loinc.org");
    if (str_starts(name, S("vs-")) && name.n > 3)
        return arena_printf(m->cx->arena, "http://hl7.org/fhir/ValueSet/%.*s",
                            STR_ARG(str_slice(name, 3, name.n)));
    if (str_starts(name, S("ext-")) && name.n > 4)
        return arena_printf(m->cx->arena, "http://hl7.org/fhir/StructureDefinition/%.*s",
                            STR_ARG(str_slice(name, 4, name.n)));
    return (str){ 0 };
}

static err exec_variable(struct path_machine *m, const struct path_code *code)
{
    for (uint32_t i = m->defined_count; i-- > 0;)
        if (str_eq(code->name, m->defined[i].name))
            return push_result(m, &m->defined[i].value);
    for (size_t i = 0; i < m->run->variables_count; i++)
        if (str_eq(code->name, m->run->variables[i].name))
            return push_result(m, &m->run->variables[i].value);
    bool root = str_eq(code->name, S("rootResource"));
    if (root || str_eq(code->name, S("resource"))) {
        struct path_item item = path_place(m, root);
        return item.node.doc ? path_push(m, item) : ERR_OK;
    }
    if (str_eq(code->name, S("context")))
        return m->context ? path_push(m, *m->context) : ERR_OK;
    str text = well_known(m, code->name);
    if (str_given(text))
        return path_push_text(m, PATH_STRING, text);
    m->now = code;
    return path_fail(m, ERR_RULE, "there is no variable %%%.*s", STR_ARG(code->name));
}

/* True when the first name of a path names the type of what it stands on. */
static bool names_self(const struct path_machine *m, const struct path_code *code)
{
    const struct path_item *self = m->self;
    if (!self || self->kind != PATH_NODE)
        return false;
    if (self->type != FHIR_NONE)
        return code->root_type != FHIR_NONE && fhir_type_is(self->type, code->root_type);
    return code->root_type != FHIR_NONE &&
           json_string_is(json_get(self->node, S("resourceType")), code->name);
}

static err exec_name(struct path_machine *m, struct path_code *code)
{
    if (names_self(m, code))
        return path_push(m, *m->self);
    return m->self ? path_push_children(m, m->self, code) : ERR_OK;
}

static err exec_child(struct path_machine *m, struct path_code *code)
{
    struct path_code *left = code->left;
    /* Patient.name and $this.name: no need to put the focus on the stack first. */
    if ((left->op == PATH_OP_NAME && names_self(m, left)) ||
        (left->op == PATH_OP_THIS && m->self))
        return path_push_children(m, m->self, code);
    uint32_t from = m->top;
    TRY(path_exec(m, left));
    uint32_t to = m->top;
    TRY(path_step(m, to - from));
    for (uint32_t i = from; i < to; i++) {
        struct path_item item = m->stack[i]; /* pushing may move the stack */
        TRY(path_push_children(m, &item, code));
    }
    path_drop(m, from, to);
    return ERR_OK;
}

static err exec_call(struct path_machine *m, const struct path_code *code)
{
    struct path_call call = { .code = code };
    call.in.from = m->top;
    if (code->left)
        TRY(path_exec(m, code->left));
    else if (m->self)
        TRY(path_push(m, *m->self));
    call.in.count = m->top - call.in.from;
    call.out = m->top;
    m->now = code;
    TRY(path_step(m, call.in.count));
    if ((code->function->flags & PATH_SINGLE) && call.in.count > 1)
        return path_fail(m, ERR_RULE, "%s() works on one item, found %u", code->function->name,
                         call.in.count);
    TRY(code->function->run(m, &call));
    path_drop(m, call.in.from, call.out);
    return ERR_OK;
}

static err exec_indexer(struct path_machine *m, const struct path_code *code)
{
    struct path_span in, at;
    struct path_item value;
    bool given;
    uint32_t from = m->top;
    TRY(path_exec(m, code->left));
    in = (struct path_span){ from, m->top - from };
    TRY(path_exec_span(m, code->args[0], &at));
    m->now = code;
    TRY(path_span_value(m, at, &value, &given));
    if (given && value.kind != PATH_INTEGER)
        return path_fail(m, ERR_RULE, "an index must be an Integer");
    m->top = from;
    if (given && value.integer >= 0 && value.integer < in.count) {
        m->stack[from] = m->stack[from + (uint32_t)value.integer];
        m->top = from + 1;
    }
    return ERR_OK;
}

err path_exec(struct path_machine *m, const struct path_code *code)
{
    TRY(path_step(m, 1));
    switch (code->op) {
    case PATH_OP_LITERAL:
        return path_push(m, code->literal);
    case PATH_OP_EMPTY:
        return ERR_OK;
    case PATH_OP_THIS:
        return m->self ? path_push(m, *m->self) : ERR_OK;
    case PATH_OP_INDEX:
        return path_push_int(m, m->index);
    case PATH_OP_TOTAL:
        return push_result(m, &m->total);
    case PATH_OP_VARIABLE:
        return exec_variable(m, code);
    case PATH_OP_NAME:
        return exec_name(m, (struct path_code *)code);
    case PATH_OP_CHILD:
        return exec_child(m, (struct path_code *)code);
    case PATH_OP_CALL:
        return exec_call(m, code);
    case PATH_OP_INDEXER:
        return exec_indexer(m, code);
    case PATH_OP_NEGATE:
    case PATH_OP_PLUS_SIGN:
        return path_negate(m, code);
    default:
        return path_binary(m, code);
    }
}
