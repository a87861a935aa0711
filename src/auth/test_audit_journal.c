/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE audit_journal
#include "base/test.h"
#include "auth/audit_journal.h"
#include "auth/audit_log.h"
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static str folder_of(struct ctx *cx)
{
    char path[] = "/tmp/frontline-journal-XXXXXX";
    cr_assert_not_null(mkdtemp(path));
    return arena_copy(cx->arena, str_of(path));
}

static str left_in(struct ctx *cx, const struct audit_journal *journal, uint64_t *serial)
{
    str texts;
    cr_assert_eq(audit_journal_read(cx, journal, serial, &texts), ERR_OK);
    return texts;
}

TEST(audit_journal_gives_back_what_was_on_disk_and_nothing_older)
{
    struct audit_journal journal;
    uint64_t serial;
    str path = arena_printf(cx->arena, "%.*s/j", STR_ARG(folder_of(cx)));
    EXPECT_INT("made", audit_journal_open(cx, path, &journal), ERR_OK);
    EXPECT_STR("new", left_in(cx, &journal, &serial), S(""));
    EXPECT_INT("new", serial, 0);
    audit_journal_begin(&journal, 7);
    EXPECT("added", audit_journal_add(&journal, S("one")));
    EXPECT("added", audit_journal_add(&journal, S("three")));
    EXPECT_STR("all", left_in(cx, &journal, &serial), S("one\nthree\n"));
    EXPECT_INT("group", serial, 7);
    audit_journal_begin(&journal, 9);
    EXPECT("over the old", audit_journal_add(&journal, S("four")));
    EXPECT_STR("not the old behind it", left_in(cx, &journal, &serial), S("four\n"));
    EXPECT_INT("group", serial, 9);
    audit_journal_close(&journal);
}

/* Each byte of the second piece lost in turn: the first stays, the second does not come half. */
TEST(audit_journal_leaves_out_a_torn_piece)
{
    struct audit_journal journal;
    uint64_t serial;
    str path = arena_printf(cx->arena, "%.*s/j", STR_ARG(folder_of(cx)));
    EXPECT_INT("made", audit_journal_open(cx, path, &journal), ERR_OK);
    audit_journal_begin(&journal, 3);
    EXPECT("first", audit_journal_add(&journal, S("first")));
    int64_t from = journal.at;
    EXPECT("second", audit_journal_add(&journal, S("second")));
    for (int64_t at = from; at < journal.at; at++) {
        char byte, other;
        cr_assert_eq(pread(journal.fd, &byte, 1, at), 1);
        other = (char)(byte ^ 0x40);
        cr_assert_eq(pwrite(journal.fd, &other, 1, at), 1);
        EXPECT_STR("the first alone", left_in(cx, &journal, &serial), S("first\n"));
        cr_assert_eq(pwrite(journal.fd, &byte, 1, at), 1);
    }
    EXPECT_STR("both again", left_in(cx, &journal, &serial), S("first\nsecond\n"));
    audit_journal_close(&journal);
}

/* Somebody cuts or removes the file while it is memory: the piece is refused, no signal ends us,
 * and one made in its place takes it. */
TEST(audit_journal_outlives_its_file_being_cut_or_removed)
{
    static const struct { const char *name; int64_t left; } rows[] = {
        { "cut to nothing", 0 }, { "cut within its first page", 20 }, { "removed", -1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct audit_journal journal;
        uint64_t serial;
        str path = arena_printf(cx->arena, "%.*s/j", STR_ARG(folder_of(cx)));
        cr_assert_eq(audit_journal_open(cx, path, &journal), ERR_OK);
        audit_journal_begin(&journal, 4);
        EXPECT(rows[i].name, audit_journal_add(&journal, S("before")));
        bool removes = rows[i].left < 0;
        cr_assert_eq(removes ? unlink(path.p) : truncate(path.p, rows[i].left), 0);
        EXPECT(rows[i].name, !audit_journal_add(&journal, S("lost")));
        EXPECT(rows[i].name, !audit_journal_add(&journal, S("and stays so")));
        EXPECT(rows[i].name, audit_journal_remake(&journal));
        EXPECT(rows[i].name, audit_journal_add(&journal, S("after")));
        EXPECT_STR(rows[i].name, left_in(cx, &journal, &serial), S("after\n"));
        audit_journal_close(&journal);
        EXPECT_INT(rows[i].name, audit_journal_open(cx, path, &journal), ERR_OK);
        EXPECT_STR("under its own name", left_in(cx, &journal, &serial), S("after\n"));
        audit_journal_close(&journal);
    }
}

TEST(audit_journal_follows_no_link)
{
    struct audit_journal journal;
    str folder = folder_of(cx);
    str link = arena_printf(cx->arena, "%.*s/j", STR_ARG(folder));
    cr_assert_eq(symlink(arena_printf(cx->arena, "%.*s/elsewhere", STR_ARG(folder)).p, link.p), 0);
    EXPECT_INT("a link", audit_journal_open(cx, link, &journal), ERR_IO);
}

TEST(audit_journal_says_when_it_cannot_write)
{
    struct audit_journal journal, full = { .serial = 1 };
    uint64_t serial;
    str folder = folder_of(cx);
    EXPECT_INT("no folder", audit_journal_open(cx, S("/nowhere/at/all"), &journal), ERR_IO);
    EXPECT_INT("made", audit_journal_open(cx, arena_printf(cx->arena, "%.*s/j", STR_ARG(folder)),
                                          &journal), ERR_OK);
    full.fd = open("/dev/full", O_RDWR);
    EXPECT("no room", full.fd < 0 || !audit_journal_add(&full, S("x")));
    EXPECT_INT("stays where it was", full.at, 0);
    EXPECT_STR("nothing came", left_in(cx, &journal, &serial), S(""));
    audit_journal_close(&full);
    audit_journal_close(&journal);
}

/* ---- with a record ---- */

static struct store *open_record(struct ctx *cx, str folder)
{
    struct store *store;
    struct store_options options = { .folder = folder, .create = true };
    cr_assert_eq(store_open(cx, &options, &store), ERR_OK);
    return store;
}

static err note_some(struct ctx *cx, struct audit_log *log, const char *who)
{
    struct audit_entry entry = { .at_ms = cx->now_ms, .who = str_of(who), .role = S("nurse"),
                                 .what = S("Patient/1"), .request_id = S("r"),
                                 .pids = (const int64_t[]){ 7 }, .pids_count = 1 };
    uint64_t ticket;
    TRY(audit_note(cx, log, &entry, &ticket));
    return audit_settle(cx, log, ticket);
}

static err head_of(struct ctx *cx, struct db *db, void *self)
{
    return audit_verify(cx, db, self);
}

static int64_t entries(struct ctx *cx, struct store *store)
{
    struct audit_head head = { 0 };
    cr_assert_eq(store_write(cx, store, head_of, &head), ERR_OK);
    return head.n;
}

/* The journal of a crash is put beside a record that does not have its entries yet, twice. */
TEST(audit_log_takes_what_a_crash_left_in_the_journal_once)
{
    str folder = folder_of(cx);
    struct store *store = open_record(cx, folder);
    struct audit_log *log;
    struct audit_log_options options = { .store = store, .folder = folder,
                                         .publish_file = S(""), .publish_minutes = 60 };
    struct audit_journal journal;
    struct audit_entry entry = { .at_ms = cx->now_ms, .who = S("b"), .what = S("Patient/2") };
    EXPECT_INT("start", audit_log_start(cx, &options, &log), ERR_OK);
    EXPECT_INT("noted", note_some(cx, log, "a"), ERR_OK);
    EXPECT_INT("noted", note_some(cx, log, "a"), ERR_OK);
    audit_log_stop(log);
    EXPECT_INT("in the chain", entries(cx, store), 2);
    str path = arena_printf(cx->arena, "%.*s/audit.1", STR_ARG(folder));
    EXPECT_INT("journal", audit_journal_open(cx, path, &journal), ERR_OK);
    audit_journal_begin(&journal, 900);
    EXPECT("left", audit_journal_add(&journal, audit_text(cx->arena, &entry)));
    audit_journal_close(&journal);
    for (int start = 1; start <= 2; start++) {
        EXPECT_INT("start", audit_log_start(cx, &options, &log), ERR_OK);
        audit_log_stop(log);
        EXPECT_INT("once", entries(cx, store), 3);
    }
    EXPECT_INT("start", audit_log_start(cx, &options, &log), ERR_OK);
    EXPECT_INT("goes on", note_some(cx, log, "c"), ERR_OK);
    audit_log_stop(log);
    EXPECT_INT("after it", entries(cx, store), 4);
    store_close(store);
}

/* Four threads, each entry waited for on disk: every one is in the chain in the end. */
static void *note_many(void *self)
{
    struct arena arena = arena_make(1 << 20);
    struct ctx cx = ctx_make(&arena);
    size_t noted = 0;
    for (int i = 0; i < 50; i++)
        noted += note_some(&cx, self, "d") == ERR_OK;
    ctx_release(&cx);
    arena_free(&arena);
    return (void *)(uintptr_t)noted;
}

TEST(audit_log_waits_for_the_disk_where_it_is_told_to)
{
    str folder = folder_of(cx);
    struct store *store = open_record(cx, folder);
    for (int wait = 0; wait <= 1; wait++) {
        struct audit_log *log;
        struct audit_log_options options = { .store = store, .folder = folder,
                                             .wait_for_disk = wait, .publish_file = S(""),
                                             .publish_minutes = 60 };
        struct audit_entry entry = { .at_ms = cx->now_ms, .who = S("e"), .what = S("Patient/3") };
        uint64_t ticket = 1;
        pthread_t threads[4];
        EXPECT_INT("start", audit_log_start(cx, &options, &log), ERR_OK);
        EXPECT_INT("noted", audit_note(cx, log, &entry, &ticket), ERR_OK);
        EXPECT_INT("a ticket", ticket > 0, wait);
        EXPECT_INT("settled", audit_settle(cx, log, ticket), ERR_OK);
        for (size_t i = 0; i < COUNT(threads); i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, note_many, log), 0);
        for (size_t i = 0; i < COUNT(threads); i++) {
            void *noted;
            pthread_join(threads[i], &noted);
            EXPECT_INT("all noted", (uintptr_t)noted, 50);
        }
        audit_log_stop(log);
        EXPECT_INT("in the chain", entries(cx, store), 201 * (wait + 1));
    }
    store_close(store);
}
