/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/message.h"
#include "json/chars.h"
#include <iconv.h>

/* HL7 table 0211. A set without a name here is refused rather than guessed. */
static const struct {
    const char *hl7, *iconv; /* NULL: UTF-8 already */
} sets[] = {
    { "ASCII", NULL },          { "UNICODE UTF-8", NULL },  { "UTF-8", NULL },
    { "8859/1", "ISO-8859-1" }, { "8859/2", "ISO-8859-2" }, { "8859/3", "ISO-8859-3" },
    { "8859/4", "ISO-8859-4" }, { "8859/5", "ISO-8859-5" }, { "8859/6", "ISO-8859-6" },
    { "8859/7", "ISO-8859-7" }, { "8859/8", "ISO-8859-8" }, { "8859/9", "ISO-8859-9" },
    { "8859/15", "ISO-8859-15" }, { "UNICODE", NULL },
};

static bool is_utf8(str text)
{
    while (text.n) {
        size_t length = json_utf8_length(text);
        if (!length)
            return false;
        text = str_slice(text, length, text.n);
    }
    return true;
}

/* MSH-18, found without a parse: the header is ASCII in every set allowed here. */
static str named_set(str bytes)
{
    str line = { 0 }, name = { 0 };
    if (bytes.n < 4 || !str_next(&bytes, '\r', &line))
        return name;
    char mark = line.n > 3 ? line.p[3] : '|';
    for (int i = 0; i < 18; i++)
        if (!str_next(&line, mark, &name))
            return (str){ 0 };
    size_t end = str_find_char(name, '~');
    return str_slice(name, 0, end);
}

static void close_converter(void *converter)
{
    iconv_close((iconv_t)converter);
}

static err convert(struct ctx *cx, const char *from, str bytes, str *out)
{
    iconv_t converter = iconv_open("UTF-8", from);
    if (converter == (iconv_t)-1)
        return ctx_failf(cx, ERR_INVALID, S("MSH-18"), "this system cannot read %s", from);
    ctx_defer(cx, close_converter, converter);
    size_t room = bytes.n * 4 + 4, left = bytes.n, free_room = room;
    char *text = arena_alloc(cx->arena, room), *to = text, *at = (char *)bytes.p;
    if (iconv(converter, &at, &left, &to, &free_room) == (size_t)-1)
        return ctx_failf(cx, ERR_INVALID, S("MSH-18"),
                         "the message is not valid %s, the set MSH-18 names", from);
    *out = (str){ text, room - free_room };
    return ERR_OK;
}

err hl7_to_utf8(struct ctx *cx, str bytes, str *out)
{
    str name = str_trim(named_set(bytes));
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (!str_eq_nocase(name, str_of(sets[i].hl7)))
            continue;
        if (sets[i].iconv)
            return convert(cx, sets[i].iconv, bytes, out);
        if (!is_utf8(bytes))
            return ctx_fail(cx, ERR_INVALID, S("MSH-18"),
                            S("the message is not valid in the set MSH-18 names"));
        *out = bytes;
        return ERR_OK;
    }
    if (name.n > 0)
        return ctx_failf(cx, ERR_INVALID, S("MSH-18"), "unknown character set \"%.*s\"",
                         STR_ARG(name));
    /* None named means ASCII. What is more than that is taken for UTF-8 if it is, else Latin-1. */
    if (!is_utf8(bytes))
        return convert(cx, "ISO-8859-1", bytes, out);
    *out = bytes;
    return ERR_OK;
}
