/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/hl7.h"
#include "bench/load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * bench_hl7: sends HL7 v2 messages over MLLP as fast as they are acknowledged.
 *
 *   bench_hl7 HOST PORT CONNECTIONS SECONDS WINDOW mixed|adt|oru
 *
 * Shapes   each connection has at most WINDOW messages sent and not yet answered; 1 is a sender
 *          that waits for each. One line of JSON on standard output. Any answer but AA counts as an
 *          error and is not in the rate.
 * Limits   one thread; answers over 4 KiB are not read as one.
 */
enum { READ_BYTES = 1 << 16, WINDOW_MAX = 1024, ANSWER_MAX = 4096, FRAME_START = 0x0B,
       FRAME_END = 0x1C };

struct connection {
    int fd;
    unsigned line, sent, answered;
    int64_t sent_ns[WINDOW_MAX];
    char *out;                    /* what the socket would not take yet */
    size_t out_bytes, out_sent, answer_bytes;
    char answer[ANSWER_MAX];
};

static struct histogram histogram;
static uint64_t accepted, errors;
static const struct hl7_mix *mix;
static unsigned window;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_hl7: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_more(struct connection *c, int epoll)
{
    if (c->out_sent == c->out_bytes)
        c->out_sent = c->out_bytes = 0;
    while (c->sent - c->answered < window &&
           c->out_bytes + HL7_BENCH_MAX + 3 < READ_BYTES + HL7_BENCH_MAX) {
        char *at = c->out + c->out_bytes;
        *at = FRAME_START;
        size_t n = 1 + hl7_mix_write(mix, c->line, c->sent, at + 1, HL7_BENCH_MAX);
        at[n++] = FRAME_END;
        at[n++] = '\r';
        c->out_bytes += n;
        c->sent_ns[c->sent++ % WINDOW_MAX] = now_ns();
    }
    while (c->out_sent < c->out_bytes) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_bytes - c->out_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            die("send");
        c->out_sent += (size_t)n;
    }
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    if (c->out_sent < c->out_bytes)
        event.events |= EPOLLOUT;
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void judge(struct connection *c)
{
    c->answer[c->answer_bytes < ANSWER_MAX ? c->answer_bytes : ANSWER_MAX - 1] = '\0';
    bool good = strstr(c->answer, "\rMSA|AA|") != NULL;
    int64_t since_ns = now_ns() - c->sent_ns[c->answered++ % WINDOW_MAX];
    c->answer_bytes = 0;
    if (good) {
        accepted++;
        histogram_add(&histogram, (uint64_t)since_ns / 1000);
    } else if (errors++ < 5) {
        fprintf(stderr, "bench_hl7: %.300s\n", c->answer);
    }
}

static void ready(struct connection *c, int epoll, uint32_t events)
{
    static char buffer[READ_BYTES];
    if (events & EPOLLIN) {
        ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            die("the server hung up");
        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] == FRAME_END)
                judge(c);
            else if (c->answer_bytes < ANSWER_MAX - 1)
                c->answer[c->answer_bytes++] = buffer[i];
        }
    }
    send_more(c, epoll);
}

static void connect_to(struct connection *c, const struct sockaddr_in *server, int epoll)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->out = malloc(READ_BYTES + 2 * HL7_BENCH_MAX);
    if (!c->out || c->fd < 0 || connect(c->fd, (const struct sockaddr *)server, sizeof *server))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    send_more(c, epoll);
}

static double run(struct connection *list, unsigned count, const struct sockaddr_in *server,
                  double seconds)
{
    int epoll = epoll_create1(0);
    int64_t began_ns = now_ns();
    for (unsigned i = 0; i < count; i++) {
        list[i].line = i;
        connect_to(&list[i], server, epoll);
    }
    while (now_ns() < began_ns + (int64_t)(seconds * 1e9)) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < n; i++)
            ready(events[i].data.ptr, epoll, events[i].events);
    }
    return (double)(now_ns() - began_ns) / 1e9;
}

int main(int argc, char **argv)
{
    mix = argc == 7 ? hl7_mix_find(argv[6]) : NULL;
    window = argc == 7 ? (unsigned)strtol(argv[5], NULL, 10) : 0;
    if (!mix || window < 1 || window > WINDOW_MAX) {
        fprintf(stderr, "bench_hl7 HOST PORT CONNECTIONS SECONDS WINDOW mixed|adt|oru\n");
        return 2;
    }
    struct sockaddr_in server = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtol(argv[2], NULL, 10)) };
    if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1)
        die(argv[1]);
    unsigned count = (unsigned)strtol(argv[3], NULL, 10);
    struct connection *list = calloc(count, sizeof *list);
    struct rusage used;
    if (!list)
        die("memory");
    double took = run(list, count, &server, strtod(argv[4], NULL));
    getrusage(RUSAGE_SELF, &used);
    printf("{\"rate\":%.1f,\"accepted\":%llu,\"errors\":%llu,\"p50_us\":%llu,\"p99_us\":%llu,"
           "\"cpu_s\":%.2f}\n", (double)accepted / took, (unsigned long long)accepted,
           (unsigned long long)errors, (unsigned long long)histogram_at(&histogram, 0.5),
           (unsigned long long)histogram_at(&histogram, 0.99),
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
