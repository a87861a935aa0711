/* SPDX-License-Identifier: Apache-2.0 */
#include "http/internal.h"
#include "base/clock.h"
#include "http/metrics.h"
#include "http/outcome.h"
#include "http/text.h"
#include <unistd.h>

enum {
    FREE_MAX = 256,             /* finished requests a loop keeps for reuse */
    SPARE_MEMORY = 1 << 20,     /* to word the refusal of a request that passed its cap */
    INLINE_BODY_BYTES = 65536,  /* larger bodies are worked on by a worker: parsing takes a while */
    SPIN_NS = 30000,            /* more than a turn of the loop takes */
    LEAST_BYTES_PER_MS = 10,    /* slower uploads use up their idle time */
    FIRST_BODY_BYTES = 16384
};

str http_header(const struct http_request *request, const char *name)
{
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(request->connection->mhd, MHD_HEADER_KIND, name,
                                      strlen(name), &value, &n) != MHD_YES)
        return (str){ 0 };
    return value ? (str){ value, n } : S("");
}

void http_put_header(struct http_response *response, str name, str value)
{
    if (response->headers_count < HTTP_HEADERS_MAX)
        response->headers[response->headers_count++] = (struct http_param){ name, value };
}

bool http_stopping(const struct http_request *request)
{
    return atomic_load(&request->connection->loop->server->stopping) != 0;
}

void http_wait(struct http_request *request, http_handler *then)
{
    request->connection->then = then;
    request->connection->waits = true;
}

void exchange_resume(struct http_connection *c)
{
    struct http_loop *loop = c->loop;
    uint64_t one = 1;
    struct http_connection *head = atomic_load(&loop->woken);
    do
        c->woken_next = head;
    while (!atomic_compare_exchange_weak(&loop->woken, &head, c));
    if (!head) /* else the loop was told already */
        (void)!write(loop->woken_event, &one, sizeof one);
}

void http_wake(struct http_request *request)
{
    struct http_connection *c = request->connection;
    if (atomic_exchange(&c->wake, WAKE_WOKEN) == WAKE_ASLEEP)
        exchange_resume(c);
}

void http_fault(struct http_request *request, struct http_response *response, err kind)
{
    struct buf buf = buf_make(request->cx->arena, SPARE_MEMORY);
    http_outcome_write(&buf, &request->cx->issues);
    if (response->status < 400)
        response->status = err_http_status(kind);
    if (response->status == 503)
        http_put_header(response, S("Retry-After"), S("1"));
    response->content_type = S("application/fhir+json; charset=utf-8");
    response->body = buf_str(&buf);
    response->stream = NULL;
}

static void fault(struct http_connection *c, err kind)
{
    const struct http_options *options = c->loop->server->options;
    (options->fault ? options->fault : http_fault)(&c->request, &c->response, kind);
}

void http_hold(struct http_request *request, uint64_t ticket)
{
    request->connection->ticket = ticket;
}

void http_not_before(struct http_request *request, int64_t us)
{
    struct http_connection *c = request->connection;
    c->not_before_ns = c->work_ns + us * 1000;
}

static void answer_instead(struct http_connection *c, err refused)
{
    if (c->response.stream_end)
        c->response.stream_end(c->response.stream_self);
    c->response = (struct http_response){ 0 };
    c->error = refused;
    fault(c, refused);
}

/* The answer stands, unless whoever must take note of it cannot. */
static void finish(struct http_connection *c)
{
    http_handler *done = c->loop->server->options->done;
    jmp_buf over;
    if (!done)
        return;
    c->arena.over = &over;
    err refused = setjmp(over) == 0 ? done(&c->request, &c->response) : ERR_LIMIT;
    c->arena.over = NULL;
    if (refused)
        answer_instead(c, refused);
}

/* An answer held back goes at its instant and not at the loop's next turn after it: which turn that
 * is depends on when the work was done, and so on what was found. */
static bool is_early(const struct http_connection *c)
{
    if (!c->not_before_ns || c->not_before_ns - clock_monotonic_ns() > SPIN_NS)
        return c->not_before_ns != 0;
    while (clock_monotonic_ns() < c->not_before_ns)
        ;
    return false;
}

/* Sends the answer, once it is settled. Until then the engine gets none, keeps the connection among
 * those it has work with, and asks again at its next turn: that costs a call, where suspending and
 * resuming costs three system calls. So the first that is asked again settles for all of a turn. */
static enum MHD_Result answer(struct http_connection *c)
{
    if (c->ticket && !c->held) {
        c->held = true;
        return MHD_YES;
    }
    err refused = c->ticket ? c->loop->server->options->settle(&c->request, c->ticket) : ERR_OK;
    c->ticket = 0;
    if (refused)
        answer_instead(c, refused);
    if (is_early(c)) {
        if (!c->loop->early_ns || c->not_before_ns < c->loop->early_ns)
            c->loop->early_ns = c->not_before_ns;
        return MHD_YES;
    }
    c->not_before_ns = 0;
    return reply_queue(c);
}

static void take_id(struct http_connection *c)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t bits = random_next(&c->loop->random);
    for (size_t i = 0; i < 16; i++)
        c->id[i] = hex[bits >> (4 * i) & 15];
    c->cx.request_id = (str){ c->id, 16 };
}

/* A client's own request id is kept when it is short and plain. */
static void take_client_id(struct http_connection *c)
{
    str given = http_header(&c->request, "X-Request-Id");
    bool plain = given.n > 0 && given.n <= 64;
    for (size_t i = 0; plain && i < given.n; i++) {
        char ch = given.p[i];
        plain = (ch >= '0' && ch <= '9') || ((ch | 32) >= 'a' && (ch | 32) <= 'z') || ch == '-' ||
                ch == '_' || ch == '.';
    }
    if (plain)
        c->cx.request_id = given;
}

static struct http_connection *take_free(struct http_loop *loop)
{
    struct http_connection *c = loop->free;
    if (c) {
        loop->free = c->next;
        loop->free_count--;
        return c;
    }
    c = calloc(1, sizeof *c);
    if (c)
        c->arena = arena_make(loop->server->options->limits.memory_bytes);
    return c;
}

void *exchange_begin(void *self, const char *uri, struct MHD_Connection *mhd)
{
    struct http_loop *loop = self;
    struct http_connection *c = take_free(loop);
    if (!c)
        return NULL;
    struct arena arena = c->arena;
    *c = (struct http_connection){ .loop = loop, .mhd = mhd, .arena = arena };
    c->arena.cap_bytes = loop->server->options->limits.memory_bytes;
    c->cx = ctx_make(&c->arena);
    c->cx.now_ms = clock_now_ms();
    c->random = random_seeded(random_next(&loop->random));
    c->cx.random = &c->random;
    c->request = (struct http_request){ .cx = &c->cx, .connection = c,
                                        .store = loop->server->options->store,
                                        .live = loop->server->options->live,
                                        .gate_self = loop->server->options->gate_self };
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    c->peer = info ? info->socket_context : NULL;
    if (c->peer)
        c->peer->exchange = c;
    c->started_ns = clock_monotonic_ns();
    c->target = arena_copy(&c->arena, str_of(uri));
    take_id(c);
    c->prev = &loop->live;
    c->next = loop->live.next;
    c->next->prev = c->prev->next = c;
    return c;
}

static err pass_memory(struct http_connection *c)
{
    http_event(HTTP_EVENT_OVER_MEMORY);
    c->arena.cap_bytes += SPARE_MEMORY;
    c->arena.over = NULL;
    c->waits = false;
    c->response = (struct http_response){ 0 };
    return ctx_fail(&c->cx, ERR_LIMIT, (str){ 0 },
                    S("this request needs more memory than one request may use; make it smaller, "
                      "or split it"));
}

/* What the handler was lent (a reader of the store, a lock) goes back before the answer is sent: a
 * client that reads slowly must not keep it, for the loop that would send to it may itself be
 * waiting for one. So the answer's texts are taken along. No stream reads from what is lent. */
static void settle(struct http_connection *c)
{
    struct http_response *response = &c->response;
    size_t bytes = response->content_type.n + response->body.n;
    if (!c->cx.deferred)
        return;
    for (size_t i = 0; i < response->headers_count; i++)
        bytes += response->headers[i].name.n + response->headers[i].value.n;
    c->arena.cap_bytes += bytes + SPARE_MEMORY;
    if (str_given(response->body))
        response->body = arena_copy(&c->arena, response->body);
    response->content_type = arena_copy(&c->arena, response->content_type);
    for (size_t i = 0; i < response->headers_count; i++) {
        struct http_param *header = &response->headers[i];
        *header = (struct http_param){ arena_copy(&c->arena, header->name),
                                       arena_copy(&c->arena, header->value) };
    }
    ctx_release(&c->cx);
}

/* Runs the handler or its continuation; passing the memory cap comes back here: a 413. */
static void run(struct http_connection *c)
{
    jmp_buf over;
    bool begins = !c->then;
    http_handler *handler = begins ? c->request.route->handler : c->then;
    c->then = NULL;
    c->waits = false;
    atomic_store(&c->wake, WAKE_RUNNING);
    c->arena.over = &over;
    if (setjmp(over) == 0) {
        c->error = begins ? fields_check(&c->request, c->loop->server->options->repeats) : ERR_OK;
        if (c->error == ERR_OK)
            c->error = handler(&c->request, &c->response);
        if (c->waits && c->error == ERR_OK)
            return; /* the writer has the arena now */
    } else {
        c->error = pass_memory(c);
    }
    c->arena.over = NULL;
    c->waits = false;
    c->stage = STAGE_READY;
    if (c->error)
        fault(c, c->error);
    finish(c);
    settle(c);
}

/* Parks a suspended request until http_wake; if that came already, lets it go on at once. */
static void park(struct http_connection *c)
{
    int running = WAKE_RUNNING;
    if (!atomic_compare_exchange_strong(&c->wake, &running, WAKE_ASLEEP))
        exchange_resume(c);
}

void exchange_work(struct http_connection *c)
{
    run(c);
    if (c->waits)
        park(c); /* afterwards c may be gone */
    else
        exchange_resume(c);
}

static enum MHD_Result run_inline(struct http_connection *c)
{
    run(c);
    if (!c->waits)
        return answer(c);
    MHD_suspend_connection(c->mhd);
    park(c);
    return MHD_YES;
}

/* Before the body was read: this is not held, since the engine would go on reading. */
static enum MHD_Result fail_now(struct http_connection *c, err kind)
{
    c->stage = STAGE_READY;
    c->error = kind;
    fault(c, kind);
    finish(c);
    c->ticket = 0;
    return reply_queue(c);
}

static enum MHD_Result dispatch(struct http_connection *c)
{
    const struct http_limits *limits = &c->loop->server->options->limits;
    c->stage = STAGE_WORK;
    c->work_ns = clock_monotonic_ns();
    c->counted = true;
    atomic_fetch_add(&c->loop->server->active, 1);
    if (c->peer)
        c->peer->busy = true;
    if (c->error)
        return fail_now(c, c->error);
    c->request.body = (str){ c->body ? c->body : "", c->body_bytes };
    c->cx.deadline_ms = clock_monotonic_ms() + limits->work_ms;
    bool slow = c->request.route && (c->request.route->flags & ROUTE_SLOW);
    if (c->then || (!slow && c->body_bytes <= INLINE_BODY_BYTES))
        return run_inline(c);
    MHD_suspend_connection(c->mhd);
    if (!pool_submit(c->loop->server->pool, c)) {
        c->stage = STAGE_READY;
        c->error = ctx_fail(&c->cx, ERR_BUSY, (str){ 0 },
                            S("too much work is waiting; try again in a while"));
        fault(c, c->error);
        exchange_resume(c);
    }
    return MHD_YES;
}

static bool grow_body(struct http_connection *c, size_t wanted)
{
    const struct http_limits *limits = &c->loop->server->options->limits;
    if (wanted <= c->body_cap)
        return true;
    size_t cap = c->body_cap ? c->body_cap * 2 : FIRST_BODY_BYTES;
    cap = c->body_expected && cap > c->body_expected ? c->body_expected : cap;
    cap = cap < wanted ? wanted : cap;
    if ((uint64_t)http_gauge(HTTP_GAUGE_BODY_BYTES) + cap - c->body_cap > limits->bodies_bytes)
        return false;
    char *moved = realloc(c->body, cap);
    if (!moved)
        return false;
    http_gauge_add(HTTP_GAUGE_BODY_BYTES, (int64_t)(cap - c->body_cap));
    c->body = moved;
    c->body_cap = cap;
    return true;
}

/* libmicrohttpd takes no answer in the middle of a body, so one that grew too long is read on to
 * its end for a while, and then cut. */
static enum MHD_Result add_body(struct http_connection *c, const char *bytes, size_t n)
{
    size_t most = c->loop->server->options->limits.body_bytes;
    if (c->peer) {
        int64_t now = clock_monotonic_ms();
        c->peer->since_ms += (int64_t)n / LEAST_BYTES_PER_MS;
        c->peer->since_ms = c->peer->since_ms > now ? now : c->peer->since_ms;
    }
    if (!c->error && c->body_bytes + n > most)
        c->error = ctx_failf(&c->cx, ERR_LIMIT, (str){ 0 }, "the body is longer than the %zu "
                             "bytes this server takes; send it in parts", most);
    if (!c->error && !grow_body(c, c->body_bytes + n))
        c->error = ctx_fail(&c->cx, ERR_BUSY, (str){ 0 },
                            S("too many large bodies are being received; try again in a while"));
    if (!c->error)
        memcpy(c->body + c->body_bytes, bytes, n);
    c->body_bytes += n;
    c->close_after = c->close_after || c->error != ERR_OK;
    return c->body_bytes > 2 * most ? MHD_NO : MHD_YES;
}

static bool has_body(const struct http_request *request)
{
    str length = http_header(request, "Content-Length");
    return str_given(http_header(request, "Transfer-Encoding")) ||
           (length.n && !str_eq(length, S("0")));
}

/* Everything before the body; what it cannot keep in memory is a 413 as well. */
static enum MHD_Result begin_body(struct http_connection *c, const char *method)
{
    jmp_buf over;
    c->arena.over = &over;
    take_client_id(c);
    err refused = setjmp(over) == 0 ? head_check(c, str_of(method)) : ERR_LIMIT;
    c->arena.over = NULL;
    c->stage = STAGE_BODY;
    c->error = refused;
    if (!refused || !has_body(&c->request))
        return MHD_YES; /* an answer now would end the connection: wait for the whole request */
    c->close_after = true;
    return fail_now(c, refused);
}

enum MHD_Result exchange_step(void *self, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **exchange)
{
    (void)self, (void)mhd, (void)url, (void)version;
    struct http_connection *c = *exchange;
    if (!c)
        return MHD_NO;
    switch (c->stage) {
    case STAGE_HEAD:
        return begin_body(c, method);
    case STAGE_BODY:
        if (*upload_bytes == 0)
            return dispatch(c);
        enum MHD_Result result = add_body(c, upload, *upload_bytes);
        *upload_bytes = 0;
        return result;
    case STAGE_WORK:
        return run_inline(c);
    case STAGE_READY:
        return answer(c);
    case STAGE_SENT:
        break;
    }
    return MHD_YES;
}

static void give_back(struct http_connection *c)
{
    struct http_loop *loop = c->loop;
    if (c->body_cap)
        http_gauge_add(HTTP_GAUGE_BODY_BYTES, -(int64_t)c->body_cap);
    free(c->body);
    c->body = NULL;
    arena_reset(&c->arena);
    if (loop->free_count >= FREE_MAX) {
        arena_free(&c->arena);
        free(c);
        return;
    }
    c->next = loop->free;
    loop->free = c;
    loop->free_count++;
}

void exchange_end(void *self, struct MHD_Connection *mhd, void **exchange,
                  enum MHD_RequestTerminationCode why)
{
    (void)mhd, (void)why;
    struct http_loop *loop = self;
    struct http_connection *c = *exchange;
    if (!c)
        return;
    *exchange = NULL;
    if (c->peer) {
        c->peer->busy = false;
        c->peer->exchange = NULL;
        c->peer->since_ms = clock_monotonic_ms();
    }
    if (c->response.stream_end)
        c->response.stream_end(c->response.stream_self);
    if (c->stage == STAGE_SENT)
        request_log(c);
    ctx_release(&c->cx);
    c->prev->next = c->next;
    c->next->prev = c->prev;
    if (c->counted)
        atomic_fetch_sub(&loop->server->active, 1);
    if (c->streams)
        http_gauge_add(HTTP_GAUGE_STREAMS, -1);
    give_back(c);
}

void exchange_free_all(struct http_loop *loop)
{
    while (loop->free) {
        struct http_connection *c = loop->free;
        loop->free = c->next;
        arena_free(&c->arena);
        free(c);
    }
}
