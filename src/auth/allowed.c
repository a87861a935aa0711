/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/allowed.h"
#include "auth/people_sql.h"

static void read_row(struct ctx *cx, struct db_stmt *stmt, struct allowed_app *out)
{
    *out = (struct allowed_app){
        .id = arena_copy(cx->arena, db_text(stmt, 0)),
        .client = arena_copy(cx->arena, db_text(stmt, 1)),
        .name = arena_copy(cx->arena, db_text(stmt, 2)),
        .scopes = arena_copy(cx->arena, db_text(stmt, 3)),
        .patient = arena_copy(cx->arena, db_text(stmt, 4)),
        .since_ms = db_int(stmt, 5),
        .until_ms = db_int(stmt, 6),
        .keeps = db_int(stmt, 7) != 0,
    };
}

static err list(struct ctx *cx, struct db *db, str user, struct allowed_app *rows, size_t *count)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_ALLOWED);
    db_bind_text(stmt, 1, user);
    db_bind_int(stmt, 2, cx->now_ms);
    bool row = true;
    for (*count = 0; *count < ALLOWED_MAX; (*count)++) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            return ERR_OK;
        read_row(cx, stmt, &rows[*count]);
    }
    db_reset(stmt);
    return ERR_OK;
}

err allowed_list(struct ctx *cx, struct people *people, str user, struct allowed_app **out,
                 size_t *count)
{
    *out = arena_array(cx->arena, ALLOWED_MAX, sizeof **out);
    struct db *db = people_lock(people);
    return people_unlock(people, list(cx, db, user, *out, count));
}

static err is_own(struct ctx *cx, struct db *db, str user, str id, str *client)
{
    struct db_stmt *stmt = db_use(cx, db, people_sql, PEOPLE_ALLOWED_OWN);
    db_bind_text(stmt, 1, id);
    db_bind_text(stmt, 2, user);
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (row)
        *client = arena_copy(cx->arena, db_text(stmt, 0));
    db_reset(stmt);
    return row ? ERR_OK
               : ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                          S("you allowed no such app; it may have ended already"));
}

err allowed_end(struct ctx *cx, struct people *people, str user, str id)
{
    struct grant of = { .user = user, .family = id };
    struct db *db = people_lock(people);
    TRY(people_unlock(people, is_own(cx, db, user, id, &of.client)));
    return grant_end(cx, people, &of);
}
