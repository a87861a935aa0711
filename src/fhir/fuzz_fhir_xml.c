/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/xml.h"
#include <assert.h>

/*
 * Goal: whatever the bytes, reading them as XML reports an issue or gives JSON; and that JSON, if
 * it can be written as XML again, reads back as the same.
 */
static void try_read(struct ctx *cx, const uint8_t *data, size_t size)
{
    struct json first = { 0 }, second = { 0 };
    if (fhir_xml_read(cx, (str){ (const char *)data, size }, &first)) {
        assert(cx->issues.count > 0 && !first.doc);
        return;
    }
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    if (fhir_xml_write(cx, first, size % 2, &buf))
        return;
    err error = fhir_xml_read(cx, buf_str(&buf), &second);
    assert(!error && json_same(first, second, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)256 << 20);
    struct ctx cx = ctx_make(&arena);
    try_read(&cx, data, size);
    ctx_release(&cx);
    arena_free(&arena);
    return 0;
}
