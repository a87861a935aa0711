/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE audit
#include "base/test.h"
#include "auth/audit.h"

static struct db *chain(struct ctx *cx, int64_t entries)
{
    struct db *db;
    struct db_options options = { .path = S(":memory:"), .create = true };
    cr_assert_eq(db_open(cx, &options, &db), ERR_OK);
    cr_assert_eq(db_exec(cx, db, audit_schema), ERR_OK);
    for (int64_t i = 0; i < entries; i++) {
        struct audit_entry entry = {
            .at_ms = cx->now_ms + i, .who = S("a.khan"), .role = S("nurse"), .act = AUDIT_READ,
            .what = S("Patient/1"), .pid = 7, .request_id = S("r\"1"),
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
        "UPDATE audit SET text = replace(text, 'a.khan', 'b.lee') WHERE n = 3",
        "DELETE FROM audit WHERE n = 1",
        "DELETE FROM audit WHERE n = 5",
        "UPDATE audit SET hash = zeroblob(32) WHERE n = 9",
        "UPDATE audit SET hash = x'00' WHERE n = 9",
        "UPDATE audit SET n = 100 WHERE n = 10",
        "INSERT INTO audit VALUES(11, 0, '[]', zeroblob(32))",
    };
    for (size_t i = 0; i < COUNT(attacks); i++) {
        struct audit_head head;
        struct db *db = chain(cx, 10);
        EXPECT_INT(attacks[i], db_exec(cx, db, attacks[i]), ERR_OK);
        EXPECT_INT(attacks[i], audit_verify(cx, db, &head), ERR_RULE);
        db_close(db);
    }
}

TEST(audit_entry_reads_as_an_audit_event)
{
    struct audit_entry entry = { .at_ms = cx->now_ms, .who = S("a.khan"), .role = S("nurse"),
                                 .act = AUDIT_SEARCH, .what = S("Observation?patient=1"),
                                 .refused = true, .request_id = S("r") };
    str event;
    struct json parsed;
    EXPECT_INT("event", audit_event(cx, 4, audit_text(cx->arena, &entry), &event), ERR_OK);
    EXPECT_INT("json", json_parse(cx, event, &parsed), ERR_OK);
    EXPECT("who", json_string_is(json_get(json_at(json_get(parsed, S("agent")), 0), S("altId")),
                                 S("a.khan")));
    EXPECT("outcome", json_string_is(json_get(parsed, S("outcome")), S("8")));
    EXPECT("recorded", json_string_is(json_get(parsed, S("recorded")),
                                      S("2026-03-26T12:00:00.000Z")));
}
