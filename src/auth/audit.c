/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit.h"
#include "auth/secret.h"
#include <sodium.h>
#include <zstd.h>

enum { BLOCK_BYTES_MAX = 256 << 20, PACK_FROM_BYTES = 4096, PACK_LEVEL = 1 };
enum audit_statement { AUDIT_ADD, AUDIT_LAST, AUDIT_WALK, AUDIT_ABOUT, AUDIT_AT,
                       AUDIT_TAKE, AUDIT_TAKEN };

/* bytes: of the texts, when they are packed; 0: they stand as they are. */
const char audit_schema[] =
    "CREATE TABLE IF NOT EXISTS audit_block("
    " n INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " texts BLOB NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS audit_of(pid INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(pid, n)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS audit_taken(id INTEGER PRIMARY KEY, serial INTEGER NOT NULL);";

const struct stmt audit_sql[] = {
    [AUDIT_ADD] = { "append to the audit chain",
        "INSERT INTO audit_block(n, count, bytes, texts, hash) VALUES(?1, ?2, ?3, ?4, ?5)", NULL },
    [AUDIT_LAST] = { "the end of the audit chain",
        "SELECT n, hash FROM audit_block ORDER BY n DESC LIMIT 1", "SCAN audit_block" },
    [AUDIT_WALK] = { "the whole audit chain",
        "SELECT n, count, bytes, texts, hash FROM audit_block ORDER BY n", "SCAN audit_block" },
    [AUDIT_ABOUT] = { "note whom a block concerns",
        "INSERT OR IGNORE INTO audit_of(pid, n) VALUES(?1, ?2)", NULL },
    [AUDIT_AT] = { "a block of the audit chain", "SELECT hash FROM audit_block WHERE n = ?1",
        "SEARCH audit_block USING INTEGER PRIMARY KEY" },
    [AUDIT_TAKE] = { "the last group that came from the journals",
        "INSERT OR REPLACE INTO audit_taken(id, serial) VALUES(1, ?1)", NULL },
    [AUDIT_TAKEN] = { "the last group that came from the journals, read",
        "SELECT serial FROM audit_taken WHERE id = 1",
        "SEARCH audit_taken USING INTEGER PRIMARY KEY" },
    { 0 },
};

void audit_hash(struct arena *arena, const unsigned char before[AUDIT_HASH_BYTES], int64_t n,
                str text, unsigned char out[AUDIT_HASH_BYTES])
{
    crypto_hash_sha256_state state;
    char number[32];
    struct buf digits = { .p = number, .cap = sizeof number, .max_bytes = sizeof number,
                          .arena = arena };
    buf_i64(&digits, n);
    buf_char(&digits, ' ');
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, before, AUDIT_HASH_BYTES);
    crypto_hash_sha256_update(&state, (const unsigned char *)number, digits.n);
    crypto_hash_sha256_update(&state, (const unsigned char *)text.p, text.n);
    crypto_hash_sha256_final(&state, out);
}

err audit_head(struct ctx *cx, struct db *db, struct audit_head *out)
{
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_LAST);
    struct audit_head head = { 0 };
    bool row;
    TRY(db_step(cx, stmt, &row));
    if (row) {
        str hash = db_blob(stmt, 1);
        head.n = db_int(stmt, 0);
        if (hash.n == AUDIT_HASH_BYTES)
            memcpy(head.hash, hash.p, AUDIT_HASH_BYTES);
        db_reset(stmt);
    }
    *out = head;
    return ERR_OK;
}

/* The texts as stored; *bytes 0: they were not worth packing. */
static str pack(struct arena *arena, str texts, int64_t *bytes)
{
    *bytes = 0;
    if (texts.n < PACK_FROM_BYTES)
        return texts;
    size_t room = ZSTD_compressBound(texts.n);
    char *packed = arena_alloc(arena, room);
    size_t n = ZSTD_compress(packed, room, texts.p, texts.n, PACK_LEVEL);
    if (ZSTD_isError(n) || n >= texts.n)
        return texts;
    *bytes = (int64_t)texts.n;
    return (str){ packed, n };
}

err audit_unpack(struct ctx *cx, str bytes, int64_t text_bytes, str *out)
{
    if (text_bytes == 0) {
        *out = bytes;
        return ERR_OK;
    }
    if (text_bytes < 0 || text_bytes > BLOCK_BYTES_MAX)
        return ctx_fail(cx, ERR_RULE, S("audit"), S("a block of the audit is damaged"));
    char *texts = arena_alloc(cx->arena, (size_t)text_bytes);
    size_t n = ZSTD_decompress(texts, (size_t)text_bytes, bytes.p, bytes.n);
    if (ZSTD_isError(n) || n != (size_t)text_bytes)
        return ctx_fail(cx, ERR_RULE, S("audit"), S("a block of the audit is damaged"));
    *out = (str){ texts, n };
    return ERR_OK;
}

err audit_append_block(struct ctx *cx, struct db *db, const struct audit_block *block)
{
    struct audit_head head;
    unsigned char hash[AUDIT_HASH_BYTES];
    int64_t bytes;
    TRY(audit_head(cx, db, &head));
    audit_hash(cx->arena, head.hash, head.n + 1, block->texts, hash);
    int64_t last = head.n + (int64_t)block->count;
    str stored = pack(cx->arena, block->texts, &bytes);
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_ADD);
    db_bind_int(stmt, 1, last);
    db_bind_int(stmt, 2, (int64_t)block->count);
    db_bind_int(stmt, 3, bytes);
    db_bind_blob(stmt, 4, stored);
    db_bind_blob(stmt, 5, (str){ (char *)hash, sizeof hash });
    TRY(db_run(cx, stmt));
    for (size_t i = 0; i < block->pids_count; i++) {
        stmt = db_use(cx, db, audit_sql, AUDIT_ABOUT);
        db_bind_int(stmt, 1, block->pids[i]);
        db_bind_int(stmt, 2, last);
        TRY(db_run(cx, stmt));
    }
    return ERR_OK;
}

err audit_append(struct ctx *cx, struct db *db, const struct audit_entry *entry)
{
    struct audit_block block = {
        .texts = arena_printf(cx->arena, "%.*s\n", STR_ARG(audit_text(cx->arena, entry))),
        .count = 1, .pids = entry->pids, .pids_count = entry->pids_count,
    };
    return audit_append_block(cx, db, &block);
}

err audit_take(struct ctx *cx, struct db *db, int64_t serial)
{
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_TAKE);
    db_bind_int(stmt, 1, serial);
    return db_run(cx, stmt);
}

err audit_taken(struct ctx *cx, struct db *db, int64_t *serial)
{
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_TAKEN);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *serial = row ? db_int(stmt, 0) : 0;
    if (row)
        db_reset(stmt);
    return ERR_OK;
}

/* ---- proving ---- */

static err broken(struct ctx *cx, int64_t n, const char *how)
{
    return ctx_failf(cx, ERR_RULE, S("audit"), "the audit chain breaks at entry %lld: %s",
                     (long long)n, how);
}

static int64_t lines_of(str texts)
{
    int64_t lines = 0;
    for (size_t i = 0; i < texts.n; i++)
        lines += texts.p[i] == '\n';
    return lines;
}

static err follow(struct ctx *cx, struct db_stmt *stmt, struct audit_head *head)
{
    unsigned char expected[AUDIT_HASH_BYTES];
    int64_t n = db_int(stmt, 0), count = db_int(stmt, 1), first = head->n + 1;
    str texts;
    if (count < 1 || n - count != head->n)
        return broken(cx, first, "an entry is missing, or one too many stands here");
    if (audit_unpack(cx, db_blob(stmt, 3), db_int(stmt, 2), &texts) != ERR_OK)
        return broken(cx, first, "its text is damaged");
    audit_hash(cx->arena, head->hash, first, texts, expected);
    if (lines_of(texts) != count ||
        !secret_same(db_blob(stmt, 4), (str){ (char *)expected, sizeof expected }))
        return broken(cx, first, count == 1 ? "its text or a text before it was changed"
                                            : "a text from there to the end of its block, or "
                                              "before it, was changed");
    memcpy(head->hash, expected, sizeof expected);
    head->n = n;
    return ERR_OK;
}

err audit_verify(struct ctx *cx, struct db *db, struct audit_head *out)
{
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_WALK);
    struct audit_head head = { 0 };
    for (bool row;;) {
        TRY(db_step(cx, stmt, &row));
        if (!row)
            break;
        struct arena_mark mark = arena_mark(cx->arena);
        err followed = follow(cx, stmt, &head);
        if (followed != ERR_OK) {
            db_reset(stmt);
            return followed;
        }
        arena_rewind(cx->arena, mark);
    }
    *out = head;
    return ERR_OK;
}

err audit_verify_head(struct ctx *cx, struct db *db, const struct audit_head *published)
{
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_AT);
    bool row, same = published->n == 0;
    db_bind_int(stmt, 1, published->n);
    TRY(db_step(cx, stmt, &row));
    if (row)
        same = secret_same(db_blob(stmt, 0),
                           (str){ (const char *)published->hash, AUDIT_HASH_BYTES });
    db_reset(stmt);
    return same ? ERR_OK
                : broken(cx, published->n, row ? "another head was published when it was written"
                                               : "a head was published for it, and it is gone");
}

str audit_head_hex(struct arena *arena, const struct audit_head *head)
{
    char *hex = arena_alloc(arena, 2 * AUDIT_HASH_BYTES + 1);
    sodium_bin2hex(hex, 2 * AUDIT_HASH_BYTES + 1, head->hash, AUDIT_HASH_BYTES);
    return (str){ hex, 2 * AUDIT_HASH_BYTES };
}
