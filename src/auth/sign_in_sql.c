/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/sign_in_sql.h"

const char sign_in_schema[] =
    "CREATE TABLE IF NOT EXISTS handle("
    " user TEXT PRIMARY KEY, handle BLOB NOT NULL UNIQUE) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ceremony("
    " hash BLOB PRIMARY KEY, kind INTEGER NOT NULL, user TEXT NOT NULL, until_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS ceremony_by_end ON ceremony(until_ms);"
    "CREATE TABLE IF NOT EXISTS passkey("
    " id BLOB PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, alg INTEGER NOT NULL,"
    " key BLOB NOT NULL, count INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " attested INTEGER NOT NULL, aaguid BLOB NOT NULL, added_ms INTEGER NOT NULL,"
    " used_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS passkey_by_user ON passkey(user);"
    "CREATE TABLE IF NOT EXISTS workstation("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL, area TEXT NOT NULL, zone TEXT NOT NULL,"
    " code_hash BLOB, cookie_hash BLOB, reader_hash BLOB NOT NULL, ended_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE UNIQUE INDEX IF NOT EXISTS workstation_by_cookie ON workstation(cookie_hash);"
    "CREATE UNIQUE INDEX IF NOT EXISTS workstation_by_reader ON workstation(reader_hash);"
    "CREATE TABLE IF NOT EXISTS badge("
    " hash BLOB PRIMARY KEY, user TEXT NOT NULL, kind TEXT NOT NULL, added_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS badge_by_user ON badge(user);"
    "CREATE TABLE IF NOT EXISTS trip("
    " hash BLOB PRIMARY KEY, door TEXT NOT NULL, browser BLOB NOT NULL, nonce TEXT NOT NULL,"
    " verifier TEXT NOT NULL, next TEXT NOT NULL, wanted TEXT NOT NULL,"
    " until_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS trip_by_end ON trip(until_ms);"
    "CREATE TABLE IF NOT EXISTS link("
    " issuer TEXT NOT NULL, sub TEXT NOT NULL, user TEXT NOT NULL, nhs_number TEXT NOT NULL,"
    " PRIMARY KEY(issuer, sub)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS link_by_user ON link(user);";

#define KEY_COLUMNS                                                                                \
    "k.id, k.user, k.name, k.alg, k.key, k.count, k.flags, k.attested, k.added_ms, k.used_ms,"     \
    " k.ended_ms, k.why"

const struct stmt sign_in_sql[] = {
    [SIGN_IN_HANDLE] = { "the random name a person's keys know them by",
        "SELECT handle FROM handle WHERE user = ?1", "SEARCH handle USING PRIMARY KEY" },
    [SIGN_IN_HANDLE_ADD] = { "give a person a handle",
        "INSERT INTO handle(user, handle) VALUES(?1, ?2) ON CONFLICT DO NOTHING", NULL },
    [SIGN_IN_HANDLE_USER] = { "whose handle",
        "SELECT user FROM handle WHERE handle = ?1", "SEARCH handle USING" },
    [SIGN_IN_CEREMONY_ADD] = { "keep a challenge's hash",
        "INSERT INTO ceremony(hash, kind, user, until_ms) VALUES(?1, ?2, ?3, ?4)", NULL },
    [SIGN_IN_CEREMONY_USE] = { "use up a challenge",
        "DELETE FROM ceremony WHERE hash = ?1 AND kind = ?2 AND until_ms > ?3 RETURNING user",
        NULL },
    [SIGN_IN_CEREMONY_FORGET] = { "forget challenges that are over",
        "DELETE FROM ceremony WHERE until_ms <= ?1", NULL },
    [SIGN_IN_KEY_ADD] = { "keep a passkey",
        "INSERT INTO passkey(id, user, name, alg, key, count, flags, attested, aaguid, added_ms,"
        " used_ms, ended_ms, why) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, '')"
        " ON CONFLICT DO NOTHING", NULL },
    [SIGN_IN_KEY_FIND] = { "a passkey by its id",
        "SELECT " KEY_COLUMNS ", h.handle FROM passkey k LEFT JOIN handle h ON h.user = k.user"
        " WHERE k.id = ?1", "SEARCH k USING PRIMARY KEY" },
    [SIGN_IN_KEYS_OF] = { "the passkeys of a person",
        "SELECT " KEY_COLUMNS " FROM passkey k WHERE k.user = ?1 ORDER BY k.added_ms",
        "SEARCH k USING INDEX passkey_by_user" },
    [SIGN_IN_KEY_USED] = { "a passkey was used: its counter and flags move on",
        "UPDATE passkey SET count = ?2, flags = ?3, used_ms = ?4"
        " WHERE id = ?1 AND ended_ms = 0 AND (count = 0 AND ?2 = 0 OR count < ?2)", NULL },
    [SIGN_IN_KEY_END] = { "end a passkey",
        "UPDATE passkey SET ended_ms = ?3, why = ?4 WHERE id = ?1 AND user = ?2 AND ended_ms = 0",
        NULL },
    [SIGN_IN_PLACE_ADD] = { "add a workstation",
        "INSERT INTO workstation(id, name, area, zone, code_hash, cookie_hash, reader_hash,"
        " ended_ms) VALUES(?1, ?2, ?3, ?4, ?5, NULL, ?6, 0) ON CONFLICT DO NOTHING", NULL },
    [SIGN_IN_PLACE_LIST] = { "all workstations",
        "SELECT id, name, area, zone, cookie_hash IS NOT NULL FROM workstation WHERE ended_ms = 0"
        " ORDER BY id", "SCAN workstation" },
    [SIGN_IN_PLACE_BY_HASH] = { "the workstation a browser stands on",
        "SELECT id, name, area, zone FROM workstation WHERE cookie_hash = ?1 AND ended_ms = 0",
        "SEARCH workstation USING INDEX workstation_by_cookie" },
    [SIGN_IN_PLACE_CLAIM] = { "a browser becomes a workstation",
        "UPDATE workstation SET cookie_hash = ?2, code_hash = NULL"
        " WHERE id = ?1 AND code_hash = ?3 AND ended_ms = 0", NULL },
    [SIGN_IN_PLACE_READER] = { "the workstation a badge reader stands at",
        "SELECT id, name, area, zone FROM workstation WHERE reader_hash = ?1 AND ended_ms = 0",
        "SEARCH workstation USING INDEX workstation_by_reader" },
    [SIGN_IN_PLACE_END] = { "take a workstation away",
        "UPDATE workstation SET ended_ms = ?2, cookie_hash = NULL WHERE id = ?1 AND ended_ms = 0",
        NULL },
    [SIGN_IN_BADGE_ADD] = { "give a person a badge",
        "INSERT INTO badge(hash, user, kind, added_ms, ended_ms) VALUES(?1, ?2, ?3, ?4, 0)"
        " ON CONFLICT DO NOTHING", NULL },
    [SIGN_IN_BADGE_FIND] = { "whose badge",
        "SELECT b.user FROM badge b JOIN user u ON u.name = b.user"
        " WHERE b.hash = ?1 AND b.ended_ms = 0 AND u.disabled = 0",
        "SEARCH b USING PRIMARY KEY" },
    [SIGN_IN_BADGE_END] = { "end a person's badges",
        "UPDATE badge SET ended_ms = ?2 WHERE user = ?1 AND ended_ms = 0", NULL },
    [SIGN_IN_BADGES_OF] = { "a person's badges",
        "SELECT count(*) FROM badge WHERE user = ?1 AND ended_ms = 0",
        "SEARCH badge USING INDEX badge_by_user" },
    [SIGN_IN_SITTING_AT] = { "who sits at a workstation",
        "SELECT s.user, u.display, s.full_ms, s.begun_ms, s.locked_ms, s.seen_ms FROM sitting s"
        " JOIN user u ON u.name = s.user WHERE s.place = ?1 ORDER BY s.seen_ms DESC LIMIT 1",
        "SEARCH s USING INDEX sitting_by_place" },
    [SIGN_IN_SITTING_OF] = { "where a person sits",
        "SELECT s.hash, s.place, s.full_ms, s.begun_ms, s.locked_ms, s.held, s.seen_ms, w.area"
        " FROM sitting s LEFT JOIN workstation w ON w.id = s.place"
        " WHERE s.user = ?1 AND s.place <> '' ORDER BY s.full_ms DESC LIMIT 1",
        "SEARCH s USING INDEX sitting_by_user" },
    [SIGN_IN_SITTING_MOVE] = { "a session goes with its person to another workstation",
        "UPDATE sitting SET hash = ?2, place = ?3, ready_ms = ?4, seen_ms = ?4, locked_ms = ?4,"
        " held = ?5 WHERE hash = ?1", NULL },
    [SIGN_IN_SITTING_LOCK_AT] = { "lock what is open at a workstation",
        "UPDATE sitting SET locked_ms = ?2, ready_ms = 0 WHERE place = ?1 AND locked_ms = 0"
        " RETURNING user", NULL },
    [SIGN_IN_SITTING_READY] = { "a session waits for its workstation's browser",
        "SELECT s.hash, s.user, s.held, s.held_ms FROM sitting s JOIN user u ON u.name = s.user"
        " WHERE s.place = ?1 AND s.ready_ms > ?2 AND u.disabled = 0",
        "SEARCH s USING INDEX sitting_by_place" },
    [SIGN_IN_SITTING_TAKE] = { "the workstation's browser takes its session",
        "UPDATE sitting SET hash = ?2, ready_ms = 0, locked_ms = 0, seen_ms = ?3"
        " WHERE hash = ?1 AND ready_ms > 0", NULL },
    [SIGN_IN_SITTING_CLEAR] = { "a person sits at one workstation",
        "DELETE FROM sitting WHERE user = ?1 AND place <> '' RETURNING user", NULL },
    [SIGN_IN_SITTING_FORGET] = { "forget sessions past their absolute end",
        "DELETE FROM sitting WHERE begun_ms < ?1 RETURNING user", NULL },
    [SIGN_IN_TRIP_ADD] = { "somebody went to another provider to sign in",
        "INSERT INTO trip(hash, door, browser, nonce, verifier, next, wanted, until_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", NULL },
    [SIGN_IN_TRIP_USE] = { "and came back",
        "DELETE FROM trip WHERE hash = ?1 AND until_ms > ?2"
        " RETURNING door, browser, nonce, verifier, next, wanted", NULL },
    [SIGN_IN_TRIP_FORGET] = { "forget trips nobody came back from",
        "DELETE FROM trip WHERE until_ms <= ?1", NULL },
    [SIGN_IN_LINK_ADD] = { "who at a provider is who here",
        "INSERT INTO link(issuer, sub, user, nhs_number) VALUES(?1, ?2, ?3, ?4) ON CONFLICT"
        " DO UPDATE SET user = excluded.user, nhs_number = excluded.nhs_number", NULL },
    [SIGN_IN_LINK_FIND] = { "who here is somebody at a provider",
        "SELECT user FROM link WHERE issuer = ?1 AND sub = ?2", "SEARCH link USING PRIMARY KEY" },
    [SIGN_IN_LINK_OF] = { "the NHS number a provider verified for a person",
        "SELECT nhs_number FROM link WHERE user = ?1 AND nhs_number <> ''",
        "SEARCH link USING INDEX link_by_user" },
    [SIGN_IN_PERSON_UPDATE] = { "what a provider says of a person now",
        "UPDATE user SET role = ?2, display = ?3, who = ?4 WHERE name = ?1", NULL },
    [SIGN_IN_SQL_COUNT] = { 0 },
};
