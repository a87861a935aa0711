/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/mllp.h"

enum { START = 0x0B, END = 0x1C, CARRIAGE_RETURN = 0x0D };

struct mllp mllp_make(size_t max_bytes)
{
    return (struct mllp){ .arena = arena_make(SIZE_MAX), .max_bytes = max_bytes };
}

void mllp_free(struct mllp *stream)
{
    arena_free(&stream->arena);
}

static err outside(struct mllp *stream, struct issues *issues, char c)
{
    if (c == START) {
        arena_reset(&stream->arena);
        stream->frame = buf_make(&stream->arena, stream->max_bytes);
        stream->state = MLLP_INSIDE;
    } else if (c != '\r' && c != '\n') {
        return issues_add(issues, ERR_INVALID, S(""), S("MLLP: bytes outside a frame"));
    }
    return ERR_OK;
}

/* Takes the run up to a start or end mark at once. */
static err inside(struct mllp *stream, struct issues *issues, str *input)
{
    size_t run = 0;
    while (run < input->n && input->p[run] != START && input->p[run] != END)
        run++;
    buf_add(&stream->frame, str_slice(*input, 0, run));
    if (stream->frame.full)
        return issues_add(issues, ERR_LIMIT, S(""), S("MLLP: the message is too large"));
    bool marked = run < input->n;
    char mark = marked ? input->p[run] : 0;
    *input = str_slice(*input, run + marked, input->n);
    if (marked && mark == START)
        return issues_add(issues, ERR_INVALID, S(""), S("MLLP: a frame begins within a frame"));
    if (marked)
        stream->state = MLLP_ENDING;
    return ERR_OK;
}

err mllp_next(struct mllp *stream, struct issues *issues, str *input, str *message)
{
    *message = (str){ 0 };
    while (input->n) {
        char c = input->p[0];
        if (stream->state == MLLP_INSIDE) {
            TRY(inside(stream, issues, input));
            continue;
        }
        *input = str_slice(*input, 1, input->n);
        if (stream->state == MLLP_OUTSIDE) {
            TRY(outside(stream, issues, c));
            continue;
        }
        if (c != CARRIAGE_RETURN)
            return issues_add(issues, ERR_INVALID, S(""),
                              S("MLLP: an end block without its carriage return"));
        stream->state = MLLP_OUTSIDE;
        *message = buf_str(&stream->frame);
        return ERR_OK;
    }
    return ERR_OK;
}

void mllp_frame(struct buf *buf, str message)
{
    buf_char(buf, START);
    buf_add(buf, message);
    buf_char(buf, END);
    buf_char(buf, CARRIAGE_RETURN);
}
