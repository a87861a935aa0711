/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/mews.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Goal: whatever the bytes, a table is refused with an issue, or scores without reading outside. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(1 << 22);
    struct ctx cx = ctx_make(&arena);
    struct mews_table table;
    struct mews_score score;

    if (mews_table_parse(&cx, (str){ (const char *)data, size }, &table) != ERR_OK) {
        assert(cx.issues.count > 0);
    } else {
        struct mews_obs obs = { { 16, 97, 120, 70, 80, 370, 1 } };
        assert(mews_score(&cx.issues, &table, &obs, &score) == ERR_OK);
        assert(score.highest <= score.total);
    }
    arena_free(&arena);
    return 0;
}
