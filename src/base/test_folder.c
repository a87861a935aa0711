/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

/* Where the folders of this test's process lie. */
static str scratch(struct ctx *cx)
{
    const char *parent = getenv("TMPDIR");
    return arena_printf(cx->arena, "%s/frontline-unit-%d", parent ? parent : "/tmp", getpid());
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    return (void)about, (void)kind, (void)where, remove(path);
}

str test_folder(struct ctx *cx)
{
    str parent = scratch(cx), path = arena_printf(cx->arena, "%s/XXXXXX", parent.p);
    mkdir(parent.p, 0700);
    cr_assert(mkdtemp((char *)path.p) != NULL);
    return path;
}

void test_folders_remove(struct ctx *cx)
{
    nftw(scratch(cx).p, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
