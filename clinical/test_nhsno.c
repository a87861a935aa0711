/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE nhsno
#include "base/test.h"
#include "clinical/nhsno.h"

static const struct { const char *text; bool valid; enum nhsno_range range; } rows[] = {
    { "9434765919", true, NHSNO_UNUSED },   { "9876543210", true, NHSNO_UNUSED },
    { "4010232137", true, NHSNO_ENGLAND },  { "9990000018", true, NHSNO_TEST },
    { "9449305552", true, NHSNO_UNUSED },   { "9000000009", true, NHSNO_UNUSED },
    { "9686367403", true, NHSNO_UNUSED },   { "9912003888", true, NHSNO_UNUSED },
    { "9473081898", true, NHSNO_UNUSED },   { "9473088736", true, NHSNO_UNUSED },
    { "943 476 5919", true, NHSNO_UNUSED }, { " 999 000 0018 ", true, NHSNO_TEST },
    { "9434765918", false, 0 }, { "1234567890", false, 0 }, { "9473088733", false, 0 },
    { "0000000000", false, 0 }, { "9999999999", false, 0 }, { "943476591", false, 0 },
    { "94347659190", false, 0 },{ "943-476-5919", false, 0 },{ "94347659l9", false, 0 },
    { "", false, 0 },           { "          ", false, 0 },
};

TEST(nhsno_tells_possible_numbers_from_impossible)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        str digits = { 0 };
        EXPECT_INT(rows[i].text, nhsno_parse(cx, str_of(rows[i].text), &digits),
                   rows[i].valid ? ERR_OK : ERR_INVALID);
        if (rows[i].valid)
            EXPECT_INT(rows[i].text, nhsno_range(digits), rows[i].range);
    }
}

TEST(nhsno_under_999_000_000_has_no_check_digit)
{
    char digits[NHSNO_DIGITS + 1] = "9990000000";
    for (char last = '0'; last <= '9'; last++) {
        str out;
        digits[9] = last;
        EXPECT_INT(digits, nhsno_parse(cx, str_of(digits), &out), ERR_INVALID);
    }
}

/* A second formulation: the weighted sum of all ten digits, the check digit at weight 1, is a
 * multiple of 11. Over a million numbers in steps, at most one check digit each fits. */
TEST(nhsno_agrees_with_a_second_formulation)
{
    for (uint64_t nine = 0; nine < 1000000000; nine += 99991) {
        char digits[9];
        uint64_t rest = nine;
        int sum = 0;
        for (int i = 8; i >= 0; i--, rest /= 10)
            digits[i] = (char)('0' + rest % 10);
        for (int i = 0; i < 9; i++)
            sum += (10 - i) * (digits[i] - '0');
        int fits = -1;
        for (int check = 0; check <= 9; check++)
            if ((sum + check) % 11 == 0)
                fits = check;
        EXPECT_INT("check digit", nhsno_check_digit(digits), fits);
    }
}

TEST(nhsno_ranges_and_spaces)
{
    EXPECT_INT("chi", nhsno_range(S("0101701234")), NHSNO_SCOTLAND);
    EXPECT_INT("chi, month 13", nhsno_range(S("0113701234")), NHSNO_UNUSED);
    EXPECT_INT("ni", nhsno_range(S("3200000010")), NHSNO_NORTHERN_IRELAND);
    EXPECT_INT("old english", nhsno_range(S("3100000000")), NHSNO_ENGLAND);
    EXPECT_INT("test", nhsno_range(S("9990000000")), NHSNO_TEST);
    char spaced[NHSNO_SPACED];
    nhsno_spaced(S("9990000018"), spaced);
    EXPECT_STR("spaced", ((str){ spaced, NHSNO_SPACED }), S("999 000 0018"));
}
