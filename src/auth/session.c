/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/session.h"
#include "auth/deed.h"
#include "auth/sign_in_sql.h"
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
    TRY(db_run(cx, stmt));
    return deed_note(cx, db, &(struct deed){ .who = user, .act = AUDIT_ACCOUNT,
                                             .what = S("/people: a one-time code was made") });
}

err session_code(struct ctx *cx, struct people *people, str user, int64_t minutes, str *code)
{
    struct people_user found;
    TRY(people_find(cx, people, user, &found));
    str text = new_code(cx);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    TRY(people_done(cx, people, insert_code(cx, db, user, text, cx->now_ms + minutes * 60000)));
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

/* A person sits at one workstation, and whoever sat at this one is locked out of it. */
static err make_room(struct ctx *cx, struct db *db, str user, str place)
{
    struct db_stmt *old = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_FORGET);
    db_bind_int(old, 1, cx->now_ms - SESSION_ABSOLUTE_MS);
    TRY(deed_sessions(cx, db, old, "/sign-out: the absolute end", NULL));
    if (!place.n)
        return ERR_OK;
    struct db_stmt *own = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_CLEAR);
    db_bind_text(own, 1, user);
    TRY(deed_sessions(cx, db, own, "/sign-out: signed in at a workstation anew", NULL));
    struct db_stmt *others = db_use(cx, db, sign_in_sql, SIGN_IN_SITTING_LOCK_AT);
    db_bind_text(others, 1, place);
    db_bind_int(others, 2, cx->now_ms);
    return deed_sessions(cx, db, others, "/workstation/lock: somebody else signed in there", NULL);
}

static err insert_session(struct ctx *cx, struct db *db, const struct session_start *start,
                          str cookie)
{
    str place = str_given(start->place) ? start->place : S("");
    TRY(make_room(cx, db, start->user, place));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_ADD);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, cookie));
    db_bind_text(stmt, 2, start->user);
    db_bind_text(stmt, 3, start->method);
    db_bind_text(stmt, 4, secret_text(cx->arena));
    db_bind_int(stmt, 5, cx->now_ms);
    db_bind_text(stmt, 6, place);
    return db_run(cx, stmt);
}

err session_begin_at(struct ctx *cx, struct people *people, const struct session_start *start,
                     str *cookie)
{
    str text = secret_text(cx->arena);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    TRY(people_done(cx, people, insert_session(cx, db, start, text)));
    *cookie = text;
    return ERR_OK;
}

err session_begin(struct ctx *cx, struct people *people, str user, str method, str *cookie)
{
    return session_begin_at(cx, people, &(struct session_start){ user, method, S("") }, cookie);
}

err session_use_code(struct ctx *cx, struct people *people, str user, str code, str address)
{
    struct db *db = people_lock(people);
    return people_unlock(people, use_code(cx, db, user, code, address));
}

err session_begin_by_code(struct ctx *cx, struct people *people, str user, str code, str address,
                          str *cookie)
{
    TRY(session_use_code(cx, people, user, code, address));
    return session_begin(cx, people, user, S("code"), cookie);
}

/* Runs a statement over one session: ?1 its hash, ?2 a number or a text, ?3 a number. */
static err change(struct ctx *cx, struct people *people, enum people_statement which, str cookie,
                  str text)
{
    struct db *db = people_lock(people);
    struct db_stmt *stmt = db_use(cx, db, people_sql, which);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, cookie));
    if (str_given(text)) {
        db_bind_text(stmt, 2, text);
        if (which == PEOPLE_SESSION_HOLD)
            db_bind_int(stmt, 3, cx->now_ms);
    } else {
        db_bind_int(stmt, 2, cx->now_ms);
    }
    return people_unlock(people, db_run(cx, stmt));
}

static err touch(struct ctx *cx, struct db *db, str hash)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_SEEN);
    db_bind_blob(stmt, 1, hash);
    db_bind_int(stmt, 2, cx->now_ms);
    return db_run(cx, stmt);
}

static int64_t idle_limit_ms(const struct session *session)
{
    if (session->zone)
        return session->zone->display_only ? SESSION_ABSOLUTE_MS : session->zone->idle_ms;
    /* Patients and those who act for one: whoever has a patient's first page. */
    const struct role *role = role_find(session->user.role);
    bool patient = str_starts(session->user.who, S("Patient/")) ||
                   (role && role_permits(role, S("app.home")));
    return patient ? SESSION_IDLE_PATIENT_MS : SESSION_IDLE_STAFF_MS;
}

bool session_is_over(const struct session *session, int64_t now_ms)
{
    return session->user.disabled || now_ms - session->seen_ms > idle_limit_ms(session) ||
           now_ms - session->begun_ms > SESSION_ABSOLUTE_MS;
}

static void read_session(struct ctx *cx, struct db_stmt *stmt, struct session *out)
{
    *out = (struct session){
        .method = arena_copy(cx->arena, db_text(stmt, 0)),
        .csrf = arena_copy(cx->arena, db_text(stmt, 1)),
        .begun_ms = db_int(stmt, 2),
        .seen_ms = db_int(stmt, 3),
        .stepped_up_ms = db_int(stmt, 4),
        .locked_ms = db_int(stmt, 5),
        .place = arena_copy(cx->arena, db_text(stmt, 6)),
        .held = arena_copy(cx->arena, db_text(stmt, 7)),
        .acting = arena_copy(cx->arena, db_text(stmt, 9)),
        .area = arena_copy(cx->arena, db_text(stmt, 10)),
        .zone = zone_find(db_text(stmt, 11)),
    };
    people_read_user(cx, stmt, 12, &out->user);
}

static err find(struct ctx *cx, struct db *db, str cookie, struct session *out)
{
    str hash = secret_hash(cx->arena, cookie);
    struct session session;
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_FIND);
    db_bind_blob(stmt, 1, hash);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return refuse(cx, "you are signed out, or were after a time without use; sign in again");
    read_session(cx, stmt, &session);
    db_reset(stmt);
    if (session.locked_ms)
        return refuse(cx, "this screen is locked; tap your badge or sign in again");
    if (session_is_over(&session, cx->now_ms))
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

err session_end(struct ctx *cx, struct people *people, str cookie, const char *why)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_END);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, cookie));
    return people_done(cx, people, deed_sessions(cx, db, stmt, why, NULL));
}

err session_step_up(struct ctx *cx, struct people *people, str cookie, str user)
{
    struct session session;
    TRY(session_find(cx, people, cookie, &session));
    if (!str_eq(session.user.name, user))
        return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                        S("that was somebody else's proof; the person signed in here has to give "
                          "their own"));
    return change(cx, people, PEOPLE_SESSION_FULL, cookie, (str){ 0 });
}

bool session_is_fresh(const struct session *session, int64_t now_ms)
{
    return now_ms - session->stepped_up_ms <= SESSION_FRESH_MS;
}

err session_lock(struct ctx *cx, struct people *people, str cookie)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_LOCK);
    db_bind_blob(stmt, 1, secret_hash(cx->arena, cookie));
    db_bind_int(stmt, 2, cx->now_ms);
    return people_done(cx, people, deed_sessions(cx, db, stmt, "/workstation/lock: by its person",
                                                 NULL));
}

err session_hold(struct ctx *cx, struct people *people, str cookie, str patient)
{
    return change(cx, people, PEOPLE_SESSION_HOLD, cookie, str_given(patient) ? patient : S(""));
}

err session_act(struct ctx *cx, struct people *people, str cookie, str related)
{
    return change(cx, people, PEOPLE_SESSION_ACT, cookie, str_given(related) ? related : S(""));
}

err session_end_all(struct ctx *cx, struct people *people, str user, const char *why)
{
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSIONS_OF);
    db_bind_text(stmt, 1, user);
    return people_done(cx, people, deed_sessions(cx, db, stmt, why, NULL));
}

static err stands(struct ctx *cx, struct db *db, str hash, bool *row)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_STANDS);
    db_bind_blob(stmt, 1, hash);
    TRY(db_step(cx, stmt, row));
    db_reset(stmt);
    return ERR_OK;
}

bool session_stands(struct ctx *cx, struct people *people, str hash)
{
    bool row = true; /* a fault of ours ends nobody's screen */
    struct db *db = people_lock(people);
    return people_unlock(people, stands(cx, db, hash, &row)) != ERR_OK || row;
}
