/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/ack.h"
#include "base/clock.h"
#include "base/random.h"
#include "hl7v2/mllp.h"

static str new_control_id(struct ctx *cx)
{
    return arena_printf(cx->arena, "FL%016llx", (unsigned long long)random_next(cx->random));
}

/* 20261122051148.123+0000: the answer's own time, always with its offset. */
static str now(struct ctx *cx)
{
    struct clock_civil t = clock_to_civil(cx->now_ms);
    return arena_printf(cx->arena, "%04d%02d%02d%02d%02d%02d.%03d+0000", t.year, t.month, t.day,
                        t.hour, t.minute, t.second, t.ms);
}

static void add_field(struct buf *buf, str text)
{
    buf_char(buf, '|');
    hl7_add(buf, text);
}

/* What came as components is given back as components: only the marks are ours. */
static void add_parts(struct ctx *cx, struct buf *buf, const struct hl7_message *message, int field)
{
    buf_char(buf, '|');
    for (int component = 1; component <= 3; component++) {
        str text = hl7_get(cx->arena, message, message->segments, field, component);
        if (component > 1 && text.n)
            buf_char(buf, '^');
        hl7_add(buf, text);
    }
}

static void add_header(struct ctx *cx, struct buf *buf, const struct hl7_message *message)
{
    const struct hl7_segment *msh = message->segments;
    buf_add(buf, S("MSH|^~\\&"));
    add_parts(cx, buf, message, 5); /* the receiver answers the sender */
    add_parts(cx, buf, message, 6);
    add_parts(cx, buf, message, 3);
    add_parts(cx, buf, message, 4);
    add_field(buf, now(cx));
    buf_add(buf, S("||ACK"));
    if (message->event.n) {
        buf_char(buf, '^');
        hl7_add(buf, message->event);
        buf_add(buf, S("^ACK"));
    }
    add_field(buf, new_control_id(cx));
    str processing = hl7_get(cx->arena, message, msh, 11, 1);
    str version = hl7_get(cx->arena, message, msh, 12, 1);
    add_field(buf, processing.n ? processing : S("P"));
    add_field(buf, version.n ? version : S("2.5.1"));
    buf_add(buf, S("||||||UNICODE UTF-8\r"));
}

static void add_answer(struct ctx *cx, const struct hl7_message *message, const char *code,
                       const struct hl7_answer *answer, struct buf *out)
{
    struct buf buf = buf_make(cx->arena, (size_t)1 << 20);
    add_header(cx, &buf, message);
    buf_printf(&buf, "MSA|%s", code);
    add_field(&buf, message->control_id);
    if (answer->text.n)
        add_field(&buf, answer->text);
    buf_char(&buf, '\r');
    if (answer->outcome != HL7_ACCEPTED) {
        str where = answer->where, segment = { 0 };
        str_next(&where, '-', &segment);
        bool placed = segment.n == 3; /* the name of a segment, not of a resource */
        buf_add(&buf, S("ERR||"));
        hl7_add(&buf, placed ? segment : S(""));
        if (placed && where.n) {
            buf_add(&buf, S("^1^"));
            hl7_add(&buf, where);
        }
        buf_printf(&buf, "|%d|E|||", answer->code ? answer->code : 207);
        add_field(&buf, answer->text);
        buf_char(&buf, '\r');
    }
    mllp_frame(out, buf_str(&buf));
}

/* Table 0155: AL always, NE never, ER on error or reject, SU on success. */
static bool wanted(str when, enum hl7_outcome outcome)
{
    if (str_eq(when, S("ER")))
        return outcome != HL7_ACCEPTED;
    if (str_eq(when, S("SU")))
        return outcome == HL7_ACCEPTED;
    return str_eq(when, S("AL"));
}

void hl7_ack(struct ctx *cx, const struct hl7_message *message, const struct hl7_answer *answer,
             struct buf *out)
{
    static const char *const original[] = { "AA", "AE", "AR" };
    static const char *const enhanced[] = { "CA", "CE", "CR" };
    str accept = hl7_get(cx->arena, message, message->segments, 15, 0);
    str application = hl7_get(cx->arena, message, message->segments, 16, 0);
    if (!accept.n && !application.n) {
        add_answer(cx, message, original[answer->outcome], answer, out);
        return;
    }
    if (wanted(accept, answer->outcome))
        add_answer(cx, message, enhanced[answer->outcome], answer, out);
    if (wanted(application, answer->outcome))
        add_answer(cx, message, original[answer->outcome], answer, out);
}

void hl7_ack_unreadable(struct ctx *cx, str text, struct buf *out)
{
    static struct hl7_segment header = { { "MSH", 3 }, { "MSH|^~\\&", 8 } };
    struct hl7_message message = { .delimiters = { '|', '^', '~', '\\', '&' },
                                   .segments = &header, .count = 1 };
    struct hl7_answer answer = { HL7_REJECTED, 100, S("MSH-1"), text };
    add_answer(cx, &message, "AR", &answer, out);
}
