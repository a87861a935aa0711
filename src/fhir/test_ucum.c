/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE ucum
#include "base/test.h"
#include "fhir/ucum.h"

TEST(ucum_converts_clinical_units)
{
    static const struct { const char *value, *from, *to, *out; } rows[] = {
        { "4", "g", "mg", "4000" },          { "185", "[lb_av]", "kg", "83.91458845" },
        { "37", "Cel", "[degF]", "98.6" },   { "98.6", "[degF]", "Cel", "37" },
        { "120", "mm[Hg]", "kPa", "15.99864" }, { "1", "h", "min", "60" },
        { "5.5", "mmol/L", "umol/mL", "5.5" }, { "72", "/min", "Hz", "1.2" },
        { "1", "[in_i]", "cm", "2.54" },     { "0.5", "%", "1", "0.005" },
        { "3", "10*9/L", "10*3/uL", "3" },   { "60", "mL/min", "L/h", "3.6" },
        { "1", "kg.m/s2", "N", "1" },        { "7", "d", "wk", "1" },
        { "70", "{beats}/min", "/min", "70" }, { "2", "kU/L", "U/mL", "2" },
        { "1", "(g/L)/(g/mL)", "1", "0.001" }, { "1", "mm2", "cm2", "0.01" },
        { "10", "[IU]/L", "[iU]/mL", "0.01" }, { "3937", "[ft_us]", "m", "1200" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ucum from, to;
        struct decimal value, out = { 0 };
        EXPECT(rows[i].from, ucum_parse(str_of(rows[i].from), &from));
        EXPECT(rows[i].to, ucum_parse(str_of(rows[i].to), &to));
        EXPECT(rows[i].value, decimal_parse(str_of(rows[i].value), &value));
        EXPECT(rows[i].from, ucum_convert(value, &from, &to, &out));
        EXPECT_STR(rows[i].from, decimal_write(cx->arena, decimal_strip(out)), str_of(rows[i].out));
    }
}

TEST(ucum_refuses_what_is_no_unit)
{
    static const char *const rows[] = { "[s]", "lbs", "m/", "(m", "m)", "{x", "m..s", "wks", "kmin",
                                        "m99", "((((((((((((m))))))))))))" };
    struct ucum unit;
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT(rows[i], !ucum_parse(str_of(rows[i]), &unit));
}

TEST(ucum_keeps_kinds_apart)
{
    struct ucum metre, second, units, cfu;
    EXPECT("parse", ucum_parse(S("m"), &metre) && ucum_parse(S("s"), &second));
    EXPECT("parse", ucum_parse(S("[iU]"), &units) && ucum_parse(S("[CFU]"), &cfu));
    EXPECT("length and time", !ucum_comparable(&metre, &second));
    EXPECT("arbitrary units", !ucum_comparable(&units, &cfu));
}

TEST(ucum_base_code_is_one_for_all_units_of_a_kind)
{
    struct ucum a, b;
    EXPECT("parse", ucum_parse(S("mg/dL"), &a) && ucum_parse(S("g/L"), &b));
    EXPECT_STR("same", ucum_base_code(cx->arena, &a), ucum_base_code(cx->arena, &b));
    EXPECT_STR("code", ucum_base_code(cx->arena, &a), S("m-3.g"));
}
