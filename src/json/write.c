/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include "json/scan.h"

struct json_writer json_writer(struct buf *buf)
{
    return (struct json_writer){ .buf = buf };
}

static void comma(struct json_writer *w)
{
    if (w->comma)
        buf_char(w->buf, ',');
    w->comma = true;
}

void json_open(struct json_writer *w, char bracket)
{
    comma(w);
    buf_char(w->buf, bracket);
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    buf_char(w->buf, bracket);
    w->comma = true;
}

void json_key_str(struct json_writer *w, str key)
{
    comma(w);
    buf_char(w->buf, '"');
    json_escape(w->buf, key);
    buf_add(w->buf, S("\":"));
    w->comma = false;
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_str(w, str_of(key));
}

void json_str(struct json_writer *w, str text)
{
    comma(w);
    buf_char(w->buf, '"');
    json_escape(w->buf, text);
    buf_char(w->buf, '"');
}

void json_raw(struct json_writer *w, str json)
{
    comma(w);
    buf_add(w->buf, json);
}

void json_u64(struct json_writer *w, uint64_t value)
{
    comma(w);
    buf_u64(w->buf, value);
}

void json_i64(struct json_writer *w, int64_t value)
{
    comma(w);
    buf_i64(w->buf, value);
}

void json_bool(struct json_writer *w, bool value)
{
    json_raw(w, value ? S("true") : S("false"));
}

void json_put_str(struct json_writer *w, const char *key, str text)
{
    if (!str_given(text))
        return;
    json_key(w, key);
    json_str(w, text);
}

void json_put_raw(struct json_writer *w, const char *key, str json)
{
    json_key(w, key);
    json_raw(w, json);
}

void json_put_u64(struct json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_u64(w, value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, key);
    json_bool(w, value);
}

static void escape_one(struct buf *buf, char c)
{
    switch (c) {
    case '"': buf_add(buf, S("\\\"")); break;
    case '\\': buf_add(buf, S("\\\\")); break;
    case '\b': buf_add(buf, S("\\b")); break;
    case '\f': buf_add(buf, S("\\f")); break;
    case '\n': buf_add(buf, S("\\n")); break;
    case '\r': buf_add(buf, S("\\r")); break;
    case '\t': buf_add(buf, S("\\t")); break;
    default: buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)c); break;
    }
}

void json_escape(struct buf *buf, str text)
{
    const char *p = text.p, *end = text.p + text.n, *run = p;
    while (p < end) {
        p = json_scan_plain(p, end);
        if (p == end)
            break;
        if ((unsigned char)*p >= 0x80) { /* UTF-8 goes out as it is */
            p++;
            continue;
        }
        buf_add(buf, (str){ run, (size_t)(p - run) });
        escape_one(buf, *p++);
        run = p;
    }
    if (end > run)
        buf_add(buf, (str){ run, (size_t)(end - run) });
}

/*
 * Copies the longest runs without white space between tokens. The tape says where strings are, so
 * only what lies between them is looked at; already minified text is one copy.
 */
void json_minify(struct buf *buf, struct json v)
{
    str text = json_text(v);
    if (text.n == 0)
        return;
    const char *run = text.p, *p = run, *end = text.p + text.n;
    uint32_t after = json_node(v)->next;
    for (uint32_t at = v.at; at <= after; at++) {
        const struct json_node *node = at < after ? &v.doc->nodes[at] : NULL;
        if (node && node->kind != JSON_STRING)
            continue;
        const char *stop = node ? v.doc->text.p + node->start : end;
        while (p < stop) {
            if (!json_is_space(*p)) {
                p++;
                continue;
            }
            buf_add(buf, (str){ run, (size_t)(p - run) });
            run = p = json_scan_space(p, stop);
        }
        if (node)
            p = stop + node->length + 1;
    }
    buf_add(buf, (str){ run, (size_t)(end - run) });
}

static void indent(struct buf *buf, int depth)
{
    buf_char(buf, '\n');
    for (int i = 0; i < depth; i++)
        buf_add(buf, S("  "));
}

static void pretty(struct buf *buf, struct json v, int depth)
{
    enum json_kind kind = json_kind(v);
    if ((kind != JSON_OBJECT && kind != JSON_ARRAY) || json_node(v)->next == v.at + 1) {
        json_minify(buf, v);
        return;
    }
    buf_char(buf, kind == JSON_OBJECT ? '{' : '[');
    bool first = true;
    for (struct json_walk w = json_walk(v); json_next(&w); first = false) {
        if (!first)
            buf_char(buf, ',');
        indent(buf, depth + 1);
        if (w.object) {
            buf_add(buf, json_text(w.key));
            buf_add(buf, S(": "));
        }
        pretty(buf, w.value, depth + 1);
    }
    indent(buf, depth);
    buf_char(buf, kind == JSON_OBJECT ? '}' : ']');
}

void json_pretty(struct buf *buf, struct json v)
{
    if (v.doc)
        pretty(buf, v, 0);
}
