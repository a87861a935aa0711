/* SPDX-License-Identifier: Apache-2.0 */
#include "store/words.h"
#include "base/buf.h"
#include <utf8proc.h>

/* Stands between two elements, so that no phrase reaches over: a word nobody can ask for. */
#define WORDS_GAP "\xee\x80\x80"

static bool is_letter(utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

/* One word's character, or the end of a word. */
static void add_char(struct buf *out, char c, bool letter)
{
    if (letter)
        buf_char(out, c);
    else if (out->n && out->p[out->n - 1] != ' ')
        buf_char(out, ' ');
}

static void fold_ascii(struct buf *out, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool letter = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        add_char(out, upper ? (char)(c + 32) : c, letter);
    }
}

/* By Unicode's tables; what cannot be read by them has no words. */
static void fold_unicode(struct buf *out, str text)
{
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                  UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE;
    size_t room = text.n * 4 + 64;
    struct buf folded = buf_make(out->arena, 4 * room);
    utf8proc_int32_t *points = arena_array(out->arena, room, sizeof *points);
    utf8proc_ssize_t count = utf8proc_decompose((const utf8proc_uint8_t *)text.p,
                                                (utf8proc_ssize_t)text.n, points,
                                                (utf8proc_ssize_t)room, how);
    for (utf8proc_ssize_t i = 0; i < count && count <= (utf8proc_ssize_t)room; i++) {
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t n = utf8proc_encode_char(points[i], bytes);
        bool letter = is_letter(points[i]);
        for (utf8proc_ssize_t b = 0; b < (letter ? n : 1); b++)
            add_char(&folded, (char)bytes[b], letter);
    }
    buf_add(out, buf_str(&folded));
}

static void fold(struct buf *out, str text)
{
    bool ascii = true;
    for (size_t i = 0; i < text.n && ascii; i++)
        ascii = (unsigned char)text.p[i] < 0x80;
    if (ascii)
        fold_ascii(out, text);
    else
        fold_unicode(out, text);
}

static str without_last_space(const struct buf *out)
{
    str text = buf_str(out);
    return text.n && text.p[text.n - 1] == ' ' ? str_slice(text, 0, text.n - 1) : text;
}

str words_fold(struct arena *arena, str text)
{
    struct buf out = buf_make(arena, 4 * text.n + 64);
    fold(&out, text);
    return without_last_space(&out);
}

/* Members whose values are no words: machines read them. */
static bool is_machine(str key)
{
    static const char *const keys[] = { "reference", "system", "url", "fullUrl", "uri", "profile",
        "data", "hash", "contentType", "resourceType", "id", "lastUpdated", "versionId", "source",
        "instantiatesCanonical", "instantiatesUri", "valueUri", "valueUrl", "valueCanonical",
        "valueBase64Binary" };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (str_eq(key, str_of(keys[i])))
            return true;
    return false;
}

/* "2026-01-10", "2026-01-10T...": found by the date parameters. */
static bool is_instant(str text)
{
    if (text.n < 7 || text.p[4] != '-')
        return false;
    for (size_t i = 0; i < 4; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n <= 10 || text.p[10] == 'T';
}

static void add_strings(struct ctx *cx, struct buf *out, struct json value)
{
    if (json_is(value, JSON_STRING)) {
        str text = json_string(cx->arena, value);
        size_t before = out->n;
        if (!text.n || is_instant(text))
            return;
        fold(out, text);
        add_char(out, ' ', false);
        if (out->n > before)
            buf_add(out, S(WORDS_GAP " "));
        return;
    }
    for (struct json_walk w = json_walk(value); json_next(&w);) {
        str key = w.object ? json_string(cx->arena, w.key) : (str){ 0 };
        if (!w.object || !is_machine(key))
            add_strings(cx, out, w.value);
    }
}

/* The narrative without its tags and with its entities read. */
static str plain_narrative(struct ctx *cx, struct json body)
{
    static const struct { const char *name; char is; } entities[] = {
        { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&#39;", '\'' },
        { "&apos;", '\'' }, { "&nbsp;", ' ' }, { "&#160;", ' ' },
    };
    str div = json_string(cx->arena, json_get(json_get(body, S("text")), S("div")));
    char *plain = arena_alloc(cx->arena, div.n + 1);
    size_t n = 0;
    bool tag = false;
    for (size_t i = 0; i < div.n; i++) {
        tag = tag || div.p[i] == '<';
        char c = tag ? ' ' : div.p[i];
        for (size_t e = 0; c == '&' && e < COUNT(entities); e++)
            if (str_starts(str_slice(div, i, div.n), str_of(entities[e].name))) {
                c = entities[e].is;
                i += strlen(entities[e].name) - 1;
                break;
            }
        plain[n++] = c;
        tag = tag && div.p[i] != '>';
    }
    return (str){ plain, n };
}

err words_of(struct ctx *cx, struct json body, struct words *out)
{
    struct buf narrative = buf_make(cx->arena, WORDS_BYTES_MAX);
    struct buf content = buf_make(cx->arena, WORDS_BYTES_MAX);
    *out = (struct words){ 0 };
    if (!json_is(body, JSON_OBJECT))
        return ERR_OK;
    if (!json_is(json_get(body, S("text")), JSON_ABSENT))
        fold(&narrative, plain_narrative(cx, body));
    for (struct json_walk w = json_walk(body); json_next(&w);) {
        str key = json_string(cx->arena, w.key);
        if (!is_machine(key) && !str_eq(key, S("text")))
            add_strings(cx, &content, w.value);
    }
    *out = (struct words){ without_last_space(&narrative), without_last_space(&content) };
    return ctx_late(cx);
}
