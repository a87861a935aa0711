/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/session_list.h"
#include "auth/deed.h"
#include "auth/secret.h"

static void read_row(struct ctx *cx, struct db_stmt *stmt, str own, struct session_row *out)
{
    *out = (struct session_row){
        .id = secret_base64url(cx->arena, db_blob(stmt, 0)),
        .here = secret_same(db_blob(stmt, 0), own),
        .method = arena_copy(cx->arena, db_text(stmt, 1)),
        .begun_ms = db_int(stmt, 2),
        .seen_ms = db_int(stmt, 3),
        .locked = db_int(stmt, 4) != 0,
        .place = arena_copy(cx->arena, db_text(stmt, 5)),
        .address = arena_copy(cx->arena, db_text(stmt, 6)),
        .agent = arena_copy(cx->arena, db_text(stmt, 7)),
    };
}

/* One that was idle for too long opens nothing any more: it is not listed. A locked one may be
 * opened again by a badge. */
static bool is_live(struct ctx *cx, struct db_stmt *stmt, const struct session *session)
{
    struct session row = { .user = session->user, .begun_ms = db_int(stmt, 2),
                           .seen_ms = db_int(stmt, 3), .zone = zone_find(db_text(stmt, 8)) };
    return db_int(stmt, 4) != 0 || !session_is_over(&row, cx->now_ms);
}

static err list(struct ctx *cx, struct db *db, const struct session *session, str own,
                struct session_row *rows, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_LIST);
    db_bind_text(stmt, 1, session->user.name);
    db_bind_int(stmt, 2, cx->now_ms - SESSION_ABSOLUTE_MS);
    bool row = true;
    for (*count = 0; *count < SESSION_LIST_MAX;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        if (is_live(cx, stmt, session))
            read_row(cx, stmt, own, &rows[(*count)++]);
    }
    db_reset(stmt);
    return ERR_OK;
}

err session_list(struct ctx *cx, struct people *people, const struct session *session, str cookie,
                 struct session_row **out, size_t *count)
{
    str own = secret_hash(cx->arena, cookie);
    *out = arena_array(cx->arena, SESSION_LIST_MAX, sizeof **out);
    struct db *db = people_lock(people);
    return people_unlock(people, list(cx, db, session, own, *out, count));
}

static err end_own(struct ctx *cx, struct db *db, str user, str hash)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_END_OWN);
    db_bind_blob(stmt, 1, hash);
    db_bind_text(stmt, 2, user);
    bool row;
    TRY(db_step(cx, stmt, &row));
    db_reset(stmt);
    if (row)
        return deed_note(cx, db, &(struct deed){ .who = user, .act = AUDIT_SIGN_OUT,
                                                 .what = S("/sign-out: from elsewhere") });
    return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                    S("you have no such sign-in; it may have ended already"));
}

err session_end_own(struct ctx *cx, struct people *people, str user, str id)
{
    str hash;
    if (!secret_from_base64url(cx->arena, id, &hash))
        hash = S("");
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, end_own(cx, db, user, hash));
}

static err end_others(struct ctx *cx, struct db *db, str user, str own)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSIONS_OTHER);
    db_bind_text(stmt, 1, user);
    db_bind_blob(stmt, 2, own);
    return deed_sessions(cx, db, stmt, "/sign-out: from elsewhere", NULL);
}

err session_end_others(struct ctx *cx, struct people *people, str user, str cookie)
{
    str own = secret_hash(cx->arena, cookie);
    struct db *db = NULL;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, end_others(cx, db, user, own));
}

static err insert_from(struct ctx *cx, struct db *db, str hash, str address, str agent)
{
    struct db_stmt *old = db_use(cx, db, people_sql, PEOPLE_SESSION_FROM_FORGET);
    db_bind_int(old, 1, cx->now_ms - SESSION_ABSOLUTE_MS);
    TRY(db_run(cx, old));
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_SESSION_FROM);
    db_bind_blob(stmt, 1, hash);
    db_bind_text(stmt, 2, address);
    db_bind_text(stmt, 3, str_slice(agent, 0, SESSION_AGENT_BYTES));
    db_bind_int(stmt, 4, cx->now_ms);
    return db_run(cx, stmt);
}

err session_came_from(struct ctx *cx, struct people *people, str cookie, str address, str agent)
{
    str hash = secret_hash(cx->arena, cookie);
    struct db *db = people_lock(people);
    return people_unlock(people, insert_from(cx, db, hash, str_given(address) ? address : S(""),
                                             str_given(agent) ? agent : S("")));
}
