/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/lanes.h"
#include "hl7v2/link.h"
#include "hl7v2/receive.h"

/*
 * hl7_connection: one sender's stream: frames in, each handed on, answers out in their order.
 *
 * Shapes   a message alone is applied on the connection's own thread. Those that came together are
 *          applied by the lanes, at most HL7_WINDOW at a time; whatever order they are done in,
 *          each is answered after the one before it, and only when it is on disk.
 * Errors   a stream that is not MLLP is told so and closed; a message that needs more memory than
 *          one may have is told so.
 * Memory   an arena a place in the window, given back with the connection.
 * Limits   as hl7_listen's options; a message over HL7_ALONE_BYTES is applied by itself.
 */
enum { HL7_WINDOW = 32, HL7_ALONE_BYTES = 1 << 20 };
struct hl7_caller {
    int socket;
    const struct hl7_tls *tls;        /* NULL: plain */
    const struct hl7_receiver *receiver;
    struct hl7_lanes *lanes;
    size_t message_bytes;
    int idle_s;
    bool (*stopping)(void *self);
    void *self;
};
/* Until the stream ends, or it is time to stop; what was taken is answered first. */
void hl7_connection_serve(const struct hl7_caller *caller);
