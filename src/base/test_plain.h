/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * test_plain: the few words of Criterion the tests use, for builds Criterion cannot run in.
 *
 * For      the thread sanitizer, whose address map leaves no room for Criterion's shared arena.
 * Limits   tests run one after another, each in a process of its own (plain_tests.c).
 */
struct plain_test {
    const char *suite, *name;
    void (*run)(void);
    struct plain_test *next;
};
void plain_register(struct plain_test *test);
void plain_failed(const char *file, int line);
void plain_stop(void) __attribute__((noreturn));

#define Test(suite_, name_) PLAIN_TEST(suite_, name_)
#define PLAIN_TEST(suite_, name_)                                                                  \
    static void plain_##suite_##_##name_(void);                                                    \
    __attribute__((constructor)) static void plain_add_##suite_##_##name_(void)                    \
    {                                                                                              \
        static struct plain_test test = { #suite_, #name_, plain_##suite_##_##name_, NULL };       \
        plain_register(&test);                                                                     \
    }                                                                                              \
    static void plain_##suite_##_##name_(void)

/* A text may follow the condition, as in Criterion. */
#define PLAIN_TEXT(...) plain_text(" " __VA_ARGS__)
static inline void __attribute__((format(printf, 1, 2))) plain_text(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}
#define cr_expect(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            plain_failed(__FILE__, __LINE__);                                                      \
            PLAIN_TEXT(__VA_ARGS__);                                                               \
        }                                                                                          \
    } while (0)
#define cr_assert(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            plain_failed(__FILE__, __LINE__);                                                      \
            PLAIN_TEXT(__VA_ARGS__);                                                               \
            plain_stop();                                                                          \
        }                                                                                          \
    } while (0)
#define cr_assert_eq(got, expected, ...) cr_assert((got) == (expected), __VA_ARGS__)
#define cr_expect_eq(got, expected, ...) cr_expect((got) == (expected), __VA_ARGS__)
#define cr_assert_str_eq(got, expected, ...) cr_assert(!strcmp(got, expected), __VA_ARGS__)
#define cr_expect_str_eq(got, expected, ...) cr_expect(!strcmp(got, expected), __VA_ARGS__)
#define cr_assert_not_null(got, ...) cr_assert((got) != NULL, __VA_ARGS__)
#define cr_assert_fail(...) cr_assert(0, __VA_ARGS__)
#define cr_skip_test(...) plain_stop()
#define cr_log_error(...) plain_text(__VA_ARGS__)
#define cr_log_info(...) plain_text(__VA_ARGS__)
