/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"
#include <assert.h>

/*
 * Goal: whatever the bytes, in whatever pieces (the first byte says how large), the stream gives
 * the same frames as in one piece; each frame is refused with an issue or parsed, every place in it
 * can be asked for, text written with hl7_add is read back the same, and it can be answered.
 */
static void read_all(struct ctx *cx, const struct hl7_message *message)
{
    for (size_t i = 0; i < message->count; i++)
        for (int field = 1; field < 12; field++)
            for (int r = 0; r < hl7_repetitions(message, &message->segments[i], field); r++) {
                struct hl7_place place = { field, r, 0, 0 };
                hl7_text(cx->arena, message, &message->segments[i], place);
                place.component = place.subcomponent = 2;
                hl7_text(cx->arena, message, &message->segments[i], place);
            }
}

static void one_frame(struct ctx *cx, str frame)
{
    struct hl7_message message;
    struct buf answer = buf_make(cx->arena, SIZE_MAX);
    str text;
    int64_t instant;
    size_t before = cx->issues.count;
    if (hl7_to_utf8(cx, frame, &text) || hl7_parse(cx, text, &message)) {
        assert(cx->issues.count > before);
        hl7_ack_unreadable(cx, cx->issues.list[0].text, &answer);
        return;
    }
    assert(message.count > 0);
    read_all(cx, &message);
    hl7_to_fhir_time(cx->arena, message.control_id, 0);
    hl7_to_instant(message.control_id, 60, &instant);
    struct hl7_answer refused = { HL7_ERROR, 207, S("PID-3"), message.control_id };
    hl7_ack(cx, &message, &refused, &answer);
}

static size_t frames(struct ctx *cx, str input, size_t piece)
{
    struct mllp stream = mllp_make(1 << 16);
    size_t count = 0;
    for (size_t at = 0; at < input.n; at += piece) {
        str part = str_slice(input, at, at + piece), frame;
        do {
            if (mllp_next(&stream, &cx->issues, &part, &frame)) {
                mllp_free(&stream);
                return count;
            }
            count += str_given(frame);
            if (str_given(frame) && piece == input.n)
                one_frame(cx, frame);
        } while (part.n);
    }
    mllp_free(&stream);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)256 << 20);
    struct random random = random_seeded(1);
    struct ctx cx = ctx_make(&arena);
    cx.random = &random;
    if (size > 1) {
        str input = { (const char *)data + 1, size - 1 };
        assert(frames(&cx, input, input.n) == frames(&cx, input, data[0] + 1u));
        one_frame(&cx, input);
    }
    ctx_release(&cx);
    arena_free(&arena);
    return 0;
}
