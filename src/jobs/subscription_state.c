/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/secret.h"
#include "base/clock.h"
#include "jobs/subscription_work.h"

enum { SQL_OWNER, SQL_OWN, SQL_FIND, SQL_FROM, SQL_SENT, SQL_SPOKE, SQL_PROVED, SQL_SECRET,
       SQL_FORGET, SQL_FORGET_EVENTS, SQL_LAST, SQL_HAS, SQL_EVENT, SQL_COUNT, SQL_OLD,
       SQL_EVENTS };
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS subscription (rid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " kept TEXT NOT NULL, secret TEXT NOT NULL, proved TEXT NOT NULL, last INTEGER NOT NULL,"
    " sent INTEGER NOT NULL, from_seq INTEGER NOT NULL, spoke_ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS subscription_event (rid INTEGER NOT NULL, number INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, resource INTEGER NOT NULL, id TEXT NOT NULL,"
    " vid INTEGER NOT NULL, method INTEGER NOT NULL, PRIMARY KEY (rid, number)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX IF NOT EXISTS subscription_event_by_seq ON subscription_event (rid, seq);";
static const struct stmt sql[] = {
    [SQL_OWNER] = { "a subscription is written",
        "INSERT INTO subscription VALUES (?1, ?2, ?3, ?4, '', 0, 0, 0, 0) "
        "ON CONFLICT (rid) DO NOTHING", NULL },
    [SQL_OWN] = { "a subscription asks for something else",
        "UPDATE subscription SET kept = ?2, proved = '' WHERE rid = ?1",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_FIND] = { "a subscription's state",
        "SELECT rid, kept, secret, last, sent, from_seq, spoke_ms, proved FROM subscription "
        "WHERE id = ?1", "SEARCH subscription USING INDEX" },
    [SQL_FROM] = { "events count from here",
        "UPDATE subscription SET from_seq = ?2 WHERE rid = ?1 AND ?3 IS NOT NULL",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_SENT] = { "events were received",
        "UPDATE subscription SET sent = max(sent, ?2), spoke_ms = ?3 WHERE rid = ?1",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_SPOKE] = { "a subscriber was spoken to",
        "UPDATE subscription SET spoke_ms = ?2 WHERE rid = ?1 AND ?3 IS NOT NULL",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_PROVED] = { "an address answered a handshake",
        "UPDATE subscription SET proved = ?3, spoke_ms = ?2 WHERE rid = ?1",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_SECRET] = { "a new secret",
        "UPDATE subscription SET secret = ?3 WHERE rid = ?1 AND ?2 IS NOT NULL",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_FORGET] = { "forget a subscription", "DELETE FROM subscription WHERE rid = ?1",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_FORGET_EVENTS] = { "forget a subscription's events",
        "DELETE FROM subscription_event WHERE rid = ?1",
        "SEARCH subscription_event USING PRIMARY KEY" },
    [SQL_LAST] = { "a subscription's last number", "SELECT last FROM subscription WHERE rid = ?1",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_HAS] = { "has this change a number",
        "SELECT number FROM subscription_event WHERE rid = ?1 AND seq = ?2",
        "SEARCH subscription_event USING COVERING INDEX subscription_event_by_seq" },
    [SQL_EVENT] = { "an event of a subscription",
        "INSERT INTO subscription_event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", NULL },
    [SQL_COUNT] = { "count an event", "UPDATE subscription SET last = ?2 WHERE rid = ?1",
        "SEARCH subscription USING INTEGER PRIMARY KEY" },
    [SQL_OLD] = { "drop old events",
        "DELETE FROM subscription_event WHERE rid = ?1 AND number <= ?2",
        "SEARCH subscription_event USING PRIMARY KEY" },
    [SQL_EVENTS] = { "events of a subscription",
        "SELECT number, at_ms, vid, resource, id, method FROM subscription_event "
        "WHERE rid = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number",
        "SEARCH subscription_event USING PRIMARY KEY" },
    { 0 },
};

err subscription_schema(struct ctx *cx, struct store *store)
{
    return store_tables(cx, store, schema);
}

err subscription_put_owner(struct ctx *cx, struct db *db, const struct subscription_owner *owner)
{
    struct db_stmt *stmt = db_use(cx, db, sql, SQL_OWNER);
    db_bind_int(stmt, 1, owner->rid);
    db_bind_text(stmt, 2, owner->id);
    db_bind_text(stmt, 3, owner->kept);
    db_bind_text(stmt, 4, owner->secret);
    TRY(db_run(cx, stmt));
    if (!owner->anew)
        return ERR_OK;
    stmt = db_use(cx, db, sql, SQL_OWN);
    db_bind_int(stmt, 1, owner->rid);
    db_bind_text(stmt, 2, owner->kept);
    return db_run(cx, stmt);
}

static err write_set(struct ctx *cx, struct db *db, void *self)
{
    static const size_t which[] = {
        [SUBSCRIPTION_SET_FROM] = SQL_FROM, [SUBSCRIPTION_SET_SENT] = SQL_SENT,
        [SUBSCRIPTION_SET_SPOKE] = SQL_SPOKE, [SUBSCRIPTION_SET_PROVED] = SQL_PROVED,
        [SUBSCRIPTION_SET_SECRET] = SQL_SECRET,
    };
    const struct subscription_set *set = self;
    struct db_stmt *stmt = db_use(cx, db, sql, which[set->field]);
    db_bind_int(stmt, 1, set->rid);
    db_bind_int(stmt, 2, set->number);
    if (set->field == SUBSCRIPTION_SET_SENT)
        db_bind_int(stmt, 3, clock_now_ms());
    else
        db_bind_text(stmt, 3, set->text.p ? set->text : S(""));
    return db_run(cx, stmt);
}

err subscription_set(struct ctx *cx, struct store *store, const struct subscription_set *set)
{
    struct subscription_set copy = *set;
    return store_write(cx, store, write_set, &copy);
}

err subscription_forget(struct ctx *cx, struct db *db, void *rid)
{
    static const size_t all[] = { SQL_FORGET, SQL_FORGET_EVENTS };
    for (size_t i = 0; i < COUNT(all); i++) {
        struct db_stmt *stmt = db_use(cx, db, sql, all[i]);
        db_bind_int(stmt, 1, *(int64_t *)rid);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err find(struct ctx *cx, struct store *store, str id, struct subscription_state *out,
                str *proved)
{
    bool row;
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, sql, SQL_FIND);
    db_bind_text(stmt, 1, id);
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no Subscription/%.*s",
                         STR_ARG(id));
    *out = (struct subscription_state){
        .rid = db_int(stmt, 0), .kept = arena_copy(cx->arena, db_text(stmt, 1)),
        .secret = arena_copy(cx->arena, db_text(stmt, 2)), .last = db_int(stmt, 3),
        .sent = db_int(stmt, 4), .from_seq = db_int(stmt, 5), .spoke_ms = db_int(stmt, 6),
    };
    *proved = arena_copy(cx->arena, db_text(stmt, 7));
    db_reset(stmt);
    return ERR_OK;
}

err subscription_state_find(struct ctx *cx, struct store *store, str id,
                            struct subscription_state *out)
{
    str proved;
    return find(cx, store, id, out, &proved);
}

err subscription_proved(struct ctx *cx, struct store *store, str id, str *out)
{
    struct subscription_state state = { 0 };
    return find(cx, store, id, &state, out);
}

err subscription_new_secret(struct ctx *cx, struct store *store, str id, str *out)
{
    struct subscription_state state = { 0 };
    TRY(subscription_state_find(cx, store, id, &state));
    str secret = secret_text(cx->arena);
    TRY(subscription_set(cx, store, &(struct subscription_set){
        .rid = state.rid, .field = SUBSCRIPTION_SET_SECRET, .text = secret }));
    *out = secret;
    return ERR_OK;
}

/* *out -1: there is no such subscription any more, or this change has a number already. */
static err next_number(struct ctx *cx, struct db *db, int64_t rid, int64_t seq, int64_t *out)
{
    bool row;
    struct db_stmt *stmt = db_use(cx, db, sql, SQL_HAS);
    *out = -1;
    db_bind_int(stmt, 1, rid);
    db_bind_int(stmt, 2, seq);
    TRY(db_step(cx, stmt, &row));
    db_reset(stmt);
    if (row)
        return ERR_OK;
    stmt = db_use(cx, db, sql, SQL_LAST);
    db_bind_int(stmt, 1, rid);
    TRY(db_step(cx, stmt, &row));
    if (row)
        *out = db_int(stmt, 0) + 1;
    db_reset(stmt);
    return ERR_OK;
}

static err run_pair(struct ctx *cx, struct db *db, size_t which, int64_t rid, int64_t number)
{
    struct db_stmt *stmt = db_use(cx, db, sql, which);
    db_bind_int(stmt, 1, rid);
    db_bind_int(stmt, 2, number);
    return db_run(cx, stmt);
}

err subscription_add_event(struct ctx *cx, struct db *db, const struct subscription_hit *hit,
                           const struct store_version *version)
{
    int64_t number;
    TRY(next_number(cx, db, hit->rid, version->seq, &number));
    if (number < 0)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, db, sql, SQL_EVENT);
    db_bind_int(stmt, 1, hit->rid);
    db_bind_int(stmt, 2, number);
    db_bind_int(stmt, 3, version->seq);
    db_bind_int(stmt, 4, version->at_ms);
    db_bind_int(stmt, 5, version->resource);
    db_bind_text(stmt, 6, version->id);
    db_bind_int(stmt, 7, version->vid);
    db_bind_int(stmt, 8, version->method);
    TRY(db_run(cx, stmt));
    TRY(run_pair(cx, db, SQL_COUNT, hit->rid, number));
    if (number > hit->keep)
        TRY(run_pair(cx, db, SQL_OLD, hit->rid, number - hit->keep));
    if (!hit->outbox)
        return ERR_OK;
    return due_add(cx, db, &(struct due_item){
        .kind = SUBSCRIPTION_DUE, .key = hit->id, .target = hit->id,
        .body = arena_printf(cx->arena, "%lld", (long long)number), .due_ms = version->at_ms });
}

err subscription_events(struct ctx *cx, struct store *store, struct subscription_events *events)
{
    struct subscription_event *list = NULL;
    size_t n = 0, cap = 0;
    TRY(store_reader(cx, store));
    struct db_stmt *stmt = db_use(cx, cx->db, sql, SQL_EVENTS);
    db_bind_int(stmt, 1, events->rid);
    db_bind_int(stmt, 2, events->from);
    db_bind_int(stmt, 3, events->to);
    for (;;) {
        bool row;
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        list = arena_grow(cx->arena, list, n, &cap, sizeof *list);
        list[n++] = (struct subscription_event){
            db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2), (uint16_t)db_int(stmt, 3),
            arena_copy(cx->arena, db_text(stmt, 4)), (enum store_method)db_int(stmt, 5) };
    }
    events->list = list;
    events->count = n;
    return ERR_OK;
}
