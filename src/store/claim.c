/* SPDX-License-Identifier: Apache-2.0 */
#include "store/claim.h"
#include "base/buf.h"
#include "store/version.h"

void commit_set_claim_rules(struct store *store, const struct claim_rule *const *rules)
{
    store->claim_rules = rules;
}

static err claims_by(struct ctx *cx, struct store *store, const struct claim_rule *rule,
                     struct json body, struct claims *out)
{
    struct claim list[CLAIMS_MAX];
    size_t count = 0;
    TRY(rule->claims(cx, store, body, list, &count));
    for (size_t i = 0; i < count; i++) {
        if (out->count == CLAIMS_MAX)
            return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "a resource may make at most %d claims",
                             CLAIMS_MAX);
        if (!list[i].kind)
            list[i].kind = rule->kind;
        if (claims_has(out, &list[i]))
            continue;
        out->rule[out->count] = rule;
        out->list[out->count++] = list[i];
    }
    return ERR_OK;
}

err claims_of(struct ctx *cx, struct store *store, uint16_t resource, struct json body,
              struct claims *out)
{
    out->count = 0;
    if (!body.doc || !store->claim_rules)
        return ERR_OK;
    str type = fhir_resource_name(resource);
    for (const struct claim_rule *const *rule = store->claim_rules; *rule; rule++)
        if (str_eq(type, str_of((*rule)->resource)))
            TRY(claims_by(cx, store, *rule, body, out));
    return ERR_OK;
}

static bool same(const struct claim *a, const struct claim *b)
{
    return str_eq(a->key, b->key) && strcmp(a->kind, b->kind) == 0;
}

bool claims_has(const struct claims *claims, const struct claim *claim)
{
    for (size_t i = 0; i < claims->count; i++)
        if (same(&claims->list[i], claim))
            return true;
    return false;
}

err claim_holder(struct ctx *cx, struct db *db, const struct claim *claim, int64_t *out)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_CLAIM_FIND);
    db_bind_text(stmt, 1, str_of(claim->kind));
    db_bind_text(stmt, 2, claim->key);
    bool row;
    TRY(db_step(cx, stmt, &row));
    *out = row ? db_int(stmt, 0) : 0;
    db_reset(stmt);
    return ERR_OK;
}

/* The first %s of the rule's text becomes the key, the second the holder. */
static str worded(struct ctx *cx, const char *text, str key, str holder)
{
    struct buf buf = buf_make(cx->arena, 4096);
    str rest = str_of(text), pieces[] = { key, holder };
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t at = str_find(rest, S("%s"));
        if (at == STR_NONE)
            break;
        buf_add(&buf, str_slice(rest, 0, at));
        buf_add(&buf, pieces[i]);
        rest = str_slice(rest, at + 2, rest.n);
    }
    buf_add(&buf, rest);
    return buf_str(&buf);
}

err claim_refuse(struct ctx *cx, struct store *store, const struct claim_rule *rule,
                 const struct claim *claim, int64_t holder)
{
    struct ident_row ident;
    str id;
    TRY(ident_of_rid(cx, cx->db, holder, &ident, &id));
    str name = arena_printf(cx->arena, "%.*s/%.*s",
                            STR_ARG(fhir_resource_name(store_rid_resource(holder))), STR_ARG(id));
    if (!version_rid_visible(cx, store, holder)) /* that it is taken must be said; by what, not */
        name = S("another entry");
    const char *text = rule->refusal ? rule->refusal : "%s is held by %s";
    return ctx_failf(cx, ERR_CONFLICT, (str){ 0 }, "%.*s (rule: %s; holder: %.*s)",
                     STR_ARG(worded(cx, text, claim->key, name)), claim->kind, STR_ARG(name));
}

err claim_drop(struct ctx *cx, struct db *db, const struct claim *claim, int64_t rid)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_CLAIM_DROP);
    db_bind_text(stmt, 1, str_of(claim->kind));
    db_bind_text(stmt, 2, claim->key);
    db_bind_int(stmt, 3, rid);
    return db_run(cx, stmt);
}

err claim_put(struct ctx *cx, struct db *db, const struct claim *claim, int64_t rid, int64_t pid)
{
    struct db_stmt *stmt = db_use(cx, db, store_sql, SQL_CLAIM_PUT);
    db_bind_text(stmt, 1, str_of(claim->kind));
    db_bind_text(stmt, 2, claim->key);
    db_bind_int(stmt, 3, rid);
    db_bind_int(stmt, 4, pid);
    return db_run(cx, stmt);
}
