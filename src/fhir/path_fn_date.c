/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "fhir/path_program.h"
#include "fhir/path_quantity.h"

/* Source   FHIRPath 2.0.0 section 5.9; lowBoundary, highBoundary, precision, comparable and the
 *          parts of dates: 2.1 and 3.0. "Now" is the request's time, in UTC. */

enum { DECIMAL_PLACES = 8, DATE_DIGITS = 8, DATE_TIME_DIGITS = 17, TIME_DIGITS = 9,
       PLACES_MAX = 31 };

static err run_now(struct path_machine *m, struct path_call *call)
{
    char *text = arena_alloc(m->cx->arena, CLOCK_TEXT);
    clock_write(m->cx->now_ms, text);
    str name = call->code->name;
    if (str_eq(name, S("today")))
        return path_push_text(m, PATH_DATE, (str){ text, 10 });
    if (str_eq(name, S("timeOfDay")))
        return path_push_text(m, PATH_TIME, (str){ text + 11, 12 });
    return path_push_text(m, PATH_DATE_TIME, (str){ text, CLOCK_TEXT });
}

/* ---- boundaries ---- */

static err number_boundary(struct path_machine *m, const struct path_item *value, bool high,
                           int64_t places)
{
    struct decimal number, edge;
    if (places < 0 || places > PLACES_MAX || !path_number(value, &number))
        return ERR_OK;
    bool outward = high != number.negative;
    if (!decimal_boundary(number, outward, (int)places, &edge))
        return ERR_OK;
    struct path_item item = *value;
    item.kind = value->kind == PATH_INTEGER ? PATH_DECIMAL : value->kind;
    item.text = decimal_write(m->cx->arena, edge);
    return path_push(m, item);
}

static err date_boundary(struct path_machine *m, const struct path_item *value, bool high,
                         int64_t digits)
{
    struct path_date date;
    if (digits < 0 || digits > DATE_TIME_DIGITS || !path_date_of(value, &date) ||
        !path_date_boundary(&date, high, (int)digits))
        return ERR_OK;
    return path_push_text(m, value->kind, path_date_write(m->cx->arena, &date));
}

static int64_t usual_precision(const struct path_item *value)
{
    switch (value->kind) {
    case PATH_DATE:
        return DATE_DIGITS;
    case PATH_DATE_TIME:
        return DATE_TIME_DIGITS;
    case PATH_TIME:
        return TIME_DIGITS;
    default:
        return DECIMAL_PLACES;
    }
}

static err run_boundary(struct path_machine *m, struct path_call *call)
{
    struct path_item value;
    int64_t precision = 0;
    bool given, has_precision = false, high = str_eq(call->code->name, S("highBoundary"));
    TRY(path_span_value(m, call->in, &value, &given));
    if (call->code->args_count)
        TRY(path_arg_int(m, call, 0, &precision, &has_precision));
    if (!given)
        return ERR_OK;
    if (!has_precision)
        precision = usual_precision(&value);
    if (path_is_number(&value) || value.kind == PATH_QUANTITY)
        return number_boundary(m, &value, high, precision);
    if (value.kind == PATH_STRING || value.kind == PATH_BOOLEAN)
        return path_fail(m, ERR_RULE, "%s() works on numbers, quantities, dates and times",
                         call->code->function->name);
    return date_boundary(m, &value, high, precision);
}

static err run_precision(struct path_machine *m, struct path_call *call)
{
    struct path_item value;
    struct path_date date;
    struct decimal number;
    bool given;
    TRY(path_span_value(m, call->in, &value, &given));
    if (!given)
        return ERR_OK;
    if (path_date_of(&value, &date))
        return path_push_int(m, path_date_digits(&date));
    if (!path_number(&value, &number))
        return path_fail(m, ERR_RULE, "precision() works on numbers, dates and times");
    return path_push_int(m, number.scale);
}

static err run_comparable(struct path_machine *m, struct path_call *call)
{
    struct path_item a, b;
    bool has_a, has_b;
    TRY(path_span_value(m, call->in, &a, &has_a));
    TRY(path_arg_value(m, call, 0, &b, &has_b));
    if (!has_a || !has_b)
        return ERR_OK;
    bool amounts = (a.kind == PATH_QUANTITY || path_is_number(&a)) &&
                   (b.kind == PATH_QUANTITY || path_is_number(&b));
    return path_push_bool(m, amounts && path_quantity_comparable(&a, &b));
}

/* ---- parts ---- */

static err push_zone(struct path_machine *m, const struct path_date *date)
{
    struct decimal hours;
    if (!date->has_zone ||
        !decimal_div(decimal_of(date->zone_minutes), decimal_of(60), &hours))
        return ERR_OK;
    return path_push_decimal(m, decimal_truncate(hours, hours.scale ? hours.scale : 1));
}

/* yearOf() ... millisecondOf(): empty when the value is less precise. */
static err run_part(struct path_machine *m, struct path_call *call)
{
    struct path_item value;
    struct path_date d;
    bool given;
    TRY(path_span_value(m, call->in, &value, &given));
    if (!given)
        return ERR_OK;
    if (!path_date_of(&value, &d))
        return path_fail(m, ERR_RULE, "%s() works on dates and times", call->code->function->name);
    const struct { const char *name; enum path_precision precision; int part; } parts[] = {
        { "yearOf", PATH_YEAR, d.year }, { "monthOf", PATH_MONTH, d.month },
        { "dayOf", PATH_DAY, d.day }, { "hourOf", PATH_HOUR, d.hour },
        { "minuteOf", PATH_MINUTE, d.minute }, { "secondOf", PATH_SECOND, d.second },
        { "millisecondOf", PATH_FRACTION, d.nano / 1000000 },
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        if (str_eq(call->code->name, str_of(parts[i].name))) {
            bool there = d.precision >= parts[i].precision &&
                         (d.kind != PATH_TIME_ONLY || parts[i].precision >= PATH_HOUR);
            return there ? path_push_int(m, parts[i].part) : ERR_OK;
        }
    return push_zone(m, &d);
}

static err run_date_of(struct path_machine *m, struct path_call *call)
{
    struct path_item value;
    struct path_date d;
    bool given, time = str_eq(call->code->name, S("timeOf"));
    TRY(path_span_value(m, call->in, &value, &given));
    if (!given || !path_date_of(&value, &d) || (time && d.precision < PATH_HOUR))
        return ERR_OK;
    if (!time && d.precision > PATH_DAY)
        d.precision = PATH_DAY;
    d.kind = time ? PATH_TIME_ONLY : PATH_DATE_ONLY;
    return path_push_text(m, time ? PATH_TIME : PATH_DATE, path_date_write(m->cx->arena, &d));
}

/* clang-format off */
const struct path_function path_functions_date[] = {
    { "now", 0, 0, run_now, 0, "DateTime" },
    { "today", 0, 0, run_now, 0, "Date" },
    { "timeOfDay", 0, 0, run_now, 0, "Time" },
    { "lowBoundary", 0, 1, run_boundary, PATH_SINGLE, "any" },
    { "highBoundary", 0, 1, run_boundary, PATH_SINGLE, "any" },
    { "precision", 0, 0, run_precision, PATH_SINGLE, "Integer" },
    { "comparable", 1, 1, run_comparable, PATH_SINGLE, "Boolean" },
    { "yearOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "monthOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "dayOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "hourOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "minuteOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "secondOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "millisecondOf", 0, 0, run_part, PATH_SINGLE, "Integer" },
    { "timezoneOffsetOf", 0, 0, run_part, PATH_SINGLE, "Decimal" },
    { "dateOf", 0, 0, run_date_of, PATH_SINGLE, "Date" },
    { "timeOf", 0, 0, run_date_of, PATH_SINGLE, "Time" },
    { 0 },
};
