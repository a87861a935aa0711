/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "http/text.h"
#include "jobs/push_work.h"

/* Under the lock. */
static int64_t read_text(struct listener *l, char *out, size_t room)
{
    size_t left = l->text.n - l->sent_bytes, part = left < room ? left : room;
    memcpy(out, l->text.p + l->sent_bytes, part);
    l->sent_bytes += part;
    if (l->sent_bytes == l->text.n) {
        l->text = (str){ 0 };
        l->news = true; /* more may have come meanwhile */
        push_ring(l->push);
    }
    l->spoke_ms = clock_monotonic_ms();
    return (int64_t)part;
}

static int64_t stream_more(void *self, char *out, size_t room)
{
    struct listener *l = self;
    int64_t filled = 0;
    if (http_stopping(l->request))
        return -1;
    pthread_mutex_lock(&l->push->lock);
    int64_t now_ms = clock_monotonic_ms();
    if (l->text.n)
        filled = read_text(l, out, room);
    else if (l->over)
        filled = -1;
    else if (now_ms - l->spoke_ms >= PUSH_BEAT_MS && room > 3) {
        memcpy(out, ":\n\n", 3);
        filled = 3;
        l->spoke_ms = now_ms;
    }
    pthread_mutex_unlock(&l->push->lock);
    return filled;
}

static void stream_end(void *self)
{
    struct listener *l = self;
    pthread_mutex_lock(&l->push->lock);
    push_leave(l->push, l);
    l->push->streams_count--;
    pthread_mutex_unlock(&l->push->lock);
}

err push_stream(struct push *push, struct http_request *request, struct http_response *response,
                str subscription)
{
    str text = http_header(request, "Last-Event-ID");
    struct listener *l = arena_zero(request->cx->arena, sizeof *l);
    if (!text.n)
        text = http_query_value(request->cx->arena, request->query, S("after"));
    l->number = -1;
    if (text.n && (!str_to_i64(text, &l->number) || l->number < 0))
        return ctx_fail(request->cx, ERR_INVALID, S("Last-Event-ID"),
                        S("an event's number is a whole number"));
    l->request = request;
    pthread_mutex_lock(&push->lock);
    bool in = !push->stop && push->streams_count < (size_t)push->options.streams_max &&
              push_enter(push, l, subscription);
    push->streams_count += in;
    pthread_mutex_unlock(&push->lock);
    if (!in)
        return ctx_fail(request->cx, ERR_BUSY, (str){ 0 },
                        S("too many streams are open; ask for what was missed by $events"));
    push_ring(push);
    response->content_type = S("text/event-stream; charset=utf-8");
    http_put_header(response, S("X-Accel-Buffering"), S("no"));
    response->stream = stream_more;
    response->stream_end = stream_end;
    response->stream_self = l;
    return ERR_OK;
}
