/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/watch.h"
#include "base/log.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hl7_watched list[HL7_WATCH_MAX];
static size_t count;

/* Under the lock. NULL: there are too many. */
static struct hl7_watched *place_of(str application, str facility, int64_t now_ms)
{
    char name[HL7_WATCH_NAME];
    int n = snprintf(name, sizeof name, "%.*s|%.*s", STR_ARG(str_slice(application, 0, 40)),
                     STR_ARG(str_slice(facility, 0, 40)));
    for (size_t i = 0; i < count; i++)
        if (str_eq((str){ list[i].name, list[i].name_bytes }, (str){ name, (size_t)n }))
            return &list[i];
    if (count == HL7_WATCH_MAX)
        return NULL;
    struct hl7_watched *made = &list[count++];
    *made = (struct hl7_watched){ .name_bytes = (size_t)n, .began_ms = now_ms,
                                  .limit_ms = HL7_WATCH_ANY };
    memcpy(made->name, name, (size_t)n);
    return made;
}

void hl7_watch_expect(str application, str facility, int64_t limit_ms, int64_t now_ms)
{
    pthread_mutex_lock(&lock);
    struct hl7_watched *w = place_of(application, facility, now_ms);
    if (w) {
        w->expected = true;
        w->limit_ms = limit_ms;
    }
    pthread_mutex_unlock(&lock);
}

void hl7_watch_recall(str application, str facility, int64_t last_ms)
{
    pthread_mutex_lock(&lock);
    struct hl7_watched *w = place_of(application, facility, last_ms);
    if (w && w->last_ms < last_ms)
        w->last_ms = last_ms;
    pthread_mutex_unlock(&lock);
}

void hl7_watch_note(const struct hl7_message *message, enum hl7_outcome outcome, int64_t limit_ms,
                    int64_t now_ms)
{
    pthread_mutex_lock(&lock);
    struct hl7_watched *w = place_of(message->application, message->facility, now_ms);
    if (w) {
        if (w->silent)
            log_line(LOG_INFO, (str){ 0 }, "hl7v2: %.*s sends again", (int)w->name_bytes, w->name);
        w->silent = false;
        w->limit_ms = limit_ms;
        w->last_ms = now_ms;
        w->counts[outcome]++;
    }
    pthread_mutex_unlock(&lock);
}

void hl7_watch_check(int64_t now_ms, int64_t silent_ms)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++) {
        struct hl7_watched *w = &list[i];
        int64_t since_ms = w->last_ms ? w->last_ms : w->began_ms;
        int64_t limit_ms = w->limit_ms == HL7_WATCH_ANY ? silent_ms : w->limit_ms;
        if (w->silent || !limit_ms || now_ms - since_ms < limit_ms)
            continue;
        w->silent = true;
        log_line(LOG_WARNING, (str){ 0 }, "hl7v2: %.*s has been silent for %lld minutes",
                 (int)w->name_bytes, w->name, (long long)((now_ms - since_ms) / 60000));
    }
    pthread_mutex_unlock(&lock);
}

size_t hl7_watch_list(struct hl7_watched out[HL7_WATCH_MAX])
{
    pthread_mutex_lock(&lock);
    size_t n = count;
    memcpy(out, list, n * sizeof *list);
    pthread_mutex_unlock(&lock);
    return n;
}

/* A sender's name within quotes: what would end them is left out. */
static void add_name(struct buf *out, const struct hl7_watched *w)
{
    for (size_t i = 0; i < w->name_bytes; i++)
        if (w->name[i] != '"' && w->name[i] != '\\' && (unsigned char)w->name[i] >= ' ')
            buf_char(out, w->name[i]);
}

void hl7_watch_metrics(struct buf *out, int64_t now_ms)
{
    static const char *const outcomes[] = { "accepted", "error", "rejected" };
    pthread_mutex_lock(&lock);
    buf_add(out, S("# HELP frontline_hl7_messages_total HL7 v2 messages by sender.\n"
                   "# TYPE frontline_hl7_messages_total counter\n"));
    for (size_t i = 0; i < count; i++)
        for (size_t o = 0; o < COUNT(outcomes); o++) {
            buf_add(out, S("frontline_hl7_messages_total{sender=\""));
            add_name(out, &list[i]);
            buf_printf(out, "\",outcome=\"%s\"} %lld\n", outcomes[o],
                       (long long)list[i].counts[o]);
        }
    buf_add(out, S("# HELP frontline_hl7_silence_seconds Since a sender's last message.\n"
                   "# TYPE frontline_hl7_silence_seconds gauge\n"));
    for (size_t i = 0; i < count; i++) {
        int64_t since_ms = list[i].last_ms ? list[i].last_ms : list[i].began_ms;
        buf_add(out, S("frontline_hl7_silence_seconds{sender=\""));
        add_name(out, &list[i]);
        buf_printf(out, "\"} %lld\n", (long long)((now_ms - since_ms) / 1000));
    }
    buf_add(out, S("# HELP frontline_hl7_silent 1 while a sender is silent beyond its limit.\n"
                   "# TYPE frontline_hl7_silent gauge\n"));
    for (size_t i = 0; i < count; i++) {
        buf_add(out, S("frontline_hl7_silent{sender=\""));
        add_name(out, &list[i]);
        buf_printf(out, "\"} %d\n", list[i].silent);
    }
    pthread_mutex_unlock(&lock);
}
