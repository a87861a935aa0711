/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/primitive.h"

/*
 * A narrative is shown in browsers of people who trust the record, so what may stand in it is a
 * list of what is harmless; anything else is refused. Source: hl7.org/fhir/R4/narrative.html
 * (txt-1, txt-2): chapters 7-11 and 15 of HTML 4.0, <a>, <img> and style attributes.
 */
static const char *const elements[] = {
    "a", "abbr", "acronym", "b", "big", "blockquote", "br", "caption", "cite", "code", "col",
    "colgroup", "dd", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "img", "ins", "del", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul",
    "var", "bdo", "center", "font", "address", "section", "article", "figure", "figcaption", "map",
    "area",
};
static const char *const attributes[] = {
    "abbr", "accesskey", "align", "alt", "axis", "bgcolor", "border", "cellhalign", "cellpadding",
    "cellspacing", "cellvalign", "char", "charoff", "charset", "cite", "class", "clear", "color",
    "colspan", "compact", "coords", "datetime", "dir", "face", "frame", "headers", "height", "href",
    "hreflang", "hspace", "id", "ismap", "lang", "longdesc", "name", "noshade", "nowrap", "rel",
    "rev", "rowspan", "rules", "scope", "shape", "size", "span", "src", "start", "style", "summary",
    "tabindex", "title", "type", "usemap", "valign", "value", "vspace", "width", "xml:lang",
    "xml:space", "xmlns",
};

struct scan {
    str text;
    size_t at;
    str open[PRIMITIVE_XHTML_DEPTH_MAX];
    size_t depth;
    bool has_content; /* something to read or see: txt-2 */
};

static const char bad_form[] = "is not well-formed XHTML";
static const char bad_root[] =
    "must be one <div xmlns=\"http://www.w3.org/1999/xhtml\"> with something to read in it";

static bool listed(const char *const *list, size_t count, str name)
{
    for (size_t i = 0; i < count; i++)
        if (name.n && list[i][0] == name.p[0] && str_eq(name, str_of(list[i])))
            return true;
    return false;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ':' || c == '.';
}

static bool at_text(const struct scan *scan, str what)
{
    return str_starts(str_slice(scan->text, scan->at, scan->text.n), what);
}

static bool take(struct scan *scan, str what)
{
    bool there = at_text(scan, what);
    scan->at += there ? what.n : 0;
    return there;
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->text.n && is_space(scan->text.p[scan->at]))
        scan->at++;
}

static str take_name(struct scan *scan)
{
    size_t from = scan->at;
    while (scan->at < scan->text.n && is_name(scan->text.p[scan->at]))
        scan->at++;
    return str_slice(scan->text, from, scan->at);
}

/* &amp; &lt; &gt; &quot; &apos; and numbers; XHTML inside JSON has no other entity. */
static bool take_entity(struct scan *scan)
{
    static const char *const named[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&apos;" };
    for (size_t i = 0; i < COUNT(named); i++)
        if (take(scan, str_of(named[i])))
            return true;
    if (!take(scan, S("&#")))
        return false;
    bool hex = take(scan, S("x"));
    size_t from = scan->at;
    for (; scan->at < scan->text.n && scan->at - from < 8; scan->at++) {
        char c = scan->text.p[scan->at];
        char lower = (char)(c | 0x20);
        if (!(c >= '0' && c <= '9') && !(hex && lower >= 'a' && lower <= 'f'))
            break;
    }
    return scan->at > from && take(scan, S(";"));
}

/* A link may lead to a page, a mail address, a telephone or a place in the record; an image may be
 * inline. Anything else with a scheme (javascript:, vbscript:, data:text/html) is refused. White
 * space, control characters and entities before the colon would hide a scheme, so they end it. */
static bool link_is_safe(str value, bool image)
{
    static const char *const schemes[] = { "http", "https", "mailto", "tel", "ftp", "urn", "cid" };
    size_t colon = str_find_char(value, ':');
    for (size_t i = 0; i < value.n && i < colon; i++) {
        if (value.p[i] == '&')
            return false;
        if (value.p[i] == '/' || value.p[i] == '#' || value.p[i] == '?')
            return true; /* relative: the colon belongs to the path */
    }
    if (colon == STR_NONE)
        return true;
    str scheme = str_slice(value, 0, colon);
    if (image && str_eq_nocase(scheme, S("data")))
        return str_starts(value, S("data:image/")) && !str_starts(value, S("data:image/svg"));
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (str_eq_nocase(scheme, str_of(schemes[i])))
            return true;
    return false;
}

/* Styles that can run or fetch something: old expression(), behaviour and imports. */
static bool style_is_safe(str value)
{
    static const char *const harmful[] = { "expression", "javascript", "vbscript", "behavior",
                                           "behaviour", "-moz-binding", "@import", "\\" };
    for (size_t i = 0; i < value.n; i++)
        for (size_t k = 0; k < COUNT(harmful); k++) {
            if ((value.p[i] | 0x20) != (harmful[k][0] | 0x20))
                continue;
            str word = str_of(harmful[k]);
            if (str_eq_nocase(str_slice(value, i, i + word.n), word))
                return false;
        }
    return true;
}

static const char *attribute_value_fault(str element, str name, str value)
{
    if (str_eq(name, S("href")) || str_eq(name, S("src")) || str_eq(name, S("cite")) ||
        str_eq(name, S("longdesc")))
        return link_is_safe(value, str_eq(element, S("img"))) ? NULL
            : "holds a link of a kind that may run a program";
    if (str_eq(name, S("style")) && !style_is_safe(value))
        return "holds a style that may run a program";
    if (str_eq(name, S("xmlns")) && !str_eq(value, S("http://www.w3.org/1999/xhtml")))
        return bad_root;
    return NULL;
}

/* name="value", after the space before it. */
static const char *attribute_fault(struct scan *scan, str element, bool *has_namespace)
{
    str name = take_name(scan);
    skip_space(scan);
    if (name.n == 0 || !take(scan, S("=")))
        return bad_form;
    skip_space(scan);
    char quote = scan->at < scan->text.n ? scan->text.p[scan->at] : 0;
    if (quote != '"' && quote != '\'')
        return bad_form;
    size_t from = ++scan->at;
    while (scan->at < scan->text.n && scan->text.p[scan->at] != quote) {
        char c = scan->text.p[scan->at];
        if (c == '<' || (c == '&' && !take_entity(scan)))
            return bad_form;
        scan->at += c != '&';
    }
    if (scan->at >= scan->text.n)
        return bad_form;
    str value = str_slice(scan->text, from, scan->at++);
    if (!listed(attributes, COUNT(attributes), name) && !str_starts(name, S("xmlns:")))
        return "holds an attribute a narrative must not have (txt-1)";
    *has_namespace |= str_eq(name, S("xmlns"));
    return attribute_value_fault(element, name, value);
}

/* After '<': name, attributes, '>' or '/>'. */
static const char *open_fault(struct scan *scan)
{
    bool has_namespace = false;
    str name = take_name(scan);
    if (!listed(elements, COUNT(elements), name))
        return "holds an element a narrative must not have (txt-1)";
    for (;;) {
        size_t before = scan->at;
        skip_space(scan);
        if (take(scan, S("/>"))) {
            scan->has_content |= str_eq(name, S("img"));
            return scan->depth == 0 ? bad_root : NULL;
        }
        if (take(scan, S(">")))
            break;
        if (scan->at == before)
            return bad_form;
        const char *fault = attribute_fault(scan, name, &has_namespace);
        if (fault)
            return fault;
    }
    if (scan->depth == PRIMITIVE_XHTML_DEPTH_MAX)
        return "nests more than 64 elements";
    if (scan->depth == 0 && (!str_eq(name, S("div")) || !has_namespace))
        return bad_root;
    scan->has_content |= str_eq(name, S("img"));
    scan->open[scan->depth++] = name;
    return NULL;
}

static const char *close_fault(struct scan *scan)
{
    str name = take_name(scan);
    skip_space(scan);
    if (!take(scan, S(">")) || scan->depth == 0 || !str_eq(scan->open[scan->depth - 1], name))
        return bad_form;
    scan->depth--;
    return NULL;
}

static const char *comment_fault(struct scan *scan)
{
    size_t end = str_find(str_slice(scan->text, scan->at, scan->text.n), S("--"));
    if (end == STR_NONE)
        return bad_form;
    scan->at += end;
    return take(scan, S("-->")) ? NULL : bad_form;
}

static const char *markup_fault(struct scan *scan)
{
    if (take(scan, S("<!--")))
        return comment_fault(scan);
    if (take(scan, S("</")))
        return close_fault(scan);
    scan->at++;
    return open_fault(scan);
}

/* Up to the next tag or entity. */
static void skip_text(struct scan *scan)
{
    const char *p = scan->text.p + scan->at, *end = scan->text.p + scan->text.n;
    while (p < end && is_space(*p))
        p++;
    const char *from = p;
    while (p < end && *p != '<' && *p != '&')
        p++;
    scan->has_content |= p > from;
    scan->at = (size_t)(p - scan->text.p);
}

const char *primitive_xhtml_fault(str text)
{
    struct scan scan = { .text = str_trim(text) };
    if (!at_text(&scan, S("<")))
        return bad_root;
    do {
        char c = scan.text.p[scan.at];
        const char *fault = NULL;
        if (c == '<') {
            fault = markup_fault(&scan);
        } else if (c == '&') {
            scan.has_content = true;
            fault = take_entity(&scan) ? NULL : "holds an entity XML does not have";
        } else {
            skip_text(&scan);
        }
        if (fault)
            return fault;
    } while (scan.at < scan.text.n && scan.depth > 0);
    skip_space(&scan);
    if (scan.depth > 0)
        return bad_form;
    return scan.at == scan.text.n && scan.has_content ? NULL : bad_root;
}
