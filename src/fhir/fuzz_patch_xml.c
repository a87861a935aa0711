/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/patch_xml.h"
#include <assert.h>

/*
 * Goal: whatever the bytes, as an XML Patch of a patient they are refused with an issue or give a
 * resource; the patient itself is untouched.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char patient[] = "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{"
                                  "\"family\":\"A\",\"given\":[\"x\",\"y\"]}],"
                                  "\"birthDate\":\"1920-01-01\"}";
    struct arena arena = arena_make((size_t)256 << 20);
    struct ctx cx = ctx_make(&arena);
    struct json before = { 0 }, after = { 0 };
    err error = json_parse(&cx, str_of(patient), &before);
    assert(!error);
    error = fhir_patch_xml(&cx, before, (str){ (const char *)data, size }, &after);
    assert(error ? cx.issues.count > 0 : after.doc != NULL);
    assert(str_eq(json_text(before), str_of(patient)));
    ctx_release(&cx);
    arena_free(&arena);
    return 0;
}
