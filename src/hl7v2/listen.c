/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/listen.h"
#include "base/clock.h"
#include "hl7v2/connection.h"
#include "hl7v2/watch.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, MESSAGE_BYTES = 16 << 20, POLL_MS = 500, LANES = 16 };

struct connection {
    struct hl7_listener *listener;
    int socket;
    bool used;          /* guarded by the listener's lock */
    pthread_t thread;
};
struct hl7_listener {
    struct hl7_listen_options options;
    int socket;
    struct hl7_lanes *lanes;
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

static bool stopping(void *self)
{
    return is_stopping(self);
}

static void *connection_run(void *self)
{
    struct connection *connection = self;
    struct hl7_listener *listener = connection->listener;
    struct hl7_caller caller = {
        .socket = connection->socket, .tls = listener->options.tls,
        .receiver = &listener->options.receiver, .lanes = listener->lanes,
        .message_bytes = listener->options.message_bytes, .idle_s = listener->options.idle_s,
        .stopping = stopping, .self = listener,
    };
    hl7_connection_serve(&caller);
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
        int socket = accept(listener->socket, NULL, NULL);
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
                             senders->list[i].silent_ms, clock_now_ms());
    if (!options->message_bytes)
        listener->options.message_bytes = MESSAGE_BYTES;
    TRY(open_socket(cx, options->listen, &listener->socket));
    listener->connections = arena_array(cx->arena, (size_t)listener->options.connections_max,
                                        sizeof *listener->connections);
    pthread_mutex_init(&listener->lock, NULL);
    pthread_cond_init(&listener->idle, NULL);
    err wrong = hl7_lanes_start(cx, LANES, &listener->lanes);
    if (wrong) {
        close(listener->socket);
        return wrong;
    }
    if (pthread_create(&listener->thread, NULL, accept_run, listener) != 0) {
        hl7_lanes_stop(listener->lanes);
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
    hl7_lanes_stop(listener->lanes);
}
