/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

static err put_version(struct writer *w, struct prepared_op *po, const struct store_version *v)
{
    struct db_stmt *stmt = db_use(&w->cx, w->db, store_sql, SQL_VERSION_PUT);
    db_bind_int(stmt, 1, v->seq);
    db_bind_int(stmt, 2, v->rid);
    db_bind_int(stmt, 3, v->vid);
    db_bind_int(stmt, 4, v->at_ms);
    db_bind_int(stmt, 5, v->method);
    db_bind_int(stmt, 6, po->packed.dict);
    db_bind_int(stmt, 7, (int64_t)po->body.hole);
    if (v->method == STORE_DELETED)
        db_bind_null(stmt, 8);
    else
        db_bind_blob(stmt, 8, po->packed.bytes);
    return db_run(&w->cx, stmt);
}

static bool labelled(struct json body)
{
    return json_count(json_get(json_get(body, S("meta")), S("security"))) > 0;
}

static err put_ident(struct writer *w, struct prepared_op *po, const struct store_version *v)
{
    bool deleted = v->method == STORE_DELETED;
    struct db_stmt *stmt = db_use(&w->cx, w->db, store_sql, SQL_IDENT_PUT);
    db_bind_int(stmt, 1, v->rid);
    db_bind_text(stmt, 2, v->id);
    db_bind_int(stmt, 3, v->vid);
    db_bind_int(stmt, 4, v->seq);
    db_bind_int(stmt, 5, v->pid);
    db_bind_int(stmt, 6, deleted ? AT_NONE : po->after_rows.at);
    db_bind_int(stmt, 7, deleted);
    db_bind_int(stmt, 8, deleted ? po->before.ident.labelled : labelled(po->after_json));
    return db_run(&w->cx, stmt);
}

/* Rids of all operations come first, since their bodies may refer to one another. The ident rows
 * are written once, complete, in put_ident; until then the interner knows them from here. */
static void mint_rids(struct writer *w, struct prepared *p)
{
    interner_fresh(&w->interner, p->cx->arena);
    for (size_t i = 0; i < p->commit->ops_count; i++) {
        struct prepared_op *po = &p->ops[i];
        if (po->skip)
            continue;
        struct store_tally *tally = &w->interner.tally[po->op->resource];
        tally->dirty = true;
        if (po->before.ident.rid) {
            po->op->version.rid = po->before.ident.rid;
            continue;
        }
        po->op->version.rid = store_rid(po->op->resource, ++tally->next);
        interner_learn(&w->interner, po->op->resource, po->op->id, po->op->version.rid);
    }
}

static err find_pid(struct writer *w, struct ctx *cx, const struct index_rows *rows, int64_t rid,
                    int64_t *out)
{
    static uint16_t patient = FHIR_NONE; /* the writer's thread alone */
    *out = rid;
    if (!rows->patient.n)
        return ERR_OK;
    if (patient == FHIR_NONE)
        patient = fhir_resource_find(S("Patient"));
    return w->interner.in.ident(cx, &w->interner.in, patient, rows->patient, out);
}

static err put_rows(struct writer *w, struct prepared *p, struct prepared_op *po)
{
    const struct store_version *v = &po->op->version;
    struct index_change change = { 0 };
    if (!po->before.ident.deleted) {
        TRY(index_resolve(p->cx, &w->interner.in, &po->before_rows));
        po->before_rows.rid = v->rid;
        po->before_rows.pid = po->before.ident.pid;
        change.before = &po->before_rows;
    }
    if (v->method != STORE_DELETED) {
        TRY(index_resolve(p->cx, &w->interner.in, &po->after_rows));
        po->after_rows.rid = v->rid;
        po->after_rows.pid = v->pid;
        change.after = &po->after_rows;
    }
    w->changes = arena_grow(&w->arena, w->changes, w->changes_count, &w->changes_cap,
                            sizeof change);
    w->changes[w->changes_count++] = change;
    return ERR_OK;
}

static err drop_claims(struct writer *w, const struct prepared_op *po)
{
    for (size_t i = 0; po->before_claims && i < po->before_claims->count; i++)
        if (!claims_has(po->after_claims, &po->before_claims->list[i]))
            TRY(claim_drop(&w->cx, w->db, &po->before_claims->list[i], po->before.ident.rid));
    return ERR_OK;
}

static err put_claims(struct writer *w, const struct prepared_op *po)
{
    for (size_t i = 0; po->after_claims && i < po->after_claims->count; i++)
        if (!claims_has(po->before_claims, &po->after_claims->list[i]))
            TRY(claim_put(&w->cx, w->db, &po->after_claims->list[i], po->op->version.rid,
                          po->op->version.pid));
    return ERR_OK;
}

static err put_parts(struct writer *w, struct prepared *p, struct prepared_op *po)
{
    struct commit_change change = { .op = po->op, .commit = p->commit,
                                    .rid = po->op->version.rid, .pid = po->op->version.pid,
                                    .before = po->before_json, .after = po->after_json };
    for (size_t i = 0; i < p->store->parts_count; i++)
        TRY(p->store->parts[i]->write(p->cx, p->store->parts[i], w->db, &change, po->parts[i]));
    return ERR_OK;
}

static void count(struct writer *w, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    struct store_tally *tally = &w->interner.tally[op->resource];
    bool lived = !po->before.ident.deleted, deletes = op->verb == COMMIT_DELETE;
    tally->versions++;
    tally->live += (int)!deletes - (int)lived;
    w->type_seq[op->resource] = w->seq;
    op->outcome = deletes ? COMMIT_DELETED : lived ? COMMIT_UPDATED : COMMIT_CREATED;
}

static err apply_op(struct writer *w, struct prepared *p, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    struct store_version *v = &op->version;
    bool deletes = op->verb == COMMIT_DELETE;
    *v = (struct store_version){
        .rid = v->rid, .seq = ++w->seq, .at_ms = w->at_ms, .vid = po->before.version.vid + 1,
        .resource = op->resource, .id = op->id, .body = S(""),
        .method = deletes ? STORE_DELETED
                  : op->verb == COMMIT_CREATE ? STORE_CREATED : STORE_UPDATED,
    };
    if (deletes)
        v->pid = po->before.ident.pid;
    else
        TRY(find_pid(w, p->cx, &po->after_rows, v->rid, &v->pid));
    TRY(put_version(w, po, v));
    TRY(put_ident(w, po, v));
    TRY(put_rows(w, p, po));
    TRY(put_claims(w, po));
    count(w, po);
    if (!deletes)
        v->body = version_splice(p->cx->arena, po->body, v->vid, v->at_ms);
    return put_parts(w, p, po);
}

static err note_act(struct writer *w, const struct commit *commit, int64_t first)
{
    if (!str_given(commit->who) && !str_given(commit->why))
        return ERR_OK;
    struct db_stmt *stmt = db_use(&w->cx, w->db, store_sql, SQL_ACT_PUT);
    db_bind_int(stmt, 1, first);
    db_bind_int(stmt, 2, w->seq - first + 1);
    db_bind_text(stmt, 3, commit->who);
    db_bind_text(stmt, 4, commit->why);
    return db_run(&w->cx, stmt);
}

err writer_apply(struct writer *w, struct prepared *p)
{
    int64_t first = w->seq + 1;
    mint_rids(w, p);
    for (size_t i = 0; i < p->commit->ops_count; i++)
        if (!p->ops[i].skip)
            TRY(drop_claims(w, &p->ops[i]));
    for (size_t i = 0; i < p->commit->ops_count; i++)
        if (!p->ops[i].skip)
            TRY(apply_op(w, p, &p->ops[i]));
    return note_act(w, p->commit, first);
}
