/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/lanes.h"
#include <pthread.h>

enum { THREADS_MAX = 64 };
struct hl7_lanes {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job may have become free to begin, or it is the end */
    pthread_cond_t turn; /* the same, for who waits in hl7_lanes_enter, or for room */
    struct hl7_job *first, *last;
    size_t count;        /* jobs that are not over */
    size_t guests;       /* threads that wait for `turn` */
    size_t idle;
    bool closing;
    pthread_t threads[THREADS_MAX];
    size_t threads_count;
};

/* ---- what a message is about ---- */

static void add_key(struct hl7_keys *keys, char kind, str text)
{
    uint32_t hash = 2166136261u ^ (unsigned char)kind; /* FNV-1a */
    if (!text.n)
        return;
    if (keys->count == HL7_KEYS_MAX) {
        keys->everything = true;
        return;
    }
    for (size_t i = 0; i < text.n; i++)
        hash = (hash ^ (unsigned char)text.p[i]) * 16777619u;
    keys->list[keys->count++] = hash;
    keys->mask |= (uint64_t)1 << (hash >> 26);
}

static void add_repeated(struct hl7_keys *keys, const struct hl7_message *message,
                         const struct hl7_segment *segment, int field)
{
    for (int i = 0; i < hl7_repetitions(message, segment, field); i++)
        add_key(keys, 'P', hl7_raw(message, segment, (struct hl7_place){ field, i, 1, 0 }));
}

/* A bed, as PV1 names it: who leaves it comes before who is put there next. */
static void add_bed(struct hl7_keys *keys, const struct hl7_message *message,
                    const struct hl7_segment *pv1, int field)
{
    if (hl7_raw(message, pv1, (struct hl7_place){ field, 0, 3, 0 }).n)
        add_key(keys, 'B', hl7_raw(message, pv1, (struct hl7_place){ field, 0, 0, 0 }));
}

struct hl7_keys hl7_keys_of(struct ctx *cx, str bytes)
{
    struct hl7_keys keys = { 0 };
    struct hl7_message message;
    size_t issues = cx->issues.kept;
    keys.everything = str_starts(bytes, S("FHS")) || str_starts(bytes, S("BHS"));
    if (keys.everything)
        return keys;
    if (hl7_parse(cx, bytes, &message)) {
        cx->issues.kept = cx->issues.count = issues;
        return keys;
    }
    /* A merge turns whatever refers to the retired record: nothing may be on its way there by a
     * number of an earlier merge, which the message does not name. */
    keys.everything = str_eq(message.event, S("A40"));
    add_repeated(&keys, &message, hl7_segment(&message, "PID"), 3);
    add_repeated(&keys, &message, hl7_segment(&message, "MRG"), 1);
    const struct hl7_segment *pv1 = hl7_segment(&message, "PV1");
    add_key(&keys, 'V', hl7_raw(&message, pv1, (struct hl7_place){ 19, 0, 1, 0 }));
    add_bed(&keys, &message, pv1, 3); /* where the patient is, */
    add_bed(&keys, &message, pv1, 6); /* and was */
    add_key(&keys, 'C', message.control_id);
    return keys;
}

static bool share(const struct hl7_keys *a, const struct hl7_keys *b)
{
    if (a->everything || b->everything)
        return true;
    if (!(a->mask & b->mask))
        return false;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (a->list[i] == b->list[k])
                return true;
    return false;
}

/* ---- whose turn it is: under the lock ---- */

static bool may_begin(const struct hl7_job *job)
{
    for (const struct hl7_job *earlier = job->before; earlier; earlier = earlier->before)
        if (share(&earlier->keys, &job->keys))
            return false;
    return true;
}

static struct hl7_job *next_job(struct hl7_lanes *lanes)
{
    for (struct hl7_job *job = lanes->first; job; job = job->after)
        if (!job->running && job->run && may_begin(job))
            return job;
    return NULL;
}

static void put_last(struct hl7_lanes *lanes, struct hl7_job *job)
{
    while (lanes->count >= HL7_LANES_MAX) {
        lanes->guests++;
        pthread_cond_wait(&lanes->turn, &lanes->lock);
        lanes->guests--;
    }
    job->running = false;
    job->before = lanes->last;
    job->after = NULL;
    *(lanes->last ? &lanes->last->after : &lanes->first) = job;
    lanes->last = job;
    lanes->count++;
}

static void take_out(struct hl7_lanes *lanes, struct hl7_job *job)
{
    *(job->before ? &job->before->after : &lanes->first) = job->after;
    *(job->after ? &job->after->before : &lanes->last) = job->before;
    lanes->count--;
    if (lanes->guests)
        pthread_cond_broadcast(&lanes->turn);
    if (lanes->idle && lanes->count)
        pthread_cond_signal(&lanes->work);
}

static void *lane_run(void *self)
{
    struct hl7_lanes *lanes = self;
    pthread_mutex_lock(&lanes->lock);
    for (;;) {
        struct hl7_job *job = next_job(lanes);
        if (!job && lanes->closing)
            break;
        if (!job) {
            lanes->idle++;
            pthread_cond_wait(&lanes->work, &lanes->lock);
            lanes->idle--;
            continue;
        }
        job->running = true;
        if (lanes->idle && lanes->count > 1)
            pthread_cond_signal(&lanes->work); /* there may be one for it, too */
        pthread_mutex_unlock(&lanes->lock);
        bool again = job->run(job) && !job->keys.everything;
        pthread_mutex_lock(&lanes->lock);
        job->running = false;
        if (again) {
            job->keys.everything = true; /* its next turn is when all before it are over */
            continue;
        }
        take_out(lanes, job);
        pthread_mutex_unlock(&lanes->lock);
        job->over(job);
        pthread_mutex_lock(&lanes->lock);
    }
    pthread_mutex_unlock(&lanes->lock);
    return NULL;
}

/* ---- beginning, adding, end ---- */

err hl7_lanes_start(struct ctx *cx, size_t threads, struct hl7_lanes **out)
{
    struct hl7_lanes *lanes = arena_zero(cx->arena, sizeof *lanes);
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->work, NULL);
    pthread_cond_init(&lanes->turn, NULL);
    while (lanes->threads_count < threads && lanes->threads_count < THREADS_MAX &&
           !pthread_create(&lanes->threads[lanes->threads_count], NULL, lane_run, lanes))
        lanes->threads_count++;
    *out = lanes;
    if (lanes->threads_count == 0)
        return ctx_fail(cx, ERR_IO, S("hl7v2.listen"), S("no thread could be started"));
    return ERR_OK;
}

void hl7_lanes_add(struct hl7_lanes *lanes, struct hl7_job *job)
{
    pthread_mutex_lock(&lanes->lock);
    put_last(lanes, job);
    if (lanes->idle)
        pthread_cond_signal(&lanes->work);
    pthread_mutex_unlock(&lanes->lock);
}

void hl7_lanes_enter(struct hl7_lanes *lanes, struct hl7_job *job)
{
    job->run = NULL;
    pthread_mutex_lock(&lanes->lock);
    put_last(lanes, job);
    while (!may_begin(job)) {
        lanes->guests++;
        pthread_cond_wait(&lanes->turn, &lanes->lock);
        lanes->guests--;
    }
    job->running = true;
    pthread_mutex_unlock(&lanes->lock);
}

void hl7_lanes_leave(struct hl7_lanes *lanes, struct hl7_job *job)
{
    pthread_mutex_lock(&lanes->lock);
    take_out(lanes, job);
    pthread_mutex_unlock(&lanes->lock);
}

void hl7_lanes_stop(struct hl7_lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->closing = true;
    pthread_cond_broadcast(&lanes->work);
    pthread_mutex_unlock(&lanes->lock);
    for (size_t i = 0; i < lanes->threads_count; i++)
        pthread_join(lanes->threads[i], NULL);
    pthread_cond_destroy(&lanes->work);
    pthread_cond_destroy(&lanes->turn);
    pthread_mutex_destroy(&lanes->lock);
}
