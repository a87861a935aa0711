/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE live
#include "base/clock.h"
#include "base/test.h"
#include "http/server.h"
#include "ui/live.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static err stream_get(struct http_request *request, struct http_response *response)
{
    return live_open(request->live, request->captures[0], request, response);
}

static const struct route routes[] = {
    { "GET", "/live/{channel}", "open", stream_get, "", 0 },
    { 0 },
};
static const struct route *const tables[] = { routes, NULL };

struct service {
    struct live *live;
    struct http_options options;
    struct http_server *server;
};

static struct service *serve(struct ctx *cx, struct live_options live)
{
    struct service *service = arena_zero(cx->arena, sizeof *service);
    service->live = live_make(&live);
    service->options = (struct http_options){
        .address = S("127.0.0.1"),
        .limits = { .url_bytes = 2000, .header_bytes = 4000, .body_bytes = 1000,
                    .bodies_bytes = 1 << 20, .memory_bytes = 1 << 20, .connections_max = 500,
                    .idle_s = 5, .work_ms = 1000, .queue_max = 8, .loops = 1, .workers = 1 },
        .tables = tables,
        .live = service->live,
    };
    cr_assert(http_start(cx, &service->options, &service->server) == ERR_OK);
    return service;
}

static void stop(struct service *service)
{
    http_stop(service->server);
    live_free(service->live);
}

static int watch(const struct service *service, const char *after)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)http_port(service->server)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = { .tv_sec = 5 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char text[200];
    int n = snprintf(text, sizeof text, "GET /live/a HTTP/1.1\r\nHost: a\r\n%s%s%s\r\n",
                     after ? "Last-Event-ID: " : "", after ? after : "", after ? "\r\n" : "");
    cr_assert(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    cr_assert(send(fd, text, (size_t)n, 0) == n);
    return fd;
}

/* Reads until `what` has come; what was read so far when it does not within five seconds. */
static str read_until(struct ctx *cx, int fd, const char *what)
{
    struct buf got = buf_make(cx->arena, 32 << 20);
    while (str_find(buf_str(&got), str_of(what)) == STR_NONE) {
        char *room = buf_room(&got, 4096);
        ssize_t n = room ? recv(fd, room, 4096, 0) : 0;
        if (n <= 0)
            break;
        buf_took(&got, (size_t)n);
    }
    return buf_str(&got);
}

#define EXPECT_HAS(row, text, part) EXPECT(row, str_find(text, S(part)) != STR_NONE)

TEST(a_screen_hears_of_a_change)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 10 });
    int fd = watch(service, NULL);
    str head = read_until(cx, fd, "event: beat");
    EXPECT_HAS("type", head, "text/event-stream");
    EXPECT_HAS("proxies", head, "X-Accel-Buffering: no");
    EXPECT("watched", live_watched(service->live, S("a")));
    live_publish(service->live, S("a"), 7, S("<p id=\"x\">\nnew</p>"));
    str event = read_until(cx, fd, "</p>");
    EXPECT_HAS("event", event, "id: 7\ndata: <p id=\"x\">\ndata: new</p>\n");
    live_publish_more(service->live, S("a"), 8);
    EXPECT_HAS("more", read_until(cx, fd, "more"), "id: 8\nevent: more\n");
    close(fd);
    stop(service);
}

TEST(a_screen_that_was_away_gets_what_it_missed)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 10,
                                                               .start_seq = 3 });
    for (int seq = 4; seq <= 8; seq++) {
        char text[32];
        int n = snprintf(text, sizeof text, "<p id=x>%d</p>", seq);
        live_publish(service->live, S("a"), seq, (str){ text, (size_t)n });
    }
    int fd = watch(service, "6");
    str got = read_until(cx, fd, ">8<");
    EXPECT_HAS("the next", got, "id: 7\n");
    EXPECT("not what it has", str_find(got, S("id: 6\n")) == STR_NONE);
    close(fd);
    fd = watch(service, "2"); /* before the program started */
    EXPECT_HAS("too long away", read_until(cx, fd, "reload"), "event: reload");
    close(fd);
    live_publish_missed(service->live, S("a"), 9);
    fd = watch(service, "8");
    EXPECT_HAS("nobody drew it", read_until(cx, fd, "reload"), "event: reload");
    close(fd);
    fd = watch(service, "9");
    EXPECT("nothing missed", str_find(read_until(cx, fd, "beat"), S("reload")) == STR_NONE);
    close(fd);
    stop(service);
}

TEST(a_wrong_position_is_refused)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 10 });
    int fd = watch(service, "-1");
    EXPECT_HAS("status", read_until(cx, fd, "OperationOutcome"), " 400 ");
    close(fd);
    stop(service);
}

TEST(too_many_screens_are_refused)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 1 });
    int first = watch(service, NULL), second;
    read_until(cx, first, "beat");
    second = watch(service, NULL);
    EXPECT_HAS("status", read_until(cx, second, "OperationOutcome"), " 503 ");
    close(first);
    close(second);
    stop(service);
}

TEST(an_idle_stream_beats)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 10,
                                                               .beat_ms = 50 });
    int fd = watch(service, NULL);
    int64_t began_ms = clock_monotonic_ms();
    for (int i = 0; i < 4; i++)
        read_until(cx, fd, "beat");
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    EXPECT("not before its time", took_ms >= 3 * 50);
    EXPECT("not much after", took_ms < 3000);
    close(fd);
    stop(service);
}

/* Whoever does not read gets no memory of ours: it is told to reload once it reads again. */
TEST(a_slow_screen_is_told_to_reload)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 10 });
    int fd = watch(service, NULL);
    read_until(cx, fd, "beat");
    char *text = arena_alloc(cx->arena, 100000);
    memset(text, 'x', 100000);
    for (int seq = 1; seq <= 200; seq++)
        live_publish(service->live, S("a"), seq, (str){ text, 100000 });
    EXPECT_HAS("reload", read_until(cx, fd, "reload"), "event: reload");
    close(fd);
    stop(service);
}

TEST(an_event_too_large_becomes_a_reload)
{
    struct service *service = serve(cx, (struct live_options){ .streams_max = 10 });
    int fd = watch(service, NULL);
    read_until(cx, fd, "beat");
    char *text = arena_zero(cx->arena, LIVE_EVENT_BYTES + 1);
    live_publish(service->live, S("a"), 1, (str){ text, LIVE_EVENT_BYTES + 1 });
    EXPECT_HAS("reload", read_until(cx, fd, "reload"), "event: reload");
    close(fd);
    stop(service);
}

TEST(many_screens_hear_the_same)
{
    enum { SCREENS = 200 };
    struct service *service = serve(cx, (struct live_options){ .streams_max = SCREENS,
                                                               .beat_ms = 100 });
    int fds[SCREENS];
    for (int i = 0; i < SCREENS; i++)
        fds[i] = watch(service, NULL);
    for (int i = 0; i < SCREENS; i++)
        read_until(cx, fds[i], "beat");
    EXPECT_INT("open", live_streams(service->live), SCREENS);
    for (int seq = 1; seq <= 20; seq++)
        live_publish(service->live, S("a"), seq, S("<p id=\"x\"></p>"));
    for (int i = 0; i < SCREENS; i++)
        EXPECT_HAS("last", read_until(cx, fds[i], "id: 20\n"), "id: 20\n");
    for (int i = 0; i < SCREENS; i++)
        close(fds[i]);
    /* A screen that went away is noticed by a beat that finds nobody. */
    for (int i = 0; i < 100 && live_streams(service->live) > 0; i++)
        usleep(20000);
    EXPECT_INT("closed", live_streams(service->live), 0);
    stop(service);
}
