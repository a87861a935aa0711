/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search_run.h"
#include "store/compile.h"
#include "store/own.h"

enum { INCLUDED_MOST = 10000, INCLUDE_ROUNDS_MOST = 20 };

/* Resources on the page, by rid; each is added once. */
struct included {
    struct map rids;
    size_t from, to; /* entries the current round looks at */
};

static bool add_rid(struct ctx *cx, struct included *included, int64_t rid)
{
    str key = arena_copy(cx->arena, (str){ (const char *)&rid, sizeof rid });
    return map_add(&included->rids, key, 0, NULL);
}

static err add_entry(struct ctx *cx, struct search *search, struct included *included,
                     int64_t rid, int64_t pid)
{
    if (!access_type(cx->access, store_rid_resource(rid)) ||
        (pid && !access_patient(cx->access, rid, pid)) || !add_rid(cx, included, rid))
        return ERR_OK;
    if (search->page->entries_count >= search->matches_count + INCLUDED_MOST)
        return ctx_failf(cx, ERR_LIMIT, S("_include"), "more than %d resources would be included: "
                         "ask for fewer with _count", INCLUDED_MOST);
    return search_add_entry(cx, search, SEARCH_INCLUDE, rid);
}

static bool reads(const struct layout_param *param, const struct index_row *row)
{
    for (uint16_t i = 0; i < param->slots_count; i++)
        if (param->slots[i].slot == row->slot &&
            (param->slots[i].target == FHIR_NONE || param->slots[i].target == row->target))
            return true;
    return false;
}

/* What one entry refers to by the include's parameter, or by any with a wildcard. */
static err include_from(struct ctx *cx, struct search *search, struct included *included,
                        const struct query_include *include, const struct store_version *version)
{
    struct json body;
    struct index_rows rows;
    TRY(json_parse(cx, version->body, &body));
    TRY(index_extract(cx, search->from.layout, version->resource, body, &rows));
    for (size_t i = 0; i < rows.count; i++) {
        const struct index_row *row = &rows.rows[i];
        int64_t rid;
        bool wanted = row->table == INDEX_REF && row->target != INDEX_ELSEWHERE &&
                      (include->wildcard || reads(include->param, row)) &&
                      (include->target == FHIR_NONE || include->target == row->target);
        if (!wanted)
            continue;
        TRY(compile_rid(cx, row->target, row->text, &rid));
        if (rid)
            TRY(add_entry(cx, search, included, rid, 0));
    }
    return ERR_OK;
}

static err revinclude_by(struct ctx *cx, struct search *search, struct included *included,
                         const struct layout_param *param, const struct store_version *version)
{
    for (uint16_t s = 0; s < param->slots_count; s++) {
        struct hits hits = { 0 };
        uint16_t target = param->slots[s].target;
        struct posting posting = { .kind = POSTING_REF, .slot = param->slots[s].slot,
                                   .value = version->rid };
        if (target != FHIR_NONE && target != version->resource)
            continue;
        TRY(posting_collect(cx, &posting, &hits));
        for (size_t i = 0; i < hits.count; i++)
            TRY(add_entry(cx, search, included, hits.list[i].rid, hits.list[i].pid));
    }
    return ERR_OK;
}

/* By every reference parameter of the source type, the server's own that are indexed, too. */
static err revinclude_all(struct ctx *cx, struct search *search, struct included *included,
                          uint16_t source, const struct store_version *version)
{
    const struct layout_type *type = &search->from.layout->types[source];
    const struct own_set *own = own_current(search->from.layout);
    for (uint16_t i = 0; i < type->params_count; i++)
        if (type->params[i].kind == FHIR_SEARCH_REFERENCE)
            TRY(revinclude_by(cx, search, included, &type->params[i], version));
    for (size_t i = 0; own && i < own->types[source].count; i++) {
        const struct own_param *param = own->types[source].list[i];
        if (param->state == OWN_ACTIVE && param->indexed.kind == FHIR_SEARCH_REFERENCE)
            TRY(revinclude_by(cx, search, included, &param->indexed, version));
    }
    return ERR_OK;
}

/* What refers to one entry: by the parameter, or by all reference parameters of the source type. */
static err revinclude_to(struct ctx *cx, struct search *search, struct included *included,
                         const struct query_include *include, const struct store_version *version)
{
    if (include->target != FHIR_NONE && include->target != version->resource)
        return ERR_OK;
    if (!include->wildcard)
        return revinclude_by(cx, search, included, include->param, version);
    for (uint16_t r = 0; r < fhir_resources_count; r++)
        if (include->source == FHIR_NONE || include->source == r)
            TRY(revinclude_all(cx, search, included, r, version));
    return ERR_OK;
}

/* One round over the entries of the last: the first over the matches, the rest iterate. */
static err include_round(struct ctx *cx, struct search *search, struct included *included,
                         bool iterating)
{
    for (size_t e = included->from; e < included->to; e++)
        for (size_t i = 0; i < search->query.includes_count; i++) {
            const struct query_include *include = &search->query.includes[i];
            const struct store_version version = search->page->entries[e].version;
            if (iterating && !include->iterate)
                continue;
            if (include->reverse)
                TRY(revinclude_to(cx, search, included, include, &version));
            else if (include->source == FHIR_NONE || include->source == version.resource)
                TRY(include_from(cx, search, included, include, &version));
        }
    return ERR_OK;
}

err search_include(struct ctx *cx, struct search *search)
{
    struct included included = { .rids = map_make(cx->arena) };
    if (!search->query.includes_count)
        return ERR_OK;
    search->matches_count = search->page->entries_count;
    for (size_t i = 0; i < search->page->entries_count; i++)
        add_rid(cx, &included, search->page->entries[i].version.rid);
    for (int round = 0; round < INCLUDE_ROUNDS_MOST; round++) {
        included.to = search->page->entries_count;
        if (included.from == included.to)
            break;
        TRY(include_round(cx, search, &included, round > 0));
        TRY(ctx_late(cx));
        included.from = included.to;
    }
    return ERR_OK;
}
