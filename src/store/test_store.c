/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE store
#include "store/state.h"
#include "store/test_record.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"gender\":\"female\",\"active\":true}"

static uint16_t type(const char *name)
{
    return fhir_resource_find(str_of(name));
}

static bool says(const struct ctx *cx, const char *what)
{
    return cx->issues.kept &&
           str_find(cx->issues.list[cx->issues.kept - 1].text, str_of(what)) != STR_NONE;
}

TEST(create_mints_an_id_and_reads_back)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op op = record_op(cx, COMMIT_CREATE, "Patient", NULL, PATIENT);
    EXPECT_INT("create", record_do(cx, store, &op), ERR_OK);
    EXPECT_INT("outcome", op.outcome, COMMIT_CREATED);
    EXPECT_INT("vid", op.version.vid, 1);
    EXPECT("an id", op.version.id.n > 10);
    struct store_version read;
    EXPECT_INT("read", store_read(cx, store, type("Patient"), op.version.id, &read), ERR_OK);
    EXPECT_STR("same body", read.body, op.version.body);
    struct json body = record_json(cx, arena_cstr(cx->arena, read.body));
    EXPECT("version", json_string_is(json_get(json_get(body, S("meta")), S("versionId")), S("1")));
    EXPECT("id", json_string_is(json_get(body, S("id")), read.id));
    EXPECT_INT("other id", store_read(cx, store, type("Patient"), S("nobody"), &read),
               ERR_NOT_FOUND);
    EXPECT_INT("other type", store_read(cx, store, type("Group"), op.version.id, &read),
               ERR_NOT_FOUND);
    store_close(store);
    record_remove(cx, folder);
}

TEST(body_keeps_its_order_and_numbers)
{
    static const struct { const char *name, *sent, *before, *after; } rows[] = {
        { "no id, no meta", "{ \"resourceType\" : \"Basic\", \"code\": {\"text\":\"a\"} }",
          "{\"resourceType\":\"Basic\",\"id\":\"x\",\"meta\":{", "},\"code\":{\"text\":\"a\"}}" },
        { "meta kept", "{\"resourceType\":\"Basic\",\"id\":\"x\",\"meta\":{\"versionId\":\"77\","
                       "\"profile\":[\"http://p\"]},\"n\":1.00}",
          "{\"resourceType\":\"Basic\",\"id\":\"x\",\"meta\":{",
          ",\"profile\":[\"http://p\"]},\"n\":1.00}" },
        { "odd order", "{\"meta\":{},\"z\":1e2,\"id\":\"y\",\"resourceType\":\"Basic\"}",
          "{\"meta\":{", "},\"z\":1e2,\"id\":\"x\",\"resourceType\":\"Basic\"}" },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct commit_op op = record_op(cx, COMMIT_UPDATE, "Basic", "x", rows[i].sent);
        EXPECT_INT(rows[i].name, record_do(cx, store, &op), ERR_OK);
        struct store_version read = { 0 };
        EXPECT_INT(rows[i].name, store_read(cx, store, type("Basic"), S("x"), &read), ERR_OK);
        EXPECT(rows[i].name, str_starts(read.body, str_of(rows[i].before)));
        EXPECT(rows[i].name, str_ends(read.body, str_of(rows[i].after)));
        EXPECT(rows[i].name, str_find(read.body, S("\"lastUpdated\":\"20")) != STR_NONE);
    }
    store_close(store);
    record_remove(cx, folder);
}

TEST(versions_are_kept_and_deletion_is_one)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op one = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    struct commit_op two = record_op(cx, COMMIT_UPDATE, "Patient", "p",
                                     "{\"resourceType\":\"Patient\",\"gender\":\"male\"}");
    struct commit_op gone = record_op(cx, COMMIT_DELETE, "Patient", "p", NULL);
    struct commit_op again = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    struct commit_op nothing = record_op(cx, COMMIT_DELETE, "Patient", "nobody", NULL);
    EXPECT_INT("one", record_do(cx, store, &one), ERR_OK);
    EXPECT_INT("made", one.outcome, COMMIT_CREATED);
    EXPECT_INT("two", record_do(cx, store, &two), ERR_OK);
    EXPECT_INT("changed", two.outcome, COMMIT_UPDATED);
    EXPECT_INT("delete", record_do(cx, store, &gone), ERR_OK);
    EXPECT_INT("deleted", gone.outcome, COMMIT_DELETED);
    struct store_version read = { 0 };
    EXPECT_INT("gone", store_read(cx, store, type("Patient"), S("p"), &read), ERR_GONE);
    EXPECT_INT("by version 3", read.vid, 3);
    EXPECT_INT("old", store_vread(cx, store, type("Patient"), S("p"), 2, &read), ERR_OK);
    EXPECT("male", str_find(read.body, S("\"male\"")) != STR_NONE);
    EXPECT_INT("vread gone", store_vread(cx, store, type("Patient"), S("p"), 3, &read), ERR_GONE);
    EXPECT_INT("never", store_vread(cx, store, type("Patient"), S("p"), 9, &read), ERR_NOT_FOUND);
    EXPECT_INT("again", record_do(cx, store, &again), ERR_OK);
    EXPECT_INT("revived", again.outcome, COMMIT_CREATED);
    EXPECT_INT("version", again.version.vid, 4);
    EXPECT_INT("delete nothing", record_do(cx, store, &nothing), ERR_OK);
    EXPECT_INT("unchanged", nothing.outcome, COMMIT_UNCHANGED);
    EXPECT_INT("seq", store_seq(store), 4);
    struct store_history query = { .resource = type("Patient"), .id = S("p"), .count = 3 };
    struct store_versions page;
    EXPECT_INT("history", store_history(cx, store, &query, &page), ERR_OK);
    EXPECT_INT("page", page.count, 3);
    EXPECT_INT("total", page.total, 4);
    EXPECT("more", page.more);
    EXPECT_INT("newest", page.list[0].vid, 4);
    query.before_seq = page.list[2].seq;
    EXPECT_INT("next", store_history(cx, store, &query, &page), ERR_OK);
    EXPECT("last page", page.count == 1 && !page.more && page.list[0].vid == 1);
    store_close(store);
    record_remove(cx, folder);
}

TEST(precondition_and_bad_ids_are_refused)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    EXPECT_INT("make", record_do(cx, store, &op), ERR_OK);
    op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    op.if_match_vid = 7;
    EXPECT_INT("If-Match", record_do(cx, store, &op), ERR_PRECONDITION);
    EXPECT("names both", says(cx, "at version 1, not 7"));
    op.if_match_vid = 1;
    EXPECT_INT("right", record_do(cx, store, &op), ERR_OK);
    op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    op.if_none_match = true;
    EXPECT_INT("If-None-Match", record_do(cx, store, &op), ERR_PRECONDITION);
    op = record_op(cx, COMMIT_UPDATE, "Patient", "p q", PATIENT);
    EXPECT_INT("bad id", record_do(cx, store, &op), ERR_INVALID);
    op = record_op(cx, COMMIT_UPDATE, "Group", "p", PATIENT);
    EXPECT_INT("other type", record_do(cx, store, &op), ERR_INVALID);
    EXPECT_INT("nothing more was written", store_seq(store), 2);
    store_close(store);
    record_remove(cx, folder);
}

TEST(transaction_resolves_names_anywhere)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op ops[] = {
        record_op(cx, COMMIT_CREATE, "Encounter", NULL,
                  "{\"resourceType\":\"Encounter\",\"subject\":{\"reference\":\"urn:uuid:1\"},"
                  "\"contained\":[{\"resourceType\":\"Basic\",\"subject\":{\"reference\":"
                  "\"urn:uuid:1\"}}],\"text\":{\"div\":\"<a href='urn:uuid:1'/>\"},"
                  "\"identifier\":[{\"value\":\"urn:uuid:1\"}],"
                  "\"extension\":[{\"url\":\"http://e\",\"valueUri\":\"urn:uuid:1\"}]}"),
        record_op(cx, COMMIT_CREATE, "Patient", NULL, PATIENT),
        record_op(cx, COMMIT_CREATE, "Basic", NULL,
                  "{\"resourceType\":\"Basic\",\"subject\":{\"extension\":[{\"url\":"
                  "\"http://hl7.org/fhir/StructureDefinition/resolve-as-version-specific\","
                  "\"valueBoolean\":true}],\"reference\":\"urn:uuid:1\"},"
                  "\"author\":{\"reference\":\"Patient/old\"}}"),
    };
    ops[1].full_url = S("urn:uuid:1");
    ops[2].full_url = S("http://elsewhere/fhir/Basic/1");
    struct commit commit = { .ops = ops, .ops_count = COUNT(ops) };
    EXPECT_INT("commit", commit_run(cx, store, &commit), ERR_OK);
    str name = arena_printf(cx->arena, "\"Patient/%.*s\"", STR_ARG(ops[1].version.id));
    struct json enc = record_json(cx, arena_cstr(cx->arena, ops[0].version.body));
    struct json found;
    static const char *const replaced[] = { "/subject/reference",
                                            "/contained/0/subject/reference",
                                            "/extension/0/valueUri" };
    for (size_t i = 0; i < COUNT(replaced); i++) {
        EXPECT_INT("at", json_pointer(cx, enc, str_of(replaced[i]), &found), ERR_OK);
        EXPECT_STR(replaced[i], json_text(found), name);
    }
    EXPECT("identifier left alone",
           str_find(ops[0].version.body, S("{\"value\":\"urn:uuid:1\"}")) != STR_NONE);
    EXPECT("narrative left alone",
           str_find(ops[0].version.body, S("href='urn:uuid:1'")) != STR_NONE);
    str versioned = arena_printf(cx->arena, "{\"reference\":\"Patient/%.*s/_history/1\"}",
                                 STR_ARG(ops[1].version.id));
    EXPECT("version-specific", str_find(ops[2].version.body, versioned) != STR_NONE);
    EXPECT("others stay", str_find(ops[2].version.body, S("\"Patient/old\"")) != STR_NONE);
    store_close(store);
    record_remove(cx, folder);
}

TEST(transaction_is_all_or_nothing)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op ops[] = {
        record_op(cx, COMMIT_UPDATE, "Patient", "a", PATIENT),
        record_op(cx, COMMIT_UPDATE, "Patient", "b", PATIENT),
    };
    ops[1].if_match_vid = 5;
    struct commit commit = { .ops = ops, .ops_count = COUNT(ops) };
    EXPECT_INT("refused", commit_run(cx, store, &commit), ERR_PRECONDITION);
    EXPECT_INT("which", commit.failed, 1);
    struct store_version read;
    EXPECT_INT("not there", store_read(cx, store, type("Patient"), S("a"), &read), ERR_NOT_FOUND);
    ops[1] = ops[0];
    EXPECT_INT("same target twice", commit_run(cx, store, &commit), ERR_INVALID);
    EXPECT_INT("nothing", store_seq(store), 0);
    store_close(store);
    record_remove(cx, folder);
}

TEST(record_is_there_after_a_restart)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    EXPECT_INT("make", record_do(cx, store, &op), ERR_OK);
    struct store_options options = { .folder = folder };
    struct store *second = NULL;
    EXPECT_INT("locked", store_open(cx, &options, &second), ERR_BUSY);
    EXPECT("says by whom", says(cx, "in use by process"));
    options.read_only = true;
    EXPECT_INT("beside it", store_open(cx, &options, &second), ERR_OK);
    struct store_version read = { 0 };
    EXPECT_INT("reads", store_read(cx, second, type("Patient"), S("p"), &read), ERR_OK);
    struct commit_op refused = record_op(cx, COMMIT_UPDATE, "Patient", "q", PATIENT);
    EXPECT_INT("does not write", record_do(cx, second, &refused), ERR_FORBIDDEN);
    store_close(second);
    store_close(store);
    store = record_open(cx, folder);
    EXPECT_INT("seq", store_seq(store), 1);
    EXPECT_INT("read", store_read(cx, store, type("Patient"), S("p"), &read), ERR_OK);
    op = record_op(cx, COMMIT_UPDATE, "Patient", "p", PATIENT);
    EXPECT_INT("goes on", record_do(cx, store, &op), ERR_OK);
    EXPECT_INT("next version", op.version.vid, 2);
    int64_t counts[256] = { 0 };
    EXPECT_INT("counts", store_counts(cx, store, counts), ERR_OK);
    EXPECT_INT("one patient", counts[type("Patient")], 1);
    store_close(store);
    record_remove(cx, folder);
}

/* A statement that stops using its index, or starts to scan, is red here. */
TEST(statements_keep_to_their_plans)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    EXPECT_INT("reader", store_reader(cx, store), ERR_OK);
    for (size_t i = 0; store_sql[i].sql; i++) {
        str plan;
        if (!store_sql[i].plan)
            continue;
        EXPECT_INT(store_sql[i].name, db_plan(cx, cx->db, store_sql[i].sql, &plan), ERR_OK);
        cr_expect(str_find(plan, str_of(store_sql[i].plan)) != STR_NONE, "%s: the plan is %.*s",
                  store_sql[i].name, STR_ARG(plan));
        cr_expect(str_find(plan, S("SCAN")) == STR_NONE, "%s scans: %.*s", store_sql[i].name,
                  STR_ARG(plan));
    }
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}
