/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "base/clock.h"
#include "jobs/notification.h"
#include "jobs/once.h"
#include "jobs/push_work.h"
#include "jobs/subscription_work.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TICK_MS = 500, EVENTS_AT_ONCE = 64 };
#define TELL_MEMORY_BYTES ((size_t)512 << 20)

void push_ring(struct push *push)
{
    uint64_t one = 1;
    (void)!write(push->event, &one, sizeof one);
}

/* ---- listeners: the callers hold the lock ---- */

bool push_enter(struct push *push, struct listener *l, str id)
{
    if (id.n > PUSH_ID_BYTES)
        return false;
    l->push = push;
    l->serial = ++push->serials;
    memcpy(l->id, id.p, id.n);
    l->id_bytes = id.n;
    l->arena = arena_make(PUSH_TEXT_BYTES);
    l->spoke_ms = clock_monotonic_ms();
    l->prev = &push->listeners;
    l->next = push->listeners.next;
    l->next->prev = l->prev->next = l;
    return true;
}

void push_leave(struct push *push, struct listener *l)
{
    (void)push;
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->next = NULL;
    arena_free(&l->arena);
}

static struct listener *find_serial(struct push *push, uint64_t serial)
{
    for (struct listener *l = push->listeners.next; l != &push->listeners; l = l->next)
        if (l->serial == serial)
            return l;
    return NULL;
}

static void mark(struct push *push, str id, bool over)
{
    bool any = false;
    pthread_mutex_lock(&push->lock);
    for (struct listener *l = push->listeners.next; l != &push->listeners; l = l->next) {
        if (!str_eq((str){ l->id, l->id_bytes }, id))
            continue;
        l->news = any = true;
        l->over = l->over || over;
        if (over && l->request)
            http_wake(l->request);
    }
    pthread_mutex_unlock(&push->lock);
    if (any)
        push_ring(push);
}

void push_wake(struct push *push, str subscription)
{
    mark(push, subscription, false);
}

void push_end(struct push *push, str subscription)
{
    mark(push, subscription, true);
}

/* ---- what a listener is told next ---- */

struct telling {
    struct push *push;
    uint64_t serial;
    str id;
    int64_t number;     /* as the listener's */
    bool greeted, beat;
};

static void hand_over(struct telling *t, int64_t number, int64_t heartbeat_s, str text)
{
    struct push *push = t->push;
    pthread_mutex_lock(&push->lock);
    struct listener *l = find_serial(push, t->serial);
    if (l) {
        l->beat_ms = heartbeat_s * 1000;
        l->greeted = true;
        l->news = l->news || number > l->number;
        l->number = number;
        l->spoke_ms = clock_monotonic_ms();
        if (l->socket) {
            push_socket_say(l->socket, text);
        } else if (text.n < PUSH_TEXT_BYTES - 65536) {
            arena_reset(&l->arena);
            l->text = arena_copy(&l->arena, text);
            l->sent_bytes = 0;
            http_wake(l->request);
        } else {
            l->over = true;
            http_wake(l->request);
        }
    }
    pthread_mutex_unlock(&push->lock);
}

static void end_listener(struct telling *t)
{
    pthread_mutex_lock(&t->push->lock);
    struct listener *l = find_serial(t->push, t->serial);
    if (l) {
        l->over = true;
        if (l->request)
            http_wake(l->request);
    }
    pthread_mutex_unlock(&t->push->lock);
}

/* An event stream's block; a websocket gets the bundle as it is. */
static str dressed(struct ctx *cx, const struct telling *t, int64_t number, bool event, str body)
{
    pthread_mutex_lock(&t->push->lock);
    struct listener *l = find_serial(t->push, t->serial);
    bool stream = l && !l->socket;
    pthread_mutex_unlock(&t->push->lock);
    if (!stream)
        return body;
    if (event)
        return arena_printf(cx->arena, "id: %lld\ndata: %.*s\n\n", (long long)number,
                            STR_ARG(body));
    return arena_printf(cx->arena, "data: %.*s\n\n", STR_ARG(body));
}

static err note_told(struct ctx *cx, const struct telling *t, const struct user *user,
                     const struct notification *n, struct access_seen *seen)
{
    if (!t->push->options.audit || !user->asker.role || !n->to)
        return ERR_OK;
    struct audit_entry entry = {
        .at_ms = clock_now_ms(), .who = audit_who(cx->arena, user), .act = AUDIT_READ,
        .role = str_of(user->asker.role->name),
        .what = arena_printf(cx->arena, "Subscription/%.*s events %lld to %lld", STR_ARG(t->id),
                             (long long)n->from, (long long)n->to) };
    uint64_t ticket;
    TRY(audit_note_seen(cx, t->push->options.audit, &entry, seen, &ticket));
    return audit_settle(cx, t->push->options.audit, ticket);
}

/* Greets, tells the next events, or gives a sign of life; nothing when there is nothing to tell. */
static err tell(struct ctx *cx, void *self)
{
    struct telling *t = self;
    const struct push_options *options = &t->push->options;
    struct store_version version;
    struct json body;
    struct subscription s;
    struct subscription_state state;
    struct user user;
    const struct store_access *access;
    TRY(store_read(cx, options->store, fhir_resource_find(S("Subscription")), t->id, &version));
    TRY(json_parse(cx, version.body, &body));
    TRY(subscription_read(cx, body, &s));
    TRY(subscription_state_find(cx, options->store, t->id, &state));
    if (!str_eq(s.status, S("active")))
        return ERR_GONE;
    TRY(gate_kept(cx, options->gate, state.kept, &user, &access));
    int64_t told = t->number < 0 ? state.last : t->number;
    int64_t most = s.max_count ? s.max_count : SUBSCRIPTION_BATCH;
    bool event = t->greeted && told < state.last;
    if (t->greeted && !event && !t->beat)
        return ERR_OK;
    struct notification n = { .subscription = &s, .base = options->base, .status = s.status,
        .type = !t->greeted ? "handshake" : event ? "event-notification" : "heartbeat",
        .rid = state.rid, .last = state.last, .content = SUBSCRIPTION_EMPTY };
    if (event) {
        n.content = s.content;
        n.from = told + 1;
        n.last = n.to = told + most < state.last ? told + most : state.last;
    }
    str text;
    cx->access = access;
    err wrong = notification_write(cx, options->store, &n, &text);
    cx->access = NULL;
    TRY(wrong);
    TRY(note_told(cx, t, &user, &n, access ? access->seen : NULL));
    hand_over(t, event ? n.to : told, s.heartbeat_s,
              dressed(cx, t, n.to, event, text));
    return ERR_OK;
}

/* Under the lock: the next listener with something to be told; false: none. */
static bool next_telling(struct push *push, char id[PUSH_ID_BYTES], struct telling *out)
{
    int64_t now_ms = clock_monotonic_ms();
    for (struct listener *l = push->listeners.next; l != &push->listeners; l = l->next) {
        bool beat = l->beat_ms && now_ms - l->spoke_ms >= l->beat_ms;
        if (l->over || (l->greeted && !l->news && !beat))
            continue;
        if (l->socket ? !push_socket_ready(l->socket) : l->text.n > 0)
            continue;
        memcpy(id, l->id, l->id_bytes);
        *out = (struct telling){ push, l->serial, { id, l->id_bytes }, l->number, l->greeted,
                                 beat && !l->news };
        l->news = false;
        return true;
    }
    return false;
}

static void tell_all(struct push *push)
{
    char id[PUSH_ID_BYTES];
    struct telling telling;
    for (;;) {
        pthread_mutex_lock(&push->lock);
        bool any = !push->stop && next_telling(push, id, &telling);
        pthread_mutex_unlock(&push->lock);
        if (!any)
            return;
        if (job_once(TELL_MEMORY_BYTES, tell, &telling))
            end_listener(&telling);
    }
}

/* ---- the thread ---- */

static void beat_streams(struct push *push)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&push->lock);
    for (struct listener *l = push->listeners.next; l != &push->listeners; l = l->next)
        if (l->request && l->text.n == 0 && now_ms - l->spoke_ms >= PUSH_BEAT_MS)
            http_wake(l->request);
    pthread_mutex_unlock(&push->lock);
}

static bool is_stopping(struct push *push)
{
    pthread_mutex_lock(&push->lock);
    bool stop = push->stop;
    pthread_mutex_unlock(&push->lock);
    return stop;
}

static void *run(void *self)
{
    struct push *push = self;
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!is_stopping(push)) {
        int count = epoll_wait(push->epoll, events, EVENTS_AT_ONCE, TICK_MS);
        for (int i = 0; i < count; i++) {
            uint64_t rings;
            if (events[i].data.ptr)
                push_socket_events(events[i].data.ptr, events[i].events);
            else
                (void)!read(push->event, &rings, sizeof rings);
        }
        push_take_arrivals(push);
        tell_all(push);
        push_tend_sockets(push, clock_monotonic_ms(), is_stopping(push));
        beat_streams(push);
    }
    push_take_arrivals(push);
    push_tend_sockets(push, clock_monotonic_ms(), true);
    return NULL;
}

err push_start(struct ctx *cx, const struct push_options *options, struct push **out)
{
    struct push *push = arena_zero(cx->arena, sizeof *push);
    struct epoll_event ring = { .events = EPOLLIN };
    push->options = *options;
    push->listeners.next = push->listeners.prev = &push->listeners;
    push->sockets.next = push->sockets.prev = &push->sockets;
    push->tokens = arena_array(cx->arena, PUSH_TOKENS_MAX, sizeof *push->tokens);
    pthread_mutex_init(&push->lock, NULL);
    push->epoll = epoll_create1(EPOLL_CLOEXEC);
    push->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (push->epoll < 0 || push->event < 0 ||
        epoll_ctl(push->epoll, EPOLL_CTL_ADD, push->event, &ring) ||
        pthread_create(&push->thread, NULL, run, push))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of file handles or threads"));
    *out = push;
    return ERR_OK;
}

void push_stop(struct push *push)
{
    pthread_mutex_lock(&push->lock);
    bool first = !push->stop;
    push->stop = true;
    for (struct listener *l = push->listeners.next; l != &push->listeners; l = l->next) {
        l->over = true;
        if (l->request)
            http_wake(l->request);
    }
    pthread_mutex_unlock(&push->lock);
    push_ring(push);
    if (first)
        pthread_join(push->thread, NULL);
}

void push_free(struct push *push)
{
    close(push->epoll);
    close(push->event);
    pthread_mutex_destroy(&push->lock);
}

/* ---- tokens ---- */

err push_token(struct ctx *cx, struct push *push, struct push_token *out)
{
    int64_t now_ms = clock_now_ms();
    str text = secret_text(cx->arena), hash = secret_hash(cx->arena, text);
    pthread_mutex_lock(&push->lock);
    size_t i = 0;
    while (i < PUSH_TOKENS_MAX && push->tokens[i].expires_ms > now_ms)
        i++;
    if (i < PUSH_TOKENS_MAX) {
        struct token *token = &push->tokens[i];
        memcpy(token->hash, hash.p, hash.n);
        token->expires_ms = now_ms + PUSH_TOKEN_MS;
        token->count = 0;
        for (size_t k = 0; k < out->ids_count; k++) {
            size_t n = out->ids[k].n < PUSH_ID_BYTES ? out->ids[k].n : PUSH_ID_BYTES;
            memcpy(token->ids[k], out->ids[k].p, n);
            token->ids[k][n] = '\0';
            token->count++;
        }
    }
    pthread_mutex_unlock(&push->lock);
    if (i == PUSH_TOKENS_MAX)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("too many tokens wait to be used; try again in "
                                                    "a few minutes"));
    out->text = text;
    out->expires_ms = now_ms + PUSH_TOKEN_MS;
    return ERR_OK;
}

size_t push_use_token(struct push *push, str text, char ids[][PUSH_ID_BYTES + 1])
{
    char memory[256];
    struct arena arena = arena_in(memory, sizeof memory, 65536);
    str hash = secret_hash(&arena, text);
    int64_t now_ms = clock_now_ms();
    size_t count = 0;
    for (size_t i = 0; i < PUSH_TOKENS_MAX && !count; i++) {
        struct token *token = &push->tokens[i];
        if (token->expires_ms <= now_ms ||
            !secret_same((str){ token->hash, sizeof token->hash }, hash))
            continue;
        count = token->count;
        memcpy(ids, token->ids, count * sizeof token->ids[0]);
        token->expires_ms = 0;
    }
    arena_free(&arena);
    return count;
}
