/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/random.h"
#include "http/router.h"
#include "http/server.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/*
 * http's own: the pieces of a running server. Nothing outside src/http includes this.
 *
 * server.c    listens, hands connections to the loops, stops
 * exchange.c  one request: read, run, answered
 * head.c      what its first lines say: limits, route, who may
 * fields.c    a form's field that comes twice
 * reply.c     a response as libmicrohttpd wants it
 * pool.c      the workers
 */

/* One TCP connection. A connection that completes no request in time is cut by its loop. */
struct http_peer {
    struct http_peer *next, *prev;
    int fd;
    int64_t since_ms; /* monotonic; when patience with it began */
    bool busy;        /* we work on its request: it need not hurry */
    struct http_connection *exchange; /* begun and not ended; NULL: none */
};

enum http_stage { STAGE_HEAD, STAGE_BODY, STAGE_WORK, STAGE_READY, STAGE_SENT };

/* One request and its answer. */
struct http_connection {
    struct http_connection *next, *prev; /* of the loop's live ones; next also in its free list */
    struct http_loop *loop;
    struct MHD_Connection *mhd;
    struct http_peer *peer;
    struct arena arena;
    struct ctx cx;
    struct http_request request;
    struct http_response response;
    http_handler *then;      /* continues a waiting request */
    enum http_stage stage;
    err error;               /* what the handler returned */
    bool waits;              /* the handler called http_wait */
    bool streams, close_after;
    bool counted;            /* among the server's active requests */
    bool held;               /* since the last turn */
    uint64_t ticket;         /* of http_hold; 0: none */
    struct random random;
    _Atomic int wake;        /* enum wake_state */
    struct http_connection *woken_next;
    str target;              /* path and query as sent */
    char id[24];
    char *body;
    size_t body_bytes, body_cap, body_expected;
    int64_t started_ns, work_ns; /* its head came; all of it was there */
    int64_t not_before_ns;       /* of http_not_before; 0: whenever it is ready */
    uint64_t sent_bytes;
};
enum wake_state { WAKE_RUNNING, WAKE_ASLEEP, WAKE_WOKEN };

struct http_loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    int poll, arrivals[2];          /* epoll of the engine and of a pipe of new connections */
    int woken_event;                /* some connection stands in `woken` */
    _Atomic(struct http_connection *) woken; /* to be resumed by the loop; a stack */
    struct random random;
    uint64_t requests;              /* so far; the second half of request ids */
    struct http_peer peers;         /* ring heads */
    struct http_connection live;
    struct http_connection *free;
    size_t free_count;
    char *log;                      /* lines not yet written */
    size_t log_bytes;
    int64_t swept_ms;
    int64_t early_ns;               /* when the first answer held back may go; 0: none is */
};

struct http_pool;
struct http_server {
    const struct http_options *options;
    struct router router;
    struct http_loop *loops;
    struct http_pool *pool;
    pthread_t acceptor;
    int listener, stop_event, port;
    _Atomic int stopping;           /* 1: accept nothing, end streams; 2: loops end */
    _Atomic int64_t connections, active;
};

/* exchange.c: libmicrohttpd's callbacks */
void *exchange_begin(void *loop, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result exchange_step(void *loop, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **exchange);
void exchange_end(void *loop, struct MHD_Connection *mhd, void **exchange,
                  enum MHD_RequestTerminationCode why);
/* Runs the handler of a suspended request on a worker and lets its loop go on. */
void exchange_work(struct http_connection *connection);
void exchange_free_all(struct http_loop *loop);
/* Lets the loop go on with a suspended request. From any thread: the engine itself is only ever
 * called by the loop's own. */
void exchange_resume(struct http_connection *connection);

/* head.c: everything decided before the body is read. ERR_OK: read on. */
err head_check(struct http_connection *connection, str method) MUST_USE;
/* ERR_INVALID: a field came twice where one is meant. */
err fields_check(struct http_request *request, const char *const *repeats) MUST_USE;

/* reply.c */
enum MHD_Result reply_queue(struct http_connection *connection);

/* log_requests.c */
void request_log(struct http_connection *connection);
void request_log_flush(struct http_loop *loop);

/* pool.c */
struct http_pool *pool_start(int workers, int queue_max);
bool pool_submit(struct http_pool *pool, struct http_connection *connection); /* false: full */
void pool_stop(struct http_pool *pool);
