/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE export
#include "jobs/export.h"
#include "jobs/import.h"
#include "store/test_record.h"

TEST(export_is_what_was_imported)
{
    str folder = record_folder(cx), out = record_folder(cx), other = record_folder(cx);
    struct store *store = record_open(cx, folder);
    for (int i = 0; i < 600; i++) {
        struct commit_op op = record_op(cx, COMMIT_UPDATE, i % 3 ? "Patient" : "Basic",
            arena_printf(cx->arena, "r%d", i).p,
            i % 3 ? "{\"resourceType\":\"Patient\"}"
                  : "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}");
        EXPECT_INT("put", record_do(cx, store, &op), ERR_OK);
    }
    struct export_options options = { .store = store, .folder = out };
    struct export_report report;
    EXPECT_INT("export", export_run(cx, &options, &report), ERR_OK);
    EXPECT_INT("all", report.resources, 600);
    EXPECT_INT("of a type", report.counts[fhir_resource_find(S("Patient"))], 400);
    options.since_ms = cx->now_ms + (int64_t)400000 * 86400000;
    EXPECT_INT("later", export_run(cx, &options, &report), ERR_OK);
    EXPECT_INT("nothing", report.resources, 0);
    struct store *copy = record_open(cx, other);
    struct import_options import_options = { .store = copy };
    struct import *import = NULL;
    struct import_report imported;
    EXPECT_INT("start", import_start(cx, &import_options, &import), ERR_OK);
    EXPECT_INT("read", import_file(cx, import, arena_printf(cx->arena, "%.*s/Patient.ndjson",
                                                            STR_ARG(out))), ERR_OK);
    EXPECT_INT("finish", import_finish(cx, import, &imported), ERR_OK);
    EXPECT_INT("as many", imported.counts.created, 400);
    store_close(copy);
    store_close(store);
    record_remove(cx, folder);
    record_remove(cx, out);
    record_remove(cx, other);
}

TEST(export_says_where_it_cannot_write)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct export_options options = { .store = store, .folder = S("/proc/nowhere") };
    struct export_report report;
    EXPECT_INT("folder", export_run(cx, &options, &report), ERR_IO);
    EXPECT("named", str_find(cx->issues.list[0].text, S("/proc/nowhere")) != STR_NONE);
    store_close(store);
    record_remove(cx, folder);
}
