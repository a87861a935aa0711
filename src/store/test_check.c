/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE check
#include "db/db.h"
#include "store/check.h"
#include "store/test_record.h"

static void fill(struct ctx *cx, str folder)
{
    struct store *store = record_open(cx, folder);
    static const char *const bodies[] = {
        "{\"resourceType\":\"Patient\",\"gender\":\"female\",\"birthDate\":\"1980-02-01\","
        "\"name\":[{\"family\":\"Ash\"}],\"meta\":{\"lastUpdated\":\"2001-01-01T00:00:00Z\"}}",
        "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
        "\"http://loinc.org\",\"code\":\"8867-4\"}]},\"subject\":{\"reference\":\"Patient/a\"},"
        "\"effectiveDateTime\":\"2026-01-01T10:00:00Z\",\"valueQuantity\":{\"value\":71,"
        "\"unit\":\"/min\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"/min\"}}",
    };
    struct commit_op ops[] = {
        record_op(cx, COMMIT_UPDATE, "Patient", "a", bodies[0]),
        record_op(cx, COMMIT_UPDATE, "Observation", "o", bodies[1]),
        record_op(cx, COMMIT_UPDATE, "Patient", "b", bodies[0]),
        record_op(cx, COMMIT_UPDATE, "Patient", "a", bodies[0]),
        record_op(cx, COMMIT_DELETE, "Patient", "b", NULL),
    };
    for (size_t i = 0; i < COUNT(ops); i++)
        EXPECT_INT("fill", record_do(cx, store, &ops[i]), ERR_OK);
    store_close(store);
}

static struct check_report checked(struct ctx *cx, str folder)
{
    struct store_options open = { .folder = folder, .read_only = true };
    struct check_options options = { 0 };
    struct check_report report = { 0 };
    struct store *store = NULL;
    cr_assert(store_open(cx, &open, &store) == ERR_OK);
    err wrong = store_check(cx, store, &options, &report);
    EXPECT("reports what kept it from looking", !wrong || cx->issues.kept);
    ctx_release(cx);
    store_close(store);
    return report;
}

TEST(check_finds_nothing_in_a_whole_record)
{
    str folder = record_folder(cx);
    fill(cx, folder);
    struct check_report report = checked(cx, folder);
    EXPECT_INT("faults", report.faults_count, 0);
    EXPECT_INT("versions", report.versions, 5);
    EXPECT_INT("resources", report.resources, 2);
    EXPECT("index", report.index_rows > 8);
    record_remove(cx, folder);
}

/* Each kind of damage, done by hand, is found and named. */
TEST(check_names_each_damage)
{
    static const struct { const char *name, *sql, *says; } rows[] = {
        { "row gone", "DELETE FROM tok WHERE rid IN (SELECT rid FROM ident WHERE id = 'o')",
          "is missing" },
        { "row added", "INSERT INTO ref VALUES (5, 6, 7, (SELECT rid FROM ident WHERE id = 'o'),"
          " 1)",
          "Observation/o should not be there" },
        { "wrong patient", "UPDATE num SET pid = 1", "is missing" },
        { "word gone", "INSERT INTO words(words, rowid, narrative, content) SELECT 'delete', rid, "
          "'', 'ash' FROM ident WHERE id = 'a'", "is missing" },
        { "word added", "INSERT INTO words(rowid, content) SELECT rid, 'ash tree' FROM ident WHERE "
          "id = 'o'", "\"tree\" in the content of Observation/o should not be there" },
        { "body damaged", "UPDATE version SET body = zeroblob(20) WHERE seq = 3", "version 3" },
        { "log gap", "DELETE FROM version WHERE seq = 2", "after seq 1 comes 3" },
        { "current", "UPDATE ident SET seq = 1 WHERE id = 'a'", "is not at seq 1" },
        { "deleted", "UPDATE ident SET deleted = 0 WHERE id = 'b'", "in doubt" },
        { "time", "UPDATE version SET at_ms = 1 WHERE seq = 4", "older than the one before" },
        { "count", "UPDATE tally SET live = 77 WHERE live > 0", "77 are noted" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        str folder = record_folder(cx);
        fill(cx, folder);
        struct db_options options = { .path = arena_printf(cx->arena, "%.*s/record.db",
                                                           STR_ARG(folder)) };
        struct db *db = NULL;
        cr_assert(db_open(cx, &options, &db) == ERR_OK);
        EXPECT_INT(rows[i].name, db_exec(cx, db, rows[i].sql), ERR_OK);
        db_close(db);
        struct check_report report = checked(cx, folder);
        bool found = false;
        for (int64_t f = 0; f < report.faults_count && f < CHECK_FAULTS_MAX; f++)
            found |= str_find(report.faults[f], str_of(rows[i].says)) != STR_NONE;
        EXPECT(rows[i].name, found);
        record_remove(cx, folder);
    }
}
