/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/deed.h"
#include "auth/session.h"

enum { SESSIONS_MAX = 1000 };

const char deed_schema[] =
    "CREATE TABLE IF NOT EXISTS deed("
    " n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, by TEXT NOT NULL,"
    " act INTEGER NOT NULL, what TEXT NOT NULL, request TEXT NOT NULL);";

enum { DEED_ADD, DEED_LOCK, DEED_END, DEED_OVER };
const struct stmt deed_sql[] = {
    [DEED_ADD] = { "keep a deed",
        "INSERT INTO deed(at_ms, who, by, act, what, request) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
        NULL },
    /* Locked as of its last use: the two minutes a patient may stay on screen count from there. */
    [DEED_LOCK] = { "lock a session that was left idle",
        "UPDATE sitting SET locked_ms = seen_ms WHERE hash = ?1 AND seen_ms = ?2 AND locked_ms = 0"
        " RETURNING user", NULL },
    [DEED_END] = { "end a session that is over",
        "DELETE FROM sitting WHERE hash = ?1 AND seen_ms = ?2 RETURNING user", NULL },
    [DEED_OVER] = { "sessions that may be over",
        "SELECT s.hash, s.begun_ms, s.seen_ms, s.place, w.zone,"
        " u.name, u.display, u.role, u.who, u.areas, u.disabled, u.created_ms FROM sitting s"
        " JOIN user u ON u.name = s.user LEFT JOIN workstation w ON w.id = s.place"
        " WHERE s.begun_ms < ?1 OR s.locked_ms = 0 AND s.seen_ms < ?2 LIMIT ?3", "SCAN s" },
    { 0 },
};

/* ---- noting ---- */

static str doer(const struct ctx *cx, const struct deed *deed)
{
    if (str_given(deed->by))
        return deed->by;
    if (cx->user && cx->user->person.name.n)
        return cx->user->person.name;
    return cx->request_id.n ? deed->who : S("operator");
}

err deed_note(struct ctx *cx, struct db *db, const struct deed *deed)
{
    struct db_stmt *stmt = db_use(cx, db, deed_sql, DEED_ADD);
    db_bind_int(stmt, 1, cx->now_ms);
    db_bind_text(stmt, 2, str_given(deed->who) ? deed->who : S(""));
    db_bind_text(stmt, 3, doer(cx, deed));
    db_bind_int(stmt, 4, deed->act);
    db_bind_text(stmt, 5, deed->what);
    db_bind_text(stmt, 6, str_given(cx->request_id) ? cx->request_id : S(""));
    return db_run(cx, stmt);
}

err deed_sessions(struct ctx *cx, struct db *db, struct db_stmt *stmt, const char *what,
                  size_t *sessions)
{
    str *users = arena_array(cx->arena, SESSIONS_MAX, sizeof *users);
    size_t count = 0;
    bool row;
    for (;;) { /* the first step has done it all; the rest only says to whom */
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        if (count < SESSIONS_MAX)
            users[count++] = arena_copy(cx->arena, db_text(stmt, 0));
    }
    for (size_t i = 0; i < count; i++)
        TRY(deed_note(cx, db, &(struct deed){ .who = users[i], .act = AUDIT_SIGN_OUT,
                                              .what = str_of(what) }));
    if (sessions)
        *sessions = count;
    return ERR_OK;
}

err deed_tell(struct ctx *cx, struct people *people, const struct deed *deed)
{
    struct db *db = people_lock(people);
    return people_unlock(people, deed_note(cx, db, deed));
}

/* ---- what is over ---- */

struct over {
    str hash;
    int64_t seen_ms;
    bool place, shift; /* at a workstation; past the absolute end */
};

static err find_over(struct ctx *cx, struct db *db, struct over **out, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, deed_sql, DEED_OVER);
    *out = arena_array(cx->arena, SESSIONS_MAX, sizeof **out);
    *count = 0;
    db_bind_int(stmt, 1, cx->now_ms - SESSION_ABSOLUTE_MS);
    db_bind_int(stmt, 2, cx->now_ms - zones_shortest_ms());
    db_bind_int(stmt, 3, SESSIONS_MAX);
    for (bool row;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        struct session session = { .begun_ms = db_int(stmt, 1), .seen_ms = db_int(stmt, 2),
                                   .zone = zone_find(db_text(stmt, 4)) };
        people_read_user(cx, stmt, 5, &session.user);
        if (session_is_over(&session, cx->now_ms))
            (*out)[(*count)++] = (struct over){
                arena_copy(cx->arena, db_blob(stmt, 0)), session.seen_ms, db_text(stmt, 3).n > 0,
                cx->now_ms - session.begun_ms > SESSION_ABSOLUTE_MS };
    }
}

/* A session at a workstation is locked, for a badge to open; any other ends. */
static err sweep(struct ctx *cx, struct db *db)
{
    struct over *over;
    size_t count;
    TRY(find_over(cx, db, &over, &count));
    for (size_t i = 0; i < count; i++) {
        bool locks = over[i].place && !over[i].shift;
        struct db_stmt *stmt = db_use(cx, db, deed_sql, locks ? DEED_LOCK : DEED_END);
        db_bind_blob(stmt, 1, over[i].hash);
        db_bind_int(stmt, 2, over[i].seen_ms);
        TRY(deed_sessions(cx, db, stmt, locks           ? "/workstation/lock: left idle"
                                        : over[i].shift ? "/sign-out: the absolute end"
                                                        : "/sign-out: left idle", NULL));
    }
    return ERR_OK;
}

err deeds_sweep(struct ctx *cx, struct people *people)
{
    struct db *db;
    TRY(people_write(cx, people, &db));
    return people_done(cx, people, sweep(cx, db));
}
