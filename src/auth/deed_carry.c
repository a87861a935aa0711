/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/deed.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>

enum { CARRY_ROWS = 500, CARRY_ARENA_BYTES = 16 << 20 };

enum { CARRY_READ, CARRY_FORGET };
static const struct stmt carry_sql[] = {
    [CARRY_READ] = { "deeds the audit has not yet",
        "SELECT d.n, d.at_ms, d.who, d.by, d.act, d.what, d.request, coalesce(u.who, ''),"
        " coalesce(u.role, '') FROM deed d LEFT JOIN user u ON u.name = d.by"
        " ORDER BY d.n LIMIT ?1", "SCAN d" },
    [CARRY_FORGET] = { "deeds the audit has",
        "DELETE FROM deed WHERE n <= ?1", NULL },
    { 0 },
};

struct deeds {
    struct people *people;
    struct audit_log *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopping;
    bool stop;
};

static str subject(struct ctx *cx, struct db_stmt *stmt)
{
    str who = db_text(stmt, 2), what = db_text(stmt, 5);
    bool own = str_eq(who, db_text(stmt, 3)) || !who.n;
    return own ? arena_copy(cx->arena, what)
               : arena_printf(cx->arena, "%.*s (%.*s)", STR_ARG(what), STR_ARG(who));
}

static err read_rows(struct ctx *cx, struct db *db, struct audit_entry *out, size_t *count,
                     int64_t *last)
{
    struct db_stmt *stmt = db_use(cx, db, carry_sql, CARRY_READ);
    db_bind_int(stmt, 1, CARRY_ROWS);
    *count = 0;
    for (bool row;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *last = db_int(stmt, 0);
        str request = db_text(stmt, 6);
        out[(*count)++] = (struct audit_entry){
            .at_ms = db_int(stmt, 1),
            .who = arena_copy(cx->arena, db_text(stmt, 3)),
            .person = arena_copy(cx->arena, db_text(stmt, 7)),
            .role = arena_copy(cx->arena, db_text(stmt, 8)),
            .act = (enum audit_act)db_int(stmt, 4),
            .what = subject(cx, stmt),
            .outcome = AUDIT_DONE,
            .request_id = request.n ? arena_copy(cx->arena, request)
                                    : arena_printf(cx->arena, "deed-%lld", (long long)*last),
            .address = S(""), .client = S(""), .behalf = S(""), .purpose = S(""), .reason = S(""),
        };
    }
}

static err forget(struct ctx *cx, struct db *db, int64_t last)
{
    struct db_stmt *stmt = db_use(cx, db, carry_sql, CARRY_FORGET);
    db_bind_int(stmt, 1, last);
    return db_run(cx, stmt);
}

/* Into the chain, onto the disk, and only then out of auth.db. */
static err carry(struct ctx *cx, struct deeds *deeds)
{
    struct audit_entry *entries = arena_array(cx->arena, CARRY_ROWS, sizeof *entries);
    size_t count = 0;
    int64_t last = 0;
    struct db *db = people_lock(deeds->people);
    TRY(people_unlock(deeds->people, read_rows(cx, db, entries, &count, &last)));
    if (!count)
        return ERR_OK;
    for (size_t i = 0; i < count; i++) {
        uint64_t ticket;
        TRY(audit_note(cx, deeds->log, &entries[i], &ticket));
    }
    TRY(audit_flush(cx, deeds->log));
    db = people_lock(deeds->people);
    return people_unlock(deeds->people, forget(cx, db, last));
}

static void turn(struct deeds *deeds, struct arena *arena, bool sweeps)
{
    struct ctx cx = ctx_make(arena);
    cx.now_ms = clock_now_ms();
    cx.request_id = S("sweep"); /* what ends by itself is its person's, not an operator's */
    err failed = sweeps ? deeds_sweep(&cx, deeds->people) : ERR_OK;
    if (failed == ERR_OK)
        failed = carry(&cx, deeds);
    str why = cx.issues.kept ? cx.issues.list[0].text : S("");
    if (failed)
        log_line(LOG_ERROR, (str){ 0 }, "what was done to accounts is not in the audit yet: %.*s",
                 STR_ARG(why));
    ctx_release(&cx);
    arena_reset(arena);
}

static void *run(void *self)
{
    struct deeds *deeds = self;
    struct arena arena = arena_make(CARRY_ARENA_BYTES);
    pthread_mutex_lock(&deeds->lock);
    for (unsigned tick = 0; !deeds->stop; tick++) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        int64_t at_ns = until.tv_nsec + DEED_CARRY_MS * 1000000LL;
        until.tv_sec += at_ns / 1000000000;
        until.tv_nsec = at_ns % 1000000000;
        pthread_cond_timedwait(&deeds->stopping, &deeds->lock, &until);
        pthread_mutex_unlock(&deeds->lock);
        turn(deeds, &arena, tick % (DEED_SWEEP_MS / DEED_CARRY_MS) == 0);
        pthread_mutex_lock(&deeds->lock);
    }
    pthread_mutex_unlock(&deeds->lock);
    arena_free(&arena);
    return NULL;
}

err deeds_start(struct ctx *cx, struct people *people, struct audit_log *log, struct deeds **out)
{
    struct deeds *deeds = arena_zero(cx->arena, sizeof *deeds);
    deeds->people = people;
    deeds->log = log;
    pthread_mutex_init(&deeds->lock, NULL);
    pthread_cond_init(&deeds->stopping, NULL);
    if (pthread_create(&deeds->thread, NULL, run, deeds) != 0)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("no thread for the audit could be started"));
    *out = deeds;
    return ERR_OK;
}

void deeds_stop(struct deeds *deeds)
{
    if (!deeds)
        return;
    pthread_mutex_lock(&deeds->lock);
    deeds->stop = true;
    pthread_cond_signal(&deeds->stopping);
    pthread_mutex_unlock(&deeds->lock);
    pthread_join(deeds->thread, NULL);
}
