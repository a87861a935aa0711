/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/message.h"

static bool is_name(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'A' && c <= 'Z') && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.n == 3;
}

static bool may_delimit(char c)
{
    char lower = (char)(c | 0x20);
    return c > ' ' && c < 0x7F && !(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z');
}

/* MSH|^~\& : the field separator, then up to four more (a fifth, truncation, from 2.7 on). */
static err read_delimiters(struct ctx *cx, str text, struct hl7_delimiters *out)
{
    char found[5] = { 0, '^', '~', '\\', '&' };
    if (text.n < 8 || !str_starts(text, S("MSH")))
        return ctx_fail(cx, ERR_INVALID, S("MSH"), S("an HL7 message must begin with MSH"));
    found[0] = text.p[3];
    str rest = str_slice(text, 4, text.n), encoding;
    str_next(&rest, found[0], &encoding);
    if (encoding.n < 1 || encoding.n > 5)
        return ctx_fail(cx, ERR_INVALID, S("MSH-2"),
                        S("MSH-2 must name one to five delimiters, such as ^~\\&"));
    for (size_t i = 0; i < encoding.n && i < 4; i++)
        found[i + 1] = encoding.p[i];
    for (int i = 0; i < 5; i++) {
        bool twice = memchr(found, found[i], (size_t)i) != NULL;
        if (!may_delimit(found[i]) || twice)
            return ctx_fail(cx, ERR_INVALID, S("MSH-2"),
                            S("the delimiters in MSH-1 and MSH-2 must be five different marks"));
    }
    *out = (struct hl7_delimiters){ found[0], found[1], found[2], found[3], found[4] };
    return ERR_OK;
}

/* Carriage return by the standard; senders also use line feed, or both. */
static bool next_line(str *rest, str *line)
{
    size_t end = 0;
    if (rest->n == 0)
        return false;
    while (end < rest->n && rest->p[end] != '\r' && rest->p[end] != '\n')
        end++;
    *line = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end + 1, rest->n);
    return true;
}

err hl7_parse(struct ctx *cx, str text, struct hl7_message *out)
{
    struct hl7_message message = { 0 };
    size_t cap = 0;
    str line;
    TRY(read_delimiters(cx, text, &message.delimiters));
    while (next_line(&text, &line)) {
        if (line.n == 0)
            continue;
        struct hl7_segment segment = { str_slice(line, 0, 3), line };
        bool ends = line.n == 3 || (line.n > 3 && line.p[3] == message.delimiters.field);
        if (!is_name(segment.name) || !ends)
            return ctx_failf(cx, ERR_INVALID, S(""),
                             "segment %zu must begin with a name of three letters and the field "
                             "separator", message.count + 1);
        if (message.count == HL7_SEGMENTS_MAX)
            return ctx_failf(cx, ERR_LIMIT, S(""), "the message has more than %d segments",
                             HL7_SEGMENTS_MAX);
        message.segments = arena_grow(cx->arena, message.segments, message.count, &cap,
                                      sizeof *message.segments);
        message.segments[message.count++] = segment;
    }
    const struct hl7_segment *msh = message.segments;
    message.type = hl7_get(cx->arena, &message, msh, 9, 1);
    message.event = hl7_get(cx->arena, &message, msh, 9, 2);
    message.control_id = hl7_get(cx->arena, &message, msh, 10, 0);
    message.application = hl7_get(cx->arena, &message, msh, 3, 1);
    message.facility = hl7_get(cx->arena, &message, msh, 4, 1);
    *out = message;
    return ERR_OK;
}

const struct hl7_segment *hl7_segment_next(const struct hl7_message *message,
                                           const struct hl7_segment *after, const char *name)
{
    const struct hl7_segment *at = after ? after + 1 : message->segments;
    for (; at < message->segments + message->count; at++)
        if (str_eq(at->name, str_of(name)))
            return at;
    return NULL;
}

const struct hl7_segment *hl7_segment(const struct hl7_message *message, const char *name)
{
    return hl7_segment_next(message, NULL, name);
}

/* Piece `index` from 0 between marks; { NULL, 0 } past the end. */
static str piece(str text, char mark, int index)
{
    str head = { 0 };
    for (int i = 0; i <= index; i++)
        if (!str_next(&text, mark, &head))
            return (str){ 0 };
    return head;
}

static str field_of(const struct hl7_message *message, const struct hl7_segment *segment, int field)
{
    char mark = message->delimiters.field;
    bool header = str_eq(segment->name, S("MSH"));
    if (header && field == 1)
        return str_slice(segment->text, 3, 4);
    return piece(segment->text, mark, header ? field - 1 : field);
}

/* The two fields whose marks are not delimiters. */
static bool is_encoding(const struct hl7_segment *segment, int field)
{
    return field <= 2 && str_eq(segment->name, S("MSH"));
}

str hl7_raw(const struct hl7_message *message, const struct hl7_segment *segment,
            struct hl7_place place)
{
    const struct hl7_delimiters *d = &message->delimiters;
    if (!segment)
        return (str){ 0 };
    str text = field_of(message, segment, place.field);
    if (is_encoding(segment, place.field) || (!place.component && place.repetition < 0))
        return text;
    text = piece(text, d->repetition, place.repetition);
    if (place.component)
        text = piece(text, d->component, place.component - 1);
    if (place.subcomponent)
        text = piece(text, d->subcomponent, place.subcomponent - 1);
    return text;
}

int hl7_repetitions(const struct hl7_message *message, const struct hl7_segment *segment,
                    int field)
{
    int count = 0;
    str text = segment ? field_of(message, segment, field) : (str){ 0 }, head;
    if (text.n == 0)
        return 0;
    while (str_next(&text, message->delimiters.repetition, &head))
        count++;
    return count;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \X0D0A\ : bytes by number. ASCII only, since a byte over 0x7F would not be UTF-8. */
static bool add_hex(struct buf *buf, str digits)
{
    if (digits.n == 0 || digits.n % 2)
        return false;
    for (size_t i = 0; i < digits.n; i += 2)
        if (hex(digits.p[i]) < 0 || hex(digits.p[i]) > 7 || hex(digits.p[i + 1]) < 0)
            return false;
    for (size_t i = 0; i < digits.n; i += 2)
        buf_char(buf, (char)(hex(digits.p[i]) * 16 + hex(digits.p[i + 1])));
    return true;
}

/* One escape without its marks; false: not one we know, which is then kept as it was. */
static bool add_escape(struct buf *buf, const struct hl7_delimiters *d, str name)
{
    if (name.n == 1) {
        static const char names[] = "FSTRE";
        const char marks[] = { d->field, d->component, d->subcomponent, d->repetition, d->escape };
        const char *found = memchr(names, name.p[0], 5);
        if (found)
            buf_char(buf, marks[found - names]);
        return found || name.p[0] == 'H' || name.p[0] == 'N'; /* highlighting has no meaning here */
    }
    if (str_eq(name, S(".br")) || str_starts(name, S(".sp"))) {
        buf_char(buf, '\n');
        return true;
    }
    if (name.n && name.p[0] == 'X')
        return add_hex(buf, str_slice(name, 1, name.n));
    /* .in+4, .ti, .fi, .nf, .ce, .sk: layout of a page that is not one any more */
    return name.n > 1 && name.p[0] == '.';
}

static str unescape(struct arena *arena, const struct hl7_delimiters *d, str text)
{
    struct buf buf = buf_make(arena, SIZE_MAX);
    while (text.n) {
        size_t mark = str_find_char(text, d->escape);
        buf_add(&buf, str_slice(text, 0, mark));
        if (mark == STR_NONE)
            break;
        str rest = str_slice(text, mark + 1, text.n);
        size_t end = str_find_char(rest, d->escape);
        if (end == STR_NONE || !add_escape(&buf, d, str_slice(rest, 0, end))) {
            buf_char(&buf, d->escape); /* a stray mark: kept, and what follows is read on */
            text = rest;
            continue;
        }
        text = str_slice(rest, end + 1, rest.n);
    }
    return buf_str(&buf);
}

str hl7_text(struct arena *arena, const struct hl7_message *message,
             const struct hl7_segment *segment, struct hl7_place place)
{
    str raw = hl7_raw(message, segment, place);
    if (raw.n == 0)
        return (str){ 0 };
    if (str_eq(raw, S("\"\"")))
        return S("");
    if (str_find_char(raw, message->delimiters.escape) == STR_NONE ||
        is_encoding(segment, place.field))
        return raw;
    return unescape(arena, &message->delimiters, raw);
}

str hl7_get(struct arena *arena, const struct hl7_message *message,
            const struct hl7_segment *segment, int field, int component)
{
    return hl7_text(arena, message, segment, (struct hl7_place){ field, 0, component, 0 });
}

void hl7_add(struct buf *buf, str text)
{
    static const char marks[] = "|^&~\\", names[] = "FSTRE";
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        const char *found = c ? memchr(marks, c, 5) : NULL;
        if (found)
            buf_printf(buf, "\\%c\\", names[found - marks]);
        else if (c == '\n')
            buf_add(buf, S("\\.br\\"));
        else if ((unsigned char)c < 0x20)
            buf_char(buf, ' ');
        else
            buf_char(buf, c);
    }
}
