/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile.h"
#include "fhir/validate.h"
#include <assert.h>

/*
 * Goal: whatever the JSON, validation either finds nothing or reports issues, each with a text; and
 * what R4's own rules refuse, $validate refuses too.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct profile_set *load(void)
{
    static struct profile_set *set;
    static struct arena arena;
    if (!set) {
        arena = arena_make((size_t)1 << 30);
        struct ctx cx = ctx_make(&arena);
        err got = profile_set_load(&cx, (str){ 0 }, &set);
        assert(got == ERR_OK);
    }
    return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)512 << 20);
    struct ctx cx = ctx_make(&arena);
    struct json resource;
    if (json_parse(&cx, (str){ (const char *)data, size }, &resource) == ERR_OK) {
        err plain = validate_resource(&cx, resource);
        assert((plain == ERR_OK) == (cx.issues.count == 0));
        for (size_t i = 0; i < cx.issues.kept; i++)
            assert(cx.issues.list[i].text.n > 0);
        cx.issues = ctx_make(&arena).issues;
        err whole = profile_validate(&cx, load(), resource, (str){ 0 });
        assert(plain == ERR_OK || whole != ERR_OK);
    }
    ctx_release(&cx);
    arena_free(&arena);
    return 0;
}
