/* SPDX-License-Identifier: Apache-2.0 */
#include "store/terms.h"
#include "base/buf.h"
#include "store/query.h"
#include "store/state.h"

enum { POSTED_MOST = 16 };

static const char *const types[] = {
    [TERM_CODE_SYSTEM] = "CodeSystem", [TERM_VALUE_SET] = "ValueSet",
    [TERM_CONCEPT_MAP] = "ConceptMap",
};

/* Of several posted with one url the last in the index is the newest. */
err store_find_definition(struct ctx *cx, struct store *store, enum term_kind kind, str url,
                          str version, str *out)
{
    int64_t rids[POSTED_MOST];
    struct search_rids hits = { .rids = rids, .max = POSTED_MOST };
    struct buf query = buf_make(cx->arena, QUERY_BYTES_MAX);
    struct store_version found;
    buf_add(&query, S("url="));
    query_encode(&query, url);
    if (version.n) {
        buf_add(&query, S("&version="));
        query_encode(&query, version);
    }
    TRY(search_condition(cx, store, fhir_resource_find(str_of(types[kind])), buf_str(&query),
                         &hits));
    if (!hits.count)
        return ERR_NOT_FOUND;
    TRY(store_read_rid(cx, store, hits.rids[hits.count - 1], &found));
    *out = found.body;
    return ERR_OK;
}

static err find(struct ctx *cx, const struct term_source *source, enum term_kind kind, str url,
                str version, str *out)
{
    str head = arena_printf(cx->arena, "\"resourceType\":\"%s\"", types[kind]);
    err posted = store_find_definition(cx, source->self, kind, url, version, out);
    if (posted != ERR_NOT_FOUND)
        return posted;
    str text = fhir_definition(url);
    if (version.n || str_find(str_slice(text, 0, 100), head) == STR_NONE)
        return ERR_NOT_FOUND;
    *out = text;
    return ERR_OK;
}

void store_terms_make(struct store *store)
{
    struct term_source *source = arena_zero(&store->arena, sizeof *source);
    *source = (struct term_source){ .find = find, .self = store };
    store->own_terms = store->terms = term_make(&store->arena, source);
}

struct term *store_terms(struct store *store)
{
    return store->terms;
}

void store_use_terms(struct store *store, struct term *term)
{
    store->terms = term;
}
