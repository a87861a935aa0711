/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prepare.h"

err references_learn(struct prepared *p)
{
    struct commit *commit = p->commit;
    p->names = map_make(p->cx->arena);
    for (size_t i = 0; i < commit->ops_count; i++) {
        const struct commit_op *op = &commit->ops[i];
        if (!op->full_url.n || op->verb == COMMIT_DELETE || !op->id.n)
            continue;
        if (!map_add(&p->names, op->full_url, i, NULL)) {
            commit->failed = i;
            return ctx_failf(p->cx, ERR_INVALID, S("Bundle.entry.fullUrl"),
                             "%.*s stands over two entries", STR_ARG(op->full_url));
        }
    }
    return ERR_OK;
}

static str name_of(struct ctx *cx, const struct prepared_op *po, bool versioned)
{
    const struct commit_op *op = po->op;
    str type = fhir_resource_name(op->resource);
    int64_t vid = po->before.version.vid + !po->skip;
    if (versioned)
        return arena_printf(cx->arena, "%.*s/%.*s/_history/%lld", STR_ARG(type), STR_ARG(op->id),
                            (long long)vid);
    return arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(type), STR_ARG(op->id));
}

/* "http://host/fhir/" of "http://host/fhir/Patient/1"; not given for other kinds of URL. */
static str base_of(str full_url)
{
    if (!str_starts(full_url, S("http://")) && !str_starts(full_url, S("https://")))
        return (str){ 0 };
    size_t slashes = 0;
    for (size_t i = full_url.n; i-- > 8;) {
        slashes += full_url.p[i] == '/';
        if (slashes == 2)
            return str_slice(full_url, 0, i + 1);
    }
    return (str){ 0 };
}

/* The entry a reference names: by its full url, or relative to the full url it stands under. */
static bool find_entry(struct ctx *cx, const struct reference_asker *asker, str reference,
                       uint64_t *out)
{
    const struct prepared *p = asker->prepared;
    if (!p->names.count)
        return false;
    if (map_get(&p->names, reference, out))
        return true;
    str base = base_of(p->commit->ops[asker->index].full_url);
    if (!base.n || str_find_char(reference, ':') != STR_NONE)
        return false;
    return map_get(&p->names, arena_printf(cx->arena, "%.*s%.*s", STR_ARG(base),
                                           STR_ARG(reference)), out);
}

/* A conditional create of the same transaction with the same condition is what is meant. */
static bool find_same_condition(const struct prepared *p, uint16_t resource, str query, size_t *out)
{
    for (size_t i = 0; i < p->commit->ops_count; i++) {
        const struct commit_op *op = &p->commit->ops[i];
        if (op->resource == resource && op->verb != COMMIT_DELETE && str_eq(op->condition, query)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static err conditional(struct ctx *cx, struct prepared *p, uint16_t resource, str query,
                       bool versioned, str *out)
{
    struct condition condition;
    size_t same;
    if (find_same_condition(p, resource, query, &same)) {
        *out = name_of(cx, &p->ops[same], versioned);
        return ERR_OK;
    }
    TRY(condition_try(p, resource, query, &condition));
    if (condition.count != 1)
        return ctx_failf(cx, ERR_PRECONDITION, S("reference"),
                         "the conditional reference %.*s?%.*s matches %s; it must match exactly "
                         "one resource", STR_ARG(fhir_resource_name(resource)), STR_ARG(query),
                         condition.count ? "several" : "none");
    struct ident_row ident;
    str id;
    TRY(prepared_need_db(p));
    TRY(ident_of_rid(cx, cx->db, condition.rid, &ident, &id));
    *out = arena_printf(cx->arena, versioned ? "%.*s/%.*s/_history/%lld" : "%.*s/%.*s",
                        STR_ARG(fhir_resource_name(resource)), STR_ARG(id), (long long)ident.vid);
    return ERR_OK;
}

err reference_replace(struct ctx *cx, void *self, str reference, bool versioned, str *out)
{
    struct reference_asker *asker = self;
    uint64_t entry;
    *out = (str){ 0 };
    if (find_entry(cx, asker, reference, &entry)) {
        *out = name_of(cx, &asker->prepared->ops[entry], versioned);
        return ERR_OK;
    }
    const struct commit *commit = asker->prepared->commit;
    if (commit->resolve && str_starts(reference, S("urn:")))
        return commit->resolve(cx, commit, reference, out);
    size_t mark = str_find_char(reference, '?');
    if (mark == STR_NONE)
        return ERR_OK;
    uint16_t resource = fhir_resource_find(str_slice(reference, 0, mark));
    if (resource == FHIR_NONE)
        return ERR_OK;
    return conditional(cx, asker->prepared, resource, str_slice(reference, mark + 1, reference.n),
                       versioned, out);
}
