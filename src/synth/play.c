/* SPDX-License-Identifier: Apache-2.0 */
#include "synth/play.h"
#include "base/clock.h"
#include "base/log.h"
#include "clinical/london.h"
#include <math.h>
#include <pthread.h>

enum { ROUND_BYTES = 64 << 20 };

struct play {
    struct play_options options;
    struct random random;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, rests; /* rests: said that it stands still */
};

/* clang-format off: an hour of the day each; shapes of a general hospital, ours. */
static const double arrivals_by_hour[24] = {
    0.6, 0.5, 0.4, 0.4, 0.4, 0.5, 0.6, 0.8, 0.9, 1.0, 1.2, 1.4,
    1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.4, 1.3, 1.2, 1.1, 0.9, 0.8 };
static const double discharges_by_hour[24] = {
    0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 0.8, 1.4, 1.8,
    2.0, 2.1, 2.3, 2.4, 2.3, 2.1, 1.8, 1.4, 0.9, 0.5, 0.3, 0.2 };
/* clang-format on */

static bool is_weekend(int64_t now_ms)
{
    return london_weekday(london_day(now_ms)) >= 5;
}

double play_arrivals(int64_t now_ms)
{
    return arrivals_by_hour[london_civil(now_ms).hour] * (is_weekend(now_ms) ? 0.9 : 1.04);
}

double play_discharges(int64_t now_ms)
{
    return discharges_by_hour[london_civil(now_ms).hour] * (is_weekend(now_ms) ? 0.75 : 1.1);
}

bool play_happens(struct play_hand *hand, double per_hour)
{
    return random_unit(hand->random) < 1 - exp(-per_hour * hand->hours);
}

size_t play_pick(struct play_hand *hand, size_t count)
{
    return (size_t)random_below(hand->random, count);
}

/* ---- the clock ---- */

static void run_acts(struct play *play, struct ctx *cx)
{
    struct play_hand hand = { .cx = cx, .store = play->options.store, .random = &play->random,
                              .speed = play->options.speed,
                              .hours = play->options.speed * PLAY_TICK_MS / 3600000.0 };
    for (const struct play_act *const *act = play->options.acts; *act; act++) {
        err wrong = store_reader(cx, play->options.store);
        if (wrong == ERR_OK)
            wrong = (*act)->run(&hand);
        store_reader_end(cx);
        if (wrong && wrong != ERR_CONFLICT && wrong != ERR_RULE)
            log_line(LOG_WARNING, (str){ 0 }, "demonstration: %s: %.*s", (*act)->name,
                     STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("failed")));
        cx->issues = (struct issues){ .arena = cx->arena };
    }
}

/* An act that wants too much memory loses its turn and nothing else. */
static void round_once(struct play *play)
{
    struct arena arena = arena_make(ROUND_BYTES);
    struct ctx cx = ctx_make(&arena);
    jmp_buf over;
    cx.now_ms = clock_now_ms();
    cx.random = &play->random; /* ids of what is made */
    arena.over = &over;
    if (setjmp(over) == 0)
        run_acts(play, &cx);
    ctx_release(&cx);
    arena_free(&arena);
}

static bool may_go_on(struct play *play)
{
    const struct play_options *options = &play->options;
    bool full = store_seq(options->store) >= PLAY_VERSIONS_MAX;
    if (full && !play->rests)
        log_line(LOG_WARNING, (str){ 0 }, "demonstration: %d versions are enough: it stands still "
                 "from here on; remove the folder to begin anew", PLAY_VERSIONS_MAX);
    play->rests = full;
    return !full && (!options->watched_ms ||
                     clock_monotonic_ms() - options->watched_ms(options->self) < PLAY_WATCHED_MS);
}

static void *live_on(void *self)
{
    struct play *play = self;
    pthread_mutex_lock(&play->lock);
    while (!play->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PLAY_TICK_MS / 1000;
        pthread_cond_timedwait(&play->changed, &play->lock, &until);
        if (play->stop)
            break;
        pthread_mutex_unlock(&play->lock);
        if (may_go_on(play))
            round_once(play);
        pthread_mutex_lock(&play->lock);
    }
    pthread_mutex_unlock(&play->lock);
    return NULL;
}

err play_start(struct ctx *cx, const struct play_options *options, struct play **out)
{
    struct play *play = arena_zero(cx->arena, sizeof *play);
    play->options = *options;
    play->random = random_seeded(options->seed);
    pthread_mutex_init(&play->lock, NULL);
    pthread_cond_init(&play->changed, NULL);
    if (pthread_create(&play->thread, NULL, live_on, play) != 0)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("cannot start threads: a limit of the system"));
    *out = play;
    return ERR_OK;
}

void play_stop(struct play *play)
{
    if (!play)
        return;
    pthread_mutex_lock(&play->lock);
    play->stop = true;
    pthread_cond_signal(&play->changed);
    pthread_mutex_unlock(&play->lock);
    pthread_join(play->thread, NULL);
    pthread_mutex_destroy(&play->lock);
    pthread_cond_destroy(&play->changed);
}
