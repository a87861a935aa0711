/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/feed.h"
#include "auth/gate.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/text.h"
#include "store/access.h"
#include <pthread.h>

enum { CALL_BYTES = 256 << 20 };

struct feed {
    struct store *store;
    struct live *live;
    const struct feed_view *const *views;
    struct store_watch watch;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int64_t committed; /* last seq the store told of */
    bool waiting;      /* for a commit */
    int64_t drawn;     /* last seq the views have seen */
    bool stop;
};

/* On the writer's thread: only notes the number. */
static void note_commit(const struct store_watch *watch, int64_t seq)
{
    struct feed *feed = watch->self;
    pthread_mutex_lock(&feed->lock);
    if (feed->waiting) /* in a pause it looks by itself when that is over */
        pthread_cond_signal(&feed->changed);
    feed->committed = seq;
    pthread_mutex_unlock(&feed->lock);
}

static void call_views(const struct feed *feed, struct ctx *cx,
                       const struct store_versions *versions, int64_t seq)
{
    for (const struct feed_view *const *view = feed->views; *view; view++)
        (*view)->changed(cx, feed->store, feed->live, versions, seq);
}

/* One call of every view; returns the seq they have now seen. */
static int64_t draw_batch(const struct feed *feed, struct ctx *cx, int64_t committed)
{
    struct store_versions versions = { 0 };
    if (store_reader(cx, feed->store) != ERR_OK ||
        store_log(cx, feed->store, feed->drawn, FEED_BATCH, &versions) != ERR_OK) {
        call_views(feed, cx, NULL, committed);
        return committed;
    }
    if (versions.count == 0)
        return committed;
    int64_t seq = versions.list[versions.count - 1].seq;
    call_views(feed, cx, &versions, seq);
    return seq;
}

/* Runs draw_batch so that a view which wants too much memory loses its call and nothing else. */
static void draw(struct feed *feed, int64_t committed)
{
    struct arena arena = arena_make(CALL_BYTES);
    struct ctx cx = ctx_make(&arena);
    jmp_buf over;
    cx.now_ms = clock_now_ms();
    arena.over = &over;
    if (setjmp(over) == 0) {
        feed->drawn = draw_batch(feed, &cx, committed);
    } else {
        log_line(LOG_ERROR, (str){ 0 }, "a board needed more memory than it may have");
        feed->drawn = committed;
    }
    ctx_release(&cx);
    arena_free(&arena);
}

static void wait_ms(struct feed *feed, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!feed->stop &&
           pthread_cond_timedwait(&feed->changed, &feed->lock, &until) == 0)
        ;
}

static void *follow(void *self)
{
    struct feed *feed = self;
    int64_t began_ms = 0; /* of the last round */
    pthread_mutex_lock(&feed->lock);
    while (!feed->stop) {
        if (feed->committed <= feed->drawn) {
            feed->waiting = true;
            pthread_cond_wait(&feed->changed, &feed->lock);
            feed->waiting = false;
            continue;
        }
        int64_t rest_ms = began_ms + FEED_PACE_MS - clock_monotonic_ms();
        wait_ms(feed, rest_ms > FEED_GATHER_MS ? rest_ms : FEED_GATHER_MS);
        began_ms = clock_monotonic_ms();
        int64_t committed = feed->committed;
        pthread_mutex_unlock(&feed->lock);
        do
            draw(feed, committed);
        while (feed->drawn < committed); /* more than one batch */
        pthread_mutex_lock(&feed->lock);
    }
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}

err feed_start(struct ctx *cx, struct store *store, struct live *live,
               const struct feed_view *const *views, struct feed **out)
{
    struct feed *feed = arena_zero(cx->arena, sizeof *feed);
    feed->store = store;
    feed->live = live;
    feed->views = views;
    feed->committed = feed->drawn = store_seq(store);
    feed->watch = (struct store_watch){ .changed = note_commit, .self = feed };
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->changed, NULL);
    if (pthread_create(&feed->thread, NULL, follow, feed) != 0)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("cannot start threads: a limit of the system"));
    store_watch(store, &feed->watch);
    *out = feed;
    return ERR_OK;
}

void feed_stop(struct feed *feed)
{
    if (!feed)
        return;
    store_unwatch(feed->store, &feed->watch);
    pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    pthread_cond_signal(&feed->changed);
    pthread_mutex_unlock(&feed->lock);
    pthread_join(feed->thread, NULL);
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->changed);
}

/* ---- who may follow what ---- */

bool feed_may_follow(const struct ctx *cx, str ward)
{
    str areas = cx->user ? cx->user->person.areas : S(""), area;
    if (!cx->access || cx->access->any_patient)
        return true;
    while (str_next(&areas, ' ', &area))
        if (str_eq(area, ward))
            return true;
    return false;
}

err feed_open(struct http_request *request, struct http_response *response, const char *wards,
              const char *patients)
{
    struct ctx *cx = request->cx;
    str ward = http_query_value(cx->arena, request->query, S("ward"));
    str patient = http_query_value(cx->arena, request->query, S("patient"));
    struct store_version version;
    if (patient.n)
        TRY(store_read(cx, request->store, fhir_resource_find(S("Patient")), patient, &version));
    else if (!ward.n)
        return ctx_fail(cx, ERR_INVALID, S("ward"),
                        S("say whose changes: ?ward=ID or ?patient=ID"));
    else if (!feed_may_follow(cx, ward))
        return ctx_fail(cx, ERR_FORBIDDEN, S("ward"), S("you do not work on this ward"));
    str channel = arena_printf(cx->arena, "%s%.*s", patient.n ? patients : wards,
                               STR_ARG(patient.n ? patient : ward));
    return live_open(request->live, channel, request, response);
}
