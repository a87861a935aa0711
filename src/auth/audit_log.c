/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_log.h"
#include "auth/audit_journal.h"
#include "base/clock.h"
#include "base/log.h"
#include <pthread.h>

enum { LOG_MEMORY_BYTES = 512 << 20, FLUSH_MEMORY_BYTES = 1 << 30, TEXTS_MAX_BYTES = 400 << 20,
       RETRY_MS = 500 };

/* Entries of one group, in blocks. Two groups take turns: one is filled while the other goes into
 * the chain. */
struct span {
    size_t from, to, count, pids_from, pids_to;
};
struct group {
    struct arena arena;
    struct buf texts;
    struct span *spans;
    size_t spans_count, spans_cap;
    int64_t *pids;
    size_t pids_count, pids_cap, count;
    struct audit_journal journal;
    uint64_t last;           /* ticket of the last entry */
};
struct audit_log {
    struct audit_log_options options;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t more, hurry, synced, written;
    struct group groups[2], *filling;
    bool stopping, flush_wanted, chain_failed, sync_failed;
    bool syncing;            /* somebody syncs a journal */
    uint64_t taken, flushed; /* groups taken to be written, and those of them that are */
    uint64_t noted, settled; /* last ticket given out, last one on disk */
    uint64_t serial;         /* last group's number */
    int64_t published_n, published_ms; /* the thread's alone */
};

str audit_who(struct arena *arena, const struct user *user)
{
    return user->person.name.n ? user->person.name
                               : arena_printf(arena, "client:%.*s", STR_ARG(user->client));
}

struct audit_entry audit_entry_of(struct ctx *cx, const struct user *user)
{
    bool named = user->person.name.n > 0;
    return (struct audit_entry){
        .at_ms = cx->now_ms,
        .who = audit_who(cx->arena, user),
        .person = named ? user->self : S(""),
        .role = user->asker.role ? str_of(user->asker.role->name) : S(""),
        .request_id = cx->request_id,
        .address = user->address,
        .client = named ? user->client : S(""),
        .behalf = str_given(user->behalf) ? user->behalf : S(""),
        .purpose = user->asker.role ? str_of(user->asker.role->purpose) : S(""),
    };
}

static str reference_of(struct arena *arena, const struct commit_change *change)
{
    str type = fhir_resource_name(change->op->resource);
    const struct store_version *version = &change->op->version;
    return arena_printf(arena, "%.*s/%.*s/_history/%lld", STR_ARG(type), STR_ARG(version->id),
                        (long long)version->vid);
}

/* Nobody is signed in behind a feed, a timer or an import: it is named by what it is. */
static struct audit_entry entry_of_system(struct ctx *cx, const struct commit_change *change)
{
    str who = change->commit->who;
    return (struct audit_entry){ .who = str_given(who) && who.n ? who : S("frontline"),
                                 .role = S("system"), .request_id = cx->request_id };
}

err audit_write_change(struct ctx *cx, const struct commit_part *part, struct db *db,
                       const struct commit_change *change, void *prepared)
{
    (void)part, (void)prepared;
    static const enum audit_act acts[] = {
        [STORE_CREATED] = AUDIT_CREATE, [STORE_UPDATED] = AUDIT_UPDATE,
        [STORE_DELETED] = AUDIT_DELETE,
    };
    struct audit_entry entry = cx->user ? audit_entry_of(cx, cx->user)
                                        : entry_of_system(cx, change);
    bool patient = store_rid_resource(change->pid) == fhir_resource_find(S("Patient"));
    entry.at_ms = change->op->version.at_ms;
    entry.act = acts[change->op->version.method];
    entry.what = reference_of(cx->arena, change);
    entry.pids = &change->pid;
    entry.pids_count = patient;
    if (cx->access && cx->access->seen)
        cx->access->seen->changed = true;
    return audit_append(cx, db, &entry);
}

/* ---- groups ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static struct audit_block block_of(struct ctx *cx, const struct group *group,
                                   const struct span *span)
{
    size_t count = span->pids_to - span->pids_from, kept = 0;
    int64_t *pids = arena_array(cx->arena, count + 1, sizeof *pids);
    if (count) {
        memcpy(pids, group->pids + span->pids_from, count * sizeof *pids);
        qsort(pids, count, sizeof *pids, by_value);
    }
    for (size_t i = 0; i < count; i++)
        if (!kept || pids[kept - 1] != pids[i])
            pids[kept++] = pids[i];
    return (struct audit_block){ str_slice(buf_str(&group->texts), span->from, span->to),
                                 span->count, pids, kept };
}

static err append_group(struct ctx *cx, struct db *db, void *self)
{
    const struct group *group = self;
    for (size_t i = 0; i < group->spans_count; i++) {
        struct audit_block block = block_of(cx, group, &group->spans[i]);
        TRY(audit_append_block(cx, db, &block));
    }
    return audit_take(cx, db, (int64_t)group->journal.serial);
}

static err read_head(struct ctx *cx, struct db *db, void *self)
{
    return audit_head(cx, db, self);
}

/* When it is time and the chain grew; always at the end. */
static void publish(struct audit_log *log, bool now)
{
    const struct audit_log_options *options = &log->options;
    int64_t at_ms = clock_now_ms();
    bool wanted = options->publish_file.n || options->publish_syslog;
    bool due = now || at_ms - log->published_ms >= options->publish_minutes * 60000;
    if (!wanted || !due)
        return;
    struct arena arena = arena_make(FLUSH_MEMORY_BYTES);
    struct ctx cx = ctx_make(&arena);
    struct audit_head head = { 0 };
    cx.now_ms = at_ms;
    err failed = store_write(&cx, options->store, read_head, &head);
    if (failed == ERR_OK && head.n != log->published_n)
        failed = audit_publish(&cx, options, &head);
    if (failed)
        log_line(LOG_ERROR, (str){ 0 }, "audit: %.*s",
                 STR_ARG(cx.issues.kept ? cx.issues.list[0].text : S("not published")));
    log->published_n = failed ? log->published_n : head.n;
    log->published_ms = at_ms;
    ctx_release(&cx);
    arena_free(&arena);
}

static bool write_group(struct audit_log *log, struct group *group)
{
    struct arena arena = arena_make(FLUSH_MEMORY_BYTES);
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = clock_now_ms();
    err failed = store_write(&cx, log->options.store, append_group, group);
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
    *group = (struct group){ .arena = group->arena, .journal = group->journal };
    group->texts = buf_make(&group->arena, TEXTS_MAX_BYTES);
}

static void wait_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void wait_at_most(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(cond, lock, &until);
}

static struct group *other_group(struct audit_log *log)
{
    return log->filling == &log->groups[0] ? &log->groups[1] : &log->groups[0];
}

/* ---- onto the disk: what an answer waits for, where it does ---- */

static struct group *unsettled(struct audit_log *log)
{
    struct group *older = other_group(log);
    return older->last > log->settled ? older : log->filling;
}

/* With the lock held; gives it back while syncing. All that was noted by now goes together. */
static void sync_some(struct audit_log *log, struct group *group)
{
    uint64_t last = group->last;
    log->syncing = true;
    pthread_mutex_unlock(&log->lock);
    bool synced = audit_journal_sync(&group->journal);
    pthread_mutex_lock(&log->lock);
    log->syncing = false;
    if (synced && last > log->settled)
        log->settled = last;
    else if (!synced && !log->sync_failed)
        log_line(LOG_ERROR, (str){ 0 }, "the audit's journal cannot be written; nothing is read");
    log->sync_failed = !synced;
    pthread_cond_broadcast(&log->synced);
}

/* With the lock held: true when the ticket is on disk, false when it could not be brought there. */
static bool settle(struct audit_log *log, uint64_t ticket)
{
    bool tried = false;
    while (log->settled < ticket && !(tried && log->sync_failed)) {
        tried = true;
        if (log->syncing)
            pthread_cond_wait(&log->synced, &log->lock);
        else
            sync_some(log, unsettled(log));
    }
    return log->settled >= ticket;
}

/* ---- from there into the chain ---- */

/* With the lock held. */
static struct group *take_group(struct audit_log *log)
{
    struct group *full = log->filling;
    log->filling = other_group(log);
    audit_journal_begin(&log->filling->journal, ++log->serial);
    log->taken++;
    log->flush_wanted = false;
    return full;
}

/* With the lock held; gives it back while writing. A group that fails is tried again. */
static void flush_one(struct audit_log *log)
{
    struct group *full = take_group(log);
    pthread_mutex_unlock(&log->lock);
    bool written = write_group(log, full);
    for (bool stopping = false; !written && !stopping;) {
        pthread_mutex_lock(&log->lock);
        log->chain_failed = true;
        stopping = log->stopping;
        pthread_cond_broadcast(&log->written);
        pthread_mutex_unlock(&log->lock);
        wait_ms(RETRY_MS);
        written = write_group(log, full);
    }
    publish(log, false);
    pthread_mutex_lock(&log->lock);
    if (written && full->last > log->settled)
        log->settled = full->last;
    clear(full);
    log->chain_failed = !written;
    log->flushed++;
    pthread_cond_broadcast(&log->written);
}

static void *run(void *self)
{
    struct audit_log *log = self;
    pthread_mutex_lock(&log->lock);
    while (!log->stopping || log->filling->count) {
        if (!log->filling->count) {
            wait_at_most(&log->more, &log->lock, 60000); /* the head may be due */
            pthread_mutex_unlock(&log->lock);
            publish(log, false);
            pthread_mutex_lock(&log->lock);
            continue;
        }
        if (!log->stopping && !log->flush_wanted)
            wait_at_most(&log->hurry, &log->lock, AUDIT_FLUSH_MS);
        flush_one(log);
    }
    pthread_mutex_unlock(&log->lock);
    publish(log, true);
    return NULL;
}

/* ---- start and stop ---- */

static void begin_span(struct group *group)
{
    group->spans = arena_grow(&group->arena, group->spans, group->spans_count, &group->spans_cap,
                              sizeof *group->spans);
    group->spans[group->spans_count++] = (struct span){
        .from = group->texts.n, .pids_from = group->pids_count };
}

static void add(struct group *group, str text, const struct audit_entry *entry)
{
    if (!group->spans_count || group->spans[group->spans_count - 1].count == AUDIT_BLOCK_MAX)
        begin_span(group);
    struct span *span = &group->spans[group->spans_count - 1];
    buf_add(&group->texts, text);
    buf_char(&group->texts, '\n');
    for (size_t i = 0; i < entry->pids_count; i++) {
        group->pids = arena_grow(&group->arena, group->pids, group->pids_count, &group->pids_cap,
                                 sizeof *group->pids);
        group->pids[group->pids_count++] = entry->pids[i];
    }
    span->to = group->texts.n;
    span->pids_to = group->pids_count;
    span->count++;
    group->count++;
}

static err read_taken(struct ctx *cx, struct db *db, void *self)
{
    return audit_taken(cx, db, self);
}

static err make_table(struct ctx *cx, struct db *db, void *self)
{
    (void)self;
    return db_exec(cx, db, audit_schema);
}

/* What a crash left in one journal, as a group again. */
static err read_left(struct ctx *cx, const struct audit_journal *journal, struct group *out)
{
    str texts, line;
    uint64_t serial;
    *out = (struct group){ .arena = arena_make(LOG_MEMORY_BYTES) };
    out->texts = buf_make(&out->arena, TEXTS_MAX_BYTES);
    TRY(audit_journal_read(cx, journal, &serial, &texts));
    out->journal.serial = serial;
    while (texts.n && str_next(&texts, '\n', &line)) {
        if (!line.n)
            continue;
        struct audit_entry entry = { 0 };
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(audit_read_text(cx, line, &entry));
        add(out, line, &entry);
        arena_rewind(cx->arena, mark);
    }
    return ERR_OK;
}

/* Brings it into the chain, unless the chain has it. */
static err take_left(struct ctx *cx, struct audit_log *log, const struct audit_journal *journal)
{
    struct group left;
    int64_t taken = 0;
    err failed = read_left(cx, journal, &left);
    if (failed == ERR_OK)
        failed = store_write(cx, log->options.store, read_taken, &taken);
    bool wanted = failed == ERR_OK && (int64_t)left.journal.serial > taken;
    if (wanted && left.count)
        failed = store_write(cx, log->options.store, append_group, &left);
    if (wanted && left.count && failed == ERR_OK)
        log_line(LOG_INFO, (str){ 0 }, "audit: %zu entries of before the last stop were in the "
                 "journal and are now in the chain", left.count);
    uint64_t seen = wanted ? left.journal.serial : (uint64_t)taken;
    log->serial = seen > log->serial ? seen : log->serial;
    arena_free(&left.arena);
    return failed;
}

static err open_journals(struct ctx *cx, struct audit_log *log)
{
    uint64_t serials[2];
    str texts;
    for (size_t i = 0; i < COUNT(log->groups); i++) {
        str path = arena_printf(cx->arena, "%.*s/audit.%zu", STR_ARG(log->options.folder), i);
        TRY(audit_journal_open(cx, path, &log->groups[i].journal));
        TRY(audit_journal_read(cx, &log->groups[i].journal, &serials[i], &texts));
    }
    bool swapped = serials[0] > serials[1]; /* the older first */
    TRY(take_left(cx, log, &log->groups[swapped].journal));
    TRY(take_left(cx, log, &log->groups[!swapped].journal));
    audit_journal_begin(&log->filling->journal, ++log->serial);
    return ERR_OK;
}

static err start_thread(struct ctx *cx, struct audit_log *log)
{
    pthread_cond_t *const conds[] = { &log->more, &log->hurry, &log->synced, &log->written };
    pthread_mutex_init(&log->lock, NULL);
    for (size_t i = 0; i < COUNT(conds); i++)
        pthread_cond_init(conds[i], NULL);
    if (pthread_create(&log->thread, NULL, run, log) != 0)
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("no thread for the audit could be started"));
    return ERR_OK;
}

err audit_log_start(struct ctx *cx, const struct audit_log_options *options,
                    struct audit_log **out)
{
    TRY(store_write(cx, options->store, make_table, NULL));
    struct audit_log *log = arena_zero(cx->arena, sizeof *log);
    log->options = *options;
    log->published_ms = cx->now_ms;
    log->filling = &log->groups[0];
    for (size_t i = 0; i < COUNT(log->groups); i++) {
        log->groups[i].arena = arena_make(LOG_MEMORY_BYTES);
        clear(&log->groups[i]);
    }
    TRY(open_journals(cx, log));
    TRY(start_thread(cx, log));
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
    pthread_cond_signal(&log->hurry);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    for (size_t i = 0; i < COUNT(log->groups); i++) {
        audit_journal_close(&log->groups[i].journal);
        arena_free(&log->groups[i].arena);
    }
}

/* ---- noting ---- */

static err cannot(struct ctx *cx)
{
    return ctx_fail(cx, ERR_IO, (str){ 0 },
                    S("the audit cannot be written, so nothing may be read; see the disk"));
}

/* With the lock held. A journal that was taken away is made anew, with all that its group holds. */
static bool into_journal(struct group *group, str text)
{
    struct audit_journal *journal = &group->journal;
    str texts = buf_str(&group->texts), line;
    if (audit_journal_add(journal, text))
        return true;
    if (!journal->lost || !audit_journal_remake(journal))
        return false;
    while (!journal->lost && texts.n && str_next(&texts, '\n', &line))
        if (line.n && !audit_journal_add(journal, line))
            journal->lost = true;
    log_line(LOG_ERROR, (str){ 0 }, "audit: the journal %s was removed or cut by somebody; %s",
             journal->path, journal->lost ? "it cannot be made anew" : "it is made anew");
    return !journal->lost && audit_journal_add(journal, text);
}

err audit_note(struct ctx *cx, struct audit_log *log, const struct audit_entry *entry,
               uint64_t *ticket)
{
    str text = audit_text(cx->arena, entry);
    *ticket = 0;
    pthread_mutex_lock(&log->lock);
    struct group *group = log->filling;
    bool full = group->count >= AUDIT_QUEUE_MAX || group->texts.n + text.n > TEXTS_MAX_BYTES / 2;
    bool failed = log->chain_failed || (!full && !into_journal(group, text));
    if (!failed && !full) {
        add(group, text, entry);
        group->last = ++log->noted;
        *ticket = log->options.wait_for_disk ? group->last : 0;
        if (group->count == 1)
            pthread_cond_signal(&log->more);
    }
    pthread_mutex_unlock(&log->lock);
    if (failed)
        return cannot(cx);
    if (full)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("too much waits to be audited; try again"));
    return ERR_OK;
}

err audit_settle(struct ctx *cx, struct audit_log *log, uint64_t ticket)
{
    pthread_mutex_lock(&log->lock);
    bool settled = settle(log, ticket);
    pthread_mutex_unlock(&log->lock);
    return settled ? ERR_OK : cannot(cx);
}

err audit_flush(struct ctx *cx, struct audit_log *log)
{
    if (!log)
        return ERR_OK;
    pthread_mutex_lock(&log->lock);
    uint64_t wanted = log->taken + (log->filling->count > 0);
    log->flush_wanted = log->filling->count > 0;
    pthread_cond_signal(&log->hurry);
    while (!log->chain_failed && log->flushed < wanted)
        pthread_cond_wait(&log->written, &log->lock);
    bool failed = log->chain_failed;
    pthread_mutex_unlock(&log->lock);
    return failed ? cannot(cx) : ERR_OK;
}
