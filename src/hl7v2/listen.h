/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "hl7v2/link.h"
#include "hl7v2/receive.h"

/*
 * hl7_listen: waits for senders, and serves each (connection.h).
 *
 * Shapes   one thread accepts, one more for each connection, and the lanes (lanes.h) all share;
 *          messages of one connection are answered in the order they came, each only when it is
 *          on disk.
 * Errors   hl7_listen_start: ERR_INVALID the address, ERR_IO it cannot be listened on. A stream
 *          that is not MLLP is closed.
 * Memory   what a connection takes it gives back at its end.
 * Limits   connections_max at a time; a message of message_bytes; idle_s without a byte.
 */
struct hl7_listener;
struct hl7_listen_options {
    str listen;            /* "127.0.0.1:2575" */
    struct hl7_receiver receiver;
    const struct hl7_tls *tls; /* NULL: plain */
    int connections_max;   /* 0: 64 */
    size_t message_bytes;  /* 0: 16 MiB */
    int idle_s;            /* 0: never closed for silence */
    int64_t silent_ms;     /* a sender that says nothing for so long is told of; 0: none is */
};
err hl7_listen_start(struct ctx *cx, const struct hl7_listen_options *options,
                     struct hl7_listener **out) MUST_USE;
int hl7_listen_port(const struct hl7_listener *listener);
/* Takes no more, lets what is being applied finish, closes the connections. NULL does nothing. */
void hl7_listen_stop(struct hl7_listener *listener);
