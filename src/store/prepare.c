/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prepare.h"
#include "base/random.h"
#include "store/access.h"
#include "store/own.h"
#include "store/search.h"

/* Server ids are ordered by time, so that they arrive at one place of the index: ten characters of
 * milliseconds, ten of chance. */
static str mint_id(struct ctx *cx)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    enum { TIME_CHARS = 10, CHANCE_CHARS = 10 };
    char *id = arena_alloc(cx->arena, TIME_CHARS + CHANCE_CHARS);
    uint64_t time = (uint64_t)cx->now_ms, chance = random_next(cx->random) >> 8;
    for (int i = TIME_CHARS; i-- > 0; time >>= 5)
        id[i] = digits[time & 31];
    for (int i = TIME_CHARS + CHANCE_CHARS; i-- > TIME_CHARS; chance >>= 5)
        id[i] = digits[chance & 31];
    return (str){ id, TIME_CHARS + CHANCE_CHARS };
}

static bool id_is_valid(str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '-' || c == '.';
        if (!good)
            return false;
    }
    return id.n >= 1 && id.n <= 64;
}

err prepared_need_db(struct prepared *p)
{
    bool borrowed;
    return store_borrow(p->cx, p->store, &borrowed);
}

err condition_try(struct prepared *p, uint16_t resource, str query, struct condition *out)
{
    for (size_t i = 0; i < p->conditions_count; i++)
        if (p->conditions[i].resource == resource && str_eq(p->conditions[i].query, query)) {
            *out = p->conditions[i];
            return ERR_OK;
        }
    TRY(prepared_need_db(p));
    int64_t rids[2];
    struct search_rids found = { rids, COUNT(rids), 0 };
    TRY(search_condition(p->cx, p->store, resource, query, &found));
    struct condition tried = { resource, query, found.count, found.count ? rids[0] : 0 };
    p->conditions = arena_grow(p->cx->arena, p->conditions, p->conditions_count,
                               &p->conditions_cap, sizeof tried);
    p->conditions[p->conditions_count++] = tried;
    *out = tried;
    return ERR_OK;
}

static str mint_for(struct prepared *p, struct prepared_op *po)
{
    if (!po->minted_id.n)
        po->minted_id = mint_id(p->cx);
    return po->minted_id;
}

static err several(struct ctx *cx, str query)
{
    return ctx_failf(cx, ERR_PRECONDITION, (str){ 0 },
                     "the condition %.*s matches several resources; give one that matches at most "
                     "one", STR_ARG(query));
}

static err matched(struct prepared *p, struct prepared_op *po, const struct condition *condition)
{
    struct commit_op *op = po->op;
    struct ident_row ident;
    str id;
    TRY(ident_of_rid(p->cx, p->cx->db, condition->rid, &ident, &id));
    if (op->verb == COMMIT_UPDATE && po->given_id.n && !str_eq(po->given_id, id))
        return ctx_failf(p->cx, ERR_INVALID, S("id"),
                         "the condition matches %.*s/%.*s, but the body has id %.*s",
                         STR_ARG(fhir_resource_name(op->resource)), STR_ARG(id),
                         STR_ARG(po->given_id));
    op->id = id;
    po->skip = op->verb == COMMIT_CREATE;
    op->outcome = COMMIT_MATCHED;
    return ERR_OK;
}

static err unmatched(struct prepared *p, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    if (op->verb == COMMIT_PATCH)
        return ctx_failf(p->cx, ERR_NOT_FOUND, (str){ 0 }, "no %.*s matches %.*s",
                         STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->condition));
    po->skip = op->verb == COMMIT_DELETE;
    op->outcome = COMMIT_UNCHANGED;
    if (po->skip)
        op->id = S("");
    else
        op->id = (op->verb == COMMIT_UPDATE || op->skip_unchanged) && po->given_id.n
                     ? po->given_id : mint_for(p, po);
    return ERR_OK;
}

/* Which id the operation is about. */
static err find_id(struct prepared *p, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    op->version = (struct store_version){ 0 };
    if (str_given(op->condition) && !access_type(p->cx->access, op->resource))
        return ctx_failf(p->cx, ERR_FORBIDDEN, (str){ 0 }, "a condition searches %.*s, which you "
                         "may not", STR_ARG(fhir_resource_name(op->resource)));
    if (str_given(op->condition)) {
        struct condition condition;
        TRY(condition_try(p, op->resource, op->condition, &condition));
        if (condition.count > 1)
            return several(p->cx, op->condition);
        TRY(condition.count ? matched(p, po, &condition) : unmatched(p, po));
    } else {
        op->id = po->given_id.n ? po->given_id : mint_for(p, po);
    }
    if (op->id.n && !id_is_valid(op->id))
        return ctx_failf(p->cx, ERR_INVALID, S("id"),
                         "an id has 1 to 64 letters, digits, - and . (this one is \"%.*s\")",
                         (int)(op->id.n > 80 ? 80 : op->id.n), op->id.p);
    return ERR_OK;
}

static err hidden(struct ctx *cx, const struct commit_op *op)
{
    return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 }, "you may not write %.*s/%.*s",
                     STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id));
}

/* One text for what is hidden and for what never was. */
static err unknown(struct ctx *cx, const struct commit_op *op)
{
    return ctx_failf(cx, ERR_NOT_FOUND, (str){ 0 }, "there is no %.*s/%.*s that you may change; "
                     "to add one, POST it without an id",
                     STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id));
}

/* To who may not see it, what is there is not; but nothing is written over it. */
static err hide(struct prepared *p, struct prepared_op *po)
{
    const struct commit_op *op = po->op;
    if (!po->before.version.vid || version_reachable(p->cx, p->store, &po->before))
        return ERR_OK;
    if (op->verb == COMMIT_CREATE || (op->verb == COMMIT_UPDATE && !op->known_only))
        return hidden(p->cx, op);
    po->before = (struct version_row){ .ident.deleted = true };
    return ERR_OK;
}

static err ask_parts(struct prepared *p, const struct commit_op *op)
{
    for (size_t i = 0; i < p->store->parts_count; i++) {
        const struct commit_part *part = p->store->parts[i];
        if (part->ask)
            TRY(part->ask(p->cx, part, op));
    }
    return ERR_OK;
}

static err not_there(struct ctx *cx, const struct commit_op *op, bool gone)
{
    return ctx_failf(cx, gone ? ERR_GONE : ERR_NOT_FOUND, (str){ 0 }, "%.*s/%.*s %s",
                     STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id),
                     gone ? "was deleted" : "is not there");
}

/* What must hold of the version that is there now. */
static err check_before(struct prepared *p, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    const struct version_row *before = &po->before;
    bool lives = before->version.vid && !before->ident.deleted;
    if (op->known_only && op->verb == COMMIT_UPDATE && !before->version.vid)
        return unknown(p->cx, op);
    if (op->verb == COMMIT_CREATE && before->version.vid && !po->skip && !op->skip_unchanged)
        return ctx_failf(p->cx, ERR_CONFLICT, S("id"), "%.*s/%.*s exists already",
                         STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id));
    if (op->verb == COMMIT_PATCH && !lives)
        return not_there(p->cx, op, before->version.vid > 0);
    if (op->if_none_match && lives && op->verb == COMMIT_UPDATE)
        return ctx_failf(p->cx, ERR_PRECONDITION, (str){ 0 }, "%.*s/%.*s exists already",
                         STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id));
    if (op->if_match_vid && (!before->version.vid || op->if_match_vid != before->version.vid))
        return ctx_failf(p->cx, ERR_PRECONDITION, (str){ 0 },
                         "%.*s/%.*s is at version %lld, not %lld: somebody changed it; read it "
                         "again and repeat the change",
                         STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id),
                         (long long)before->version.vid, (long long)op->if_match_vid);
    return ERR_OK;
}

static void answer_current(struct prepared *p, struct prepared_op *po)
{
    struct store_version *v = &po->op->version;
    *v = po->before.version;
    if (!v->vid || v->method == STORE_DELETED)
        return;
    v->body = version_splice(p->cx->arena, po->before.body, v->vid, v->at_ms);
    access_see(p->cx->access, v->pid);
}

static err find_target(struct prepared *p, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    po->skip = false;
    po->before = (struct version_row){ .ident.deleted = true };
    TRY(ask_parts(p, op));
    TRY(find_id(p, po));
    if (!op->id.n || op->id.p == po->minted_id.p)
        return ERR_OK;
    TRY(prepared_need_db(p));
    TRY(version_current(p->cx, p->store, op->resource, op->id, &po->before));
    TRY(hide(p, po));
    TRY(check_before(p, po));
    if (op->verb == COMMIT_DELETE && po->before.ident.deleted) {
        po->skip = true;
        op->outcome = COMMIT_UNCHANGED;
    }
    if (op->verb == COMMIT_CREATE && po->before.version.vid) {
        po->skip = true;
        op->outcome = COMMIT_MATCHED;
    }
    if (po->skip)
        answer_current(p, po);
    return ERR_OK;
}

static err check_body(struct ctx *cx, const struct commit_op *op, struct json body)
{
    if (json_string_is(json_get(body, S("resourceType")), fhir_resource_name(op->resource)))
        return ERR_OK;
    return ctx_failf(cx, ERR_INVALID, S("resourceType"), "the body must be a %.*s",
                     STR_ARG(fhir_resource_name(op->resource)));
}

/* The patch sees what a client would read. */
static err patched(struct prepared *p, struct prepared_op *po, struct json *out)
{
    const struct version_row *before = &po->before;
    str text = version_splice(p->cx->arena, before->body, before->version.vid,
                              before->version.at_ms);
    struct json served;
    TRY(json_parse(p->cx, text, &served));
    TRY(po->op->patch(p->cx, po->op, served, out));
    str id = json_string(p->cx->arena, json_get(*out, S("id")));
    if (str_given(id) && !str_eq(id, po->op->id))
        return ctx_fail(p->cx, ERR_RULE, S("id"), S("a patch may not change the id"));
    return ERR_OK;
}

/* An active SearchParameter that could not take effect is refused while its author is there. */
static err check_search_parameter(struct prepared *p, const struct prepared_op *po)
{
    struct own_wishes wishes = { 0 };
    if (!json_string_is(json_get(po->after_json, S("resourceType")), S("SearchParameter")))
        return ERR_OK;
    TRY(prepared_need_db(p));
    return own_read(p->cx, p->store, po->after_json, po->before.ident.rid, true, &wishes);
}

static err prepare_body(struct prepared *p, struct prepared_op *po)
{
    struct commit_op *op = po->op;
    struct json body = op->body;
    if (op->verb == COMMIT_PATCH)
        TRY(patched(p, po, &body));
    TRY(check_body(p->cx, op, body));
    struct reference_asker asker = { p, (size_t)(po - p->ops) };
    struct body_names names = { reference_replace, &asker };
    TRY(body_write(p->cx, body, op->id, &names, &po->body));
    if (op->skip_unchanged && !po->before.ident.deleted &&
        po->body.hole == po->before.body.hole && str_eq(po->body.text, po->before.body.text)) {
        po->skip = true;
        op->outcome = COMMIT_UNCHANGED;
        answer_current(p, po);
        return ERR_OK;
    }
    TRY(json_parse(p->cx, po->body.text, &po->after_json));
    TRY(check_search_parameter(p, po));
    TRY(index_extract(p->cx, p->store->layout, op->resource, po->after_json, &po->after_rows));
    TRY(words_of(p->cx, po->after_json, &po->after_rows.words));
    return dict_pack(p->cx, &p->store->dicts, po->body.text, &po->packed);
}

static err prepare_claims(struct prepared *p, struct prepared_op *po)
{
    if (!p->store->claim_rules)
        return ERR_OK;
    po->before_claims = arena_alloc(p->cx->arena, sizeof *po->before_claims);
    po->after_claims = arena_alloc(p->cx->arena, sizeof *po->after_claims);
    TRY(claims_of(p->cx, p->store, po->op->resource, po->before_json, po->before_claims));
    return claims_of(p->cx, p->store, po->op->resource, po->after_json, po->after_claims);
}

static err find_about(struct prepared *p, const struct prepared_op *po,
                      struct commit_change *change)
{
    struct ident_row patient;
    change->about = po->after_rows.patient;
    if (!change->about.n)
        return ERR_OK;
    TRY(prepared_need_db(p));
    TRY(ident_find(p->cx, p->cx->db, fhir_resource_find(S("Patient")), change->about, &patient));
    change->about_pid = patient.rid;
    return ERR_OK;
}

static err prepare_parts(struct prepared *p, struct prepared_op *po)
{
    struct commit_change change = { .op = po->op, .commit = p->commit,
                                    .rid = po->before.ident.rid, .pid = po->before.ident.pid,
                                    .before = po->before_json, .after = po->after_json };
    if (p->cx->access && po->after_json.doc)
        TRY(find_about(p, po, &change));
    for (size_t i = 0; i < p->store->parts_count; i++) {
        const struct commit_part *part = p->store->parts[i];
        po->parts[i] = NULL;
        if (part->prepare)
            TRY(part->prepare(p->cx, part, &change, &po->parts[i]));
    }
    return ERR_OK;
}

static err prepare_op(struct prepared *p, struct prepared_op *po)
{
    po->before_json = po->after_json = (struct json){ 0 };
    if (!po->skip && po->op->verb != COMMIT_DELETE)
        TRY(prepare_body(p, po));
    if (po->skip)
        return ERR_OK;
    if (!po->before.ident.deleted) {
        TRY(json_parse(p->cx, po->before.body.text, &po->before_json));
        TRY(index_extract(p->cx, p->store->layout, po->op->resource, po->before_json,
                          &po->before_rows));
        TRY(words_of(p->cx, po->before_json, &po->before_rows.words));
    }
    TRY(prepare_claims(p, po));
    p->changes = true;
    return prepare_parts(p, po);
}

/* FHIR: no resource may be the target of two entries of one transaction. */
static err check_twice(struct prepared *p)
{
    struct map seen = map_make(p->cx->arena);
    for (size_t i = 0; i < p->commit->ops_count; i++) {
        const struct commit_op *op = &p->commit->ops[i];
        if (!op->id.n || op->id.p == p->ops[i].minted_id.p)
            continue;
        str key = arena_printf(p->cx->arena, "%d/%.*s", op->resource, STR_ARG(op->id));
        if (!map_add(&seen, key, i, NULL) && op->outcome != COMMIT_MATCHED) {
            p->commit->failed = i;
            return ctx_failf(p->cx, ERR_INVALID, (str){ 0 },
                             "%.*s/%.*s is the target of two entries of one transaction",
                             STR_ARG(fhir_resource_name(op->resource)), STR_ARG(op->id));
        }
    }
    return ERR_OK;
}

struct prepared *prepared_make(struct ctx *cx, struct store *store, struct commit *commit)
{
    struct prepared *p = arena_zero(cx->arena, sizeof *p);
    *p = (struct prepared){ .store = store, .cx = cx, .commit = commit };
    commit->cx = cx;
    p->ops = arena_array(cx->arena, commit->ops_count, sizeof *p->ops);
    for (size_t i = 0; i < commit->ops_count; i++)
        p->ops[i] = (struct prepared_op){ .op = &commit->ops[i], .given_id = commit->ops[i].id };
    return p;
}

err prepare(struct prepared *p, int64_t snapshot_seq)
{
    struct commit *commit = p->commit;
    p->snapshot_seq = snapshot_seq;
    p->own_generation = own_generation(p->store->layout);
    p->conditions_count = 0;
    p->changes = false;
    for (size_t i = 0; i < commit->ops_count; i++) {
        commit->failed = i;
        commit->ops[i].outcome = COMMIT_CREATED;
        TRY(find_target(p, &p->ops[i]));
    }
    if (commit->ops_count > 1)
        TRY(check_twice(p));
    TRY(references_learn(p));
    for (size_t i = 0; i < commit->ops_count; i++) {
        commit->failed = i;
        TRY(prepare_op(p, &p->ops[i]));
    }
    return ERR_OK;
}
