/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/import_work.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "jobs/source.h"
#include <stdatomic.h>
#include <unistd.h>

/*
 * One thread reads and cuts files into chunks; a few parse, validate and prepare them; the store's
 * writer writes. A working thread waits for its own commit, so there are more of them than
 * processors.
 */
enum { QUEUE_MAX = 8, CHUNK_LINES_MAX = 1000 };
#define CHUNK_MEMORY_BYTES ((size_t)6 << 30) /* address space: the largest document fits */

void import_refuse(struct import *import, str where, str what)
{
    pthread_mutex_lock(&import->queue.lock);
    import->counts.refused++;
    if (import->refusals_count < IMPORT_REFUSALS_MAX) {
        import->refusals = arena_grow(&import->arena, import->refusals, import->refusals_count,
                                      &import->refusals_cap, sizeof *import->refusals);
        import->refusals[import->refusals_count++] = (struct import_refusal){
            arena_copy(&import->arena, where), arena_copy(&import->arena, what)
        };
    }
    pthread_mutex_unlock(&import->queue.lock);
}

/* --- the working threads --- */

static void refuse_size(struct import *import, str name)
{
    import_refuse(import, name, S("needs more memory than an import may use; cut it up"));
}

static void run_chunk(struct import *import, struct import_chunk *chunk)
{
    struct arena arena = chunk->arena; /* ends with the chunk that lies in it */
    jmp_buf over;
    struct random random;
    random_secret(&random, sizeof random);
    struct ctx cx = ctx_make(&arena);
    cx.random = &random;
    arena.over = &over;
    if (setjmp(over) == 0)
        import_chunk_run(import, chunk, &cx);
    else
        refuse_size(import, chunk->name);
    ctx_release(&cx);
    arena_free(&arena);
}

static struct import_chunk *take_chunk(struct import_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->head && !queue->closing)
        pthread_cond_wait(&queue->arrived, &queue->lock);
    struct import_chunk *chunk = queue->head;
    if (chunk) {
        queue->head = chunk->next;
        queue->tail = queue->head ? queue->tail : NULL;
        queue->waiting--;
        queue->working++;
    }
    pthread_mutex_unlock(&queue->lock);
    return chunk;
}

static void *work(void *self)
{
    struct import *import = self;
    for (struct import_chunk *chunk; (chunk = take_chunk(&import->queue));) {
        run_chunk(import, chunk);
        pthread_mutex_lock(&import->queue.lock);
        import->queue.working--;
        pthread_cond_broadcast(&import->queue.taken);
        pthread_mutex_unlock(&import->queue.lock);
    }
    return NULL;
}

/* --- the reading thread --- */

static struct import_chunk *make_chunk(str name, int64_t line)
{
    struct arena arena = arena_make(CHUNK_MEMORY_BYTES);
    struct import_chunk *chunk = arena_zero(&arena, sizeof *chunk);
    chunk->name = arena_copy(&arena, name);
    chunk->line = line;
    chunk->arena = arena;
    return chunk;
}

static void put_chunk(struct import *import, struct import_chunk *chunk)
{
    struct import_queue *queue = &import->queue;
    pthread_mutex_lock(&queue->lock);
    while (queue->waiting >= QUEUE_MAX)
        pthread_cond_wait(&queue->taken, &queue->lock);
    if (queue->tail)
        queue->tail->next = chunk;
    else
        queue->head = chunk;
    queue->tail = chunk;
    queue->waiting++;
    pthread_cond_signal(&queue->arrived);
    pthread_mutex_unlock(&queue->lock);
}

struct reading {
    struct import *import;
    struct source *source;
    str name;
    struct buf text;   /* read and not yet handed on */
    int64_t line;      /* of its first byte */
    int64_t bytes_before;
    bool over;
};

static err report_progress(struct ctx *cx, struct reading *r)
{
    struct import *import = r->import;
    pthread_mutex_lock(&import->queue.lock);
    import->counts.bytes = r->bytes_before + source_taken(r->source);
    struct import_counts counts = import->counts;
    pthread_mutex_unlock(&import->queue.lock);
    if (atomic_load(&import->fault))
        return (err)atomic_load(&import->fault);
    if (import->options.progress && !import->options.progress(import->options.self, &counts))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("the import was stopped"));
    return ERR_OK;
}

static err read_more(struct ctx *cx, struct reading *r)
{
    size_t got;
    char *room = buf_room(&r->text, IMPORT_CHUNK_BYTES);
    if (!room)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "%.*s: a document may have at most %zu MB",
                         STR_ARG(r->name), IMPORT_DOCUMENT_MAX >> 20);
    TRY(source_read(cx, r->source, room, IMPORT_CHUNK_BYTES, &got));
    buf_took(&r->text, got);
    r->over = got == 0;
    return report_progress(cx, r);
}

/* Hands on the first `bytes` of what was read. */
static void hand_on(struct reading *r, size_t bytes, bool document)
{
    struct import_chunk *chunk = make_chunk(r->name, r->line);
    str text = str_slice(buf_str(&r->text), 0, bytes);
    chunk->text = arena_copy(&chunk->arena, text);
    chunk->document = document;
    for (size_t i = 0; i < bytes; i++)
        r->line += text.p[i] == '\n';
    memmove(r->text.p, r->text.p + bytes, r->text.n - bytes);
    r->text.n -= bytes;
    put_chunk(r->import, chunk);
}

/* The end of the last whole line among the first CHUNK_LINES_MAX, 0 for none. */
static size_t whole_lines(str text)
{
    size_t end = 0, lines = 0;
    while (lines < CHUNK_LINES_MAX && end < IMPORT_CHUNK_BYTES) {
        const char *mark = memchr(text.p + end, '\n', text.n - end);
        if (!mark)
            break;
        end = (size_t)(mark - text.p) + 1;
        lines++;
    }
    return end;
}

static err read_lines(struct ctx *cx, struct reading *r)
{
    for (;;) {
        size_t end = whole_lines(buf_str(&r->text));
        bool enough = end >= IMPORT_CHUNK_BYTES / 2 || r->text.n >= IMPORT_CHUNK_BYTES;
        if (end && (enough || r->over))
            hand_on(r, end, false);
        else if (r->over)
            break;
        else
            TRY(read_more(cx, r));
    }
    if (r->text.n)
        hand_on(r, r->text.n, false);
    return ERR_OK;
}

static err read_document(struct ctx *cx, struct reading *r)
{
    while (!r->over)
        TRY(read_more(cx, r));
    if (str_trim(buf_str(&r->text)).n)
        hand_on(r, r->text.n, true);
    return ERR_OK;
}

/* A first line that is JSON by itself means one resource a line. */
static err find_shape(struct ctx *cx, struct reading *r, bool *lines)
{
    size_t end;
    while ((end = str_find_char(buf_str(&r->text), '\n')) == STR_NONE && !r->over)
        TRY(read_more(cx, r));
    str first = str_trim(str_slice(buf_str(&r->text), 0, end));
    *lines = str_starts(first, S("{")) && str_ends(first, S("}"));
    if (!*lines)
        return ERR_OK;
    struct arena scratch = arena_make(CHUNK_MEMORY_BYTES);
    struct ctx try = ctx_make(&scratch);
    struct json json;
    *lines = end != STR_NONE && json_parse(&try, first, &json) == ERR_OK;
    arena_free(&scratch);
    return ERR_OK;
}

static err read_file(struct ctx *cx, struct reading *r)
{
    bool lines;
    TRY(source_open(cx, r->name, &r->source));
    TRY(find_shape(cx, r, &lines));
    return lines ? read_lines(cx, r) : read_document(cx, r);
}

err import_file(struct ctx *cx, struct import *import, str path)
{
    struct arena arena = arena_make(CHUNK_MEMORY_BYTES);
    struct ctx own = ctx_make(&arena);
    struct reading r = { .import = import, .name = path, .line = 1,
                         .text = buf_make(&arena, IMPORT_DOCUMENT_MAX),
                         .bytes_before = import->counts.bytes };
    err wrong = read_file(&own, &r);
    for (size_t i = 0; i < own.issues.kept; i++)
        issues_note(&cx->issues, own.issues.list[i]);
    ctx_release(&own);
    arena_free(&arena);
    return wrong;
}

/* --- beginning and end --- */

err import_start(struct ctx *cx, const struct import_options *options, struct import **out)
{
    struct import *import = arena_zero(cx->arena, sizeof *import);
    import->options = *options;
    import->arena = arena_make((size_t)1 << 30);
    import->names = map_make(&import->arena);
    pthread_mutex_init(&import->queue.lock, NULL);
    pthread_cond_init(&import->queue.arrived, NULL);
    pthread_cond_init(&import->queue.taken, NULL);
    int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    int wanted = options->threads ? options->threads : processors + 2;
    wanted = wanted > IMPORT_THREADS_MAX ? IMPORT_THREADS_MAX : wanted;
    while (import->threads_count < wanted &&
           !pthread_create(&import->threads[import->threads_count], NULL, work, import))
        import->threads_count++;
    if (!import->threads_count)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    *out = import;
    return ERR_OK;
}

void import_wait(struct import *import)
{
    struct import_queue *queue = &import->queue;
    pthread_mutex_lock(&queue->lock);
    while (queue->waiting || queue->working)
        pthread_cond_wait(&queue->taken, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
}

static int by_place(const void *a, const void *b)
{
    const struct import_refusal *left = a, *right = b;
    return str_cmp(left->where, right->where);
}

void import_refuse_file(struct import *import, str path, const struct issues *why)
{
    import_refuse(import, path, why->kept ? why->list[why->kept - 1].text : S("cannot be read"));
}

err import_finish(struct ctx *cx, struct import *import, struct import_report *out)
{
    import_wait(import);
    pthread_mutex_lock(&import->queue.lock);
    import->queue.closing = true;
    pthread_cond_broadcast(&import->queue.arrived);
    pthread_mutex_unlock(&import->queue.lock);
    for (int i = 0; i < import->threads_count; i++)
        pthread_join(import->threads[i], NULL);
    struct import_refusal *refusals = arena_array(cx->arena, import->refusals_count + 1,
                                                  sizeof *refusals);
    for (size_t i = 0; i < import->refusals_count; i++)
        refusals[i] = (struct import_refusal){ arena_copy(cx->arena, import->refusals[i].where),
                                               arena_copy(cx->arena, import->refusals[i].what) };
    qsort(refusals, import->refusals_count, sizeof *refusals, by_place);
    *out = (struct import_report){ import->counts, refusals, import->refusals_count };
    err fault = (err)atomic_load(&import->fault);
    if (fault)
        fault = ctx_fail(cx, fault, (str){ 0 }, import->fault_text);
    arena_free(&import->arena);
    pthread_cond_destroy(&import->queue.arrived);
    pthread_cond_destroy(&import->queue.taken);
    pthread_mutex_destroy(&import->queue.lock);
    return fault;
}
