/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "base/random.h"
#ifdef TEST_PLAIN
#include "base/test_plain.h"
#else
#include <criterion/criterion.h>
#endif
#include <dirent.h>

/*
 * test: what a unit test stands on: a fresh ctx in `cx`, and expectations that name their row.
 *
 *   TEST(json_refuses_duplicate_keys) { EXPECT_INT("row", json_parse(cx, ...), ERR_INVALID); }
 *
 * The suite is the file's name after test_, so that `unit_tests --filter json/...` works.
 */
#define TEST(name)                                                                                 \
    static void name##_body(struct ctx *cx);                                                       \
    Test(TEST_SUITE, name)                                                                         \
    {                                                                                              \
        test_run(name##_body);                                                                     \
    }                                                                                              \
    static void name##_body(struct ctx *cx __attribute__((unused)))

#define EXPECT(row, condition)                                                                     \
    cr_expect((condition), "%s: %s", (row), #condition)
#define EXPECT_INT(row, got, expected)                                                             \
    do {                                                                                           \
        long long got_ = (long long)(got), expected_ = (long long)(expected);                      \
        cr_expect(got_ == expected_, "%s: %s is %lld, expected %lld", (row), #got, got_,           \
                  expected_);                                                                      \
    } while (0)
#define EXPECT_STR(row, got, expected)                                                             \
    do {                                                                                           \
        str got_ = (got), expected_ = (expected);                                                  \
        cr_expect(str_eq(got_, expected_), "%s: %s is \"%.*s\", expected \"%.*s\"", (row), #got,   \
                  STR_ARG(got_), STR_ARG(expected_));                                              \
    } while (0)

/* An empty folder under $TMPDIR, or /tmp; it goes when the test has ended (test_folder.c). */
str test_folder(struct ctx *cx);
void test_folders_remove(struct ctx *cx);

static inline void test_run(void (*body)(struct ctx *cx))
{
    struct arena arena = arena_make((size_t)512 << 20);
    struct random random = random_seeded(1);
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = 1774526400000; /* 2026-03-26T12:00:00Z */
    cx.random = &random;
    body(&cx);
    ctx_release(&cx);
    test_folders_remove(&cx);
    arena_free(&arena);
}

/*
 * Test data kept beside the source tree: $FRONTLINE_SHARED, or ../shared from the source root.
 * test_shared is { NULL, 0 } after printing "skipped" when the file or folder is not there.
 */
static inline str test_shared(struct ctx *cx, const char *path)
{
    const char *root = getenv("FRONTLINE_SHARED");
    root = root ? root : FRONTLINE_SOURCE_ROOT "/../shared";
    str full = arena_printf(cx->arena, "%s/%s", root, path);
    FILE *file = fopen(full.p, "r");
    if (file)
        fclose(file);
    else
        printf("skipped: no ../shared/%s\n", path);
    return file ? full : (str){ 0 };
}

static inline str test_read(struct ctx *cx, str path)
{
    FILE *file = fopen(arena_cstr(cx->arena, path), "rb");
    if (!file)
        return (str){ 0 };
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = arena_alloc(cx->arena, size + 1);
    size = fread(text, 1, size, file);
    fclose(file);
    return (str){ text, size };
}

/* The paths of the files in a folder that end in `ending`, sorted; their number in *count. */
static inline str *test_list(struct ctx *cx, str folder, str ending, size_t *count)
{
    struct dirent **names = NULL;
    int found = folder.p ? scandir(folder.p, &names, NULL, alphasort) : 0;
    str *paths = arena_array(cx->arena, found > 0 ? (size_t)found : 0, sizeof *paths);
    *count = 0;
    for (int i = 0; i < found; i++) {
        if (str_ends(str_of(names[i]->d_name), ending))
            paths[(*count)++] = arena_printf(cx->arena, "%s/%s", folder.p, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return paths;
}
