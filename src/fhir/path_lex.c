/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_lex.h"
#include "base/buf.h"
#include "fhir/path.h"

err path_fail_at(struct ctx *cx, err kind, str text, size_t at, const char *what)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at && i < text.n; i++) {
        bool follows = ((unsigned char)text.p[i] & 0xC0) == 0x80; /* within a UTF-8 character */
        column = text.p[i] == '\n' ? 1 : column + !follows;
        line += text.p[i] == '\n';
    }
    return ctx_failf(cx, kind, S(""), "FHIRPath line %zu, column %zu: %s", line, column, what);
}

err path_lex_fail(struct path_lexer *lexer, size_t at, const char *what)
{
    return path_fail_at(lexer->cx, ERR_INVALID, lexer->text, at, what);
}

static char peek(const struct path_lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static err skip_space(struct path_lexer *l)
{
    for (;;) {
        if (l->at < l->text.n && is_space(peek(l, 0))) {
            l->at++;
        } else if (peek(l, 0) == '/' && peek(l, 1) == '/') {
            while (l->at < l->text.n && peek(l, 0) != '\n')
                l->at++;
        } else if (peek(l, 0) == '/' && peek(l, 1) == '*') {
            size_t from = l->at;
            size_t end = str_find(str_slice(l->text, l->at + 2, l->text.n), S("*/"));
            if (end == STR_NONE)
                return path_lex_fail(l, from, "this comment does not end with */");
            l->at += end + 4;
        } else {
            return ERR_OK;
        }
    }
}

static void add_utf8(struct buf *buf, uint32_t c)
{
    if (c < 0x80) {
        buf_char(buf, (char)c);
    } else if (c < 0x800) {
        buf_char(buf, (char)(0xC0 | c >> 6));
        buf_char(buf, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_char(buf, (char)(0xE0 | c >> 12));
        buf_char(buf, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(buf, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(buf, (char)(0xF0 | c >> 18));
        buf_char(buf, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(buf, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(buf, (char)(0x80 | (c & 0x3F)));
    }
}

/* Four hexadecimal digits at l->at. */
static bool read_hex(struct path_lexer *l, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(l, (size_t)i);
        uint32_t digit = is_digit(c) ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10) : 16;
        if (digit == 16)
            return false;
        value = value * 16 + digit;
    }
    l->at += 4;
    *out = value;
    return true;
}

static err read_unicode(struct path_lexer *l, struct buf *buf)
{
    uint32_t high, low;
    size_t from = l->at - 2;
    if (!read_hex(l, &high))
        return path_lex_fail(l, from, "\\u must be followed by four hexadecimal digits");
    if (high >= 0xD800 && high < 0xDC00 && peek(l, 0) == '\\' && peek(l, 1) == 'u') {
        l->at += 2;
        if (!read_hex(l, &low) || low < 0xDC00 || low > 0xDFFF)
            return path_lex_fail(l, from, "half of a surrogate pair is missing");
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    if (high >= 0xD800 && high <= 0xDFFF)
        return path_lex_fail(l, from, "half of a surrogate pair is missing");
    add_utf8(buf, high);
    return ERR_OK;
}

static err read_escape(struct path_lexer *l, struct buf *buf)
{
    static const char from[] = "'\"`\\/fnrt", to[] = "'\"`\\/\f\n\r\t";
    char c = peek(l, 1);
    l->at += 2;
    if (c == 'u')
        return read_unicode(l, buf);
    const char *known = c ? strchr(from, c) : NULL;
    if (!known)
        buf_char(buf, '\\'); /* not an escape: both characters stand, as in '\d' */
    buf_char(buf, known ? to[known - from] : c);
    return ERR_OK;
}

/* Between two `quote`s; l->at is on the first. */
static err read_quoted(struct path_lexer *l, char quote, str *out)
{
    size_t from = l->at++;
    struct buf buf = buf_make(l->cx->arena, PATH_TEXT_MAX);
    size_t plain = l->at;
    while (l->at < l->text.n && peek(l, 0) != quote) {
        if (peek(l, 0) != '\\') {
            l->at++;
            continue;
        }
        buf_add(&buf, str_slice(l->text, plain, l->at));
        TRY(read_escape(l, &buf));
        plain = l->at;
    }
    if (l->at >= l->text.n)
        return path_lex_fail(l, from, "this quote is not closed");
    if (buf.n) {
        buf_add(&buf, str_slice(l->text, plain, l->at));
        *out = buf_str(&buf);
    } else {
        *out = str_slice(l->text, plain, l->at);
    }
    l->at++;
    return ERR_OK;
}

static str read_name(struct path_lexer *l)
{
    size_t from = l->at;
    while (l->at < l->text.n && (is_letter(peek(l, 0)) || is_digit(peek(l, 0))))
        l->at++;
    return str_slice(l->text, from, l->at);
}

static void read_number(struct path_lexer *l)
{
    while (is_digit(peek(l, 0)))
        l->at++;
    if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
        l->at++;
        while (is_digit(peek(l, 0)))
            l->at++;
    }
}

static void read_clock(struct path_lexer *l)
{
    while (is_digit(peek(l, 0)))
        l->at++;
    for (int i = 0; i < 2 && peek(l, 0) == ':'; i++) {
        l->at++;
        while (is_digit(peek(l, 0)))
            l->at++;
    }
    if (peek(l, 0) != '.' || !is_digit(peek(l, 1)))
        return;
    l->at++;
    while (is_digit(peek(l, 0)))
        l->at++;
}

/* @2015-02-04T14:34:28.123+10:00, @2015T, @T14:34; whether it makes sense is the parser's to
 * say. */
static void read_date(struct path_lexer *l)
{
    size_t from = ++l->at;
    l->token.kind = PATH_TOKEN_TIME;
    if (peek(l, 0) == 'T') {
        from = ++l->at;
        read_clock(l);
        l->token.text = str_slice(l->text, from, l->at);
        return;
    }
    l->token.kind = PATH_TOKEN_DATE;
    while (is_digit(peek(l, 0)) || (peek(l, 0) == '-' && is_digit(peek(l, 1))))
        l->at++;
    if (peek(l, 0) == 'T') {
        l->token.kind = PATH_TOKEN_DATE_TIME;
        l->at++;
        if (is_digit(peek(l, 0)))
            read_clock(l);
        if (peek(l, 0) == 'Z') {
            l->at++;
        } else if ((peek(l, 0) == '+' || peek(l, 0) == '-') && is_digit(peek(l, 1)) &&
                   is_digit(peek(l, 2)) && peek(l, 3) == ':') {
            l->at += 6;
            l->at = l->at > l->text.n ? l->text.n : l->at;
        }
    }
    l->token.text = str_slice(l->text, from, l->at);
}

/* %vs-name and %ext-name stand in FHIR's own texts without quotes: what follows is part of them. */
static str read_variable(struct path_lexer *l)
{
    size_t from = l->at;
    str name = read_name(l);
    if ((!str_eq(name, S("vs")) && !str_eq(name, S("ext"))) || peek(l, 0) != '-' ||
        !is_letter(peek(l, 1)))
        return name;
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)) || peek(l, 0) == '-')
        l->at++;
    return str_slice(l->text, from, l->at);
}

static err read_external(struct path_lexer *l)
{
    l->token.kind = PATH_TOKEN_EXTERNAL;
    l->at++;
    char c = peek(l, 0);
    if (c == '`' || c == '\'' || c == '"') /* " as STU3's texts have it */
        return read_quoted(l, c, &l->token.text);
    if (!is_letter(c))
        return path_lex_fail(l, l->at - 1, "a variable's name must follow %");
    l->token.text = read_variable(l);
    return ERR_OK;
}

static err read_symbol(struct path_lexer *l)
{
    static const char *const symbols[] = {
        "<=", ">=", "!=", "!~", "<", ">", "=", "~", "+", "-", "*", "/", "&", "|", ".", ",",
        "(", ")", "[", "]", "{", "}",
    };
    str rest = str_slice(l->text, l->at, l->text.n);
    for (size_t i = 0; i < COUNT(symbols); i++)
        if (str_starts(rest, str_of(symbols[i]))) {
            l->token.kind = PATH_TOKEN_SYMBOL;
            l->token.text = str_of(symbols[i]);
            l->at += l->token.text.n;
            return ERR_OK;
        }
    return path_lex_fail(l, l->at, "this character has no meaning here");
}

err path_lex(struct path_lexer *l)
{
    TRY(skip_space(l));
    l->token = (struct path_token){ .kind = PATH_TOKEN_END, .at = (uint32_t)l->at };
    if (l->at >= l->text.n)
        return ERR_OK;
    char c = peek(l, 0);
    size_t from = l->at;
    if (is_letter(c)) {
        l->token.kind = PATH_TOKEN_NAME;
        l->token.text = read_name(l);
    } else if (is_digit(c)) {
        l->token.kind = PATH_TOKEN_NUMBER;
        read_number(l);
        l->token.text = str_slice(l->text, from, l->at);
    } else if (c == '\'' || c == '`') {
        l->token.kind = c == '`' ? PATH_TOKEN_QUOTED_NAME : PATH_TOKEN_STRING;
        return read_quoted(l, c, &l->token.text);
    } else if (c == '@') {
        read_date(l);
    } else if (c == '%') {
        return read_external(l);
    } else if (c == '$') {
        l->at++;
        l->token.kind = PATH_TOKEN_DOLLAR;
        l->token.text = read_name(l);
    } else {
        return read_symbol(l);
    }
    return ERR_OK;
}
