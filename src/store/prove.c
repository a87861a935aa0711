/* SPDX-License-Identifier: Apache-2.0 */
#include "store/own.h"
#include "store/search.h"
#include "store/writer.h"

/* A chain or _has depends on other types too; then any newer version counts. */
static bool may_have_changed(const struct writer *w, const struct prepared *p,
                             const struct condition *condition)
{
    bool simple = str_find_char(condition->query, '.') == STR_NONE &&
                  str_find_char(condition->query, ':') == STR_NONE &&
                  str_find(condition->query, S("_has")) == STR_NONE;
    return (simple ? w->type_seq[condition->resource] : w->seq) > p->snapshot_seq;
}

static err conditions_hold(struct writer *w, struct prepared *p, bool *out)
{
    *out = true;
    for (size_t i = 0; *out && i < p->conditions_count; i++) {
        const struct condition *tried = &p->conditions[i];
        if (!may_have_changed(w, p, tried))
            continue;
        int64_t rids[2];
        struct search_rids found = { rids, COUNT(rids), 0 };
        TRY(writer_flush(w));
        TRY(search_condition(p->cx, p->store, tried->resource, tried->query, &found));
        *out = found.count == tried->count && (found.count != 1 || rids[0] == tried->rid);
    }
    return ERR_OK;
}

static err targets_hold(struct writer *w, struct prepared *p, bool *out)
{
    *out = true;
    for (size_t i = 0; *out && i < p->commit->ops_count; i++) {
        struct prepared_op *po = &p->ops[i];
        bool asked = !po->skip || po->op->if_match_vid;
        if (!asked || po->op->id.p == po->minted_id.p)
            continue;
        struct ident_row now;
        TRY(ident_find(p->cx, w->db, po->op->resource, po->op->id, &now));
        *out = now.vid == po->before.ident.vid && now.pid == (po->before.ident.vid
                                                                  ? po->before.ident.pid
                                                                  : now.pid);
        po->before.ident.rid = now.rid;
    }
    return ERR_OK;
}

/* A claim given up by another operation of the same commit is free. */
static bool released(const struct prepared *p, const struct claim *claim, int64_t holder)
{
    for (size_t i = 0; i < p->commit->ops_count; i++) {
        const struct prepared_op *po = &p->ops[i];
        if (!po->skip && po->before.ident.rid == holder && po->before_claims &&
            claims_has(po->before_claims, claim) && !claims_has(po->after_claims, claim))
            return true;
    }
    return false;
}

static err claimed_twice(struct prepared *p, size_t index, const struct claim_rule *rule,
                         const struct claim *claim)
{
    for (size_t i = 0; i < index; i++)
        if (!p->ops[i].skip && claims_has(p->ops[i].after_claims, claim))
            return ctx_failf(p->cx, ERR_CONFLICT, (str){ 0 },
                             "two entries of this transaction claim %.*s (rule: %s)",
                             STR_ARG(claim->key), rule->kind);
    return ERR_OK;
}

/* What the rule's owner is told is in the group's transaction, and so on disk when the refusal is
 * answered. That it could not be told changes nothing about the refusal. */
static err refuse(struct writer *w, struct prepared *p, const struct prepared_op *po, size_t at,
                  int64_t holder)
{
    const struct claim *claim = &po->after_claims->list[at];
    const struct claim_rule *rule = po->after_claims->rule[at];
    err wrong = claim_refuse(p->cx, p->store, rule, claim, holder);
    struct claim_refused refused = { .commit = p->commit, .claim = claim,
                                     .before = po->before_json, .id = po->before.version.id,
                                     .vid = po->before.version.vid };
    bool anew = po->before_json.doc && !claims_has(po->before_claims, claim);
    if (rule->refused && anew && wrong == ERR_CONFLICT)
        (void)!rule->refused(p->cx, w->db, &refused);
    return wrong;
}

static err claims_free(struct writer *w, struct prepared *p)
{
    for (size_t i = 0; p->store->claim_rules && i < p->commit->ops_count; i++) {
        struct prepared_op *po = &p->ops[i];
        if (po->skip)
            continue;
        p->commit->failed = i;
        for (size_t c = 0; c < po->after_claims->count; c++) {
            const struct claim *claim = &po->after_claims->list[c];
            int64_t holder;
            TRY(claimed_twice(p, i, po->after_claims->rule[c], claim));
            TRY(claim_holder(p->cx, w->db, claim, &holder));
            if (holder && holder != po->before.ident.rid && !released(p, claim, holder))
                return refuse(w, p, po, c, holder);
        }
    }
    return ERR_OK;
}

err writer_prove(struct writer *w, struct prepared *p)
{
    bool holds;
    TRY(conditions_hold(w, p, &holds));
    holds = holds && p->own_generation == own_generation(w->store->layout);
    if (holds)
        TRY(targets_hold(w, p, &holds));
    if (!holds) {
        TRY(writer_flush(w));
        TRY(prepare(p, w->seq));
    }
    if (p->commit->holds) {
        TRY(writer_flush(w));
        TRY(p->commit->holds(p->cx, p->store, p->commit));
    }
    return claims_free(w, p);
}
