/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE http
#include "base/test.h"
#include "base/clock.h"
#include "http/gzip.h"
#include "http/outcome.h"
#include "http/router.h"
#include "http/server.h"
#include "http/text.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static err say_hello(struct http_request *request, struct http_response *response)
{
    (void)request;
    response->content_type = S("text/plain");
    response->body = S("hello");
    return ERR_OK;
}

static err echo(struct http_request *request, struct http_response *response)
{
    response->content_type = S("text/plain");
    response->body = request->body.n ? request->body : request->captures[0];
    return ERR_OK;
}

static err eat_memory(struct http_request *request, struct http_response *response)
{
    (void)response;
    for (;;)
        arena_alloc(request->cx->arena, 1 << 20);
    return ERR_OK;
}

static err finish_late(struct http_request *request, struct http_response *response)
{
    response->body = S("late");
    pthread_join(*(pthread_t *)request->self, NULL);
    return ERR_OK;
}

static void *wake_later(void *request)
{
    usleep(20000);
    http_wake(request);
    return NULL;
}

static err answer_late(struct http_request *request, struct http_response *response)
{
    (void)response;
    request->self = arena_zero(request->cx->arena, sizeof(pthread_t));
    pthread_create(request->self, NULL, wake_later, request);
    http_wait(request, finish_late);
    return ERR_OK;
}

static int64_t count_down(void *self, char *out, size_t room)
{
    int *left = self;
    if (*left == 0)
        return -1;
    *left -= 1;
    return snprintf(out, room, "%d\n", *left);
}

static err stream_lines(struct http_request *request, struct http_response *response)
{
    int *left = arena_alloc(request->cx->arena, sizeof *left);
    *left = 3;
    response->stream = count_down;
    response->stream_self = left;
    return ERR_OK;
}

static err refuse(struct http_request *request, struct http_response *response)
{
    (void)response;
    return ctx_fail(request->cx, ERR_RULE, S("Patient.name"), S("say \"who\""));
}

static const struct route routes[] = {
    { "GET", "/hello", "open", say_hello, "", 0 },
    { "GET", "/slow", "open", say_hello, "", ROUTE_SLOW },
    { "GET", "/late", "open", answer_late, "", 0 },
    { "GET", "/late-slow", "open", answer_late, "", ROUTE_SLOW },
    { "GET", "/stream", "open", stream_lines, "", 0 },
    { "GET", "/memory", "open", eat_memory, "", 0 },
    { "GET", "/memory-slow", "open", eat_memory, "", ROUTE_SLOW },
    { "GET", "/refuse", "open", refuse, "", 0 },
    { "POST", "/echo", "open", echo, "", 0 },
    { "GET", "/echo/{word}", "open", echo, "", 0 },
    { "GET", "/echo/{word}/deep", "open", say_hello, "", 0 },
    { "GET", "/echo/literal", "open", say_hello, "", 0 },
    { "GET", "/files/{path*}", "open", echo, "", 0 },
    { "GET", "/echo/${word}", "open", echo, "", 0 },
    { 0 },
};
static const struct route *const tables[] = { routes, NULL };

static const struct http_options options = {
    .address = { "127.0.0.1", 9 },
    .limits = { .url_bytes = 2000, .header_bytes = 4000, .body_bytes = 100000,
                .bodies_bytes = 1 << 20, .memory_bytes = 8 << 20, .connections_max = 50,
                .idle_s = 1, .work_ms = 1000, .queue_max = 8, .loops = 2, .workers = 2 },
    .tables = tables,
};

/* Sends `request` and returns all that comes until the other side closes or falls silent. */
static str exchange(struct ctx *cx, int port, str request)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval patience = { .tv_sec = 3 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct buf got = buf_make(cx->arena, 1 << 20);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n) {
        for (;;) {
            char *room = buf_room(&got, 4096);
            ssize_t n = room ? recv(fd, room, 4096, 0) : 0;
            if (n <= 0)
                break;
            buf_took(&got, (size_t)n);
        }
    }
    close(fd);
    return buf_str(&got);
}

static str padded(struct ctx *cx, str before, size_t n, str after)
{
    struct buf buf = buf_make(cx->arena, n + 4096);
    buf_add(&buf, before);
    for (size_t i = 0; i < n; i++)
        buf_char(&buf, 'x');
    buf_add(&buf, after);
    return buf_str(&buf);
}

#define END " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

TEST(http_answers_over_a_socket)
{
    struct http_server *server = NULL;
    EXPECT_INT("start", http_start(cx, &options, &server), ERR_OK);
    const struct { const char *name; str request; const char *status, *holds; } rows[] = {
        { "read", S("GET /hello" END), "200", "\r\n\r\nhello" },
        { "worker", S("GET /slow" END), "200", "hello" },
        { "continued", S("GET /late" END), "200", "late" },
        { "continued from a worker", S("GET /late-slow" END), "200", "late" },
        { "stream", S("GET /stream" END), "200", "2\n" },
        { "capture decoded", S("GET /echo/a%2Fb" END), "200", "a/b" },
        { "head", S("HEAD /hello" END), "200", "Content-Length: 5" },
        { "options", S("OPTIONS /hello" END), "204", "Allow: GET, HEAD, OPTIONS" },
        { "body", S("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n"
                    "\r\nabc"), "200", "abc" },
        { "chunked", S("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: "
                       "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "200", "abc" },
        { "expect", S("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n"
                      "Expect: 100-continue\r\n\r\nabc"), "100", "200 OK" },
        { "rule", S("GET /refuse" END), "422", "\\\"who\\\"" },
        { "unknown", S("GET /nothing" END), "404", "not-found" },
        { "method", S("PUT /hello" END), "405", "Allow: GET, HEAD, OPTIONS" },
        { "unknown method", S("BREW /hello" END), "405", "not-supported" },
        { "memory", S("GET /memory" END), "413", "too-costly" },
        { "memory on a worker", S("GET /memory-slow" END), "413", "too-costly" },
        { "escape", S("GET /echo/a%2" END), "400", "escape" },
        { "two lengths", S("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length:"
                           " 4\r\n\r\nabc"), "400", "OperationOutcome" },
        { "length and chunks", S("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400", "once" },
        { "body too long", S("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\nab"),
          "413", "100000 bytes" },
        { "url too long", padded(cx, S("GET /hello?"), 3000, S(END)), "414", "_search" },
        { "headers too long", padded(cx, S("GET /hello HTTP/1.1\r\nHost: a\r\nX: "), 6000,
                                     S("\r\n\r\n")), "431", "OperationOutcome" },
        { "headers far too long", padded(cx, S("GET /hello HTTP/1.1\r\nHost: a\r\nX: "), 60000,
                                         S("\r\n\r\n")), "431", "OperationOutcome" },
        { "no host", S("GET /hello HTTP/1.1\r\n\r\n"), "400", "Host" },
        { "bad host", S("GET /hello HTTP/1.1\r\nHost: a<b\r\n\r\n"), "400", "Host" },
        { "bad chunk", S("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz"
                         "\r\n"), "400", "OperationOutcome" },
        { "version", S("GET /hello HTTP/3.9\r\nHost: a\r\n\r\n"), "505", "OperationOutcome" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str got = exchange(cx, http_port(server), rows[i].request);
        EXPECT_STR(rows[i].name, str_slice(got, 9, 12), str_of(rows[i].status));
        cr_expect(str_find(got, str_of(rows[i].holds)) != STR_NONE, "%s: no %s in %.*s",
                  rows[i].name, rows[i].holds, STR_ARG(got));
    }
    http_stop(server);
}

TEST(slow_clients_are_cut)
{
    struct http_server *server = NULL;
    EXPECT_INT("start", http_start(cx, &options, &server), ERR_OK);
    int64_t before = clock_monotonic_ms();
    exchange(cx, http_port(server), S("GET /hello HTTP/1.1\r\nHo"));
    EXPECT("cut", clock_monotonic_ms() - before < 2900);
    http_stop(server);
}

TEST(literals_win_over_captures)
{
    static const struct { const char *path, *pattern; } rows[] = {
        { "/echo/literal", "/echo/literal" },   { "/echo/word", "/echo/{word}" },
        { "/echo/word/deep", "/echo/{word}/deep" }, { "/echo/literal/deep", "/echo/{word}/deep" },
        { "/files/a/b/c", "/files/{path*}" },   { "/echo/", NULL },
        { "/hello/", NULL },                    { "hello", NULL },
        { "/echo/$word", "/echo/${word}" },     { "/echo/$", "/echo/{word}" },
    };
    struct router router;
    EXPECT_INT("build", router_build(cx, tables, &router), ERR_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct router_match match = router_find(&router, HTTP_GET, str_of(rows[i].path));
        EXPECT_STR(rows[i].path, str_of(match.route ? match.route->pattern : NULL),
                   str_of(rows[i].pattern));
    }
}

TEST(equal_routes_are_refused)
{
    static const struct route twice[] = { { "GET", "/hello", "open", echo, "", 0 }, { 0 } };
    struct router router;
    const struct route *const both[] = { routes, twice, NULL };
    EXPECT_INT("twice", router_build(cx, both, &router), ERR_BUG);
}

TEST(escapes_are_decoded_or_refused)
{
    static const struct { const char *text, *decoded; bool plus; } rows[] = {
        { "abc", "abc", false },  { "a%20b", "a b", false }, { "a+b", "a+b", false },
        { "a+b", "a b", true },   { "%e2%82%ac", "\xe2\x82\xac", false },
        { "%4", NULL, false },    { "%", NULL, false },      { "%zz", NULL, false },
        { "%00", NULL, false },   { "%41", "A", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str got = { 0 };
        bool sound = http_decode(cx->arena, str_of(rows[i].text), rows[i].plus, &got);
        EXPECT_INT(rows[i].text, sound, rows[i].decoded != NULL);
        EXPECT_STR(rows[i].text, got, str_of(rows[i].decoded));
    }
}

TEST(dates_of_three_forms_are_read)
{
    static const char *const same[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994" };
    for (size_t i = 0; i < COUNT(same); i++)
        EXPECT_INT(same[i], http_date_parse(str_of(same[i])), 784111777000);
    EXPECT_INT("not a date", http_date_parse(S("yesterday")), 0);
    EXPECT_INT("no such day", http_date_parse(S("Sun, 31 Feb 1994 08:49:37 GMT")), 0);
    char text[HTTP_DATE_TEXT];
    http_date_write(784111777999, text);
    EXPECT_STR("written", ((str){ text, sizeof text }), S("Sun, 06 Nov 1994 08:49:37 GMT"));
}

TEST(accept_lists_are_read_with_quality)
{
    str list = S("application/json;q=0.5, text/html , */*; q=0");
    static const struct { const char *media; int q; } rows[] = {
        { "application/json", 500 }, { "text/html", 1000 }, { "*/*", 0 },
    };
    struct http_accept item;
    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT(rows[i].media, http_next_accept(&list, &item));
        EXPECT_STR(rows[i].media, item.media, str_of(rows[i].media));
        EXPECT_INT(rows[i].media, item.q_milli, rows[i].q);
    }
    EXPECT("end", !http_next_accept(&list, &item));
}

TEST(outcomes_stay_json_whatever_the_text)
{
    ctx_fail(cx, ERR_INVALID, S("a\"b"), S("bad \xff byte\n"));
    struct buf buf = buf_make(cx->arena, 4096);
    http_outcome_write(&buf, &cx->issues);
    EXPECT("escaped", str_find(buf_str(&buf), S("bad \xef\xbf\xbd byte\\u000a")) != STR_NONE);
    EXPECT("path", str_find(buf_str(&buf), S("\"expression\":[\"a\\\"b\"]")) != STR_NONE);
}

TEST(gzip_is_used_when_wanted)
{
    EXPECT("plain", http_gzip_wanted(S("deflate, gzip;q=0.5")));
    EXPECT("refused", !http_gzip_wanted(S("gzip;q=0, *")));
    EXPECT("any", http_gzip_wanted(S("*")));
    EXPECT("none", !http_gzip_wanted((str){ 0 }));
    str body = padded(cx, S("<"), 5000, S(">"));
    EXPECT("smaller", http_gzip(cx->arena, body).n > 0 && http_gzip(cx->arena, body).n < 200);
    EXPECT("not smaller", !str_given(http_gzip(cx->arena, S("abc"))));
}
