/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE decimal
#include "base/test.h"
#include "fhir/decimal.h"

static struct decimal of(const char *text)
{
    struct decimal d = { 0 };
    EXPECT(text, decimal_parse(str_of(text), &d));
    return d;
}

TEST(decimal_keeps_its_precision_when_written)
{
    static const struct { const char *in, *out; } rows[] = {
        { "1.10", "1.10" }, { "-0.0", "-0.0" }, { "0", "0" }, { "007", "7" }, { "+5", "5" },
        { "1e3", "1000" }, { "1.5e-3", "0.0015" }, { "12.5e1", "125" },
        { "99999999999999999999999999999999999999", "99999999999999999999999999999999999999" },
        { "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_STR(rows[i].in, decimal_write(cx->arena, of(rows[i].in)), str_of(rows[i].out));
}

TEST(decimal_refuses_what_is_no_number)
{
    static const char *const rows[] = { "", "-", ".5", "5.", "1.2.3", "1e", "0x1", "1e999999",
                                        "999999999999999999999999999999999999999", " 1", "1 " };
    struct decimal d;
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT(rows[i], !decimal_parse(str_of(rows[i]), &d));
}

TEST(decimal_calculates_exactly)
{
    static const struct { const char *a; char op; const char *b, *out; } rows[] = {
        { "0.1", '+', "0.2", "0.3" },    { "1.8", '-', "1.2", "0.6" },
        { "1.2", '*', "1.8", "2.16" },   { "1", '/', "8", "0.125" },
        { "1", '/', "3", "0.3333333333333333333333333333" },
        { "2", '/', "3", "0.6666666666666666666666666667" },
        { "1", '-', "3", "-2" },         { "-1", '+', "1", "0" },
        { "2.2", '%', "1.8", "0.4" },    { "-5", '%', "3", "-2" },
        { "12345678901234567890", '*', "98765432109876543210", NULL },
        { "5", '/', "0", NULL },
        { "99999999999999999999999999999999999999", '/', "3",
          "33333333333333333333333333333333333333" },
        { "100000", '/', "0.001", "100000000" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct decimal a = of(rows[i].a), b = of(rows[i].b), out = { 0 };
        char op = rows[i].op;
        bool done = op == '+'   ? decimal_add(a, b, &out)
                    : op == '-' ? decimal_sub(a, b, &out)
                    : op == '*' ? decimal_mul(a, b, &out)
                    : op == '/' ? decimal_div(a, b, &out)
                                : decimal_mod(a, b, &out);
        EXPECT_INT(rows[i].a, done, rows[i].out != NULL);
        if (done && rows[i].out)
            EXPECT_STR(rows[i].a, decimal_write(cx->arena, out), str_of(rows[i].out));
    }
}

TEST(decimal_compares_across_scales_and_signs)
{
    static const char *const ascending[] = {
        "-10", "-1.1", "-1.09", "-0.001", "0", "0.0010", "0.01", "1",
        "1.0000000000000000000000000001", "2", "1e30",
    };
    for (size_t i = 0; i < COUNT(ascending); i++)
        for (size_t j = 0; j < COUNT(ascending); j++)
            EXPECT_INT(ascending[i], decimal_cmp(of(ascending[i]), of(ascending[j])),
                       i < j ? -1 : i > j);
    EXPECT_INT("zeros", decimal_cmp(of("-0.0"), of("0")), 0);
}

TEST(decimal_rounds_half_away_from_zero)
{
    struct decimal out = { 0 };
    EXPECT("2.5", decimal_round(of("2.5"), 0, &out) && decimal_cmp(out, of("3")) == 0);
    EXPECT("-2.5", decimal_round(of("-2.5"), 0, &out) && decimal_cmp(out, of("-3")) == 0);
    EXPECT("3.14159", decimal_round(of("3.14159"), 3, &out) && decimal_cmp(out, of("3.142")) == 0);
    EXPECT_STR("floor", decimal_write(cx->arena, decimal_floor(of("-2.1"))), S("-3"));
    EXPECT_STR("ceiling", decimal_write(cx->arena, decimal_ceiling(of("-1.1"))), S("-1"));
}

TEST(decimal_boundaries_follow_the_written_precision)
{
    struct decimal out = { 0 };
    EXPECT("low", decimal_boundary(of("1.587"), false, 8, &out));
    EXPECT_STR("low", decimal_write(cx->arena, out), S("1.58650000"));
    EXPECT("high", decimal_boundary(of("1.587"), true, 2, &out));
    EXPECT_STR("high", decimal_write(cx->arena, out), S("1.59"));
    EXPECT("one", decimal_boundary(of("1"), false, 0, &out));
    EXPECT_STR("one", decimal_write(cx->arena, out), S("0"));
}
