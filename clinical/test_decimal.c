/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE decimal
#include "base/test.h"
#include "clinical/decimal.h"

static const struct { const char *text; int decimals; bool ok; long long value; } rows[] = {
    { "37.5", 1, true, 375 },    { "37", 1, true, 370 },       { "38.05", 1, true, 381 },
    { "38.04", 1, true, 380 },   { "38.049999", 1, true, 380 },{ "35.95", 1, true, 360 },
    { "-0.05", 1, true, -1 },    { "-12", 0, true, -12 },      { "0.4", 0, true, 0 },
    { "0.5", 0, true, 1 },       { "7e1", 0, true, 70 },       { "1.25E-1", 2, true, 13 },
    { "123e-2", 1, true, 12 },   { "99.95", 1, true, 1000 },   { "9223372036854775807", 0, true,
                                                                 9223372036854775807 },
    { "9223372036854775808", 0, false, 0 }, { "", 0, false, 0 }, { ".5", 1, false, 0 },
    { "5.", 1, false, 0 },       { "1.2.3", 1, false, 0 },     { "+1", 0, false, 0 },
    { "1e", 0, false, 0 },       { "1e99", 0, false, 0 },      { "12O", 0, false, 0 },
    { " 1", 0, false, 0 },       { "--1", 0, false, 0 },       { "0x10", 0, false, 0 },
};

TEST(decimal_reads_and_rounds_half_up)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t value = 0;
        EXPECT_INT(rows[i].text, decimal_scaled(str_of(rows[i].text), rows[i].decimals, &value),
                   rows[i].ok);
        EXPECT_INT(rows[i].text, value, rows[i].value);
    }
}

TEST(decimal_knows_what_rounding_would_lose)
{
    EXPECT("93.0", decimal_is_exact(S("93.0"), 0));
    EXPECT("93.5", !decimal_is_exact(S("93.5"), 0));
    EXPECT("93.5 in tenths", decimal_is_exact(S("93.5"), 1));
    EXPECT("1e-3", !decimal_is_exact(S("1e-3"), 2));
}
