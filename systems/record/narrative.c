/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/narrative.h"

enum { TEXT_BYTES = 1 << 20 };

static void add_escaped(struct buf *out, char c)
{
    static const struct { char c; const char *text; } rows[] = {
        { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { '"', "&quot;" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].c == c) {
            buf_add(out, str_of(rows[i].text));
            return;
        }
    if ((unsigned char)c >= 0x20 || c == '\t')
        buf_char(out, c);
}

str narrative_write(struct arena *arena, str text)
{
    struct buf out = buf_make(arena, TEXT_BYTES);
    str line;
    bool open = false;
    text = str_trim(text);
    buf_add(&out, S("<div xmlns=\"http://www.w3.org/1999/xhtml\">"));
    while (str_next(&text, '\n', &line)) {
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!line.n) {
            buf_add(&out, open ? S("</p>") : S(""));
            open = false;
            continue;
        }
        buf_add(&out, open ? S("<br/>") : S("<p>"));
        open = true;
        for (size_t i = 0; i < line.n; i++)
            add_escaped(&out, line.p[i]);
    }
    buf_add(&out, open ? S("</p></div>") : S("</div>"));
    return buf_str(&out);
}

/* ---- back ---- */

static size_t entity(str rest, char *out)
{
    static const struct { const char *name; char c; } rows[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' },
        { "&#39;", '\'' }, { "&#34;", '"' }, { "&nbsp;", ' ' }, { "&#160;", ' ' },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_starts(rest, str_of(rows[i].name))) {
            *out = rows[i].c;
            return strlen(rows[i].name);
        }
    return 0;
}

static bool tag_is(str tag, const char *name)
{
    size_t n = strlen(name);
    return str_eq_nocase(str_slice(tag, 0, n), str_of(name)) &&
           (tag.n == n || tag.p[n] == ' ' || tag.p[n] == '/');
}

/* `tag` without its brackets: "br/", "/p", "p class=...". */
static void add_tag(struct buf *out, str tag)
{
    static const char *const ends[] = { "br", "/li", "/tr", "/h1", "/h2", "/h3", "/h4" };
    for (size_t i = 0; i < COUNT(ends); i++)
        if (tag_is(tag, ends[i]))
            buf_char(out, '\n');
    if (tag_is(tag, "/p") || tag_is(tag, "/ul") || tag_is(tag, "/table"))
        buf_add(out, S("\n\n"));
    if (tag_is(tag, "li"))
        buf_add(out, S("- "));
    if (tag_is(tag, "/td") || tag_is(tag, "/th"))
        buf_char(out, ' ');
}

str narrative_read(struct arena *arena, str div)
{
    struct buf out = buf_make(arena, TEXT_BYTES);
    for (size_t at = 0; at < div.n;) {
        size_t end = str_find_char(str_slice(div, at, div.n), '>');
        char c = div.p[at];
        if (c == '<' && end != STR_NONE) {
            add_tag(&out, str_slice(div, at + 1, at + end));
            at += end + 1;
            continue;
        }
        size_t took = c == '&' ? entity(str_slice(div, at, div.n), &c) : 0;
        buf_char(&out, c);
        at += took ? took : 1;
    }
    return str_trim(buf_str(&out));
}
