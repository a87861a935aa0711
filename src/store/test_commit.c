/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE commit
#include "db/test_fault.h"
#include "store/check.h"
#include "store/test_record.h"
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { CROWD = 200 };
#define PATIENT                                                                                    \
    "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"http://s\",\"value\":\"1\"}]}"

/* One of a crowd: its own arena and ctx, as a request has. */
struct client {
    pthread_t thread;
    struct store *store;
    int number;
    err result;
    enum commit_outcome outcome;
    str id;
    char id_text[64];
    void (*act)(struct client *client, struct ctx *cx);
};

static void keep(struct client *client, struct ctx *cx, struct commit_op *op)
{
    client->result = record_do(cx, client->store, op);
    client->outcome = op->outcome;
    str id = op->version.id;
    if (id.n && id.n <= sizeof client->id_text)
        memcpy(client->id_text, id.p, id.n);
    client->id = (str){ client->id_text, id.n };
}

static void *be_client(void *self)
{
    struct client *client = self;
    struct arena arena = arena_make((size_t)64 << 20);
    struct random random = random_seeded((uint64_t)client->number + 7);
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = 1774526400000;
    cx.random = &random;
    client->act(client, &cx);
    ctx_release(&cx);
    arena_free(&arena);
    return NULL;
}

static struct client *crowd(struct ctx *cx, struct store *store,
                            void (*act)(struct client *client, struct ctx *cx))
{
    struct client *clients = arena_array(cx->arena, CROWD, sizeof *clients);
    for (int i = 0; i < CROWD; i++) {
        clients[i] = (struct client){ .store = store, .number = i, .act = act };
        cr_assert(pthread_create(&clients[i].thread, NULL, be_client, &clients[i]) == 0);
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(clients[i].thread, NULL);
    return clients;
}

static int count_results(const struct client *clients, err result)
{
    int count = 0;
    for (int i = 0; i < CROWD; i++)
        count += clients[i].result == result;
    return count;
}

static void expect_whole(struct ctx *cx, struct store *store, const char *row)
{
    struct check_options options = { 0 };
    struct check_report report;
    EXPECT_INT(row, store_check(cx, store, &options, &report), ERR_OK);
    cr_expect(report.faults_count == 0, "%s: %.*s", row,
              STR_ARG(report.faults_count ? report.faults[0] : S("")));
    ctx_release(cx);
}

static void create_if_none(struct client *client, struct ctx *cx)
{
    struct commit_op op = record_op(cx, COMMIT_CREATE, "Patient", NULL, PATIENT);
    op.condition = S("identifier=http://s|1");
    keep(client, cx, &op);
}

TEST(two_hundred_equal_conditional_creates_make_one)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct client *clients = crowd(cx, store, create_if_none);
    int created = 0;
    EXPECT_INT("all answered well", count_results(clients, ERR_OK), CROWD);
    for (int i = 0; i < CROWD; i++) {
        created += clients[i].outcome == COMMIT_CREATED;
        EXPECT_STR("the same one", clients[i].id, clients[0].id);
    }
    EXPECT_INT("made one", created, 1);
    EXPECT_INT("one version", store_seq(store), 1);
    expect_whole(cx, store, "after");
    store_close(store);
    record_remove(cx, folder);
}

static void update_version_1(struct client *client, struct ctx *cx)
{
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    op.if_match_vid = 1;
    keep(client, cx, &op);
}

TEST(two_hundred_updates_of_one_version_make_one_change)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    EXPECT_INT("make", record_do(cx, store, &op), ERR_OK);
    struct client *clients = crowd(cx, store, update_version_1);
    EXPECT_INT("one", count_results(clients, ERR_OK), 1);
    EXPECT_INT("the rest", count_results(clients, ERR_PRECONDITION), CROWD - 1);
    EXPECT_INT("versions", store_seq(store), 2);
    store_close(store);
    record_remove(cx, folder);
}

static void update_any(struct client *client, struct ctx *cx)
{
    str body = arena_printf(cx->arena, "{\"resourceType\":\"Patient\",\"identifier\":[{\"value\":"
                                       "\"%d\"}]}", client->number);
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "Patient", "p", body.p);
    keep(client, cx, &op);
}

TEST(two_hundred_plain_updates_make_two_hundred_versions)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct client *clients = crowd(cx, store, update_any);
    EXPECT_INT("all", count_results(clients, ERR_OK), CROWD);
    struct store_version read = { 0 };
    EXPECT_INT("read", store_read(cx, store, fhir_resource_find(S("Patient")), S("p"), &read),
               ERR_OK);
    EXPECT_INT("versions", read.vid, CROWD);
    expect_whole(cx, store, "after");
    store_close(store);
    record_remove(cx, folder);
}

/* --- claims --- */

static err bed_claims(struct ctx *cx, struct store *store, struct json body, struct claim *out,
                      size_t *count)
{
    (void)store;
    str bed = json_string(cx->arena, json_get(json_get(body, S("code")), S("text")));
    if (bed.n)
        out[(*count)++] = (struct claim){ NULL, bed };
    return ERR_OK;
}
static const struct claim_rule bed_rule = { "one stay a bed", "Basic", bed_claims,
                                            "bed %s is taken by %s" };
static const struct claim_rule *const rules[] = { &bed_rule, NULL };

static void take_bed(struct client *client, struct ctx *cx)
{
    struct commit_op op = record_op(cx, COMMIT_CREATE, "Basic", NULL,
                                    "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"7\"}}");
    keep(client, cx, &op);
    if (client->result == ERR_CONFLICT &&
        str_find(cx->issues.list[0].text, S("bed 7 is taken by Basic/")) == STR_NONE)
        client->result = ERR_BUG;
}

TEST(two_hundred_claims_of_one_bed_seat_one)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    commit_set_claim_rules(store, rules);
    struct client *clients = crowd(cx, store, take_bed);
    EXPECT_INT("one", count_results(clients, ERR_OK), 1);
    EXPECT_INT("the rest are told by whom", count_results(clients, ERR_CONFLICT), CROWD - 1);
    str holder = S("");
    for (int i = 0; i < CROWD; i++)
        if (clients[i].result == ERR_OK)
            holder = clients[i].id;
    struct commit_op ops[] = {
        record_op(cx, COMMIT_CREATE, "Basic", NULL,
                  "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"7\"}}"),
        record_op(cx, COMMIT_UPDATE, "Basic", arena_cstr(cx->arena, holder),
                  "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"8\"}}"),
    };
    struct commit swap = { .ops = ops, .ops_count = 2 };
    EXPECT_INT("given up and taken in one", commit_run(cx, store, &swap), ERR_OK);
    struct commit_op gone = record_op(cx, COMMIT_DELETE, "Basic",
                                      arena_cstr(cx->arena, holder), NULL);
    EXPECT_INT("leave", record_do(cx, store, &gone), ERR_OK);
    struct commit_op next = record_op(cx, COMMIT_CREATE, "Basic", NULL,
                                      "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"8\"}}");
    EXPECT_INT("free again", record_do(cx, store, &next), ERR_OK);
    expect_whole(cx, store, "after");
    store_close(store);
    record_remove(cx, folder);
}

/* --- faults --- */

/* A commit of three resources while the disk or memory fails at one call: it is there whole, or not
 * at all and said so; and the store works on. */
static void survive(struct ctx *cx, struct store *store, const char *name, int at)
{
    str id = arena_printf(cx->arena, "%s-%d", name, at);
    struct commit_op ops[3];
    for (int i = 0; i < 3; i++)
        ops[i] = record_op(cx, COMMIT_UPDATE, i ? "Patient" : "Basic",
                           arena_printf(cx->arena, "%.*s-%d", STR_ARG(id), i).p,
                           i ? PATIENT : "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}");
    struct commit commit = { .ops = ops, .ops_count = 3 };
    size_t issues = cx->issues.count;
    err result = commit_run(cx, store, &commit);
    fault_disarm();
    if (result != ERR_OK && result != ERR_BUSY)
        EXPECT_INT(name, result, ERR_IO);
    EXPECT(name, result == ERR_OK || cx->issues.count > issues);
    int there = 0;
    for (int i = 0; i < 3; i++) {
        struct store_version read;
        there += store_read(cx, store, ops[i].resource, ops[i].id, &read) == ERR_OK;
    }
    EXPECT_INT(name, there, result == ERR_OK ? 3 : 0);
    cx->issues = (struct issues){ .arena = cx->arena };
}

TEST(every_fault_leaves_all_or_nothing)
{
    static const struct { const char *name; enum fault_kind kind; int code, calls; } rows[] = {
        { "full", FAULT_WRITE, SQLITE_FULL, 30 },
        { "write", FAULT_WRITE, SQLITE_IOERR_WRITE, 30 },
        { "sync", FAULT_SYNC, SQLITE_IOERR_FSYNC, 3 },
        { "memory", FAULT_MEMORY, SQLITE_NOMEM, 60 },
    };
    fault_install();
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int at = 0; at < rows[i].calls; at++) {
            fault_arm(rows[i].kind, at, rows[i].code, at % 2);
            survive(cx, store, rows[i].name, at);
        }
    expect_whole(cx, store, "after");
    store_close(store);
    store = record_open(cx, folder);
    expect_whole(cx, store, "after a restart");
    store_close(store);
    record_remove(cx, folder);
}

/* --- sudden death --- */

static void write_until_killed(str folder, int ledger)
{
    struct arena arena = arena_make((size_t)256 << 20);
    struct random random = random_seeded((uint64_t)getpid());
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = 1774526400000;
    cx.random = &random;
    struct store *store = record_open(&cx, folder);
    for (;;) {
        struct arena_mark mark = arena_mark(&arena);
        struct commit_op op = record_op(&cx, COMMIT_CREATE, "Patient", NULL, PATIENT);
        if (record_do(&cx, store, &op) || op.version.id.n != 20 ||
            write(ledger, op.version.id.p, 20) != 20)
            _exit(1);
        arena_rewind(&arena, mark);
        cx.deferred = NULL;
    }
}

TEST(what_was_answered_is_there_after_a_kill)
{
    str folder = record_folder(cx);
    for (int round = 0; round < 5; round++) {
        int ledger[2];
        cr_assert(pipe(ledger) == 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(folder, ledger[1]);
        close(ledger[1]);
        char ids[20 * 500];
        size_t got = 0;
        usleep((useconds_t)(60000 + 17000 * round));
        kill(child, SIGKILL);
        for (ssize_t n; got < sizeof ids && (n = read(ledger[0], ids + got, sizeof ids - got)) > 0;)
            got += (size_t)n;
        waitpid(child, NULL, 0);
        close(ledger[0]);
        struct store *store = record_open(cx, folder);
        for (size_t i = 0; i + 20 <= got; i += 20) {
            struct store_version read;
            EXPECT_INT("there", store_read(cx, store, fhir_resource_find(S("Patient")),
                                           (str){ ids + i, 20 }, &read), ERR_OK);
        }
        expect_whole(cx, store, "after a kill");
        store_close(store);
    }
    record_remove(cx, folder);
}
