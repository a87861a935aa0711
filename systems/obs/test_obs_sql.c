/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE obs
#include "store/test_record.h"
#include "systems/obs/ward.h"
#include "view/view_table.h"

/* The tables of the views as a server makes them, empty: what matters is how they are reached. */
TEST(obs_statements_use_the_index_they_declare)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct view_tables *tables;
    struct view_rebuild how = { .store = store, .folder = folder };
    EXPECT_INT("views", view_tables_make(cx, view_files, &tables), ERR_OK);
    EXPECT_INT("views", view_tables_open(cx, tables, &how), ERR_OK);
    EXPECT_INT("reader", store_reader(cx, store), ERR_OK);
    for (const struct stmt *stmt = obs_sql; stmt->name; stmt++) {
        str plan = S("");
        EXPECT_INT(stmt->name, db_plan(cx, cx->db, stmt->sql, &plan), ERR_OK);
        cr_expect(str_find(plan, str_of(stmt->plan)) != STR_NONE, "%s: %.*s", stmt->name,
                  STR_ARG(plan));
    }
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}
