/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/nhsno.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Goal: whatever the bytes, nhsno_parse either reports an issue or returns ten digits which parse
 * again to themselves, and which stop parsing when any one digit is changed.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char memory[4096];
    struct arena arena = arena_in(memory, sizeof memory, 1 << 20);
    struct ctx cx = ctx_make(&arena);
    str first, again;

    if (nhsno_parse(&cx, (str){ (const char *)data, size }, &first) != ERR_OK) {
        assert(cx.issues.count > 0);
        arena_free(&arena);
        return 0;
    }
    assert(first.n == NHSNO_DIGITS);
    assert(nhsno_parse(&cx, first, &again) == ERR_OK && str_eq(first, again));
    for (size_t i = 0; i < NHSNO_DIGITS; i++) {
        char changed[NHSNO_DIGITS];
        memcpy(changed, first.p, NHSNO_DIGITS);
        changed[i] = changed[i] == '9' ? '0' : (char)(changed[i] + 1);
        assert(nhsno_parse(&cx, (str){ changed, NHSNO_DIGITS }, &again) == ERR_INVALID);
    }
    arena_free(&arena);
    return 0;
}
