/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * load: keeps N connections busy with requests of a mix, and tells how long each took.
 *
 *   bench_load HOST PORT CONNECTIONS SECONDS MIX [FILE]
 *
 * Shapes   MIX: get (paths of FILE, one a line, in random order), cud (each connection creates,
 *          updates and deletes patients in turn), pair (transactions of a Patient and an
 *          Observation). One line of JSON on standard output. Every answer that is not 2xx counts
 *          as an error and is not in the rate.
 *          BENCH_TOKEN in the environment: get sends it as its bearer token.
 * Limits   one thread; latencies from 1 us to 70 s in steps of 1.6 % (64 a doubling).
 */
enum { READ_BYTES = 1 << 16, ID_BYTES = 80, HEAD_MAX = 16384 };

struct connection {
    int fd;
    unsigned number, step;  /* which connection, and how many requests it has made */
    char *out;
    size_t out_bytes, out_sent;
    char head[HEAD_MAX];
    size_t head_bytes;
    bool in_body, chunked;
    size_t body_left;
    unsigned tail;          /* how much of the end of a chunked body was seen */
    int status;
    char id[ID_BYTES];      /* of what it created last */
    int64_t began_ns;
};

static struct histogram histogram;
static uint64_t answered, errors, bytes_read;
static struct sockaddr_in server;
static const struct mix *mix;
static bool running = true;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- sending ---- */

static void watch(struct connection *c, int epoll, bool writing)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    if (writing)
        event.events |= EPOLLOUT;
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void flush_out(struct connection *c, int epoll, bool was_waiting)
{
    while (c->out_sent < c->out_bytes) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_bytes - c->out_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            die("send");
        c->out_sent += (size_t)n;
    }
    bool waits = c->out_sent < c->out_bytes;
    if (waits != was_waiting)
        watch(c, epoll, waits);
}

static void begin(struct connection *c, int epoll)
{
    struct turn turn = { .connection = c->number, .step = c->step++, .id = c->id };
    c->out_bytes = mix->next(&turn, c->out, LOAD_REQUEST_MAX);
    c->out_sent = 0;
    c->head_bytes = c->body_left = 0;
    c->in_body = c->chunked = false;
    c->tail = 0;
    c->began_ns = now_ns();
    flush_out(c, epoll, false);
}

static void connect_to(struct connection *c, int epoll)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

/* ---- reading ---- */

static const char *header(const struct connection *c, const char *name)
{
    const char *at = strcasestr(c->head, name);
    return at ? at + strlen(name) : NULL;
}

/* The id between the type and the version: ".../Patient/ID/_history/1". */
static void keep_id(struct connection *c)
{
    const char *at = header(c, "\r\nLocation: ");
    const char *id = at ? strstr(at, "/Patient/") : NULL;
    if (!id)
        return;
    id += strlen("/Patient/");
    size_t n = strcspn(id, "/\r");
    snprintf(c->id, sizeof c->id, "%.*s", (int)n, id);
}

static void read_head(struct connection *c)
{
    c->status = (int)strtol(c->head + 9, NULL, 10);
    const char *length = header(c, "\r\nContent-Length: ");
    c->body_left = length ? strtoull(length, NULL, 10) : 0;
    c->chunked = header(c, "\r\nTransfer-Encoding: chunked") != NULL;
    c->in_body = true;
    if (c->status == 201)
        keep_id(c);
}

static void finish(struct connection *c, int epoll)
{
    if (c->status >= 200 && c->status < 300) {
        answered++;
        histogram_add(&histogram, (uint64_t)(now_ns() - c->began_ns) / 1000);
    } else {
        errors++;
        if (errors < 4)
            fprintf(stderr, "load: %d to %.100s\n", c->status, c->out);
    }
    if (running)
        begin(c, epoll);
}

/* Adds to the head until its empty line; returns how many bytes were of the head. */
static size_t take_head(struct connection *c, const char *p, size_t n)
{
    size_t before = c->head_bytes;
    size_t part = n < HEAD_MAX - 1 - before ? n : HEAD_MAX - 1 - before;
    memcpy(c->head + before, p, part);
    c->head[before + part] = '\0';
    char *end = strstr(c->head + (before > 3 ? before - 3 : 0), "\r\n\r\n");
    if (!end) {
        c->head_bytes += part;
        return part;
    }
    end[4] = '\0';
    c->head_bytes = (size_t)(end + 4 - c->head);
    read_head(c);
    return c->head_bytes - before;
}

/* A chunked body ends with the empty chunk. */
static bool take_chunked(struct connection *c, const char *p, size_t n)
{
    static const char end[] = "\r\n0\r\n\r\n";
    for (size_t i = 0; i < n; i++) {
        c->tail = p[i] == end[c->tail] ? c->tail + 1 : p[i] == '\r';
        if (c->tail == sizeof end - 1)
            return true;
    }
    return false;
}

static void take(struct connection *c, int epoll, const char *p, size_t n)
{
    bytes_read += n;
    if (!c->in_body) {
        size_t head = take_head(c, p, n);
        p += head;
        n -= head;
    }
    if (!c->in_body)
        return;
    bool done = c->chunked ? take_chunked(c, p, n) : n >= c->body_left;
    c->body_left -= c->chunked ? 0 : n < c->body_left ? n : c->body_left;
    if (done)
        finish(c, epoll);
}

static void ready(struct connection *c, int epoll, uint32_t events)
{
    static char buffer[READ_BYTES];
    if (events & EPOLLOUT)
        flush_out(c, epoll, true);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) {
        take(c, epoll, buffer, (size_t)n);
    } else if (n == 0 || errno != EAGAIN) {
        errors++;
        close(c->fd);
        connect_to(c, epoll);
        if (running)
            begin(c, epoll);
    }
}

static void run(struct connection *connections, unsigned count, double seconds)
{
    int epoll = epoll_create1(0);
    for (unsigned i = 0; i < count; i++) {
        connections[i].number = i;
        connections[i].out = malloc(LOAD_REQUEST_MAX);
        if (!connections[i].out)
            die("memory");
        connect_to(&connections[i], epoll);
        begin(&connections[i], epoll);
    }
    int64_t until_ns = now_ns() + (int64_t)(seconds * 1e9);
    while (now_ns() < until_ns) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < n; i++)
            ready(events[i].data.ptr, epoll, events[i].events);
    }
    running = false;
}

int main(int argc, char **argv)
{
    mix = argc > 5 ? mix_find(argv[5], argc > 6 ? argv[6] : NULL) : NULL;
    if (!mix) {
        fprintf(stderr, "bench_load HOST PORT CONNECTIONS SECONDS get|cud|pair [FILE]\n");
        return 2;
    }
    server = (struct sockaddr_in){ .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtol(argv[2], NULL, 10)) };
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
        die(argv[1]);
    unsigned count = (unsigned)strtol(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    struct connection *connections = calloc(count, sizeof *connections);
    if (!connections)
        die("memory");
    run(connections, count, seconds);
    printf("{\"rate\":%.1f,\"answered\":%llu,\"errors\":%llu,\"p50_us\":%llu,\"p99_us\":%llu,"
           "\"max_us\":%llu,\"bytes_s\":%.0f}\n",
           (double)answered / seconds, (unsigned long long)answered, (unsigned long long)errors,
           (unsigned long long)histogram_at(&histogram, 0.5),
           (unsigned long long)histogram_at(&histogram, 0.99),
           (unsigned long long)histogram.highest, (double)bytes_read / seconds);
    return 0;
}
