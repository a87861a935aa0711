/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/people_sql.h"

const char people_schema[] =
    "CREATE TABLE IF NOT EXISTS user("
    " name TEXT PRIMARY KEY, display TEXT NOT NULL, role TEXT NOT NULL, who TEXT NOT NULL,"
    " areas TEXT NOT NULL, disabled INTEGER NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS token("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, client TEXT NOT NULL, scopes TEXT NOT NULL,"
    " patient TEXT NOT NULL, issued_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS code("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS try("
    " who TEXT NOT NULL, at_ms INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(who, at_ms)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS session("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, method TEXT NOT NULL, csrf TEXT NOT NULL,"
    " begun_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) WITHOUT ROWID;";

#define USER_COLUMNS "name, display, role, who, areas, disabled, created_ms"

const struct stmt people_sql[] = {
    [PEOPLE_ADD] = { "add a user",
        "INSERT INTO user(name, display, role, who, areas, disabled, created_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6) ON CONFLICT DO NOTHING", NULL },
    [PEOPLE_FIND] = { "a user by name",
        "SELECT " USER_COLUMNS " FROM user WHERE name = ?1",
        "SEARCH user USING PRIMARY KEY" },
    [PEOPLE_DISABLE] = { "disable or enable a user",
        "UPDATE user SET disabled = ?2 WHERE name = ?1", NULL },
    [PEOPLE_SET_ROLE] = { "give a user a role",
        "UPDATE user SET role = ?2 WHERE name = ?1", NULL },
    [PEOPLE_LIST] = { "all users, by name",
        "SELECT " USER_COLUMNS " FROM user ORDER BY name", "SCAN user" },
    [PEOPLE_TOKEN_ADD] = { "keep a token's hash",
        "INSERT INTO token(hash, user, client, scopes, patient, issued_ms, expires_ms, revoked_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)", NULL },
    [PEOPLE_TOKEN_FIND] = { "a token and its user",
        "SELECT t.client, t.scopes, t.patient, t.issued_ms, t.expires_ms, t.revoked_ms,"
        " t.user <> '' AND u.name IS NULL, u.name, u.display, u.role, u.who, u.areas, u.disabled,"
        " u.created_ms FROM token t LEFT JOIN user u ON u.name = t.user WHERE t.hash = ?1",
        "SEARCH t USING PRIMARY KEY" },
    [PEOPLE_TOKEN_REVOKE] = { "revoke a token",
        "UPDATE token SET revoked_ms = ?2 WHERE hash = ?1 AND revoked_ms = 0", NULL },
    [PEOPLE_CODE_ADD] = { "keep a one-time code's hash",
        "INSERT INTO code(hash, user, until_ms) VALUES(?1, ?2, ?3)", NULL },
    [PEOPLE_CODE_USE] = { "use up a one-time code",
        "DELETE FROM code WHERE hash = ?1 AND user = ?2 AND until_ms > ?3", NULL },
    [PEOPLE_TRIES] = { "wrong tries since",
        "SELECT coalesce(sum(n), 0) FROM try WHERE who = ?1 AND at_ms > ?2",
        "SEARCH try USING PRIMARY KEY" },
    [PEOPLE_TRY_ADD] = { "note a wrong try",
        "INSERT INTO try(who, at_ms, n) VALUES(?1, ?2, 1) ON CONFLICT DO UPDATE SET n = n + 1",
        NULL },
    [PEOPLE_SESSION_ADD] = { "begin a session",
        "INSERT INTO session(hash, user, method, csrf, begun_ms, seen_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?5)", NULL },
    [PEOPLE_SESSION_FIND] = { "a session and its user",
        "SELECT s.method, s.csrf, s.begun_ms, s.seen_ms, u.name, u.display, u.role, u.who,"
        " u.areas, u.disabled, u.created_ms FROM session s JOIN user u ON u.name = s.user"
        " WHERE s.hash = ?1",
        "SEARCH s USING PRIMARY KEY" },
    [PEOPLE_SESSION_SEEN] = { "a session was used",
        "UPDATE session SET seen_ms = ?2 WHERE hash = ?1", NULL },
    [PEOPLE_SESSION_END] = { "end a session",
        "DELETE FROM session WHERE hash = ?1", NULL },
    [PEOPLE_SQL_COUNT] = { 0 },
};
