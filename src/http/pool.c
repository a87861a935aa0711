/* SPDX-License-Identifier: Apache-2.0 */
#include "http/gzip.h"
#include "http/internal.h"
#include "http/metrics.h"

/* A bounded ring of requests and the threads that take from it. */
struct http_pool {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct http_connection **ring;
    size_t head, count, cap;
    bool stopping;
    int workers;
    pthread_t threads[];
};

static struct http_connection *take(struct http_pool *pool)
{
    struct http_connection *taken = NULL;
    pthread_mutex_lock(&pool->lock);
    while (pool->count == 0 && !pool->stopping)
        pthread_cond_wait(&pool->filled, &pool->lock);
    if (pool->count) {
        taken = pool->ring[pool->head];
        pool->head = (pool->head + 1) % pool->cap;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

static void *work(void *self)
{
    struct http_connection *connection;
    while ((connection = take(self)) != NULL) {
        http_gauge_add(HTTP_GAUGE_QUEUE, -1);
        exchange_work(connection);
    }
    http_gzip_end();
    return NULL;
}

struct http_pool *pool_start(int workers, int queue_max)
{
    struct http_pool *pool = calloc(1, sizeof *pool + (size_t)workers * sizeof *pool->threads);
    struct http_connection **ring = calloc((size_t)queue_max, sizeof *ring);
    if (!pool || !ring) {
        free(pool);
        free(ring);
        return NULL;
    }
    pool->ring = ring;
    pool->cap = (size_t)queue_max;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    while (pool->workers < workers &&
           pthread_create(&pool->threads[pool->workers], NULL, work, pool) == 0)
        pool->workers++;
    return pool;
}

bool pool_submit(struct http_pool *pool, struct http_connection *connection)
{
    pthread_mutex_lock(&pool->lock);
    bool room = pool->count < pool->cap && pool->workers > 0;
    if (room) {
        pool->ring[(pool->head + pool->count++) % pool->cap] = connection;
        http_gauge_add(HTTP_GAUGE_QUEUE, 1);
        pthread_cond_signal(&pool->filled);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}

void pool_stop(struct http_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->filled);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->workers; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->filled);
    pthread_mutex_destroy(&pool->lock);
    free(pool->ring);
    free(pool);
}
