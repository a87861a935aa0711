/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/audit.h"
#include "auth/secret.h"
#include "base/clock.h"
#include "json/write.h"

enum { TEXT_MAX_BYTES = 64 * 1024, WHAT_MAX = 2000 };
enum audit_statement { AUDIT_ADD, AUDIT_LAST, AUDIT_WALK };

const char audit_schema[] =
    "CREATE TABLE IF NOT EXISTS audit("
    " n INTEGER PRIMARY KEY, pid INTEGER NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS audit_by_pid ON audit(pid, n);";

static const struct stmt audit_sql[] = {
    [AUDIT_ADD] = { "append to the audit chain",
        "INSERT INTO audit(n, pid, text, hash) VALUES(?1, ?2, ?3, ?4)", NULL },
    [AUDIT_LAST] = { "the end of the audit chain",
        "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", "SCAN audit" },
    [AUDIT_WALK] = { "the whole audit chain",
        "SELECT n, text, hash FROM audit ORDER BY n", "SCAN audit" },
    { 0 },
};

/* clang-format off */
static const struct { const char *word, *fhir, *interaction; } acts[AUDIT_ACTS] = {
    [AUDIT_READ]   = { "read",   "R", "read" },
    [AUDIT_SEARCH] = { "search", "E", "search-type" },
    [AUDIT_CREATE] = { "create", "C", "create" },
    [AUDIT_UPDATE] = { "update", "U", "update" },
    [AUDIT_DELETE] = { "delete", "D", "delete" },
};
/* clang-format on */

str audit_text(struct arena *arena, const struct audit_entry *entry)
{
    char at[CLOCK_TEXT];
    struct buf buf = buf_make(arena, TEXT_MAX_BYTES);
    struct json_writer w = json_writer(&buf);
    clock_write(entry->at_ms, at);
    json_open(&w, '[');
    json_str(&w, (str){ at, CLOCK_TEXT });
    json_str(&w, entry->who);
    json_str(&w, entry->role);
    json_str(&w, str_of(acts[entry->act].word));
    json_str(&w, str_slice(entry->what, 0, WHAT_MAX));
    json_bool(&w, entry->refused);
    json_str(&w, entry->request_id);
    json_close(&w, ']');
    return buf_str(&buf);
}

void audit_hash(const unsigned char before[AUDIT_HASH_BYTES], int64_t n, str text,
                unsigned char out[AUDIT_HASH_BYTES])
{
    char memory[TEXT_MAX_BYTES + 256];
    struct arena arena = arena_in(memory, sizeof memory, 2 * TEXT_MAX_BYTES);
    struct buf buf = buf_make(&arena, TEXT_MAX_BYTES + 128);
    buf_add(&buf, (str){ (const char *)before, AUDIT_HASH_BYTES });
    buf_i64(&buf, n);
    buf_char(&buf, ' ');
    buf_add(&buf, text);
    memcpy(out, secret_sha256(&arena, buf_str(&buf)).p, AUDIT_HASH_BYTES);
    arena_free(&arena);
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

err audit_append(struct ctx *cx, struct db *db, const struct audit_entry *entry)
{
    struct audit_head head;
    unsigned char hash[AUDIT_HASH_BYTES];
    TRY(audit_head(cx, db, &head));
    str text = audit_text(cx->arena, entry);
    audit_hash(head.hash, head.n + 1, text, hash);
    struct db_stmt *stmt = db_use(cx, db, audit_sql, AUDIT_ADD);
    db_bind_int(stmt, 1, head.n + 1);
    db_bind_int(stmt, 2, entry->pid);
    db_bind_text(stmt, 3, text);
    db_bind_blob(stmt, 4, (str){ (char *)hash, sizeof hash });
    return db_run(cx, stmt);
}

static err broken(struct ctx *cx, int64_t n, const char *how)
{
    return ctx_failf(cx, ERR_RULE, S("audit"), "the audit chain breaks at entry %lld: %s",
                     (long long)n, how);
}

static err follow(struct ctx *cx, struct db_stmt *stmt, struct audit_head *head)
{
    unsigned char expected[AUDIT_HASH_BYTES];
    int64_t n = db_int(stmt, 0);
    if (n != head->n + 1)
        return broken(cx, n, "the one before it is missing");
    audit_hash(head->hash, n, db_text(stmt, 1), expected);
    if (!secret_same(db_blob(stmt, 2), (str){ (char *)expected, sizeof expected }))
        return broken(cx, n, "its text or a text before it was changed");
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
        err followed = follow(cx, stmt, &head);
        if (followed != ERR_OK) {
            db_reset(stmt);
            return followed;
        }
    }
    *out = head;
    return ERR_OK;
}

static size_t act_of(struct json word)
{
    for (size_t i = 0; i < AUDIT_ACTS; i++)
        if (json_string_is(word, str_of(acts[i].word)))
            return i;
    return AUDIT_READ;
}

static void put_code(struct json_writer *w, const char *key, const char *system, const char *code)
{
    json_key(w, key);
    json_open(w, '{');
    json_put_str(w, "system", str_of(system));
    json_put_str(w, "code", str_of(code));
    json_close(w, '}');
}

static void put_agent(struct json_writer *w, str who, str role)
{
    json_key(w, "agent");
    json_open(w, '[');
    json_open(w, '{');
    json_key(w, "role");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "text", role);
    json_close(w, '}');
    json_close(w, ']');
    json_put_str(w, "altId", who);
    json_put_bool(w, "requestor", true);
    json_close(w, '}');
    json_close(w, ']');
}

/* "Patient/1/_history/2" is a reference; anything with a query stands as the query. */
static void put_entity(struct json_writer *w, str what)
{
    bool query = str_find_char(what, '?') != STR_NONE;
    json_key(w, "entity");
    json_open(w, '[');
    json_open(w, '{');
    if (query) {
        json_put_str(w, "description", what);
    } else {
        json_key(w, "what");
        json_open(w, '{');
        json_put_str(w, "reference", what);
        json_close(w, '}');
    }
    json_close(w, '}');
    json_close(w, ']');
}

err audit_event(struct ctx *cx, int64_t n, str text, str *out)
{
    struct json entry;
    TRY(json_parse(cx, text, &entry));
    str fields[7];
    for (size_t i = 0; i < COUNT(fields); i++)
        fields[i] = json_string(cx->arena, json_at(entry, i));
    size_t act = act_of(json_at(entry, 3));
    bool refused = json_is(json_at(entry, 5), JSON_TRUE);
    struct buf buf = buf_make(cx->arena, TEXT_MAX_BYTES * 2);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("AuditEvent"));
    json_put_str(&w, "id", arena_printf(cx->arena, "%lld", (long long)n));
    put_code(&w, "type", "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest");
    json_key(&w, "subtype");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "system", S("http://hl7.org/fhir/restful-interaction"));
    json_put_str(&w, "code", str_of(acts[act].interaction));
    json_close(&w, '}');
    json_close(&w, ']');
    json_put_str(&w, "action", str_of(acts[act].fhir));
    json_put_str(&w, "recorded", fields[0]);
    json_put_str(&w, "outcome", refused ? S("8") : S("0"));
    put_agent(&w, fields[1], fields[2]);
    json_put_raw(&w, "source", S("{\"observer\":{\"display\":\"Frontline\"}}"));
    put_entity(&w, fields[4]);
    json_close(&w, '}');
    *out = buf_str(&buf);
    return ERR_OK;
}
