/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"
#include <assert.h>

/*
 * Goal: whatever the bytes, json_parse either reports an issue or gives a value whose minified and
 * pretty texts parse again to the same value; and minifying twice changes nothing.
 */
static struct json again(struct ctx *cx, void (*print)(struct buf *, struct json), struct json v)
{
    struct buf buf = buf_make(cx->arena, SIZE_MAX);
    struct json out = { 0 };
    print(&buf, v);
    err error = json_parse(cx, buf_str(&buf), &out);
    assert(error == ERR_OK);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)256 << 20);
    struct ctx cx = ctx_make(&arena);
    struct json v;
    if (json_parse(&cx, (str){ (const char *)data, size }, &v)) {
        assert(cx.issues.count > 0);
    } else {
        struct json small = again(&cx, json_minify, v), wide = again(&cx, json_pretty, v);
        assert(json_same(v, small, true) && json_same(v, wide, true));
        assert(str_eq(json_text(small), json_text(again(&cx, json_minify, wide))));
        for (struct json_walk w = json_walk(v); w.object && json_next(&w);)
            assert(json_same(json_get(v, json_string(cx.arena, w.key)), w.value, true));
    }
    arena_free(&arena);
    return 0;
}
