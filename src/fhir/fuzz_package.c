/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/package.h"
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Goal: whatever the bytes, package_untar either reads a package or reports an issue. Bytes that
 * are no gzip are taken as a tar themselves, which lets the fuzzer reach the headers.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make((size_t)1 << 30);
    struct ctx cx = ctx_make(&arena);
    struct package package = { 0 };
    int file = memfd_create("package", MFD_CLOEXEC);
    if (file >= 0 && write(file, data, size) == (ssize_t)size) {
        str path = arena_printf(&arena, "/proc/self/fd/%d", file);
        if (package_untar(&cx, &package, path) != ERR_OK)
            assert(cx.issues.count > 0);
    }
    ctx_release(&cx);
    if (file >= 0)
        close(file);
    arena_free(&arena);
    return 0;
}
