/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "base/random.h"
#include <criterion/criterion.h>

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

static inline void test_run(void (*body)(struct ctx *cx))
{
    struct arena arena = arena_make((size_t)512 << 20);
    struct random random = random_seeded(1);
    struct ctx cx = ctx_make(&arena);
    cx.now_ms = 1774526400000; /* 2026-03-26T12:00:00Z */
    cx.random = &random;
    body(&cx);
    ctx_release(&cx);
    arena_free(&arena);
}
