/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/glass.h"

enum glass_statement { GLASS_ADD, GLASS_LIVE, GLASS_OPEN, GLASS_ALL, GLASS_OF, GLASS_ONE,
                       GLASS_REVIEW, GLASS_END, GLASS_KEPT };

static const char glass_schema[] =
    "CREATE TABLE IF NOT EXISTS glass("
    " id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, user TEXT NOT NULL, role TEXT NOT NULL,"
    " person TEXT NOT NULL, reason TEXT NOT NULL, words TEXT NOT NULL, basis TEXT NOT NULL,"
    " begun_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, outcome TEXT NOT NULL,"
    " reviewer TEXT NOT NULL, review TEXT NOT NULL, reviewed_ms INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS glass_by_user ON glass(user, until_ms);"
    "CREATE INDEX IF NOT EXISTS glass_by_outcome ON glass(outcome, begun_ms);"
    "CREATE INDEX IF NOT EXISTS glass_by_pid ON glass(pid, begun_ms);";

#define COLUMNS "SELECT id, pid, user, role, person, reason, words, basis, begun_ms, until_ms, " \
                "outcome, reviewer, review, reviewed_ms FROM glass "
const struct stmt glass_sql[] = {
    [GLASS_ADD] = { "break the glass",
        "INSERT INTO glass(pid, user, role, person, reason, words, basis, begun_ms, until_ms, "
        "outcome, reviewer, review, reviewed_ms) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', '', '', 0) RETURNING id", NULL },
    [GLASS_LIVE] = { "whose glass a user has broken",
        "SELECT DISTINCT pid FROM glass WHERE user = ?1 AND until_ms > ?2 AND begun_ms <= ?2 "
        "ORDER BY pid", "SEARCH glass USING INDEX glass_by_user" },
    [GLASS_OPEN] = { "emergency accesses nobody reviewed",
        COLUMNS "WHERE outcome = '' ORDER BY begun_ms LIMIT ?1",
        "SEARCH glass USING INDEX glass_by_outcome" },
    [GLASS_ALL] = { "emergency accesses", COLUMNS "ORDER BY id DESC LIMIT ?1", "SCAN glass" },
    [GLASS_OF] = { "emergency accesses to a patient",
        COLUMNS "WHERE pid = ?2 ORDER BY begun_ms DESC LIMIT ?1",
        "SEARCH glass USING INDEX glass_by_pid" },
    [GLASS_ONE] = { "one emergency access", COLUMNS "WHERE id = ?1",
        "SEARCH glass USING INTEGER PRIMARY KEY" },
    [GLASS_REVIEW] = { "review an emergency access",
        "UPDATE glass SET outcome = ?2, reviewer = ?3, review = ?4, reviewed_ms = ?5 "
        "WHERE id = ?1 AND outcome = '' AND user <> ?3", "SEARCH glass USING INTEGER PRIMARY KEY" },
    [GLASS_END] = { "end an emergency access",
        "UPDATE glass SET until_ms = ?3 WHERE user = ?1 AND pid = ?2 AND until_ms > ?3",
        "SEARCH glass USING INDEX glass_by_user" },
    [GLASS_KEPT] = { "is there a table of emergency accesses",
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'glass'", NULL },
    { 0 },
};

/* clang-format off */
const struct glass_choice glass_reasons[] = {
    { "emergency",  "Emergency treatment: the patient is in front of me or on the way" },
    { "cover",      "Covering for a colleague; the rota is not in the system yet" },
    { "advice",     "Asked for advice about this patient by those who treat them" },
    { "transfer",   "Taking over the patient from another ward or hospital" },
    { "safeguard",  "Concern for the safety of a child or an adult at risk" },
    { "identify",   "Finding out who an unknown patient is" },
    { "other",      "Another reason, given in words" },
    { 0 },
};
/* Unconfirmed [U]: the trust's information governance lead decides which may be offered. */
const struct glass_choice glass_bases[] = {
    { "direct-care", "Direct care (UK GDPR Art 6(1)(e) and 9(2)(h))" },
    { "vital",       "Vital interests: the patient cannot consent (Art 6(1)(d) and 9(2)(c))" },
    { "safeguarding", "Safeguarding of children or adults at risk (DPA 2018 Sch 1 para 18)" },
    { "legal",       "A legal duty or a court order (Art 6(1)(c))" },
    { 0 },
};
const struct glass_choice glass_outcomes[] = {
    { "justified",     "Justified: there was a need, and no more was opened than needed" },
    { "role-fix",      "Justified, and a relationship or role was missing that should be there" },
    { "query",         "Not clear: I have asked the person or their manager" },
    { "inappropriate", "Not justified: reported as an incident" },
    { 0 },
};
/* clang-format on */

err glass_open(struct ctx *cx, struct store *store)
{
    return store_tables(cx, store, glass_schema);
}

const char *glass_text(const struct glass_choice *choices, str code)
{
    for (; choices->code; choices++)
        if (str_eq(code, str_of(choices->code)))
            return choices->text;
    return NULL;
}

static err need_choice(struct ctx *cx, const struct glass_choice *choices, str code,
                       const char *field)
{
    return glass_text(choices, code) ? ERR_OK
                                     : ctx_failf(cx, ERR_INVALID, str_of(field),
                                                 "choose one of the %ss offered", field);
}

static err need_words(struct ctx *cx, str words)
{
    if (str_trim(words).n >= GLASS_WORDS_MIN && words.n <= GLASS_WORDS_MAX)
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, S("words"), "say in %d to %d letters why; it is read by the "
                     "privacy officer, and the patient may ask for it", GLASS_WORDS_MIN,
                     GLASS_WORDS_MAX);
}

static err check_ask(struct ctx *cx, const struct glass_ask *ask)
{
    const struct role *role = ask->user->asker.role;
    if (!role || !role->may_break_glass)
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("your role has no emergency access; ask who treats the patient"));
    TRY(need_choice(cx, glass_reasons, ask->reason, "reason"));
    TRY(need_choice(cx, glass_bases, ask->basis, "basis"));
    TRY(need_words(cx, ask->words));
    if (ask->minutes < 1 || ask->minutes > GLASS_MINUTES_MAX)
        return ctx_failf(cx, ERR_INVALID, S("minutes"), "at most %d minutes; afterwards it can be "
                         "asked for again", GLASS_MINUTES_MAX);
    return ERR_OK;
}

/* ---- writing, each with its audit entry ---- */

struct breaking {
    const struct glass_ask *ask;
    struct audit_entry entry;
    int64_t id;
};

static err insert(struct ctx *cx, struct db *db, struct breaking *breaking)
{
    const struct glass_ask *ask = breaking->ask;
    const struct people_user *person = &ask->user->person;
    struct db_stmt *stmt = db_use(cx, db, glass_sql, GLASS_ADD);
    bool row;
    db_bind_int(stmt, 1, ask->pid);
    db_bind_text(stmt, 2, person->name);
    db_bind_text(stmt, 3, person->role);
    db_bind_text(stmt, 4, person->who);
    db_bind_text(stmt, 5, ask->reason);
    db_bind_text(stmt, 6, str_trim(ask->words));
    db_bind_text(stmt, 7, ask->basis);
    db_bind_int(stmt, 8, cx->now_ms);
    db_bind_int(stmt, 9, cx->now_ms + ask->minutes * 60000);
    TRY(db_step(cx, stmt, &row));
    breaking->id = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

static err do_break(struct ctx *cx, struct db *db, void *self)
{
    struct breaking *breaking = self;
    TRY(insert(cx, db, breaking));
    return audit_append(cx, db, &breaking->entry);
}

err glass_break(struct ctx *cx, struct store *store, const struct glass_ask *ask, int64_t *id)
{
    TRY(check_ask(cx, ask));
    struct breaking breaking = { .ask = ask, .entry = audit_entry_of(cx, ask->user) };
    struct audit_entry *entry = &breaking.entry;
    entry->act = AUDIT_BREAK_GLASS;
    entry->purpose = S("BTG");
    entry->what = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(ask->patient));
    entry->reason = arena_printf(cx->arena, "%.*s; %.*s; %.*s", STR_ARG(ask->reason),
                                 STR_ARG(ask->basis), STR_ARG(str_trim(ask->words)));
    entry->pids = &ask->pid;
    entry->pids_count = 1;
    TRY(store_write(cx, store, do_break, &breaking));
    *id = breaking.id;
    return ERR_OK;
}

struct reviewing {
    const struct glass_review *review;
    struct audit_entry entry;
    bool done;
};

static err do_review(struct ctx *cx, struct db *db, void *self)
{
    struct reviewing *reviewing = self;
    const struct glass_review *review = reviewing->review;
    struct db_stmt *stmt = db_use(cx, db, glass_sql, GLASS_REVIEW);
    db_bind_int(stmt, 1, review->id);
    db_bind_text(stmt, 2, review->outcome);
    db_bind_text(stmt, 3, review->user->person.name);
    db_bind_text(stmt, 4, str_trim(review->words));
    db_bind_int(stmt, 5, cx->now_ms);
    TRY(db_run(cx, stmt));
    reviewing->done = db_changes(db) == 1;
    return reviewing->done ? audit_append(cx, db, &reviewing->entry) : ERR_OK;
}

err glass_review(struct ctx *cx, struct store *store, const struct glass_review *review)
{
    struct glass_row row;
    TRY(need_choice(cx, glass_outcomes, review->outcome, "outcome"));
    TRY(need_words(cx, review->words));
    TRY(glass_find_one(cx, store, review->id, &row));
    struct reviewing reviewing = { .review = review,
                                   .entry = audit_entry_of(cx, review->user) };
    struct audit_entry *entry = &reviewing.entry;
    entry->act = AUDIT_REVIEW;
    entry->what = arena_printf(cx->arena, "glass/%lld", (long long)review->id);
    entry->reason = arena_printf(cx->arena, "%.*s; %.*s", STR_ARG(review->outcome),
                                 STR_ARG(str_trim(review->words)));
    entry->pids = &row.pid;
    entry->pids_count = 1;
    TRY(store_write(cx, store, do_review, &reviewing));
    if (reviewing.done)
        return ERR_OK;
    return ctx_fail(cx, ERR_CONFLICT, (str){ 0 },
                    str_eq(row.user, review->user->person.name)
                        ? S("nobody reviews their own emergency access; ask a colleague")
                        : S("somebody has reviewed this already; reload the worklist"));
}

struct ending {
    const struct user *user;
    int64_t pid;
};

static err do_end(struct ctx *cx, struct db *db, void *self)
{
    const struct ending *ending = self;
    struct db_stmt *stmt = db_use(cx, db, glass_sql, GLASS_END);
    db_bind_text(stmt, 1, ending->user->person.name);
    db_bind_int(stmt, 2, ending->pid);
    db_bind_int(stmt, 3, cx->now_ms);
    return db_run(cx, stmt);
}

err glass_end(struct ctx *cx, struct store *store, const struct user *user, int64_t pid)
{
    struct ending ending = { user, pid };
    return store_write(cx, store, do_end, &ending);
}

/* ---- reading ---- */

bool glass_kept(struct ctx *cx, struct store *store)
{
    bool row = false;
    if (store_reader(cx, store) != ERR_OK)
        return false;
    struct db_stmt *stmt = db_use(cx, cx->db, glass_sql, GLASS_KEPT);
    if (db_step(cx, stmt, &row) != ERR_OK)
        return false;
    db_reset(stmt);
    return row;
}

err glass_live(struct ctx *cx, struct store *store, str user, int64_t **pids, size_t *count)
{
    size_t cap = 0;
    bool row;
    *pids = NULL;
    *count = 0;
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, glass_sql, GLASS_LIVE);
    db_bind_text(stmt, 1, user);
    db_bind_int(stmt, 2, cx->now_ms);
    for (;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *pids = arena_grow(cx->arena, *pids, *count, &cap, sizeof **pids);
        (*pids)[(*count)++] = db_int(stmt, 0);
    }
}

static struct glass_row read_row(struct ctx *cx, struct db_stmt *stmt)
{
    struct glass_row row = { .id = db_int(stmt, 0), .pid = db_int(stmt, 1),
                             .begun_ms = db_int(stmt, 8), .until_ms = db_int(stmt, 9),
                             .reviewed_ms = db_int(stmt, 13) };
    str *const texts[] = { [2] = &row.user, [3] = &row.role, [4] = &row.person, [5] = &row.reason,
                           [6] = &row.words, [7] = &row.basis, [10] = &row.outcome,
                           [11] = &row.reviewer, [12] = &row.review };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i])
            *texts[i] = arena_copy(cx->arena, db_text(stmt, (int)i));
    return row;
}

err glass_find(struct ctx *cx, struct store *store, bool open_only, int64_t pid,
               struct glass_list *out)
{
    struct glass_list list = { 0 };
    size_t cap = 0;
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, glass_sql,
                                  open_only ? GLASS_OPEN : pid ? GLASS_OF : GLASS_ALL);
    db_bind_int(stmt, 1, GLASS_LIST_MAX);
    if (pid && !open_only)
        db_bind_int(stmt, 2, pid);
    for (bool row = true; row;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        list.rows = arena_grow(cx->arena, list.rows, list.count, &cap, sizeof *list.rows);
        list.rows[list.count++] = read_row(cx, stmt);
    }
    *out = list;
    return ERR_OK;
}

err glass_find_one(struct ctx *cx, struct store *store, int64_t id, struct glass_row *out)
{
    bool row;
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, glass_sql, GLASS_ONE);
    db_bind_int(stmt, 1, id);
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("there is no such emergency access"));
    *out = read_row(cx, stmt);
    db_reset(stmt);
    return ERR_OK;
}
