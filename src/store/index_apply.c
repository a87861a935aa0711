/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

const char index_schema[] =
    "CREATE TABLE tok(slot INTEGER NOT NULL, cid INTEGER NOT NULL, at INTEGER NOT NULL,"
    " rid INTEGER NOT NULL, pid INTEGER NOT NULL, PRIMARY KEY(slot, cid, at, rid)) WITHOUT ROWID;"
    "CREATE TABLE ref(slot INTEGER NOT NULL, target INTEGER NOT NULL, at INTEGER NOT NULL,"
    " rid INTEGER NOT NULL, pid INTEGER NOT NULL,"
    " PRIMARY KEY(slot, target, at, rid)) WITHOUT ROWID;"
    "CREATE TABLE txt(slot INTEGER NOT NULL, folded TEXT NOT NULL, at INTEGER NOT NULL,"
    " rid INTEGER NOT NULL, exact TEXT NOT NULL, pid INTEGER NOT NULL,"
    " PRIMARY KEY(slot, folded, at, rid, exact)) WITHOUT ROWID;"
    "CREATE TABLE day(slot INTEGER NOT NULL, span INTEGER NOT NULL, lo INTEGER NOT NULL,"
    " rid INTEGER NOT NULL, hi INTEGER NOT NULL, at INTEGER NOT NULL, pid INTEGER NOT NULL,"
    " PRIMARY KEY(slot, span, lo, rid, hi)) WITHOUT ROWID;"
    "CREATE TABLE num(slot INTEGER NOT NULL, by INTEGER NOT NULL, unit INTEGER NOT NULL,"
    " value REAL NOT NULL, at INTEGER NOT NULL, rid INTEGER NOT NULL, pid INTEGER NOT NULL,"
    " PRIMARY KEY(slot, by, unit, value, at, rid)) WITHOUT ROWID;"
    "CREATE TABLE unit(uid INTEGER PRIMARY KEY, system TEXT NOT NULL, code TEXT NOT NULL,"
    " human TEXT NOT NULL, UNIQUE(system, code, human));"
    "CREATE INDEX code_by_system ON code(system, cid);";

enum { PUT_TOK, PUT_REF, PUT_TXT, PUT_DAY, PUT_NUM, DROP_TOK, DROP_REF, DROP_TXT, DROP_DAY,
       DROP_NUM };
const struct stmt index_sql[] = {
    [PUT_TOK] = { "index a token", "INSERT OR REPLACE INTO tok VALUES(?1,?2,?3,?4,?5)", NULL },
    [PUT_REF] = { "index a reference", "INSERT OR REPLACE INTO ref VALUES(?1,?2,?3,?4,?5)", NULL },
    [PUT_TXT] = { "index a text", "INSERT OR REPLACE INTO txt VALUES(?1,?2,?3,?4,?5,?6)", NULL },
    [PUT_DAY] = { "index a date", "INSERT OR REPLACE INTO day VALUES(?1,?2,?3,?4,?5,?6,?7)", NULL },
    [PUT_NUM] = { "index a number", "INSERT OR REPLACE INTO num VALUES(?1,?2,?3,?4,?5,?6,?7)",
                  NULL },
    [DROP_TOK] = { "unindex a token",
                   "DELETE FROM tok WHERE slot=?1 AND cid=?2 AND at=?3 AND rid=?4",
                   "SEARCH tok USING PRIMARY KEY" },
    [DROP_REF] = { "unindex a reference",
                   "DELETE FROM ref WHERE slot=?1 AND target=?2 AND at=?3 AND rid=?4",
                   "SEARCH ref USING PRIMARY KEY" },
    [DROP_TXT] = { "unindex a text",
                   "DELETE FROM txt WHERE slot=?1 AND folded=?2 AND at=?3 AND rid=?4 AND exact=?5",
                   "SEARCH txt USING PRIMARY KEY" },
    [DROP_DAY] = { "unindex a date",
                   "DELETE FROM day WHERE slot=?1 AND span=?2 AND lo=?3 AND rid=?4 AND hi=?5",
                   "SEARCH day USING PRIMARY KEY" },
    [DROP_NUM] = { "unindex a number",
                   "DELETE FROM num WHERE slot=?1 AND by=?2 AND unit=?3 AND value=?4 AND at=?5"
                   " AND rid=?6", "SEARCH num USING PRIMARY KEY" },
    { 0 },
};

/* That the code goes by these words: small, and found in the interner's cache nearly always. */
static err note_words(struct ctx *cx, const struct index_interner *in, int64_t cid, str words)
{
    char system[24];
    int64_t ignored;
    int n = snprintf(system, sizeof system, INDEX_WORDS "%lld", (long long)cid);
    return in->code(cx, in, (str){ system, (size_t)n }, words, &ignored);
}

static err resolve_token(struct ctx *cx, const struct index_interner *in, struct index_row *row)
{
    TRY(in->code(cx, in, row->system, row->text, &row->value));
    if (row->human.n)
        TRY(note_words(cx, in, row->value, row->human));
    if (row->by.n && !str_given(row->by_system) && !str_eq(row->by, row->human))
        TRY(note_words(cx, in, row->value, row->by));
    return ERR_OK;
}

err index_resolve(struct ctx *cx, const struct index_interner *in, struct index_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct index_row *row = &rows->rows[i];
        switch ((enum index_table)row->table) {
        case INDEX_TOK: TRY(resolve_token(cx, in, row)); break;
        case INDEX_REF: TRY(in->ident(cx, in, row->target, row->text, &row->value)); break;
        case INDEX_NUM:
            row->value = row->unit = 0;
            if (row->by.n)
                TRY(in->code(cx, in, row->by_system, row->by, &row->value));
            if (row->text.n || row->human.n || row->system.n)
                TRY(in->unit(cx, in, row->system, row->text, row->human, &row->unit));
            break;
        case INDEX_TXT:
        case INDEX_DAY:
        case INDEX_TABLES: break;
        }
    }
    rows->resolved = true;
    return ERR_OK;
}

/* A row to be written or dropped, with its resource's keys beside it. */
struct step {
    const struct index_row *row;
    int64_t at, rid, pid;
    size_t change; /* which of the group's, in log order */
    bool put;
};

static int by_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_real(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_values(const struct step *a, const struct step *b)
{
    const struct index_row *x = a->row, *y = b->row;
    int order = 0;
    switch ((enum index_table)x->table) {
    case INDEX_TOK:
    case INDEX_REF: return by_int(x->value, y->value);
    case INDEX_TXT: return str_cmp(x->system, y->system);
    case INDEX_DAY:
        order = by_int(x->span, y->span);
        return order ? order : by_int(index_day_key(x), index_day_key(y));
    case INDEX_NUM:
        order = by_int(x->value, y->value);
        order = order ? order : by_int(x->unit, y->unit);
        return order ? order : by_real(x->number, y->number);
    case INDEX_TABLES: break;
    }
    return 0;
}

/* The order of the tables' primary keys, so that a group is written front to back. */
static int compare_keys(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    int order = by_int(a->row->table, b->row->table);
    order = order ? order : by_int(a->row->slot, b->row->slot);
    order = order ? order : compare_values(a, b);
    if (!order && a->row->table != INDEX_DAY)
        order = by_int(a->at, b->at);
    order = order ? order : by_int(a->rid, b->rid);
    if (!order && a->row->table == INDEX_TXT)
        order = str_cmp(a->row->text, b->row->text);
    if (!order && a->row->table == INDEX_DAY)
        order = by_int(a->row->hi, b->row->hi);
    return order;
}

/* What the row holds beside its key: when that differs the row is written again. */
static bool same_payload(const struct step *a, const struct step *b)
{
    return a->pid == b->pid && (a->row->table != INDEX_DAY || a->at == b->at);
}

static int compare_steps(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    int order = compare_keys(a, b);
    order = order ? order : (a->change > b->change) - (a->change < b->change);
    return order ? order : (int)a->put - (int)b->put; /* drops before puts */
}

static void bind_key(struct db_stmt *stmt, const struct step *step)
{
    const struct index_row *row = step->row;
    db_bind_int(stmt, 1, row->slot);
    switch ((enum index_table)row->table) {
    case INDEX_TOK:
    case INDEX_REF:
        db_bind_int(stmt, 2, row->value);
        db_bind_int(stmt, 3, step->at);
        db_bind_int(stmt, 4, step->rid);
        break;
    case INDEX_TXT:
        db_bind_text(stmt, 2, row->system);
        db_bind_int(stmt, 3, step->at);
        db_bind_int(stmt, 4, step->rid);
        db_bind_text(stmt, 5, row->text);
        break;
    case INDEX_DAY:
        db_bind_int(stmt, 2, row->span);
        db_bind_int(stmt, 3, index_day_key(row));
        db_bind_int(stmt, 4, step->rid);
        db_bind_int(stmt, 5, row->hi);
        break;
    case INDEX_NUM:
        db_bind_int(stmt, 2, row->value);
        db_bind_int(stmt, 3, row->unit);
        db_bind_real(stmt, 4, row->number);
        db_bind_int(stmt, 5, step->at);
        db_bind_int(stmt, 6, step->rid);
        break;
    case INDEX_TABLES: break;
    }
}

static err run_step(struct ctx *cx, struct db *db, const struct step *step)
{
    size_t which = step->row->table + (step->put ? (size_t)PUT_TOK : (size_t)DROP_TOK);
    struct db_stmt *stmt = db_use(cx, db, index_sql, which);
    bind_key(stmt, step);
    if (step->put) {
        switch ((enum index_table)step->row->table) {
        case INDEX_TOK:
        case INDEX_REF: db_bind_int(stmt, 5, step->pid); break;
        case INDEX_TXT: db_bind_int(stmt, 6, step->pid); break;
        case INDEX_DAY:
            db_bind_int(stmt, 6, step->at);
            db_bind_int(stmt, 7, step->pid);
            break;
        case INDEX_NUM: db_bind_int(stmt, 7, step->pid); break;
        case INDEX_TABLES: break;
        }
    }
    return db_run(cx, stmt);
}

static size_t add_steps(struct step *steps, size_t count, const struct index_rows *rows,
                        size_t change, bool put)
{
    assert(!rows || rows->resolved);
    for (size_t i = 0; rows && i < rows->count; i++)
        steps[count++] = (struct step){ &rows->rows[i], rows->at, rows->rid, rows->pid, change,
                                        put };
    return count;
}

/*
 * The steps of one key in [from, to), in log order: what was dropped and put again unchanged costs
 * nothing, and a key two versions of one group put and dropped is not touched.
 */
static err run_key(struct ctx *cx, struct db *db, const struct step *from, const struct step *to)
{
    const struct step *drop = NULL, *put = NULL;
    int net = 0;
    for (const struct step *s = from; s < to; s++) {
        if (s > from && s[-1].change == s->change && s[-1].put == s->put)
            continue; /* the same value twice in one resource */
        net += s->put ? 1 : -1;
        put = s->put ? s : put;
        drop = !s->put && !drop ? s : drop;
    }
    if (net > 0)
        return run_step(cx, db, put);
    if (net < 0)
        return run_step(cx, db, drop);
    bool kept = !from->put; /* it was there before the group */
    return kept && !same_payload(put, drop) ? run_step(cx, db, put) : ERR_OK;
}

static err apply_words(struct ctx *cx, struct db *db, const struct index_change *changes,
                       size_t count)
{
    struct words_change *words = arena_array(cx->arena, count, sizeof *words);
    for (size_t i = 0; i < count; i++) {
        const struct index_rows *before = changes[i].before, *after = changes[i].after;
        words[i] = (struct words_change){ .rid = before ? before->rid : after->rid, .order = i };
        if (before)
            words[i].before = before->words;
        if (after)
            words[i].after = after->words;
    }
    return words_apply(cx, db, words, count);
}

err index_apply(struct ctx *cx, struct db *db, struct index_change *changes, size_t count)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < count; i++)
        total += (changes[i].before ? changes[i].before->count : 0) +
                 (changes[i].after ? changes[i].after->count : 0);
    struct step *steps = arena_array(cx->arena, total, sizeof *steps);
    for (size_t i = 0; i < count; i++) {
        n = add_steps(steps, n, changes[i].before, i, false);
        n = add_steps(steps, n, changes[i].after, i, true);
    }
    if (n)
        qsort(steps, n, sizeof *steps, compare_steps);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && compare_keys(&steps[from], &steps[to]) == 0;)
            to++;
        TRY(run_key(cx, db, &steps[from], &steps[to]));
    }
    return apply_words(cx, db, changes, count);
}
