/* SPDX-License-Identifier: Apache-2.0 */
#include "store/check_work.h"

/* Each word at its place in each resource, side by side with what the bodies yield. */
static const char seen_schema[] =
    "DROP TABLE IF EXISTS temp.words_seen;"
    "CREATE VIRTUAL TABLE temp.words_seen USING fts5vocab(main, words, instance)";

static const struct stmt words_walk_sql[] = {
    { "walk words", "SELECT term, doc, col, offset FROM temp.words_seen", NULL }, { 0 },
};

/* In the order the words are kept: by term, resource, column, place. */
static int compare(struct db_stmt *a, struct db_stmt *b)
{
    int order = str_cmp(db_text(a, 0), db_text(b, 0));
    int64_t left = db_int(a, 1), right = db_int(b, 1);
    order = order ? order : (left > right) - (left < right);
    order = order ? order : -str_cmp(db_text(a, 2), db_text(b, 2)); /* narrative is the first */
    left = db_int(a, 3), right = db_int(b, 3);
    return order ? order : (left > right) - (left < right);
}

static void report(struct ctx *cx, struct check_work *w, struct db_stmt *row, bool missing)
{
    struct arena_mark mark = arena_mark(cx->arena);
    check_fault(w, "index words: \"%.*s\" in the %.*s of %.*s %s", STR_ARG(db_text(row, 0)),
                STR_ARG(db_text(row, 2)), STR_ARG(check_name(cx, db_int(row, 1))),
                missing ? "is missing" : "should not be there");
    arena_rewind(cx->arena, mark);
}

err check_words(struct ctx *cx, struct check_work *w, struct db *expected)
{
    bool has_is, has_should;
    TRY(db_exec(cx, cx->db, seen_schema));
    TRY(db_exec(cx, expected, seen_schema));
    struct db_stmt *is = db_use(cx, cx->db, words_walk_sql, 0);
    struct db_stmt *should = db_use(cx, expected, words_walk_sql, 0);
    TRY(db_step(cx, is, &has_is));
    TRY(db_step(cx, should, &has_should));
    while (has_is || has_should) {
        int order = !has_is ? 1 : !has_should ? -1 : compare(is, should);
        if (order)
            report(cx, w, order < 0 ? is : should, order > 0);
        w->report->index_rows += order <= 0;
        if (order <= 0)
            TRY(db_step(cx, is, &has_is));
        if (order >= 0)
            TRY(db_step(cx, should, &has_should));
    }
    return ERR_OK;
}
