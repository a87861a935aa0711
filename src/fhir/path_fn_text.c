/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/path_program.h"
#include "fhir/path_regex.h"
#include <utf8proc.h>

/* Source   FHIRPath 2.0.0 section 5.6; encode to join: 2.1. Lengths and places count characters. */

enum { TEXT_MAX = 1 << 20 };

/* The input as a String; *given false when it is empty. */
static err input_of(struct path_machine *m, struct path_call *call, str *out, bool *given)
{
    struct path_item value;
    TRY(path_span_value(m, call->in, &value, given));
    if (*given && value.kind != PATH_STRING)
        return path_fail(m, ERR_RULE, "%s() works on a String", call->code->function->name);
    if (*given)
        *out = value.text;
    return ERR_OK;
}

/* Input and first argument; *given only when both are there. */
static err input_and_arg(struct path_machine *m, struct path_call *call, str *text, str *arg,
                         bool *given)
{
    bool has_text, has_arg;
    *text = *arg = S("");
    TRY(input_of(m, call, text, &has_text));
    TRY(path_arg_string(m, call, 0, arg, &has_arg));
    *given = has_text && has_arg;
    return ERR_OK;
}

static err push_buf(struct path_machine *m, const struct buf *buf)
{
    TRY(path_text_made(m, buf->n));
    if (buf->full)
        return path_fail(m, ERR_LIMIT, "this makes too long a text");
    return path_push_text(m, PATH_STRING, buf_str(buf));
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static int64_t characters(str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += starts_character(s.p[i]);
    return n;
}

/* The byte where character `index` starts; s.n when there are not so many. */
static size_t byte_of(str s, int64_t index)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if (starts_character(s.p[i]) && index-- == 0)
            break;
    return i;
}

static err run_length(struct path_machine *m, struct path_call *call)
{
    str text = S("");
    bool given;
    TRY(input_of(m, call, &text, &given));
    return given ? path_push_int(m, characters(text)) : ERR_OK;
}

static err run_index_of(struct path_machine *m, struct path_call *call)
{
    str text = S(""), what = S("");
    bool given;
    TRY(input_and_arg(m, call, &text, &what, &given));
    if (!given)
        return ERR_OK;
    size_t at = STR_NONE;
    if (str_eq(call->code->name, S("indexOf"))) {
        at = str_find(text, what);
    } else {
        for (size_t i = text.n >= what.n ? text.n - what.n + 1 : 0; i-- > 0 && at == STR_NONE;)
            if (str_starts(str_slice(text, i, text.n), what))
                at = i;
    }
    return path_push_int(m, at == STR_NONE ? -1 : characters(str_slice(text, 0, at)));
}

static err run_substring(struct path_machine *m, struct path_call *call)
{
    str text = S("");
    int64_t from = 0, count = INT32_MAX;
    bool given, has_from, has_count;
    TRY(input_of(m, call, &text, &given));
    TRY(path_arg_int(m, call, 0, &from, &has_from));
    if (call->code->args_count == 2)
        TRY(path_arg_int(m, call, 1, &count, &has_count));
    if (!given || !has_from || from < 0)
        return ERR_OK;
    size_t start = byte_of(text, from);
    if (start >= text.n)
        return ERR_OK;
    str rest = str_slice(text, start, text.n);
    return path_push_text(m, PATH_STRING,
                          str_slice(rest, 0, count <= 0 ? 0 : byte_of(rest, count)));
}

static err run_finds(struct path_machine *m, struct path_call *call)
{
    str text = S(""), what = S(""), name = call->code->name;
    bool given;
    TRY(input_and_arg(m, call, &text, &what, &given));
    if (!given)
        return ERR_OK;
    return path_push_bool(m, str_eq(name, S("startsWith")) ? str_starts(text, what)
                             : str_eq(name, S("endsWith")) ? str_ends(text, what)
                                                           : str_find(text, what) != STR_NONE);
}

static err run_case(struct path_machine *m, struct path_call *call)
{
    str text = S("");
    bool given, upper = str_eq(call->code->name, S("upper"));
    TRY(input_of(m, call, &text, &given));
    if (!given)
        return ERR_OK;
    struct buf buf = buf_make(m->cx->arena, TEXT_MAX);
    for (size_t at = 0; at < text.n;) {
        utf8proc_int32_t c;
        utf8proc_uint8_t out[4];
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.p + at,
                                              (utf8proc_ssize_t)(text.n - at), &c);
        if (n <= 0)
            break;
        at += (size_t)n;
        n = utf8proc_encode_char(upper ? utf8proc_toupper(c) : utf8proc_tolower(c), out);
        buf_add(&buf, (str){ (char *)out, (size_t)n });
    }
    return push_buf(m, &buf);
}

static err run_trim(struct path_machine *m, struct path_call *call)
{
    str text = S("");
    bool given;
    TRY(input_of(m, call, &text, &given));
    return given ? path_push_text(m, PATH_STRING, str_trim(text)) : ERR_OK;
}

/* ---- replacing and matching ---- */

/* An empty pattern stands between all characters, and at both ends. */
static void replace_nothing(struct buf *buf, str text, str by)
{
    for (size_t i = 0; i < text.n; i++) {
        if (starts_character(text.p[i]))
            buf_add(buf, by);
        buf_char(buf, text.p[i]);
    }
    buf_add(buf, by);
}

static err run_replace(struct path_machine *m, struct path_call *call)
{
    str text = S(""), what = S(""), by = S("");
    bool given, has_by;
    TRY(input_and_arg(m, call, &text, &what, &given));
    TRY(path_arg_string(m, call, 1, &by, &has_by));
    if (!given || !has_by)
        return ERR_OK;
    struct buf buf = buf_make(m->cx->arena, TEXT_MAX);
    if (what.n == 0) {
        replace_nothing(&buf, text, by);
        return push_buf(m, &buf);
    }
    for (size_t at; (at = str_find(text, what)) != STR_NONE && !buf.full;) {
        buf_add(&buf, str_slice(text, 0, at));
        buf_add(&buf, by);
        text = str_slice(text, at + what.n, text.n);
    }
    buf_add(&buf, text);
    return push_buf(m, &buf);
}

static err run_matches(struct path_machine *m, struct path_call *call)
{
    str text = S(""), pattern = S("");
    bool given, truth;
    TRY(input_and_arg(m, call, &text, &pattern, &given));
    if (!given)
        return ERR_OK;
    TRY(path_step(m, (int64_t)(text.n >> 6)));
    TRY(path_regex_matches(m, text, pattern, str_eq(call->code->name, S("matchesFull")), &truth));
    return path_push_bool(m, truth);
}

static err run_replace_matches(struct path_machine *m, struct path_call *call)
{
    str text = S(""), pattern = S(""), by = S("");
    bool given, has_by;
    TRY(input_and_arg(m, call, &text, &pattern, &given));
    TRY(path_arg_string(m, call, 1, &by, &has_by));
    if (!given || !has_by)
        return ERR_OK;
    if (pattern.n)
        TRY(path_regex_replace(m, text, pattern, by, &text));
    return path_push_text(m, PATH_STRING, text);
}

/* ---- parts ---- */

static err run_to_chars(struct path_machine *m, struct path_call *call)
{
    str text = S("");
    bool given;
    TRY(input_of(m, call, &text, &given));
    for (size_t at = 0; given && at < text.n;) {
        size_t end = at + byte_of(str_slice(text, at, text.n), 1);
        TRY(path_step(m, 1));
        TRY(path_push_text(m, PATH_STRING, str_slice(text, at, end)));
        at = end;
    }
    return ERR_OK;
}

static err run_split(struct path_machine *m, struct path_call *call)
{
    str text = S(""), mark = S("");
    bool given;
    TRY(input_and_arg(m, call, &text, &mark, &given));
    if (!given)
        return ERR_OK;
    if (mark.n == 0)
        return run_to_chars(m, call);
    for (size_t at; (at = str_find(text, mark)) != STR_NONE;) {
        TRY(path_step(m, 1));
        TRY(path_push_text(m, PATH_STRING, str_slice(text, 0, at)));
        text = str_slice(text, at + mark.n, text.n);
    }
    return path_push_text(m, PATH_STRING, text);
}

static err run_join(struct path_machine *m, struct path_call *call)
{
    str mark = S("");
    bool given, first = true;
    if (call->code->args_count)
        TRY(path_arg_string(m, call, 0, &mark, &given));
    if (call->in.count == 0)
        return m->run->for_view ? path_push_text(m, PATH_STRING, S("")) : ERR_OK;
    struct buf buf = buf_make(m->cx->arena, TEXT_MAX);
    for (uint32_t i = 0; i < call->in.count; i++) {
        struct path_span one = { call->in.from + i, 1 };
        struct path_item value;
        TRY(path_span_value(m, one, &value, &given));
        if (!given)
            continue;
        if (value.kind != PATH_STRING)
            return path_fail(m, ERR_RULE, "join() works on Strings");
        buf_add(&buf, first ? S("") : mark);
        buf_add(&buf, value.text);
        first = false;
    }
    return push_buf(m, &buf);
}

/* clang-format off */
const struct path_function path_functions_text[] = {
    { "length", 0, 0, run_length, PATH_SINGLE | PATH_STRING_IN, "Integer" },
    { "indexOf", 1, 1, run_index_of, PATH_SINGLE | PATH_STRING_IN, "Integer" },
    { "lastIndexOf", 1, 1, run_index_of, PATH_SINGLE | PATH_STRING_IN, "Integer" },
    { "substring", 1, 2, run_substring, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "startsWith", 1, 1, run_finds, PATH_SINGLE | PATH_STRING_IN, "Boolean" },
    { "endsWith", 1, 1, run_finds, PATH_SINGLE | PATH_STRING_IN, "Boolean" },
    { "contains", 1, 1, run_finds, PATH_SINGLE | PATH_STRING_IN, "Boolean" },
    { "upper", 0, 0, run_case, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "lower", 0, 0, run_case, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "trim", 0, 0, run_trim, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "replace", 2, 2, run_replace, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "matches", 1, 1, run_matches, PATH_SINGLE | PATH_STRING_IN, "Boolean" },
    { "matchesFull", 1, 1, run_matches, PATH_SINGLE | PATH_STRING_IN, "Boolean" },
    { "replaceMatches", 2, 2, run_replace_matches, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "toChars", 0, 0, run_to_chars, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "split", 1, 1, run_split, PATH_SINGLE | PATH_STRING_IN, "String" },
    { "join", 0, 1, run_join, 0, "String" },
    { 0 },
};
