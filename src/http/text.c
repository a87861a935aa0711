/* SPDX-License-Identifier: Apache-2.0 */
#include "http/text.h"
#include "base/clock.h"

static const char *const methods[HTTP_METHODS] = {
    [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",      [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
};

bool http_method_find(str name, enum http_method *out)
{
    for (int i = 0; i < HTTP_METHODS; i++)
        if (str_eq(name, str_of(methods[i]))) {
            *out = (enum http_method)i;
            return true;
        }
    return false;
}

str http_method_name(enum http_method method)
{
    return str_of(methods[method]);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_decode(struct arena *arena, str text, bool plus, str *out)
{
    bool plain = str_find_char(text, '%') == STR_NONE &&
                 (!plus || str_find_char(text, '+') == STR_NONE);
    if (plain) {
        *out = text;
        return true;
    }
    char *decoded = arena_alloc(arena, text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            bool whole = text.n - i > 2;
            int high = whole ? hex_value(text.p[i + 1]) : -1;
            int low = whole ? hex_value(text.p[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        decoded[n++] = c;
    }
    *out = (str){ decoded, n };
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void http_encode(struct buf *buf, str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_unreserved((char)c))
            buf_char(buf, (char)c);
        else
            buf_add(buf, (str){ (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3 });
    }
}

bool http_next_param(str *query, struct http_param *out)
{
    str pair;
    while (str_next(query, '&', &pair)) {
        if (pair.n == 0)
            continue;
        size_t equals = str_find_char(pair, '=');
        out->name = str_slice(pair, 0, equals);
        out->value = equals == STR_NONE ? S("") : str_slice(pair, equals + 1, pair.n);
        return true;
    }
    return false;
}

str http_query_value(struct arena *arena, str query, str name)
{
    struct http_param param;
    str decoded;
    while (http_next_param(&query, &param))
        if (str_eq(param.name, name) && http_decode(arena, param.value, true, &decoded))
            return str_given(decoded) ? decoded : S("");
    return (str){ 0 };
}

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int month_of(str text)
{
    for (int m = 0; m < 12 && text.n >= 3; m++)
        if (memcmp(text.p, months + 3 * m, 3) == 0)
            return m + 1;
    return 0;
}

static int number_at(str text, size_t from, size_t digits)
{
    uint64_t value;
    str part = str_trim(str_slice(text, from, from + digits));
    return str_to_u64(part, &value) && value < 10000 ? (int)value : -1;
}

static int64_t civil_ms(struct clock_civil c)
{
    bool sound = c.year > 0 && c.month > 0 && c.day > 0 && c.hour >= 0 && c.hour < 24 &&
                 c.minute >= 0 && c.minute < 60 && c.second >= 0 && c.second <= 60 &&
                 c.day <= clock_month_days(c.year, c.month);
    return sound ? clock_from_civil(c) : 0;
}

static void read_time(str text, size_t from, struct clock_civil *out)
{
    out->hour = number_at(text, from, 2);
    out->minute = number_at(text, from + 3, 2);
    out->second = number_at(text, from + 6, 2);
}

int64_t http_date_parse(str text)
{
    struct clock_civil c = { 0 };
    text = str_trim(text);
    size_t comma = str_find_char(text, ',');
    if (text.n == HTTP_DATE_TEXT && comma == 3) { /* Sun, 06 Nov 1994 08:49:37 GMT */
        c = (struct clock_civil){ .year = number_at(text, 12, 4), .day = number_at(text, 5, 2),
                                  .month = month_of(str_slice(text, 8, 11)) };
        read_time(text, 17, &c);
    } else if (comma != STR_NONE && text.n == comma + 24) { /* Sunday, 06-Nov-94 08:49:37 GMT */
        str rest = str_slice(text, comma + 2, text.n);
        int year = number_at(rest, 7, 2);
        c = (struct clock_civil){ .year = year < 0 ? 0 : year + (year < 70 ? 2000 : 1900),
                                  .day = number_at(rest, 0, 2),
                                  .month = month_of(str_slice(rest, 3, 6)) };
        read_time(rest, 10, &c);
    } else if (text.n == 24 && comma == STR_NONE) { /* Sun Nov  6 08:49:37 1994 */
        c = (struct clock_civil){ .year = number_at(text, 20, 4), .day = number_at(text, 8, 2),
                                  .month = month_of(str_slice(text, 4, 7)) };
        read_time(text, 11, &c);
    }
    return civil_ms(c);
}

static void put_digits(char *out, int value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
}

void http_date_write(int64_t at_ms, char out[HTTP_DATE_TEXT])
{
    struct clock_civil c = clock_to_civil(at_ms);
    int64_t day = at_ms / 86400000 - (at_ms % 86400000 < 0);
    int weekday = (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    memcpy(out, "Ddd, 00 Mmm 0000 00:00:00 GMT", HTTP_DATE_TEXT);
    memcpy(out, days + 3 * weekday, 3);
    put_digits(out + 5, c.day, 2);
    memcpy(out + 8, months + 3 * (c.month - 1), 3);
    put_digits(out + 12, c.year, 4);
    put_digits(out + 17, c.hour, 2);
    put_digits(out + 20, c.minute, 2);
    put_digits(out + 23, c.second, 2);
}

/* "0.5" is 500, "1" 1000; anything malformed counts as 0: not acceptable. */
static int quality(str text)
{
    if (text.n == 0 || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1'))
        return 0;
    int value = (text.p[0] - '0') * 1000, step = 100;
    for (size_t i = 2; i < text.n; i++, step /= 10) {
        if (text.p[1] != '.' || text.p[i] < '0' || text.p[i] > '9')
            return 0;
        value += (text.p[i] - '0') * step;
    }
    return value > 1000 ? 1000 : value;
}

str http_media_param(str params, const char *name)
{
    str part;
    while (str_next(&params, ';', &part)) {
        size_t equals = str_find_char(part, '=');
        if (equals == STR_NONE || !str_eq_nocase(str_trim(str_slice(part, 0, equals)),
                                                 str_of(name)))
            continue;
        str value = str_trim(str_slice(part, equals + 1, part.n));
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 1);
        return value;
    }
    return (str){ 0 };
}

bool http_next_accept(str *list, struct http_accept *out)
{
    str item;
    while (str_next(list, ',', &item)) {
        item = str_trim(item);
        if (item.n == 0)
            continue;
        size_t semicolon = str_find_char(item, ';');
        out->media = str_trim(str_slice(item, 0, semicolon));
        out->params = semicolon == STR_NONE ? (str){ 0 } : str_slice(item, semicolon + 1, item.n);
        str q = http_media_param(out->params, "q");
        out->q_milli = str_given(q) ? quality(q) : 1000;
        return true;
    }
    return false;
}
