/* SPDX-License-Identifier: Apache-2.0 */
#include "store/words.h"
#include <stdlib.h>

/*
 * FTS5 without a copy of the texts: a row is taken out by giving again what was put in. FTS5
 * gathers a transaction's rows in memory as long as their rids rise: so a group is written.
 */
const char words_schema[] =
    "CREATE VIRTUAL TABLE words USING fts5(narrative, content, content='', columnsize=0,"
    " tokenize='ascii');";

enum { WORDS_PUT, WORDS_DROP };
const struct stmt words_sql[] = {
    [WORDS_PUT] = { "index words", "INSERT INTO words(rowid, narrative, content) VALUES(?1,?2,?3)",
                    NULL },
    [WORDS_DROP] = { "unindex words",
        "INSERT INTO words(words, rowid, narrative, content) VALUES('delete',?1,?2,?3)", NULL },
    { 0 },
};

static int compare_rids(const void *left, const void *right)
{
    const struct words_change *a = left, *b = right;
    int order = (a->rid > b->rid) - (a->rid < b->rid);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool given(const struct words *words)
{
    return words->narrative.n || words->content.n;
}

static err run(struct ctx *cx, struct db *db, size_t which, int64_t rid, const struct words *words)
{
    if (!given(words))
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, db, words_sql, which);
    db_bind_int(stmt, 1, rid);
    db_bind_text(stmt, 2, words->narrative.p ? words->narrative : S(""));
    db_bind_text(stmt, 3, words->content.p ? words->content : S(""));
    return db_run(cx, stmt);
}

/* Several changes of one resource are one: from before the first to after the last. */
static size_t join(struct words_change *changes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && changes[kept - 1].rid == changes[i].rid)
            changes[kept - 1].after = changes[i].after;
        else
            changes[kept++] = changes[i];
    }
    return kept;
}

err words_apply(struct ctx *cx, struct db *db, struct words_change *changes, size_t count)
{
    if (count > 1)
        qsort(changes, count, sizeof *changes, compare_rids);
    count = join(changes, count);
    for (size_t i = 0; i < count; i++) {
        const struct words_change *c = &changes[i];
        if (str_eq(c->before.narrative, c->after.narrative) &&
            str_eq(c->before.content, c->after.content))
            continue;
        TRY(run(cx, db, WORDS_DROP, c->rid, &c->before));
        TRY(run(cx, db, WORDS_PUT, c->rid, &c->after));
    }
    return ERR_OK;
}
