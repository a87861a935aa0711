/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_quantity.h"
#include "fhir/ucum.h"

static uint16_t quantity_type(void)
{
    static _Atomic uint16_t type = FHIR_NONE;
    if (type == FHIR_NONE)
        type = fhir_type_find(S("Quantity"));
    return type;
}

/* A FHIR-made quantity carries `boolean`, so that its years count as calendar years too. */
bool path_quantity_of_node(struct ctx *cx, const struct path_item *item, struct path_item *out)
{
    if (!json_is(item->node, JSON_OBJECT) || !fhir_type_is(item->type, quantity_type()))
        return false;
    struct json value = json_get(item->node, S("value"));
    struct json code = json_get(item->node, S("code"));
    bool ucum = json_string_is(json_get(item->node, S("system")), S("http://unitsofmeasure.org"));
    if (!ucum || !code.doc)
        code = json_get(item->node, S("unit"));
    if (!json_is(value, JSON_NUMBER) || json_get(item->node, S("comparator")).doc)
        return false;
    struct path_item made = { .kind = PATH_QUANTITY, .type = FHIR_NONE, .boolean = ucum,
                              .text = json_text(value) };
    made.unit = !code.doc                ? S("1")
                : cx                     ? json_string(cx->arena, code)
                                         : json_text(code);
    *out = made;
    return true;
}

struct amount {
    struct decimal number;
    struct ucum unit;
    str code;
    int months;     /* a calendar year or month: how many months; else 0 */
    bool fhir;
    bool known;     /* the unit is one of UCUM's */
};

static const char *definite(enum path_precision precision, bool week, bool milli)
{
    switch (precision) {
    case PATH_DAY:
        return week ? "wk" : "d";
    case PATH_HOUR:
        return "h";
    case PATH_MINUTE:
        return "min";
    case PATH_SECOND:
        return "s";
    default:
        return milli ? "ms" : NULL;
    }
}

static bool amount_of(const struct path_item *item, struct amount *out)
{
    bool week, milli;
    *out = (struct amount){ .code = item->kind == PATH_QUANTITY ? item->unit : S("1"),
                            .fhir = item->kind == PATH_QUANTITY && item->boolean };
    if (!path_number(item, &out->number))
        return false;
    enum path_precision precision = PATH_NO_PRECISION;
    if (item->kind == PATH_QUANTITY && item->calendar)
        precision = path_calendar_word(item->unit, &week, &milli);
    if (precision == PATH_YEAR || precision == PATH_MONTH)
        out->months = precision == PATH_YEAR ? 12 : 1;
    else if (precision != PATH_NO_PRECISION)
        out->code = str_of(definite(precision, week, milli));
    if (out->months)
        out->code = out->months == 12 ? S("a") : S("mo");
    out->known = ucum_parse(out->code, &out->unit);
    return true;
}

/* A FHIR quantity in 'a' or 'mo' beside a calendar year or month is read as one. */
static void read_as_calendar(struct amount *a, const struct amount *other)
{
    if (!a->fhir || a->months || !other->months)
        return;
    a->months = str_eq(a->code, S("a")) ? 12 : str_eq(a->code, S("mo")) ? 1 : 0;
}

bool path_quantity_cmp(const struct path_item *a, const struct path_item *b, int *out)
{
    struct amount x, y;
    if (!amount_of(a, &x) || !amount_of(b, &y))
        return false;
    read_as_calendar(&x, &y);
    read_as_calendar(&y, &x);
    if (x.months || y.months) {
        if (!x.months || !y.months || !decimal_mul(x.number, decimal_of(x.months), &x.number) ||
            !decimal_mul(y.number, decimal_of(y.months), &y.number))
            return false;
        *out = decimal_cmp(x.number, y.number);
        return true;
    }
    if (str_eq(x.code, y.code)) {
        *out = decimal_cmp(x.number, y.number);
        return true;
    }
    return x.known && y.known && ucum_cmp(x.number, &x.unit, y.number, &y.unit, out);
}

bool path_quantity_equivalent(const struct path_item *a, const struct path_item *b)
{
    struct amount x, y;
    int order;
    if (!amount_of(a, &x) || !amount_of(b, &y))
        return false;
    if (str_eq(x.code, y.code))
        return path_same_to_precision(x.number, y.number);
    struct decimal one = decimal_of(1);
    if (!x.known || !y.known || !ucum_cmp(one, &x.unit, one, &y.unit, &order))
        return false;
    /* In the coarser unit: 4 'g' ~ 4040 'mg', for 4 grams are known to the gram. */
    if (order >= 0)
        return ucum_convert(y.number, &y.unit, &x.unit, &y.number) &&
               path_same_to_precision(x.number, y.number);
    return ucum_convert(x.number, &x.unit, &y.unit, &x.number) &&
           path_same_to_precision(x.number, y.number);
}

bool path_quantity_comparable(const struct path_item *a, const struct path_item *b)
{
    struct amount x, y;
    if (!amount_of(a, &x) || !amount_of(b, &y))
        return false;
    return str_eq(x.code, y.code) || (x.known && y.known && ucum_comparable(&x.unit, &y.unit));
}

bool path_quantity_in_unit(const struct path_item *a, const struct path_item *b,
                           struct decimal *out)
{
    struct amount x, y;
    if (!amount_of(a, &x) || !amount_of(b, &y))
        return false;
    if (str_eq(x.code, y.code)) {
        *out = y.number;
        return true;
    }
    if ((x.months != 0) != (y.months != 0))
        return false;
    return x.known && y.known && ucum_convert(y.number, &y.unit, &x.unit, out);
}

str path_quantity_write(struct arena *arena, const struct path_item *q)
{
    if (q->calendar)
        return arena_printf(arena, "%.*s %.*s", STR_ARG(q->text), STR_ARG(q->unit));
    return arena_printf(arena, "%.*s '%.*s'", STR_ARG(q->text), STR_ARG(q->unit));
}

bool path_quantity_parse(str text, struct path_item *out)
{
    struct decimal number;
    bool week, milli;
    size_t n = 0;
    while (n < text.n && text.p[n] != ' ' && text.p[n] != '\'')
        n++;
    struct path_item q = { .kind = PATH_QUANTITY, .type = FHIR_NONE, .text = str_slice(text, 0, n),
                           .unit = S("1") };
    str unit = str_trim(str_slice(text, n, text.n));
    if (!decimal_parse(q.text, &number) || str_find_char(q.text, 'e') != STR_NONE ||
        str_find_char(q.text, 'E') != STR_NONE)
        return false;
    if (unit.n >= 2 && unit.p[0] == '\'' && unit.p[unit.n - 1] == '\'') {
        q.unit = str_slice(unit, 1, unit.n - 1);
    } else if (unit.n) {
        if (path_calendar_word(unit, &week, &milli) == PATH_NO_PRECISION)
            return false;
        q.unit = unit;
        q.calendar = true;
    }
    *out = q;
    return true;
}

static str product_unit(struct ctx *cx, str a, str b, bool divide)
{
    bool a_one = str_eq(a, S("1")), b_one = str_eq(b, S("1"));
    if (b_one || (divide && str_eq(a, b)))
        return b_one ? a : S("1");
    if (a_one && !divide)
        return b;
    bool compound = str_find_char(b, '/') != STR_NONE || str_find_char(b, '.') != STR_NONE;
    return arena_printf(cx->arena, compound ? "%.*s%s(%.*s)" : "%.*s%s%.*s",
                        STR_ARG(a_one ? S("") : a), divide ? "/" : ".", STR_ARG(b));
}

bool path_quantity_product(struct ctx *cx, const struct path_item *a, const struct path_item *b,
                           bool divide, struct path_item *out)
{
    struct amount x, y;
    struct decimal number;
    if (!amount_of(a, &x) || !amount_of(b, &y))
        return false;
    /* Of one kind: in the unit of the first, so that 1 'm' / 1 'cm' is 100 '1'. */
    if (!str_eq(x.code, y.code) && x.known && y.known && ucum_comparable(&x.unit, &y.unit) &&
        !str_eq(y.code, S("1")) && ucum_convert(y.number, &y.unit, &x.unit, &y.number))
        y.code = x.code;
    if (!(divide ? decimal_div(x.number, y.number, &number)
                 : decimal_mul(x.number, y.number, &number)))
        return false;
    str unit = product_unit(cx, x.code, y.code, divide);
    if (!divide && str_eq(x.code, y.code) && !str_eq(x.code, S("1")) &&
        str_find_char(x.code, '/') == STR_NONE && str_find_char(x.code, '.') == STR_NONE &&
        x.code.p[x.code.n - 1] > '9')
        unit = arena_printf(cx->arena, "%.*s2", STR_ARG(x.code));
    *out = (struct path_item){ .kind = PATH_QUANTITY, .type = FHIR_NONE, .unit = unit,
                               .text = decimal_write(cx->arena, number) };
    return true;
}
