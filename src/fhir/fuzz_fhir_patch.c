/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/patch.h"
#include <assert.h>

/*
 * Goal: the bytes are a FHIRPath Patch of a patient. Whatever they say, fhir_patch reports an issue
 * or gives a resource, and the patient itself is untouched.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char patient[] =
        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,\"deceasedBoolean\":false,"
        "\"name\":[{\"family\":\"A\",\"given\":[\"x\",null],\"_given\":[null,{\"id\":\"y\"}]},"
        "{\"family\":\"B\"}],\"_birthDate\":{\"id\":\"b\"},\"contact\":[{\"gender\":\"male\"}]}";
    struct arena arena = arena_make((size_t)256 << 20);
    struct ctx cx = ctx_make(&arena);
    struct json before = { 0 }, patch = { 0 }, after = { 0 };
    err error = json_parse(&cx, str_of(patient), &before);
    assert(!error);
    if (json_parse(&cx, (str){ (const char *)data, size }, &patch) == ERR_OK) {
        error = fhir_patch(&cx, before, patch, &after);
        assert(error ? cx.issues.count > 0 : after.doc != NULL);
    }
    assert(str_eq(json_text(before), str_of(patient)));
    ctx_release(&cx);
    arena_free(&arena);
    return 0;
}
