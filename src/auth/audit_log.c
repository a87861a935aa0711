/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>

enum { LOG_MEMORY_BYTES = 256 << 20, FLUSH_MEMORY_BYTES = 512 << 20 };

/* Entries of one group. Two take turns: one is filled while the other is written. */
struct group {
    struct arena arena;
    struct audit_entry *entries;
    size_t count, cap;
};
struct audit_log {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t more;
    struct group groups[2], *filling;
    bool stopping, failed;
};

str audit_who(struct arena *arena, const struct user *user)
{
    if (!user)
        return S("nobody");
    return user->person.name.n ? user->person.name
                               : arena_printf(arena, "client:%.*s", STR_ARG(user->client));
}

static str reference_of(struct arena *arena, const struct commit_change *change)
{
    str type = fhir_resource_name(change->op->resource);
    const struct store_version *version = &change->op->version;
    return arena_printf(arena, "%.*s/%.*s/_history/%lld", STR_ARG(type), STR_ARG(version->id),
                        (long long)version->vid);
}

err audit_write_change(struct ctx *cx, const struct commit_part *part, struct db *db,
                       const struct commit_change *change, void *prepared)
{
    (void)part, (void)prepared;
    static const enum audit_act acts[] = {
        [STORE_CREATED] = AUDIT_CREATE, [STORE_UPDATED] = AUDIT_UPDATE,
        [STORE_DELETED] = AUDIT_DELETE,
    };
    const struct user *user = cx->user;
    if (!user)
        return ERR_OK;
    struct audit_entry entry = {
        .at_ms = change->op->version.at_ms,
        .who = audit_who(cx->arena, user),
        .role = str_of(user->asker.role->name),
        .act = acts[change->op->version.method],
        .what = reference_of(cx->arena, change),
        .pid = change->pid,
        .request_id = cx->request_id,
    };
    return audit_append(cx, db, &entry);
}

/* ---- reads, in groups ---- */

static err append_group(struct ctx *cx, struct db *db, void *self)
{
    const struct group *group = self;
    for (size_t i = 0; i < group->count; i++)
        TRY(audit_append(cx, db, &group->entries[i]));
    return ERR_OK;
}

/* "Patient/1" and what stands in that patient's compartment: the patient it concerns. */
static int64_t patient_of(struct ctx *cx, struct store *store, str what)
{
    str type, id;
    struct store_version version;
    if (str_find_char(what, '?') != STR_NONE || !str_next(&what, '/', &type) ||
        !str_next(&what, '/', &id) || fhir_resource_find(type) == FHIR_NONE)
        return 0;
    err found = store_read(cx, store, fhir_resource_find(type), id, &version);
    return found == ERR_OK || found == ERR_GONE ? version.pid : 0;
}

static bool write_group(struct audit_log *log, struct group *group)
{
    struct arena arena = arena_make(FLUSH_MEMORY_BYTES);
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = clock_now_ms();
    for (size_t i = 0; i < group->count; i++)
        if (!group->entries[i].pid)
            group->entries[i].pid = patient_of(&cx, log->store, group->entries[i].what);
    cx.issues.kept = cx.issues.count = 0;
    err failed = store_write(&cx, log->store, append_group, group);
    if (failed)
        log_line(LOG_ERROR, (str){ 0 }, "the audit could not be written: %.*s",
                 STR_ARG(cx.issues.kept ? cx.issues.list[0].text : S("")));
    ctx_release(&cx);
    arena_free(&arena);
    return failed == ERR_OK;
}

static void clear(struct group *group)
{
    arena_reset(&group->arena);
    group->entries = NULL;
    group->count = group->cap = 0;
}

/* Called with the lock held; gives it back while writing. A group that fails is tried again. */
static void flush_one(struct audit_log *log)
{
    struct group *full = log->filling;
    log->filling = full == &log->groups[0] ? &log->groups[1] : &log->groups[0];
    pthread_mutex_unlock(&log->lock);
    bool written = write_group(log, full);
    while (!written && !log->stopping) {
        pthread_mutex_lock(&log->lock);
        log->failed = true;
        pthread_mutex_unlock(&log->lock);
        nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        written = write_group(log, full);
    }
    clear(full);
    pthread_mutex_lock(&log->lock);
    log->failed = !written;
}

static void *run(void *self)
{
    struct audit_log *log = self;
    pthread_mutex_lock(&log->lock);
    while (!log->stopping || log->filling->count) {
        if (!log->filling->count) {
            pthread_cond_wait(&log->more, &log->lock);
            continue;
        }
        if (!log->stopping) {
            pthread_mutex_unlock(&log->lock);
            nanosleep(&(struct timespec){ .tv_nsec = AUDIT_FLUSH_MS * 1000000L }, NULL);
            pthread_mutex_lock(&log->lock);
        }
        flush_one(log);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

static err make_table(struct ctx *cx, struct db *db, void *self)
{
    (void)self;
    return db_exec(cx, db, audit_schema);
}

err audit_log_start(struct ctx *cx, struct store *store, struct audit_log **out)
{
    TRY(store_write(cx, store, make_table, NULL));
    struct audit_log *log = arena_zero(cx->arena, sizeof *log);
    log->store = store;
    log->filling = &log->groups[0];
    for (size_t i = 0; i < COUNT(log->groups); i++)
        log->groups[i].arena = arena_make(LOG_MEMORY_BYTES);
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->more, NULL);
    if (pthread_create(&log->thread, NULL, run, log) != 0)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("no thread for the audit could be started"));
    *out = log;
    return ERR_OK;
}

void audit_log_stop(struct audit_log *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_cond_signal(&log->more);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    for (size_t i = 0; i < COUNT(log->groups); i++)
        arena_free(&log->groups[i].arena);
}

static void add(struct group *group, const struct audit_entry *entry)
{
    struct arena *arena = &group->arena;
    group->entries = arena_grow(arena, group->entries, group->count, &group->cap,
                                sizeof *group->entries);
    struct audit_entry *copy = &group->entries[group->count++];
    *copy = *entry;
    copy->who = arena_copy(arena, entry->who);
    copy->role = arena_copy(arena, entry->role);
    copy->what = arena_copy(arena, str_slice(entry->what, 0, 2000));
    copy->request_id = arena_copy(arena, entry->request_id);
}

err audit_note(struct ctx *cx, struct audit_log *log, const struct audit_entry *entry)
{
    pthread_mutex_lock(&log->lock);
    bool failed = log->failed, full = log->filling->count >= AUDIT_QUEUE_MAX;
    if (!failed && !full) {
        add(log->filling, entry);
        pthread_cond_signal(&log->more);
    }
    pthread_mutex_unlock(&log->lock);
    if (failed)
        return ctx_fail(cx, ERR_IO, (str){ 0 },
                        S("the audit cannot be written, so nothing may be read; see the disk"));
    if (full)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("too much waits to be audited; try again"));
    return ERR_OK;
}
