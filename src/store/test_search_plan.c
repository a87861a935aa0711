/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE search_plan
#include "store/compile.h"
#include "store/labels.h"
#include "store/sort.h"
#include "store/test_record.h"

/*
 * Each statement of the search is held to the query plan it declares: one that stops using its
 * index, or begins to scan, turns this red.
 */
/* Statements are remembered by their address, so each gets one of its own in `keep`. */
static str plan_of(struct ctx *cx, struct arena *keep, struct store *store, const char *sql)
{
    str plan = S("");
    struct stmt set[] = {
        { "plan", arena_printf(keep, "EXPLAIN QUERY PLAN %s", sql).p, NULL }, { 0 },
    };
    struct stmt *kept = arena_alloc(keep, sizeof set);
    memcpy(kept, set, sizeof set);
    if (!cx->db)
        cr_assert(store_reader(cx, store) == ERR_OK);
    struct db_stmt *stmt = db_use(cx, cx->db, kept, 0);
    for (bool row = true; row;) {
        cr_assert(db_step(cx, stmt, &row) == ERR_OK, "%s", sql);
        if (row) {
            str line = arena_copy(cx->arena, db_text(stmt, 3));
            plan = arena_printf(cx->arena, "%.*s%.*s; ", STR_ARG(plan), STR_ARG(line));
        }
    }
    return plan;
}

static void hold(struct arena *keep, struct store *store, const struct stmt *set)
{
    for (; set->name; set++) {
        struct arena arena = arena_make((size_t)16 << 20);
        struct ctx cx = ctx_make(&arena);
        if (set->plan) {
            str plan = plan_of(&cx, keep, store, set->sql);
            cr_expect(str_find(plan, str_of(set->plan)) != STR_NONE, "%s: %.*s, expected %s",
                      set->name, STR_ARG(plan), set->plan);
            cr_expect(str_find(plan, S("TEMP B-TREE")) == STR_NONE, "%s sorts: %.*s", set->name,
                      STR_ARG(plan));
        }
        ctx_release(&cx);
        arena_free(&arena);
    }
}

TEST(every_statement_reads_by_its_index)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    hold(cx->arena, store, posting_sql);
    hold(cx->arena, store, labels_sql);
    hold(cx->arena, store, compile_sql);
    hold(cx->arena, store, index_sql);
    hold(cx->arena, store, sort_sql);
    hold(cx->arena, store, walk_sql);
    store_close(store);
    record_remove(cx, folder);
}
