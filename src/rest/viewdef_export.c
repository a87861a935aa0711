/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/random.h"
#include "db/db.h"
#include "json/write.h"
#include "rest/viewdef.h"
#include "store/access.h"
#include <pthread.h>

enum { ID_BYTES = 16, NAME_MAX_BYTES = 60, MEMORY = 1 << 30 };
enum state { FREE, RUNNING, DONE, FAILED };

struct output {
    char name[NAME_MAX_BYTES + 1];
    FILE *file;
    int64_t rows;
};
struct job {
    enum state state;
    _Atomic bool cancelled;
    char id[ID_BYTES * 2 + 1];
    struct arena arena;      /* everything of the job, emptied when it is forgotten */
    struct ctx cx;
    struct view_bulk *bulks;
    struct view_source *sources;
    struct output *outputs;
    size_t views_count, done_count;
    enum view_format format;
    int64_t started_ms, ended_ms;
    str fault;
};
static struct job jobs[VIEWDEF_JOBS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

/* The files of an export end with the program; what was asked for is kept for a day, so that
 * whoever asks how far it is after a restart has it made again, of what they may see. */
enum { SQL_ADD, SQL_OLD, SQL_HAS, SQL_DROP };
static const char known_schema[] = "DROP TABLE IF EXISTS view_export;"
                                   "CREATE TABLE IF NOT EXISTS view_export_asked"
                                   " (id TEXT PRIMARY KEY, started_ms INTEGER NOT NULL,"
                                   " format INTEGER NOT NULL, query TEXT NOT NULL,"
                                   " body TEXT NOT NULL) WITHOUT ROWID";
static const struct stmt known_sql[] = {
    [SQL_ADD] = { "an export begins",
        "INSERT INTO view_export_asked VALUES (?1, ?2, ?3, ?4, ?5)", NULL },
    [SQL_OLD] = { "forget old exports", "DELETE FROM view_export_asked WHERE started_ms < ?1",
        NULL },
    [SQL_HAS] = { "what an export was asked for",
        "SELECT format, query, body FROM view_export_asked WHERE id = ?1",
        "SEARCH view_export_asked USING PRIMARY KEY" },
    [SQL_DROP] = { "an export is cancelled", "DELETE FROM view_export_asked WHERE id = ?1",
        "SEARCH view_export_asked USING PRIMARY KEY" },
    { 0 },
};
struct known {
    const char *id;
    enum view_format format;
    str query, body;
};
enum { KNOWN_MS = 86400000 };

err viewdef_open(struct ctx *cx, struct store *store)
{
    return store_tables(cx, store, known_schema);
}

static err add_known(struct ctx *cx, struct db *db, void *self)
{
    const struct known *known = self;
    struct db_stmt *stmt = db_use(cx, db, known_sql, SQL_OLD);
    db_bind_int(stmt, 1, clock_now_ms() - KNOWN_MS);
    TRY(db_run(cx, stmt));
    stmt = db_use(cx, db, known_sql, SQL_ADD);
    db_bind_text(stmt, 1, str_of(known->id));
    db_bind_int(stmt, 2, clock_now_ms());
    db_bind_int(stmt, 3, known->format);
    db_bind_text(stmt, 4, known->query);
    db_bind_text(stmt, 5, known->body);
    return db_run(cx, stmt);
}

static err drop_known(struct ctx *cx, struct db *db, void *self)
{
    const str *id = self;
    struct db_stmt *stmt = db_use(cx, db, known_sql, SQL_DROP);
    db_bind_text(stmt, 1, *id);
    return db_run(cx, stmt);
}

static str copy(struct job *job, str text)
{
    return arena_copy(&job->arena, text);
}

static void forget(struct job *job) /* under the lock */
{
    for (size_t i = 0; i < job->views_count; i++)
        if (job->outputs && job->outputs[i].file)
            fclose(job->outputs[i].file);
    arena_free(&job->arena);
    memset(job, 0, sizeof *job);
}

static struct job *free_job(int64_t now_ms) /* under the lock */
{
    for (size_t i = 0; i < COUNT(jobs); i++)
        if (jobs[i].state > RUNNING && jobs[i].ended_ms + VIEWDEF_KEPT_MS < now_ms)
            forget(&jobs[i]);
    for (size_t i = 0; i < COUNT(jobs); i++)
        if (jobs[i].state == FREE)
            return &jobs[i];
    return NULL;
}

/* ---- the work ---- */

static err write_file(void *self, str text)
{
    return fwrite(text.p, 1, text.n, self) == text.n ? ERR_OK : ERR_IO;
}

static err make_output(struct job *job, size_t i)
{
    TRY(view_bulk_run(&job->cx, &job->bulks[i], &job->sources[i]));
    fflush(job->outputs[i].file);
    pthread_mutex_lock(&lock);
    job->outputs[i].rows = job->bulks[i].rows;
    job->done_count = i + 1;
    pthread_mutex_unlock(&lock);
    return ERR_OK;
}

static void *work(void *self)
{
    struct job *job = self;
    err error = ERR_OK;
    for (size_t i = 0; i < job->views_count && !error; i++)
        error = make_output(job, i);
    pthread_mutex_lock(&lock);
    job->state = error ? FAILED : DONE;
    job->ended_ms = clock_now_ms();
    if (error && job->cx.issues.kept)
        job->fault = job->cx.issues.list[0].text;
    if (job->cancelled)
        forget(job);
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* ---- starting ---- */

static void write_name(struct output *output, str name, str fallback, size_t index)
{
    size_t n = 0;
    name = name.n ? name : fallback;
    for (size_t i = 0; i < name.n && n < NAME_MAX_BYTES - 8; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-';
        output->name[n++] = plain ? c : '_';
    }
    snprintf(output->name + n, sizeof output->name - n, n ? "-%zu" : "view-%zu", index + 1);
}

static err add_view(struct viewdef_ask *ask, struct job *job, size_t i)
{
    struct ctx *cx = ask->request->cx;
    struct json definition;
    struct view_bulk *bulk = &job->bulks[i];
    *bulk = (struct view_bulk){ .format = ask->format, .no_head = ask->no_head, .threads = 1,
                                .write = write_file, .limit = ask->limit,
                                .cancel = &job->cancelled };
    /* Compiled in the job's memory from a copy of its text. */
    str text = copy(job, json_text(ask->definitions[i]));
    job->cx = ctx_make(&job->arena);
    if (json_parse(&job->cx, text, &definition) != ERR_OK ||
        view_compile(&job->cx, definition, &bulk->view) != ERR_OK) {
        const struct issue *issue = &job->cx.issues.list[0];
        return ctx_fail(cx, ERR_RULE, arena_copy(cx->arena, issue->path),
                        arena_copy(cx->arena, issue->text));
    }
    TRY(viewdef_source(ask, bulk->view, &job->sources[i]));
    job->sources[i].access = access_copy(&job->arena, cx->access);
    write_name(&job->outputs[i], ask->names[i], view_name(bulk->view), i);
    job->outputs[i].file = bulk->self = tmpfile();
    if (!bulk->self)
        return ctx_fail(cx, ERR_IO, S(""), S("no room for the rows on disk"));
    return ERR_OK;
}

static void mint_id(char id[ID_BYTES * 2 + 1])
{
    unsigned char secret[ID_BYTES];
    random_secret(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        snprintf(id + 2 * i, 3, "%02x", secret[i]);
}

static err fill(struct viewdef_ask *ask, const char *id, struct job *job)
{
    memcpy(job->id, id, sizeof job->id);
    job->arena = arena_make(MEMORY);
    job->bulks = arena_array(&job->arena, ask->views_count, sizeof *job->bulks);
    job->sources = arena_array(&job->arena, ask->views_count, sizeof *job->sources);
    job->outputs = arena_array(&job->arena, ask->views_count, sizeof *job->outputs);
    job->views_count = ask->views_count;
    job->format = ask->format;
    job->started_ms = clock_now_ms();
    for (size_t i = 0; i < ask->views_count; i++)
        TRY(add_view(ask, job, i));
    return ERR_OK;
}

static err start(struct viewdef_ask *ask, const char *id) /* under the lock */
{
    pthread_t thread;
    struct ctx *cx = ask->request->cx;
    struct job *job = free_job(clock_now_ms());
    if (!job)
        return ctx_fail(cx, ERR_BUSY, S(""), S("too many exports are running; try again later"));
    err error = fill(ask, id, job);
    if (!error) {
        job->state = RUNNING;
        if (pthread_create(&thread, NULL, work, job) == 0)
            pthread_detach(thread);
        else
            error = ctx_fail(cx, ERR_BUSY, S(""), S("no thread for the export; try again"));
    }
    if (error)
        forget(job);
    return error;
}

static str place_of(struct http_request *request, const char *id)
{
    return arena_printf(request->cx->arena, "%.*s/fhir/$viewdefinition-export/%s",
                        STR_ARG(request->base_url), id);
}

err viewdef_export_start(struct http_request *request, struct http_response *response)
{
    struct viewdef_ask *ask = arena_zero(request->cx->arena, sizeof *ask);
    char id[ID_BYTES * 2 + 1];
    TRY(viewdef_read(request, response, ask));
    mint_id(id);
    pthread_mutex_lock(&lock);
    err error = start(ask, id);
    pthread_mutex_unlock(&lock);
    TRY(error);
    ctx_release(request->cx);
    struct known known = { id, ask->format, request->query, request->body };
    TRY(store_write(request->cx, request->store, add_known, &known));
    response->status = 202;
    http_put_header(response, S("Content-Location"), place_of(request, id));
    return ERR_OK;
}

/* ---- looking ---- */

static struct job *find(const struct http_request *request) /* under the lock */
{
    for (size_t i = 0; i < COUNT(jobs); i++)
        if (jobs[i].state != FREE && str_eq(request->captures[0], str_of(jobs[i].id)))
            return &jobs[i];
    return NULL;
}

static err none(struct http_request *request)
{
    return ctx_fail(request->cx, ERR_NOT_FOUND, S(""), S("there is no such export, or no longer"));
}

static err read_known(struct http_request *request, struct known *out)
{
    struct ctx *cx = request->cx;
    bool row;
    TRY(store_reader(cx, request->store));
    struct db_stmt *stmt = db_use(cx, cx->db, known_sql, SQL_HAS);
    db_bind_text(stmt, 1, request->captures[0]);
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return none(request);
    *out = (struct known){ .id = arena_cstr(cx->arena, request->captures[0]),
                           .format = (enum view_format)db_int(stmt, 0),
                           .query = arena_copy(cx->arena, db_text(stmt, 1)),
                           .body = arena_copy(cx->arena, db_text(stmt, 2)) };
    db_reset(stmt);
    return ERR_OK;
}

/* The files ended with the program, or an hour after they were made: they are made again under the
 * same name, as the request was, with what its asker of now may see. */
static err again(struct http_request *request, struct http_response *response)
{
    struct viewdef_ask *ask = arena_zero(request->cx->arena, sizeof *ask);
    struct http_request asked = *request;
    struct known known;
    TRY(read_known(request, &known));
    asked.captures[0] = S("");
    asked.query = known.query;
    asked.body = known.body;
    TRY(viewdef_read(&asked, response, ask));
    ask->format = known.format;
    pthread_mutex_lock(&lock);
    err error = find(request) ? ERR_OK : start(ask, known.id);
    pthread_mutex_unlock(&lock);
    return error;
}

static void put_value(struct json_writer *w, const char *name, const char *type, str value)
{
    json_open(w, '{');
    json_put_str(w, "name", str_of(name));
    json_put_str(w, type, value);
    json_close(w, '}');
}

static str manifest(struct http_request *request, const struct job *job)
{
    struct buf buf = buf_make(request->cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Parameters"));
    json_key(&w, "parameter");
    json_open(&w, '[');
    put_value(&w, "exportId", "valueString", str_of(job->id));
    put_value(&w, "status", "valueCode", S("completed"));
    for (size_t i = 0; i < job->views_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "name", S("output"));
        json_key(&w, "part");
        json_open(&w, '[');
        put_value(&w, "name", "valueString", str_of(job->outputs[i].name));
        put_value(&w, "location", "valueUri",
                  arena_printf(request->cx->arena, "%.*s/%s", STR_ARG(place_of(request, job->id)),
                               job->outputs[i].name));
        json_close(&w, ']');
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_str(&buf);
}

static err status_of(struct http_request *request, struct http_response *response, bool *known)
{
    struct job *job = find(request);
    *known = job != NULL;
    if (!job)
        return ERR_OK;
    if (job->state == FAILED) {
        response->status = 422;
        return ctx_fail(request->cx, ERR_RULE, S(""), arena_copy(request->cx->arena, job->fault));
    }
    if (job->state == RUNNING) {
        response->status = 202;
        http_put_header(response, S("X-Progress"),
                        arena_printf(request->cx->arena, "%zu of %zu views", job->done_count,
                                     job->views_count));
        http_put_header(response, S("Retry-After"), S("1"));
        return ERR_OK;
    }
    response->content_type = S("application/fhir+json");
    response->body = manifest(request, job);
    return ERR_OK;
}

err viewdef_export_status(struct http_request *request, struct http_response *response)
{
    bool known = false;
    err error = ERR_OK;
    for (int tried = 0; tried < 2 && !known; tried++) {
        if (tried)
            TRY(again(request, response));
        pthread_mutex_lock(&lock);
        error = status_of(request, response, &known);
        pthread_mutex_unlock(&lock);
    }
    return known ? error : none(request);
}

err viewdef_export_cancel(struct http_request *request, struct http_response *response)
{
    pthread_mutex_lock(&lock);
    struct job *job = find(request);
    if (job && job->state == RUNNING)
        job->cancelled = true;
    else if (job)
        forget(job);
    pthread_mutex_unlock(&lock);
    struct known known;
    if (!job)
        TRY(read_known(request, &known));
    ctx_release(request->cx);
    TRY(store_write(request->cx, request->store, drop_known, &request->captures[0]));
    response->status = 202;
    return ERR_OK;
}

static FILE *reopen(const struct job *job, str name)
{
    char path[64];
    for (size_t i = 0; i < job->views_count; i++)
        if (str_eq(name, str_of(job->outputs[i].name))) {
            /* A file of its own, so that two readers do not share one place in it. */
            snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(job->outputs[i].file));
            return fopen(path, "rb");
        }
    return NULL;
}

err viewdef_export_file(struct http_request *request, struct http_response *response)
{
    pthread_mutex_lock(&lock);
    struct job *job = find(request);
    bool running = job && job->state == RUNNING;
    FILE *file = job && job->state == DONE ? reopen(job, request->captures[1]) : NULL;
    enum view_format format = job ? job->format : VIEW_NDJSON;
    pthread_mutex_unlock(&lock);
    if (!job)
        TRY(again(request, response));
    if (!job || running)
        return ctx_fail(request->cx, ERR_BUSY, S(""),
                        S("the files are being made; ask for this one again"));
    if (!file)
        return none(request);
    viewdef_stream(response, file, format);
    return ERR_OK;
}

void viewdef_stop(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < COUNT(jobs); i++) {
        jobs[i].cancelled = true;
        while (jobs[i].state == RUNNING)
            pthread_cond_wait(&ended, &lock);
        if (jobs[i].state != FREE)
            forget(&jobs[i]);
        jobs[i].cancelled = false;
    }
    pthread_mutex_unlock(&lock);
}
