/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE view_table
#include "store/test_record.h"
#include "view/view_table.h"
#include <pthread.h>
#include <stdatomic.h>

#define COLUMNS "{\"column\":[{\"name\":\"id\",\"path\":\"id\",\"type\":\"id\"}," \
                "{\"name\":\"active\",\"path\":\"active\",\"type\":\"boolean\"}]}"
#define NAMES "{\"forEach\":\"name\",\"column\":[{\"name\":\"family\",\"path\":\"family\"}]}"
static const struct view_file files[] = {
    { "test", "people", "{\"resource\":\"Patient\",\"extension\":[{\"url\":\"" VIEW_INDEX_URL
                        "\",\"valueString\":\"family, id\"}],\"select\":[" COLUMNS "," NAMES "]}" },
    { 0 },
};
static const struct view_file changed_files[] = {
    { "test", "people", "{\"resource\":\"Patient\",\"select\":[" COLUMNS "]}" },
    { 0 },
};
static const struct view_file no_files[] = { { 0 } };

static struct view_tables *keep(struct ctx *cx, struct store *store, str folder,
                                const struct view_file *list)
{
    struct view_tables *tables = NULL;
    struct view_rebuild how = { .store = store, .folder = folder };
    err wrong = view_tables_make(cx, list, &tables);
    if (!wrong)
        wrong = view_tables_open(cx, tables, &how);
    cr_assert(wrong == ERR_OK, "%.*s", STR_ARG(cx->issues.list ? cx->issues.list[0].text : S("")));
    return tables;
}

/* What a query gives: columns joined by '|', rows by ';'. */
static str rows_of(struct ctx *cx, str folder, const char *sql)
{
    struct db *db;
    struct db_options options = { .path = arena_printf(cx->arena, "%.*s/record.db",
                                                       STR_ARG(folder)), .read_only = true };
    struct buf buf = buf_make(cx->arena, 10000);
    const struct stmt set[] = { { "test", sql, NULL }, { 0 } };
    bool row = false;
    cr_assert(db_open(cx, &options, &db) == ERR_OK);
    struct db_stmt *stmt = db_use(cx, db, set, 0);
    while (db_step(cx, stmt, &row) == ERR_OK && row)
        buf_printf(&buf, "%s%.*s", buf.n ? ";" : "", STR_ARG(db_text(stmt, 0)));
    db_close(db);
    return buf_str(&buf);
}

static void count_fault(void *self, str text)
{
    printf("fault: %.*s\n", STR_ARG(text));
    ++*(int *)self;
}

static int faults_of(struct ctx *cx, const struct view_tables *tables, struct store *store)
{
    struct ctx inner = ctx_make(cx->arena);
    int faults = 0;
    cr_assert(view_tables_check(&inner, tables, store, count_fault, &faults) == ERR_OK);
    ctx_release(&inner);
    return faults;
}

static const char all[] = "SELECT id || '|' || ifnull(active, '-') || '|' || family "
                          "FROM view_test_people ORDER BY id, row";

static void put(struct ctx *cx, struct store *store, const char *id, const char *body)
{
    struct commit_op op = record_op(cx, COMMIT_UPDATE, "Patient", id, body);
    EXPECT_INT(id, record_do(cx, store, &op), ERR_OK);
}

TEST(view_tables_follow_every_write)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct view_tables *tables = keep(cx, store, folder, files);
    put(cx, store, "a", "{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":true,\"name\":["
                        "{\"family\":\"X\"},{\"family\":\"Y\"}]}");
    put(cx, store, "b", "{\"resourceType\":\"Patient\",\"id\":\"b\",\"name\":["
                        "{\"family\":\"Z\"}]}");
    EXPECT_STR("created", rows_of(cx, folder, all), S("a|1|X;a|1|Y;b|-|Z"));
    put(cx, store, "a", "{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":false,\"name\":["
                        "{\"family\":\"W\"}]}");
    EXPECT_STR("updated", rows_of(cx, folder, all), S("a|0|W;b|-|Z"));
    struct commit_op gone = record_op(cx, COMMIT_DELETE, "Patient", "b", NULL);
    EXPECT_INT("delete", record_do(cx, store, &gone), ERR_OK);
    EXPECT_STR("deleted", rows_of(cx, folder, all), S("a|0|W"));
    EXPECT_INT("as the bodies", faults_of(cx, tables, store), 0);
    EXPECT_STR("indexed", rows_of(cx, folder, "SELECT count(*) FROM sqlite_master WHERE type = "
                                              "'index' AND tbl_name = 'view_test_people' AND sql "
                                              "LIKE '%(family, id)'"), S("1"));
    store_close(store);
    record_remove(cx, folder);
}

static err damage(struct ctx *cx, struct db *db, void *sql)
{
    return db_exec(cx, db, sql);
}

/* One row changed, one too many, one too few, and one in the place of another. */
TEST(view_table_that_is_not_as_the_bodies_is_told)
{
    static const struct { const char *name, *harm, *mend; int faults; } rows[] = {
        { "different", "UPDATE view_test_people SET family = 'V' WHERE family = 'X'",
          "UPDATE view_test_people SET family = 'X' WHERE family = 'V'", 1 },
        { "a value gone", "UPDATE view_test_people SET active = NULL WHERE id = 'a' AND row = 0",
          "UPDATE view_test_people SET active = 1 WHERE id = 'a'", 1 },
        { "extra", "INSERT INTO view_test_people SELECT rid, 7, pid, id, active, family FROM "
                   "view_test_people WHERE row = 1", "DELETE FROM view_test_people WHERE row = 7",
          1 },
        { "extra of nobody", "INSERT INTO view_test_people SELECT rid + 9999, row, pid, id, active,"
                             " family FROM view_test_people WHERE row = 1",
          "DELETE FROM view_test_people WHERE rid NOT IN (SELECT rid FROM ident)", 1 },
        { "moved to nobody", "UPDATE view_test_people SET rid = rid + 9999 WHERE row = 1",
          "UPDATE view_test_people SET rid = rid - 9999 WHERE row = 1", 1 },
        { "missing", "DELETE FROM view_test_people WHERE row = 1", "SELECT 1", 2 },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct view_tables *tables = keep(cx, store, folder, files);
    put(cx, store, "a", "{\"resourceType\":\"Patient\",\"id\":\"a\",\"active\":true,\"name\":["
                        "{\"family\":\"X\"},{\"family\":\"Y\"}]}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT_INT(rows[i].name, faults_of(cx, tables, store), 0);
        EXPECT_INT(rows[i].name, store_write(cx, store, damage, (void *)(uintptr_t)rows[i].harm),
                   ERR_OK);
        EXPECT_INT(rows[i].name, faults_of(cx, tables, store), rows[i].faults);
        EXPECT_INT(rows[i].name, store_write(cx, store, damage, (void *)(uintptr_t)rows[i].mend),
                   ERR_OK);
    }
    struct view_rebuild how = { .store = store, .folder = folder };
    EXPECT_INT("rebuild", view_tables_rebuild(cx, tables, 0, &how), ERR_OK);
    EXPECT_INT("as the bodies", faults_of(cx, tables, store), 0);
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}

TEST(view_that_a_resource_breaks_keeps_no_row_and_says_why)
{
    static const struct view_file strict[] = {
        { "test", "people", "{\"resource\":\"Patient\",\"select\":[{\"column\":[{\"name\":"
                            "\"family\",\"path\":\"name.family\"}]}]}" }, { 0 },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct view_tables *tables = keep(cx, store, folder, strict);
    put(cx, store, "a", "{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"family\":\"X\"},"
                        "{\"family\":\"Y\"}]}");
    EXPECT_STR("no row", rows_of(cx, folder, "SELECT count(*) FROM view_test_people"), S("0"));
    EXPECT("told", str_starts(rows_of(cx, folder, "SELECT text FROM view_fault"),
                              S("column family has 2 values")));
    put(cx, store, "a", "{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":["
                        "{\"family\":\"X\"}]}");
    EXPECT_STR("mended", rows_of(cx, folder, "SELECT family FROM view_test_people"), S("X"));
    EXPECT_STR("forgotten", rows_of(cx, folder, "SELECT text FROM view_fault"), S(""));
    EXPECT_INT("as the bodies", faults_of(cx, tables, store), 0);
    store_close(store);
    record_remove(cx, folder);
}

TEST(view_changed_or_gone_is_noticed_at_start)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    keep(cx, store, folder, files);
    put(cx, store, "a", "{\"resourceType\":\"Patient\",\"id\":\"a\",\"name\":[{\"family\":\"X\"},"
                        "{\"family\":\"Y\"}]}");
    store_close(store);
    store = record_open(cx, folder);
    struct view_tables *tables = keep(cx, store, folder, changed_files);
    EXPECT_STR("rebuilt", rows_of(cx, folder, "SELECT id FROM view_test_people"), S("a"));
    EXPECT_INT("as the bodies", faults_of(cx, tables, store), 0);
    store_close(store);
    store = record_open(cx, folder);
    keep(cx, store, folder, no_files);
    EXPECT_STR("dropped", rows_of(cx, folder, "SELECT name FROM sqlite_master WHERE name = "
                                              "'view_test_people'"), S(""));
    store_close(store);
    record_remove(cx, folder);
}

struct writing {
    struct store *store;
    atomic_bool stop;
    atomic_int written;
};

static void *write_on(void *self)
{
    struct writing *w = self;
    struct arena arena = arena_make((size_t)1 << 30);
    while (!atomic_load(&w->stop) && w->written < 2000) {
        struct ctx cx = ctx_make(&arena);
        struct random random = random_seeded((uint64_t)w->written + 1);
        cx.random = &random;
        str id = arena_printf(&arena, "w%d", w->written % 37);
        str body = arena_printf(&arena, "{\"resourceType\":\"Patient\",\"id\":\"%.*s\",\"name\":["
                                        "{\"family\":\"F%d\"}]}", STR_ARG(id), w->written);
        struct commit_op op = record_op(&cx, w->written % 5 ? COMMIT_UPDATE : COMMIT_DELETE,
                                        "Patient", id.p, w->written % 5 ? body.p : NULL);
        (void)!record_do(&cx, w->store, &op);
        ctx_release(&cx);
        arena_reset(&arena);
        w->written++;
    }
    arena_free(&arena);
    return NULL;
}

TEST(view_rebuilt_beside_a_writer_misses_nothing)
{
    pthread_t thread;
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct view_tables *tables = keep(cx, store, folder, files);
    struct writing w = { .store = store };
    struct view_rebuild how = { .store = store, .folder = folder };
    cr_assert(pthread_create(&thread, NULL, write_on, &w) == 0);
    for (int i = 0; i < 5 || (i < 100 && w.written < 20); i++) {
        struct ctx inner = ctx_make(cx->arena);
        EXPECT_INT("rebuild", view_tables_rebuild(&inner, tables, 0, &how), ERR_OK);
        for (size_t k = 0; k < inner.issues.kept; k++)
            printf("%.*s\n", STR_ARG(inner.issues.list[k].text));
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    EXPECT("it wrote meanwhile", w.written > 5);
    EXPECT_INT("as the bodies", faults_of(cx, tables, store), 0);
    store_close(store);
    record_remove(cx, folder);
}
