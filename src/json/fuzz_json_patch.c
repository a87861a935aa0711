/* SPDX-License-Identifier: Apache-2.0 */
#include "json/patch.h"
#include <assert.h>

/*
 * Goal: the bytes are an array [document, patch]. Whatever they say, json_patch reports an issue or
 * gives a document, within a small arena; the empty patch changes nothing.
 */
static void try_patch(struct ctx *cx, const uint8_t *data, size_t size)
{
    struct json both, empty, out = { 0 };
    if (json_parse(cx, (str){ (const char *)data, size }, &both) || !json_at(both, 0).doc)
        return;
    struct json document = json_at(both, 0);
    if (json_patch(cx, document, json_at(both, 1), &out))
        assert(cx->issues.count > 0 && !out.doc);
    err error = json_parse(cx, S("[]"), &empty);
    error = error ? error : json_patch(cx, document, empty, &out);
    assert(!error && json_same(document, out, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)32 << 20);
    struct ctx cx = ctx_make(&arena);
    jmp_buf over;
    arena.over = &over;
    if (setjmp(over) == 0) /* a patch that grows past the cap ends here, as a request would */
        try_patch(&cx, data, size);
    arena_free(&arena);
    return 0;
}
