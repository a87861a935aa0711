/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "base/clock.h"
#include "http/sha1.h"
#include "jobs/push_work.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_MEMORY = 1 << 20, MESSAGE_MAX = 4096, PING_MS = 20000, UNBOUND_MS = 60000,
       KEY_TEXT = 24 };

/* ---- wslay's callbacks: reading and writing the socket ---- */

static ssize_t from_socket(wslay_event_context_ptr ws, uint8_t *out, size_t room, int flags,
                           void *self)
{
    struct socket *socket = self;
    (void)flags;
    if (socket->early.n) {
        size_t part = socket->early.n < room ? socket->early.n : room;
        memcpy(out, socket->early.p, part);
        socket->early = str_slice(socket->early, part, socket->early.n);
        return (ssize_t)part;
    }
    ssize_t n = recv(socket->fd, out, room, 0);
    if (n > 0)
        return n;
    bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
    wslay_event_set_error(ws, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t to_socket(wslay_event_context_ptr ws, const uint8_t *bytes, size_t n, int flags,
                         void *self)
{
    struct socket *socket = self;
    ssize_t sent = send(socket->fd, bytes, n, MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE
                                                                                     : 0));
    if (sent >= 0)
        return sent;
    bool later = errno == EAGAIN || errno == EINTR;
    wslay_event_set_error(ws, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void refuse(struct socket *socket, const char *why)
{
    wslay_event_queue_close(socket->ws, WSLAY_CODE_POLICY_VIOLATION, (const uint8_t *)why,
                            strlen(why));
}

static bool bind_one(struct socket *socket, str id)
{
    struct push *push = socket->push;
    if (socket->bound_count == PUSH_BOUND_MAX)
        return false;
    for (size_t i = 0; i < socket->bound_count; i++)
        if (str_eq((str){ socket->bound[i]->id, socket->bound[i]->id_bytes }, id))
            return true; /* bound already: the token only prolongs */
    struct listener *l = arena_zero(&socket->arena, sizeof *l);
    l->number = -1;
    l->socket = socket;
    if (!push_enter(push, l, id))
        return false;
    socket->bound[socket->bound_count++] = l;
    return true;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *arg,
                       void *self)
{
    struct socket *socket = self;
    struct push *push = socket->push;
    char ids[PUSH_BOUND_MAX][PUSH_ID_BYTES + 1];
    str text = { (const char *)arg->msg, arg->msg_length }, word;
    (void)ws;
    if (wslay_is_ctrl_frame(arg->opcode))
        return;
    text = str_trim(text);
    if (arg->opcode != WSLAY_TEXT_FRAME || !str_next(&text, ' ', &word) ||
        !str_eq(word, S("bind-with-token"))) {
        refuse(socket, "send: bind-with-token TOKEN");
        return;
    }
    pthread_mutex_lock(&push->lock);
    size_t count = push_use_token(push, str_trim(text), ids);
    bool good = count > 0;
    for (size_t i = 0; i < count && good; i++)
        good = bind_one(socket, str_of(ids[i]));
    pthread_mutex_unlock(&push->lock);
    if (!good)
        refuse(socket, "unknown, used or expired token, or too many subscriptions");
}

/* ---- one socket, on the thread ---- */

static void close_socket(struct socket *socket)
{
    struct push *push = socket->push;
    pthread_mutex_lock(&push->lock);
    for (size_t i = 0; i < socket->bound_count; i++)
        push_leave(push, socket->bound[i]);
    push->streams_count--;
    pthread_mutex_unlock(&push->lock);
    if (socket->next) {
        socket->prev->next = socket->next;
        socket->next->prev = socket->prev;
    }
    /* By name, and for both ends: the HTTP engine may still hold its own descriptor of it. */
    epoll_ctl(push->epoll, EPOLL_CTL_DEL, socket->fd, NULL);
    shutdown(socket->fd, SHUT_RDWR);
    close(socket->fd);
    if (socket->ws)
        wslay_event_context_free(socket->ws);
    struct arena arena = socket->arena;
    arena_free(&arena);
}

/* Sends what fits and asks epoll for the rest. */
static void flush(struct socket *socket)
{
    if (!socket->broken && wslay_event_want_write(socket->ws) && wslay_event_send(socket->ws))
        socket->broken = true;
    bool writes = wslay_event_want_write(socket->ws);
    socket->broken = socket->broken || (!writes && !wslay_event_want_read(socket->ws));
    struct epoll_event wanted = { .events = EPOLLIN | (writes ? EPOLLOUT : 0),
                                  .data.ptr = socket };
    epoll_ctl(socket->push->epoll, EPOLL_CTL_MOD, socket->fd, &wanted);
}

/* Broken ones are closed by push_tend_sockets, when no event of this round names them any more. */
void push_socket_events(struct socket *socket, unsigned events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        socket->broken = socket->broken || wslay_event_recv(socket->ws) != 0;
    if (!socket->broken)
        flush(socket);
}

bool push_socket_ready(const struct socket *socket)
{
    return !socket->broken && wslay_event_get_queued_msg_count(socket->ws) == 0 &&
           !wslay_event_get_close_sent(socket->ws);
}

void push_socket_say(struct socket *socket, str text)
{
    struct wslay_event_msg message = { WSLAY_TEXT_FRAME, (const uint8_t *)text.p, text.n };
    if (wslay_event_queue_msg(socket->ws, &message))
        socket->broken = true;
}

static void take(struct push *push, struct socket *socket)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = from_socket,
        .send_callback = to_socket,
        .on_msg_recv_callback = on_message,
    };
    struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = socket };
    fcntl(socket->fd, F_SETFL, fcntl(socket->fd, F_GETFL) | O_NONBLOCK);
    socket->prev = &push->sockets;
    socket->next = push->sockets.next;
    socket->next->prev = socket->prev->next = socket;
    socket->opened_ms = socket->pinged_ms = clock_monotonic_ms();
    if (wslay_event_context_server_init(&socket->ws, &callbacks, socket)) {
        socket->ws = NULL;
        close_socket(socket);
        return;
    }
    wslay_event_config_set_max_recv_msg_length(socket->ws, MESSAGE_MAX);
    if (epoll_ctl(push->epoll, EPOLL_CTL_ADD, socket->fd, &wanted))
        socket->broken = true;
    else if (socket->early.n)
        push_socket_events(socket, EPOLLIN);
}

void push_take_arrivals(struct push *push)
{
    pthread_mutex_lock(&push->lock);
    struct socket *arrivals = push->arrivals, *next;
    push->arrivals = NULL;
    pthread_mutex_unlock(&push->lock);
    for (; arrivals; arrivals = next) {
        next = arrivals->next;
        take(push, arrivals);
    }
}

/* A subscription that is over is let go of; true when the socket has none left. */
static bool drop_ended(struct socket *socket)
{
    size_t left = 0;
    bool any = socket->bound_count > 0;
    pthread_mutex_lock(&socket->push->lock);
    for (size_t i = 0; i < socket->bound_count; i++) {
        struct listener *l = socket->bound[i];
        if (l->over)
            push_leave(socket->push, l);
        else
            socket->bound[left++] = l;
    }
    socket->bound_count = left;
    pthread_mutex_unlock(&socket->push->lock);
    return any && !left;
}

static void ping(struct socket *socket, int64_t now_ms)
{
    struct wslay_event_msg message = { .opcode = WSLAY_PING };
    if (now_ms - socket->pinged_ms < PING_MS)
        return;
    socket->pinged_ms = now_ms;
    wslay_event_queue_msg(socket->ws, &message);
}

void push_tend_sockets(struct push *push, int64_t now_ms, bool all_end)
{
    struct socket *next;
    for (struct socket *s = push->sockets.next; s != &push->sockets; s = next) {
        next = s->next;
        if (!s->broken && all_end)
            wslay_event_queue_close(s->ws, WSLAY_CODE_GOING_AWAY,
                                    (const uint8_t *)"stopping", 8);
        else if (!s->broken && drop_ended(s))
            wslay_event_queue_close(s->ws, WSLAY_CODE_NORMAL_CLOSURE,
                                    (const uint8_t *)"no subscription is active", 25);
        if (!s->broken && !s->bound_count && now_ms - s->opened_ms > UNBOUND_MS)
            refuse(s, "nothing was bound");
        if (!s->broken) {
            ping(s, now_ms);
            flush(s);
        }
        if (s->broken || all_end)
            close_socket(s);
    }
}

/* ---- the opening ---- */

static void upgraded(void *self, int fd, str early)
{
    struct push *push = self;
    if (fd < 0)
        return;
    struct arena arena = arena_make(SOCKET_MEMORY);
    struct socket *socket = arena_zero(&arena, sizeof *socket);
    socket->push = push;
    socket->fd = fd;
    socket->early = arena_copy(&arena, str_slice(early, 0, MESSAGE_MAX));
    socket->arena = arena;
    pthread_mutex_lock(&push->lock);
    socket->next = push->arrivals;
    push->arrivals = socket;
    push->streams_count++;
    pthread_mutex_unlock(&push->lock);
    push_ring(push);
}

static bool asks_to_upgrade(const struct http_request *request)
{
    str connection = http_header(request, "Connection"), word;
    bool upgrades = false;
    while (str_next(&connection, ',', &word))
        upgrades = upgrades || str_eq_nocase(str_trim(word), S("upgrade"));
    return upgrades && str_eq_nocase(http_header(request, "Upgrade"), S("websocket")) &&
           str_eq(http_header(request, "Sec-WebSocket-Version"), S("13")) &&
           http_header(request, "Sec-WebSocket-Key").n == KEY_TEXT;
}

err push_socket(struct push *push, struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    unsigned char digest[SHA1_BYTES];
    if (!asks_to_upgrade(request)) {
        response->status = 426;
        http_put_header(response, S("Upgrade"), S("websocket"));
        http_put_header(response, S("Sec-WebSocket-Version"), S("13"));
        return ctx_fail(cx, ERR_INVALID, (str){ 0 }, S("a WebSocket of version 13 is opened here"));
    }
    pthread_mutex_lock(&push->lock);
    bool in = !push->stop && push->streams_count < (size_t)push->options.streams_max;
    pthread_mutex_unlock(&push->lock);
    if (!in)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("too many streams are open; try again later"));
    sha1(arena_printf(cx->arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                      STR_ARG(http_header(request, "Sec-WebSocket-Key"))), digest);
    http_put_header(response, S("Upgrade"), S("websocket"));
    http_put_header(response, S("Sec-WebSocket-Accept"),
                    base64_encode(cx->arena, (str){ (char *)digest, sizeof digest }));
    response->status = 101;
    response->upgrade = upgraded;
    response->upgrade_self = push;
    return ERR_OK;
}
