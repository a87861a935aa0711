/* SPDX-License-Identifier: Apache-2.0 */
#include "http/internal.h"
#include "base/clock.h"
#include "http/gzip.h"
#include "http/metrics.h"
#include <fcntl.h>
#include <unistd.h>

enum { STREAM_BLOCK_BYTES = 32768, LEAST_SENT_BYTES_PER_MS = 10 };

/*
 * libmicrohttpd answers what it refuses by itself (malformed request lines, header lines that do
 * not fit, chunk errors) with a page of HTML, which no option changes. It makes that page, and
 * nothing else, through this function, so the definition here, which the linker finds first, turns
 * the page into an OperationOutcome. Rows of the test http_answers_over_a_socket hold it.
 */
__attribute__((visibility("default")))
__attribute__((visibility("default"))) struct MHD_Response *
MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode)
{
    (void)mode;
    static const struct { const char *page, *outcome; } texts[] = {
        { "Request too big", "too-long\",\"details\":{\"text\":\"the request's header is longer "
                             "than this server takes" },
        { "content too large", "too-long\",\"details\":{\"text\":\"the body is longer than this "
                               "server takes" },
        { "version", "not-supported\",\"details\":{\"text\":\"use HTTP/1.1" },
        { "Host:", "invalid\",\"details\":{\"text\":\"HTTP/1.1 needs a Host header" },
        { "", "invalid\",\"details\":{\"text\":\"the request is not well-formed HTTP" },
    };
    size_t i = 0;
    while (str_find((str){ buffer, size }, str_of(texts[i].page)) == STR_NONE)
        i++;
    char body[512];
    int n = snprintf(body, sizeof body, "{\"resourceType\":\"OperationOutcome\",\"issue\":[{"
                     "\"severity\":\"error\",\"code\":\"%s\"}}]}", texts[i].outcome);
    char *copy = malloc((size_t)n);
    if (!copy)
        return NULL;
    memcpy(copy, body, (size_t)n);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback((size_t)n, copy, free);
    if (response)
        MHD_add_response_header(response, "Content-Type", "application/fhir+json; charset=utf-8");
    return response;
}

static void add_header(struct http_connection *c, struct MHD_Response *reply, str name, str value)
{
    struct arena *arena = &c->arena;
    if (str_find_char(value, '\n') == STR_NONE && str_find_char(value, '\r') == STR_NONE)
        MHD_add_response_header(reply, arena_cstr(arena, name), arena_cstr(arena, value));
}

static bool has_header(const struct http_response *response, str name)
{
    for (size_t i = 0; i < response->headers_count; i++)
        if (str_eq_nocase(response->headers[i].name, name))
            return true;
    return false;
}

static ssize_t stream_more(void *self, uint64_t at, char *out, size_t room)
{
    (void)at;
    struct http_connection *c = self;
    if (atomic_load(&c->loop->server->stopping))
        return MHD_CONTENT_READER_END_OF_STREAM;
    atomic_store(&c->wake, WAKE_RUNNING);
    int64_t n = c->response.stream(c->response.stream_self, out, room);
    if (n > 0) {
        c->sent_bytes += (uint64_t)n;
        return (ssize_t)n;
    }
    if (n < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    MHD_suspend_connection(c->mhd);
    int running = WAKE_RUNNING;
    if (!atomic_compare_exchange_strong(&c->wake, &running, WAKE_ASLEEP))
        exchange_resume(c);
    return 0;
}

static void keep_memory(void *body)
{
    (void)body; /* it lives in the request's arena, which outlives the reply */
}

struct upgrade {
    void (*fn)(void *self, int fd, str early);
    void *self;
    int loop_event;
};

/* The engine closes its own descriptor at once and forgets the connection; ours is a copy. Only the
 * loop's thread may tell the engine so, and here it does. */
static void hand_over(void *self, struct MHD_Connection *mhd, void *request, const char *early,
                      size_t early_bytes, MHD_socket fd,
                      struct MHD_UpgradeResponseHandle *handle)
{
    const struct upgrade *upgrade = self;
    uint64_t one = 1;
    (void)mhd, (void)request;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    (void)!write(upgrade->loop_event, &one, sizeof one); /* its next round does the closing */
    upgrade->fn(upgrade->self, copy, (str){ early, early_bytes });
}

static struct MHD_Response *make_reply(struct http_connection *c)
{
    struct http_response *response = &c->response;
    if (response->upgrade) {
        struct upgrade *upgrade = arena_alloc(&c->arena, sizeof *upgrade);
        *upgrade = (struct upgrade){ response->upgrade, response->upgrade_self,
                                     c->loop->woken_event };
        return MHD_create_response_for_upgrade(hand_over, upgrade);
    }
    if (response->stream)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, stream_more,
                                                 c, NULL);
    str body = response->body;
    if (body.n >= HTTP_GZIP_LEAST_BYTES && !has_header(response, S("Content-Encoding")) &&
        http_gzip_wanted(http_header(&c->request, "Accept-Encoding"))) {
        str smaller = http_gzip(&c->arena, body);
        body = str_given(smaller) ? smaller : body;
        if (str_given(smaller))
            http_put_header(response, S("Content-Encoding"), S("gzip"));
        http_put_header(response, S("Vary"), S("Accept-Encoding"));
    }
    c->sent_bytes = body.n;
    return MHD_create_response_from_buffer_with_free_callback(
        body.n, (void *)(uintptr_t)(body.p ? body.p : ""), keep_memory);
}

static void add_headers(struct http_connection *c, struct MHD_Response *reply)
{
    struct http_response *response = &c->response;
    if (response->content_type.n && (response->body.n || response->stream))
        add_header(c, reply, S("Content-Type"), response->content_type);
    for (size_t i = 0; i < response->headers_count; i++)
        add_header(c, reply, response->headers[i].name, response->headers[i].value);
    if (!has_header(response, S("Cache-Control")))
        MHD_add_response_header(reply, "Cache-Control", "no-store");
    MHD_add_response_header(reply, "X-Content-Type-Options", "nosniff");
    add_header(c, reply, S("X-Request-Id"), c->cx.request_id);
    if (!response->upgrade && (c->close_after || atomic_load(&c->loop->server->stopping)))
        MHD_add_response_header(reply, "Connection", "close");
}

/* A stream may last for hours: it does not hold up a stop. */
static void count_stream(struct http_connection *c)
{
    c->streams = true;
    http_gauge_add(HTTP_GAUGE_STREAMS, 1);
    if (c->counted)
        atomic_fetch_sub(&c->loop->server->active, 1);
    c->counted = false;
}

enum MHD_Result reply_queue(struct http_connection *c)
{
    if (c->response.status == 0)
        c->response.status = 200;
    c->stage = STAGE_SENT;
    int64_t took_ns = clock_monotonic_ns() - c->started_ns;
    c->arena.cap_bytes += c->response.body.n + STREAM_BLOCK_BYTES; /* headers and gzip */
    struct MHD_Response *reply = make_reply(c);
    if (!reply)
        return MHD_NO;
    add_headers(c, reply);
    if (c->response.stream)
        count_stream(c);
    if (c->peer && !c->response.stream) { /* a reader must keep a least pace */
        c->peer->busy = false;
        c->peer->since_ms = clock_monotonic_ms() + (int64_t)c->sent_bytes / LEAST_SENT_BYTES_PER_MS;
    }
    http_metrics_request(&(struct http_done){ .method = (int)c->request.method,
                                              .status = c->response.status, .took_ns = took_ns,
                                              .in_bytes = c->body_bytes,
                                              .out_bytes = c->sent_bytes });
    enum MHD_Result result = MHD_queue_response(c->mhd, (unsigned)c->response.status, reply);
    MHD_destroy_response(reply);
    return result;
}
