/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/export.h"
#include "base/buf.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 256, THREADS_MAX = 16, ID_BYTES = 200 };
#define THREAD_MEMORY_BYTES ((size_t)512 << 20)

/*
 * Each thread takes the next type nobody took, largest first, and writes its file. Types are many,
 * and the disk is shared: ranges within a type would gain little.
 */
struct export {
    const struct export_options *options;
    uint16_t *order; /* types, the fullest first */
    size_t order_count;
    _Atomic size_t next;
    _Atomic int64_t resources, bytes;
    _Atomic int fault;
    int64_t *counts;
    pthread_mutex_t lock;
    struct ctx *cx; /* issues go there, under the lock */
};

static err fail_file(struct ctx *cx, const char *path)
{
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "%s cannot be written: %s", path, strerror(errno));
}

static err write_whole(struct ctx *cx, int file, const char *path, str text)
{
    while (text.n) {
        ssize_t put = write(file, text.p, text.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail_file(cx, path);
        text = str_slice(text, (size_t)put, text.n);
    }
    return ERR_OK;
}

struct part { /* a file being written */
    int file;
    const char *path;
};

static err write_page(struct ctx *cx, struct export *e, const struct part *part,
                      const struct store_versions *page, int64_t *written)
{
    struct buf buf = buf_make(cx->arena, THREAD_MEMORY_BYTES);
    for (size_t i = 0; i < page->count; i++) {
        str body = page->list[i].body;
        if (e->options->shape)
            TRY(e->options->shape(cx, e->options->shape_self, &page->list[i], &body));
        if (!str_given(body))
            continue;
        buf_add(&buf, body);
        buf_char(&buf, '\n');
        *written += 1;
    }
    if (buf.full)
        return ctx_fail(cx, ERR_LIMIT, (str){ 0 }, S("a page of the export is too large"));
    atomic_fetch_add(&e->bytes, (int64_t)buf.n);
    return write_whole(cx, part->file, part->path, buf_str(&buf));
}

static err go_on(struct ctx *cx, struct export *e, size_t more)
{
    int64_t now = atomic_fetch_add(&e->resources, (int64_t)more) + (int64_t)more;
    if (atomic_load(&e->fault))
        return ERR_BUSY;
    if (e->options->progress && !e->options->progress(e->options->self, now))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("the export was stopped"));
    return ERR_OK;
}

static err write_type(struct ctx *cx, struct export *e, uint16_t resource, struct part *part)
{
    struct store_scan scan = { .resource = resource, .since_ms = e->options->since_ms,
                               .count = PAGE };
    struct store_versions page = { .more = true };
    while (page.more) {
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(store_scan(cx, e->options->store, &scan, &page));
        if (page.count && part->file < 0) {
            part->file = open(part->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
            if (part->file < 0)
                return fail_file(cx, part->path);
        }
        if (page.count) {
            TRY(write_page(cx, e, part, &page, &e->counts[resource]));
            scan.after_rid = page.list[page.count - 1].rid;
        }
        TRY(go_on(cx, e, page.count));
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

/* A file has its name only once it is whole and on disk. */
static err export_type(struct ctx *cx, struct export *e, uint16_t resource)
{
    str name = fhir_resource_name(resource);
    str path = arena_printf(cx->arena, "%.*s/%.*s.ndjson", STR_ARG(e->options->folder),
                            STR_ARG(name));
    struct part part = { -1, arena_printf(cx->arena, "%s.part", path.p).p };
    if (e->options->keep_files && access(path.p, F_OK) == 0)
        return ERR_OK;
    TRY(store_reader(cx, e->options->store));
    err wrong = write_type(cx, e, resource, &part);
    if (part.file < 0)
        return wrong;
    if (!wrong && fsync(part.file))
        wrong = fail_file(cx, part.path);
    if (close(part.file) && !wrong)
        wrong = fail_file(cx, part.path);
    if (!wrong && rename(part.path, path.p))
        wrong = fail_file(cx, path.p);
    return wrong;
}

static void take_fault(struct export *e, const struct ctx *from, err wrong)
{
    pthread_mutex_lock(&e->lock);
    if (!atomic_load(&e->fault)) {
        for (size_t i = 0; i < from->issues.kept; i++)
            issues_note(&e->cx->issues, from->issues.list[i]);
        atomic_store(&e->fault, (int)wrong);
    }
    pthread_mutex_unlock(&e->lock);
}

static void *work(void *self)
{
    struct export *e = self;
    struct arena arena = arena_make(THREAD_MEMORY_BYTES * 2);
    size_t at;
    while ((at = atomic_fetch_add(&e->next, 1)) < e->order_count && !atomic_load(&e->fault)) {
        struct ctx cx = ctx_make(&arena);
        cx.access = e->options->access;
        err wrong = export_type(&cx, e, e->order[at]);
        if (wrong)
            take_fault(e, &cx, wrong);
        ctx_release(&cx);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return NULL;
}

static void run_threads(struct export *e)
{
    pthread_t threads[THREADS_MAX];
    int wanted = e->options->threads ? e->options->threads : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int started = 0;
    wanted = wanted < 1 ? 1 : wanted > THREADS_MAX ? THREADS_MAX : wanted;
    while (started < wanted - 1 && !pthread_create(&threads[started], NULL, work, e))
        started++;
    work(e); /* this thread is one of them */
    while (started)
        pthread_join(threads[--started], NULL);
}

/* The fullest types first, so that the last thread to finish has little left to do. */
static err order_types(struct ctx *cx, struct export *e)
{
    int64_t *live = arena_array(cx->arena, fhir_resources_count, sizeof *live);
    e->order = arena_array(cx->arena, fhir_resources_count, sizeof *e->order);
    TRY(store_counts(cx, e->options->store, live));
    for (uint16_t r = 0; r < fhir_resources_count; r++) {
        bool wanted = !e->options->types || (e->options->types[r / 64] >> (r % 64) & 1);
        if (!wanted || !live[r])
            continue;
        size_t at = e->order_count++;
        for (; at && live[e->order[at - 1]] < live[r]; at--)
            e->order[at] = e->order[at - 1];
        e->order[at] = r;
    }
    return ERR_OK;
}

err export_run(struct ctx *cx, const struct export_options *options, struct export_report *out)
{
    struct export e = { .options = options, .cx = cx };
    const char *folder = arena_cstr(cx->arena, options->folder);
    if (mkdir(folder, 0750) && errno != EEXIST)
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "the folder %s cannot be made: %s", folder,
                         strerror(errno));
    e.counts = arena_array(cx->arena, fhir_resources_count, sizeof *e.counts);
    TRY(order_types(cx, &e));
    pthread_mutex_init(&e.lock, NULL);
    run_threads(&e);
    pthread_mutex_destroy(&e.lock);
    int64_t written = 0;
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        written += e.counts[r];
    *out = (struct export_report){ written, atomic_load(&e.bytes), e.counts };
    return (err)atomic_load(&e.fault);
}
