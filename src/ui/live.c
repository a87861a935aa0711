/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/live.h"
#include "auth/gate.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "http/text.h"
#include <pthread.h>

/*
 * One lock guards everything; it is held for copying a few kilobytes at most. http_wake may be
 * called under it: it never blocks. Program-lifetime memory comes from arenas of the structures'
 * own, text from one ring of bytes a channel.
 */
enum { CHANNELS_MAX = 512, NAME_BYTES = 128, EXPECT_MS = 60000, SHARED_BYTES = 1 << 30,
       BEAT_ARENA_BYTES = 1 << 20 };

/* An event's text, ready to be sent, lies at `at` (counted from the channel's beginning). */
struct event {
    int64_t seq;
    uint64_t at;
    size_t bytes;
};

struct channel {
    char name[NAME_BYTES];
    size_t name_bytes;
    struct event events[LIVE_RING];
    uint64_t first, next;       /* numbers of the oldest event kept and of the one to come */
    char *text;                 /* LIVE_RING_BYTES, used round and round */
    uint64_t text_at;
    int64_t missed_seq;         /* what happened up to here is not in the ring */
    int64_t watched_until_ms;   /* monotonic */
    struct stream *streams;
};

struct stream {
    struct stream *next, *prev;
    struct live *live;
    struct channel *channel;
    struct http_request *request;
    uint64_t event;             /* number of the next one to send */
    size_t sent_bytes;          /* of that one */
    int64_t spoke_ms;           /* monotonic; when something was last sent */
    bool greeted, reload, over, idle;
    char owner[SECRET_HASH_BYTES]; /* hash of the session it was opened in */
    struct people *people;         /* NULL: it was opened in none */
};

struct live {
    pthread_mutex_t lock;
    pthread_cond_t stopping;
    pthread_t beater;
    bool stop;
    int64_t beat_ms;
    int streams_max;
    size_t streams_count;
    int64_t start_seq;
    struct arena arena;
    struct channel *channels[CHANNELS_MAX];
    size_t channels_count;
};

/* ---- channels: the callers hold the lock ---- */

/* Finds it or makes it; NULL when there are too many. */
static struct channel *channel_of(struct live *live, str name)
{
    for (size_t i = 0; i < live->channels_count; i++) {
        struct channel *channel = live->channels[i];
        if (str_eq((str){ channel->name, channel->name_bytes }, name))
            return channel;
    }
    if (live->channels_count == CHANNELS_MAX || name.n > NAME_BYTES)
        return NULL;
    struct channel *channel = arena_zero(&live->arena, sizeof *channel);
    channel->text = arena_alloc(&live->arena, LIVE_RING_BYTES);
    memcpy(channel->name, name.p, name.n);
    channel->name_bytes = name.n;
    channel->missed_seq = live->start_seq;
    live->channels[live->channels_count++] = channel;
    return channel;
}

static const struct event *event_of(const struct channel *channel, uint64_t number)
{
    return &channel->events[number % LIVE_RING];
}

/* Drops what the text to come would overwrite, and the oldest when the ring is full. */
static void make_room(struct channel *channel, size_t bytes)
{
    while (channel->first < channel->next) {
        const struct event *oldest = event_of(channel, channel->first);
        bool overwritten = channel->text_at + bytes > oldest->at + LIVE_RING_BYTES;
        if (!overwritten && channel->next - channel->first < LIVE_RING)
            return;
        channel->missed_seq = oldest->seq;
        channel->first++;
    }
}

static void ring_write(struct channel *channel, str text)
{
    size_t place = (size_t)(channel->text_at % LIVE_RING_BYTES);
    size_t head = text.n < LIVE_RING_BYTES - place ? text.n : LIVE_RING_BYTES - place;
    memcpy(channel->text + place, text.p, head);
    memcpy(channel->text, text.p + head, text.n - head);
    channel->text_at += text.n;
}

static void ring_read(const struct channel *channel, uint64_t at, char *out, size_t bytes)
{
    size_t place = (size_t)(at % LIVE_RING_BYTES);
    size_t head = bytes < LIVE_RING_BYTES - place ? bytes : LIVE_RING_BYTES - place;
    memcpy(out, channel->text + place, head);
    memcpy(out + head, channel->text, bytes - head);
}

/* A stream that is sending asks again by itself. */
static void wake(struct stream *stream)
{
    if (stream->idle)
        http_wake(stream->request);
    stream->idle = false;
}

static void wake_all(const struct channel *channel)
{
    for (struct stream *stream = channel->streams; stream; stream = stream->next)
        wake(stream);
}

/* ---- publishing ---- */

/* A line break inside data would end the event, so each line gets its own "data:". */
static void write_data(struct channel *channel, str html)
{
    str line;
    while (str_next(&html, '\n', &line)) {
        ring_write(channel, S("data: "));
        ring_write(channel, line);
        ring_write(channel, S("\n"));
    }
}

static size_t data_bytes(str html)
{
    size_t lines = 1;
    for (size_t i = 0; i < html.n; i++)
        lines += html.p[i] == '\n';
    return html.n + lines * sizeof "data: ";
}

static void publish(struct live *live, str name, int64_t seq, str type, str html)
{
    pthread_mutex_lock(&live->lock);
    struct channel *channel = channel_of(live, name);
    if (!channel) { /* nor can a screen open one so named */
        pthread_mutex_unlock(&live->lock);
        return;
    }
    if (html.n > LIVE_EVENT_BYTES) {
        html = S("");
        type = S("event: reload\n");
    }
    char id[32];
    int id_bytes = snprintf(id, sizeof id, "id: %lld\n", (long long)seq);
    make_room(channel, (size_t)id_bytes + type.n + data_bytes(html) + 1);
    struct event event = { .seq = seq, .at = channel->text_at };
    ring_write(channel, (str){ id, (size_t)id_bytes });
    ring_write(channel, type);
    write_data(channel, html.n ? html : S(" "));
    ring_write(channel, S("\n"));
    event.bytes = (size_t)(channel->text_at - event.at);
    channel->events[channel->next++ % LIVE_RING] = event;
    wake_all(channel);
    pthread_mutex_unlock(&live->lock);
}

void live_publish(struct live *live, str channel, int64_t seq, str html)
{
    publish(live, channel, seq, S(""), html);
}

void live_publish_more(struct live *live, str channel, int64_t seq)
{
    publish(live, channel, seq, S("event: more\n"), S(""));
}

void live_publish_reload(struct live *live, str channel, int64_t seq)
{
    publish(live, channel, seq, S("event: reload\n"), S(""));
}

void live_publish_missed(struct live *live, str name, int64_t seq)
{
    pthread_mutex_lock(&live->lock);
    struct channel *channel = channel_of(live, name);
    if (channel) {
        channel->first = channel->next;
        channel->missed_seq = seq;
        for (struct stream *stream = channel->streams; stream; stream = stream->next)
            stream->reload = true;
        wake_all(channel);
    }
    pthread_mutex_unlock(&live->lock);
}

bool live_watched(struct live *live, str name)
{
    pthread_mutex_lock(&live->lock);
    struct channel *channel = channel_of(live, name);
    bool watched = channel && (channel->streams ||
                               channel->watched_until_ms > clock_monotonic_ms());
    pthread_mutex_unlock(&live->lock);
    return watched;
}

void live_expect(struct live *live, str name)
{
    pthread_mutex_lock(&live->lock);
    struct channel *channel = channel_of(live, name);
    if (channel)
        channel->watched_until_ms = clock_monotonic_ms() + EXPECT_MS;
    pthread_mutex_unlock(&live->lock);
}

size_t live_streams(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    size_t count = live->streams_count;
    pthread_mutex_unlock(&live->lock);
    return count;
}

/* ---- streams ---- */

/* Copies what fits of a short text; the room given by http is always larger than these. */
static int64_t say(struct stream *stream, str text, char *out, size_t room)
{
    if (text.n > room)
        return 0;
    memcpy(out, text.p, text.n);
    stream->spoke_ms = clock_monotonic_ms();
    return (int64_t)text.n;
}

static size_t send_events(struct stream *stream, char *out, size_t room)
{
    struct channel *channel = stream->channel;
    size_t filled = 0;
    while (stream->event < channel->next && filled < room) {
        const struct event *event = event_of(channel, stream->event);
        size_t left = event->bytes - stream->sent_bytes;
        size_t part = left < room - filled ? left : room - filled;
        ring_read(channel, event->at + stream->sent_bytes, out + filled, part);
        filled += part;
        stream->sent_bytes += part;
        if (stream->sent_bytes == event->bytes) {
            stream->event++;
            stream->sent_bytes = 0;
        }
    }
    return filled;
}

/* An event cut off in its middle is ended first, so that "reload" is not taken for its data. */
static int64_t say_reload(struct stream *stream, char *out, size_t room)
{
    stream->over = true;
    return say(stream, S("\n\nevent: reload\ndata: \n\n"), out, room);
}

static int64_t stream_more(void *self, char *out, size_t room)
{
    struct stream *stream = self;
    struct live *live = stream->live;
    if (stream->over || http_stopping(stream->request))
        return -1;
    pthread_mutex_lock(&live->lock);
    int64_t filled = 0;
    if (!stream->greeted) {
        stream->greeted = true;
        filled = say(stream, S("retry: 2000\nevent: beat\ndata: \n\n"), out, room);
    } else if (stream->reload || stream->event < stream->channel->first) {
        filled = say_reload(stream, out, room);
    } else if (stream->event < stream->channel->next) {
        filled = (int64_t)send_events(stream, out, room);
        stream->spoke_ms = clock_monotonic_ms();
    } else if (clock_monotonic_ms() - stream->spoke_ms >= live->beat_ms) {
        filled = say(stream, S("event: beat\ndata: \n\n"), out, room);
    }
    stream->idle = filled == 0;
    pthread_mutex_unlock(&live->lock);
    return filled;
}

static void stream_end(void *self)
{
    struct stream *stream = self;
    struct live *live = stream->live;
    pthread_mutex_lock(&live->lock);
    if (stream->prev)
        stream->prev->next = stream->next;
    else
        stream->channel->streams = stream->next;
    if (stream->next)
        stream->next->prev = stream->prev;
    stream->channel->watched_until_ms = clock_monotonic_ms() + EXPECT_MS;
    live->streams_count--;
    pthread_mutex_unlock(&live->lock);
}

/* The first event a screen that has seen `after` has not. */
static uint64_t event_after(const struct channel *channel, int64_t after)
{
    uint64_t number = channel->next;
    while (number > channel->first && event_of(channel, number - 1)->seq > after)
        number--;
    return number;
}

static err position_of(struct http_request *request, int64_t *out)
{
    str text = http_header(request, "Last-Event-ID");
    if (!text.n)
        text = http_query_value(request->cx->arena, request->query, S("after"));
    *out = 0;
    if (text.n && (!str_to_i64(text, out) || *out < 0))
        return ctx_fail(request->cx, ERR_INVALID, S("after"),
                        S("the position must be a whole number, as in an event's id"));
    return ERR_OK;
}

static err enter(struct live *live, str name, int64_t after, struct stream *stream)
{
    struct channel *channel = channel_of(live, name);
    if (!channel || live->streams_count >= (size_t)live->streams_max)
        return ERR_BUSY;
    stream->channel = channel;
    stream->event = after > 0 ? event_after(channel, after) : channel->next;
    stream->reload = after > 0 && after < channel->missed_seq;
    stream->next = channel->streams;
    if (stream->next)
        stream->next->prev = stream;
    channel->streams = stream;
    live->streams_count++;
    return ERR_OK;
}

/* A screen in somebody's session: the stream lasts no longer than that. */
static void take_owner(struct http_request *request, struct stream *stream)
{
    const struct user *user = request->cx->user;
    if (!user || !user->csrf.n)
        return;
    str hash = secret_hash(request->cx->arena, gate_cookie(request));
    memcpy(stream->owner, hash.p, sizeof stream->owner);
    stream->people = gate_people(request->gate_self);
}

err live_open(struct live *live, str name, struct http_request *request,
              struct http_response *response)
{
    int64_t after;
    TRY(position_of(request, &after));
    struct stream *stream = arena_zero(request->cx->arena, sizeof *stream);
    stream->live = live;
    stream->request = request;
    take_owner(request, stream);
    pthread_mutex_lock(&live->lock);
    err entered = enter(live, name, after, stream);
    pthread_mutex_unlock(&live->lock);
    if (entered)
        return ctx_fail(request->cx, entered, S(""),
                        S("too many screens are open at once; this one can be reloaded by hand"));
    response->content_type = S("text/event-stream; charset=utf-8");
    http_put_header(response, S("X-Accel-Buffering"), S("no"));
    response->stream = stream_more;
    response->stream_end = stream_end;
    response->stream_self = stream;
    return ERR_OK;
}

/* ---- the beat ---- */

/* A screen whose session has ended reloads, and is led to sign in. */
static void beat_channel(const struct live *live, const struct channel *channel, struct ctx *cx,
                         int64_t now_ms)
{
    for (struct stream *stream = channel->streams; stream; stream = stream->next) {
        str owner = { stream->owner, sizeof stream->owner };
        if (stream->people && !stream->reload && !session_stands(cx, stream->people, owner)) {
            stream->reload = true;
            wake(stream);
        }
        if (now_ms - stream->spoke_ms >= live->beat_ms)
            wake(stream);
    }
}

/* Looks twenty times a beat: a beat comes at most a twentieth late, and a screen shows what is new
 * for at most half a second after its session has ended. */
static void *beat(void *self)
{
    struct live *live = self;
    struct arena arena = arena_make(BEAT_ARENA_BYTES);
    struct ctx cx = { .arena = &arena };
    pthread_mutex_lock(&live->lock);
    while (!live->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        int64_t at_ns = until.tv_nsec + live->beat_ms * 50000;
        until.tv_sec += at_ns / 1000000000;
        until.tv_nsec = at_ns % 1000000000;
        pthread_cond_timedwait(&live->stopping, &live->lock, &until);
        int64_t now_ms = clock_monotonic_ms();
        for (size_t i = 0; i < live->channels_count; i++)
            beat_channel(live, live->channels[i], &cx, now_ms);
        arena_reset(&arena);
        cx.issues = (struct issues){ 0 };
    }
    pthread_mutex_unlock(&live->lock);
    arena_free(&arena);
    return NULL;
}

struct live *live_make(const struct live_options *options)
{
    struct arena arena = arena_make(SHARED_BYTES);
    struct live *live = arena_zero(&arena, sizeof *live);
    live->arena = arena;
    live->beat_ms = options->beat_ms ? options->beat_ms : LIVE_BEAT_MS;
    live->streams_max = options->streams_max;
    live->start_seq = options->start_seq;
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->stopping, NULL);
    if (pthread_create(&live->beater, NULL, beat, live) != 0)
        live->stop = true;
    return live;
}

void live_free(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    bool beating = !live->stop;
    live->stop = true;
    pthread_cond_signal(&live->stopping);
    pthread_mutex_unlock(&live->lock);
    if (beating)
        pthread_join(live->beater, NULL);
    pthread_mutex_destroy(&live->lock);
    pthread_cond_destroy(&live->stopping);
    struct arena arena = live->arena;
    arena_free(&arena);
}
