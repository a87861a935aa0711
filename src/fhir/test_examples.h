/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "base/ctx.h"
#include <dirent.h>
#include <stdio.h>

/*
 * test_examples: walks the files of a folder of shared test data, wherever it lies.
 *
 * Missing  without the folder the test says "skipped: no ../shared/testdata" and passes. It is
 *          looked for under the environment variable FRONTLINE_SHARED, else at ../shared.
 */
struct test_tally {
    size_t passed, failed, skipped;
};
typedef void test_example_fn(struct ctx *cx, str file, str text, void *self);

static inline str test_read_file(struct arena *arena, const char *path)
{
    enum { FILE_MAX = 64 << 20, STEP = 1 << 16 };
    FILE *file = fopen(path, "rb");
    if (!file)
        return (str){ 0 };
    struct buf text = buf_make(arena, FILE_MAX);
    for (char *room; (room = buf_room(&text, STEP)) && !feof(file) && !ferror(file);)
        buf_took(&text, fread(room, 1, STEP, file));
    fclose(file);
    return buf_str(&text);
}

static inline str test_data_path(struct arena *arena, const char *folder)
{
    const char *shared = getenv("FRONTLINE_SHARED");
    return arena_printf(arena, "%s/testdata/%s", shared ? shared : "../shared", folder);
}

/* Calls `each` for every file whose name ends so, in no order, with a fresh issue list. */
static inline bool test_each_example(struct ctx *cx, const char *folder, const char *ending,
                                     test_example_fn *each, void *self)
{
    str path = test_data_path(cx->arena, folder);
    DIR *dir = opendir(arena_cstr(cx->arena, path));
    if (!dir) {
        printf("skipped: no ../shared/testdata\n");
        return false;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        str name = arena_copy(cx->arena, str_of(entry->d_name));
        if (!str_ends(name, str_of(ending)))
            continue;
        struct arena_mark mark = arena_mark(cx->arena);
        struct ctx inner = ctx_make(cx->arena);
        inner.now_ms = cx->now_ms;
        str file = arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(path), STR_ARG(name));
        each(&inner, name, test_read_file(cx->arena, arena_cstr(cx->arena, file)), self);
        arena_rewind(cx->arena, mark);
    }
    closedir(dir);
    return true;
}
