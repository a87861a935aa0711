/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include <utf8proc.h>

/* Source   FHIRPath 2.1 section 5.6: encode, decode, escape, unescape. */

enum { TEXT_MAX = 1 << 20 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode_base64(struct buf *buf, str text, const char *letters)
{
    for (size_t i = 0; i < text.n; i += 3) {
        uint32_t bits = (uint32_t)(unsigned char)text.p[i] << 16;
        if (i + 1 < text.n)
            bits |= (uint32_t)(unsigned char)text.p[i + 1] << 8;
        if (i + 2 < text.n)
            bits |= (unsigned char)text.p[i + 2];
        buf_char(buf, letters[bits >> 18]);
        buf_char(buf, letters[bits >> 12 & 63]);
        buf_char(buf, i + 1 < text.n ? letters[bits >> 6 & 63] : '=');
        buf_char(buf, i + 2 < text.n ? letters[bits & 63] : '=');
    }
}

static bool decode_base64(struct buf *buf, str text, const char *letters)
{
    uint32_t bits = 0;
    int have = 0;
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    for (size_t i = 0; i < text.n; i++) {
        const char *at = text.p[i] ? strchr(letters, text.p[i]) : NULL;
        if (!at)
            return false;
        bits = bits << 6 | (uint32_t)(at - letters);
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_char(buf, (char)(bits >> have & 0xFF));
        }
    }
    return have < 6;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode_hex(struct buf *buf, str text)
{
    for (size_t i = 0; i + 1 < text.n; i += 2) {
        int high = hex_digit(text.p[i]), low = hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        buf_char(buf, (char)(high * 16 + low));
    }
    return text.n % 2 == 0;
}

static void escape_html(struct buf *buf, str text)
{
    for (size_t i = 0; i < text.n; i++)
        switch (text.p[i]) {
        case '<': buf_add(buf, S("&lt;")); break;
        case '>': buf_add(buf, S("&gt;")); break;
        case '&': buf_add(buf, S("&amp;")); break;
        case '"': buf_add(buf, S("&quot;")); break;
        case '\'': buf_add(buf, S("&#39;")); break;
        default: buf_char(buf, text.p[i]);
        }
}

static void unescape_html(struct buf *buf, str text)
{
    static const struct { const char *entity; char c; } entities[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&#39;", '\'' },
        { "&apos;", '\'' },
    };
    for (size_t i = 0; i < text.n;) {
        size_t which = 0;
        while (which < COUNT(entities) &&
               !str_starts(str_slice(text, i, text.n), str_of(entities[which].entity)))
            which++;
        bool known = which < COUNT(entities);
        buf_char(buf, known ? entities[which].c : text.p[i]);
        i += known ? str_of(entities[which].entity).n : 1;
    }
}

static void escape_json(struct buf *buf, str text)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    for (size_t i = 0; i < text.n; i++) {
        const char *at = text.p[i] ? strchr(from, text.p[i]) : NULL;
        if (at) {
            buf_char(buf, '\\');
            buf_char(buf, to[at - from]);
        } else if ((unsigned char)text.p[i] < 0x20) {
            buf_printf(buf, "\\u%04x", (unsigned)text.p[i]);
        } else {
            buf_char(buf, text.p[i]);
        }
    }
}

/* \uXXXX up to the basic plane; what is no escape stays as it is. */
static void unescape_json(struct buf *buf, str text)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    for (size_t i = 0; i < text.n; i++) {
        char next = i + 1 < text.n ? text.p[i + 1] : '\0';
        const char *at = next ? strchr(from, next) : NULL;
        if (text.p[i] != '\\' || (!at && next != 'u')) {
            buf_char(buf, text.p[i]);
        } else if (at) {
            buf_char(buf, to[at - from]);
            i++;
        } else {
            uint32_t c = 0;
            for (size_t k = i + 2; k < i + 6; k++)
                c = c * 16 + (uint32_t)(k < text.n && hex_digit(text.p[k]) > 0
                                            ? hex_digit(text.p[k]) : 0);
            if (c >= 0x800) {
                buf_char(buf, (char)(0xE0 | c >> 12));
                buf_char(buf, (char)(0x80 | (c >> 6 & 0x3F)));
            } else if (c >= 0x80) {
                buf_char(buf, (char)(0xC0 | c >> 6));
            }
            buf_char(buf, (char)(c < 0x80 ? c : 0x80 | (c & 0x3F)));
            i += 5;
        }
    }
}

/* One text, one format: 1 done, 0 the text is not of the format, -1 no such format. */
static int transform(struct buf *buf, str name, str text, str format)
{
    bool encode = str_eq(name, S("encode")), escape = str_eq(name, S("escape"));
    if (encode || str_eq(name, S("decode"))) {
        const char *letters = str_eq(format, S("base64"))      ? alphabet
                              : str_eq(format, S("urlbase64")) ? alphabet_url
                                                               : NULL;
        if (!letters && !str_eq(format, S("hex")))
            return -1;
        if (!encode)
            return letters ? decode_base64(buf, text, letters) : decode_hex(buf, text);
        if (letters)
            encode_base64(buf, text, letters);
        for (size_t i = 0; !letters && i < text.n; i++)
            buf_printf(buf, "%02x", (unsigned)(unsigned char)text.p[i]);
        return 1;
    }
    if (str_eq(format, S("html")))
        (escape ? escape_html : unescape_html)(buf, text);
    else if (str_eq(format, S("json")))
        (escape ? escape_json : unescape_json)(buf, text);
    else
        return -1;
    return 1;
}

static bool is_utf8(str s)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n = 0;
    for (size_t at = 0; at < s.n; at += (size_t)n) {
        n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + at, (utf8proc_ssize_t)(s.n - at), &c);
        if (n <= 0)
            return false;
    }
    return true;
}

static err run_transform(struct path_machine *m, struct path_call *call)
{
    struct path_item value;
    str format = S("");
    bool given, has_format;
    TRY(path_span_value(m, call->in, &value, &given));
    TRY(path_arg_string(m, call, 0, &format, &has_format));
    if (!given || !has_format)
        return ERR_OK;
    if (value.kind != PATH_STRING)
        return path_fail(m, ERR_RULE, "%s() works on a String", call->code->function->name);
    struct buf buf = buf_make(m->cx->arena, TEXT_MAX);
    int done = transform(&buf, call->code->name, value.text, format);
    TRY(path_text_made(m, buf.n));
    if (buf.full)
        return path_fail(m, ERR_LIMIT, "this makes too long a text");
    return done == 1 && is_utf8(buf_str(&buf))
               ? path_push_text(m, PATH_STRING, buf_str(&buf))
               : ERR_OK;
}

/* clang-format off */
const struct path_function path_functions_encode[] = {
    { "encode", 1, 1, run_transform, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "decode", 1, 1, run_transform, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "escape", 1, 1, run_transform, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "unescape", 1, 1, run_transform, PATH_SINGLE | PATH_STRING_IN, "String" },
    { 0 },
};
