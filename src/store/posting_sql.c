/* SPDX-License-Identifier: Apache-2.0 */
#include "store/posting_sql.h"
#include "store/posting.h"

#define HIT "SELECT at, rid, pid FROM "
#define TEXT "SELECT at, rid, pid, folded, exact "
#define AFTER " AND (at, rid) > (?3, ?4) ORDER BY at, rid LIMIT ?5"
#define BEFORE " AND (at, rid) < (?3, ?4) ORDER BY at DESC, rid DESC LIMIT ?5"

/* clang-format off */
const struct stmt posting_sql[] = {
    [TOK_ALL] = { "resources with a code", HIT "tok WHERE slot=?1 AND cid=?2",
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid=?)" },
    [TOK_SLOT] = { "resources with any code", HIT "tok WHERE slot=?1",
        "SEARCH tok USING PRIMARY KEY (slot=?)" },
    [TOK_COUNT] = { "count by code", "SELECT count(*) FROM tok WHERE slot=?1 AND cid=?2",
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid=?)" },
    [TOK_PROBE] = { "has a resource a code",
        "SELECT 1 FROM tok WHERE slot=?1 AND cid=?2 AND at=?3 AND rid=?4",
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid=? AND at=? AND rid=?)" },
    [TOK_NEXT] = { "next resources with a code", HIT "tok WHERE slot=?1 AND cid=?2" AFTER,
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid=? AND (at,rid)>(?,?))" },
    [TOK_NEXT_DESC] = { "last resources with a code", HIT "tok WHERE slot=?1 AND cid=?2" BEFORE,
        "SEARCH tok USING PRIMARY KEY (slot=? AND cid=? AND (at,rid)<(?,?))" },

    [REF_ALL] = { "resources that refer here", HIT "ref WHERE slot=?1 AND target=?2",
        "SEARCH ref USING PRIMARY KEY (slot=? AND target=?)" },
    [REF_SLOT] = { "resources that refer to a type",
        HIT "ref WHERE slot=?1 AND target BETWEEN ?2 AND ?3",
        "SEARCH ref USING PRIMARY KEY (slot=? AND target>? AND target<?)" },
    [REF_COUNT] = { "count references", "SELECT count(*) FROM ref WHERE slot=?1 AND target=?2",
        "SEARCH ref USING PRIMARY KEY (slot=? AND target=?)" },
    [REF_PROBE] = { "does a resource refer here",
        "SELECT 1 FROM ref WHERE slot=?1 AND target=?2 AND at=?3 AND rid=?4",
        "SEARCH ref USING PRIMARY KEY (slot=? AND target=? AND at=? AND rid=?)" },
    [REF_NEXT] = { "next resources that refer here", HIT "ref WHERE slot=?1 AND target=?2" AFTER,
        "SEARCH ref USING PRIMARY KEY (slot=? AND target=? AND (at,rid)>(?,?))" },
    [REF_NEXT_DESC] = { "last resources that refer here",
        HIT "ref WHERE slot=?1 AND target=?2" BEFORE,
        "SEARCH ref USING PRIMARY KEY (slot=? AND target=? AND (at,rid)<(?,?))" },

    [TXT_RANGE] = { "resources with a text",
        TEXT "FROM txt WHERE slot=?1 AND folded>=?2 AND folded<?3",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded>? AND folded<?)" },
    [TXT_FROM] = { "resources with a text from here on",
        TEXT "FROM txt WHERE slot=?1 AND folded>=?2",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded>?)" },
    [TXT_SLOT] = { "resources with any text", HIT "txt WHERE slot=?1",
        "SEARCH txt USING PRIMARY KEY (slot=?)" },
    [TXT_ONE] = { "resources with one text", TEXT "FROM txt WHERE slot=?1 AND folded=?2",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=?)" },
    [TXT_PROBE] = { "has a resource a text",
        TEXT "FROM txt WHERE slot=?1 AND folded=?2 AND at=?3 AND rid=?4",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=? AND at=? AND rid=?)" },
    [TXT_NEXT] = { "next resources with a text",
        TEXT "FROM txt WHERE slot=?1 AND folded=?2" AFTER,
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=? AND (at,rid)>(?,?))" },
    [TXT_NEXT_DESC] = { "last resources with a text",
        TEXT "FROM txt WHERE slot=?1 AND folded=?2" BEFORE,
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=? AND (at,rid)<(?,?))" },

    [DAY_RANGE] = { "resources with a date",
        "SELECT at, rid, pid, lo, hi FROM day WHERE slot=?1 AND span=?2 AND lo BETWEEN ?3 AND ?4",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND lo>? AND lo<?)" },
    [DAY_SLOT] = { "resources with any date", HIT "day WHERE slot=?1",
        "SEARCH day USING PRIMARY KEY (slot=?)" },
    [DAY_NEXT] = { "next resources by date", "SELECT at, rid, pid, lo, hi FROM day WHERE slot=?1 "
        "AND span=?2 AND (lo, rid) > (?3, ?4) AND hi>=?6 ORDER BY lo, rid LIMIT ?5",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND (lo,rid)>(?,?))" },
    [DAY_NEXT_DESC] = { "last resources by date",
        "SELECT at, rid, pid, lo, hi FROM day WHERE slot=?1 "
        "AND span=?2 AND (lo, rid) < (?3, ?4) AND hi>=?6 ORDER BY lo DESC, rid DESC LIMIT ?5",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND (lo,rid)<(?,?))" },

    [NUM_RANGE] = { "resources with a number",
        HIT "num WHERE slot=?1 AND by=?2 AND unit=?3 AND value>=?4 AND value<=?5",
        "SEARCH num USING PRIMARY KEY (slot=? AND by=? AND unit=? AND value>? AND value<?)" },
    [NUM_SLOT] = { "resources with any number", HIT "num WHERE slot=?1",
        "SEARCH num USING PRIMARY KEY (slot=?)" },
    [NUM_COUNT] = { "count by number", "SELECT count(*) FROM num "
        "WHERE slot=?1 AND by=?2 AND unit=?3 AND value>=?4 AND value<=?5",
        "SEARCH num USING PRIMARY KEY (slot=? AND by=? AND unit=? AND value>? AND value<?)" },

    [RID_ONE] = { "a resource by rid",
        "SELECT at, rid, pid FROM ident WHERE rid=?1 AND deleted=0",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid=?)" },
    [WORDS_IN] = { "resources with words",
        "SELECT i.at, i.rid, i.pid FROM words w CROSS JOIN ident i ON i.rid=w.rowid "
        "WHERE words MATCH ?1 AND w.rowid BETWEEN ?2 AND ?3 AND i.deleted=0",
        "SCAN w VIRTUAL TABLE INDEX" },
    [SEQ_RANGE] = { "resources last changed in a stretch of the log",
        "SELECT i.at, i.rid, i.pid FROM version v CROSS JOIN ident i ON i.rid=v.rid "
        "WHERE v.rid >> 36 = ?1 AND v.seq BETWEEN ?2 AND ?3 AND i.seq=v.seq AND i.deleted=0",
        "SEARCH v USING INDEX version_by_type (<expr>=? AND seq>? AND seq<?)" },
    [SEQ_OF] = { "when a resource was last changed", "SELECT seq FROM ident WHERE rid=?1",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid=?)" },
    [TYPE_NEXT] = { "next resources of a type",
        "SELECT at, rid, pid FROM ident WHERE rid>?1 AND rid<?2 AND deleted=0 "
        "ORDER BY rid LIMIT ?3",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" },
    [TYPE_UNDATED] = { "next undated resources of a type",
        "SELECT at, rid, pid FROM ident WHERE rid>?1 AND rid<?2 AND deleted=0 "
        "AND at=-9223372036854775808 ORDER BY rid LIMIT ?3",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" },
    [TYPE_UNDATED_DESC] = { "last undated resources of a type",
        "SELECT at, rid, pid FROM ident WHERE rid>?1 AND rid<?2 AND deleted=0 "
        "AND at=-9223372036854775808 ORDER BY rid DESC LIMIT ?3",
        "SEARCH ident USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" },
    [NUM_AFTER] = { "next resources by number", "SELECT at, rid, pid, value FROM num WHERE slot=?1 "
        "AND by=?2 AND unit=?3 AND value<=?4 AND (value, at, rid) > (?5, ?6, ?7) "
        "ORDER BY value, at, rid LIMIT ?8",
        "SEARCH num USING PRIMARY KEY (slot=? AND by=? AND unit=? AND (value,at,rid)>(?,?,?)" },
    [DAY_AFTER] = { "next resources by any date",
        "SELECT at, rid, pid, lo, hi FROM day WHERE slot=?1 AND span=?2 AND lo<=?3 "
        "AND (lo, rid, hi) > (?4, ?5, ?6) ORDER BY lo, rid, hi LIMIT ?7",
        "SEARCH day USING PRIMARY KEY (slot=? AND span=? AND (lo,rid,hi)>(?,?,?)" },
    { 0 },
};
