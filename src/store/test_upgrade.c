/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE upgrade
#include "db/db.h"
#include "store/check.h"
#include "store/search.h"
#include "store/test_record.h"

static void run_sql(struct ctx *cx, str folder, const char *sql)
{
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/record.db",
                                                       STR_ARG(folder)) };
    struct db *db = NULL;
    cr_assert(db_open(cx, &options, &db) == ERR_OK);
    EXPECT_INT(sql, db_exec(cx, db, sql), ERR_OK);
    db_close(db);
}

static int64_t faults(struct ctx *cx, struct store *store)
{
    struct ctx one = ctx_make(cx->arena);
    struct check_options options = { 0 };
    struct check_report report = { 0 };
    EXPECT_INT("check", store_check(&one, store, &options, &report), ERR_OK);
    ctx_release(&one);
    return report.faults_count;
}

/* A record of a program that knew fewer paths and had no table of words, as this one opens it. */
TEST(an_older_record_is_brought_up_to_date)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "VisionPrescription", "v",
        "{\"resourceType\":\"VisionPrescription\",\"status\":\"active\",\"created\":\"2026-01-01\","
        "\"dateWritten\":\"2026-01-02\",\"patient\":{\"reference\":\"Patient/a\"},\"prescriber\":{"
        "\"reference\":\"Practitioner/b\"},\"lensSpecification\":[{\"eye\":\"left\",\"product\":{"
        "\"text\":\"Varifocal lens\"}}]}");
    cr_assert(record_do(cx, store, &op) == ERR_OK);
    EXPECT_INT("as made", faults(cx, store), 0);
    store_close(store);
    run_sql(cx, folder,
            "DROP TABLE words; DROP TABLE own_param; DELETE FROM tok; DELETE FROM ref; "
            "DELETE FROM day; DELETE FROM txt; UPDATE meta SET value = '' WHERE "
            "name = 'index_layout'");
    store = record_open(cx, folder);
    EXPECT_INT("after opening", faults(cx, store), 0);
    int64_t rids[2];
    struct search_rids found = { rids, COUNT(rids), 0 };
    struct ctx one = ctx_make(cx->arena);
    EXPECT_INT("by its words", search_condition(&one, store,
               fhir_resource_find(S("VisionPrescription")), S("_content=varifocal"), &found),
               ERR_OK);
    EXPECT_INT("found", (int64_t)found.count, 1);
    ctx_release(&one);
    store_close(store);
    record_remove(cx, folder);
}
