/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/ctx.h"

/*
 * mllp: takes HL7 messages out of a stream of bytes, however it is cut, and frames answers.
 *
 * Source   HL7 Minimal Lower Layer Protocol, release 1: <0x0B> message <0x1C><0x0D>.
 * Errors   ERR_INVALID bytes between frames (line ends are let pass), a start within a frame, or
 *          an end block without its carriage return; ERR_LIMIT a message over max_bytes. The
 *          stream cannot be followed after either: close it.
 * Memory   a frame is in the stream's own arena, valid until the next call of mllp_next.
 */
enum mllp_state { MLLP_OUTSIDE, MLLP_INSIDE, MLLP_ENDING };
struct mllp {
    struct arena arena;
    struct buf frame;
    enum mllp_state state;
    size_t max_bytes;
};
struct mllp mllp_make(size_t max_bytes);
void mllp_free(struct mllp *stream);
/* Takes bytes off `input` until a whole frame is there: *message given, or input used up. */
err mllp_next(struct mllp *stream, struct issues *issues, str *input, str *message) MUST_USE;
void mllp_frame(struct buf *buf, str message); /* adds the message in its frame */
