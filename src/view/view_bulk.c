/* SPDX-License-Identifier: Apache-2.0 */
#include "view/view_bulk.h"
#include "fhir/def.h"
#include <pthread.h>

enum { THREADS_MAX = 16, PIECE_BYTES = 2 << 20, PIECE_RIDS = 2048 };
#define WORKER_MEMORY_BYTES ((size_t)1 << 30)

struct crew { /* what the threads share, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t turned;
    struct view_bulk *bulk;
    struct view_source *source;
    int64_t next_turn, turn; /* pieces handed out, and written */
    int64_t lines;           /* in the pieces written so far */
    bool first, stop;
    err error;
    str fault;               /* text of the first fault, in `memory` */
    char memory[600];
};
struct view_sink {
    struct crew *crew;
    struct buf buf;
    bool first;
    int64_t lines, resources, rows;
};

/* ---- resources ---- */

static err take_resource(struct ctx *cx, struct view_sink *sink, struct json resource)
{
    const struct view_bulk *bulk = sink->crew->bulk;
    struct view_rows rows;
    int64_t left = bulk->limit - bulk->rows - sink->rows; /* with a limit there is one thread */
    if (bulk->limit && left <= 0)
        return ERR_OK;
    TRY(view_run(cx, bulk->view, resource, &rows));
    if (bulk->limit && (int64_t)rows.rows_count > left)
        rows.rows_count = (size_t)left;
    sink->resources++;
    sink->rows += (int64_t)rows.rows_count;
    view_write_rows(&sink->buf, bulk->view, bulk->format, &rows, &sink->first);
    return sink->buf.full ? ctx_fail(cx, ERR_LIMIT, S(""), S("the rows are too many")) : ERR_OK;
}

err view_sink_take(struct ctx *cx, struct view_sink *sink, struct json value)
{
    bool bundle = json_string_is(json_get(value, S("resourceType")), S("Bundle"));
    if (json_is(value, JSON_ARRAY)) {
        for (struct json_walk w = json_walk(value); json_next(&w);)
            TRY(view_sink_take(cx, sink, w.value));
        return ERR_OK;
    }
    if (!json_is(value, JSON_OBJECT))
        return ctx_fail(cx, ERR_RULE, S(""), S("a resource is expected, an object"));
    if (!bundle || str_eq(view_resource(sink->crew->bulk->view), S("Bundle")))
        return take_resource(cx, sink, value);
    for (struct json_walk w = json_walk(json_get(value, S("entry"))); json_next(&w);) {
        struct json resource = json_get(w.value, S("resource"));
        if (resource.doc)
            TRY(take_resource(cx, sink, resource));
    }
    return ERR_OK;
}

/* ---- sources ---- */

static bool next_lines(struct view_source *source, struct view_piece *out)
{
    size_t from = (size_t)source->at, to = from + PIECE_BYTES;
    if (from >= source->text.n)
        return false;
    if (to < source->text.n) {
        size_t end = str_find_char(str_slice(source->text, to, source->text.n), '\n');
        to = end == STR_NONE ? source->text.n : to + end + 1;
    } else {
        to = source->text.n;
    }
    *out = (struct view_piece){ (int64_t)from, (int64_t)to };
    source->at = (int64_t)to;
    return true;
}

static err run_lines(struct ctx *cx, struct view_source *source, struct view_piece piece,
                     struct view_sink *sink)
{
    str rest = str_slice(source->text, (size_t)piece.from, (size_t)piece.to), line;
    while (str_next(&rest, '\n', &line)) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct json value;
        sink->lines++;
        line = str_trim(line);
        if (!line.n)
            continue;
        TRY(json_parse(cx, line, &value));
        TRY(view_sink_take(cx, sink, value));
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

struct view_source view_source_of_ndjson(str text)
{
    return (struct view_source){ .next = next_lines, .run = run_lines, .text = text };
}

static bool next_rids(struct view_source *source, struct view_piece *out)
{
    if (source->at >= source->end)
        return false;
    *out = (struct view_piece){ source->at, source->at + PIECE_RIDS };
    source->at += PIECE_RIDS;
    return true;
}

static err run_rids(struct ctx *cx, struct view_source *source, struct view_piece piece,
                    struct view_sink *sink)
{
    struct store_scan scan = { .resource = source->resource, .after_rid = piece.from - 1,
                               .last_rid = piece.to - 1, .since_ms = source->since_ms,
                               .count = PIECE_RIDS };
    struct store_versions page;
    TRY(store_scan(cx, source->store, &scan, &page));
    for (size_t i = 0; i < page.count; i++) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct json body;
        if (source->pid && page.list[i].pid != source->pid)
            continue;
        TRY(json_parse(cx, page.list[i].body, &body));
        TRY(view_sink_take(cx, sink, body));
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

err view_source_of_store(struct ctx *cx, struct store *store, const struct view *view,
                         struct view_source *out)
{
    uint16_t resource = fhir_types[view_type(view)].resource;
    struct view_source source = { .next = next_rids, .run = run_rids, .store = store,
                                  .resource = resource, .at = store_rid(resource, 0),
                                  .access = cx->access };
    TRY(store_rids_end(cx, store, resource, &source.end));
    *out = source;
    return ERR_OK;
}

/* ---- the crew ---- */

/* Keeps the first fault, with the line it was met on. */
static void keep_fault(struct crew *crew, struct ctx *cx, const struct view_sink *sink, err error)
{
    const struct issue *issue = cx->issues.kept ? &cx->issues.list[0] : NULL;
    str text = issue ? issue->text : S("");
    int n = crew->lines + sink->lines > 0
                ? snprintf(crew->memory, sizeof crew->memory, "line %lld: %.*s",
                           (long long)(crew->lines + sink->lines), STR_ARG(text))
                : snprintf(crew->memory, sizeof crew->memory, "%.*s", STR_ARG(text));
    bool cut = n < 0 || (size_t)n >= sizeof crew->memory;
    crew->fault = (str){ crew->memory, cut ? strlen(crew->memory) : (size_t)n };
    crew->error = error;
    crew->stop = true;
}

/* The comma between two pieces of a JSON array. */
static err write_rows(struct crew *crew, struct view_sink *sink)
{
    if (sink->buf.n == 0)
        return ERR_OK;
    struct view_bulk *bulk = crew->bulk;
    if (bulk->format == VIEW_JSON_ARRAY && !crew->first)
        TRY(bulk->write(bulk->self, S(",")));
    crew->first = false;
    return bulk->write(bulk->self, buf_str(&sink->buf));
}

static void take_turn(struct crew *crew, struct ctx *cx, struct view_sink *sink, int64_t turn,
                      err error)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->turn != turn)
        pthread_cond_wait(&crew->turned, &crew->lock);
    if (!crew->stop) {
        err wrong = write_rows(crew, sink);
        if (error || wrong)
            keep_fault(crew, cx, sink, error ? error : wrong);
        crew->lines += sink->lines;
        crew->bulk->resources += sink->resources;
        crew->bulk->rows += sink->rows;
        crew->stop = crew->stop || (crew->bulk->limit && crew->bulk->rows >= crew->bulk->limit);
    }
    crew->turn++;
    pthread_cond_broadcast(&crew->turned);
    pthread_mutex_unlock(&crew->lock);
}

static bool take_piece(struct crew *crew, struct view_piece *piece, int64_t *turn)
{
    pthread_mutex_lock(&crew->lock);
    bool cancelled = crew->bulk->cancel && *crew->bulk->cancel;
    bool more = !cancelled && !crew->stop && crew->source->next(crew->source, piece);
    if (more)
        *turn = crew->next_turn++;
    pthread_mutex_unlock(&crew->lock);
    return more;
}

/* Past the arena's cap the piece ends as a fault. */
static err run_guarded(struct ctx *cx, struct crew *crew, struct view_piece piece,
                       struct view_sink *sink)
{
    jmp_buf over;
    cx->arena->over = &over;
    err error = ERR_LIMIT;
    if (setjmp(over) == 0)
        error = crew->source->run(cx, crew->source, piece, sink);
    else
        cx->arena->cap_bytes += 64 * 1024;
    cx->arena->over = NULL;
    return error;
}

static void *work(void *self)
{
    struct crew *crew = self;
    struct arena scratch = arena_make(WORKER_MEMORY_BYTES), output = arena_make(SIZE_MAX / 2);
    struct view_piece piece;
    int64_t turn = 0;
    while (take_piece(crew, &piece, &turn)) {
        struct ctx cx = ctx_make(&scratch);
        struct view_sink sink = { .crew = crew, .first = true,
                                  .buf = buf_make(&output, (size_t)1 << 30) };
        cx.access = crew->source->access;
        err error = run_guarded(&cx, crew, piece, &sink);
        take_turn(crew, &cx, &sink, turn, error);
        ctx_release(&cx);
        arena_reset(&scratch);
        arena_reset(&output);
    }
    arena_free(&scratch);
    arena_free(&output);
    return NULL;
}

static err start_crew(struct ctx *cx, struct crew *crew, int wanted)
{
    pthread_t threads[THREADS_MAX];
    int started = 0;
    for (; started < wanted && started < THREADS_MAX; started++)
        if (pthread_create(&threads[started], NULL, work, crew) != 0)
            break;
    if (!started)
        work(crew);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (crew->error)
        return ctx_fail(cx, crew->error, S(""), arena_copy(cx->arena, crew->fault));
    return ERR_OK;
}

err view_bulk_run(struct ctx *cx, struct view_bulk *bulk, struct view_source *source)
{
    struct crew crew = { .bulk = bulk, .source = source, .first = true };
    struct buf head = buf_make(cx->arena, 1 << 20), tail = buf_make(cx->arena, 16);
    pthread_mutex_init(&crew.lock, NULL);
    pthread_cond_init(&crew.turned, NULL);
    if (!bulk->no_head)
        view_write_head(&head, bulk->view, bulk->format);
    err error = bulk->write(bulk->self, buf_str(&head));
    if (!error)
        error = start_crew(cx, &crew, bulk->limit ? 1 : bulk->threads);
    pthread_cond_destroy(&crew.turned);
    pthread_mutex_destroy(&crew.lock);
    TRY(error);
    if (bulk->cancel && *bulk->cancel)
        return ctx_fail(cx, ERR_BUSY, S(""), S("cancelled"));
    view_write_tail(&tail, bulk->format);
    return tail.n ? bulk->write(bulk->self, buf_str(&tail)) : ERR_OK;
}
