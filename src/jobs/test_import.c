/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE import
#include "jobs/import.h"
#include "store/test_record.h"
#include <zlib.h>
#include <zstd.h>

#define PATIENT(id) "{\"resourceType\":\"Patient\",\"id\":\"" id "\",\"active\":true}"
#define TRANSACTION                                                                                \
    "{\"resourceType\":\"Bundle\",\n\"type\":\"transaction\",\n\"entry\":[\n"                      \
    "{\"fullUrl\":\"urn:uuid:e1\",\"resource\":{\"resourceType\":\"Encounter\",\"status\":"        \
    "\"finished\",\"class\":{\"code\":\"AMB\"},\"subject\":{\"reference\":\"urn:uuid:p1\"},"       \
    "\"serviceProvider\":{\"reference\":\"urn:uuid:org\"}},"                                       \
    "\"request\":{\"method\":\"POST\",\"url\":\"Encounter\"}},\n"                                  \
    "{\"fullUrl\":\"urn:uuid:p1\",\"resource\":{\"resourceType\":\"Patient\"},"                    \
    "\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}]}"

static str put_file(struct ctx *cx, str folder, const char *name, str text)
{
    str path = arena_printf(cx->arena, "%.*s/%s", STR_ARG(folder), name);
    FILE *file = fopen(path.p, "w");
    cr_assert(file && fwrite(text.p, 1, text.n, file) == text.n && fclose(file) == 0);
    return path;
}

static struct import_report taken(struct ctx *cx, struct store *store, const str *paths,
                                  size_t count)
{
    struct import_options options = { .store = store, .threads = 2 };
    struct import *import = NULL;
    struct import_report report;
    cr_assert(import_start(cx, &options, &import) == ERR_OK);
    for (size_t i = 0; i < count; i++) {
        EXPECT_INT("file", import_file(cx, import, paths[i]), ERR_OK);
        import_wait(import);
    }
    EXPECT_INT("finish", import_finish(cx, import, &report), ERR_OK);
    return report;
}

TEST(import_takes_every_shape_and_names_what_it_refuses)
{
    static const struct { const char *name, *text; int64_t created, refused; const char *says; }
    rows[] = {
        { "resource", PATIENT("a"), 1, 0, NULL },
        { "lines", PATIENT("b") "\n\n" PATIENT("c") "\n", 2, 0, NULL },
        { "bad line", PATIENT("d") "\n{\"resourceType\":\"Patient\",\n" PATIENT("e"), 2, 1, ":2" },
        { "bad element", PATIENT("f") "\n{\"resourceType\":\"Patient\",\"id\":\"g\",\"x\":1}\n", 1,
          1, ":2 Patient/g" },
        { "no resource", "[1]", 0, 1, ":1" },
        { "transaction", TRANSACTION, 2, 0, NULL },
        { "collection", "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                        "{\"resource\":" PATIENT("h") "},\n{\"resource\":{\"resourceType\":"
                        "\"Patient\",\"active\":\"no\"}}]}", 1, 1, ":2 Patient" },
        { "batch", "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"resource\":"
                   PATIENT("i") ",\"request\":{\"method\":\"PUT\",\"url\":\"Patient/i\"}},"
                   "{\"request\":{\"method\":\"GET\",\"url\":\"Patient/i\"}}]}", 1, 1, ":1" },
        { "empty", "", 0, 0, NULL },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        str path = put_file(cx, folder, "in.json", str_of(rows[i].text));
        struct import_report report = taken(cx, store, &path, 1);
        EXPECT_INT(rows[i].name, report.counts.created, rows[i].created);
        EXPECT_INT(rows[i].name, report.counts.refused, rows[i].refused);
        EXPECT(rows[i].name, !rows[i].says || (report.refusals_count == 1 &&
               str_find(report.refusals[0].where, str_of(rows[i].says)) != STR_NONE));
        int64_t seq = store_seq(store);
        report = taken(cx, store, &path, 1);
        EXPECT_INT(rows[i].name, report.counts.created + report.counts.updated, 0);
        EXPECT_INT(rows[i].name, store_seq(store), seq);
    }
    store_close(store);
    record_remove(cx, folder);
}

TEST(faulty_entry_refuses_its_whole_transaction)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    str path = put_file(cx, folder, "in.json",
        S("{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[\n"
          "{\"resource\":" PATIENT("a") ",\"request\":{\"method\":\"PUT\","
          "\"url\":\"Patient/a\"}},\n"
          "{\"resource\":{\"resourceType\":\"Patient\",\"x\":1},"
          "\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}]}"));
    struct import_report report = taken(cx, store, &path, 1);
    EXPECT_INT("both", report.counts.refused, 2);
    EXPECT_INT("one line each", report.refusals_count, 2);
    EXPECT_INT("nothing", store_seq(store), 0);
    store_close(store);
    record_remove(cx, folder);
}

TEST(import_finds_names_of_other_files)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    str paths[] = {
        put_file(cx, folder, "1.json", S("{\"resourceType\":\"Organization\",\"id\":\"org\","
                                         "\"name\":\"Ward\"}")),
        put_file(cx, folder, "2.json", S(TRANSACTION)),
    };
    taken(cx, store, paths, 2);
    struct store_version read = { 0 };
    EXPECT_INT("read", store_read(cx, store, fhir_resource_find(S("Encounter")), S("e1"), &read),
               ERR_OK);
    EXPECT("patient", str_find(read.body, S("\"Patient/p1\"")) != STR_NONE);
    EXPECT("elsewhere", str_find(read.body, S("\"Organization/org\"")) != STR_NONE);
    store_close(store);
    record_remove(cx, folder);
}

TEST(packed_files_are_read_and_cut_off_ones_refused)
{
    str folder = record_folder(cx), text = S(PATIENT("a") "\n" PATIENT("b") "\n");
    struct store *store = record_open(cx, folder);
    char packed[4096];
    size_t zst = ZSTD_compress(packed, sizeof packed, text.p, text.n, 1);
    str paths[] = { put_file(cx, folder, "a.zst", (str){ packed, zst }),
                    arena_printf(cx->arena, "%.*s/b.gz", STR_ARG(folder)) };
    gzFile gz = gzopen(paths[1].p, "wb");
    gzwrite(gz, text.p, (unsigned)text.n);
    gzclose(gz);
    struct import_report report = taken(cx, store, paths, 2);
    EXPECT_INT("read", report.counts.read, 4);
    EXPECT_INT("new", report.counts.created, 2);
    str cut = put_file(cx, folder, "c.zst", (str){ packed, zst - 5 });
    struct import_options options = { .store = store };
    struct import *import = NULL;
    cr_assert(import_start(cx, &options, &import) == ERR_OK);
    EXPECT_INT("cut off", import_file(cx, import, cut), ERR_INVALID);
    EXPECT_INT("finish", import_finish(cx, import, &report), ERR_OK);
    store_close(store);
    record_remove(cx, folder);
}
