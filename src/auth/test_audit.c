/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE audit
#include "base/test.h"
#include "auth/audit_log.h"

static struct db *chain(struct ctx *cx, int64_t entries)
{
    struct db *db;
    struct db_options options = { .path = S(":memory:"), .create = true };
    cr_assert_eq(db_open(cx, &options, &db), ERR_OK);
    cr_assert_eq(db_exec(cx, db, audit_schema), ERR_OK);
    for (int64_t i = 0; i < entries; i++) {
        struct audit_entry entry = {
            .at_ms = cx->now_ms + i, .who = S("a.khan"), .role = S("nurse"), .act = AUDIT_READ,
            .what = S("Patient/1"), .pids = (const int64_t[]){ 7 }, .pids_count = 1,
            .request_id = S("r\"1"),
        };
        cr_assert_eq(audit_append(cx, db, &entry), ERR_OK);
    }
    return db;
}

TEST(audit_chain_holds_and_its_head_counts)
{
    struct audit_head head;
    struct db *db = chain(cx, 25);
    EXPECT_INT("verify", audit_verify(cx, db, &head), ERR_OK);
    EXPECT_INT("entries", head.n, 25);
    db_close(db);
}

TEST(audit_chain_shows_every_kind_of_tampering)
{
    static const char *const attacks[] = {
        "UPDATE audit_block SET texts = replace(texts, 'a.khan', 'b.lee') WHERE n = 3",
        "DELETE FROM audit_block WHERE n = 1",
        "DELETE FROM audit_block WHERE n = 5",
        "UPDATE audit_block SET hash = zeroblob(32) WHERE n = 9",
        "UPDATE audit_block SET hash = x'00' WHERE n = 9",
        "UPDATE audit_block SET n = 100 WHERE n = 10",
        "UPDATE audit_block SET count = 2 WHERE n = 4",
        "UPDATE audit_block SET count = 0 WHERE n = 4",
        "UPDATE audit_block SET bytes = 9 WHERE n = 4",
        "UPDATE audit_block SET texts = texts || char(10) WHERE n = 4",
        "INSERT INTO audit_block VALUES(11, 1, 0, '[]' || char(10), zeroblob(32))",
        "UPDATE audit_block SET texts = (SELECT texts FROM audit_block WHERE n = 2) WHERE n = 3",
    };
    for (size_t i = 0; i < COUNT(attacks); i++) {
        struct audit_head head;
        struct db *db = chain(cx, 10);
        EXPECT_INT(attacks[i], db_exec(cx, db, attacks[i]), ERR_OK);
        EXPECT_INT(attacks[i], audit_verify(cx, db, &head), ERR_RULE);
        db_close(db);
    }
}

/* Blocks of many entries are packed, and prove the same. */
static struct db *packed_chain(struct ctx *cx, size_t entries)
{
    struct db *db = chain(cx, 2);
    struct buf texts = buf_make(cx->arena, 1 << 20);
    struct audit_entry entry = { .at_ms = cx->now_ms, .who = S("b.lee"), .role = S("doctor"),
                                 .what = S("Observation?patient=1") };
    for (size_t i = 0; i < entries; i++) {
        buf_add(&texts, audit_text(cx->arena, &entry));
        buf_char(&texts, '\n');
    }
    struct audit_block block = { buf_str(&texts), entries, (const int64_t[]){ 7, 9 }, 2 };
    cr_assert_eq(audit_append_block(cx, db, &block), ERR_OK);
    return db;
}

TEST(audit_block_of_many_entries_is_packed_and_proved)
{
    static const char *const attacks[] = {
        "UPDATE audit_block SET texts = substr(texts, 2) WHERE n = 302",
        "UPDATE audit_block SET bytes = bytes - 1 WHERE n = 302",
        "UPDATE audit_block SET count = 299 WHERE n = 302",
        "DELETE FROM audit_block WHERE n = 2",
    };
    struct audit_head head;
    struct db *db = packed_chain(cx, 300);
    EXPECT_INT("verify", audit_verify(cx, db, &head), ERR_OK);
    EXPECT_INT("entries", head.n, 302);
    EXPECT_INT("head published", audit_verify_head(cx, db, &head), ERR_OK);
    db_close(db);
    for (size_t i = 0; i < COUNT(attacks); i++) {
        db = packed_chain(cx, 300);
        EXPECT_INT(attacks[i], db_exec(cx, db, attacks[i]), ERR_OK);
        EXPECT_INT(attacks[i], audit_verify(cx, db, &head), ERR_RULE);
        db_close(db);
    }
}

/* Who may write the file can make a whole chain anew; what was published cannot be made anew. */
TEST(audit_chain_made_anew_or_cut_short_disagrees_with_its_published_heads)
{
    struct audit_head old, head;
    size_t count;
    struct db *db = chain(cx, 8);
    EXPECT_INT("head", audit_head(cx, db, &old), ERR_OK);
    str file = arena_printf(cx->arena, "2026-11-22T08:00:00.000Z 8 %.*s\n",
                            STR_ARG(audit_head_hex(cx->arena, &old)));
    EXPECT_INT("as published", audit_publish_check(cx, db, file, &count), ERR_OK);
    EXPECT_INT("heads", count, 1);
    EXPECT_INT("cut short", db_exec(cx, db, "DELETE FROM audit_block WHERE n > 6"), ERR_OK);
    EXPECT_INT("the chain alone looks whole", audit_verify(cx, db, &head), ERR_OK);
    EXPECT_INT("gone", audit_publish_check(cx, db, file, &count), ERR_RULE);
    struct audit_entry entry = { .at_ms = cx->now_ms, .who = S("nobody"), .what = S("x") };
    EXPECT_INT("anew", audit_append(cx, db, &entry), ERR_OK);
    EXPECT_INT("anew", audit_append(cx, db, &entry), ERR_OK);
    EXPECT_INT("whole again", audit_verify(cx, db, &head), ERR_OK);
    EXPECT_INT("but another", audit_publish_check(cx, db, file, &count), ERR_RULE);
    EXPECT_INT("no head", audit_publish_check(cx, db, S("hello\n"), &count), ERR_INVALID);
    db_close(db);
}

static err named(struct ctx *cx, void *self, int64_t pid, str *id)
{
    (void)self;
    *id = arena_printf(cx->arena, "p%lld", (long long)pid);
    return ERR_OK;
}

TEST(audit_entry_reads_back_and_as_an_audit_event)
{
    struct audit_entry entry = {
        .at_ms = cx->now_ms, .who = S("a.khan"), .person = S("Practitioner/7"), .role = S("nurse"),
        .act = AUDIT_SEARCH, .what = S("Observation?patient=1"), .outcome = AUDIT_REFUSED,
        .request_id = S("r"), .address = S("10.0.0.4"), .client = S("app"), .purpose = S("BTG"),
        .behalf = S("Patient/2"), .reason = S("line\n\"two\""),
        .pids = (const int64_t[]){ 7, 9 }, .pids_count = 2, .more = true,
    };
    struct audit_entry back;
    struct audit_namer namer = { named, NULL };
    str event, text = audit_text(cx->arena, &entry);
    struct json parsed;
    EXPECT("one line", str_find_char(text, '\n') == STR_NONE);
    EXPECT_INT("read", audit_read_text(cx, text, &back), ERR_OK);
    EXPECT_STR("same", audit_text(cx->arena, &back), text);
    EXPECT_INT("event", audit_event(cx, 4, &back, &namer, &event), ERR_OK);
    EXPECT_INT("json", json_parse(cx, event, &parsed), ERR_OK);
    struct json agents = json_get(parsed, S("agent"));
    EXPECT_INT("person, app, for whom", json_count(agents), 3);
    EXPECT("who", json_string_is(json_get(json_at(agents, 0), S("altId")), S("a.khan")));
    EXPECT("outcome", json_string_is(json_get(parsed, S("outcome")), S("8")));
    EXPECT_INT("query and patients", json_count(json_get(parsed, S("entity"))), 3);
    EXPECT("recorded", json_string_is(json_get(parsed, S("recorded")),
                                      S("2026-03-26T12:00:00.000Z")));
}
