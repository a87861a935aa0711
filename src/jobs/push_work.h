/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/secret.h"
#include "jobs/push.h"
#include "store/store.h"
#include <pthread.h>
#include <wslay/wslay.h>

/*
 * push_work: what the files of push share. Private.
 *
 * push.c         listeners, and the thread that tells them
 * push_stream.c  event streams: read by the HTTP loops
 * push_ws.c      websockets: read and written by the thread alone
 */
enum { PUSH_ID_BYTES = 64, PUSH_TEXT_BYTES = 130 << 20 };

/* One subscription heard by one stream or socket. Under the lock, but for a socket's own. */
struct listener {
    struct listener *next, *prev;
    struct push *push;
    uint64_t serial;              /* tells whether it is still there */
    char id[PUSH_ID_BYTES];
    size_t id_bytes;
    int64_t number;               /* of the last event told; -1: from now on */
    bool greeted, news, over;     /* news: there may be events after it */
    int64_t spoke_ms, beat_ms;    /* monotonic; beat_ms: of the subscription, 0: none */
    struct socket *socket;        /* websocket; NULL: event stream */
    struct http_request *request; /* event stream */
    struct arena arena;           /* of text */
    str text;                     /* waits to be read; n 0: nothing does */
    size_t sent_bytes;
};
struct token {
    char hash[SECRET_HASH_BYTES];
    int64_t expires_ms;           /* wall clock; 0: free */
    size_t count;
    char ids[PUSH_BOUND_MAX][PUSH_ID_BYTES + 1];
};
struct socket {
    struct socket *next, *prev;
    struct arena arena;           /* holds this struct, too */
    struct push *push;
    int fd;
    wslay_event_context_ptr ws;
    int64_t opened_ms, pinged_ms; /* monotonic */
    struct listener *bound[PUSH_BOUND_MAX];
    size_t bound_count;
    str early;                    /* came with the request's own bytes, not read yet */
    bool broken;
};
struct push {
    struct push_options options;
    pthread_mutex_t lock;
    pthread_t thread;
    int epoll, event;
    bool stop;
    uint64_t serials;
    size_t streams_count;         /* and sockets */
    struct listener listeners;    /* ring head */
    struct socket sockets;        /* ring head; the thread's own */
    struct socket *arrivals;      /* handed over, not yet taken; a list by next */
    struct token *tokens;
};
void push_ring(struct push *push);                 /* wakes the thread */
bool push_enter(struct push *push, struct listener *listener, str id); /* under the lock */
void push_leave(struct push *push, struct listener *listener);         /* under the lock */
/* push_ws.c; on the thread */
void push_take_arrivals(struct push *push);
void push_socket_events(struct socket *socket, unsigned events);
void push_tend_sockets(struct push *push, int64_t now_ms, bool all_end);
bool push_socket_ready(const struct socket *socket); /* nothing waits to be sent */
void push_socket_say(struct socket *socket, str text);
/* The ids a token stands for; used up. 0: none, or not in time. Under the lock. */
size_t push_use_token(struct push *push, str text, char ids[][PUSH_ID_BYTES + 1]);
