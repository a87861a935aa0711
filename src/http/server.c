/* SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/gzip.h"
#include "http/internal.h"
#include "http/metrics.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BACKLOG = 4096, TURN_MS = 250, STOP_MS = 10000, POOL_SPARE_BYTES = 16384 };
enum { NAP_NS = 100000, WAKES_LATE_NS = 70000 };

/* ---- connections ------------------------------------------------------------------------ */

static void peer_changed(void *self, struct MHD_Connection *mhd, void **context,
                         enum MHD_ConnectionNotificationCode code)
{
    struct http_loop *loop = self;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct http_peer *peer = calloc(1, sizeof *peer);
        *context = peer;
        http_gauge_add(HTTP_GAUGE_CONNECTIONS, 1);
        if (!peer)
            return;
        peer->fd = info ? info->connect_fd : -1;
        peer->since_ms = clock_monotonic_ms();
        peer->prev = &loop->peers;
        peer->next = loop->peers.next;
        peer->next->prev = peer->prev->next = peer;
        return;
    }
    struct http_peer *peer = *context;
    http_gauge_add(HTTP_GAUGE_CONNECTIONS, -1);
    atomic_fetch_sub(&loop->server->connections, 1);
    if (peer) {
        void *left = peer->exchange; /* libmicrohttpd does not end what it refused by itself */
        if (left)
            exchange_end(loop, mhd, &left, MHD_REQUEST_TERMINATED_WITH_ERROR);
        peer->prev->next = peer->next;
        peer->next->prev = peer->prev;
        free(peer);
    }
    *context = NULL;
}

/* libmicrohttpd's own timeout starts anew with each byte; this one does not, so that a client which
 * trickles cannot hold a connection. */
static void cut_slow(struct http_loop *loop)
{
    int64_t now = clock_monotonic_ms();
    if (now - loop->swept_ms < 1000)
        return;
    loop->swept_ms = now;
    int64_t patience = (int64_t)loop->server->options->limits.idle_s * 1000;
    for (struct http_peer *p = loop->peers.next; p != &loop->peers; p = p->next)
        if (!p->busy && now - p->since_ms > patience) {
            shutdown(p->fd, SHUT_RDWR);
            p->busy = true; /* once is enough */
            http_event(HTTP_EVENT_CUT);
        }
}

static void end_streams(struct http_loop *loop)
{
    for (struct http_connection *c = loop->live.next; c != &loop->live; c = c->next)
        if (c->streams)
            http_wake(&c->request);
}

/* A connection the acceptor dealt to this loop. The engine is not thread-safe in its adding of
 * connections when we do the polling, so only the loop's own thread does it. */
struct arrival {
    int fd;
    socklen_t length;
    struct sockaddr_storage address;
};

static void take_arrivals(struct http_loop *loop)
{
    struct arrival new;
    while (read(loop->arrivals[0], &new, sizeof new) == sizeof new)
        if (MHD_add_connection(loop->daemon, new.fd, (struct sockaddr *)&new.address,
                               new.length) != MHD_YES)
            atomic_fetch_sub(&loop->server->connections, 1);
}

static void take_woken(struct http_loop *loop)
{
    uint64_t count;
    (void)!read(loop->woken_event, &count, sizeof count);
    struct http_connection *c = atomic_exchange(&loop->woken, NULL);
    while (c) {
        struct http_connection *next = c->woken_next;
        MHD_resume_connection(c->mhd);
        c = next;
    }
}

/* The engine takes held answers for work it has: without a nap the loop would turn and turn. It is
 * short, since others whose work is at hand wait meanwhile; and it ends before the instant, as the
 * kernel wakes some 50 us late: else how late would depend on when the work was done. */
static void nap(struct http_loop *loop)
{
    struct pollfd polled = { .fd = loop->poll, .events = POLLIN };
    int64_t ns = loop->early_ns - clock_monotonic_ns() - WAKES_LATE_NS;
    ns = ns < NAP_NS ? ns : NAP_NS;
    loop->early_ns = 0;
    if (ns > 0)
        (void)!ppoll(&polled, 1, &(struct timespec){ .tv_nsec = ns }, NULL);
}

/* Waits until there is something to do: for the engine, a new or a woken connection. */
static void loop_wait(struct http_loop *loop)
{
    MHD_UNSIGNED_LONG_LONG engine_ms;
    int wait_ms = TURN_MS;
    if (MHD_get_timeout(loop->daemon, &engine_ms) == MHD_YES && engine_ms < TURN_MS)
        wait_ms = (int)engine_ms;
    if (loop->early_ns)
        nap(loop);
    struct epoll_event events[3];
    int count = epoll_wait(loop->poll, events, 3, wait_ms);
    for (int i = 0; i < count; i++)
        if (events[i].data.fd == loop->arrivals[0])
            take_arrivals(loop);
        else if (events[i].data.fd == loop->woken_event)
            take_woken(loop);
}

static void *loop_run(void *self)
{
    struct http_loop *loop = self;
    _Atomic int *stopping = &loop->server->stopping;
    while (atomic_load(stopping) < 2) {
        loop_wait(loop);
        MHD_run_wait(loop->daemon, 0);
        cut_slow(loop);
        if (loop->log_bytes)
            request_log_flush(loop);
        if (atomic_load(stopping))
            end_streams(loop);
    }
    http_gzip_end();
    return NULL;
}

static size_t keep_escapes(void *self, struct MHD_Connection *mhd, char *text)
{
    (void)self, (void)mhd;
    return strlen(text);
}

/* What loop_wait waits for: the engine's own epoll, the pipe the acceptor writes to, and the event
 * of those who wake requests. The engine's own way does nothing when we do the polling. */
static bool open_waiting(struct http_loop *loop)
{
    const union MHD_DaemonInfo *engine =
        MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    loop->poll = epoll_create1(EPOLL_CLOEXEC);
    loop->woken_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!engine || loop->poll < 0 || loop->woken_event < 0 ||
        pipe2(loop->arrivals, O_CLOEXEC) != 0 ||
        fcntl(loop->arrivals[0], F_SETFL, O_NONBLOCK) != 0)
        return false;
    const int fds[] = { engine->epoll_fd, loop->arrivals[0], loop->woken_event };
    bool added = true;
    for (size_t i = 0; i < COUNT(fds); i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fds[i] };
        added = added && epoll_ctl(loop->poll, EPOLL_CTL_ADD, fds[i], &event) == 0;
    }
    return added;
}

static err loop_start(struct ctx *cx, struct http_server *server, struct http_loop *loop)
{
    const struct http_limits *limits = &server->options->limits;
    uint64_t seed;
    random_secret(&seed, sizeof seed);
    *loop = (struct http_loop){ .server = server, .random = random_seeded(seed) };
    loop->peers.next = loop->peers.prev = &loop->peers;
    loop->live.next = loop->live.prev = &loop->live;
    loop->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO |
            MHD_ALLOW_UPGRADE, 0,
        NULL, NULL, exchange_step, loop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        limits->header_bytes + 2 * limits->url_bytes + POOL_SPARE_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)limits->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)limits->idle_s,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, loop,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_end, loop,
        MHD_OPTION_NOTIFY_CONNECTION, peer_changed, loop,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    if (!loop->daemon || !open_waiting(loop))
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("the HTTP engine did not start: out of file "
                                                  "handles or memory"));
    return ERR_OK;
}

/* ---- listening -------------------------------------------------------------------------- */

/* What a client gets whose connection is over the limit. */
static void refuse_connection(int fd)
{
    static const char body[] =
        "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\",\"code\":"
        "\"transient\",\"diagnostics\":\"too many connections are open; try again in a while\"}]}";
    char reply[512];
    int n = snprintf(reply, sizeof reply, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: "
                     "application/fhir+json\r\nRetry-After: 1\r\nConnection: close\r\n"
                     "Content-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
    char unread[4096];
    (void)!recv(fd, unread, sizeof unread, MSG_DONTWAIT);
    (void)!send(fd, reply, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    close(fd);
    http_event(HTTP_EVENT_REFUSED);
}

static void accept_one(struct http_server *server, unsigned *turn)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int fd = accept4(server->listener, (struct sockaddr *)&address, &length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            poll(NULL, 0, 20); /* until someone closes; the backlog holds the rest */
        return;
    }
    if (atomic_fetch_add(&server->connections, 1) >= server->options->limits.connections_max) {
        atomic_fetch_sub(&server->connections, 1);
        refuse_connection(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct http_loop *loop = &server->loops[*turn % (unsigned)server->options->limits.loops];
    *turn += 1;
    /* Waits when the loop is far behind: then the listener's backlog holds the rest. */
    struct arrival new = { .fd = fd, .length = length, .address = address };
    if (write(loop->arrivals[1], &new, sizeof new) != sizeof new)
        close(fd);
}

/* One thread deals connections out in turn: left to the kernel's hash, one loop of two had up to
 * twice the connections of the other. */
static void *accept_run(void *self)
{
    struct http_server *server = self;
    unsigned turn = 0;
    struct pollfd polled[2] = { { .fd = server->listener, .events = POLLIN },
                                { .fd = server->stop_event, .events = POLLIN } };
    while (!atomic_load(&server->stopping)) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            break;
        if (polled[0].revents)
            accept_one(server, &turn);
    }
    return NULL;
}

static err listen_failed(struct ctx *cx, const struct http_options *options, const char *why)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "cannot listen on %.*s port %d: %s",
                     STR_ARG(options->address), options->port, why);
}

static err open_listener(struct ctx *cx, struct http_server *server)
{
    const struct http_options *options = server->options;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    char port[16];
    snprintf(port, sizeof port, "%d", options->port);
    int wrong = getaddrinfo(arena_cstr(cx->arena, options->address), port, &hints, &found);
    if (wrong)
        return listen_failed(cx, options, gai_strerror(wrong));
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool listens = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    freeaddrinfo(found);
    if (!listens) {
        if (fd >= 0)
            close(fd);
        return listen_failed(cx, options, strerror(why));
    }
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    server->listener = fd;
    server->port = ntohs(address.ss_family == AF_INET6
                             ? ((struct sockaddr_in6 *)&address)->sin6_port
                             : ((struct sockaddr_in *)&address)->sin_port);
    return ERR_OK;
}

/* ---- start and stop --------------------------------------------------------------------- */

static err start_threads(struct ctx *cx, struct http_server *server)
{
    const struct http_limits *limits = &server->options->limits;
    server->pool = pool_start(limits->workers, limits->queue_max);
    bool started = server->pool != NULL;
    for (int i = 0; started && i < limits->loops; i++)
        started = pthread_create(&server->loops[i].thread, NULL, loop_run, &server->loops[i]) == 0;
    started = started && pthread_create(&server->acceptor, NULL, accept_run, server) == 0;
    if (!started)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("cannot start threads: a limit of the system"));
    return ERR_OK;
}

err http_start(struct ctx *cx, const struct http_options *options, struct http_server **out)
{
    struct http_server *server = arena_zero(cx->arena, sizeof *server);
    server->options = options;
    server->stop_event = eventfd(0, EFD_CLOEXEC);
    server->loops = arena_array(cx->arena, (size_t)options->limits.loops, sizeof *server->loops);
    TRY(router_build(cx, options->tables, &server->router));
    TRY(open_listener(cx, server));
    for (int i = 0; i < options->limits.loops; i++)
        TRY(loop_start(cx, server, &server->loops[i]));
    TRY(start_threads(cx, server));
    *out = server;
    return ERR_OK;
}

int http_port(const struct http_server *server)
{
    return server->port;
}

/* Asleep, or woken and not yet resumed: libmicrohttpd holds both for suspended. */
static bool has_sleepers(const struct http_loop *loop)
{
    for (struct http_connection *c = loop->live.next; c != &loop->live; c = c->next)
        if (atomic_load(&c->wake) != WAKE_RUNNING)
            return true;
    return false;
}

static bool has_held(const struct http_loop *loop)
{
    for (struct http_connection *c = loop->live.next; c != &loop->live; c = c->next)
        if (c->ticket || c->not_before_ns)
            return true;
    return false;
}

/* A request may have come in, and gone to the writer, after the last look at how many there are. */
static void finish_sleepers(struct http_loop *loop)
{
    int64_t until = clock_monotonic_ms() + STOP_MS;
    for (;;) {
        take_arrivals(loop);
        take_woken(loop);
        MHD_run_wait(loop->daemon, 0); /* what was resumed last */
        if ((!has_sleepers(loop) && !has_held(loop)) || clock_monotonic_ms() >= until)
            return;
        poll(NULL, 0, 1);
    }
}

/* No client may begin another request; what we still owe them can be sent. */
static void stop_reading(struct http_loop *loop)
{
    take_arrivals(loop);
    for (struct http_peer *p = loop->peers.next; p != &loop->peers; p = p->next)
        shutdown(p->fd, SHUT_RD);
}

static void loop_finish(struct http_loop *loop)
{
    pthread_join(loop->thread, NULL);
    stop_reading(loop);
    finish_sleepers(loop);
    request_log_flush(loop);
}

/* After the workers have ended: what they woke last is answered first. */
static void loop_close(struct http_loop *loop)
{
    if (has_sleepers(loop)) {
        take_woken(loop);
        MHD_run_wait(loop->daemon, 0);
    }
    if (!has_sleepers(loop)) { /* libmicrohttpd ends the process when one is still suspended */
        MHD_stop_daemon(loop->daemon);
        exchange_free_all(loop);
    }
    close(loop->arrivals[0]);
    close(loop->arrivals[1]);
    close(loop->woken_event);
    close(loop->poll);
    free(loop->log);
}

/* Nobody sleeps his turn out before he sees how far the stop has come. */
static void stop_step(struct http_server *server, int step)
{
    uint64_t one = 1;
    atomic_store(&server->stopping, step);
    for (int i = 0; i < server->options->limits.loops; i++)
        (void)!write(server->loops[i].woken_event, &one, sizeof one);
}

void http_stop(struct http_server *server)
{
    uint64_t one = 1;
    stop_step(server, 1);
    (void)!write(server->stop_event, &one, sizeof one);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    int64_t until = clock_monotonic_ms() + STOP_MS;
    while (clock_monotonic_ms() < until &&
           (atomic_load(&server->active) > 0 || http_gauge(HTTP_GAUGE_STREAMS) > 0))
        poll(NULL, 0, 5);
    stop_step(server, 2);
    for (int i = 0; i < server->options->limits.loops; i++)
        loop_finish(&server->loops[i]);
    pool_stop(server->pool); /* after the loops: they hand it work */
    for (int i = 0; i < server->options->limits.loops; i++)
        loop_close(&server->loops[i]);
    close(server->stop_event);
}

static void each_below(const struct router_node *node,
                       void (*fn)(void *self, const struct route *route), void *self)
{
    for (int m = 0; m < HTTP_METHODS; m++)
        if (node->routes[m])
            fn(self, node->routes[m]);
    for (const struct router_node *child = node->children; child; child = child->next)
        each_below(child, fn, self);
}

void http_each_route(const struct http_server *server,
                     void (*fn)(void *self, const struct route *route), void *self)
{
    each_below(&server->router.root, fn, self);
}
