/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"
#include <assert.h>

/*
 * Goal: whatever is asked, query_parse either reports an issue or gives a query that says the same
 * when what it kept is parsed again. The first byte chooses the type searched.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct index_layout *layout_once(void)
{
    static struct arena forever;
    static struct index_layout *layout;
    bool changed;
    if (!layout) {
        forever = arena_make((size_t)256 << 20);
        struct ctx cx = ctx_make(&forever);
        err bad = index_layout_build(&cx, &forever, NULL, &layout, &changed);
        assert(bad == ERR_OK);
    }
    return layout;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "Patient", "Observation", "ValueSet", "Encounter" };
    struct arena arena = arena_make((size_t)256 << 20);
    struct ctx cx = ctx_make(&arena);
    struct query_source from = { .layout = layout_once() };
    struct query query, again;
    if (size == 0)
        return 0;
    uint16_t resource = fhir_resource_find(str_of(types[data[0] % COUNT(types)]));
    str text = { (const char *)data + 1, size - 1 };
    if (query_parse(&cx, &from, resource, text, &query)) {
        assert(cx.issues.count > 0);
    } else {
        err bad = query_parse(&cx, &from, resource, query.kept, &again);
        assert(bad == ERR_OK && again.criteria_count == query.criteria_count);
        assert(again.sorts_count == query.sorts_count && again.count == query.count);
        assert(again.includes_count == query.includes_count);
        for (size_t i = 0; i < query.criteria_count; i++)
            assert(str_eq(query.criteria[i].raw, again.criteria[i].raw));
    }
    arena_free(&arena);
    return 0;
}
