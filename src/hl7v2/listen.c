/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/listen.h"
#include "base/clock.h"
#include "base/random.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"
#include "hl7v2/watch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, MESSAGE_BYTES = 16 << 20, READ_BYTES = 64 * 1024, POLL_MS = 500 };

struct connection {
    struct hl7_listener *listener;
    int socket;
    bool used;          /* guarded by the listener's lock */
    pthread_t thread;
    bool too_large;     /* the message at work needed more memory than there is */
    struct ctx cx;
    struct random random;
    char bytes[READ_BYTES];
};
struct hl7_listener {
    struct hl7_listen_options options;
    int socket;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* a connection ended */
    bool stopping;
    struct connection *connections;
};

static bool is_stopping(struct hl7_listener *listener)
{
    pthread_mutex_lock(&listener->lock);
    bool stopping = listener->stopping;
    pthread_mutex_unlock(&listener->lock);
    return stopping;
}

static bool send_all(int socket, str text)
{
    while (text.n) {
        ssize_t sent = send(socket, text.p, text.n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        text = str_slice(text, (size_t)sent, text.n);
    }
    return true;
}

/* In the connection, not on the stack: a message that needs more memory than the arena has jumps
 * back to apply, and what was registered with the ctx is still to be released. */
static void apply(struct connection *connection, struct arena *arena, str frame, struct buf *answer)
{
    jmp_buf over;
    connection->random = random_seeded(0);
    random_secret(connection->random.state, sizeof connection->random.state);
    connection->cx = ctx_make(arena);
    connection->cx.now_ms = clock_now_ms();
    connection->cx.random = &connection->random;
    arena->over = &over;
    if (setjmp(over) == 0)
        hl7_receive(&connection->cx, &connection->listener->options.receiver, frame, answer);
    else
        connection->too_large = true;
    arena->over = NULL;
    ctx_release(&connection->cx);
}

/* What does not come framed is told so, and the connection closed. */
static void refuse_stream(struct connection *connection, struct arena *arena, str why)
{
    struct random random = random_seeded(1);
    struct ctx cx = ctx_make(arena);
    struct buf answer = buf_make(arena, 1 << 16);
    cx.now_ms = clock_now_ms();
    cx.random = &random;
    hl7_ack_unreadable(&cx, why, &answer);
    send_all(connection->socket, buf_str(&answer));
}

static bool answer_frame(struct connection *connection, struct arena *arena, str frame)
{
    struct buf answer = buf_make(arena, (size_t)4 << 20);
    apply(connection, arena, frame, &answer);
    bool sent = !connection->too_large && send_all(connection->socket, buf_str(&answer));
    arena_reset(arena);
    if (connection->too_large)
        refuse_stream(connection, arena, S("the message needs more memory than one may have"));
    return sent;
}

static bool take(struct connection *connection, struct mllp *stream, struct arena *arena, str input)
{
    struct issues issues = { .arena = arena };
    str frame;
    while (input.n) {
        if (mllp_next(stream, &issues, &input, &frame)) {
            refuse_stream(connection, arena, issues.list[0].text);
            return false;
        }
        if (str_given(frame) && !answer_frame(connection, arena, frame))
            return false;
    }
    return true;
}

/* Waits for bytes in short steps, so that stopping is noticed: 0 silence or end, else the count. */
static size_t wait_for_bytes(struct connection *connection)
{
    int idle_ms = connection->listener->options.idle_s * 1000, waited_ms = 0;
    while (!is_stopping(connection->listener) && (!idle_ms || waited_ms < idle_ms)) {
        struct pollfd poll_for = { .fd = connection->socket, .events = POLLIN };
        int ready = poll(&poll_for, 1, POLL_MS);
        if (ready < 0 && errno != EINTR)
            return 0;
        waited_ms += ready == 0 ? POLL_MS : 0;
        if (ready <= 0)
            continue;
        ssize_t got = recv(connection->socket, connection->bytes, sizeof connection->bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        return got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static void *connection_run(void *self)
{
    struct connection *connection = self;
    struct hl7_listener *listener = connection->listener;
    struct mllp stream = mllp_make(listener->options.message_bytes);
    struct arena arena = arena_make(listener->options.message_bytes * 32 + ((size_t)64 << 20));
    size_t bytes;
    while ((bytes = wait_for_bytes(connection)) > 0)
        if (!take(connection, &stream, &arena, (str){ connection->bytes, bytes }))
            break;
    shutdown(connection->socket, SHUT_WR);
    close(connection->socket);
    arena_free(&arena);
    mllp_free(&stream);
    pthread_mutex_lock(&listener->lock);
    connection->used = false;
    pthread_cond_broadcast(&listener->idle);
    pthread_mutex_unlock(&listener->lock);
    return NULL;
}

static void begin(struct hl7_listener *listener, int socket)
{
    struct connection *free_place = NULL;
    pthread_mutex_lock(&listener->lock);
    for (int i = 0; i < listener->options.connections_max && !free_place; i++)
        if (!listener->connections[i].used)
            free_place = &listener->connections[i];
    if (free_place) {
        free_place->listener = listener;
        free_place->socket = socket;
        free_place->too_large = false;
        free_place->used = pthread_create(&free_place->thread, NULL, connection_run,
                                          free_place) == 0;
        if (free_place->used)
            pthread_detach(free_place->thread);
        else
            free_place = NULL;
    }
    pthread_mutex_unlock(&listener->lock);
    if (!free_place)
        close(socket);
}

static void *accept_run(void *self)
{
    struct hl7_listener *listener = self;
    while (!is_stopping(listener)) {
        struct pollfd poll_for = { .fd = listener->socket, .events = POLLIN };
        int ready = poll(&poll_for, 1, POLL_MS);
        hl7_watch_check(clock_now_ms(), listener->options.silent_ms);
        if (ready <= 0)
            continue;
        int socket = accept(listener->socket, NULL, NULL), on = 1;
        /* An answer goes out at once: the sender waits for it. */
        if (socket >= 0)
            setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (socket >= 0)
            begin(listener, socket);
    }
    return NULL;
}

static err open_socket(struct ctx *cx, str listen_on, int *out)
{
    size_t colon = listen_on.n;
    while (colon > 0 && listen_on.p[colon - 1] != ':')
        colon--;
    const char *host = arena_cstr(cx->arena, colon ? str_slice(listen_on, 0, colon - 1)
                                                   : S("127.0.0.1"));
    const char *port = arena_cstr(cx->arena, str_slice(listen_on, colon, listen_on.n));
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return ctx_fail(cx, ERR_INVALID, S("hl7v2.listen"),
                        S("give ADDRESS:PORT in numbers, as 127.0.0.1:2575"));
    int on = 1, made = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = made >= 0 && setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(made, found->ai_addr, found->ai_addrlen) == 0 && listen(made, 64) == 0;
    freeaddrinfo(found);
    if (!bound) {
        int why = errno;
        if (made >= 0)
            close(made);
        return ctx_failf(cx, ERR_IO, S("hl7v2.listen"), "cannot listen on %.*s: %s",
                         STR_ARG(listen_on), strerror(why));
    }
    *out = made;
    return ERR_OK;
}

err hl7_listen_start(struct ctx *cx, const struct hl7_listen_options *options,
                     struct hl7_listener **out)
{
    struct hl7_listener *listener = arena_zero(cx->arena, sizeof *listener);
    listener->options = *options;
    if (!options->connections_max)
        listener->options.connections_max = CONNECTIONS_MAX;
    const struct hl7_senders *senders = options->receiver.senders;
    for (size_t i = 0; i < senders->count; i++)
        if (senders->list[i].application.n)
            hl7_watch_expect(senders->list[i].application, senders->list[i].facility,
                             clock_now_ms());
    if (!options->message_bytes)
        listener->options.message_bytes = MESSAGE_BYTES;
    TRY(open_socket(cx, options->listen, &listener->socket));
    listener->connections = arena_array(cx->arena, (size_t)listener->options.connections_max,
                                        sizeof *listener->connections);
    pthread_mutex_init(&listener->lock, NULL);
    pthread_cond_init(&listener->idle, NULL);
    if (pthread_create(&listener->thread, NULL, accept_run, listener) != 0) {
        close(listener->socket);
        return ctx_fail(cx, ERR_IO, S("hl7v2.listen"), S("no thread could be started"));
    }
    *out = listener;
    return ERR_OK;
}

int hl7_listen_port(const struct hl7_listener *listener)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    if (getsockname(listener->socket, (struct sockaddr *)&at, &size) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

void hl7_listen_stop(struct hl7_listener *listener)
{
    if (!listener)
        return;
    pthread_mutex_lock(&listener->lock);
    listener->stopping = true;
    pthread_mutex_unlock(&listener->lock);
    pthread_join(listener->thread, NULL);
    close(listener->socket);
    pthread_mutex_lock(&listener->lock);
    for (int i = 0; i < listener->options.connections_max; i++)
        while (listener->connections[i].used)
            pthread_cond_wait(&listener->idle, &listener->lock);
    pthread_mutex_unlock(&listener->lock);
}
