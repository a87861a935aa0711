/* SPDX-License-Identifier: Apache-2.0 */
#include "store/own.h"
#include "store/state.h"

const char store_schema[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE ident (rid INTEGER PRIMARY KEY, id TEXT NOT NULL, vid INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, pid INTEGER NOT NULL, at INTEGER NOT NULL, deleted INTEGER NOT NULL,"
    " labelled INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX ident_by_id ON ident (rid >> 36, id);"
    "CREATE TABLE version (seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, vid INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, method INTEGER NOT NULL, dict INTEGER NOT NULL,"
    " hole INTEGER NOT NULL, body BLOB);"
    "CREATE UNIQUE INDEX version_by_rid ON version (rid, vid);"
    "CREATE INDEX version_by_type ON version (rid >> 36, seq);"
    "CREATE TABLE dict (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE code (cid INTEGER PRIMARY KEY, system TEXT NOT NULL, code TEXT NOT NULL);"
    "CREATE UNIQUE INDEX code_by_text ON code (code, system);"
    "CREATE TABLE claim (kind TEXT NOT NULL, key TEXT NOT NULL, rid INTEGER NOT NULL,"
    " pid INTEGER NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;"
    "CREATE TABLE tally (resource INTEGER PRIMARY KEY, next INTEGER NOT NULL,"
    " live INTEGER NOT NULL, versions INTEGER NOT NULL);"
    "CREATE TABLE act (seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, who TEXT, why TEXT);";

#define IDENT "i.rid, i.vid, i.seq, i.pid, i.deleted, i.labelled"
#define VERSION "v.seq, v.vid, v.at_ms, v.method, v.dict, v.hole, v.body, i.id, i.at"
#define WHOLE "SELECT " IDENT ", " VERSION " FROM "

/* clang-format off */
const struct stmt store_sql[] = {
    [SQL_META_GET] = { "meta value", "SELECT value FROM meta WHERE name = ?1",
        "SEARCH meta USING PRIMARY KEY" },
    [SQL_META_PUT] = { "set meta value", "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", NULL },

    [SQL_IDENT_FIND] = { "find an id",
        "SELECT " IDENT " FROM ident i WHERE i.rid >> 36 = ?1 AND i.id = ?2",
        "SEARCH i USING INDEX ident_by_id" },
    [SQL_IDENT_BY_RID] = { "ident of a rid", "SELECT " IDENT ", i.id FROM ident i WHERE i.rid = ?1",
        "SEARCH i USING INTEGER PRIMARY KEY" },
    [SQL_IDENT_MENTION] = { "mention an id",
        "INSERT INTO ident VALUES (?1, ?2, 0, 0, ?1, ?3, 1, 0)", NULL },
    [SQL_IDENT_PUT] = { "set the current version",
        "INSERT INTO ident VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (rid) DO UPDATE SET "
        "vid = ?3, seq = ?4, pid = ?5, at = ?6, deleted = ?7, labelled = ?8", NULL },

    [SQL_READ] = { "read by id",
        WHOLE "ident i LEFT JOIN version v ON v.seq = i.seq WHERE i.rid >> 36 = ?1 AND i.id = ?2",
        "SEARCH i USING INDEX ident_by_id" },
    [SQL_READ_RID] = { "read by rid",
        WHOLE "ident i LEFT JOIN version v ON v.seq = i.seq WHERE i.rid = ?1",
        "SEARCH i USING INTEGER PRIMARY KEY" },
    [SQL_LAST_RID] = { "last rid below", "SELECT max(rid) FROM ident WHERE rid < ?1",
        "SEARCH ident USING INTEGER PRIMARY KEY" },
    [SQL_VREAD] = { "read a version",
        WHOLE "ident i JOIN version v ON v.rid = i.rid AND v.vid = ?3 "
        "WHERE i.rid >> 36 = ?1 AND i.id = ?2", "SEARCH v USING INDEX version_by_rid" },

    [SQL_NEWEST_BODY] = { "the newest body of a resource",
        WHOLE "version v JOIN ident i ON i.rid = v.rid WHERE v.rid = ?1 AND v.body IS NOT NULL "
        "ORDER BY v.vid DESC LIMIT 1", "SEARCH v USING INDEX version_by_rid" },

    [SQL_LABELLED] = { "does the current version carry a label",
        "SELECT 1 FROM code c JOIN tok t ON t.slot = ?1 AND t.cid = c.cid AND t.at = ?2 AND "
        "t.rid = ?3 WHERE c.code = ?4 AND c.system = ?5", "SEARCH t USING PRIMARY KEY" },

    [SQL_VERSION_PUT] = { "append to the log",
        "INSERT INTO version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", NULL },
    [SQL_ACT_PUT] = { "note who wrote", "INSERT INTO act VALUES (?1, ?2, ?3, ?4)", NULL },

    [SQL_CODE_FIND] = { "find a code", "SELECT cid FROM code WHERE code = ?1 AND system = ?2",
        "SEARCH code USING COVERING INDEX code_by_text" },
    [SQL_CODE_PUT] = { "mint a code", "INSERT OR IGNORE INTO code VALUES (?1, ?2, ?3)", NULL },
    [SQL_CODE_LAST] = { "last code", "SELECT ifnull(max(cid), 0) FROM code", NULL },
    [SQL_UNIT_FIND] = { "find a unit",
        "SELECT uid FROM unit WHERE system = ?1 AND code = ?2 AND human = ?3", NULL },
    [SQL_UNIT_PUT] = { "mint a unit",
        "INSERT INTO unit (system, code, human) VALUES (?1, ?2, ?3) RETURNING uid", NULL },

    [SQL_CLAIM_FIND] = { "who holds a claim",
        "SELECT rid FROM claim WHERE kind = ?1 AND key = ?2", "SEARCH claim USING PRIMARY KEY" },
    [SQL_CLAIM_PUT] = { "make a claim", "INSERT INTO claim VALUES (?1, ?2, ?3, ?4)", NULL },
    [SQL_CLAIM_DROP] = { "give up a claim",
        "DELETE FROM claim WHERE kind = ?1 AND key = ?2 AND rid = ?3",
        "SEARCH claim USING PRIMARY KEY" },

    [SQL_TALLY_ALL] = { "tallies", "SELECT resource, next, live, versions FROM tally", NULL },
    [SQL_TALLY_PUT] = { "set a tally",
        "INSERT OR REPLACE INTO tally VALUES (?1, ?2, ?3, ?4)", NULL },
    [SQL_SEQ_LAST] = { "end of the log",
        "SELECT seq, at_ms FROM version ORDER BY seq DESC LIMIT 1", NULL },

    /* ?2: seq below which; ?3: lowest seq; ?4: rows */
    [SQL_HISTORY_RID] = { "history of one resource",
        WHOLE "version v JOIN ident i ON i.rid = v.rid WHERE v.rid = ?1 AND v.seq < ?2 "
        "AND v.seq >= ?3 ORDER BY v.vid DESC LIMIT ?4", "SEARCH v USING INDEX version_by_rid" },
    [SQL_HISTORY_TYPE] = { "history of a type",
        WHOLE "version v JOIN ident i ON i.rid = v.rid WHERE v.rid >> 36 = ?1 AND v.seq < ?2 "
        "AND v.seq >= ?3 ORDER BY v.seq DESC LIMIT ?4", "SEARCH v USING INDEX version_by_type" },
    [SQL_HISTORY_ALL] = { "history of everything",
        WHOLE "version v JOIN ident i ON i.rid = v.rid WHERE v.seq < ?2 "
        "AND v.seq >= ?3 AND ?1 IS NULL ORDER BY v.seq DESC LIMIT ?4",
        "SEARCH v USING INTEGER PRIMARY KEY" },
    [SQL_SEQ_AT] = { "an instant's place in the log", "SELECT at_ms FROM version WHERE seq = ?1",
        "SEARCH version USING INTEGER PRIMARY KEY" },
    [SQL_LOG] = { "follow the log",
        WHOLE "version v JOIN ident i ON i.rid = v.rid WHERE v.seq > ?1 ORDER BY v.seq LIMIT ?2",
        "SEARCH v USING INTEGER PRIMARY KEY" },
    [SQL_SCAN] = { "walk a type",
        WHOLE "ident i JOIN version v ON v.seq = i.seq WHERE i.rid > ?1 AND i.rid <= ?2 "
        "AND i.deleted = 0 AND i.seq >= ?3 ORDER BY i.rid",
        "SEARCH i USING INTEGER PRIMARY KEY" },
    [SQL_COUNT_RID] = { "versions of one resource",
        "SELECT count(*) FROM version WHERE rid = ?1 AND seq >= ?2",
        "SEARCH version USING COVERING INDEX version_by_rid" },
    [SQL_COUNT_TYPE] = { "versions of a type",
        "SELECT count(*) FROM version WHERE rid >> 36 = ?1 AND seq >= ?2",
        "SEARCH version USING INDEX version_by_type" },
    [SQL_COUNT_ALL] = { "versions of everything",
        "SELECT ifnull(max(seq) - ?2 + 1, 0) FROM version WHERE ?1 IS NULL", NULL },

    [SQL_DICT_GET] = { "dictionaries",
        "SELECT id, bytes FROM dict WHERE id > ?1 ORDER BY id", NULL },
    [SQL_DICT_PUT] = { "keep a dictionary", "INSERT INTO dict (bytes) VALUES (?1) RETURNING id",
        NULL },
    [SQL_SAMPLES] = { "bodies to train on",
        "SELECT dict, body FROM version WHERE seq <= ?1 AND body IS NOT NULL ORDER BY seq",
        "SEARCH version USING INTEGER PRIMARY KEY" },
    [SQL_COUNT] = { 0 },
};
/* clang-format on */

err meta_get(struct ctx *cx, struct db *db, str name, str *out)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_META_GET);
    db_bind_text(stmt, 1, name);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = row ? arena_copy(cx->arena, db_text(stmt, 0)) : (str){ 0 };
    db_reset(stmt);
    return ERR_OK;
}

err meta_put(struct ctx *cx, struct db *db, str name, str value)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_META_PUT);
    db_bind_text(stmt, 1, name);
    db_bind_text(stmt, 2, value);
    return db_run(cx, stmt);
}

static err make_schema(struct ctx *cx, struct db *db)
{
    TRY(db_begin(cx, db, true));
    err wrong = db_exec(cx, db, store_schema);
    if (!wrong)
        wrong = db_exec(cx, db, index_schema);
    if (!wrong)
        wrong = db_exec(cx, db, words_schema);
    if (!wrong)
        wrong = db_exec(cx, db, own_schema);
    if (!wrong)
        wrong = meta_put(cx, db, S("schema"), arena_printf(cx->arena, "%d", STORE_SCHEMA));
    if (wrong) {
        db_rollback(db);
        return wrong;
    }
    return db_commit(cx, db);
}

static const struct stmt look_sql[] = {
    { "is there a schema", "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", NULL },
    { 0 },
};

err schema_open(struct ctx *cx, struct db *db, bool create)
{
    struct db_stmt *look = db_use(cx, db, look_sql, 0);
    bool row;
    TRY(db_step(cx, look, &row));
    bool there = db_int(look, 0) > 0;
    db_reset(look);
    if (!there && !create)
        return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 },
                        S("there is no record in this data folder yet; start with frontline import "
                          "or frontline serve"));
    if (!there)
        return make_schema(cx, db);
    str number;
    TRY(meta_get(cx, db, S("schema"), &number));
    uint64_t schema = 0;
    if (!str_to_u64(number, &schema) || schema != STORE_SCHEMA)
        return ctx_failf(cx, ERR_IO, (str){ 0 },
                         "the data folder has schema %.*s and this program knows %d; use the "
                         "program that wrote it, export, and import here",
                         STR_ARG(number), STORE_SCHEMA);
    return ERR_OK;
}
