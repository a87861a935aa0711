/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit_find.h"

enum audit_find_statement { FIND_BEFORE, FIND_OF_PATIENT, FIND_HOLDING };

const struct stmt audit_find_sql[] = {
    [FIND_BEFORE] = { "the block that ends before an entry",
        "SELECT n, count, bytes, texts FROM audit_block WHERE n < ?1 ORDER BY n DESC LIMIT 1",
        "SEARCH audit_block USING INTEGER PRIMARY KEY" },
    [FIND_OF_PATIENT] = { "the block before an entry that concerns a patient",
        "SELECT b.n, b.count, b.bytes, b.texts FROM audit_of o JOIN audit_block b ON b.n = o.n "
        "WHERE o.pid = ?2 AND o.n < ?1 ORDER BY o.n DESC LIMIT 1",
        "SEARCH o USING PRIMARY KEY" },
    [FIND_HOLDING] = { "the block that holds an entry",
        "SELECT n, count, bytes, texts FROM audit_block WHERE n >= ?1 ORDER BY n LIMIT 1",
        "SEARCH audit_block USING INTEGER PRIMARY KEY" },
    { 0 },
};

struct block {
    int64_t n, count;
    str texts;
};

static err take_block(struct ctx *cx, struct db_stmt *stmt, struct block *out)
{
    bool row;
    *out = (struct block){ 0 };
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ERR_OK;
    struct block block = { .n = db_int(stmt, 0), .count = db_int(stmt, 1) };
    err wrong = audit_unpack(cx, db_blob(stmt, 3), db_int(stmt, 2), &block.texts);
    if (wrong == ERR_OK)
        block.texts = arena_copy(cx->arena, block.texts);
    db_reset(stmt);
    *out = block;
    return wrong;
}

/* The newest block whose last entry is below `under`. */
static err block_under(struct ctx *cx, const struct audit_query *query, int64_t under,
                       struct block *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, audit_find_sql,
                                  query->pid ? FIND_OF_PATIENT : FIND_BEFORE);
    db_bind_int(stmt, 1, under);
    if (query->pid)
        db_bind_int(stmt, 2, query->pid);
    return take_block(cx, stmt, out);
}

static bool given_is(str wanted, str got)
{
    return !str_given(wanted) || str_eq(wanted, got);
}

static bool concerns(const struct audit_entry *entry, int64_t pid)
{
    for (size_t i = 0; i < entry->pids_count; i++)
        if (entry->pids[i] == pid)
            return true;
    return pid == 0;
}

static bool matches(const struct audit_query *query, const struct audit_entry *entry)
{
    return concerns(entry, query->pid) && given_is(query->who, entry->who) &&
           given_is(query->person, entry->person) && given_is(query->role, entry->role) &&
           given_is(query->purpose, entry->purpose) &&
           (!str_given(query->what) || str_starts(entry->what, query->what)) &&
           (!query->from_ms || entry->at_ms >= query->from_ms) &&
           (!query->until_ms || entry->at_ms <= query->until_ms) &&
           (query->act < 0 || (int)entry->act == query->act) &&
           (!query->action || audit_act_letter(entry->act) == query->action) &&
           (query->outcome < 0 || (int)entry->outcome == query->outcome);
}

struct walking {
    const struct audit_query *query;
    struct audit_page *page;
    size_t cap;
    int64_t looked, matched;
    bool counts, over; /* counts: nothing is kept */
};

/* The block's lines, last first. */
static str last_line(str *texts)
{
    size_t end = texts->n;
    while (end > 0 && texts->p[end - 1] == '\n')
        end--;
    size_t from = end;
    while (from > 0 && texts->p[from - 1] != '\n')
        from--;
    str line = { texts->p + from, end - from };
    texts->n = from;
    return line;
}

static void keep(struct ctx *cx, struct walking *w, int64_t n, const struct audit_entry *entry)
{
    struct audit_page *page = w->page;
    w->matched++;
    if (w->counts)
        return;
    if (page->count == w->query->count) {
        page->more = w->over = true;
        return;
    }
    page->list = arena_grow(cx->arena, page->list, page->count, &w->cap, sizeof *page->list);
    page->list[page->count++] = (struct audit_found){ n, *entry };
    page->next_n = n;
}

static err walk_block(struct ctx *cx, struct walking *w, struct block block)
{
    for (int64_t n = block.n; n > block.n - block.count && !w->over; n--) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct audit_entry entry;
        str line = last_line(&block.texts);
        if (w->query->before_n && n >= w->query->before_n)
            continue;
        w->looked++;
        TRY(audit_read_text(cx, line, &entry));
        if (matches(w->query, &entry))
            keep(cx, w, n, &entry);
        else
            arena_rewind(cx->arena, mark);
        if (w->query->from_ms && entry.at_ms && entry.at_ms < w->query->from_ms - 60000)
            w->over = true; /* entries stand in the order of time but for a flush */
        if (w->looked >= AUDIT_LOOK_MAX && !w->counts) {
            w->page->more = w->over = true;
            w->page->next_n = n;
        }
    }
    return ctx_late(cx);
}

/* A block that reaches over before_n is looked at for its first part. */
static err first_under(struct ctx *cx, const struct audit_query *query, int64_t *out)
{
    struct block holding;
    *out = INT64_MAX;
    if (!query->before_n)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, cx->db, audit_find_sql, FIND_HOLDING);
    db_bind_int(stmt, 1, query->before_n);
    TRY(take_block(cx, stmt, &holding));
    *out = holding.n ? holding.n + 1 : query->before_n;
    return ERR_OK;
}

static err walk(struct ctx *cx, struct walking *w)
{
    int64_t under;
    TRY(first_under(cx, w->query, &under));
    while (!w->over) {
        struct block block;
        TRY(block_under(cx, w->query, under, &block));
        if (!block.n)
            return ERR_OK;
        TRY(walk_block(cx, w, block));
        under = block.n;
    }
    return ERR_OK;
}

err audit_find(struct ctx *cx, const struct audit_query *query, struct audit_page *out)
{
    *out = (struct audit_page){ 0 };
    struct walking w = { .query = query, .page = out };
    return walk(cx, &w);
}

err audit_count(struct ctx *cx, const struct audit_query *query, int64_t *out)
{
    struct audit_page page = { 0 };
    struct walking w = { .query = query, .page = &page, .counts = true };
    TRY(walk(cx, &w));
    *out = w.matched;
    return ERR_OK;
}

err audit_find_one(struct ctx *cx, int64_t n, struct audit_found *out)
{
    struct block block;
    struct db_stmt *stmt = db_use(cx, cx->db, audit_find_sql, FIND_HOLDING);
    db_bind_int(stmt, 1, n);
    TRY(take_block(cx, stmt, &block));
    if (!block.n || n <= block.n - block.count || n < 1)
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no AuditEvent with id %lld",
                         (long long)n);
    str line = { 0 };
    for (int64_t at = block.n; at >= n; at--)
        line = last_line(&block.texts);
    out->n = n;
    return audit_read_text(cx, line, &out->entry);
}
