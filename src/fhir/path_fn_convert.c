/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include "fhir/path_quantity.h"

/* Source   FHIRPath 2.0.0 section 5.5. Every toX() has a convertsToX() that says whether it
 * gives. */

typedef bool convert(struct path_machine *m, const struct path_item *value, struct path_item *out);

static bool to_boolean(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    static const char *const yes[] = { "true", "t", "yes", "y", "1", "1.0" };
    static const char *const no[] = { "false", "f", "no", "n", "0", "0.0" };
    struct decimal number;
    (void)m;
    if (v->kind == PATH_BOOLEAN) {
        *out = *v;
        return true;
    }
    if (path_is_number(v)) {
        bool one = path_number(v, &number) && decimal_cmp(number, decimal_of(1)) == 0;
        *out = path_boolean(one);
        return one || decimal_cmp(number, decimal_of(0)) == 0;
    }
    if (v->kind != PATH_STRING)
        return false;
    for (size_t i = 0; i < COUNT(yes); i++) {
        bool is_yes = str_eq_nocase(v->text, str_of(yes[i]));
        *out = path_boolean(is_yes);
        if (is_yes || str_eq_nocase(v->text, str_of(no[i])))
            return true;
    }
    return false;
}

static bool is_integer_text(str text)
{
    size_t from = text.n && (text.p[0] == '+' || text.p[0] == '-');
    for (size_t i = from; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > from;
}

static bool to_integer(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    int64_t value;
    (void)m;
    if (v->kind == PATH_INTEGER) {
        *out = *v;
        return true;
    }
    if (v->kind == PATH_BOOLEAN) {
        *out = path_integer(v->boolean);
        return true;
    }
    if (v->kind != PATH_STRING || !is_integer_text(v->text))
        return false;
    str digits = v->text.p[0] == '+' ? str_slice(v->text, 1, v->text.n) : v->text;
    if (!str_to_i64(digits, &value) || value > INT32_MAX || value < INT32_MIN)
        return false;
    *out = path_integer(value);
    return true;
}

static bool to_decimal(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    struct decimal number;
    if (v->kind == PATH_DECIMAL) {
        *out = *v;
        return true;
    }
    if (path_is_number(v) && path_number(v, &number)) {
        *out = path_text_item(PATH_DECIMAL, decimal_write(m->cx->arena, number));
        return true;
    }
    if (v->kind == PATH_BOOLEAN) {
        *out = path_text_item(PATH_DECIMAL, v->boolean ? S("1.0") : S("0.0"));
        return true;
    }
    bool plain = v->kind == PATH_STRING && str_find_char(v->text, 'e') == STR_NONE &&
                 str_find_char(v->text, 'E') == STR_NONE;
    if (!plain || !decimal_parse(v->text, &number))
        return false;
    *out = path_text_item(PATH_DECIMAL, decimal_write(m->cx->arena, number));
    return true;
}

static bool to_string(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    str text = v->text;
    if (v->kind == PATH_BOOLEAN)
        text = v->boolean ? S("true") : S("false");
    else if (v->kind == PATH_INTEGER)
        text = arena_printf(m->cx->arena, "%lld", (long long)v->integer);
    else if (v->kind == PATH_QUANTITY)
        text = path_quantity_write(m->cx->arena, v);
    *out = path_text_item(PATH_STRING, text);
    return true;
}

static bool to_date(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    struct path_date date;
    if (v->kind != PATH_STRING && v->kind != PATH_DATE && v->kind != PATH_DATE_TIME)
        return false;
    if (!path_date_parse(v->text, PATH_DATE_AND_TIME, &date))
        return false;
    date.kind = PATH_DATE_ONLY;
    date.precision = date.precision > PATH_DAY ? PATH_DAY : date.precision;
    *out = path_text_item(PATH_DATE, path_date_write(m->cx->arena, &date));
    return true;
}

static bool to_date_time(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    struct path_date date;
    (void)m;
    if (v->kind != PATH_STRING && v->kind != PATH_DATE && v->kind != PATH_DATE_TIME)
        return false;
    if (!path_date_parse(v->text, PATH_DATE_AND_TIME, &date))
        return false;
    *out = path_text_item(PATH_DATE_TIME, v->text);
    return true;
}

static bool to_time(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    struct path_date time;
    (void)m;
    if (v->kind != PATH_STRING && v->kind != PATH_TIME)
        return false;
    if (!path_date_parse(v->text, PATH_TIME_ONLY, &time))
        return false;
    *out = path_text_item(PATH_TIME, v->text);
    return true;
}

static bool to_quantity(struct path_machine *m, const struct path_item *v, struct path_item *out)
{
    struct path_item number;
    if (v->kind == PATH_QUANTITY) {
        *out = *v;
        return true;
    }
    if (v->kind == PATH_STRING)
        return path_quantity_parse(v->text, out);
    if (v->kind == PATH_INTEGER) {
        to_string(m, v, &number);
    } else if (v->kind == PATH_BOOLEAN) {
        to_decimal(m, v, &number);
    } else if (v->kind == PATH_DECIMAL) {
        number = *v;
    } else {
        return false;
    }
    *out = path_text_item(PATH_QUANTITY, number.text);
    out->unit = S("1");
    return true;
}

/* clang-format off */
static const struct { const char *to, *converts_to; convert *convert; } conversions[] = {
    { "toBoolean", "convertsToBoolean", to_boolean },
    { "toInteger", "convertsToInteger", to_integer },
    { "toDecimal", "convertsToDecimal", to_decimal },
    { "toString", "convertsToString", to_string },
    { "toDate", "convertsToDate", to_date },
    { "toDateTime", "convertsToDateTime", to_date_time },
    { "toTime", "convertsToTime", to_time },
    { "toQuantity", "convertsToQuantity", to_quantity },
};
/* clang-format on */

/* toQuantity('mg'): in that unit, where it can be. */
static err in_unit(struct path_machine *m, struct path_call *call, struct path_item *q, bool *gives)
{
    struct path_item wanted = { .kind = PATH_QUANTITY, .type = FHIR_NONE, .text = S("1") };
    struct decimal number;
    bool given, week, milli;
    TRY(path_arg_string(m, call, 0, &wanted.unit, &given));
    if (!given || !*gives)
        return ERR_OK;
    wanted.calendar = path_calendar_word(wanted.unit, &week, &milli) != PATH_NO_PRECISION;
    *gives = path_quantity_in_unit(&wanted, q, &number);
    if (*gives)
        wanted.text = decimal_write(m->cx->arena, number);
    *q = wanted;
    return ERR_OK;
}

/* Elements that are no simple value convert to nothing. */
static err run_convert(struct path_machine *m, struct path_call *call)
{
    struct path_item value, out;
    str name = call->code->name;
    if (call->in.count == 0)
        return ERR_OK;
    bool known = path_value(m->cx, &m->stack[call->in.from], &value);
    for (size_t i = 0; i < COUNT(conversions); i++) {
        bool asks = str_eq(name, str_of(conversions[i].converts_to));
        if (!asks && !str_eq(name, str_of(conversions[i].to)))
            continue;
        bool gives = known && conversions[i].convert(m, &value, &out);
        if (call->code->args_count)
            TRY(in_unit(m, call, &out, &gives));
        if (asks)
            return path_push_bool(m, gives);
        return gives ? path_push(m, out) : ERR_OK;
    }
    return ERR_OK;
}

/* clang-format off */
const struct path_function path_functions_convert[] = {
    { "toBoolean", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "toInteger", 0, 0, run_convert, PATH_SINGLE, "Integer" },
    { "toDecimal", 0, 0, run_convert, PATH_SINGLE, "Decimal" },
    { "toString", 0, 0, run_convert, PATH_SINGLE, "String" },
    { "toDate", 0, 0, run_convert, PATH_SINGLE, "Date" },
    { "toDateTime", 0, 0, run_convert, PATH_SINGLE, "DateTime" },
    { "toTime", 0, 0, run_convert, PATH_SINGLE, "Time" },
    { "toQuantity", 0, 1, run_convert, PATH_SINGLE, "Quantity" },
    { "convertsToBoolean", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToInteger", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToDecimal", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToString", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToDate", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToDateTime", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToTime", 0, 0, run_convert, PATH_SINGLE, "Boolean" },
    { "convertsToQuantity", 0, 1, run_convert, PATH_SINGLE, "Boolean" },
    { 0 },
};
