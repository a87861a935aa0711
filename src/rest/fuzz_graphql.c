/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/graphql.h"
#include <assert.h>

/*
 * Goal: whatever the bytes, graphql_parse gives a tree with at least one definition, or an issue
 * that says where it stopped, within a small arena.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_query(struct ctx *cx, str text)
{
    struct graphql_definition *document = NULL;
    err wrong = graphql_parse(cx, text, &document);
    assert(wrong ? cx->issues.count > 0 : document && document->selections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)32 << 20);
    struct ctx cx = ctx_make(&arena);
    str text = { (const char *)data, size };
    jmp_buf over;
    arena.over = &over;
    if (setjmp(over) == 0)
        try_query(&cx, text);
    arena_free(&arena);
    return 0;
}
