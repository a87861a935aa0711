/* SPDX-License-Identifier: Apache-2.0 */
#include "store/version.h"
#include "base/buf.h"
#include "base/clock.h"
#include "store/layout.h"
#include "store/narrow.h"

/* Columns of the statements that give IDENT and VERSION (schema.c). */
enum {
    C_RID, C_IDENT_VID, C_IDENT_SEQ, C_PID, C_DELETED, C_LABELLED,
    C_SEQ, C_VID, C_AT_MS, C_METHOD, C_DICT, C_HOLE, C_BODY, C_ID, C_AT
};

str version_splice(struct arena *arena, struct store_body body, int64_t vid, int64_t at_ms)
{
    char digits[24];
    struct buf buf = { .arena = arena, .p = arena_alloc(arena, body.text.n + 96),
                       .cap = body.text.n + 96, .max_bytes = body.text.n + 96 };
    buf_add(&buf, str_slice(body.text, 0, body.hole));
    buf_add(&buf, S("\"versionId\":\""));
    buf_i64(&buf, vid);
    buf_add(&buf, S("\",\"lastUpdated\":\""));
    clock_write(at_ms, digits);
    buf_add(&buf, (str){ digits, CLOCK_TEXT });
    bool last = body.hole < body.text.n && body.text.p[body.hole] == '}';
    buf_add(&buf, last ? S("\"") : S("\","));
    buf_add(&buf, str_slice(body.text, body.hole, body.text.n));
    return buf_str(&buf);
}

static void ident_from(struct db_stmt *stmt, struct ident_row *out)
{
    *out = (struct ident_row){ db_int(stmt, C_RID), db_int(stmt, C_IDENT_VID),
                               db_int(stmt, C_IDENT_SEQ), db_int(stmt, C_PID),
                               db_int(stmt, C_DELETED) != 0, db_int(stmt, C_LABELLED) != 0 };
}

uint16_t version_type(struct db_stmt *stmt)
{
    return store_rid_resource(db_int(stmt, C_RID));
}

int64_t version_seq(struct db_stmt *stmt)
{
    return db_int(stmt, C_SEQ);
}

static err carries(struct ctx *cx, struct store *store, const struct version_row *row,
                   const struct access_label *label, bool *out)
{
    const struct layout_param *param =
        layout_param(store_layout(store), store_rid_resource(row->ident.rid), S("_security"));
    if (!param || !param->slots_count)
        return ERR_OK;
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_LABELLED);
    db_bind_int(stmt, 1, param->slots[0].slot);
    db_bind_int(stmt, 2, row->at);
    db_bind_int(stmt, 3, row->ident.rid);
    db_bind_text(stmt, 4, label->code);
    db_bind_text(stmt, 5, label->system);
    TRY(db_step(cx, stmt, out));
    db_reset(stmt);
    return ERR_OK;
}

/* Hidden whatever its body says? A deleted one has left the index: its body is asked. */
static err close_row(struct ctx *cx, struct store *store, struct version_row *row)
{
    const struct store_access *access = cx->access;
    row->closed = access && !access_patient(access, row->ident.rid, row->ident.pid);
    if (!access || row->closed || !row->ident.labelled || row->ident.deleted)
        return ERR_OK;
    bool lifts = access_lifts(access, row->ident.pid);
    for (size_t i = 0; i < access->hidden_count && !row->closed; i++)
        if (!(lifts && access->hidden[i].lifts))
            TRY(carries(cx, store, row, &access->hidden[i], &row->closed));
    return ERR_OK;
}

err version_from(struct ctx *cx, struct store *store, struct db *db, struct db_stmt *stmt,
                 struct version_row *out)
{
    ident_from(stmt, &out->ident);
    out->at = db_int(stmt, C_AT);
    struct store_version *v = &out->version;
    int64_t rid = db_int(stmt, C_RID);
    *v = (struct store_version){
        .rid = rid, .seq = db_int(stmt, C_SEQ), .at_ms = db_int(stmt, C_AT_MS),
        .vid = db_int(stmt, C_VID), .pid = db_int(stmt, C_PID),
        .resource = store_rid_resource(rid),
        .method = (enum store_method)db_int(stmt, C_METHOD),
        .id = arena_copy(cx->arena, db_text(stmt, C_ID)), .body = S(""),
    };
    out->body = (struct store_body){ S(""), 0 };
    TRY(close_row(cx, store, out));
    if (out->closed || db_is_null(stmt, C_BODY))
        return ERR_OK;
    struct packed packed = { (int)db_int(stmt, C_DICT), db_blob(stmt, C_BODY) };
    TRY(dict_unpack(cx, &store->dicts, db, packed, &out->body.text));
    out->body.hole = (size_t)db_int(stmt, C_HOLE);
    if (out->body.hole > out->body.text.n)
        return ctx_fail(cx, ERR_IO, (str){ 0 },
                        S("a stored version is damaged; run frontline check and restore a backup"));
    return ERR_OK;
}

static bool label_hidden(struct ctx *cx, const struct store_access *access, bool lifts,
                         struct json label)
{
    str system = json_string(cx->arena, json_get(label, S("system")));
    str code = json_string(cx->arena, json_get(label, S("code")));
    for (size_t i = 0; i < access->hidden_count; i++)
        if (str_eq(access->hidden[i].code, code) && str_eq(access->hidden[i].system, system) &&
            !(lifts && access->hidden[i].lifts))
            return true;
    return false;
}

/* A body that cannot be parsed is hidden: better too little than too much. */
static bool labels_hide(struct ctx *cx, int64_t pid, str body)
{
    const struct store_access *access = cx->access;
    if (!access->hidden_count || str_find(body, S("\"security\"")) == STR_NONE)
        return false;
    struct json json;
    if (json_parse(cx, body, &json))
        return true;
    struct json labels = json_get(json_get(json, S("meta")), S("security"));
    for (struct json_walk w = json_walk(labels); json_next(&w);)
        if (label_hidden(cx, access, access_lifts(access, pid), w.value))
            return true;
    return false;
}

/* The newest body there is: of the current version, or of the last before a deletion. */
static err newest_body(struct ctx *cx, struct store *store, int64_t rid, str *out)
{
    struct version_row row = { 0 };
    bool found;
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_NEWEST_BODY);
    db_bind_int(stmt, 1, rid);
    TRY(db_step(cx, stmt, &found));
    err wrong = found ? version_from(cx, store, cx->db, stmt, &row) : ERR_OK;
    db_reset(stmt);
    *out = row.body.text;
    return wrong;
}

static bool narrows_hide(struct ctx *cx, struct store *store, uint16_t resource, str body)
{
    struct json json;
    bool accepted = false;
    if (!access_narrowed(cx->access, resource))
        return false;
    return json_parse(cx, body, &json) ||
           narrow_accepts(cx, store, cx->access, resource, json, &accepted) || !accepted;
}

/* By what the version says, and by what the newest one says. */
static bool body_hides(struct ctx *cx, struct store *store, const struct version_row *row, str body)
{
    const struct ident_row *ident = &row->ident;
    uint16_t resource = store_rid_resource(ident->rid);
    bool current = body.n && row->version.vid == ident->vid;
    bool asks = (ident->labelled && cx->access->hidden_count) ||
                access_narrowed(cx->access, resource);
    str newest = body;
    if (asks && !current && newest_body(cx, store, ident->rid, &newest))
        return true;
    if (body.n && labels_hide(cx, ident->pid, body))
        return true;
    if (ident->labelled && !current && labels_hide(cx, ident->pid, newest))
        return true;
    return asks && narrows_hide(cx, store, resource, body.n ? body : newest);
}

bool version_reachable(struct ctx *cx, struct store *store, const struct version_row *row)
{
    if (!cx->access)
        return true;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    bool hides = row->closed || body_hides(cx, store, row, row->body.text);
    cx->issues.kept = kept;
    cx->issues.count = count;
    return !hides;
}

bool version_visible(struct ctx *cx, struct store *store, const struct version_row *row, str body)
{
    if (!cx->access)
        return true;
    if (row->closed || !access_type(cx->access, store_rid_resource(row->ident.rid)))
        return false;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    bool hides = body_hides(cx, store, row, body);
    cx->issues.kept = kept;
    cx->issues.count = count;
    return !hides;
}

/* Runs a statement of at most one row; ident.rid 0 when there is none. */
static err one(struct ctx *cx, struct store *store, struct db_stmt *stmt, struct version_row *out)
{
    bool row;
    *out = (struct version_row){ .ident.deleted = true };
    TRY(db_step(cx, stmt, &row));
    if (!row)
        return ERR_OK;
    err wrong = version_from(cx, store, cx->db, stmt, out);
    db_reset(stmt);
    return wrong;
}

err version_current(struct ctx *cx, struct store *store, uint16_t resource, str id,
                    struct version_row *out)
{
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, SQL_READ);
    db_bind_int(stmt, 1, resource);
    db_bind_text(stmt, 2, id);
    return one(cx, store, stmt, out);
}

static err not_found(struct ctx *cx, uint16_t resource, str id)
{
    str type = resource < fhir_resources_count ? fhir_resource_name(resource) : S("resource");
    return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no %.*s with id %.*s", STR_ARG(type),
                     (int)(id.n > 64 ? 64 : id.n), id.p ? id.p : "");
}

struct wanted {
    enum store_sql sql;
    uint16_t resource;
    str id;
    int64_t number; /* vid, or rid */
};

/* The rule of reading: what may not be seen is not there; a deleted version is gone. */
static err judge(struct ctx *cx, struct store *store, struct version_row *row,
                 const struct wanted *wanted, struct store_version *out)
{
    struct store_version *v = &row->version;
    bool asked = wanted->sql != SQL_READ_RID; /* by number the program reads for itself */
    if (!row->ident.rid || !v->vid) {
        if (asked)
            access_miss(cx->access);
        return not_found(cx, wanted->resource, wanted->id);
    }
    if (v->method != STORE_DELETED && !row->closed)
        v->body = version_splice(cx->arena, row->body, v->vid, v->at_ms);
    if (!version_visible(cx, store, row, v->body)) {
        if (asked) {
            access_refuse(cx->access, row->ident.pid);
            access_miss(cx->access);
        }
        return not_found(cx, wanted->resource, wanted->id);
    }
    if (asked)
        access_see(cx->access, v->pid);
    *out = *v;
    if (v->method == STORE_DELETED)
        return ctx_failf(cx, ERR_GONE, (str){ 0 }, "%.*s/%.*s was deleted",
                         STR_ARG(fhir_resource_name(v->resource)), STR_ARG(v->id));
    return ERR_OK;
}

static err read_with(struct ctx *cx, struct store *store, const struct wanted *wanted,
                     struct version_row *row)
{
    struct db_stmt *stmt = db_use(cx, cx->db, store_sql, wanted->sql);
    if (wanted->sql == SQL_READ_RID) {
        db_bind_int(stmt, 1, wanted->number);
        return one(cx, store, stmt, row);
    }
    db_bind_int(stmt, 1, wanted->resource);
    db_bind_text(stmt, 2, wanted->id);
    if (wanted->sql == SQL_VREAD)
        db_bind_int(stmt, 3, wanted->number);
    return one(cx, store, stmt, row);
}

static err read_any(struct ctx *cx, struct store *store, struct wanted wanted,
                    struct store_version *out)
{
    if (!access_type(cx->access, wanted.resource))
        return not_found(cx, wanted.resource, wanted.id);
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    struct version_row row;
    err wrong = read_with(cx, store, &wanted, &row);
    if (wrong == ERR_OK)
        wrong = judge(cx, store, &row, &wanted, out);
    store_give_back(cx, store, borrowed);
    return wrong;
}

err store_read(struct ctx *cx, struct store *store, uint16_t resource, str id,
               struct store_version *out)
{
    return read_any(cx, store, (struct wanted){ SQL_READ, resource, id, 0 }, out);
}

err store_vread(struct ctx *cx, struct store *store, uint16_t resource, str id, int64_t vid,
                struct store_version *out)
{
    return read_any(cx, store, (struct wanted){ SQL_VREAD, resource, id, vid }, out);
}

err store_read_rid(struct ctx *cx, struct store *store, int64_t rid, struct store_version *out)
{
    struct wanted wanted = { SQL_READ_RID, store_rid_resource(rid), S("(by number)"), rid };
    return read_any(cx, store, wanted, out);
}

bool version_rid_visible(struct ctx *cx, struct store *store, int64_t rid)
{
    struct version_row row;
    struct wanted wanted = { SQL_READ_RID, store_rid_resource(rid), S(""), rid };
    return read_with(cx, store, &wanted, &row) == ERR_OK && row.version.vid &&
           !row.ident.deleted && version_visible(cx, store, &row, row.body.text);
}

static err find_id(struct ctx *cx, struct store *store, str id, uint16_t *out)
{
    uint16_t found = FHIR_NONE;
    *out = FHIR_NONE;
    for (uint16_t i = 0; i < fhir_resources_count; i++) {
        struct ident_row ident;
        TRY(ident_find(cx, cx->db, i, id, &ident));
        if (ident.deleted || !version_rid_visible(cx, store, ident.rid))
            continue;
        if (found != FHIR_NONE)
            return ERR_OK;
        found = i;
    }
    *out = found;
    return ERR_OK;
}

err store_find_id(struct ctx *cx, struct store *store, str id, uint16_t *out)
{
    bool borrowed;
    TRY(store_borrow(cx, store, &borrowed));
    err wrong = find_id(cx, store, id, out);
    store_give_back(cx, store, borrowed);
    return wrong;
}
