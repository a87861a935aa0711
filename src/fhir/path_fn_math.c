/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include <math.h>

/* Source   FHIRPath 2.0.0 section 5.7. What has no real or representable result is empty. */

struct input {
    struct path_item value;
    struct decimal number;
    bool given;
};

static err input_of(struct path_machine *m, struct path_call *call, struct input *out)
{
    TRY(path_span_value(m, call->in, &out->value, &out->given));
    if (out->given && !path_number(&out->value, &out->number))
        return path_fail(m, ERR_RULE, "%s() works on a number or a quantity",
                         call->code->function->name);
    return ERR_OK;
}

static err push_like(struct path_machine *m, const struct input *in, struct decimal number)
{
    int64_t whole;
    struct path_item item = in->value;
    if (item.kind == PATH_INTEGER)
        return decimal_to_i64(number, &whole) ? path_push_int(m, whole) : ERR_OK;
    item.text = decimal_write(m->cx->arena, number);
    return path_push(m, item);
}

static err run_abs(struct path_machine *m, struct path_call *call)
{
    struct input in;
    TRY(input_of(m, call, &in));
    in.number.negative = false;
    return in.given ? push_like(m, &in, in.number) : ERR_OK;
}

/* ceiling, floor, truncate: Integers, but quantities stay quantities. */
static err run_whole(struct path_machine *m, struct path_call *call)
{
    struct input in;
    int64_t whole;
    TRY(input_of(m, call, &in));
    if (!in.given)
        return ERR_OK;
    struct decimal number = str_eq(call->code->name, S("ceiling")) ? decimal_ceiling(in.number)
                            : str_eq(call->code->name, S("floor")) ? decimal_floor(in.number)
                                                                   : decimal_truncate(in.number, 0);
    number.negative = number.negative && number.digits;
    if (in.value.kind == PATH_QUANTITY)
        return push_like(m, &in, number);
    return decimal_to_i64(number, &whole) ? path_push_int(m, whole) : ERR_OK;
}

static err run_round(struct path_machine *m, struct path_call *call)
{
    struct input in;
    int64_t places = 0;
    bool given = true;
    TRY(input_of(m, call, &in));
    if (call->code->args_count)
        TRY(path_arg_int(m, call, 0, &places, &given));
    if (places < 0)
        return path_fail(m, ERR_RULE, "round() takes no negative number of places");
    if (!in.given || !given)
        return ERR_OK;
    struct decimal number = in.number;
    if (places <= DECIMAL_DIGITS_MAX && !decimal_round(in.number, (int)places, &number))
        return ERR_OK;
    if (in.value.kind == PATH_INTEGER)
        in.value.kind = PATH_DECIMAL;
    return push_like(m, &in, number);
}

static err push_double(struct path_machine *m, double value)
{
    struct decimal number;
    return decimal_of_double(value, &number) ? path_push_decimal(m, number) : ERR_OK;
}

static err run_real(struct path_machine *m, struct path_call *call)
{
    struct input in;
    TRY(input_of(m, call, &in));
    if (!in.given)
        return ERR_OK;
    double value = decimal_to_double(in.number);
    str name = call->code->name;
    return push_double(m, str_eq(name, S("exp"))  ? exp(value)
                          : str_eq(name, S("ln")) ? log(value)
                                                  : sqrt(value));
}

static err arg_number(struct path_machine *m, struct path_call *call, struct path_item *value,
                      struct decimal *number, bool *given)
{
    TRY(path_arg_value(m, call, 0, value, given));
    if (*given && !(path_is_number(value) && path_number(value, number)))
        return path_fail(m, ERR_RULE, "the argument of %s() must be a number",
                         call->code->function->name);
    return ERR_OK;
}

static err run_log(struct path_machine *m, struct path_call *call)
{
    struct input in;
    struct path_item value;
    struct decimal base;
    bool given;
    TRY(input_of(m, call, &in));
    TRY(arg_number(m, call, &value, &base, &given));
    if (!in.given || !given)
        return ERR_OK;
    long double result = logl((long double)decimal_to_double(in.number)) /
                         logl((long double)decimal_to_double(base));
    return push_double(m, (double)result);
}

static err run_power(struct path_machine *m, struct path_call *call)
{
    struct input in;
    struct path_item value;
    struct decimal exponent, result;
    int64_t whole;
    bool given;
    TRY(input_of(m, call, &in));
    TRY(arg_number(m, call, &value, &exponent, &given));
    if (!in.given || !given)
        return ERR_OK;
    if (decimal_to_i64(exponent, &whole) && whole >= 0) {
        if (!decimal_power(in.number, whole, &result))
            return ERR_OK;
        if (value.kind != PATH_INTEGER && in.value.kind == PATH_INTEGER)
            in.value.kind = PATH_DECIMAL;
        return push_like(m, &in, result);
    }
    return push_double(m, pow(decimal_to_double(in.number), decimal_to_double(exponent)));
}

/* clang-format off */
const struct path_function path_functions_math[] = {
    { "abs", 0, 0, run_abs, PATH_SINGLE, "in" },
    { "ceiling", 0, 0, run_whole, PATH_SINGLE, "any" },
    { "floor", 0, 0, run_whole, PATH_SINGLE, "any" },
    { "truncate", 0, 0, run_whole, PATH_SINGLE, "any" },
    { "round", 0, 1, run_round, PATH_SINGLE, "any" },
    { "exp", 0, 0, run_real, PATH_SINGLE, "Decimal" },
    { "ln", 0, 0, run_real, PATH_SINGLE, "Decimal" },
    { "sqrt", 0, 0, run_real, PATH_SINGLE, "Decimal" },
    { "log", 1, 1, run_log, PATH_SINGLE, "Decimal" },
    { "power", 1, 1, run_power, PATH_SINGLE, "any" },
    { 0 },
};
