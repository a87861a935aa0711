/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/def.h"
#include "fhir/path.h"
#include <assert.h>
#include <setjmp.h>

/*
 * Goal: whatever the bytes, compiling, checking and running an expression ends within its budgets,
 * with a result or an issue, on a FHIR resource as on plain JSON.
 */
static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"name\":[{\"use\":\"official\",\"family\":\"F\","
    "\"given\":[\"G\",null],\"_given\":[null,{\"id\":\"x\"}]}],\"birthDate\":\"1974-12-25\","
    "\"multipleBirthInteger\":2,\"contained\":[{\"resourceType\":\"Observation\",\"id\":\"o\","
    "\"valueQuantity\":{\"value\":1.50,\"system\":\"http://unitsofmeasure.org\",\"code\":"
    "\"mg\"}}]}";

static void run(struct ctx *cx, const struct path *path, struct json input, bool untyped)
{
    struct path_result result;
    struct path_run run = { .input = input, .untyped = untyped, .steps_max = 20000 };
    if (path_eval(cx, path, &run, &result)) {
        assert(cx->issues.count > 0);
        return;
    }
    for (size_t i = 0; i < result.count; i++) {
        path_item_text(cx->arena, &result.items[i]);
        assert(path_item_type_name(cx->arena, &result.items[i]).n > 0);
    }
}

static void try_bytes(struct arena *arena, const uint8_t *data, size_t size)
{
    struct ctx cx = ctx_make(arena);
    const struct path *path;
    struct json input;
    cx.now_ms = 1774526400000;
    if (json_parse(&cx, S(patient), &input))
        abort();
    if (path_compile(&cx, (str){ (const char *)data, size }, &path)) {
        assert(cx.issues.count > 0);
        return;
    }
    if (path_check(&cx, path, fhir_type_find(S("Patient"))))
        assert(cx.issues.count > 0);
    run(&cx, path, input, false);
    run(&cx, path, input, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)256 << 20);
    jmp_buf over;
    arena.over = &over;
    if (setjmp(over) == 0)
        try_bytes(&arena, data, size);
    arena_free(&arena);
    return 0;
}
