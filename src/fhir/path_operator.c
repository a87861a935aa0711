/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include "fhir/path_quantity.h"

struct operands {
    const struct path_code *code;
    struct path_span a, b;
};

/* ---- sets ---- */

/* Pushes each item of `in` that equals none pushed since `out`. */
err path_push_distinct(struct path_machine *m, struct path_span in, uint32_t out)
{
    uint32_t base = out;
    size_t seen = m->top - base;
    uint64_t *hashes = arena_alloc(m->cx->arena, (seen + in.count + 1) * sizeof *hashes);
    for (size_t i = 0; i < seen; i++)
        hashes[i] = path_hash(m->cx, &m->stack[base + i]);
    for (uint32_t i = 0; i < in.count; i++) {
        struct path_item item = m->stack[in.from + i];
        uint64_t hash = path_hash(m->cx, &item);
        bool known = false;
        TRY(path_step(m, 1 + (int64_t)(seen >> 6)));
        for (size_t j = 0; j < seen && !known; j++)
            known = hashes[j] == hash && path_equal(m->cx, &m->stack[base + j], &item) == 1;
        if (known)
            continue;
        hashes[seen++] = hash;
        TRY(path_push(m, item));
    }
    return ERR_OK;
}

static err run_union(struct path_machine *m, const struct operands *o)
{
    uint32_t out = m->top;
    if (o->a.count + o->b.count == 1) /* nothing to compare */
        return ERR_OK;
    TRY(path_push_distinct(m, o->a, out));
    TRY(path_push_distinct(m, o->b, out));
    path_drop(m, o->a.from, out);
    return ERR_OK;
}

static err result_bool(struct path_machine *m, const struct operands *o, int truth)
{
    m->top = o->a.from;
    return truth < 0 ? ERR_OK : path_push_bool(m, truth);
}

/* 1, 0, or -1: unknown. */
static int equal_spans(struct path_machine *m, struct path_span a, struct path_span b)
{
    int all = 1;
    if (a.count != b.count)
        return 0;
    for (uint32_t i = 0; i < a.count && all; i++) {
        int one = path_equal(m->cx, &m->stack[a.from + i], &m->stack[b.from + i]);
        all = one == 0 ? 0 : one < 0 ? -1 : all;
    }
    return all;
}

static bool equivalent_spans(struct path_machine *m, struct path_span a, struct path_span b)
{
    if (a.count != b.count)
        return false;
    bool *used = arena_zero(m->cx->arena, b.count + 1);
    for (uint32_t i = 0; i < a.count; i++) {
        uint32_t j = 0;
        while (j < b.count && (used[j] || !path_equivalent(m->cx, &m->stack[a.from + i],
                                                           &m->stack[b.from + j])))
            j++;
        if (j == b.count)
            return false;
        used[j] = true;
    }
    return true;
}

static err run_equality(struct path_machine *m, const struct operands *o)
{
    TRY(path_step(m, (int64_t)o->a.count + o->b.count));
    bool none = o->a.count == 0 || o->b.count == 0;
    int truth = none ? -1 : equal_spans(m, o->a, o->b);
    if (truth >= 0 && o->code->op == PATH_OP_NOT_EQUAL)
        truth = !truth;
    return result_bool(m, o, truth);
}

static err run_equivalence(struct path_machine *m, const struct operands *o)
{
    TRY(path_step(m, (int64_t)o->a.count * o->b.count));
    bool truth = equivalent_spans(m, o->a, o->b);
    return result_bool(m, o, truth != (o->code->op == PATH_OP_NOT_EQUIVALENT));
}

static err run_membership(struct path_machine *m, const struct operands *o)
{
    struct path_span one = o->code->op == PATH_OP_IN ? o->a : o->b;
    struct path_span many = o->code->op == PATH_OP_IN ? o->b : o->a;
    TRY(path_step(m, many.count));
    if (one.count > 1)
        return path_fail(m, ERR_RULE, "one item is expected on this side, found %u", one.count);
    int truth = one.count == 0 ? -1 : 0;
    for (uint32_t i = 0; one.count && i < many.count && !truth; i++)
        truth = path_equal(m->cx, &m->stack[one.from], &m->stack[many.from + i]) == 1;
    return result_bool(m, o, truth);
}

/* ---- truth ---- */

/* The three-valued tables: 1, 0, -1 for empty. */
static int logic(enum path_op op, int a, int b)
{
    switch (op) {
    case PATH_OP_AND:
        return a == 0 || b == 0 ? 0 : a == 1 && b == 1 ? 1 : -1;
    case PATH_OP_OR:
        return a == 1 || b == 1 ? 1 : a == 0 && b == 0 ? 0 : -1;
    case PATH_OP_XOR:
        return a < 0 || b < 0 ? -1 : a != b;
    default:
        return a == 0 || b == 1 ? 1 : a == 1 && b == 0 ? 0 : -1;
    }
}

/* The right side is run only if the left does not decide. */
static err run_logic(struct path_machine *m, const struct path_code *code)
{
    struct path_span a, b;
    int x, y = -1;
    uint32_t from = m->top;
    TRY(path_exec_span(m, code->args[0], &a));
    m->now = code;
    TRY(path_span_truth(m, a, &x));
    bool decided = (code->op == PATH_OP_AND && x == 0) || (code->op == PATH_OP_OR && x == 1) ||
                   (code->op == PATH_OP_IMPLIES && x == 0);
    if (!decided) {
        TRY(path_exec_span(m, code->args[1], &b));
        m->now = code;
        TRY(path_span_truth(m, b, &y));
    }
    m->top = from;
    int truth = logic(code->op, x, y);
    return truth < 0 ? ERR_OK : path_push_bool(m, truth);
}

/* ---- order ---- */

static err run_order(struct path_machine *m, const struct operands *o)
{
    struct path_item a, b;
    bool has_a, has_b;
    TRY(path_span_value(m, o->a, &a, &has_a));
    TRY(path_span_value(m, o->b, &b, &has_b));
    if (!has_a || !has_b)
        return result_bool(m, o, -1);
    enum path_order order = path_order(&a, &b);
    if (order == PATH_ORDER_WRONG)
        return path_fail(m, ERR_RULE, "these two have no order: they are of different types");
    if (order == PATH_ORDER_UNKNOWN)
        return result_bool(m, o, -1);
    bool truth = o->code->op == PATH_OP_LESS         ? order < 0
                 : o->code->op == PATH_OP_LESS_EQUAL ? order <= 0
                 : o->code->op == PATH_OP_GREATER    ? order > 0
                                                     : order >= 0;
    return result_bool(m, o, truth);
}

/* ---- arithmetic ---- */

static err push_number(struct path_machine *m, struct decimal value, bool integer)
{
    int64_t whole;
    if (integer && decimal_to_i64(value, &whole))
        return path_push_int(m, whole);
    return integer ? ERR_OK : path_push_decimal(m, value);
}

static err add_to_date(struct path_machine *m, const struct path_item *a, const struct path_item *b,
                       bool subtract)
{
    struct path_date date;
    struct decimal count;
    if (!path_date_of(a, &date) || !path_number(b, &count))
        return path_fail(m, ERR_RULE, "'%.*s' is no valid date or time", STR_ARG(a->text));
    count.negative = count.negative != subtract;
    switch (path_date_add(&date, count, b->unit)) {
    case PATH_DATE_WRONG_UNIT:
        return path_fail(m, ERR_RULE, "'%.*s' is no duration to add to this date or time",
                         STR_ARG(b->unit));
    case PATH_DATE_OVERFLOW:
        return ERR_OK;
    default:
        return path_push_text(m, a->kind, path_date_write(m->cx->arena, &date));
    }
}

static err add_quantities(struct path_machine *m, const struct path_item *a,
                          const struct path_item *b, bool subtract)
{
    struct decimal x, y;
    if (!path_number(a, &x) || !path_quantity_in_unit(a, b, &y))
        return ERR_OK;
    if (!(subtract ? decimal_sub(x, y, &x) : decimal_add(x, y, &x)))
        return ERR_OK;
    struct path_item sum = *a;
    sum.text = decimal_write(m->cx->arena, x);
    if (sum.kind != PATH_QUANTITY) {
        sum.kind = PATH_QUANTITY;
        sum.unit = S("1");
    }
    return path_push(m, sum);
}

static err concatenate(struct path_machine *m, str a, str b)
{
    TRY(path_text_made(m, a.n + b.n));
    char *p = arena_alloc(m->cx->arena, a.n + b.n + 1);
    if (a.n)
        memcpy(p, a.p, a.n);
    if (b.n)
        memcpy(p + a.n, b.p, b.n);
    return path_push_text(m, PATH_STRING, (str){ p, a.n + b.n });
}

static err wrong_types(struct path_machine *m)
{
    return path_fail(m, ERR_RULE, "this operator does not work on values of these types");
}

static err run_sum(struct path_machine *m, const struct path_item *a, const struct path_item *b,
                   bool subtract)
{
    struct decimal x, y;
    bool date = a->kind == PATH_DATE || a->kind == PATH_DATE_TIME || a->kind == PATH_TIME;
    if (date && b->kind == PATH_QUANTITY)
        return add_to_date(m, a, b, subtract);
    if (a->kind == PATH_STRING && b->kind == PATH_STRING && !subtract)
        return concatenate(m, a->text, b->text);
    bool quantity = a->kind == PATH_QUANTITY || b->kind == PATH_QUANTITY;
    if (!path_number(a, &x) || !path_number(b, &y))
        return wrong_types(m);
    if (quantity)
        return add_quantities(m, a, b, subtract);
    if (!(subtract ? decimal_sub(x, y, &x) : decimal_add(x, y, &x)))
        return ERR_OK;
    return push_number(m, x, a->kind == PATH_INTEGER && b->kind == PATH_INTEGER);
}

static err run_product(struct path_machine *m, const struct path_item *a, const struct path_item *b,
                       enum path_op op)
{
    struct decimal x, y;
    bool integers = a->kind == PATH_INTEGER && b->kind == PATH_INTEGER, done;
    if (!path_number(a, &x) || !path_number(b, &y))
        return wrong_types(m);
    if (a->kind == PATH_QUANTITY || b->kind == PATH_QUANTITY) {
        struct path_item product;
        if (op != PATH_OP_MULTIPLY && op != PATH_OP_DIVIDE)
            return wrong_types(m);
        done = path_quantity_product(m->cx, a, b, op == PATH_OP_DIVIDE, &product);
        return done ? path_push(m, product) : ERR_OK;
    }
    if (op == PATH_OP_MULTIPLY)
        done = decimal_mul(x, y, &x);
    else if (op == PATH_OP_MOD)
        done = decimal_mod(x, y, &x);
    else
        done = decimal_div(x, y, &x);
    if (!done)
        return ERR_OK;
    if (op == PATH_OP_DIV)
        return push_number(m, decimal_truncate(x, 0), true);
    return push_number(m, x, integers && op != PATH_OP_DIVIDE);
}

static err run_arithmetic(struct path_machine *m, const struct operands *o)
{
    struct path_item a, b;
    bool has_a, has_b;
    uint32_t out = m->top;
    TRY(path_span_value(m, o->a, &a, &has_a));
    TRY(path_span_value(m, o->b, &b, &has_b));
    if (o->code->op == PATH_OP_CONCATENATE) {
        if ((has_a && a.kind != PATH_STRING) || (has_b && b.kind != PATH_STRING))
            return path_fail(m, ERR_RULE, "& joins strings only");
        TRY(concatenate(m, has_a ? a.text : S(""), has_b ? b.text : S("")));
    } else if (has_a && has_b) {
        if (o->code->op == PATH_OP_ADD || o->code->op == PATH_OP_SUBTRACT)
            TRY(run_sum(m, &a, &b, o->code->op == PATH_OP_SUBTRACT));
        else
            TRY(run_product(m, &a, &b, o->code->op));
    }
    path_drop(m, o->a.from, out);
    return ERR_OK;
}

err path_negate(struct path_machine *m, const struct path_code *code)
{
    struct path_span span;
    struct path_item value;
    struct decimal number;
    bool given;
    TRY(path_exec_span(m, code->args[0], &span));
    m->now = code;
    TRY(path_span_value(m, span, &value, &given));
    m->top = span.from;
    if (!given)
        return ERR_OK;
    if (!path_number(&value, &number))
        return path_fail(m, ERR_RULE, "only a number or a quantity can have a sign");
    if (code->op == PATH_OP_PLUS_SIGN)
        return path_push(m, value);
    if (value.kind == PATH_INTEGER)
        return path_push_int(m, -value.integer);
    number.negative = !number.negative;
    value.text = decimal_write(m->cx->arena, number);
    return path_push(m, value);
}

/* ---- types ---- */

/* `as` and `ofType` keep what is of the type; `is` asks. An unknown type is an error, but for
 * System's: nothing is of a type that is not there. */
static err run_type(struct path_machine *m, const struct path_code *code)
{
    uint32_t from = m->top;
    TRY(path_exec(m, code->args[0]));
    uint32_t count = m->top - from;
    const struct path_type_name *type = &code->type;
    m->now = code;
    if (type->fhir == FHIR_NONE && type->system < 0 && type->space != PATH_SYSTEM &&
        !m->run->untyped)
        return path_fail(m, ERR_RULE, "there is no type %.*s", STR_ARG(type->name));
    bool as = code->op == PATH_OP_AS;
    if (count > 1 && !(as && m->run->lenient))
        return path_fail(m, ERR_RULE, "'%s' works on one item, found %u", as ? "as" : "is", count);
    if (!as && count) {
        bool is = path_item_is(&m->stack[from], type, false);
        m->top = from;
        return path_push_bool(m, is);
    }
    uint32_t kept = from;
    for (uint32_t i = from; i < from + count; i++)
        if (path_item_is(&m->stack[i], type, true))
            m->stack[kept++] = m->stack[i];
    m->top = kept;
    return ERR_OK;
}

err path_binary(struct path_machine *m, const struct path_code *code)
{
    struct operands o = { .code = code };
    if (code->op == PATH_OP_IS || code->op == PATH_OP_AS)
        return run_type(m, code);
    if (code->op >= PATH_OP_AND)
        return run_logic(m, code);
    TRY(path_exec_span(m, code->args[0], &o.a));
    TRY(path_exec_span(m, code->args[1], &o.b));
    m->now = code;
    if (code->op == PATH_OP_UNION)
        return run_union(m, &o);
    if (code->op == PATH_OP_EQUAL || code->op == PATH_OP_NOT_EQUAL)
        return run_equality(m, &o);
    if (code->op == PATH_OP_EQUIVALENT || code->op == PATH_OP_NOT_EQUIVALENT)
        return run_equivalence(m, &o);
    if (code->op == PATH_OP_IN || code->op == PATH_OP_CONTAINS)
        return run_membership(m, &o);
    if (code->op >= PATH_OP_LESS && code->op <= PATH_OP_GREATER_EQUAL)
        return run_order(m, &o);
    return run_arithmetic(m, &o);
}
