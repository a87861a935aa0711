/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/feeds/send.h"
#include "base/clock.h"
#include "base/log.h"
#include "hl7v2/message.h"
#include "hl7v2/mllp.h"
#include <pthread.h>

struct destination {
    char name[200], error[400];
    str address;              /* within name */
    bool secure;
    pthread_mutex_t lock;     /* of the connection: one message at a time */
    struct hl7_link link;
    pthread_mutex_t state;    /* of what follows */
    int64_t taken, failed, refused, last_ms, failing_since_ms;
    bool connected, told;
};
static struct destination destinations[FEEDS_DESTINATIONS_MAX];
static size_t count;
static struct hl7_tls *tls;
static char own_name[200];
static int64_t stuck_ms;

/* ---- who they are ---- */

static bool is_address(str text)
{
    int64_t port = 0;
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    return colon > 1 && str_to_i64(str_slice(text, colon, text.n), &port) && port > 0 &&
           port < 65536;
}

static err add_destination(struct ctx *cx, str text)
{
    struct destination *d = &destinations[count];
    bool secure = str_starts(text, S("tls:"));
    str address = str_slice(text, secure ? 4 : 0, text.n);
    if (count == FEEDS_DESTINATIONS_MAX || text.n >= sizeof d->name)
        return ctx_failf(cx, ERR_INVALID, S("hl7v2.send"), "at most %d destinations, each of less "
                         "than %zu characters", FEEDS_DESTINATIONS_MAX, sizeof d->name);
    if (!is_address(address))
        return ctx_failf(cx, ERR_INVALID, S("hl7v2.send"), "\"%.*s\" is no destination: give "
                         "HOST:PORT or tls:HOST:PORT, with blanks between several", STR_ARG(text));
    *d = (struct destination){ .secure = secure, .link.socket = -1 };
    memcpy(d->name, text.p, text.n);
    d->address = str_slice(str_of(d->name), secure ? 4 : 0, text.n);
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->state, NULL);
    count++;
    return ERR_OK;
}

err feeds_send_open(struct ctx *cx, const struct feeds_send_options *options)
{
    str rest = options->destinations;
    bool secure = str_find(rest, S("tls:")) != STR_NONE;
    count = 0;
    stuck_ms = options->stuck_ms;
    snprintf(own_name, sizeof own_name, "%.*s", STR_ARG(options->name));
    while (rest.n) {
        size_t end = 0;
        while (end < rest.n && rest.p[end] != ' ' && rest.p[end] != ',')
            end++;
        if (end)
            TRY(add_destination(cx, str_slice(rest, 0, end)));
        rest = str_slice(rest, end + 1, rest.n);
    }
    return secure ? hl7_tls_outward(cx, &options->tls, &tls) : ERR_OK;
}

void feeds_send_close(void)
{
    for (size_t i = 0; i < count; i++)
        hl7_link_close(&destinations[i].link);
    hl7_tls_free(tls);
    tls = NULL;
    count = 0;
}

size_t feeds_destinations_count(void)
{
    return count;
}

str feeds_destination_name(size_t index)
{
    return str_of(destinations[index].name);
}

str feeds_own_name(void)
{
    return str_of(own_name);
}

/* ---- how they are ---- */

static bool is_stuck(const struct destination *d, int64_t now_ms)
{
    return d->failing_since_ms && now_ms - d->failing_since_ms >= stuck_ms;
}

struct feeds_destination feeds_destination_at(struct ctx *cx, size_t index)
{
    struct destination *d = &destinations[index];
    pthread_mutex_lock(&d->state);
    struct feeds_destination out = {
        .name = str_of(d->name), .error = arena_copy(cx->arena, str_of(d->error)),
        .taken = d->taken, .failed = d->failed, .refused = d->refused, .last_ms = d->last_ms,
        .failing_since_ms = d->failing_since_ms, .connected = d->connected,
        .stuck = is_stuck(d, cx->now_ms),
    };
    pthread_mutex_unlock(&d->state);
    return out;
}

static void note_taken(struct destination *d, int64_t now_ms)
{
    pthread_mutex_lock(&d->state);
    if (d->told)
        log_line(LOG_INFO, (str){ 0 }, "hl7v2: %s takes messages again", d->name);
    d->taken++;
    d->last_ms = now_ms;
    d->failing_since_ms = 0;
    d->told = false;
    d->error[0] = '\0';
    pthread_mutex_unlock(&d->state);
}

/* A refusal is about the message, anything else about the destination. */
static void note_failure(struct destination *d, str why, bool refused, int64_t now_ms)
{
    pthread_mutex_lock(&d->state);
    snprintf(d->error, sizeof d->error, "%.*s", (int)(why.n < 399 ? why.n : 399), why.p);
    d->refused += refused;
    d->failed += !refused;
    if (refused)
        log_line(LOG_WARNING, (str){ 0 }, "hl7v2: %s refuses a message for good: %s", d->name,
                 d->error);
    else if (!d->failing_since_ms)
        d->failing_since_ms = now_ms;
    if (is_stuck(d, now_ms) && !d->told) {
        d->told = true;
        log_line(LOG_WARNING, (str){ 0 }, "hl7v2: %s has taken nothing for %lld minutes: %s",
                 d->name, (long long)((now_ms - d->failing_since_ms) / 60000), d->error);
    }
    pthread_mutex_unlock(&d->state);
}

typedef int64_t destination_value(const struct feeds_destination *one, int64_t now_ms);

static void add_metric(struct ctx *cx, struct buf *out, const char *name, const char *help,
                       const char *kind, destination_value *value)
{
    buf_printf(out, "# HELP frontline_hl7_out_%s %s\n# TYPE frontline_hl7_out_%s %s\n", name, help,
               name, kind);
    for (size_t i = 0; i < count; i++) {
        struct feeds_destination d = feeds_destination_at(cx, i);
        buf_printf(out, "frontline_hl7_out_%s{destination=\"%.*s\"} %lld\n", name, STR_ARG(d.name),
                   (long long)value(&d, cx->now_ms));
    }
}

static int64_t taken_of(const struct feeds_destination *d, int64_t now_ms)
{
    (void)now_ms;
    return d->taken;
}

static int64_t refused_of(const struct feeds_destination *d, int64_t now_ms)
{
    (void)now_ms;
    return d->refused;
}

static int64_t stuck_of(const struct feeds_destination *d, int64_t now_ms)
{
    (void)now_ms;
    return d->stuck;
}

static int64_t failing_of(const struct feeds_destination *d, int64_t now_ms)
{
    return d->failing_since_ms ? (now_ms - d->failing_since_ms) / 1000 : 0;
}

void feeds_send_metrics(struct ctx *cx, struct buf *out)
{
    if (!count)
        return;
    add_metric(cx, out, "taken_total", "Messages a destination took.", "counter", taken_of);
    add_metric(cx, out, "refused_total", "Messages a destination refused for good.", "counter",
               refused_of);
    add_metric(cx, out, "failing_seconds", "Since a destination takes nothing.", "gauge",
               failing_of);
    add_metric(cx, out, "stuck", "1 while a destination has taken nothing for too long.", "gauge",
               stuck_of);
}

/* ---- one message ---- */

/* Until the frame ends: the answer's text. */
static err hear(struct ctx *cx, struct destination *d, str *out)
{
    char *bytes = arena_alloc(cx->arena, FEEDS_ANSWER_BYTES);
    size_t n = 0;
    while (n < FEEDS_ANSWER_BYTES) {
        size_t got = hl7_link_read(&d->link, bytes + n, FEEDS_ANSWER_BYTES - n);
        if (!got)
            return ctx_failf(cx, ERR_IO, (str){ 0 }, "%s gave no answer in time, or hung up",
                             d->name);
        n += got;
        size_t end = str_find((str){ bytes, n }, S("\x1c\r"));
        if (end == STR_NONE)
            continue;
        *out = str_slice((str){ bytes, end }, bytes[0] == '\x0b' ? 1 : 0, end);
        return ERR_OK;
    }
    return ctx_fail(cx, ERR_LIMIT, (str){ 0 }, S("the answer is too long"));
}

/* ERR_RULE: refused for good. */
static err judge(struct ctx *cx, str answer, str control)
{
    struct hl7_message message;
    TRY(hl7_parse(cx, answer, &message));
    const struct hl7_segment *msa = hl7_segment(&message, "MSA");
    str code = hl7_get(cx->arena, &message, msa, 1, 0);
    str id = hl7_get(cx->arena, &message, msa, 2, 0);
    str why = hl7_get(cx->arena, &message, msa, 3, 0);
    if (!str_eq(id, control))
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "the answer is to %.*s, not to %.*s", STR_ARG(id),
                         STR_ARG(control));
    if (str_eq(code, S("AA")) || str_eq(code, S("CA")))
        return ERR_OK;
    bool never = str_eq(code, S("AR")) || str_eq(code, S("CR"));
    return ctx_failf(cx, never ? ERR_RULE : ERR_IO, (str){ 0 }, "answered %.*s: %.*s",
                     STR_ARG(code), STR_ARG(why));
}

static err exchange(struct ctx *cx, struct destination *d, str text, str control)
{
    struct buf frame = buf_make(cx->arena, text.n + 16);
    str answer;
    mllp_frame(&frame, text);
    if (d->link.socket < 0)
        TRY(hl7_link_call(cx, d->address, d->secure ? tls : NULL, FEEDS_ANSWER_MS, &d->link));
    if (!hl7_link_write(&d->link, buf_str(&frame)))
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%s hung up", d->name);
    TRY(hear(cx, d, &answer));
    return judge(cx, answer, control);
}

/* A connection that was kept may have been closed meanwhile: then once more on a new one. After a
 * failure it is closed, since a late answer would be taken for the next message's. */
static err deliver(struct ctx *cx, struct destination *d, str text, str control)
{
    pthread_mutex_lock(&d->lock);
    bool kept = d->link.socket >= 0;
    size_t issues = cx->issues.kept;
    err wrong = exchange(cx, d, text, control);
    if (wrong && wrong != ERR_RULE)
        hl7_link_close(&d->link);
    if (wrong && wrong != ERR_RULE && kept) {
        cx->issues.kept = cx->issues.count = issues;
        wrong = exchange(cx, d, text, control);
        if (wrong && wrong != ERR_RULE)
            hl7_link_close(&d->link);
    }
    d->connected = d->link.socket >= 0;
    pthread_mutex_unlock(&d->lock);
    return wrong;
}

static err send_message(struct ctx *cx, struct store *store, const struct due_item *item,
                        void *self)
{
    str name = item->key, seq;
    (void)store, (void)self;
    str_next(&name, ' ', &seq);
    for (size_t i = 0; i < count; i++) {
        struct destination *d = &destinations[i];
        if (!str_eq(str_of(d->name), name))
            continue;
        err wrong = deliver(cx, d, item->body, arena_printf(cx->arena, "FL%.*s", STR_ARG(seq)));
        if (!wrong)
            note_taken(d, clock_now_ms());
        else
            note_failure(d, cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text
                                            : S("failed"), wrong == ERR_RULE, clock_now_ms());
        return wrong;
    }
    return ctx_failf(cx, ERR_BUSY, (str){ 0 }, "hl7v2.send does not name %.*s any more",
                     STR_ARG(name));
}

const struct due_kind feeds_sending = { .name = "adt-out", .run = send_message, .away = true,
                                        .parks_on = ERR_RULE };
