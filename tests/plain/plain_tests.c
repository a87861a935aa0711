/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test_plain.h"
#include <fnmatch.h>
#include <stdbool.h>
#include <sys/wait.h>

/*
 * plain_tests: runs tests registered by base/test_plain.h.
 *
 *   plain_tests [PATTERN...]     "store*" and the like, held against SUITE
 */
static struct plain_test *tests;
static bool failed;

void plain_register(struct plain_test *test)
{
    test->next = tests;
    tests = test;
}

void plain_failed(const char *file, int line)
{
    failed = true;
    fprintf(stderr, "%s:%d: ", file, line);
}

void plain_stop(void)
{
    exit(failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

static bool wanted(const struct plain_test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (fnmatch(argv[i], test->suite, 0) == 0)
            return true;
    return argc == 1;
}

static bool run(const struct plain_test *test)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        test->run();
        plain_stop();
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0)
        fprintf(stderr, "FAILED %s/%s (status %d)\n", test->suite, test->name, status);
    return status == 0;
}

int main(int argc, char **argv)
{
    int passed_count = 0, failed_count = 0;
    for (const struct plain_test *test = tests; test; test = test->next) {
        if (!wanted(test, argc, argv))
            continue;
        if (run(test))
            passed_count++;
        else
            failed_count++;
    }
    printf("%d passed, %d failed\n", passed_count, failed_count);
    return failed_count ? EXIT_FAILURE : EXIT_SUCCESS;
}
