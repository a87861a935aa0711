/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"
#include "db/db.h"

/*
 * people_sql: the statements over auth.db, and what the files of src/auth share to run them.
 *
 * Limits   auth.db has one connection: between people_lock and people_unlock it is the caller's.
 */
enum people_statement {
    PEOPLE_ADD, PEOPLE_FIND, PEOPLE_DISABLE, PEOPLE_SET_ROLE, PEOPLE_LIST,
    PEOPLE_TOKEN_ADD, PEOPLE_TOKEN_FIND, PEOPLE_TOKEN_REVOKE, PEOPLE_TOKEN_GIVE_UP,
    PEOPLE_TOKENS_OF, PEOPLE_RENEWALS_OF,
    PEOPLE_CODE_ADD, PEOPLE_CODE_USE, PEOPLE_TRIES, PEOPLE_TRY_ADD,
    PEOPLE_SESSION_ADD, PEOPLE_SESSION_FIND, PEOPLE_SESSION_SEEN, PEOPLE_SESSION_FULL,
    PEOPLE_SESSION_LOCK, PEOPLE_SESSION_HOLD, PEOPLE_SESSION_ACT, PEOPLE_SESSION_END,
    PEOPLE_SESSION_FROM, PEOPLE_SESSION_FROM_FORGET, PEOPLE_SESSION_LIST, PEOPLE_SESSION_LIVE,
    PEOPLE_SESSION_STANDS,
    PEOPLE_SESSION_END_OWN, PEOPLE_SESSIONS_OTHER, PEOPLE_SESSIONS_OF,
    PEOPLE_CLIENT_ADD, PEOPLE_CLIENT_FIND, PEOPLE_CLIENT_LIST, PEOPLE_CLIENT_MORE,
    PEOPLE_CLIENT_COUNT, PEOPLE_CLIENT_DISABLE, PEOPLE_CLIENT_TOKENS, PEOPLE_CLIENT_RENEWALS,
    PEOPLE_CLIENT_CODES,
    PEOPLE_KEYS_FIND, PEOPLE_KEYS_KEEP,
    PEOPLE_LAUNCH_ADD, PEOPLE_ONCE,
    PEOPLE_ONCE_FORGET,
    PEOPLE_GRANT_FORGET, PEOPLE_GRANT_ADD, PEOPLE_GRANT_FIND, PEOPLE_GRANT_USE,
    PEOPLE_REFRESH_ADD, PEOPLE_REFRESH_FIND,
    PEOPLE_REFRESH_USE, PEOPLE_FAMILY_TOKENS, PEOPLE_FAMILY_REFRESH,
    PEOPLE_FAMILY_END, PEOPLE_FAMILY_ENDED, PEOPLE_FAMILY_FORGET,
    PEOPLE_GRANT_CONTEXT, PEOPLE_ALLOWED, PEOPLE_ALLOWED_OWN,
    PEOPLE_SQL_COUNT
};
extern const struct stmt people_sql[];
extern const char people_schema[];
extern const char sign_in_schema[]; /* sign_in_sql.c: passkeys, workstations, upstream sign-ins */

struct db *people_lock(struct people *people);
err people_unlock(struct people *people, err result); /* returns result, so that TRY reads well */
/* The same with a transaction: done commits what succeeded, and takes back what did not. */
err people_write(struct ctx *cx, struct people *people, struct db **db) MUST_USE;
err people_done(struct ctx *cx, struct people *people, err result) MUST_USE;
/* A user from the columns name, display, role, who, areas, disabled, created_ms at `column`. */
void people_read_user(struct ctx *cx, struct db_stmt *stmt, int column, struct people_user *out);
