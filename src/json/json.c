/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"
#include "json/keys.h"
#include "json/scan.h"
#include "json/chars.h"

/*
 * Recursive descent over the text, once. Each value adds one node before what it holds, and sets
 * its `next` when it is done. Line and column are counted only when there is an error to report.
 */
struct parser {
    struct ctx *cx;
    struct json_doc *doc;
    const char *p, *start, *end;
    size_t cap;
    int depth;
};

static err value(struct parser *p);

static err fail(struct parser *p, const char *at, err kind, const char *what)
{
    size_t line = 1, column = 1;
    for (const char *c = p->start; c < at; c++) {
        if (*c == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*c & 0xC0) != 0x80) { /* count characters, not their bytes */
            column++;
        }
    }
    return ctx_failf(p->cx, kind, S(""), "JSON line %zu, column %zu: %s", line, column, what);
}

static uint32_t add_node(struct parser *p, enum json_kind kind, const char *from)
{
    struct json_doc *doc = p->doc;
    if (doc->count == p->cap)
        doc->nodes = arena_grow(p->cx->arena, doc->nodes, doc->count, &p->cap, sizeof *doc->nodes);
    doc->nodes[doc->count] = (struct json_node){
        .start = (uint32_t)(from - p->start), .next = doc->count + 1, .kind = (uint8_t)kind
    };
    return doc->count++;
}

static void end_node(struct parser *p, uint32_t at, const char *end)
{
    struct json_node *node = &p->doc->nodes[at];
    node->length = (uint32_t)(end - p->start) - node->start;
    node->next = p->doc->count;
}

static inline void space(struct parser *p)
{
    if (p->p < p->end && (unsigned char)*p->p <= ' ')
        p->p = json_scan_space(p->p, p->end);
}

static inline char peek(const struct parser *p)
{
    return p->p < p->end ? *p->p : '\0'; /* NUL is nowhere allowed, so it serves for the end too */
}

static err surrogates(struct parser *p, const char **at, int code)
{
    if (code >= 0xDC00)
        return fail(p, *at, ERR_INVALID, "a low surrogate without the high one before it");
    const char *second = *at + 6;
    int low = -1;
    if (p->end - second >= 6 && second[0] == '\\' && second[1] == 'u')
        low = json_hex4(second + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(p, *at, ERR_INVALID, "a high surrogate without the low one after it");
    *at += 12;
    return ERR_OK;
}

static err escape(struct parser *p, const char **at)
{
    if (p->end - *at < 2)
        return fail(p, *at, ERR_INVALID, "the text ends within a string");
    char c = (*at)[1];
    if (c != 'u') {
        if (!c || !memchr("\"\\/bfnrt", c, 8))
            return fail(p, *at, ERR_INVALID, "an escape that JSON does not have");
        *at += 2;
        return ERR_OK;
    }
    int code = p->end - *at >= 6 ? json_hex4(*at + 2) : -1;
    if (code < 0)
        return fail(p, *at, ERR_INVALID, "\\u needs four hexadecimal digits");
    if (code >= 0xD800 && code <= 0xDFFF)
        return surrogates(p, at, code);
    *at += 6;
    return ERR_OK;
}

static err beyond_ascii(struct parser *p, const char **at)
{
    while (*at < p->end && (unsigned char)**at >= 0x80) {
        size_t length = json_utf8_length((str){ *at, (size_t)(p->end - *at) });
        if (length == 0)
            return fail(p, *at, ERR_INVALID, "not valid UTF-8");
        *at += length;
    }
    return ERR_OK;
}

/* p->p is at the opening quote. */
static err string(struct parser *p)
{
    const char *from = p->p + 1, *at = from;
    bool escaped = false;
    for (;;) {
        at = json_scan_plain(at, p->end);
        if (at == p->end)
            return fail(p, at, ERR_INVALID, "the text ends within a string");
        if (*at == '"')
            break;
        if (*at == '\\') {
            escaped = true;
            TRY(escape(p, &at));
        } else if ((unsigned char)*at < 0x20) {
            return fail(p, at, ERR_INVALID, "a control character in a string must be escaped");
        } else {
            TRY(beyond_ascii(p, &at));
        }
    }
    uint32_t node = add_node(p, JSON_STRING, from);
    end_node(p, node, at);
    p->doc->nodes[node].escaped = escaped;
    p->p = at + 1;
    return ERR_OK;
}

static bool digits(struct parser *p)
{
    const char *from = p->p;
    while (p->p < p->end && *p->p >= '0' && *p->p <= '9')
        p->p++;
    return p->p > from;
}

static err number(struct parser *p)
{
    const char *from = p->p;
    if (*p->p == '-')
        p->p++;
    if (peek(p) == '0')
        p->p++;
    else if (!digits(p))
        return fail(p, p->p, ERR_INVALID, "expected a digit after the minus sign");
    if (peek(p) >= '0' && peek(p) <= '9')
        return fail(p, p->p, ERR_INVALID, "a number must not begin with 0");
    if (peek(p) == '.') {
        p->p++;
        if (!digits(p))
            return fail(p, p->p, ERR_INVALID, "expected a digit after the decimal point");
    }
    if ((peek(p) | 0x20) == 'e') {
        p->p++;
        if (peek(p) == '+' || peek(p) == '-')
            p->p++;
        if (!digits(p))
            return fail(p, p->p, ERR_INVALID, "expected a digit in the exponent");
    }
    end_node(p, add_node(p, JSON_NUMBER, from), p->p);
    return ERR_OK;
}

static err word(struct parser *p, str text, enum json_kind kind)
{
    if ((size_t)(p->end - p->p) < text.n || memcmp(p->p, text.p, text.n) != 0)
        return fail(p, p->p, ERR_INVALID, "expected a value");
    const char *from = p->p;
    p->p += text.n;
    end_node(p, add_node(p, kind, from), p->p);
    return ERR_OK;
}

static err array(struct parser *p)
{
    uint32_t node = add_node(p, JSON_ARRAY, p->p++);
    space(p);
    if (peek(p) != ']') {
        for (;;) {
            TRY(value(p));
            space(p);
            if (peek(p) != ',')
                break;
            p->p++;
            space(p);
        }
        if (peek(p) != ']')
            return fail(p, p->p, ERR_INVALID, "expected ',' or ']' in an array");
    }
    end_node(p, node, ++p->p);
    return ERR_OK;
}

static err duplicate(struct parser *p, uint32_t key)
{
    const struct json_node *node = &p->doc->nodes[key];
    str text = { p->start + node->start, node->length < 64 ? node->length : 64 };
    return fail(p, text.p, ERR_INVALID,
                arena_printf(p->cx->arena, "the key \"%.*s\" is there twice", STR_ARG(text)).p);
}

static err member(struct parser *p, struct json_keys *keys)
{
    uint32_t key = p->doc->count;
    if (peek(p) != '"')
        return fail(p, p->p, ERR_INVALID, "expected a key in quotes");
    TRY(string(p));
    if (!json_keys_add(keys, p->doc, key))
        return duplicate(p, key);
    space(p);
    if (peek(p) != ':')
        return fail(p, p->p, ERR_INVALID, "expected ':' after a key");
    p->p++;
    space(p);
    return value(p);
}

static err object(struct parser *p)
{
    uint32_t node = add_node(p, JSON_OBJECT, p->p++);
    struct json_keys keys = { .first = node + 1 };
    space(p);
    if (peek(p) != '}') {
        for (;;) {
            TRY(member(p, &keys));
            space(p);
            if (peek(p) != ',')
                break;
            p->p++;
            space(p);
        }
        if (peek(p) != '}')
            return fail(p, p->p, ERR_INVALID, "expected ',' or '}' in an object");
    }
    uint32_t twice = json_keys_end(&keys, p->doc, p->cx->arena);
    if (twice)
        return duplicate(p, twice);
    end_node(p, node, ++p->p);
    return ERR_OK;
}

static err nested(struct parser *p)
{
    if (p->depth == JSON_DEPTH_MAX)
        return fail(p, p->p, ERR_LIMIT, "nested too deep");
    p->depth++;
    TRY(*p->p == '{' ? object(p) : array(p));
    p->depth--;
    return ERR_OK;
}

static err value(struct parser *p)
{
    switch (peek(p)) {
    case '"': return string(p);
    case '{':
    case '[': return nested(p);
    case 't': return word(p, S("true"), JSON_TRUE);
    case 'f': return word(p, S("false"), JSON_FALSE);
    case 'n': return word(p, S("null"), JSON_NULL);
    default: break;
    }
    if (peek(p) == '-' || (peek(p) >= '0' && peek(p) <= '9'))
        return number(p);
    return fail(p, p->p, ERR_INVALID,
                p->p == p->end ? "the text ends where a value is expected" : "expected a value");
}

err json_parse(struct ctx *cx, str text, struct json *out)
{
    struct json_doc *doc = arena_zero(cx->arena, sizeof *doc);
    doc->text = text;
    struct parser p = { .cx = cx, .doc = doc, .p = text.p, .start = text.p };
    if (text.n >= UINT32_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("JSON: the text is larger than 4 GiB"));
    if (text.n == 0)
        return ctx_fail(cx, ERR_INVALID, S(""), S("JSON: the text is empty"));
    p.end = text.p + text.n;
    if (str_starts(text, S("\xEF\xBB\xBF")))
        return fail(&p, p.p, ERR_INVALID, "begins with a byte-order mark, which JSON must not");

    /* FHIR has about one node in 11 bytes minified and in 20 indented; denser text grows it. */
    p.cap = text.n / 11 + 8;
    doc->nodes = arena_alloc(cx->arena, p.cap * sizeof *doc->nodes);
    space(&p);
    TRY(value(&p));
    space(&p);
    if (p.p < p.end)
        return fail(&p, p.p, ERR_INVALID, "more text after the value");
    *out = (struct json){ doc, 0 };
    return ERR_OK;
}
