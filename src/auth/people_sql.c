/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/people_sql.h"

#define GRANT_COLUMNS "client, user, scopes, patient, encounter, context, nonce, family"
#define GRANT_TYPES                                                                                \
    "client TEXT NOT NULL, user TEXT NOT NULL, scopes TEXT NOT NULL, patient TEXT NOT NULL,"       \
    " encounter TEXT NOT NULL, context TEXT NOT NULL, nonce TEXT NOT NULL, family TEXT NOT NULL"

const char people_schema[] =
    "CREATE TABLE IF NOT EXISTS user("
    " name TEXT PRIMARY KEY, display TEXT NOT NULL, role TEXT NOT NULL, who TEXT NOT NULL,"
    " areas TEXT NOT NULL, disabled INTEGER NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS token("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, client TEXT NOT NULL, scopes TEXT NOT NULL,"
    " patient TEXT NOT NULL, issued_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " revoked_ms INTEGER NOT NULL, family TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS token_by_family ON token(family) WHERE family <> '';"
    "CREATE INDEX IF NOT EXISTS token_by_user ON token(user) WHERE user <> '';"
    "CREATE TABLE IF NOT EXISTS client("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL, redirects TEXT NOT NULL, scopes TEXT NOT NULL,"
    " jwks TEXT NOT NULL, secret_hash BLOB NOT NULL, kind INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS once("
    " hash BLOB PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS once_by_end ON once(until_ms);"
    "CREATE TABLE IF NOT EXISTS client_launch("
    " id TEXT PRIMARY KEY, url TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS client_more("
    " id TEXT PRIMARY KEY, jwks_uri TEXT NOT NULL, without_pkce INTEGER NOT NULL,"
    " introspects INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS client_keys("
    " id TEXT PRIMARY KEY, jwks TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "DROP TABLE IF EXISTS grant_code;" /* of an earlier layout: those apps ask again */
    "DROP TABLE IF EXISTS refresh;"
    "CREATE TABLE IF NOT EXISTS consent_code("
    " hash BLOB PRIMARY KEY, " GRANT_TYPES ", redirect TEXT NOT NULL, challenge TEXT NOT NULL,"
    " until_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS consent_code_by_end ON consent_code(until_ms);"
    "CREATE INDEX IF NOT EXISTS consent_code_by_family ON consent_code(family);"
    "CREATE TABLE IF NOT EXISTS renewal("
    " hash BLOB PRIMARY KEY, " GRANT_TYPES ", until_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS renewal_by_family ON renewal(family);"
    "CREATE INDEX IF NOT EXISTS renewal_by_user ON renewal(user) WHERE user <> '';"
    "CREATE TABLE IF NOT EXISTS family_end("
    " family TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS family_end_by_time ON family_end(at_ms);"
    "CREATE TABLE IF NOT EXISTS code("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS try("
    " who TEXT NOT NULL, at_ms INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(who, at_ms)) WITHOUT ROWID;"
    "DROP TABLE IF EXISTS session;" /* of an earlier layout: those people sign in again */
    "CREATE TABLE IF NOT EXISTS sitting("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, method TEXT NOT NULL, csrf TEXT NOT NULL,"
    " begun_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, full_ms INTEGER NOT NULL,"
    " place TEXT NOT NULL, locked_ms INTEGER NOT NULL, ready_ms INTEGER NOT NULL,"
    " held TEXT NOT NULL, held_ms INTEGER NOT NULL, acting TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sitting_by_user ON sitting(user);"
    "CREATE TABLE IF NOT EXISTS sitting_from("
    " hash BLOB PRIMARY KEY, address TEXT NOT NULL, agent TEXT NOT NULL, at_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sitting_from_by_time ON sitting_from(at_ms);"
    "CREATE INDEX IF NOT EXISTS sitting_by_place ON sitting(place) WHERE place <> '';";

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
        "INSERT INTO token(hash, user, client, scopes, patient, issued_ms, expires_ms, revoked_ms,"
        " family) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)", NULL },
    [PEOPLE_TOKEN_FIND] = { "a token and its user",
        "SELECT t.client, t.scopes, t.patient, t.issued_ms, t.expires_ms, t.revoked_ms,"
        " t.user <> '' AND u.name IS NULL, t.family, u.name, u.display, u.role, u.who, u.areas,"
        " u.disabled,"
        " u.created_ms FROM token t LEFT JOIN user u ON u.name = t.user WHERE t.hash = ?1",
        "SEARCH t USING PRIMARY KEY" },
    [PEOPLE_TOKEN_REVOKE] = { "revoke a token",
        "UPDATE token SET revoked_ms = ?2 WHERE hash = ?1 AND revoked_ms = 0", NULL },
    [PEOPLE_TOKEN_GIVE_UP] = { "an app gives up a token of its own",
        "UPDATE token SET revoked_ms = ?2 WHERE hash = ?1 AND client = ?3 AND revoked_ms = 0",
        NULL },
    [PEOPLE_TOKENS_OF] = { "revoke all tokens of a person",
        "UPDATE token SET revoked_ms = ?2 WHERE user = ?1 AND user <> '' AND revoked_ms = 0",
        NULL },
    [PEOPLE_RENEWALS_OF] = { "use up all refresh tokens of a person",
        "UPDATE renewal SET used_ms = ?2 WHERE user = ?1 AND user <> '' AND used_ms = 0", NULL },
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
        "INSERT INTO sitting(hash, user, method, csrf, begun_ms, seen_ms, full_ms, place,"
        " locked_ms, ready_ms, held, held_ms, acting)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6, 0, 0, '', 0, '')", NULL },
    [PEOPLE_SESSION_FIND] = { "a session, its user and where it is",
        "SELECT s.method, s.csrf, s.begun_ms, s.seen_ms, s.full_ms, s.locked_ms, s.place,"
        " s.held, s.held_ms, s.acting, w.area, w.zone,"
        " u.name, u.display, u.role, u.who, u.areas, u.disabled, u.created_ms FROM sitting s"
        " JOIN user u ON u.name = s.user LEFT JOIN workstation w ON w.id = s.place"
        " WHERE s.hash = ?1",
        "SEARCH s USING PRIMARY KEY" },
    [PEOPLE_SESSION_SEEN] = { "a session was used",
        "UPDATE sitting SET seen_ms = ?2 WHERE hash = ?1", NULL },
    [PEOPLE_SESSION_FULL] = { "a session's person has proved themselves again",
        "UPDATE sitting SET full_ms = ?2, seen_ms = ?2 WHERE hash = ?1", NULL },
    [PEOPLE_SESSION_LOCK] = { "lock a session",
        "UPDATE sitting SET locked_ms = ?2 WHERE hash = ?1 AND locked_ms = 0"
        " RETURNING user", NULL },
    [PEOPLE_SESSION_HOLD] = { "which patient a session has on screen",
        "UPDATE sitting SET held = ?2, held_ms = ?3 WHERE hash = ?1", NULL },
    [PEOPLE_SESSION_ACT] = { "for whom a session acts",
        "UPDATE sitting SET acting = ?2 WHERE hash = ?1", NULL },
    [PEOPLE_SESSION_END] = { "end a session",
        "DELETE FROM sitting WHERE hash = ?1 RETURNING user", NULL },
    [PEOPLE_SESSION_FROM] = { "where a session was begun from",
        "INSERT INTO sitting_from(hash, address, agent, at_ms) VALUES(?1, ?2, ?3, ?4)"
        " ON CONFLICT DO NOTHING", NULL },
    [PEOPLE_SESSION_FROM_FORGET] = { "forget where ended sessions were",
        "DELETE FROM sitting_from WHERE at_ms < ?1", NULL },
    [PEOPLE_SESSION_LIST] = { "the sessions of a person, the newest first",
        "SELECT s.hash, s.method, s.begun_ms, s.seen_ms, s.locked_ms, coalesce(w.name, ''),"
        " coalesce(f.address, ''), coalesce(f.agent, ''), w.zone FROM sitting s"
        " LEFT JOIN workstation w ON w.id = s.place LEFT JOIN sitting_from f ON f.hash = s.hash"
        " WHERE s.user = ?1 AND s.begun_ms > ?2 ORDER BY s.begun_ms DESC",
        "SEARCH s USING INDEX sitting_by_user" },
    [PEOPLE_SESSION_LIVE] = { "is a person signed in somewhere",
        "SELECT 1 FROM sitting WHERE user = ?1 AND begun_ms > ?2 LIMIT 1",
        "SEARCH sitting USING INDEX sitting_by_user" },
    [PEOPLE_SESSION_STANDS] = { "is a session open still",
        "SELECT 1 FROM sitting s JOIN user u ON u.name = s.user"
        " WHERE s.hash = ?1 AND s.locked_ms = 0 AND u.disabled = 0",
        "SEARCH s USING PRIMARY KEY" },
    [PEOPLE_SESSION_END_OWN] = { "end one session of a person",
        "DELETE FROM sitting WHERE hash = ?1 AND user = ?2 RETURNING user", NULL },
    [PEOPLE_SESSIONS_OTHER] = { "end the other sessions of a person",
        "DELETE FROM sitting WHERE user = ?1 AND hash <> ?2 RETURNING user", NULL },
    [PEOPLE_SESSIONS_OF] = { "end all sessions of a person",
        "DELETE FROM sitting WHERE user = ?1 RETURNING user", NULL },
    [PEOPLE_CLIENT_ADD] = { "register an app",
        "INSERT INTO client(id, name, redirects, scopes, jwks, secret_hash, kind, disabled)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0) ON CONFLICT DO NOTHING", NULL },
    [PEOPLE_CLIENT_FIND] = { "an app by id",
        "SELECT c.id, c.name, c.redirects, c.scopes, c.jwks, c.secret_hash, c.kind, c.disabled,"
        " coalesce(l.url, ''), coalesce(m.jwks_uri, ''), coalesce(m.without_pkce, 0),"
        " coalesce(m.introspects, 0) FROM client c LEFT JOIN client_launch l ON l.id = c.id"
        " LEFT JOIN client_more m ON m.id = c.id WHERE c.id = ?1",
        "SEARCH c USING PRIMARY KEY" },
    [PEOPLE_CLIENT_LIST] = { "all apps, by id",
        "SELECT c.id, c.name, c.redirects, c.scopes, c.jwks, c.secret_hash, c.kind, c.disabled,"
        " coalesce(l.url, ''), coalesce(m.jwks_uri, ''), coalesce(m.without_pkce, 0),"
        " coalesce(m.introspects, 0) FROM client c LEFT JOIN client_launch l ON l.id = c.id"
        " LEFT JOIN client_more m ON m.id = c.id ORDER BY c.id", "SCAN c" },
    [PEOPLE_CLIENT_DISABLE] = { "an app may ask for nothing any more",
        "UPDATE client SET disabled = 1 WHERE id = ?1 AND disabled = 0", NULL },
    [PEOPLE_CLIENT_TOKENS] = { "revoke all that an app holds",
        "UPDATE token SET revoked_ms = ?2 WHERE client = ?1 AND revoked_ms = 0", NULL },
    [PEOPLE_CLIENT_RENEWALS] = { "use up all refresh tokens of an app",
        "UPDATE renewal SET used_ms = ?2 WHERE client = ?1 AND used_ms = 0", NULL },
    [PEOPLE_CLIENT_CODES] = { "use up all codes of an app",
        "UPDATE consent_code SET used_ms = ?2 WHERE client = ?1 AND used_ms = 0", NULL },
    [PEOPLE_CLIENT_MORE] = { "what else an app may do, and where it shows its keys",
        "INSERT INTO client_more(id, jwks_uri, without_pkce, introspects) VALUES(?1, ?2, ?3, ?4)",
        NULL },
    [PEOPLE_KEYS_FIND] = { "the keys an app showed lately",
        "SELECT jwks FROM client_keys WHERE id = ?1 AND at_ms > ?2",
        "SEARCH client_keys USING PRIMARY KEY" },
    [PEOPLE_KEYS_KEEP] = { "keep the keys an app shows",
        "INSERT INTO client_keys(id, jwks, at_ms) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE"
        " SET jwks = excluded.jwks, at_ms = excluded.at_ms", NULL },
    [PEOPLE_CLIENT_COUNT] = { "how many apps registered themselves",
        "SELECT count(*) FROM client WHERE kind = 0 AND length(id) = 43", "SCAN client" },
    [PEOPLE_LAUNCH_ADD] = { "where an app is launched",
        "INSERT INTO client_launch(id, url) VALUES(?1, ?2)", NULL },
    [PEOPLE_ONCE] = { "note what may be used once",
        "INSERT INTO once(hash, until_ms) VALUES(?1, ?2) ON CONFLICT DO NOTHING", NULL },
    [PEOPLE_ONCE_FORGET] = { "forget what is too old to come back",
        "DELETE FROM once WHERE until_ms < ?1", NULL },
    [PEOPLE_GRANT_FORGET] = { "forget codes long past",
        "DELETE FROM consent_code WHERE until_ms < ?1", NULL },
    [PEOPLE_GRANT_ADD] = { "keep an authorization code's hash",
        "INSERT INTO consent_code(hash, " GRANT_COLUMNS ", redirect, challenge, until_ms, used_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0)", NULL },
    [PEOPLE_GRANT_FIND] = { "an authorization code",
        "SELECT " GRANT_COLUMNS ", redirect, challenge, until_ms, used_ms FROM consent_code"
        " WHERE hash = ?1", "SEARCH consent_code USING PRIMARY KEY" },
    [PEOPLE_GRANT_USE] = { "use up an authorization code",
        "UPDATE consent_code SET used_ms = ?2 WHERE hash = ?1", NULL },
    [PEOPLE_REFRESH_ADD] = { "keep a refresh token's hash",
        "INSERT INTO renewal(hash, " GRANT_COLUMNS ", until_ms, used_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0)", NULL },
    [PEOPLE_REFRESH_FIND] = { "a refresh token",
        "SELECT " GRANT_COLUMNS ", until_ms, used_ms FROM renewal WHERE hash = ?1",
        "SEARCH renewal USING PRIMARY KEY" },
    [PEOPLE_REFRESH_USE] = { "use up a refresh token",
        "UPDATE renewal SET used_ms = ?2 WHERE hash = ?1", NULL },
    [PEOPLE_FAMILY_TOKENS] = { "revoke the access tokens of one consent",
        "UPDATE token SET revoked_ms = ?2 WHERE family = ?1 AND family <> '' AND revoked_ms = 0",
        NULL },
    [PEOPLE_FAMILY_REFRESH] = { "use up the refresh tokens of one consent",
        "UPDATE renewal SET used_ms = ?2 WHERE family = ?1 AND used_ms = 0", NULL },
    [PEOPLE_FAMILY_END] = { "a consent has ended",
        "INSERT INTO family_end(family, at_ms) VALUES(?1, ?2) ON CONFLICT DO NOTHING", NULL },
    [PEOPLE_FAMILY_ENDED] = { "has a consent ended meanwhile",
        "SELECT 1 FROM family_end WHERE family = ?1", "SEARCH family_end USING PRIMARY KEY" },
    [PEOPLE_FAMILY_FORGET] = { "forget consents that ended long ago",
        "DELETE FROM family_end WHERE at_ms < ?1", NULL },
    [PEOPLE_GRANT_CONTEXT] = { "what was on screen when an app got its tokens",
        "SELECT encounter, context FROM renewal WHERE family = ?1"
        " UNION ALL SELECT encounter, context FROM consent_code WHERE family = ?1 LIMIT 1",
        "SEARCH renewal USING INDEX renewal_by_family" },
    [PEOPLE_ALLOWED] = { "the apps a person allowed that may still do something",
        "SELECT g.id, g.client, coalesce(c.name, ''), max(g.scopes), max(g.patient),"
        " min(g.since_ms), max(g.until_ms), max(g.keeps) FROM ("
        "SELECT family AS id, client, scopes, patient, 0 AS keeps, expires_ms AS until_ms,"
        " issued_ms AS since_ms FROM token WHERE user = ?1 AND user <> '' AND revoked_ms = 0"
        " AND expires_ms > ?2 AND family <> '' UNION ALL "
        "SELECT r.family, r.client, r.scopes, r.patient, 1, r.until_ms, coalesce((SELECT"
        " min(t.issued_ms) FROM token t WHERE t.family = r.family AND t.family <> ''), ?2)"
        " FROM renewal r WHERE r.user = ?1 AND r.user <> '' AND r.used_ms = 0"
        " AND r.until_ms > ?2) g LEFT JOIN client c ON c.id = g.client"
        " GROUP BY g.id, g.client ORDER BY min(g.since_ms) DESC",
        "SEARCH token USING INDEX token_by_user" },
    [PEOPLE_ALLOWED_OWN] = { "is this consent the person's",
        "SELECT client FROM token WHERE family = ?1 AND family <> '' AND user = ?2 UNION ALL"
        " SELECT client FROM renewal WHERE family = ?1 AND user = ?2 LIMIT 1",
        "SEARCH token USING INDEX token_by_family" },
    [PEOPLE_SQL_COUNT] = { 0 },
};
