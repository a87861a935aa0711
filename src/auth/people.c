/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/people.h"
#include "auth/deed.h"
#include "auth/secret.h"
#include "base/clock.h"
#include <pthread.h>
#include <sys/stat.h>

enum { CACHE_PLACES = 256, CACHE_TEXT_MAX = 4096 };

/* A recently used token. The texts are packed in `memory`, so an entry is one flat copy. */
struct cached {
    char hash[SECRET_HASH_BYTES];
    int64_t read_at_ms; /* monotonic; 0: free */
    struct people_grant grant;
    char memory[CACHE_TEXT_MAX];
    size_t used;
};
struct people {
    pthread_mutex_t lock; /* over db and cache */
    struct db *db;
    struct cached cache[CACHE_PLACES];
};

struct db *people_lock(struct people *people)
{
    pthread_mutex_lock(&people->lock);
    return people->db;
}

err people_unlock(struct people *people, err result)
{
    pthread_mutex_unlock(&people->lock);
    return result;
}

err people_write(struct ctx *cx, struct people *people, struct db **db)
{
    *db = people_lock(people);
    err begun = db_begin(cx, *db, true);
    return begun == ERR_OK ? ERR_OK : people_unlock(people, begun);
}

err people_done(struct ctx *cx, struct people *people, err result)
{
    if (result == ERR_OK)
        result = db_commit(cx, people->db);
    else
        db_rollback(people->db);
    return people_unlock(people, result);
}

err people_open(struct ctx *cx, str folder, struct people **out)
{
    if (!secret_ready())
        return ctx_fail(cx, ERR_IO, (str){ 0 }, S("the system gives no random numbers"));
    struct people *people = arena_zero(cx->arena, sizeof *people);
    str path = arena_printf(cx->arena, "%.*s/auth.db", STR_ARG(folder));
    mode_t before = umask(077); /* credentials: nobody but the service reads this file */
    struct db_options options = { .path = path, .create = true };
    err opened = db_open(cx, &options, &people->db);
    umask(before);
    if (opened == ERR_OK)
        opened = db_exec(cx, people->db, people_schema);
    if (opened == ERR_OK)
        opened = db_exec(cx, people->db, sign_in_schema);
    if (opened == ERR_OK)
        opened = db_exec(cx, people->db, deed_schema);
    if (opened != ERR_OK) {
        people_close(people);
        return opened;
    }
    pthread_mutex_init(&people->lock, NULL);
    *out = people;
    return ERR_OK;
}

void people_close(struct people *people)
{
    if (people && people->db)
        db_close(people->db);
}

static bool name_ok(str name)
{
    if (name.n < 2 || name.n > PEOPLE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.-_@", name.p[i]))
            return false;
    return true;
}

static err check_user(struct ctx *cx, const struct people_user *user)
{
    if (!name_ok(user->name))
        return ctx_fail(cx, ERR_INVALID, S("name"),
                        S("a name has 2 to 64 of the characters a-z 0-9 . - _ @"));
    if (!role_find(user->role))
        return ctx_failf(cx, ERR_INVALID, S("role"), "there is no role \"%.*s\"",
                         STR_ARG(user->role));
    return ERR_OK;
}

static err tell(struct ctx *cx, struct db *db, str user, const char *what)
{
    return deed_note(cx, db, &(struct deed){ .who = user, .act = AUDIT_ACCOUNT,
                                             .what = str_of(what) });
}

static err insert_user(struct ctx *cx, struct db *db, const struct people_user *user)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_ADD);
    db_bind_text(stmt, 1, user->name);
    db_bind_text(stmt, 2, str_given(user->display) ? user->display : user->name);
    db_bind_text(stmt, 3, user->role);
    db_bind_text(stmt, 4, str_given(user->who) ? user->who : S(""));
    db_bind_text(stmt, 5, str_given(user->areas) ? user->areas : S(""));
    db_bind_int(stmt, 6, cx->now_ms);
    TRY(db_run(cx, stmt));
    if (db_changes(db) == 0)
        return ctx_failf(cx, ERR_CONFLICT, S("name"), "there is a user \"%.*s\" already",
                         STR_ARG(user->name));
    return tell(cx, db, user->name, arena_cstr(cx->arena, arena_printf(
        cx->arena, "/people: added as %.*s", STR_ARG(user->role))));
}

err people_add(struct ctx *cx, struct people *people, const struct people_user *user)
{
    struct db *db = NULL;
    TRY(check_user(cx, user));
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, insert_user(cx, db, user));
}

void people_read_user(struct ctx *cx, struct db_stmt *stmt, int column, struct people_user *out)
{
    *out = (struct people_user){
        .name = arena_copy(cx->arena, db_text(stmt, column)),
        .display = arena_copy(cx->arena, db_text(stmt, column + 1)),
        .role = arena_copy(cx->arena, db_text(stmt, column + 2)),
        .who = arena_copy(cx->arena, db_text(stmt, column + 3)),
        .areas = arena_copy(cx->arena, db_text(stmt, column + 4)),
        .disabled = db_int(stmt, column + 5) != 0,
        .created_ms = db_int(stmt, column + 6),
    };
}

static err no_user(struct ctx *cx, str name)
{
    return ctx_failf(cx, ERR_NOT_FOUND, S("name"), "there is no user \"%.*s\"", STR_ARG(name));
}

static err find_user(struct ctx *cx, struct db *db, str name, struct people_user *out)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_FIND);
    db_bind_text(stmt, 1, name);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return no_user(cx, name);
    people_read_user(cx, stmt, 0, out);
    db_reset(stmt);
    return ERR_OK;
}

err people_find(struct ctx *cx, struct people *people, str name, struct people_user *out)
{
    people_lock(people);
    return people_unlock(people, find_user(cx, people->db, name, out));
}

static void forget_all(struct people *people)
{
    for (size_t i = 0; i < CACHE_PLACES; i++)
        people->cache[i].read_at_ms = 0;
}

/* Runs an update of one user; ERR_NOT_FOUND when it changed nobody. */
static err change_user(struct ctx *cx, struct people *people, struct db_stmt *stmt, str name)
{
    TRY(db_run(cx, stmt));
    forget_all(people);
    return db_changes(people->db) ? ERR_OK : no_user(cx, name);
}

/* What they had open ends for good: an account opened again begins without it. */
static err end_all(struct ctx *cx, struct db *db, str name)
{
    static const enum people_statement all[] = { PEOPLE_TOKENS_OF, PEOPLE_RENEWALS_OF };
    struct db_stmt *sessions = db_use(cx, db, people_sql, PEOPLE_SESSIONS_OF);
    db_bind_text(sessions, 1, name);
    TRY(deed_sessions(cx, db, sessions, "/sign-out: the account was closed", NULL));
    for (size_t i = 0; i < COUNT(all); i++) {
        struct db_stmt *stmt = db_use(cx, db, people_sql, all[i]);
        db_bind_text(stmt, 1, name);
        db_bind_int(stmt, 2, cx->now_ms);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

static err disable(struct ctx *cx, struct people *people, str name, bool disabled)
{
    if (disabled)
        TRY(end_all(cx, people->db, name));
    struct db_stmt *stmt = db_use(cx, people->db, people_sql, PEOPLE_DISABLE);
    db_bind_text(stmt, 1, name);
    db_bind_int(stmt, 2, disabled);
    TRY(change_user(cx, people, stmt, name));
    return tell(cx, people->db, name, disabled ? "/people: closed" : "/people: opened again");
}

err people_disable(struct ctx *cx, struct people *people, str name, bool disabled)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, disable(cx, people, name, disabled));
}

static err set_role(struct ctx *cx, struct people *people, str name, str role)
{
    struct db_stmt *stmt = db_use(cx, people->db, people_sql, PEOPLE_SET_ROLE);
    db_bind_text(stmt, 1, name);
    db_bind_text(stmt, 2, role);
    TRY(change_user(cx, people, stmt, name));
    if (cx->user) /* the page has told it, with the role before */
        return ERR_OK;
    return tell(cx, people->db, name, arena_cstr(cx->arena, arena_printf(
        cx->arena, "/people: given the role %.*s", STR_ARG(role))));
}

err people_set_role(struct ctx *cx, struct people *people, str name, str role)
{
    struct db *db = NULL;
    if (!role_find(role))
        return ctx_failf(cx, ERR_INVALID, S("role"), "there is no role \"%.*s\"", STR_ARG(role));
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, set_role(cx, people, name, role));
}

static err list_users(struct ctx *cx, struct db *db, struct people_user **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_LIST);
    size_t cap = 0;
    *count = 0;
    *out = NULL;
    for (bool row;; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        *out = arena_grow(cx->arena, *out, *count, &cap, sizeof **out);
        people_read_user(cx, stmt, 0, *out + *count);
    }
}

err people_list(struct ctx *cx, struct people *people, struct people_user **out, size_t *count)
{
    people_lock(people);
    return people_unlock(people, list_users(cx, people->db, out, count));
}

/* ---- tokens ---- */

static str new_bearer(struct ctx *cx)
{
    return arena_printf(cx->arena, "fl_%.*s", STR_ARG(secret_text(cx->arena)));
}

static err check_ask(struct ctx *cx, const struct people_token_ask *ask)
{
    struct scope_set scopes;
    TRY(scope_parse(cx, ask->scopes, &scopes));
    if (scopes.rules_count == 0)
        return ctx_fail(cx, ERR_INVALID, S("scope"),
                        S("ask for at least one scope, such as system/Patient.rs"));
    if (ask->minutes < 1 || ask->minutes > PEOPLE_TOKEN_MINUTES_MAX)
        return ctx_failf(cx, ERR_INVALID, S("minutes"), "a token lives 1 to %d minutes",
                         (int)PEOPLE_TOKEN_MINUTES_MAX);
    return ERR_OK;
}

static err insert_token(struct ctx *cx, struct db *db, const struct people_token_ask *ask,
                        str bearer)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_TOKEN_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, bearer));
    db_bind_text(stmt, 2, str_given(ask->user) ? ask->user : S(""));
    db_bind_text(stmt, 3, str_given(ask->client) ? ask->client : S(""));
    db_bind_text(stmt, 4, ask->scopes);
    db_bind_text(stmt, 5, str_given(ask->patient) ? ask->patient : S(""));
    db_bind_int(stmt, 6, cx->now_ms);
    db_bind_int(stmt, 7, cx->now_ms + ask->minutes * 60000);
    db_bind_text(stmt, 8, str_given(ask->family) ? ask->family : S(""));
    TRY(db_run(cx, stmt));
    bool at_hand = str_eq(ask->client, S("operator")); /* an app's has its consent in the audit */
    return !at_hand ? ERR_OK
                    : tell(cx, db, str_given(ask->user) ? ask->user : S(""),
                           arena_cstr(cx->arena, arena_printf(
                               cx->arena, "/token: %lld minutes for %.*s", (long long)ask->minutes,
                               STR_ARG(str_slice(ask->scopes, 0, 500)))));
}

err people_token_issue(struct ctx *cx, struct people *people, const struct people_token_ask *ask,
                       str *bearer)
{
    TRY(check_ask(cx, ask));
    struct people_user user;
    if (ask->user.n)
        TRY(people_find(cx, people, ask->user, &user));
    str text = new_bearer(cx);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    TRY(people_done(cx, people, insert_token(cx, db, ask, text)));
    *bearer = text;
    return ERR_OK;
}

static err refuse(struct ctx *cx)
{
    return ctx_fail(cx, ERR_LOGIN, (str){ 0 },
                    S("this token is unknown, expired or revoked; sign in again, or get one with "
                      "`frontline token`"));
}

static enum scope_level level_of(const struct people_grant *grant)
{
    if (grant->user.name.n == 0)
        return SCOPE_SYSTEM;
    return str_starts(grant->user.who, S("Patient/")) || grant->patient.n ? SCOPE_PATIENT
                                                                          : SCOPE_USER;
}

static err read_token(struct ctx *cx, struct db *db, str hash,
                      struct people_grant *out)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_TOKEN_FIND);
    db_bind_blob(stmt, 1, hash);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx);
    struct people_grant grant = {
        .client = arena_copy(cx->arena, db_text(stmt, 0)),
        .scope_text = arena_copy(cx->arena, db_text(stmt, 1)),
        .patient = arena_copy(cx->arena, db_text(stmt, 2)),
        .issued_ms = db_int(stmt, 3),
        .expires_ms = db_int(stmt, 4),
    };
    bool revoked = db_int(stmt, 5) != 0, lost_user = db_int(stmt, 6) != 0;
    grant.family = arena_copy(cx->arena, db_text(stmt, 7));
    people_read_user(cx, stmt, 8, &grant.user);
    db_reset(stmt);
    if (revoked || lost_user || grant.user.disabled)
        return refuse(cx);
    grant.level = level_of(&grant);
    *out = grant;
    return ERR_OK;
}

static struct cached *cache_place(struct people *people, str hash)
{
    return &people->cache[(unsigned char)hash.p[0] % CACHE_PLACES];
}

static str pack(struct cached *entry, str text)
{
    char *at = entry->memory + entry->used;
    if (text.n)
        memcpy(at, text.p, text.n);
    entry->used += text.n;
    return (str){ at, text.n };
}

/* Grants with very long scope lists are not kept: they are read from disk each time. */
static void cache_put(struct people *people, str hash,
                      const struct people_grant *grant)
{
    const struct people_user *user = &grant->user;
    size_t bytes = user->name.n + user->display.n + user->role.n + user->who.n + user->areas.n +
                   grant->client.n + grant->scope_text.n + grant->patient.n + grant->family.n;
    if (bytes > CACHE_TEXT_MAX)
        return;
    struct cached *entry = cache_place(people, hash);
    entry->used = 0;
    entry->grant = *grant;
    memcpy(entry->hash, hash.p, SECRET_HASH_BYTES);
    entry->grant.user.name = pack(entry, user->name);
    entry->grant.user.display = pack(entry, user->display);
    entry->grant.user.role = pack(entry, user->role);
    entry->grant.user.who = pack(entry, user->who);
    entry->grant.user.areas = pack(entry, user->areas);
    entry->grant.client = pack(entry, grant->client);
    entry->grant.scope_text = pack(entry, grant->scope_text);
    entry->grant.patient = pack(entry, grant->patient);
    entry->grant.family = pack(entry, grant->family);
    entry->read_at_ms = clock_monotonic_ms();
}

static bool cache_get(struct ctx *cx, struct people *people, str hash,
                      struct people_grant *out)
{
    struct cached *entry = cache_place(people, hash);
    if (!entry->read_at_ms || clock_monotonic_ms() - entry->read_at_ms > PEOPLE_CACHE_MS ||
        !secret_same((str){ entry->hash, SECRET_HASH_BYTES }, hash))
        return false;
    struct people_grant grant = entry->grant;
    str *texts[] = { &grant.user.name, &grant.user.display, &grant.user.role,  &grant.user.who,
                     &grant.user.areas, &grant.client,      &grant.scope_text, &grant.patient,
                     &grant.family };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_copy(cx->arena, *texts[i]);
    *out = grant;
    return true;
}

static err find_locked(struct ctx *cx, struct people *people, str hash,
                       struct people_grant *out)
{
    if (cache_get(cx, people, hash, out))
        return ERR_OK;
    TRY(read_token(cx, people->db, hash, out));
    cache_put(people, hash, out);
    return ERR_OK;
}

err people_token_find(struct ctx *cx, struct people *people, str bearer, struct people_grant *out)
{
    str hash = secret_hash(cx->arena, bearer);
    struct people_grant grant;
    people_lock(people);
    TRY(people_unlock(people, find_locked(cx, people, hash, &grant)));
    if (grant.expires_ms <= cx->now_ms)
        return refuse(cx);
    TRY(scope_parse(cx, grant.scope_text, &grant.scopes));
    *out = grant;
    return ERR_OK;
}

err people_token_kept(struct ctx *cx, struct people *people, str hash, struct people_grant *out)
{
    struct people_grant grant;
    people_lock(people);
    TRY(people_unlock(people, find_locked(cx, people, hash, &grant)));
    TRY(scope_parse(cx, grant.scope_text, &grant.scopes));
    *out = grant;
    return ERR_OK;
}

void people_forget(struct people *people)
{
    people_lock(people);
    forget_all(people);
    pthread_mutex_unlock(&people->lock);
}

err people_token_revoke(struct ctx *cx, struct people *people, str bearer)
{
    str hash = secret_hash(cx->arena, bearer);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_TOKEN_REVOKE);
    db_bind_blob(stmt, 1, hash);
    db_bind_int(stmt, 2, cx->now_ms);
    cache_place(people, hash)->read_at_ms = 0;
    err done = db_run(cx, stmt);
    if (done == ERR_OK && db_changes(db))
        done = tell(cx, db, S(""), "/token: revoked");
    return people_done(cx, people, done);
}
