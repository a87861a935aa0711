/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/escape.h"
#include "http/text.h"

static str entity_of(char c)
{
    switch (c) {
    case '&': return S("&amp;");
    case '<': return S("&lt;");
    case '>': return S("&gt;");
    case '"': return S("&quot;");
    case '\'': return S("&#39;");
    default: return (str){ 0 };
    }
}

void ui_text_str(struct buf *out, str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.n; i++) {
        str entity = entity_of(text.p[i]);
        if (!str_given(entity))
            continue;
        buf_add(out, str_slice(text, from, i));
        buf_add(out, entity);
        from = i + 1;
    }
    buf_add(out, str_slice(text, from, text.n));
}

void ui_text_cstr(struct buf *out, const char *text)
{
    if (text)
        ui_text_str(out, str_of(text));
}

void ui_text_i64(struct buf *out, int64_t value)
{
    buf_i64(out, value);
}

void ui_text_u64(struct buf *out, uint64_t value)
{
    buf_u64(out, value);
}

void ui_text_double(struct buf *out, double value)
{
    buf_printf(out, "%g", value);
}

void ui_text_html(struct buf *out, struct ui_html html)
{
    buf_add(out, html.html);
}

/* The scheme before the first of : / ? #; absent for a relative address. */
static str scheme_of(str url)
{
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] == ':')
            return str_slice(url, 0, i);
        if (url.p[i] == '/' || url.p[i] == '?' || url.p[i] == '#')
            return (str){ 0 };
    }
    return (str){ 0 };
}

static bool scheme_is_safe(str scheme)
{
    static const char *const safe[] = { "http", "https", "mailto", "tel" };
    for (size_t i = 0; i < COUNT(safe); i++)
        if (str_eq_nocase(scheme, str_of(safe[i])))
            return true;
    return !str_given(scheme);
}

void ui_url_str(struct buf *out, str url)
{
    ui_text_str(out, scheme_is_safe(scheme_of(url)) ? url : S("#"));
}

void ui_url_cstr(struct buf *out, const char *url)
{
    if (url)
        ui_url_str(out, str_of(url));
}

void ui_url_part_str(struct buf *out, str part)
{
    http_encode(out, part);
}

void ui_url_part_cstr(struct buf *out, const char *part)
{
    if (part)
        ui_url_part_str(out, str_of(part));
}
