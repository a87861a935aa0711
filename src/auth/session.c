/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/session.h"
#include "auth/people_sql.h"
#include "auth/secret.h"
#include "base/clock.h"

enum { CODE_LETTERS = 10, SEEN_STEP_MS = 15000 };

static err refuse(struct ctx *cx, const char *text)
{
    return ctx_fail(cx, ERR_LOGIN, (str){ 0 }, str_of(text));
}

/* Letters and digits that are not mistaken for one another when read aloud. */
static str new_code(struct ctx *cx)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
    unsigned char random[CODE_LETTERS];
    char *code = arena_alloc(cx->arena, CODE_LETTERS);
    secret_random(random, sizeof random);
    for (size_t i = 0; i < CODE_LETTERS; i++)
        code[i] = letters[random[i] % (sizeof letters - 1)];
    return (str){ code, CODE_LETTERS };
}

static err insert_code(struct ctx *cx, struct db *db, str user, str code, int64_t until_ms)
{
    str hash = secret_hash(cx->arena, code);
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CODE_ADD);
    db_bind_blob(stmt, 1, hash);
    db_bind_text(stmt, 2, user);
    db_bind_int(stmt, 3, until_ms);
    return db_run(cx, stmt);
}

err session_code(struct ctx *cx, struct people *people, str user, int64_t minutes, str *code)
{
    struct people_user found;
    TRY(people_find(cx, people, user, &found));
    str text = new_code(cx);
    struct db *db = people_lock(people);
    TRY(people_unlock(people, insert_code(cx, db, user, text, cx->now_ms + minutes * 60000)));
    *code = text;
    return ERR_OK;
}

/* Wrong tries of one name from one address within the window. */
static err check_tries(struct ctx *cx, struct db *db, str key)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_TRIES);
    db_bind_text(stmt, 1, key);
    db_bind_int(stmt, 2, cx->now_ms - SESSION_TRIES_WINDOW_MS);
    bool row;
    TRY(db_step(cx, stmt, &row));
    int64_t tries = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    if (tries < SESSION_TRIES_MAX)
        return ERR_OK;
    return ctx_fail(cx, ERR_BUSY, (str){ 0 },
                    S("too many wrong codes; wait a minute, then ask for a new code"));
}

static err note_try(struct ctx *cx, struct db *db, str key)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_TRY_ADD);
    db_bind_text(stmt, 1, key);
    db_bind_int(stmt, 2, cx->now_ms);
    return db_run(cx, stmt);
}

/* Deleting the row is what uses the code up: of two tries with one code, one changes a row. */
static err use_code(struct ctx *cx, struct db *db, str user, str code, str address)
{
    str key = arena_printf(cx->arena, "%.*s %.*s", STR_ARG(user), STR_ARG(address));
    TRY(check_tries(cx, db, key));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_CODE_USE);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, code));
    db_bind_text(stmt, 2, user);
    db_bind_int(stmt, 3, cx->now_ms);
    TRY(db_run(cx, stmt));
    if (db_changes(db) == 1)
        return ERR_OK;
    TRY(note_try(cx, db, key));
    return refuse(cx, "the name or the code is not right, or the code was used or is too old");
}

static err insert_session(struct ctx *cx, struct db *db, str user, str method, str cookie)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, cookie));
    db_bind_text(stmt, 2, user);
    db_bind_text(stmt, 3, method);
    db_bind_text(stmt, 4, secret_text(cx->arena));
    db_bind_int(stmt, 5, cx->now_ms);
    return db_run(cx, stmt);
}

err session_begin(struct ctx *cx, struct people *people, str user, str method, str *cookie)
{
    str text = secret_text(cx->arena);
    struct db *db = people_lock(people);
    TRY(people_unlock(people, insert_session(cx, db, user, method, text)));
    *cookie = text;
    return ERR_OK;
}

err session_begin_by_code(struct ctx *cx, struct people *people, str user, str code, str address,
                          str *cookie)
{
    struct db *db = people_lock(people);
    TRY(people_unlock(people, use_code(cx, db, user, code, address)));
    return session_begin(cx, people, user, S("code"), cookie);
}

static err touch(struct ctx *cx, struct db *db, str hash)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_SEEN);
    db_bind_blob(stmt, 1, hash);
    db_bind_int(stmt, 2, cx->now_ms);
    return db_run(cx, stmt);
}

static bool is_over(const struct session *session, int64_t now_ms)
{
    bool patient = str_starts(session->user.who, S("Patient/"));
    int64_t idle_ms = patient ? SESSION_IDLE_PATIENT_MS : SESSION_IDLE_STAFF_MS;
    return session->user.disabled || now_ms - session->seen_ms > idle_ms ||
           now_ms - session->begun_ms > SESSION_ABSOLUTE_MS;
}

static err find(struct ctx *cx, struct db *db, str cookie, struct session *out)
{
    str hash = secret_hash(cx->arena, cookie);
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_FIND);
    db_bind_blob(stmt, 1, hash);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, "you are signed out; sign in again");
    struct session session = {
        .method = arena_copy(cx->arena, db_text(stmt, 0)),
        .csrf = arena_copy(cx->arena, db_text(stmt, 1)),
        .begun_ms = db_int(stmt, 2),
        .seen_ms = db_int(stmt, 3),
        .stepped_up_ms = db_int(stmt, 2),
    };
    people_read_user(cx, stmt, 4, &session.user);
    db_reset(stmt);
    if (is_over(&session, cx->now_ms))
        return refuse(cx, "you were signed out after a time without use; sign in again");
    if (cx->now_ms - session.seen_ms > SEEN_STEP_MS)
        TRY(touch(cx, db, hash));
    *out = session;
    return ERR_OK;
}

err session_find(struct ctx *cx, struct people *people, str cookie, struct session *out)
{
    struct db *db = people_lock(people);
    return people_unlock(people, find(cx, db, cookie, out));
}

static err end(struct ctx *cx, struct db *db, str cookie)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_END);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, cookie));
    return db_run(cx, stmt);
}

err session_end(struct ctx *cx, struct people *people, str cookie)
{
    struct db *db = people_lock(people);
    return people_unlock(people, end(cx, db, cookie));
}
