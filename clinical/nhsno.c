/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/nhsno.h"
#include "clinical/rule.h"

static err refuse(struct ctx *cx, const char *why)
{
    return ctx_fail(cx, ERR_INVALID, S("number"), str_of(why));
}

int nhsno_check_digit(const char nine[static 9])
{
    int sum = 0;
    for (int i = 0; i < 9; i++)
        sum += (nine[i] - '0') * (NHSNO_DIGITS - i);
    int check = 11 - sum % 11;
    return check == 11 ? 0 : check == 10 ? -1 : check;
}

err nhsno_parse(struct ctx *cx, str text, str *out)
{
    char *digits = arena_alloc(cx->arena, NHSNO_DIGITS);
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ' ')
            continue;
        if (text.p[i] < '0' || text.p[i] > '9' || count == NHSNO_DIGITS)
            return refuse(cx, "not a ten-digit number");
        digits[count++] = text.p[i];
    }
    if (count != NHSNO_DIGITS)
        return refuse(cx, "not a ten-digit number");
    str parsed = { digits, NHSNO_DIGITS };
    int check = nhsno_check_digit(digits);
    if (check < 0)
        return refuse(cx, "no check digit fits these nine digits: never issued");
    if (digits[9] - '0' != check)
        return refuse(cx, "check digit does not match");
    if (str_eq(parsed, S("0000000000")) || str_eq(parsed, S("9999999999")))
        return refuse(cx, "a filler, not an NHS number");
    *out = parsed;
    return ERR_OK;
}

enum nhsno_range nhsno_range(str digits)
{
    uint64_t number = 0;
    if (!str_to_u64(digits, &number))
        return NHSNO_UNUSED;
    uint64_t day_month = number / 1000000;
    if (number >= 9990000000)
        return NHSNO_TEST;
    if (number >= 3200000010 && number <= 3999999999)
        return NHSNO_NORTHERN_IRELAND;
    if (day_month >= 101 && day_month <= 3112 && day_month % 100 >= 1 && day_month % 100 <= 12)
        return NHSNO_SCOTLAND;
    bool england = number / 1000000000 == 3 || number / 1000000000 == 4 ||
                   number / 1000000000 == 6 || number / 1000000000 == 7;
    return england ? NHSNO_ENGLAND : NHSNO_UNUSED;
}

const char *nhsno_range_name(enum nhsno_range range)
{
    static const char *const names[] = {
        [NHSNO_UNUSED] = "not issued", [NHSNO_ENGLAND] = "England and Wales",
        [NHSNO_SCOTLAND] = "Scotland", [NHSNO_NORTHERN_IRELAND] = "Northern Ireland",
        [NHSNO_TEST] = "test",
    };
    return names[range];
}

void nhsno_spaced(str digits, char out[NHSNO_SPACED])
{
    memcpy(out, digits.p, 3);
    out[3] = ' ';
    memcpy(out + 4, digits.p + 3, 3);
    out[7] = ' ';
    memcpy(out + 8, digits.p + 6, 4);
}

static const struct rule_input inputs[] = {
    { "number", "digits", "ten digits, spaces allowed", RULE_TEXT, 0, 0, 0, false },
    { 0 },
};

static err run(struct ctx *cx, const struct rule_arg *args, struct rule_result *out)
{
    str digits;
    TRY(nhsno_parse(cx, args[0].text, &digits));
    char *spaced = arena_alloc(cx->arena, NHSNO_SPACED);
    nhsno_spaced(digits, spaced);
    rule_put_bool(out, "valid", true);
    rule_put_text(out, "number", digits);
    rule_put_text(out, "shown_as", (str){ spaced, NHSNO_SPACED });
    rule_put_text(out, "range", str_of(nhsno_range_name(nhsno_range(digits))));
    return ERR_OK;
}

const struct rule nhsno_rule = {
    .name = "nhsno",
    .title = "NHS number",
    .source = "NHS Data Model and Dictionary, NHS NUMBER, modulus 11",
    .table = "nhsno-1",
    .effective = "1996-01-01",
    .caveat = "A valid number is possible, not verified: only a trace makes it so.",
    .inputs = inputs,
    .run = run,
};
