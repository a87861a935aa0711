/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/connection.h"
#include "base/clock.h"
#include "base/random.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, POLL_MS = 500, HANDSHAKE_MS = 10000, ANSWER_BYTES = 4 << 20 };

/* A place in the window: one message from its frame to its answer. */
struct place {
    struct hl7_job job; /* first: a job is its place */
    struct connection *connection;
    struct arena arena;
    str frame;
    struct buf answer;
    bool done;          /* guarded by the connection's lock */
    bool too_large;     /* the message needed more memory than there is */
    struct ctx cx;
    struct random random;
};
struct connection {
    const struct hl7_caller *caller;
    struct hl7_link link;
    struct mllp stream;
    int told;           /* an eventfd: a place is done */
    pthread_mutex_t lock;
    uint64_t taken, answered; /* messages; the difference is in the window */
    struct place places[HL7_WINDOW];
    char bytes[READ_BYTES];
};

/* ---- one message ---- */

/* True: it was refused. In the place, not on the stack: a message that needs more memory than the
 * arena has jumps back to here, and what was registered with the ctx is still to be released. */
static bool apply(struct hl7_job *job)
{
    struct place *place = (struct place *)job;
    struct hl7_receiver receiver = *place->connection->caller->receiver;
    volatile int outcome = HL7_REJECTED;
    jmp_buf over;
    receiver.tries_again = job->run && !job->keys.everything;
    place->answer.n = 0;
    place->cx = ctx_make(&place->arena);
    place->cx.now_ms = clock_now_ms();
    place->cx.random = &place->random;
    place->arena.over = &over;
    if (setjmp(over) == 0)
        outcome = (int)hl7_receive(&place->cx, &receiver, place->frame, &place->answer);
    else
        place->too_large = true;
    place->arena.over = NULL;
    ctx_release(&place->cx);
    return outcome == HL7_ERROR;
}

static void tell_done(struct hl7_job *job)
{
    struct place *place = (struct place *)job;
    struct connection *connection = place->connection;
    uint64_t one = 1;
    pthread_mutex_lock(&connection->lock);
    place->done = true;
    if (write(connection->told, &one, sizeof one) < 0)
        place->done = true; /* it is full, so the connection wakes anyway */
    pthread_mutex_unlock(&connection->lock);
}

/* ---- answers ---- */

/* What does not come framed, or not small enough, is told so, and the connection closed. */
static void refuse_stream(struct connection *connection, str why)
{
    struct arena arena = arena_make((size_t)4 << 20);
    struct random random = random_seeded(1);
    struct ctx cx = ctx_make(&arena);
    struct buf answer = buf_make(&arena, 1 << 16);
    cx.now_ms = clock_now_ms();
    cx.random = &random;
    hl7_ack_unreadable(&cx, why, &answer);
    hl7_link_write(&connection->link, buf_str(&answer));
    arena_free(&arena);
}

static bool is_done(struct connection *connection, const struct place *place)
{
    pthread_mutex_lock(&connection->lock);
    bool done = place->done;
    pthread_mutex_unlock(&connection->lock);
    return done;
}

/* Sends what is done, in order; false: the stream is over. */
static bool send_answers(struct connection *connection)
{
    bool sent = true;
    while (connection->answered < connection->taken) {
        struct place *place = &connection->places[connection->answered % HL7_WINDOW];
        if (!is_done(connection, place))
            break;
        if (place->too_large)
            refuse_stream(connection, S("the message needs more memory than one may have"));
        sent = sent && !place->too_large && hl7_link_write(&connection->link,
                                                           buf_str(&place->answer));
        arena_reset(&place->arena);
        connection->answered++;
    }
    return sent;
}

/* Waits until a place is done. */
static void wait_told(struct connection *connection, int patience_ms)
{
    struct pollfd poll_for = { .fd = connection->told, .events = POLLIN };
    uint64_t count;
    if (poll(&poll_for, 1, patience_ms) > 0 && read(connection->told, &count, sizeof count) < 0)
        return;
}

/* Until at most `left` are in the window. */
static bool drain(struct connection *connection, uint64_t left)
{
    bool well = send_answers(connection);
    while (connection->taken - connection->answered > left) {
        wait_told(connection, POLL_MS);
        well = send_answers(connection) && well;
    }
    return well;
}

/* ---- frames ---- */

static bool take_frame(struct connection *connection, str frame, bool more)
{
    const struct hl7_caller *caller = connection->caller;
    bool alone = frame.n > HL7_ALONE_BYTES;
    if (!drain(connection, alone ? 0 : HL7_WINDOW - 1))
        return false;
    struct place *place = &connection->places[connection->taken % HL7_WINDOW];
    bool only = connection->taken == connection->answered && (!more || alone);
    place->done = place->too_large = false;
    place->frame = only ? frame : arena_copy(&place->arena, frame);
    place->answer = buf_make(&place->arena, ANSWER_BYTES);
    struct ctx cx = ctx_make(&place->arena);
    place->job.keys = hl7_keys_of(&cx, frame);
    place->job.run = apply;
    place->job.over = tell_done;
    connection->taken++;
    if (!only) {
        hl7_lanes_add(caller->lanes, &place->job);
        return true;
    }
    hl7_lanes_enter(caller->lanes, &place->job);
    apply(&place->job);
    hl7_lanes_leave(caller->lanes, &place->job);
    place->done = true;
    return send_answers(connection);
}

static bool take(struct connection *connection, str input)
{
    struct arena words = arena_make((size_t)1 << 20);
    struct issues issues = { .arena = &words };
    bool well = true;
    while (well && input.n) {
        str frame;
        if (mllp_next(&connection->stream, &issues, &input, &frame)) {
            drain(connection, 0);
            refuse_stream(connection, issues.list[0].text);
            well = false;
        } else if (str_given(frame)) {
            well = take_frame(connection, frame, input.n > 0);
        }
    }
    arena_free(&words);
    return well;
}

/* Waits for bytes in short steps, so that stopping is noticed, and sends answers meanwhile:
 * 0 silence or end, else the count. */
static size_t wait_for_bytes(struct connection *connection)
{
    const struct hl7_caller *caller = connection->caller;
    int idle_ms = caller->idle_s * 1000, waited_ms = 0;
    uint64_t count;
    while (!caller->stopping(caller->self) && (!idle_ms || waited_ms < idle_ms)) {
        struct pollfd poll_for[] = { { .fd = connection->link.socket, .events = POLLIN },
                                     { .fd = connection->told, .events = POLLIN } };
        bool pending = hl7_link_pending(&connection->link);
        int ready = pending ? 1 : poll(poll_for, 2, POLL_MS);
        waited_ms += ready == 0 ? POLL_MS : 0;
        if (ready > 0 && poll_for[1].revents && read(connection->told, &count, sizeof count) > 0 &&
            !send_answers(connection))
            return 0;
        if (pending || (ready > 0 && poll_for[0].revents))
            return hl7_link_read(&connection->link, connection->bytes, READ_BYTES);
    }
    return 0;
}

static void open_places(struct connection *connection)
{
    size_t bytes = connection->caller->message_bytes;
    for (size_t i = 0; i < HL7_WINDOW; i++) {
        struct place *place = &connection->places[i];
        *place = (struct place){ .connection = connection, .random = random_seeded(0),
                                 .arena = arena_make(bytes * 32 + ((size_t)64 << 20)) };
        random_secret(place->random.state, sizeof place->random.state);
    }
}

static void serve(struct connection *connection, struct arena *memory)
{
    const struct hl7_caller *caller = connection->caller;
    struct ctx cx = ctx_make(memory);
    size_t bytes;
    if (hl7_link_accept(&cx, caller->socket, caller->tls, HANDSHAKE_MS, &connection->link))
        return;
    connection->stream = mllp_make(caller->message_bytes);
    open_places(connection);
    while ((bytes = wait_for_bytes(connection)) > 0)
        if (!take(connection, (str){ connection->bytes, bytes }))
            break;
    drain(connection, 0);
    hl7_link_close(&connection->link);
    for (size_t i = 0; i < HL7_WINDOW; i++)
        arena_free(&connection->places[i].arena);
    mllp_free(&connection->stream);
}

void hl7_connection_serve(const struct hl7_caller *caller)
{
    struct arena memory = arena_make((size_t)4 << 20);
    struct connection *connection = arena_zero(&memory, sizeof *connection);
    connection->caller = caller;
    connection->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&connection->lock, NULL);
    if (connection->told >= 0) {
        serve(connection, &memory);
        close(connection->told);
    } else {
        close(caller->socket);
    }
    pthread_mutex_destroy(&connection->lock);
    arena_free(&memory);
}
