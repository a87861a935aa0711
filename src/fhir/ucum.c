/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/ucum.h"
#include "base/buf.h"

enum { DEPTH_MAX = 10, CODE_MAX = 200 };

struct prefix {
    const char *code;
    int exponent;
};
/* Two-letter prefixes first, so that "da" is not read as "d". */
static const struct prefix prefixes[] = {
    { "da", 1 }, { "Y", 24 }, { "Z", 21 }, { "E", 18 }, { "P", 15 },  { "T", 12 },  { "G", 9 },
    { "M", 6 },  { "k", 3 },  { "h", 2 },  { "d", -1 }, { "c", -2 },  { "m", -3 },  { "u", -6 },
    { "n", -9 }, { "p", -12 }, { "f", -15 }, { "a", -18 }, { "z", -21 }, { "y", -24 },
};

struct atom {
    const char *code;
    bool metric;          /* takes prefixes */
    const char *num, *den;
    int8_t powers[UCUM_DIMENSIONS]; /* m s g K C cd mol */
    const char *offset;
};
/* clang-format off: read as a table. Factors are those of UCUM's definition tables. */
static const struct atom atoms[] = {
    { "m",   1, "1", "1", { 1 }, 0 },
    { "s",   1, "1", "1", { 0, 1 }, 0 },
    { "g",   1, "1", "1", { 0, 0, 1 }, 0 },
    { "K",   1, "1", "1", { 0, 0, 0, 1 }, 0 },
    { "C",   1, "1", "1", { 0, 0, 0, 0, 1 }, 0 },
    { "cd",  1, "1", "1", { 0, 0, 0, 0, 0, 1 }, 0 },
    { "mol", 1, "1", "1", { 0, 0, 0, 0, 0, 0, 1 }, 0 },
    { "rad", 1, "1", "1", { 0 }, 0 },
    { "sr",  1, "1", "1", { 0 }, 0 },
    { "%",      0, "1", "100", { 0 }, 0 },
    { "[ppth]", 0, "1", "1000", { 0 }, 0 },
    { "[ppm]",  0, "1", "1000000", { 0 }, 0 },
    { "[ppb]",  0, "1", "1000000000", { 0 }, 0 },
    { "[pptr]", 0, "1", "1000000000000", { 0 }, 0 },
    { "[pi]",   0, "3.1415926535897932384626433832795029", "1", { 0 }, 0 },
    { "deg",    0, "0.0174532925199432957692369076848861", "1", { 0 }, 0 },
    { "'",      0, "0.000290888208665721596153948461415", "1", { 0 }, 0 },
    { "''",     0, "0.00000484813681109535993589914102358", "1", { 0 }, 0 },
    { "gon",    0, "0.0157079632679489661923132169163975", "1", { 0 }, 0 },
    { "eq",  1, "1", "1", { 0, 0, 0, 0, 0, 0, 1 }, 0 },
    { "osm", 1, "1", "1", { 0, 0, 0, 0, 0, 0, 1 }, 0 },
    { "kat", 1, "1", "1", { 0, -1, 0, 0, 0, 0, 1 }, 0 },
    { "U",   1, "1", "60000000", { 0, -1, 0, 0, 0, 0, 1 }, 0 },
    { "min",  0, "60", "1", { 0, 1 }, 0 },
    { "h",    0, "3600", "1", { 0, 1 }, 0 },
    { "d",    0, "86400", "1", { 0, 1 }, 0 },
    { "wk",   0, "604800", "1", { 0, 1 }, 0 },
    { "mo",   0, "2629800", "1", { 0, 1 }, 0 },
    { "mo_j", 0, "2629800", "1", { 0, 1 }, 0 },
    { "mo_g", 0, "2629746", "1", { 0, 1 }, 0 },
    { "mo_s", 0, "2551442.976", "1", { 0, 1 }, 0 },
    { "a",    0, "31557600", "1", { 0, 1 }, 0 },
    { "a_j",  0, "31557600", "1", { 0, 1 }, 0 },
    { "a_g",  0, "31556952", "1", { 0, 1 }, 0 },
    { "a_t",  0, "31556925.216", "1", { 0, 1 }, 0 },
    { "Hz",  1, "1", "1", { 0, -1 }, 0 },
    { "N",   1, "1000", "1", { 1, -2, 1 }, 0 },
    { "Pa",  1, "1000", "1", { -1, -2, 1 }, 0 },
    { "J",   1, "1000", "1", { 2, -2, 1 }, 0 },
    { "W",   1, "1000", "1", { 2, -3, 1 }, 0 },
    { "A",   1, "1", "1", { 0, -1, 0, 0, 1 }, 0 },
    { "V",   1, "1000", "1", { 2, -2, 1, 0, -1 }, 0 },
    { "F",   1, "1", "1000", { -2, 2, -1, 0, 2 }, 0 },
    { "Ohm", 1, "1000", "1", { 2, -1, 1, 0, -2 }, 0 },
    { "S",   1, "1", "1000", { -2, 1, -1, 0, 2 }, 0 },
    { "Wb",  1, "1000", "1", { 2, -1, 1, 0, -1 }, 0 },
    { "T",   1, "1000", "1", { 0, -1, 1, 0, -1 }, 0 },
    { "H",   1, "1000", "1", { 2, 0, 1, 0, -2 }, 0 },
    { "lm",  1, "1", "1", { 0, 0, 0, 0, 0, 1 }, 0 },
    { "lx",  1, "1", "1", { -2, 0, 0, 0, 0, 1 }, 0 },
    { "Bq",  1, "1", "1", { 0, -1 }, 0 },
    { "Ci",  1, "37000000000", "1", { 0, -1 }, 0 },
    { "Gy",  1, "1", "1", { 2, -2 }, 0 },
    { "Sv",  1, "1", "1", { 2, -2 }, 0 },
    { "RAD", 1, "1", "100", { 2, -2 }, 0 },
    { "REM", 1, "1", "100", { 2, -2 }, 0 },
    { "R",   1, "0.000000258", "1", { 0, 0, -1, 0, 1 }, 0 },
    { "L",   1, "1", "1000", { 3 }, 0 },
    { "l",   1, "1", "1000", { 3 }, 0 },
    { "ar",  1, "100", "1", { 2 }, 0 },
    { "t",   1, "1000000", "1", { 0, 0, 1 }, 0 },
    { "bar", 1, "100000000", "1", { -1, -2, 1 }, 0 },
    { "u",   1, "0.00000000000000000000000166053906660", "1", { 0, 0, 1 }, 0 },
    { "eV",  1, "0.000000000000000160217662", "1", { 2, -2, 1 }, 0 },
    { "Ao",  0, "0.0000000001", "1", { 1 }, 0 },
    { "dyn", 1, "1", "100", { 1, -2, 1 }, 0 },
    { "erg", 1, "1", "10000", { 2, -2, 1 }, 0 },
    { "P",   1, "100", "1", { -1, -1, 1 }, 0 },
    { "St",  1, "0.0001", "1", { 2, -1 }, 0 },
    { "atm", 0, "101325000", "1", { -1, -2, 1 }, 0 },
    { "att", 0, "98066500", "1", { -1, -2, 1 }, 0 },
    { "m[Hg]",  1, "133322000", "1", { -1, -2, 1 }, 0 },
    { "m[H2O]", 1, "9806650", "1", { -1, -2, 1 }, 0 },
    { "[in_i'Hg]",  0, "3386378.8", "1", { -1, -2, 1 }, 0 },
    { "[in_i'H2O]", 0, "249088.91", "1", { -1, -2, 1 }, 0 },
    { "[psi]",  0, "6894757.293168361", "1", { -1, -2, 1 }, 0 },
    { "[g]",    1, "9.80665", "1", { 1, -2 }, 0 },
    { "gf",     1, "9.80665", "1", { 1, -2, 1 }, 0 },
    { "[lbf_av]", 0, "4448.2216152605", "1", { 1, -2, 1 }, 0 },
    { "cal",    1, "4184", "1", { 2, -2, 1 }, 0 },
    { "cal_th", 1, "4184", "1", { 2, -2, 1 }, 0 },
    { "cal_IT", 1, "4186.8", "1", { 2, -2, 1 }, 0 },
    { "[Cal]",  0, "4184000", "1", { 2, -2, 1 }, 0 },
    { "[Btu]",  0, "1055056", "1", { 2, -2, 1 }, 0 },
    { "[HP]",   0, "745699.87158227", "1", { 2, -3, 1 }, 0 },
    { "[PRU]",  1, "133322000000000", "1", { -4, -1, 1 }, 0 },
    { "[in_i]", 0, "0.0254", "1", { 1 }, 0 },
    { "[ft_i]", 0, "0.3048", "1", { 1 }, 0 },
    { "[yd_i]", 0, "0.9144", "1", { 1 }, 0 },
    { "[mi_i]", 0, "1609.344", "1", { 1 }, 0 },
    { "[ft_us]", 0, "1200", "3937", { 1 }, 0 },
    { "[yd_us]", 0, "3600", "3937", { 1 }, 0 },
    { "[mi_us]", 0, "6336000", "3937", { 1 }, 0 },
    { "[nmi_i]", 0, "1852", "1", { 1 }, 0 },
    { "[kn_i]", 0, "1852", "3600", { 1, -1 }, 0 },
    { "[mil_i]", 0, "0.0000254", "1", { 1 }, 0 },
    { "[hd_i]", 0, "0.1016", "1", { 1 }, 0 },
    { "[Ch]",   0, "0.001", "3", { 1 }, 0 },
    { "[sin_i]", 0, "0.00064516", "1", { 2 }, 0 },
    { "[sft_i]", 0, "0.09290304", "1", { 2 }, 0 },
    { "[cin_i]", 0, "0.000016387064", "1", { 3 }, 0 },
    { "[cft_i]", 0, "0.028316846592", "1", { 3 }, 0 },
    { "[gal_us]", 0, "0.003785411784", "1", { 3 }, 0 },
    { "[qt_us]",  0, "0.000946352946", "1", { 3 }, 0 },
    { "[pt_us]",  0, "0.000473176473", "1", { 3 }, 0 },
    { "[cup_us]", 0, "0.0002365882365", "1", { 3 }, 0 },
    { "[foz_us]", 0, "0.0000295735295625", "1", { 3 }, 0 },
    { "[tbs_us]", 0, "0.00001478676478125", "1", { 3 }, 0 },
    { "[tsp_us]", 0, "0.00000492892159375", "1", { 3 }, 0 },
    { "[cup_m]",  0, "0.00024", "1", { 3 }, 0 },
    { "[foz_m]",  0, "0.00003", "1", { 3 }, 0 },
    { "[tbs_m]",  0, "0.000015", "1", { 3 }, 0 },
    { "[tsp_m]",  0, "0.000005", "1", { 3 }, 0 },
    { "[gal_br]", 0, "0.00454609", "1", { 3 }, 0 },
    { "[pt_br]",  0, "0.00056826125", "1", { 3 }, 0 },
    { "[foz_br]", 0, "0.0000284130625", "1", { 3 }, 0 },
    { "[drp]",    0, "0.00000005", "1", { 3 }, 0 },
    { "[lb_av]",  0, "453.59237", "1", { 0, 0, 1 }, 0 },
    { "[oz_av]",  0, "28.349523125", "1", { 0, 0, 1 }, 0 },
    { "[gr]",     0, "0.06479891", "1", { 0, 0, 1 }, 0 },
    { "[stone_av]", 0, "6350.29318", "1", { 0, 0, 1 }, 0 },
    { "[lb_tr]",  0, "373.2417216", "1", { 0, 0, 1 }, 0 },
    { "[oz_tr]",  0, "31.1034768", "1", { 0, 0, 1 }, 0 },
    { "[ston_av]", 0, "907184.74", "1", { 0, 0, 1 }, 0 },
    { "[lton_av]", 0, "1016046.9088", "1", { 0, 0, 1 }, 0 },
    { "[car_m]",  0, "0.2", "1", { 0, 0, 1 }, 0 },
    { "[diop]",   0, "1", "1", { -1 }, 0 },
    { "[MET]",    0, "3.5", "60000000000", { 3, -1, -1 }, 0 },
    { "Cel",    1, "1", "1", { 0, 0, 0, 1 }, "273.15" },
    { "[degF]", 0, "5", "9", { 0, 0, 0, 1 }, "459.67" },
    { "[degR]", 0, "5", "9", { 0, 0, 0, 1 }, 0 },
    { "[c]",    1, "299792458", "1", { 1, -1 }, 0 },
};
/* Units with no factor to others: by procedure, or on a logarithmic scale. */
static const struct { const char *code; bool metric; } arbitraries[] = {
    { "", 0 }, { "[iU]", 1 }, { "[IU]", 1 }, { "[arb'U]", 0 }, { "[USP'U]", 0 }, { "[CFU]", 0 },
    { "[PFU]", 0 }, { "[FFU]", 0 }, { "[GPL'U]", 0 }, { "[MPL'U]", 0 }, { "[APL'U]", 0 },
    { "[beth'U]", 0 }, { "[anti'Xa'U]", 0 }, { "[todd'U]", 0 }, { "[dye'U]", 0 }, { "[knk'U]", 0 },
    { "[bdsk'U]", 0 }, { "[ka'U]", 0 }, { "[mclg'U]", 0 }, { "[tb'U]", 0 }, { "[CCID_50]", 0 },
    { "[TCID_50]", 0 }, { "[EID_50]", 0 }, { "[BAU]", 0 }, { "[AU]", 0 }, { "[Amb'a'1'U]", 0 },
    { "[PNU]", 0 }, { "[Lf]", 0 }, { "[D'ag'U]", 0 }, { "[ELU]", 0 }, { "[EU]", 0 }, { "[pH]", 0 },
    { "[HPF]", 0 }, { "[LPF]", 0 }, { "[S]", 1 }, { "B", 1 }, { "Np", 1 }, { "B[SPL]", 1 },
    { "[hp'_X]", 0 }, { "[hp'_C]", 0 }, { "[m/s2/Hz^0.5]", 0 }, { "[smgy'U]", 0 },
    { "[acr_us]", 0 },
    { "[Fr]", 0 }, { "bit", 1 }, { "By", 1 }, { "Bd", 1 }, { "[smoot]", 0 }, { "m[Hg].s", 0 },
};
/* clang-format on */

struct reader {
    str text;
    size_t at;
    int depth;
};

static bool number_of(const char *text, struct decimal *out)
{
    return decimal_parse(str_of(text), out);
}

static struct ucum one(void)
{
    return (struct ucum){ .num = decimal_of(1), .den = decimal_of(1) };
}

static bool multiply(struct ucum *into, const struct ucum *by, int sign)
{
    const struct decimal *num = sign > 0 ? &by->num : &by->den;
    const struct decimal *den = sign > 0 ? &by->den : &by->num;
    if (!decimal_mul(into->num, *num, &into->num) || !decimal_mul(into->den, *den, &into->den))
        return false;
    for (int i = 0; i < UCUM_DIMENSIONS; i++)
        into->powers[i] = (int8_t)(into->powers[i] + sign * by->powers[i]);
    if (by->arbitrary && into->arbitrary && by->arbitrary != into->arbitrary)
        return false;
    if (by->arbitrary)
        into->arbitrary = by->arbitrary;
    into->arbitrary_power = (int8_t)(into->arbitrary_power + sign * by->arbitrary_power);
    if (into->arbitrary_power == 0)
        into->arbitrary = 0;
    into->num = decimal_strip(into->num);
    into->den = decimal_strip(into->den);
    into->offset = (struct decimal){ 0 }; /* only a unit standing alone has a zero point */
    return true;
}

static bool raise(struct ucum *unit, int exponent)
{
    if (exponent == 1)
        return true;
    struct ucum base = *unit, result = one();
    int times = exponent < 0 ? -exponent : exponent;
    for (int i = 0; i < times; i++)
        if (!multiply(&result, &base, exponent < 0 ? -1 : 1))
            return false;
    *unit = result;
    return true;
}

static bool find_arbitrary(str code, bool prefixed, struct ucum *out)
{
    for (size_t i = 1; i < COUNT(arbitraries); i++)
        if (str_eq(code, str_of(arbitraries[i].code)) && (arbitraries[i].metric || !prefixed)) {
            *out = one();
            out->arbitrary = (uint16_t)(i == 2 ? 1 : i); /* [IU] is [iU] */
            out->arbitrary_power = 1;
            return true;
        }
    return false;
}

static bool find_atom(str code, bool prefixed, struct ucum *out)
{
    for (size_t i = 0; i < COUNT(atoms); i++) {
        const struct atom *atom = &atoms[i];
        if (!str_eq(code, str_of(atom->code)) || (prefixed && !atom->metric))
            continue;
        *out = one();
        memcpy(out->powers, atom->powers, sizeof out->powers);
        return number_of(atom->num, &out->num) && number_of(atom->den, &out->den) &&
               (!atom->offset || number_of(atom->offset, &out->offset));
    }
    return find_arbitrary(code, prefixed, out);
}

static bool find_unit(str symbol, struct ucum *out)
{
    if (find_atom(symbol, false, out))
        return true;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        str prefix = str_of(prefixes[i].code);
        struct ucum scale = one();
        int exponent = prefixes[i].exponent;
        if (!str_starts(symbol, prefix) ||
            !find_atom(str_slice(symbol, prefix.n, symbol.n), true, out))
            continue;
        struct decimal *side = exponent > 0 ? &scale.num : &scale.den;
        return decimal_power(decimal_of(10), exponent < 0 ? -exponent : exponent, side) &&
               multiply(out, &scale, 1);
    }
    return false;
}

static bool is_digit(const struct reader *r, size_t at)
{
    return at < r->text.n && r->text.p[at] >= '0' && r->text.p[at] <= '9';
}

static char peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : '\0';
}

/* A sign and digits, at most three: an exponent. 1 when there is none. */
static bool read_exponent(struct reader *r, int *out)
{
    int sign = 1, value = 0, count = 0;
    size_t at = r->at;
    if (peek(r) == '+' || peek(r) == '-')
        sign = r->text.p[at++] == '-' ? -1 : 1;
    for (; is_digit(r, at) && count < 3; at++, count++)
        value = value * 10 + (r->text.p[at] - '0');
    *out = count ? sign * value : 1;
    if (count)
        r->at = at;
    return value <= 30 && (count || at == r->at);
}

/* A symbol ends before an operator, a digit or a sign, except within brackets. */
static str read_symbol(struct reader *r)
{
    size_t from = r->at;
    bool bracket = false;
    for (; r->at < r->text.n; r->at++) {
        char c = r->text.p[r->at];
        bool operator = c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '}' ||
                        c == '+' || c == '-' || (c >= '0' && c <= '9');
        if (!bracket && operator)
            break;
        bracket = c == '[' || (bracket && c != ']');
    }
    return str_slice(r->text, from, r->at);
}

static bool read_number(struct reader *r, struct ucum *out)
{
    size_t from = r->at;
    while (is_digit(r, r->at))
        r->at++;
    *out = one();
    if (!decimal_parse(str_slice(r->text, from, r->at), &out->num) || out->num.digits == 0)
        return false;
    int exponent;
    if (r->at - from == 2 && (peek(r) == '*' || peek(r) == '^')) { /* 10*3, 10^3 */
        r->at++;
        return read_exponent(r, &exponent) && raise(out, exponent);
    }
    return true;
}

static bool read_annotation(struct reader *r)
{
    if (peek(r) != '{')
        return true;
    while (r->at < r->text.n && r->text.p[r->at] != '}')
        r->at++;
    return peek(r) == '}' && ++r->at;
}

static bool read_term(struct reader *r, struct ucum *out);

static bool read_component(struct reader *r, struct ucum *out)
{
    int exponent;
    if (peek(r) == '{') {
        *out = one();
        return read_annotation(r);
    }
    if (peek(r) == '(') {
        r->at++;
        if (++r->depth > DEPTH_MAX || !read_term(r, out) || peek(r) != ')')
            return false;
        r->depth--;
        r->at++;
        return read_annotation(r);
    }
    if (is_digit(r, r->at))
        return read_number(r, out) && read_annotation(r);
    str symbol = read_symbol(r);
    return symbol.n && find_unit(symbol, out) && read_exponent(r, &exponent) &&
           raise(out, exponent) && read_annotation(r);
}

static bool read_term(struct reader *r, struct ucum *out)
{
    struct ucum part;
    if (peek(r) == '/')
        *out = one();
    else if (!read_component(r, out))
        return false;
    while (peek(r) == '.' || peek(r) == '/') {
        int sign = r->text.p[r->at++] == '/' ? -1 : 1;
        if (!read_component(r, &part) || !multiply(out, &part, sign))
            return false;
    }
    return true;
}

bool ucum_parse(str code, struct ucum *out)
{
    struct reader r = { code, 0, 0 };
    struct ucum unit = one();
    if (code.n > CODE_MAX)
        return false;
    if (code.n && (!read_term(&r, &unit) || r.at != code.n))
        return false;
    *out = unit;
    return true;
}

bool ucum_comparable(const struct ucum *a, const struct ucum *b)
{
    return memcmp(a->powers, b->powers, sizeof a->powers) == 0 && a->arbitrary == b->arbitrary &&
           a->arbitrary_power == b->arbitrary_power;
}

bool ucum_to_base(struct decimal value, const struct ucum *unit, struct decimal *out)
{
    return decimal_add(value, unit->offset, &value) && decimal_mul(value, unit->num, &value) &&
           decimal_div(value, unit->den, out);
}

bool ucum_convert(struct decimal value, const struct ucum *from, const struct ucum *to,
                  struct decimal *out)
{
    struct decimal num, den, result;
    if (!ucum_comparable(from, to) || !decimal_add(value, from->offset, &value) ||
        !decimal_mul(from->num, to->den, &num) || !decimal_mul(from->den, to->num, &den) ||
        !decimal_mul(value, num, &result) || !decimal_div(result, den, &result))
        return false;
    return decimal_sub(result, to->offset, out);
}

bool ucum_cmp(struct decimal a, const struct ucum *a_unit, struct decimal b,
              const struct ucum *b_unit, int *out)
{
    struct decimal left, right;
    if (!ucum_comparable(a_unit, b_unit) || !decimal_add(a, a_unit->offset, &a) ||
        !decimal_add(b, b_unit->offset, &b))
        return false;
    if (decimal_mul(a, a_unit->num, &left) && decimal_mul(left, b_unit->den, &left) &&
        decimal_mul(b, b_unit->num, &right) && decimal_mul(right, a_unit->den, &right))
        *out = decimal_cmp(left, right);
    else if (ucum_convert(a, a_unit, b_unit, &left))
        *out = decimal_cmp(left, b);
    else
        return false;
    return true;
}

str ucum_base_code(struct arena *arena, const struct ucum *unit)
{
    static const char *const codes[] = { "m", "s", "g", "K", "C", "cd", "mol" };
    struct buf buf = buf_make(arena, CODE_MAX);
    for (int i = 0; i < UCUM_DIMENSIONS; i++) {
        if (!unit->powers[i])
            continue;
        buf_printf(&buf, "%s%s", buf.n ? "." : "", codes[i]);
        if (unit->powers[i] != 1)
            buf_i64(&buf, unit->powers[i]);
    }
    if (unit->arbitrary) {
        buf_printf(&buf, "%s%s", buf.n ? "." : "", arbitraries[unit->arbitrary].code);
        if (unit->arbitrary_power != 1)
            buf_i64(&buf, unit->arbitrary_power);
    }
    return buf.n ? buf_str(&buf) : S("1");
}
