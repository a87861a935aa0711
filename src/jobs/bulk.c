/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/random.h"
#include "db/db.h"
#include "jobs/bulk_work.h"
#include "jobs/once.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SQL_PUT, SQL_GET, SQL_NEXT, SQL_SET, SQL_DROP, SQL_EXPIRED, SQL_OPEN };
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS bulk (id TEXT PRIMARY KEY, state INTEGER NOT NULL,"
    " spec TEXT NOT NULL, created_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL, done INTEGER NOT NULL, error TEXT NOT NULL,"
    " output TEXT NOT NULL) WITHOUT ROWID";
static const struct stmt bulk_sql[] = {
    [SQL_PUT] = { "a bulk job", "INSERT INTO bulk VALUES (?1, 0, ?2, ?3, 0, 0, 0, '', '')", NULL },
    [SQL_GET] = { "look at a bulk job",
        "SELECT state, spec, created_ms, ended_ms, expires_ms, done, error, output FROM bulk "
        "WHERE id = ?1", "SEARCH bulk USING PRIMARY KEY" },
    [SQL_NEXT] = { "the next bulk job",
        "SELECT id, spec FROM bulk WHERE state <= 1 ORDER BY state DESC, created_ms "
        "LIMIT 1", NULL },
    [SQL_SET] = { "note a bulk job",
        "UPDATE bulk SET state = ?2, ended_ms = ?3, expires_ms = ?4, done = ?5, error = ?6, "
        "output = ?7 WHERE id = ?1", "SEARCH bulk USING PRIMARY KEY" },
    [SQL_DROP] = { "forget a bulk job", "DELETE FROM bulk WHERE id = ?1",
        "SEARCH bulk USING PRIMARY KEY" },
    [SQL_EXPIRED] = { "a bulk job past its time",
        "SELECT id FROM bulk WHERE state > 1 AND expires_ms < ?1 LIMIT 1", NULL },
    [SQL_OPEN] = { "unfinished bulk jobs", "SELECT count(*) FROM bulk WHERE state <= 1", NULL },
    { 0 },
};
enum { LOOK_EVERY_MS = 60000, ID_BYTES = 16 };
#define BULK_MEMORY_BYTES ((size_t)1 << 30)

str bulk_folder(struct ctx *cx, const struct bulk *bulk, str id)
{
    return arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(bulk->folder), STR_ARG(id));
}

/* --- rows --- */

struct row {
    str id, spec, error, output;
    enum bulk_state state;
    int64_t ended_ms, done;
};

static err put_row(struct ctx *cx, struct db *db, void *self)
{
    const struct row *row = self;
    struct db_stmt *open = db_use(cx, db, bulk_sql, SQL_OPEN);
    bool found;
    TRY(db_step(cx, open, &found));
    bool full = found && db_int(open, 0) >= BULK_JOBS_MAX;
    db_reset(open);
    if (full)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 },
                        S("too many exports and imports are waiting; try again later"));
    struct db_stmt *stmt = db_use(cx, db, bulk_sql, SQL_PUT);
    db_bind_text(stmt, 1, row->id);
    db_bind_text(stmt, 2, row->spec);
    db_bind_int(stmt, 3, row->ended_ms);
    return db_run(cx, stmt);
}

static err set_row(struct ctx *cx, struct db *db, void *self)
{
    const struct row *row = self;
    struct db_stmt *stmt = db_use(cx, db, bulk_sql, SQL_SET);
    db_bind_text(stmt, 1, row->id);
    db_bind_int(stmt, 2, row->state);
    db_bind_int(stmt, 3, row->ended_ms);
    db_bind_int(stmt, 4, row->ended_ms + BULK_KEPT_MS);
    db_bind_int(stmt, 5, row->done);
    db_bind_text(stmt, 6, row->error.p ? row->error : S(""));
    db_bind_text(stmt, 7, row->output.p ? row->output : S(""));
    return db_run(cx, stmt);
}

static err drop_row(struct ctx *cx, struct db *db, void *self)
{
    const str *id = self;
    struct db_stmt *stmt = db_use(cx, db, bulk_sql, SQL_DROP);
    db_bind_text(stmt, 1, *id);
    return db_run(cx, stmt);
}

static void remove_files(struct ctx *cx, const struct bulk *bulk, str id)
{
    str folder = bulk_folder(cx, bulk, id);
    DIR *dir = opendir(folder.p);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlink(arena_printf(cx->arena, "%.*s/%s", STR_ARG(folder), entry->d_name).p);
    if (dir)
        closedir(dir);
    rmdir(folder.p);
}

static err forget(struct ctx *cx, struct bulk *bulk, str id)
{
    TRY(store_write(cx, bulk->store, drop_row, &id));
    remove_files(cx, bulk, id);
    return ERR_OK;
}

/* --- the thread --- */

static err find_one(struct ctx *cx, struct bulk *bulk, size_t sql, struct row *out, bool *found)
{
    TRY(store_reader(cx, bulk->store));
    struct db_stmt *stmt = db_use(cx, cx->db, bulk_sql, sql);
    if (sql == SQL_EXPIRED)
        db_bind_int(stmt, 1, cx->now_ms);
    TRY(db_step(cx, stmt, found));
    if (*found) {
        out->id = arena_copy(cx->arena, db_text(stmt, 0));
        out->spec = sql == SQL_NEXT ? arena_copy(cx->arena, db_text(stmt, 1)) : S("");
    }
    ctx_release(cx);
    return ERR_OK;
}

static void set_running(struct bulk *bulk, str id)
{
    pthread_mutex_lock(&bulk->lock);
    snprintf(bulk->running, sizeof bulk->running, "%.*s", STR_ARG(id));
    bulk->cancel = false;
    bulk->done = bulk->total = 0;
    pthread_mutex_unlock(&bulk->lock);
}

static err run_job(struct ctx *cx, struct bulk *bulk, struct row *row)
{
    struct bulk_spec *spec = arena_zero(cx->arena, sizeof *spec);
    row->state = BULK_RUNNING;
    TRY(store_write(cx, bulk->store, set_row, row));
    err wrong = bulk_spec_read(cx, row->spec, spec);
    if (!wrong)
        wrong = spec->is_import ? bulk_run_import(cx, bulk, row->id, spec, &row->output)
                                : bulk_run_export(cx, bulk, row->id, spec, &row->output);
    ctx_release(cx);
    if (bulk->closing)
        return ERR_OK; /* it goes on at the next start */
    if (bulk->cancel)
        return forget(cx, bulk, row->id);
    row->state = wrong ? BULK_FAILED : BULK_DONE;
    row->ended_ms = clock_now_ms();
    row->done = bulk->done;
    if (wrong)
        row->error = cx->issues.kept ? cx->issues.list[0].text : str_of(err_name(wrong));
    return store_write(cx, bulk->store, set_row, row);
}

static err one_round(struct ctx *cx, struct bulk *bulk, bool *worked)
{
    struct row row = { 0 };
    TRY(find_one(cx, bulk, SQL_EXPIRED, &row, worked));
    if (*worked)
        return forget(cx, bulk, row.id);
    TRY(find_one(cx, bulk, SQL_NEXT, &row, worked));
    if (!*worked)
        return ERR_OK;
    set_running(bulk, row.id);
    err wrong = run_job(cx, bulk, &row);
    set_running(bulk, S(""));
    return wrong;
}

struct round {
    struct bulk *bulk;
    bool worked;
};

static err round_work(struct ctx *cx, void *self)
{
    struct round *round = self;
    return one_round(cx, round->bulk, &round->worked);
}

static bool work_once(struct bulk *bulk)
{
    struct round round = { bulk, false };
    return job_once(BULK_MEMORY_BYTES, round_work, &round) == ERR_OK && round.worked;
}

static bool wait_for_work(struct bulk *bulk)
{
    int64_t at_ms = clock_now_ms() + LOOK_EVERY_MS;
    struct timespec at = { .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
    pthread_mutex_lock(&bulk->lock);
    while (!bulk->closing && !bulk->woken &&
           pthread_cond_timedwait(&bulk->changed, &bulk->lock, &at) == 0)
        ;
    bulk->woken = false;
    pthread_mutex_unlock(&bulk->lock);
    return !bulk->closing;
}

static void *run(void *self)
{
    struct bulk *bulk = self;
    do
        while (!bulk->closing && work_once(bulk))
            ;
    while (wait_for_work(bulk));
    return NULL;
}

static void wake(struct bulk *bulk)
{
    pthread_mutex_lock(&bulk->lock);
    bulk->woken = true;
    pthread_cond_signal(&bulk->changed);
    pthread_mutex_unlock(&bulk->lock);
}

/* --- what others ask --- */

static err make_folder(struct ctx *cx, str path)
{
    if (mkdir(arena_cstr(cx->arena, path), 0750) == 0 || errno == EEXIST)
        return ERR_OK;
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be made: %s", STR_ARG(path),
                     strerror(errno));
}

err bulk_start(struct ctx *cx, struct store *store, str folder, struct audit_log *audit,
               struct bulk **out)
{
    struct bulk *bulk = arena_zero(cx->arena, sizeof *bulk);
    bulk->store = store;
    bulk->audit = audit;
    bulk->folder = arena_printf(cx->arena, "%.*s/bulk", STR_ARG(folder));
    TRY(make_folder(cx, bulk->folder));
    TRY(store_tables(cx, store, schema));
    pthread_mutex_init(&bulk->lock, NULL);
    pthread_cond_init(&bulk->changed, NULL);
    if (pthread_create(&bulk->thread, NULL, run, bulk))
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("no thread could be started"));
    *out = bulk;
    return ERR_OK;
}

void bulk_stop(struct bulk *bulk)
{
    bulk->closing = true;
    wake(bulk);
    pthread_join(bulk->thread, NULL);
    pthread_cond_destroy(&bulk->changed);
    pthread_mutex_destroy(&bulk->lock);
}

static str mint_id(struct ctx *cx)
{
    unsigned char secret[ID_BYTES];
    char text[2 * ID_BYTES + 1];
    random_secret(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        snprintf(text + 2 * i, 3, "%02x", secret[i]);
    return arena_copy(cx->arena, (str){ text, 2 * ID_BYTES });
}

static err write_input(struct ctx *cx, str folder, str input)
{
    str path = arena_printf(cx->arena, "%.*s/input.ndjson", STR_ARG(folder));
    FILE *file = fopen(path.p, "w");
    bool good = file && fwrite(input.p, 1, input.n, file) == input.n && fflush(file) == 0 &&
                fsync(fileno(file)) == 0;
    if (file && fclose(file))
        good = false;
    return good ? ERR_OK : ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be written: %s",
                                     STR_ARG(path), strerror(errno));
}

err bulk_submit(struct ctx *cx, struct bulk *bulk, const struct bulk_spec *spec, str input,
                str *id)
{
    struct row row = { .id = mint_id(cx), .spec = bulk_spec_write(cx, spec),
                       .ended_ms = cx->now_ms };
    str folder = bulk_folder(cx, bulk, row.id);
    TRY(make_folder(cx, folder));
    if (spec->is_import)
        TRY(write_input(cx, folder, input));
    err wrong = store_write(cx, bulk->store, put_row, &row);
    if (wrong) {
        remove_files(cx, bulk, row.id);
        return wrong;
    }
    *id = row.id;
    wake(bulk);
    return ERR_OK;
}

static err none(struct ctx *cx)
{
    return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("there is no such job, or no longer"));
}

static err read_report(struct ctx *cx, struct db_stmt *stmt, struct bulk_report *out)
{
    struct bulk_spec *spec = arena_zero(cx->arena, sizeof *spec);
    TRY(bulk_spec_read(cx, arena_copy(cx->arena, db_text(stmt, 1)), spec));
    *out = (struct bulk_report){
        .state = (enum bulk_state)db_int(stmt, 0), .url = spec->url, .who = spec->who,
        .is_import = spec->is_import,
        .created_ms = db_int(stmt, 2), .ended_ms = db_int(stmt, 3), .expires_ms = db_int(stmt, 4),
        .done = db_int(stmt, 5), .error = arena_copy(cx->arena, db_text(stmt, 6)),
        .output = arena_copy(cx->arena, db_text(stmt, 7)),
    };
    bool any = !spec->types[0] && !spec->types[1] && !spec->types[2];
    for (size_t i = 0; i < ACCESS_TYPES_WORDS && !spec->is_import; i++)
        out->types[i] = (any ? UINT64_MAX : spec->types[i]) &
                        (spec->access ? spec->access->types[i] : UINT64_MAX);
    return ERR_OK;
}

err bulk_look(struct ctx *cx, struct bulk *bulk, str id, struct bulk_report *out)
{
    TRY(store_reader(cx, bulk->store));
    struct db_stmt *stmt = db_use(cx, cx->db, bulk_sql, SQL_GET);
    bool found;
    db_bind_text(stmt, 1, id);
    TRY(db_step(cx, stmt, &found));
    if (!found)
        return none(cx);
    err wrong = read_report(cx, stmt, out);
    db_reset(stmt);
    pthread_mutex_lock(&bulk->lock);
    if (str_eq(id, str_of(bulk->running))) {
        out->done = bulk->done;
        out->total = bulk->total;
    }
    pthread_mutex_unlock(&bulk->lock);
    return wrong;
}

err bulk_cancel(struct ctx *cx, struct bulk *bulk, str id)
{
    struct bulk_report *report = arena_zero(cx->arena, sizeof *report);
    TRY(bulk_look(cx, bulk, id, report));
    pthread_mutex_lock(&bulk->lock);
    bool running = str_eq(id, str_of(bulk->running));
    if (running)
        bulk->cancel = true; /* the thread forgets it */
    pthread_mutex_unlock(&bulk->lock);
    return running ? ERR_OK : forget(cx, bulk, id);
}

err bulk_file(struct ctx *cx, struct bulk *bulk, str id, str name, str *path)
{
    struct bulk_report *report = arena_zero(cx->arena, sizeof *report);
    TRY(bulk_look(cx, bulk, id, report));
    str quoted = arena_printf(cx->arena, "\"file\":\"%.*s\"", STR_ARG(name));
    if (report->state != BULK_DONE || str_find(report->output, quoted) == STR_NONE)
        return none(cx);
    *path = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(bulk_folder(cx, bulk, id)),
                         STR_ARG(name));
    return ERR_OK;
}
